//! Checkpoints of journals: a list for each journal, which only grows, and only by what that journal has signed.

use shipway_core::anchor::{REFS, Seal};
use shipway_core::problem::{Code, Problem};

use super::{Desk, Report};
use crate::records;
use crate::store;

/// A commit of a list.
struct Link<'a> {
    id: &'a str,
    tree: &'a str,
    parents: Vec<&'a str>,
    message: &'a str,
}

/// Keeps checkpoints of a journal behind those that are there.
pub(super) fn take(desk: &Desk<'_>, origin: &str, commit: &str) -> Result<Report, Problem> {
    if origin.is_empty() || !origin.bytes().all(|byte| byte.is_ascii_hexdigit()) {
        return Err(denied("a journal is named in hexadecimal digits"));
    }
    let name = format!("{REFS}/{origin}");
    let old = records::tip(&desk.git, &name)?;
    let format = "--format=%x00%H %T %P%x00%B%x00";
    let list = ["rev-list", "--first-parent", format, "--end-of-options", commit];
    let list = desk.git.expect(&desk.git.git().args(list))?;
    let list = String::from_utf8_lossy(&list.stdout);
    let empty = desk.git.git().args(["hash-object", "-t", "tree", "--stdin"]).stdin("");
    let empty = desk.git.expect(&empty)?.text();
    let links = links(&list);
    if links.first().is_none_or(|newest| newest.id != commit) {
        return Err(denied("a checkpoint is a commit"));
    }
    follows(&links, old.as_deref(), (origin, &empty))?;
    let old = old.unwrap_or_else(|| "0".repeat(commit.len()));
    desk.git.expect(&desk.git.git().args(["update-ref", "-m", "checkpoint", &name, commit, &old]))?;
    Ok(Report::taken())
}

/// Reads a list, the newest commit first.
fn links(list: &str) -> Vec<Link<'_>> {
    let parts: Vec<&str> = list.split('\0').collect();
    parts
        .chunks(3)
        .filter_map(|chunk| {
            let [_, head, message] = chunk else { return None };
            let mut words = head.split_whitespace();
            let (id, tree) = (words.next()?, words.next()?);
            Some(Link { id, tree, parents: words.collect(), message })
        })
        .collect()
}

/// Refuses a list that is not the old one with checkpoints of the same journal behind it, none shorter than the one before.
fn follows(links: &[Link<'_>], old: Option<&str>, (origin, empty): (&str, &str)) -> Result<(), Problem> {
    let begin = match old {
        None => links.len(),
        Some(old) => links
            .iter()
            .position(|link| link.id == old)
            .ok_or_else(|| denied("the checkpoint does not follow those that are here"))?,
    };
    let (new, kept) = links.split_at(begin);
    let mut last = kept.iter().find_map(|link| size(link, origin)).unwrap_or_default();
    let mut before = old;
    for link in new.iter().rev() {
        if link.tree != empty || link.parents != before.as_slice() {
            return Err(denied("a checkpoint is a commit without files, right behind the one before"));
        }
        let size = size(link, origin)
            .ok_or_else(|| denied("no checkpoint of that journal stands there, signed with its key"))?;
        if size < last {
            return Err(denied("the journal is shorter than it was: entries were cut off")
                .found(format!("{size} entries"))
                .wanted(format!("{last} entries, as it had before, or more"))
                .hint("shipway log --verify --remote"));
        }
        (last, before) = (size, Some(link.id));
    }
    Ok(())
}

/// Returns how long the journal was, as it says itself in the message of a commit.
fn size(link: &Link<'_>, origin: &str) -> Option<u64> {
    let ours = |seal: &Seal| seal.checkpoint.origin == origin && store::proven(seal);
    Seal::in_message(link.message).filter(ours).map(|seal| seal.checkpoint.size).min()
}

fn denied(what: &str) -> Problem {
    Problem::new(Code::PolicyDenied, what)
}
