//! The decision: which version is released next, and why.
//!
//! The rules are SemVer 2.0.0 and Conventional Commits 1.0.0. `decide` looks at nothing but its arguments and returns
//! all problems at once.

use std::collections::BTreeSet;
use std::str::FromStr;

use semver::{Version, VersionReq};
use serde::Serialize;

use super::bump::{Bump, final_of};
use super::evidence::{Commit, Evidence, Weighed, weigh};
use super::number::Channel;
use super::text::short;
use super::{refuse, verify};
use crate::problem::Problem;

/// What the user asks for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Ask {
    /// The version that the commits ask for.
    Auto,
    /// This part raised, whatever the commits say.
    Bump(Bump),
    /// This version.
    Exact(Version),
}

impl FromStr for Ask {
    type Err = Problem;

    /// Reads `patch`, `minor`, `major` or a semantic version without a leading `v`.
    fn from_str(text: &str) -> Result<Self, Problem> {
        match text {
            "patch" => Ok(Self::Bump(Bump::Patch)),
            "minor" => Ok(Self::Bump(Bump::Minor)),
            "major" => Ok(Self::Bump(Bump::Major)),
            _ => Version::parse(text).map(Self::Exact).map_err(|error| refuse::invalid(text, &error)),
        }
    }
}

/// The line of versions that a branch continues.
#[derive(Clone, Debug, Default)]
pub struct Line {
    /// The last final version whose tag can be reached from the branch. On a maintenance line the last of its range.
    pub last: Option<Version>,
    /// On a channel, its last prerelease after `last` whose tag can be reached from the branch.
    pub prerelease: Option<LastPrerelease>,
    /// The versions of all tags, here and on the remote, reachable or not.
    pub taken: BTreeSet<Version>,
    /// Those of them that are tagged on the remote and not here.
    pub remote_only: BTreeSet<Version>,
    /// Where set, the branch releases prereleases only.
    pub channel: Option<Channel>,
    /// On a maintenance line such as `release/1.x`, the versions that belong to it.
    pub range: Option<VersionReq>,
}

/// The last prerelease of a channel.
#[derive(Clone, Debug)]
pub struct LastPrerelease {
    /// The version.
    pub version: Version,
    /// How many commits came after it; the newest so many of those that `decide` is given.
    pub commits_since: usize,
}

/// What a configuration can say about versions.
#[derive(Clone, Debug)]
pub struct Rules {
    /// What a breaking change raises below 1.0.0: minor, or major so that 1.0.0 follows.
    pub breaking_below_1: Bump,
    /// The version of a first release.
    pub first: Version,
    /// What near misses do that could change the version.
    pub ambiguous: OnNearMiss,
}

impl Default for Rules {
    fn default() -> Self {
        Self { breaking_below_1: Bump::Minor, first: Version::new(0, 1, 0), ambiguous: OnNearMiss::Stop }
    }
}

/// What commit messages do that almost mark a change.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum OnNearMiss {
    /// They stop the release.
    Stop,
    /// They are shown as warnings.
    Warn,
}

/// The version that is released next.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Decision {
    /// The version before, unless this is a first release.
    pub from: Option<Version>,
    /// The version that is released.
    pub to: Version,
    /// Which part is raised; nothing for a first release or the next prerelease of the same version.
    pub bump: Option<Bump>,
    /// Why, in one line such as `minor: 3 feat, 5 fix, 0 breaking`.
    pub why: String,
    /// What each commit asks for, newest first.
    pub evidence: Vec<Evidence>,
    /// What the user should know about it.
    pub warnings: Vec<Problem>,
}

/// A version to be verified, and where it comes from.
pub(super) struct Candidate {
    /// The version; on a channel the final version that it leads to.
    pub(super) version: Version,
    pub(super) why: String,
    /// Whether it is chosen by a person or a rule that near misses cannot change.
    pub(super) chosen: bool,
    /// What the commits ask for after the rule for versions below 1.0.0.
    pub(super) asked: Option<Bump>,
}

/// Decides the version of the next release from the commits since the line's last final version, newest first.
///
/// On a channel the base is what all of them ask for since that final version, and only commits after the channel's
/// last prerelease make a new one. Without any final version the first release has the configured version.
pub fn decide(ask: &Ask, line: &Line, commits: &[Commit], rules: &Rules) -> Result<Decision, Vec<Problem>> {
    let fresh = fresh(line, commits.len());
    if fresh == 0 {
        return Err(vec![refuse::nothing(line)]);
    }
    let weighed = weigh(commits);
    let candidate = candidate(ask, line, &weighed, rules)?;
    let (near, warnings) = verify::near_misses(candidate.as_ref(), line, &weighed, rules);
    if !near.is_empty() {
        return Err(near);
    }
    match candidate {
        Some(candidate) => verify::settle(ask, line, &candidate, weighed.evidence, warnings),
        None => Err(vec![refuse::none_releases(line, &weighed.evidence[..fresh], &warnings)]),
    }
}

/// Returns how many of the newest commits are not in any release of this line yet.
pub(super) fn fresh(line: &Line, commits: usize) -> usize {
    match (&line.channel, &line.prerelease) {
        (Some(_), Some(last)) => last.commits_since.min(commits),
        (Some(_) | None, _) => commits,
    }
}

/// Returns the version to verify, or nothing if no commit releases anything.
fn candidate(
    ask: &Ask,
    line: &Line,
    weighed: &Weighed,
    rules: &Rules,
) -> Result<Option<Candidate>, Vec<Problem>> {
    let asked = asked(line, weighed, rules);
    let of = |version, why, chosen| Ok(Some(Candidate { version, why, chosen, asked }));
    match ask {
        Ask::Exact(version) => return of(version.clone(), format!("{version} was asked for"), true),
        Ask::Bump(bump) => {
            let why = format!("{bump} was asked for: {}", counts(weighed));
            return of(raise(*bump, line, rules)?, why, true);
        }
        Ask::Auto => {}
    }
    if let Some((at, version)) = release_as(line, weighed)? {
        let why = format!("Release-As: {version} in commit {}", short(&weighed.evidence[at].commit));
        return of(version, why, true);
    }
    if line.last.is_none() && line.prerelease.is_none() {
        return of(rules.first.clone(), "first release".to_owned(), true);
    }
    let Some(bump) = asked.filter(|_| releases(line, weighed)) else { return Ok(None) };
    let breaking = weighed.evidence.iter().any(|evidence| evidence.bump == Some(Bump::Major));
    let lowered =
        if breaking && bump < Bump::Major { " (below 1.0.0 a breaking change is a minor)" } else { "" };
    of(raise(bump, line, rules)?, format!("{bump}: {}{lowered}", counts(weighed)), false)
}

/// Returns what the commits ask for together.
fn asked(line: &Line, weighed: &Weighed, rules: &Rules) -> Option<Bump> {
    let highest = weighed.evidence.iter().filter_map(|evidence| evidence.bump).max()?;
    Some(below_1(highest, line, rules))
}

/// Returns the bump after the rule for breaking changes below 1.0.0.
pub(super) fn below_1(bump: Bump, line: &Line, rules: &Rules) -> Bump {
    let below = line.last.as_ref().is_some_and(|last| last.major == 0);
    if below && bump == Bump::Major { rules.breaking_below_1 } else { bump }
}

/// Tells whether anything that is not released yet asks for a release.
fn releases(line: &Line, weighed: &Weighed) -> bool {
    let fresh = fresh(line, weighed.evidence.len());
    let asks = weighed.evidence[..fresh].iter().any(|evidence| evidence.bump.is_some());
    // A revert of something that is only in a prerelease asks for no version, but for a new prerelease.
    let undoes = |by: &Option<usize>| by.is_some_and(|by| by < fresh);
    asks || weighed.cancelled_by[fresh..].iter().any(undoes)
}

/// Returns the line's last version raised; a first release is the configured one, or 1.0.0 if a major was asked for.
fn raise(bump: Bump, line: &Line, rules: &Rules) -> Result<Version, Vec<Problem>> {
    match &line.last {
        Some(last) => bump.raise(last).ok_or_else(|| vec![refuse::overflow(last)]),
        None if bump == Bump::Major && rules.first.major == 0 => Ok(Version::new(1, 0, 0)),
        None => Ok(rules.first.clone()),
    }
}

/// Returns the version of the newest `Release-As` footer.
///
/// On a channel the footer stays in the range after its prerelease: then a prerelease has had its effect, and a final
/// version is still the base of what is new.
fn release_as(line: &Line, weighed: &Weighed) -> Result<Option<(usize, Version)>, Vec<Problem>> {
    let fresh = fresh(line, weighed.evidence.len());
    for (at, text) in &weighed.release_as {
        let version = Version::parse(text)
            .map_err(|error| vec![refuse::release_as(&weighed.evidence[*at], text, &error)])?;
        if *at < fresh || (version.pre.is_empty() && releases(line, weighed)) {
            return Ok(Some((*at, version)));
        }
    }
    Ok(None)
}

/// Returns the base that a channel's next prerelease leads to: never lower than that of its last one.
pub(super) fn base(line: &Line, version: &Version) -> Version {
    let last = line.prerelease.as_ref().map(|last| final_of(&last.version));
    last.filter(|last| last > version).unwrap_or_else(|| final_of(version))
}

/// Returns the counts of what asks for a version, such as `3 feat, 5 fix, 0 breaking`.
fn counts(weighed: &Weighed) -> String {
    let standing = || weighed.evidence.iter().filter(|evidence| evidence.cancelled_by.is_none());
    let of = |kind: &str| standing().filter(|evidence| evidence.kind.as_deref() == Some(kind)).count();
    let reverts = standing().filter(|evidence| evidence.rule == super::Rule::RevertOfReleased).count();
    let breaking = standing().filter(|evidence| evidence.breaking).count();
    let rare = [(of("perf"), "perf"), (reverts, "revert")];
    let mut parts = vec![format!("{} feat, {} fix", of("feat"), of("fix"))];
    parts.extend(rare.iter().filter(|(n, _)| *n > 0).map(|(n, word)| format!("{n} {word}")));
    parts.push(format!("{breaking} breaking"));
    parts.join(", ")
}
