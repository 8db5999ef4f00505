//! Numbers: prerelease counters, the next free version, and what is taken.

use std::collections::BTreeSet;

use semver::{Prerelease, Version, VersionReq};

use super::bump::{bare, final_of};

/// A series of prereleases.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Channel {
    /// The name, such as `beta`.
    pub name: String,
    /// The prerelease part with `{n}` for the counter, such as `beta.{n}`; without it `.{n}` is added.
    pub suffix: String,
}

impl Channel {
    /// Returns the prerelease of a final version with the number after all taken ones, from 1.
    ///
    /// The result is `None` if the suffix makes no valid prerelease (SemVer 2.0.0 §9).
    pub fn next(&self, base: &Version, taken: &BTreeSet<Version>) -> Option<Version> {
        let base = final_of(base);
        let numbers = from_lowest(&base, taken)
            .take_while(|version| final_of(version) == base)
            .filter_map(|version| self.number(version));
        let number = numbers.max().unwrap_or(0).checked_add(1)?;
        let (before, after) = self.parts();
        let pre = Prerelease::new(&format!("{before}{number}{after}")).ok()?;
        Some(Version { pre, ..base })
    }

    /// Returns the counter of a prerelease of this channel.
    pub fn number(&self, version: &Version) -> Option<u64> {
        let (before, after) = self.parts();
        version.pre.as_str().strip_prefix(&*before)?.strip_suffix(after)?.parse().ok()
    }

    fn parts(&self) -> (String, &str) {
        match self.suffix.split_once("{n}") {
            Some((before, after)) => (before.to_owned(), after),
            None => (format!("{}.", self.suffix), ""),
        }
    }
}

/// Tells whether a version is taken; build metadata makes no difference (SemVer 2.0.0 §10).
pub fn is_taken(version: &Version, taken: &BTreeSet<Version>) -> bool {
    // Versions that differ in build metadata alone stand side by side, the one without it first.
    taken.range(bare(version)..).next().is_some_and(|found| found.cmp_precedence(version).is_eq())
}

/// Tells whether a version or, for a prerelease, the final version that it leads to belongs to a range.
pub fn belongs(version: &Version, range: Option<&VersionReq>) -> bool {
    range.is_none_or(|range| range.matches(&final_of(version)))
}

/// Returns the next free final version: the given one with its third number raised until no tag has it.
pub fn next_free(version: &Version, taken: &BTreeSet<Version>) -> Option<Version> {
    let mut next = final_of(version);
    while is_taken(&next, taken) {
        next.patch = next.patch.checked_add(1)?;
    }
    Some(next)
}

/// Returns the taken versions from the lowest prerelease of a final version on.
fn from_lowest<'a>(base: &Version, taken: &'a BTreeSet<Version>) -> impl Iterator<Item = &'a Version> {
    let lowest = Version { pre: Prerelease::new("0").unwrap_or_default(), ..base.clone() };
    taken.range(lowest..)
}
