//! Commits and their messages, and the release that a branch builds on.

use std::borrow::Cow;
use std::collections::HashSet;

use shipway_core::action::Cmd;
use shipway_core::problem::{Code, Problem};

use super::ask::Git;

/// How many candidates are tried one by one before git is asked for all tags that HEAD has.
const TRIES: usize = 3;

/// The id and the message of a commit, as UTF-8 and without the last line feeds.
type Each<'a> = &'a mut dyn FnMut(&str, Cow<'_, str>);

/// Hands over the commits of a range such as `v1.3.2..HEAD`, newest first.
///
/// Git converts messages to UTF-8 where a commit names its encoding; bytes that are wrong even so become U+FFFD.
pub fn commits(git: Git<'_>, range: &str, each: Each<'_>) -> Result<(), Problem> {
    let output = git.expect(&log(git, range))?;
    records(&output).try_for_each(|record| hand_over(record, each))
}

/// Finds the first candidate that `head` has in its history, and hands over the commits since, newest first.
///
/// Candidates are (tag, commit id), the highest version first. Returns the position of the one found; without one, all
/// commits of `head` are handed over. In the usual case this is one process.
pub fn line(
    git: Git<'_>,
    head: &str,
    candidates: &[(String, String)],
    each: Each<'_>,
) -> Result<Option<usize>, Problem> {
    for (at, (_, base)) in candidates.iter().enumerate().take(TRIES) {
        let output = git.send(&log(git, &format!("{base}...{head}")))?;
        // A base that has commits of its own is on another line; one that git cannot compare is no commit.
        if output.ok() && !records(&output.stdout).any(|record| record.first() == Some(&b'<')) {
            records(&output.stdout).try_for_each(|record| hand_over(record, each))?;
            return Ok(Some(at));
        }
    }
    let rest = candidates.get(TRIES..).unwrap_or_default();
    let found = if rest.is_empty() { None } else { merged(git, head, rest)?.map(|at| at + TRIES) };
    let range = found.map_or_else(|| head.to_owned(), |at| format!("{}..{head}", candidates[at].1));
    commits(git, &range, each)?;
    Ok(found)
}

/// Returns the position of the first candidate whose tag `head` has in its history.
fn merged(git: Git<'_>, head: &str, candidates: &[(String, String)]) -> Result<Option<usize>, Problem> {
    let merged = format!("--merged={head}");
    let output = git.ask(&["for-each-ref", &merged, "--format=%(refname)", "refs/tags"])?;
    let tags: HashSet<&[u8]> =
        output.split(|byte| *byte == b'\n').filter_map(|line| line.strip_prefix(b"refs/tags/")).collect();
    Ok(candidates.iter().position(|(tag, _)| tags.contains(tag.as_bytes())))
}

/// Asks for marks, ids and messages; whatever the user configured for `git log` must not add to them.
fn log(git: Git<'_>, range: &str) -> Cmd {
    let options = ["-z", "--left-right", "--encoding=UTF-8", "--no-show-signature", "--no-color"];
    git.command(&["log"]).args(options).args(["--format=%m%H%n%B", "--end-of-options", range, "--"])
}

fn records(output: &[u8]) -> impl Iterator<Item = &[u8]> {
    output.split(|byte| *byte == 0).filter(|record| !record.is_empty())
}

/// Hands over one record: a mark, the id, a line feed, the message.
fn hand_over(record: &[u8], each: Each<'_>) -> Result<(), Problem> {
    let end = record.iter().position(|byte| *byte == b'\n').unwrap_or(record.len());
    let id = record.get(1..end).and_then(|id| std::str::from_utf8(id).ok());
    let id = id.ok_or_else(|| Problem::new(Code::GitFailed, "git log gave a line that is not understood"))?;
    let message = record.get(end + 1..).unwrap_or_default();
    let length = message.iter().rposition(|byte| *byte != b'\n').map_or(0, |last| last + 1);
    each(id, String::from_utf8_lossy(&message[..length]));
    Ok(())
}
