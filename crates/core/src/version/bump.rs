//! How far a version is raised.

use std::fmt;

use semver::{BuildMetadata, Prerelease, Version};
use serde::{Deserialize, Serialize};

use super::commit::Conventional;

/// Which part of a version is raised.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Bump {
    /// The third number.
    Patch,
    /// The second number.
    Minor,
    /// The first number.
    Major,
}

impl Bump {
    /// Returns the word on screen and on the command line.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Patch => "patch",
            Self::Minor => "minor",
            Self::Major => "major",
        }
    }

    /// Returns what a commit asks for by itself, before reverts and the rule for versions below 1.0.0.
    pub fn of(commit: &Conventional<'_>) -> Option<Self> {
        if commit.breaking { Some(Self::Major) } else { Self::of_kind(&commit.kind) }
    }

    /// Returns what a lower-case type asks for.
    pub fn of_kind(kind: &str) -> Option<Self> {
        match kind {
            "feat" => Some(Self::Minor),
            "fix" | "perf" | "revert" => Some(Self::Patch),
            _ => None,
        }
    }

    /// Returns the next final version (SemVer 2.0.0 §6 to §8), or `None` if a number would overflow.
    ///
    /// A prerelease is raised to the final version that it leads to, if that is high enough.
    pub fn raise(self, from: &Version) -> Option<Version> {
        let leads_here = !from.pre.is_empty()
            && match self {
                Self::Patch => true,
                Self::Minor => from.patch == 0,
                Self::Major => from.minor == 0 && from.patch == 0,
            };
        if leads_here {
            return Some(final_of(from));
        }
        Some(match self {
            Self::Patch => Version::new(from.major, from.minor, from.patch.checked_add(1)?),
            Self::Minor => Version::new(from.major, from.minor.checked_add(1)?, 0),
            Self::Major => Version::new(from.major.checked_add(1)?, 0, 0),
        })
    }

    /// Returns which part differs first, or `None` if the three numbers are the same.
    pub fn between(from: &Version, to: &Version) -> Option<Self> {
        if from.major != to.major {
            Some(Self::Major)
        } else if from.minor != to.minor {
            Some(Self::Minor)
        } else {
            (from.patch != to.patch).then_some(Self::Patch)
        }
    }
}

impl fmt::Display for Bump {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

/// Returns the version without prerelease and build metadata.
pub(super) fn final_of(version: &Version) -> Version {
    Version { pre: Prerelease::EMPTY, ..bare(version) }
}

/// Returns the version without build metadata, which has no part in precedence (SemVer 2.0.0 §10).
pub(super) fn bare(version: &Version) -> Version {
    Version { build: BuildMetadata::EMPTY, ..version.clone() }
}
