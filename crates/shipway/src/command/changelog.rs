//! `changelog`: the whole history as a changelog, one section for each version.

use std::collections::HashMap;

use semver::Version;
use serde_json::json;
use shipway_core::problem::{Code, Problem};
use shipway_core::time::Time;
use shipway_core::version::{self, Conventional};
use shipway_world::changelog::{Forge, Head, Item, Notes, Template, render_all};

use super::{DONE, End};
use crate::prepare::{self, Seen};
use crate::session::Session;
use crate::view::Document;

/// Prints the changelog of the whole history.
pub fn run(session: &Session<'_>) -> End {
    let seen = prepare::glance(session)?;
    let text = render(session, &seen).map_err(|problem| vec![problem])?;
    session.view.answer(Document::Changelog, &json!({ "text": text }), text.trim_end());
    Ok(DONE)
}

/// A commit of the history, without a copy of its message.
struct Commit<'a> {
    id: &'a str,
    seconds: u64,
    parents: &'a str,
    message: &'a [u8],
    /// The release that it belongs to: the lowest version that has it in its history.
    release: Option<usize>,
}

/// A release: its version, its tag, and its commit in the history.
struct Release {
    version: Version,
    tag: String,
    at: usize,
}

fn render(session: &Session<'_>, seen: &Seen<'_>) -> Result<String, Problem> {
    let log = session.git().history()?;
    let mut commits = parse(&log)?;
    let places: HashMap<&str, usize> =
        commits.iter().enumerate().map(|(at, commit)| (commit.id, at)).collect();
    let mut releases: Vec<Release> = seen
        .facts
        .tags
        .iter()
        .filter_map(|(tag, at)| {
            let place = *places.get(at.commit.as_str())?;
            Some(Release { version: seen.format.parse(tag)?, tag: tag.clone(), at: place })
        })
        .collect();
    releases.sort_by(|a, b| a.version.cmp(&b.version));
    for (index, release) in releases.iter().enumerate() {
        claim(&mut commits, &places, (index, release.at));
    }
    drop(places);
    let mut by_release: Vec<Vec<usize>> = vec![vec![]; releases.len()];
    for (at, commit) in commits.iter().enumerate() {
        if let Some(release) = commit.release {
            by_release[release].push(at);
        }
    }
    let forge = seen.forge();
    let notes = (0..releases.len()).rev().map(|index| {
        let release = &releases[index];
        let date = Time(commits[release.at].seconds * 1000).date();
        let version = release.version.to_string();
        let previous = index.checked_sub(1).map(|before| releases[before].tag.as_str());
        let head = Head { version: &version, tag: &release.tag, previous_tag: previous, date: &date };
        notes(head, by_release[index].iter().map(|at| &commits[*at]), forge.as_ref())
    });
    let mut text = String::new();
    render_all(notes, &Template::default(), &mut text)?;
    Ok(text)
}

/// Reads what `git log` gives: `ID SECONDS PARENTS`, a line feed, the message, and a zero byte.
fn parse(log: &[u8]) -> Result<Vec<Commit<'_>>, Problem> {
    let odd = || Problem::new(Code::GitFailed, "git log gave a line that is not understood");
    let records = log.split(|byte| *byte == 0).filter(|record| !record.is_empty());
    let commit = |record: &'_ [u8]| -> Option<(usize, u64)> {
        let end = record.iter().position(|byte| *byte == b'\n').unwrap_or(record.len());
        let line = std::str::from_utf8(&record[..end]).ok()?;
        let seconds = line.split(' ').nth(1)?.parse().ok()?;
        Some((end, seconds))
    };
    records
        .map(|record| {
            let (end, seconds) = commit(record).ok_or_else(odd)?;
            let line = std::str::from_utf8(&record[..end]).map_err(|_| odd())?;
            let mut fields = line.splitn(3, ' ');
            let id = fields.next().unwrap_or_default();
            let parents = fields.nth(1).unwrap_or_default();
            let message = record.get(end + 1..).unwrap_or_default();
            Ok(Commit { id, seconds, parents, message, release: None })
        })
        .collect()
}

/// Gives a release all commits of its history that no lower version has.
fn claim(commits: &mut [Commit<'_>], places: &HashMap<&str, usize>, (release, from): (usize, usize)) {
    let mut open = vec![from];
    while let Some(at) = open.pop() {
        let commit = &mut commits[at];
        if commit.release.is_none() {
            commit.release = Some(release);
            open.extend(commit.parents.split(' ').filter_map(|parent| places.get(parent)));
        }
    }
}

fn notes<'a>(head: Head<'_>, commits: impl Iterator<Item = &'a Commit<'a>>, forge: Option<&Forge>) -> Notes {
    let texts: Vec<(&str, std::borrow::Cow<'_, str>)> =
        commits.map(|commit| (commit.id, String::from_utf8_lossy(commit.message))).collect();
    let parsed: Vec<(&str, Conventional<'_>)> =
        texts.iter().filter_map(|(id, text)| Some((*id, version::told(text)?))).collect();
    let items = parsed.iter().map(|(id, one)| Item {
        kind: &one.kind,
        scope: one.scope,
        description: one.description,
        breaking: one.breaking.then(|| one.breaking_text.unwrap_or_default()),
        commit: id,
        issues: &[],
    });
    Notes::new(head, items, forge)
}
