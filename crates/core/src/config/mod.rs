//! The typed `shipway.toml`.
//!
//! One table of keys ([`keys`]) says what may stand in the file; the reader, the defaults, the JSON Schema and the
//! reference page are all made from it, so that they cannot disagree. Reading finds every problem in one pass, each
//! with its line and column. There is no file access here: whoever has the text hands it in.

pub(crate) mod amount;
mod build;
mod choice;
pub mod deploy;
mod duration;
pub(crate) mod form;
pub(crate) mod keys;
mod line;
pub(crate) mod place;
pub(crate) mod read;
mod rules;
pub(crate) mod schema;
pub(crate) mod suggest;
mod template;
mod trigger;
pub(crate) mod value;
mod words;

use std::collections::BTreeMap;
use std::time::Duration;

use semver::{Version, VersionReq};
use serde::Serialize;

pub use amount::{Share, size_text};
pub use choice::{
    Ambiguous, BelowOne, Grade, KeeperKind, PackageKind, Phase, RuntimeKind, Sign, Strategy, SwitchKind,
};
pub use duration::{parse as parse_duration, text as duration_text};
pub use line::{LineKind, line_of, within};
pub use schema::{reference, schema};
pub use template::{Detected, template};
pub use trigger::Trigger;

use crate::problem::Problem;

/// What `shipway.toml` says, with the defaults filled in. `None` stands for what is detected from the repository.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Config {
    /// `[project]`.
    pub project: Project,
    /// `[release]`.
    pub release: Release,
    /// `[[check]]`, in the order of the file.
    pub check: Vec<Check>,
    /// `[checks]`.
    pub checks: Checks,
    /// `[verify]`.
    pub verify: Verify,
    /// `[journal]`.
    pub journal: Journal,
    /// `[secrets]`.
    pub secrets: Secrets,
    /// `[target]`.
    pub target: Target,
    /// `[artifact]`.
    pub artifact: deploy::Artifact,
    /// `[service.NAME]`, sorted by name.
    pub service: Vec<deploy::Service>,
    /// `[environment.NAME]`.
    pub environment: BTreeMap<String, deploy::Environment>,
    /// `[[migration]]`, in the order of the file.
    pub migration: Vec<deploy::Migration>,
    /// `[backup.NAME]`.
    pub backup: BTreeMap<String, deploy::Backup>,
    /// `[group.NAME]`: names or e-mail addresses.
    pub group: BTreeMap<String, Vec<String>>,
    /// Where each key of the file stands, such as `release.tag` at `shipway.toml:3:7`; no part of what it means.
    #[serde(skip)]
    pub places: BTreeMap<String, String>,
}

/// What is released.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Project {
    /// The name; detected from the manifest, else from the directory.
    pub name: Option<String>,
}

/// How releases are made.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Release {
    /// The remote; detected as the branch's remote, else the only one.
    pub remote: Option<String>,
    /// Names and globs of the branches that releases are made from; see [`Config::with_default_branch`].
    pub branches: Option<Vec<String>>,
    /// The tag with `{version}` in it; detected from existing tags.
    pub tag: Option<String>,
    /// The version of a first release.
    pub first: Version,
    /// What a breaking change raises below 1.0.0.
    pub breaking_below_1: BelowOne,
    /// What commit messages do that almost mark a change.
    pub ambiguous: Ambiguous,
    /// The kinds of packages that carry the version; detected. An empty list means that only tags are made.
    pub packages: Option<Vec<PackageKind>>,
    /// The path of the changelog; `None` when it is not to be written.
    pub changelog: Option<String>,
    /// The path of a template for the changelog.
    pub changelog_template: Option<String>,
    /// Whether badges and marked blocks of the README are kept up to date.
    pub readme: bool,
    /// Whether commits and tags are signed.
    pub sign: Sign,
    /// How long the commit and the push may take, with the hooks of the repository.
    pub step_timeout: Option<Duration>,
    /// Prerelease channels by name.
    pub channel: BTreeMap<String, Channel>,
    /// Maintenance lines by name.
    pub line: BTreeMap<String, Line>,
}

/// A branch whose releases are prereleases.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Channel {
    /// The branch, or a glob of branches.
    pub branch: String,
    /// The prerelease part with `{n}` in it, such as `beta.{n}`.
    pub suffix: String,
}

/// A branch that keeps an older version alive.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Line {
    /// The branch, or a glob of branches.
    pub branch: String,
    /// The versions that belong to it.
    pub range: VersionReq,
}

/// A command that must succeed before anything is changed.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Check {
    /// The name, unique in the file.
    pub name: String,
    /// The program and its arguments; never empty.
    pub run: Vec<String>,
    /// How long it may take; without it, [`Checks::timeout`] holds.
    pub timeout: Option<Duration>,
    /// Variables to set on top of the inherited ones.
    pub env: BTreeMap<String, String>,
    /// What it is run for; see [`Check::wanted_by`].
    pub on: Vec<String>,
    /// Patterns of the files that it looks at when a commit is made; all if empty.
    pub files: Vec<String>,
}

impl Check {
    /// Tells whether an event asks for this check: one that its `on` names, else a release or a change.
    pub fn wanted_by(&self, event: &Trigger) -> bool {
        trigger::wanted(&self.on, event)
    }
}

/// What holds for all checks.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Checks {
    /// Whether checks are detected when the file has none.
    pub detect: bool,
    /// Whether the package manager is asked for outdated dependencies, as advice.
    pub outdated: bool,
    /// How many may run at once; detected as the number of cores.
    pub parallel: Option<usize>,
    /// How long a check may take that says nothing itself.
    pub timeout: Duration,
}

/// What is looked at after the push.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Verify {
    /// Addresses that must answer with success.
    pub health: Vec<String>,
    /// How long they may take to do so.
    pub within: Duration,
}

/// What the journal may do.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Journal {
    /// Whether a store is accepted that cannot prove that acknowledged means on disk.
    pub accept_loss: bool,
    /// The remote that is given checkpoints, if one is named.
    pub anchor: Option<String>,
}

/// What is masked in logs.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Secrets {
    /// Names of environment variables, besides those that look secret.
    pub names: Vec<String>,
}

/// How long things should take; reports compare.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Target {
    /// A whole push.
    pub push: Duration,
    /// A whole rollback.
    pub rollback: Duration,
    /// A deployment to one environment.
    pub deploy: Duration,
}

/// Reads the text of a `shipway.toml`; `path` is how problems name the file.
///
/// # Errors
///
/// Returns all problems in the order of the file. When the text is no TOML at all, these are its syntax errors only.
pub fn read(text: &str, path: &str) -> Result<Config, Vec<Problem>> {
    let source = place::Source { text, path };
    let mut problems = place::Problems::new(source);
    let Some(found) = read::document(source, &keys::ROOT, &mut problems) else {
        return Err(problems.sorted());
    };
    rules::check(&found, &mut problems);
    let problems = problems.sorted();
    if problems.is_empty() { Ok(build::config(&found, source)) } else { Err(problems) }
}

impl Default for Config {
    /// Returns what holds without a file.
    fn default() -> Self {
        read("", "shipway.toml").expect("an empty file has no wrong key and every default fits its key")
    }
}

impl Config {
    /// Returns the place of a key such as `release.tag`, if the file has it.
    pub fn place(&self, key: &str) -> Option<&str> {
        self.places.get(key).map(String::as_str)
    }

    /// Fills in the branches where the file has none: the remote's default branch, if known, then main and master.
    #[must_use]
    pub fn with_default_branch(mut self, branch: Option<&str>) -> Self {
        if self.release.branches.is_none() {
            let mut branches: Vec<String> = branch.map(str::to_owned).into_iter().collect();
            let usual = line::USUAL.iter().filter(|usual| Some(**usual) != branch);
            branches.extend(usual.map(|&usual| usual.to_owned()));
            self.release.branches = Some(branches);
        }
        self
    }
}

#[cfg(test)]
mod tests;
