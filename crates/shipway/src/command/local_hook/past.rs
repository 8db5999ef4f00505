//! After a commit: whether the hooks before it ran, and what was skipped. What happened is noted, and nothing refused,
//! since the commit is there.

use std::fs;

use shipway_core::local::{Kind, Note, Skip};
use shipway_core::problem::{Code, Problem};
use shipway_world::hooks::Hook;
use shipway_world::shell;

use super::{Call, judge};

/// Looks at the commit that was just made.
pub(super) fn look(call: &Call<'_>, hook: Hook) -> Result<(), Vec<Problem>> {
    let one = |problem| vec![problem];
    let git = call.git();
    let raw = git.expect(&git.git().args(["cat-file", "--batch"]).stdin("HEAD\n")).map_err(one)?;
    let Some(made) = Made::read(&raw.stdout) else { return Ok(()) };
    let (action, moved) = action(call);
    // A merge that only moved the branch has made no commit, and neither has one that squashes.
    let squashes = call.args.first().is_some_and(|flag| flag == "1");
    if hook == Hook::PostMerge && (moved || squashes || made.parents.len() < 2) {
        return Ok(());
    }
    let desk = call.desk().map_err(one)?;
    let note = |what, rule: &str, reason: &str| Note {
        at: shell::now(),
        what,
        rule: rule.to_owned(),
        reason: reason.to_owned(),
        commit: made.id.clone(),
        branch: call.branch().unwrap_or_default(),
    };
    let skips = call.skips()?;
    let mut notes: Vec<Note> =
        skips.iter().map(|Skip { rule, reason }| note(Kind::Skipped, rule, reason)).collect();
    let bypassed = matches!(action.as_str(), "commit" | "merge") && !desk.has_looked_at(&made.tree);
    let mut told = vec![];
    if bypassed {
        let reason = "the hooks before the commit did not run, as with --no-verify";
        notes.push(note(Kind::Unverified, "pre-commit", reason));
        told.push(Problem::new(Code::HookNotice, reason).at(format!("commit {}", made.short())));
    }
    // Commits that git makes by itself go past the hooks that refuse, so they are looked at here.
    if !desk.has_looked_at(&made.tree) {
        let parent = made.parents.first().map(String::as_str);
        told.extend(judge::files(call, (parent, &made.tree), &skips)?);
    }
    let found = judge::message(call, &made.message, (made.parents.len() > 1, &skips))?;
    told.extend(found);
    for problem in told.iter().skip(usize::from(bypassed)) {
        notes.push(note(Kind::Unverified, problem.code.as_str(), &problem.what));
    }
    for note in &notes {
        desk.note(note)
            .map_err(|error| vec![Problem::new(Code::Io, format!("a note cannot be written: {error}"))])?;
    }
    if !told.is_empty() {
        let last = told.last_mut().expect("there is one");
        last.hints.push("set it right: git commit --amend".into());
        call.view.warnings(&told);
    }
    Ok(())
}

/// Returns what git did, as the reflog names it, such as `commit`, `cherry-pick` or `rebase`, and whether that only
/// moved the branch. Nobody is accused where git keeps no such log.
fn action(call: &Call<'_>) -> (String, bool) {
    let log =
        call.repository().ok().and_then(|repository| fs::read(repository.git_dir.join("logs/HEAD")).ok());
    // Refs that are in no files have their log elsewhere.
    let asked = || {
        let git = call.git();
        git.run(&git.git().args(["reflog", "show", "-1", "--format=%gs", "HEAD"])).map(|output| output.stdout)
    };
    let last = log.as_deref().and_then(|log| log.trim_ascii_end().rsplit(|byte| *byte == b'\n').next());
    let last = last.and_then(|line| line.split(|byte| *byte == b'\t').nth(1)).map(<[u8]>::to_vec);
    let last = last.or_else(|| asked().ok()).unwrap_or_default();
    let last = String::from_utf8_lossy(last.trim_ascii());
    (last.split([':', ' ']).next().unwrap_or_default().to_owned(), last.ends_with(": Fast-forward"))
}

/// A commit that was made.
struct Made {
    id: String,
    tree: String,
    parents: Vec<String>,
    message: String,
}

impl Made {
    /// Reads what `cat-file --batch` prints: object id, type and size, and then the commit itself.
    fn read(bytes: &[u8]) -> Option<Self> {
        let text = String::from_utf8_lossy(bytes.strip_suffix(b"\n").unwrap_or(bytes)).into_owned();
        let (first, rest) = text.split_once('\n')?;
        let (id, _) = first.split_once(" commit ")?;
        let (head, message) = rest.split_once("\n\n")?;
        let field =
            |name: &str| head.lines().filter_map(|line| line.strip_prefix(name)).map(str::to_owned).collect();
        let (trees, parents): (Vec<String>, Vec<String>) = (field("tree "), field("parent "));
        Some(Self { id: id.to_owned(), tree: trees.first()?.clone(), parents, message: message.to_owned() })
    }

    fn short(&self) -> &str {
        self.id.get(..12).unwrap_or(&self.id)
    }
}
