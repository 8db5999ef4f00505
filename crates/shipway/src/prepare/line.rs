//! The line of versions that a branch continues: its last release, the commits since, and the decision.

use std::borrow::Cow;
use std::collections::{BTreeSet, HashSet};

use semver::{Version, VersionReq};
use shipway_core::config::{Ambiguous, BelowOne, Config, LineKind, line_of, within};
use shipway_core::facts::Facts;
use shipway_core::problem::Problem;
use shipway_core::version::{
    self, Ask, Bump, Channel, Commit, Decision, LastPrerelease, OnNearMiss, Rules, TagFormat,
};
use shipway_world::facts;
use shipway_world::package::Projects;

use super::Seen;
use crate::session::Session;

/// The line of versions that a branch continues.
#[derive(Clone, Debug, Default)]
pub struct Line {
    /// The last final version.
    pub last: Option<Version>,
    /// The last prerelease of the channel after it.
    pub prerelease: Option<Version>,
    /// The tag of the last final version.
    pub tag: Option<String>,
    /// The commits since that tag, newest first.
    pub commits: Vec<Commit>,
    /// What a reader must know about the line.
    pub notes: Vec<String>,
    withdrawn: BTreeSet<String>,
}

/// A version with its tag and the commit that it names.
#[derive(Clone, Debug)]
struct Tagged {
    version: Version,
    tag: String,
    commit: String,
}

impl Line {
    /// Returns the versions that a version file may state before the release.
    pub fn known(&self) -> impl Iterator<Item = &Version> {
        self.last.iter().chain(&self.prerelease)
    }
}

/// Tells whether a branch is by its name or the configuration the line of an older version.
pub fn is_maintenance(branch: &str, config: &Config) -> bool {
    matches!(line_of(branch, config), LineKind::Maintenance { .. })
}

/// Returns how tags are named: as configured, else as the tags here and on the remote are. With it comes what a reader
/// must know where the tags of one project were chosen among those of several.
pub fn format(
    config: &Config,
    facts: &Facts,
    projects: &Projects,
) -> Result<(TagFormat, Option<String>), Problem> {
    if let Some(text) = &config.release.tag {
        return Ok((TagFormat::new(text)?, None));
    }
    let remote = facts.remote.as_ref().and_then(|remote| remote.seen.as_ref()?.as_ref().ok());
    let theirs = remote.into_iter().flat_map(|refs| refs.tags.keys());
    let tags: BTreeSet<&str> = facts.tags.keys().chain(theirs).map(String::as_str).collect();
    let name = config.project.name.as_deref().or_else(|| projects.name()).unwrap_or(&facts.directory);
    let found = version::detect(tags, name);
    let note = found.by_name.then(|| {
        format!(
            "tags are named {}: {}; commits of the whole repository count; other tags: [release] tag in shipway.toml",
            found.format, found.reason
        )
    });
    Ok((found.format, note))
}

/// Decides the version of the next release.
pub fn decide(session: &Session<'_>, seen: &Seen<'_>, ask: &Ask) -> Result<(Decision, Line), Vec<Problem>> {
    let kind = line_of(seen.facts.head.branch().unwrap_or_default(), &seen.config);
    let (channel, range) = match kind {
        LineKind::Channel { name, suffix } => (Some(Channel { name, suffix }), None),
        LineKind::Maintenance { range, .. } => (None, Some(range)),
        LineKind::Main | LineKind::Other => (None, None),
    };
    let tagged = tagged(seen);
    let mut line = last_release(session, seen, &tagged, range.as_ref()).map_err(|problem| vec![problem])?;
    let (taken, remote_only) = taken(seen, &tagged);
    let prerelease = match &channel {
        None => None,
        Some(channel) => {
            last_prerelease(session, &tagged, &line, channel).map_err(|problem| vec![problem])?
        }
    };
    line.prerelease = prerelease.as_ref().map(|one| one.version.clone());
    let versions = version::Line { last: line.last.clone(), prerelease, taken, remote_only, channel, range };
    let decision = settle(seen, ask, &versions, &mut line)?;
    Ok((decision, line))
}

/// Decides, and steps over versions that were used up by a withdrawn release.
fn settle(
    seen: &Seen<'_>,
    ask: &Ask,
    versions: &version::Line,
    line: &mut Line,
) -> Result<Decision, Vec<Problem>> {
    let rules = rules(seen);
    let decided = version::decide(ask, versions, &line.commits, &rules);
    if decided.is_ok() || line.withdrawn.is_empty() || matches!(ask, Ask::Exact(_)) {
        return decided;
    }
    let withdrawn: BTreeSet<Version> =
        line.withdrawn.iter().filter_map(|tag| seen.format.parse(tag)).collect();
    let open =
        version::Line { taken: versions.taken.difference(&withdrawn).cloned().collect(), ..versions.clone() };
    let wanted = version::decide(ask, &open, &line.commits, &rules)?;
    if !withdrawn.contains(&wanted.to) {
        return decided;
    }
    let Some(free) = version::next_free(&wanted.to, &versions.taken) else { return decided };
    line.notes.push(format!("{} was withdrawn and its tag stays, so {free} follows", wanted.to));
    let decision = version::decide(&Ask::Exact(free), versions, &line.commits, &rules)?;
    Ok(Decision { why: wanted.why, bump: wanted.bump, ..decision })
}

fn rules(seen: &Seen<'_>) -> Rules {
    let release = &seen.config.release;
    // A project that states a version and was never tagged is released as what it says it is.
    let stated = seen.projects.version().ok().flatten().filter(|stated| **stated > Version::new(0, 0, 0));
    Rules {
        breaking_below_1: match release.breaking_below_1 {
            BelowOne::Minor => Bump::Minor,
            BelowOne::Major => Bump::Major,
        },
        first: stated.cloned().unwrap_or_else(|| release.first.clone()),
        ambiguous: match release.ambiguous {
            Ambiguous::Stop => OnNearMiss::Stop,
            Ambiguous::Warn => OnNearMiss::Warn,
        },
    }
}

/// Returns the tags here that name versions, the highest version first.
fn tagged(seen: &Seen<'_>) -> Vec<Tagged> {
    let of = |(tag, at): (&String, &shipway_core::facts::TagAt)| {
        Some(Tagged { version: seen.format.parse(tag)?, tag: tag.clone(), commit: at.commit.clone() })
    };
    let mut tagged: Vec<Tagged> = seen.facts.tags.iter().filter_map(of).collect();
    tagged.sort_by(|a, b| b.version.cmp(&a.version));
    tagged
}

/// Returns the versions of all tags, and of those that are on the remote only.
fn taken(seen: &Seen<'_>, tagged: &[Tagged]) -> (BTreeSet<Version>, BTreeSet<Version>) {
    let remote = seen.facts.remote.as_ref().and_then(|remote| remote.seen.as_ref()?.as_ref().ok());
    let theirs =
        remote.into_iter().flat_map(|refs| refs.tags.keys()).filter_map(|tag| seen.format.parse(tag));
    let here: BTreeSet<Version> = tagged.iter().map(|one| one.version.clone()).collect();
    let remote_only: BTreeSet<Version> = theirs.filter(|version| !here.contains(version)).collect();
    (here.union(&remote_only).cloned().collect(), remote_only)
}

/// Returns the last final release that can be reached and was not withdrawn, with the commits since.
fn last_release(
    session: &Session<'_>,
    seen: &Seen<'_>,
    tagged: &[Tagged],
    range: Option<&VersionReq>,
) -> Result<Line, Problem> {
    let mut withdrawn = BTreeSet::new();
    loop {
        let fits = |one: &&Tagged| {
            let final_version = one.version.pre.is_empty();
            final_version
                && !withdrawn.contains(&one.tag)
                && range.is_none_or(|range| within(range, &one.version))
        };
        let candidates: Vec<&Tagged> = tagged.iter().filter(fits).collect();
        let bases: Vec<(String, String)> =
            candidates.iter().map(|one| (one.tag.clone(), one.commit.clone())).collect();
        let mut commits = vec![];
        let mut each = |id: &str, message: Cow<'_, str>| {
            commits.push(Commit { id: id.to_owned(), message: message.into_owned() });
        };
        let base = facts::line(session.git(), seen.facts.head.commit(), &bases, &mut each)?;
        let more: Vec<String> = commits.iter().flat_map(|commit| withdrawals(&commit.message)).collect();
        if more.iter().any(|tag| !withdrawn.contains(tag)) {
            withdrawn.extend(more);
            continue;
        }
        let Some(base) = base.and_then(|at| candidates.get(at)) else {
            return Ok(Line { commits, withdrawn, ..Line::default() });
        };
        let mut line = Line {
            last: Some(base.version.clone()),
            tag: Some(base.tag.clone()),
            commits,
            withdrawn,
            ..Line::default()
        };
        if let Some(later) = started_over(session, base, &candidates, &line.commits)? {
            line.commits.clear();
            let mut each = |id: &str, message: Cow<'_, str>| {
                line.commits.push(Commit { id: id.to_owned(), message: message.into_owned() });
            };
            let range = format!("{}..{}", later.commit, seen.facts.head.commit());
            facts::commits(session.git(), &range, &mut each)?;
            line.notes.push(format!("{} follows {}, which is older but higher", later.tag, base.tag));
            (line.last, line.tag) = (Some(later.version.clone()), Some(later.tag.clone()));
        }
        return Ok(line);
    }
}

/// Returns the last release of a line whose numbers went back: it is lower than `base`, and has `base` in its history.
fn started_over<'a>(
    session: &Session<'_>,
    base: &Tagged,
    candidates: &[&'a Tagged],
    since: &[Commit],
) -> Result<Option<&'a Tagged>, Problem> {
    let since: HashSet<&str> = since.iter().map(|commit| commit.id.as_str()).collect();
    let (mut base, mut last) = (base, None);
    while let Some(later) = highest_after(session, base, candidates, &since)? {
        (base, last) = (later, Some(later));
    }
    Ok(last)
}

/// Returns the highest of the releases that have another one in their history and are among some commits.
fn highest_after<'a>(
    session: &Session<'_>,
    base: &Tagged,
    candidates: &[&'a Tagged],
    since: &HashSet<&str>,
) -> Result<Option<&'a Tagged>, Problem> {
    let lower = candidates.iter().filter(|one| one.version < base.version);
    for one in lower.filter(|one| since.contains(one.commit.as_str()) && one.commit != base.commit) {
        if session.git().is_ancestor(&base.commit, &one.commit)? {
            return Ok(Some(one));
        }
    }
    Ok(None)
}

/// Returns the tags that a commit message withdraws.
fn withdrawals(message: &str) -> impl Iterator<Item = String> + '_ {
    version::withdrawn(message).map(|(tag, _)| tag.to_owned())
}

/// Returns the last prerelease of the channel after the last final version, if it can be reached.
fn last_prerelease(
    session: &Session<'_>,
    tagged: &[Tagged],
    line: &Line,
    channel: &Channel,
) -> Result<Option<LastPrerelease>, Problem> {
    let later = |one: &&Tagged| {
        channel.number(&one.version).is_some() && line.last.as_ref().is_none_or(|last| one.version > *last)
    };
    for one in tagged.iter().filter(later) {
        if let Some(commits_since) = session.git().count_since(&one.commit)? {
            return Ok(Some(LastPrerelease { version: one.version.clone(), commits_since }));
        }
    }
    Ok(None)
}
