//! The message of a commit: its template before, and its rules afterwards. No database is opened and no process started,
//! because every commit waits for this.

use std::fs;

use shipway_core::action::Shell as _;
use shipway_core::local;
use shipway_core::problem::Problem;
use shipway_core::validate::quoted;
use shipway_core::version;

use super::{Call, judge, unreadable};

/// Judges the message in the file that git names.
pub(super) fn look(call: &Call<'_>) -> Result<(), Vec<Problem>> {
    let file = call.message_file()?;
    let bytes = fs::read(&file).map_err(|error| vec![unreadable(error)])?;
    let merge = call.repository().is_ok_and(|repository| repository.git_dir.join("MERGE_HEAD").exists());
    let text = String::from_utf8_lossy(&bytes);
    let problems = judge::message(call, &text, (merge, &call.skips()?))?;
    if problems.is_empty() || (text.starts_with("Merge ") && amends_merge(call)) {
        return Ok(());
    }
    // An editor that was left without a word has left nothing to keep.
    if version::without_comments(&text).trim().is_empty() {
        return Err(problems);
    }
    let named = call.args.first().map(|file| file.to_string_lossy().into_owned()).unwrap_or_default();
    let kept = format!("what you wrote is kept: git commit --edit --file={}", quoted(&named));
    let mut problems = problems;
    if let Some(last) = problems.last_mut() {
        last.hints.push(kept);
    }
    Err(problems)
}

/// Tells whether HEAD is a merge, whose message keeps its first line when it is amended. Git does not tell a hook that it
/// amends; whoever looks at what is pushed knows the parents.
fn amends_merge(call: &Call<'_>) -> bool {
    let git = call.git();
    let asked = git.run(&git.git().args(["rev-parse", "--verify", "--quiet", "HEAD^2"]));
    asked.is_ok_and(|output| output.ok())
}

/// Writes the template into the file that git is about to open, where there is no message yet.
pub(super) fn prepare(call: &Call<'_>) -> Result<(), Vec<Problem>> {
    // With a second argument there is a message already: of `-m`, a template, a merge or another commit.
    if call.args.len() != 1 {
        return Ok(());
    }
    let file = call.message_file()?;
    let bytes = fs::read(&file).map_err(|error| vec![unreadable(error)])?;
    let text = String::from_utf8_lossy(&bytes);
    let Some(comment) = comment(call) else { return Ok(()) };
    let is_comment = |line: &str| line.starts_with(&comment);
    // Comments of ours may stand only where git's own do, since it takes those out again.
    let first = text.lines().position(|line| !line.trim().is_empty());
    let (Some(first), true) = (first, text.lines().all(|line| line.trim().is_empty() || is_comment(line)))
    else {
        return Ok(());
    };
    let more = judge::types(&call.top)?;
    let template = local::template(&comment, &more, call.branch().as_deref());
    let mut lines: Vec<&str> = text.lines().collect();
    let ours = format!("{template}{comment}");
    lines.insert(first, &ours);
    fs::write(&file, lines.join("\n") + "\n").map_err(|error| vec![unreadable(error)])
}

/// Returns what begins a comment in messages, or nothing if git keeps comments or chooses the sign by itself.
fn comment(call: &Call<'_>) -> Option<String> {
    let cmd =
        call.git().git().args(["config", "--get-regexp", r"^(core\.comment(char|string)|commit\.cleanup)$"]);
    let output = call.shell.run(&cmd, &call.stop).ok()?;
    let mut comment = "#".to_owned();
    for line in output.text().lines() {
        match line.split_once(' ') {
            Some(("commit.cleanup", "verbatim" | "whitespace") | (_, "auto")) => return None,
            Some(("commit.cleanup", _)) | None => {}
            Some((_, sign)) => sign.clone_into(&mut comment),
        }
    }
    Some(comment)
}
