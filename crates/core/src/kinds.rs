//! The kinds of actions and checks that plans are made of: their names, and what a plan says to each.
//!
//! Planners write these, and the catalog of the world reads them. A field is never changed or removed, because plans
//! live in journals for ever.

pub mod backup;
pub mod deploy;
pub mod land;

use serde::{Deserialize, Serialize};

use crate::action::Reversal;
use crate::edit::Edit;
use crate::time::Time;

/// The kind of [`Commit`].
pub const COMMIT: &str = "git.commit";
/// The kind of [`Tag`].
pub const TAG: &str = "git.tag";
/// The kind of [`Push`].
pub const PUSH: &str = "git.push";
/// The kind of [`Settle`].
pub const SETTLE: &str = "git.settle";
/// The kind of [`Withdraw`].
pub const WITHDRAW: &str = "git.withdraw";
/// The kind of [`Command`].
pub const COMMAND: &str = "command";
/// The kind of [`Outdated`].
pub const OUTDATED: &str = "deps.outdated";
/// The kind of [`Tree`].
pub const TREE: &str = "git.tree";
/// The kind of [`Remote`].
pub const REMOTE: &str = "git.remote";
/// The kind of [`Health`].
pub const HEALTH: &str = "http.health";

/// The kind of [`Window`].
pub const WINDOW: &str = "gate.window";
/// The kind of [`Soak`].
pub const SOAK: &str = "gate.soak";
/// The kind of [`Incident`].
pub const INCIDENT: &str = "gate.incident";

/// Whether commits and tags are signed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Signing {
    /// As git is configured.
    #[default]
    Auto,
    /// Always.
    Required,
    /// Never.
    Never,
}

/// Makes the release commit.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Commit {
    /// The object id of the parent.
    pub base: String,
    /// The message; the stamp of the run is added.
    pub message: String,
    /// What happens to which file.
    pub edits: Vec<Edit>,
    /// Whether to sign.
    pub sign: Signing,
}

/// Makes the release tag.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Tag {
    /// The name, without `refs/tags/`.
    pub tag: String,
    /// The message; the stamp of the run is added.
    pub message: String,
    /// The object id of the commit; without it, the release commit of the run.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub commit: Option<String>,
    /// Whether to sign.
    pub sign: Signing,
}

/// Pushes branch and tag in one request.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Push {
    /// The name of the remote.
    pub remote: String,
    /// The branch there, without `refs/heads/`.
    pub branch: String,
    /// The object id that the branch has there before; empty if it is not there yet.
    pub old: String,
    /// The object id of the commit; without it, the release commit of the run.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub commit: Option<String>,
    /// The tag, without `refs/tags/`.
    pub tag: String,
    /// Whether the push can be taken back: for some kinds of projects the tag is the publication itself.
    pub reversal: Reversal,
    /// How the push is answered when it is taken back.
    pub withdraw: Withdrawal,
}

/// How a release is withdrawn.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Withdrawal {
    /// The version, for the message and the changelog.
    pub version: String,
    /// The path of the changelog, if the release wrote one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub changelog: Option<String>,
    /// Whether the tag is deleted on the remote, if it is still ours.
    pub delete_tag: bool,
    /// What is signed for the revert commit, where a guard wants a ticket for it; both sides of the move are found then.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ticket: Option<Box<land::Ticket>>,
}

/// A release that others may have seen.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Published {
    /// The name of the remote.
    pub remote: String,
    /// The branch there, without `refs/heads/`.
    pub branch: String,
    /// The object id of the commit before the release.
    pub base: String,
    /// The object id of the release commit; equal to `base` for a release that is only a tag.
    pub commit: String,
    /// The tag, without `refs/tags/`.
    pub tag: String,
    /// The object id of the tag.
    pub object: String,
}

/// Withdraws a release that was shipped.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Withdraw {
    /// What is withdrawn.
    pub published: Published,
    /// How.
    pub how: Withdrawal,
}

/// Moves the user's branch, index and files forward.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Settle {
    /// The branch, without `refs/heads/`.
    pub branch: String,
    /// The object id that it has before.
    pub old: String,
}

/// Runs a command of the project.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Command {
    /// The program and its arguments.
    pub argv: Vec<String>,
    /// Variables to set.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub env: Vec<(String, String)>,
    /// Whether a failure is only worth knowing.
    #[serde(default)]
    pub advice: bool,
}

/// Asks a package manager for outdated dependencies; whatever it says is advice.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Outdated {
    /// The program and its arguments.
    pub argv: Vec<String>,
    /// What stands in every line of its answer that names an outdated dependency.
    pub mark: String,
    /// The command that takes the newer versions.
    pub update: String,
}

/// Sees that the work tree is still as the plan saw it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Tree {
    /// The object id of HEAD.
    pub commit: String,
}

/// Sees that the remote holds the release.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Remote {
    /// The name of the remote.
    pub remote: String,
    /// The branch there, without `refs/heads/`.
    pub branch: String,
    /// The tag, without `refs/tags/`.
    pub tag: String,
}

/// Sees that an address answers with success.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Health {
    /// The address.
    pub url: String,
    /// How long it may take until it is well, in milliseconds.
    pub within_ms: u64,
}

/// Waits until a change window is open and no freeze is in force; each is a text that [`crate::window::Window`] reads.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Window {
    /// When changes are made; with none of them, at any time.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub windows: Vec<String>,
    /// When none are made, whatever the windows say.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub freezes: Vec<String>,
}

/// Waits until something has been in use for a while.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Soak {
    /// What soaks, such as `staging`.
    pub what: String,
    /// When it is over.
    pub until: Until,
}

/// When a soak time is over.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Until {
    /// At this time, which is known when the planner knows when the soaking began.
    At(Time),
    /// That many milliseconds after the first look, which comes as soon as the step before the gate is done.
    AfterMs(u64),
}

/// Waits while an incident is open.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Incident {
    /// The environment; incidents of another one do not count, and those of none count everywhere.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub environment: Option<String>,
}
