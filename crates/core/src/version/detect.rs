//! Which tag format a repository uses, found from its tags.

use std::cmp::Reverse;
use std::collections::HashMap;

use semver::Version;

use super::tag::{TagFormat, invalid_tag};

/// The tag format that a repository uses.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Detected {
    /// The format.
    pub format: TagFormat,
    /// How many final versions are tagged in it.
    pub count: usize,
    /// The highest version in it, final if there is any final one.
    pub highest: Option<Version>,
    /// Why it was chosen, as a fragment.
    pub reason: String,
    /// The other formats that this project may have used, most tags first, with their count of final versions.
    pub others: Vec<(TagFormat, usize)>,
    /// Whether the name of the project may have decided: there are several formats, and one of them has a name in it.
    pub by_name: bool,
}

/// Tags with the same prefix.
#[derive(Default)]
struct Group {
    finals: usize,
    highest: Option<Version>,
}

/// Whose tags have a prefix.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Owner {
    /// The whole repository's, such as `v` or `release-`.
    Everyone,
    /// They carry this project's name.
    This,
    /// They carry another name.
    Other,
}

/// Returns the format in use for a project; tags that are no semantic versions do not count.
///
/// The format with the highest final version is in use, unless it is a single stray among many tags of another one.
/// Where tags of other names show that the repository holds several projects, this project's name decides first.
pub fn detect<'a>(tags: impl IntoIterator<Item = &'a str>, project: &str) -> Detected {
    let mut groups: HashMap<&str, Group> = HashMap::new();
    for (prefix, version) in tags.into_iter().filter_map(split) {
        let group = groups.entry(prefix).or_default();
        let is_final = version.pre.is_empty();
        group.finals += usize::from(is_final);
        let rank = |version: &Version| (version.pre.is_empty(), version.clone());
        if group.highest.as_ref().is_none_or(|highest| rank(highest) < rank(&version)) {
            group.highest = Some(version);
        }
    }
    let mut groups: Vec<(&str, Owner, Group)> =
        groups.into_iter().map(|(prefix, group)| (prefix, owner(prefix, project), group)).collect();
    // The order of a hash map must not decide.
    groups.sort_by_key(|(prefix, _, group)| (Reverse(group.finals), prefix.len(), *prefix));
    let by_name = groups.len() > 1 && groups.iter().any(|(prefix, _, _)| !is_plain(prefix));
    Detected { by_name, ..choose(&groups, project) }
}

/// Splits a tag before its version, at the first place where a semantic version begins.
fn split(tag: &str) -> Option<(&str, Version)> {
    let bytes = tag.as_bytes();
    let begins = |at: &usize| {
        bytes[*at].is_ascii_digit()
            && (*at == 0 || !(bytes[at - 1].is_ascii_digit() || bytes[at - 1] == b'.'))
    };
    // No tag in use has more names with digits in front of its version than this.
    (0..bytes.len())
        .filter(begins)
        .take(8)
        .find_map(|at| Some((&tag[..at], Version::parse(&tag[at..]).ok()?)))
        .filter(|_| invalid_tag(tag).is_none())
}

fn choose(groups: &[(&str, Owner, Group)], project: &str) -> Detected {
    let of = |owner: Owner| groups.iter().filter(move |(_, of, _)| *of == owner).collect::<Vec<_>>();
    let (this, other) = (of(Owner::This), of(Owner::Other));
    let named = !other.is_empty() && !this.is_empty();
    let able = if named { this } else { groups.iter().filter(|(_, of, _)| *of != Owner::Other).collect() };
    // A single format belongs to the project even if the name in it is not the one that was guessed.
    let able = if able.is_empty() && other.len() == 1 { other.clone() } else { able };
    let Some(most) = able.first() else {
        return unused(&other, project);
    };
    let top = able.iter().max_by_key(|(_, _, group)| {
        let rank = group.highest.as_ref().map(|version| (version.pre.is_empty(), version.clone()));
        (rank, group.finals)
    });
    let top = top.unwrap_or(most);
    let stray = top.2.finals < 2 && most.2.finals >= 10;
    let (prefix, _, group) = if stray { most } else { top };
    let others: Vec<_> = able
        .iter()
        .filter(|(of, _, _)| of != prefix)
        .map(|(of, _, group)| (TagFormat::of_prefix(of), group.finals))
        .collect();
    let tags = if group.finals == 1 { "final version uses" } else { "final versions use" };
    let reason = match (others.first(), stray) {
        _ if named => {
            format!("the repository holds several projects; these are the tags of {project}")
        }
        (None, _) => format!("{} {tags} it and no other format is in use", group.finals),
        (Some((other, count)), true) => format!("{} {tags} it; {other} has {count}", group.finals),
        (Some((other, count)), false) => {
            format!("it has the highest version; {other} has {count}, none higher")
        }
    };
    Detected {
        format: TagFormat::of_prefix(prefix),
        count: group.finals,
        highest: group.highest.clone(),
        reason,
        others,
        by_name: false,
    }
}

/// Returns the format for a project without tags: written as its neighbours write theirs, else `v{version}`.
fn unused(other: &[&(&str, Owner, Group)], project: &str) -> Detected {
    let like = other.first().and_then(|(prefix, _, _)| {
        let text = prefix.replacen(label(prefix), project, 1);
        let format = TagFormat::new(&format!("{text}{{version}}")).ok()?;
        (!project.is_empty())
            .then(|| (format, format!("the other projects of the repository use {prefix}{{version}}")))
    });
    let (format, reason) =
        like.unwrap_or_else(|| (TagFormat::default(), "there is no version tag yet".to_owned()));
    Detected { format, count: 0, highest: None, reason, others: vec![], by_name: false }
}

fn owner(prefix: &str, project: &str) -> Owner {
    let label = label(prefix);
    let last = |name: &str| name.rsplit('/').next().unwrap_or_default().to_lowercase().replace('_', "-");
    if is_plain(prefix) {
        Owner::Everyone
    } else if !project.is_empty() && last(label) == last(project) {
        Owner::This
    } else {
        Owner::Other
    }
}

/// Tells whether a prefix names no project.
fn is_plain(prefix: &str) -> bool {
    const PLAIN: &[&str] =
        &["", "release", "releases", "rel", "version", "versions", "ver", "tag", "tags", "stable"];
    PLAIN.iter().any(|plain| label(prefix).eq_ignore_ascii_case(plain))
}

/// Returns the name in a prefix: `api` of `api-v`, `@scope/name` of `@scope/name@`, nothing of `v`.
fn label(prefix: &str) -> &str {
    const EDGES: [char; 5] = ['-', '_', '/', '@', '.'];
    let without_v = prefix.strip_suffix(['v', 'V']).filter(|rest| rest.is_empty() || rest.ends_with(EDGES));
    without_v.unwrap_or(prefix).trim_end_matches(EDGES)
}
