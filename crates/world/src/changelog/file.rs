//! Where the section of a release stands in the changelog, and how it is marked when the release is withdrawn.
//!
//! No byte that was there before is changed or moved, with one exception: the heading of a withdrawn release.

use shipway_core::edit::conflict_line;
use shipway_core::problem::{Code, Problem};

use super::scan::{Heading, body, definitions, headings};

/// What a new changelog begins with.
pub(super) const PREAMBLE: &str = "\
# Changelog

Every release and what changed in it, newest first. The form is that of
[Keep a Changelog](https://keepachangelog.com/en/1.1.0/), the versions are those of
[Semantic Versioning](https://semver.org/spec/v2.0.0.html).
";

const WITHDRAWN: &str = "[WITHDRAWN]";

/// Returns the changelog with the section of a new release: below the preamble and what is not released yet, above all
/// other releases. Without a file, or with an empty one, a new changelog begins.
///
/// The section is text with line feeds and one of them at its end; it takes on the line ends of the file. A file with
/// conflict markers, in another encoding than one like UTF-8, or that has the version already (unless it was withdrawn)
/// is [`Code::ChangelogConflict`].
pub fn insert(path: &str, old: Option<&[u8]>, version: &str, section: &str) -> Result<Vec<u8>, Problem> {
    let old = old.unwrap_or_default();
    readable(path, old)?;
    let headings = headings(old);
    if let Some(taken) = headings.iter().find(|heading| heading.version() == Some(version))
        && !is_withdrawn(taken)
    {
        let what = format!("{path} has a section for {version} already");
        return Err(Problem::new(Code::ChangelogConflict, what).at(line(path, old, taken.start)));
    }
    let at = position(old, &headings);
    let (before, after) = old.split_at(at);
    let end = line_end(old);
    let mut new = before.to_vec();
    if old.trim_ascii().is_empty() {
        push(&mut new, PREAMBLE, end);
    }
    if !new.is_empty() && new != b"\xef\xbb\xbf" {
        for _ in line_ends_at_the_end(&new)..2 {
            new.extend_from_slice(end);
        }
    }
    push(&mut new, section, end);
    if !after.is_empty() && !after.starts_with(b"\n") && !after.starts_with(b"\r\n") {
        new.extend_from_slice(end);
    }
    new.extend_from_slice(after);
    Ok(new)
}

/// Returns the changelog with a release marked as withdrawn, as Keep a Changelog marks yanked ones; none if there is no
/// such release or it is marked already.
pub fn withdraw(path: &str, old: &[u8], version: &str, date: &str) -> Result<Option<Vec<u8>>, Problem> {
    readable(path, old)?;
    let headings = headings(old);
    let release = headings.iter().find(|heading| heading.version() == Some(version));
    let Some(release) = release.filter(|release| !is_withdrawn(release)) else { return Ok(None) };
    let end = line_end(old);
    let mut new = old[..release.text_end].to_vec();
    push(&mut new, &format!(" {WITHDRAWN}"), end);
    new.extend_from_slice(&old[release.text_end..release.end]);
    for _ in line_ends_at_the_end(&new)..2 {
        new.extend_from_slice(end);
    }
    push(&mut new, &format!("Withdrawn on {date}.\n"), end);
    let after = &old[release.end..];
    if !after.is_empty() && !after.starts_with(b"\n") && !after.starts_with(b"\r\n") {
        new.extend_from_slice(end);
    }
    new.extend_from_slice(after);
    Ok(Some(new))
}

fn is_withdrawn(heading: &Heading) -> bool {
    heading.text.contains(WITHDRAWN) || heading.text.contains("[YANKED]")
}

/// Returns the offset at which a new section begins.
fn position(old: &[u8], headings: &[Heading]) -> usize {
    let unreleased = headings.iter().position(Heading::is_unreleased);
    let below = unreleased.map_or(headings, |at| &headings[at + 1..]);
    // What is not released yet has headings of its own, which are deeper and may name versions too.
    let depth = unreleased.map_or(3, |at| headings[at].level);
    let releases = |heading: &&Heading| heading.level <= depth && heading.version().is_some();
    if let Some(release) = below.iter().find(releases) {
        return release.start;
    }
    let preamble = || headings.iter().skip_while(|heading| heading.level != 1).nth(1);
    let next = match unreleased {
        Some(_) => below.iter().find(|heading| heading.level <= depth),
        None if headings.iter().any(|heading| heading.level == 1) => preamble(),
        None => return body(old),
    };
    next.map_or_else(|| definitions(old), |heading| heading.start)
}

/// Refuses what cannot be extended without doing harm.
fn readable(path: &str, old: &[u8]) -> Result<(), Problem> {
    if let Some(line) = conflict_line(old) {
        let what = format!("{path} has markers of a merge with conflicts");
        return Err(Problem::new(Code::ChangelogConflict, what).at(format!("{path}:{line}")));
    }
    if old.starts_with(b"\xff\xfe") || old.starts_with(b"\xfe\xff") || old.contains(&0) {
        let what = format!("{path} is not a text in UTF-8");
        return Err(Problem::new(Code::ChangelogConflict, what).at(path));
    }
    Ok(())
}

fn line(path: &str, bytes: &[u8], offset: usize) -> String {
    format!("{path}:{}", bytes[..offset].split(|&byte| byte == b'\n').count())
}

/// Returns the line end that the file begins with.
fn line_end(bytes: &[u8]) -> &'static [u8] {
    match bytes.iter().position(|&byte| byte == b'\n') {
        Some(at) if bytes[..at].ends_with(b"\r") => b"\r\n",
        Some(_) | None => b"\n",
    }
}

/// Returns how many line ends close the text, at most two.
fn line_ends_at_the_end(bytes: &[u8]) -> usize {
    let without = |bytes: &mut &[u8]| {
        let rest = bytes.strip_suffix(b"\n").map(|rest| rest.strip_suffix(b"\r").unwrap_or(rest));
        rest.map(|rest| *bytes = rest).is_some()
    };
    let mut rest = bytes;
    usize::from(without(&mut rest)) + usize::from(rest.len() < bytes.len() && without(&mut rest))
}

/// Adds a text with line feeds, with other line ends.
fn push(bytes: &mut Vec<u8>, text: &str, end: &[u8]) {
    for line in text.split_inclusive('\n') {
        bytes.extend_from_slice(line.trim_end_matches('\n').as_bytes());
        if line.ends_with('\n') {
            bytes.extend_from_slice(end);
        }
    }
}
