//! The kinds that bring a release to the hosts of an environment.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::deployment::{Deployment, Host};
use crate::id::{Digest, RunId};

/// The kind of [`Build`].
pub const BUILD: &str = "artifact.build";
/// The kind of [`Lease`].
pub const LEASE: &str = "host.lease";
/// The kind of [`Bring`], which puts a release beside the live one.
pub const STAGE: &str = "host.stage";
/// The kind of [`Bring`], which takes a release that is there already.
pub const ADOPT: &str = "host.adopt";
/// The kind of [`Share`].
pub const SHARE: &str = "host.share";
/// The kind of [`Bring`], which makes it live.
pub const SWITCH: &str = "host.switch";
/// The kind of [`Confirm`].
pub const CONFIRM: &str = "host.confirm";
/// The kind of [`Finish`].
pub const FINISH: &str = "host.finish";
/// The kind of [`Migrate`].
pub const MIGRATE: &str = "host.migrate";
/// The kind of [`Ready`].
pub const READY: &str = "host.ready";
/// The kind of [`Well`].
pub const WELL: &str = "host.well";
/// The kind of [`Watch`].
pub const WATCH: &str = "host.watch";
/// The kind of [`Proven`].
pub const PROVEN: &str = "environment.proven";
/// The kind of [`Drill`].
pub const DRILL: &str = "environment.drill";

/// Builds an artifact in a clean checkout and keeps it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Build {
    /// The object id of the commit; without it, the release commit of the run.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub commit: Option<String>,
    /// The version, which a build may write into what it builds.
    pub version: String,
    /// The command; empty when the files are taken as they are.
    pub argv: Vec<String>,
    /// Variables for it.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub env: BTreeMap<String, String>,
    /// The directory whose files make it; the checkout if empty.
    pub dir: String,
    /// Globs of what belongs to it.
    pub include: Vec<String>,
    /// Globs of what does not.
    pub exclude: Vec<String>,
    /// How long it may take, in milliseconds.
    pub timeout_ms: u64,
}

/// Takes the right to change a host for the time of a run.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Lease {
    /// The host.
    pub host: Host,
}

/// Brings a release to a host, or makes it live there.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Bring {
    /// The host.
    pub host: Host,
    /// What is brought. The run is filled in by the one that brings it, and so is the artifact where the plan could not
    /// know it yet; see [`Bring::deployment`].
    pub deployment: Deployment,
    /// What is live there before; nothing if this is the first release.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub from: Option<Before>,
    /// After what time a host that hears nothing puts itself back, in milliseconds; 0 for never.
    pub confirm_ms: u64,
    /// How many bytes and files the artifact has, where the plan knows.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub size: Option<(u64, usize)>,
    /// The variables of ours whose values its services are given.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub secrets: Vec<String>,
}

impl Bring {
    /// Returns what a run brings. `artifact` is the one that the run has built, if it has.
    pub fn deployment(&self, run: &RunId, artifact: Option<&Digest>) -> Deployment {
        let mut deployment = Deployment { run: run.clone(), ..self.deployment.clone() };
        if let (true, Some(built)) = (deployment.artifact.as_str().is_empty(), artifact) {
            deployment.artifact = built.clone();
        }
        deployment
    }
}

/// Gives a release a share of the traffic of a host, beside the one that is live there.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Share {
    /// What is brought.
    #[serde(flatten)]
    pub bring: Bring,
    /// The share, in thousandths of a percent.
    pub share: u32,
    /// Whether it had none before. Its way back is the last one then, and sees that the host is well.
    pub first: bool,
}

/// What is live on a host before.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Before {
    /// The run that brought it.
    pub run: RunId,
    /// Its version.
    pub version: String,
    /// Its artifact.
    pub artifact: Digest,
}

/// Ends the time in which a host would put itself back: the release is kept.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Confirm {
    /// The host.
    pub host: Host,
}

/// Clears away old releases and gives the lease back.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Finish {
    /// The host.
    pub host: Host,
    /// How many releases that were live stay.
    pub keep: usize,
    /// How many bytes they may have.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub keep_bytes: Option<u64>,
}

/// Makes a change to a database on a host.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Migrate {
    /// The host.
    pub host: Host,
    /// The name.
    pub name: String,
    /// The release that brings it.
    pub deployment: Deployment,
    /// The command.
    pub run: Vec<String>,
    /// Tells whether it is done; empty if nothing tells.
    pub done: Vec<String>,
    /// Takes it back; empty if there is no way back.
    pub undo: Vec<String>,
    /// The releases that are live before it and that do not fit the schema afterwards, for good.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub outgrows: Vec<String>,
    /// Whether a release that was confirmed has made it already, so that it stays when the run goes back.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub stays: bool,
}

/// Sees that a host can be brought a release, and could go back to what it has.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Ready {
    /// The host.
    pub host: Host,
    /// The run that brought what is live there; nothing if this is the first release.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub from: Option<RunId>,
    /// How many bytes and files are brought, where the plan knows.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub size: Option<(u64, usize)>,
    /// What is wanted of the host besides, as the preflight takes it.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub wants: Vec<serde_json::Value>,
    /// The artifact whose files are sent, as [`Bring`] has it; nothing where none are. Files of the live release that
    /// were changed are put right if it is the same.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sent: Option<Digest>,
}

/// Sees that a release is live and well on a host, or has its share of the traffic and is well.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Well {
    /// The host.
    pub host: Host,
    /// The release, as [`Bring`] has it.
    pub deployment: Deployment,
    /// The share of the traffic that it has, in thousandths of a percent; nothing once it is live.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub share: Option<u32>,
}

/// Watches a release on its hosts for a time.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Watch {
    /// The hosts and what is live there, as [`Bring`] has it.
    pub hosts: Vec<Well>,
    /// How long, in milliseconds.
    pub span_ms: u64,
    /// How often, in milliseconds.
    pub every_ms: u64,
    /// How many of 100,000 requests may fail.
    pub errors: u32,
    /// By how many thousandths of a percent the median may be slower than that of the release before.
    pub slower: u32,
    /// How many requests a verdict needs.
    pub samples: usize,
    /// Whether too little data passes in the end.
    pub pass_without_data: bool,
    /// A Prometheus server, a query, and the highest value that is well.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub prometheus: Option<(String, String, String)>,
    /// A command on every host; empty for none.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub command: Vec<String>,
    /// A text that must not appear in logs.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub log: Option<String>,
}

/// Sees that an environment has an artifact, live and confirmed on all its hosts.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Proven {
    /// The environment.
    pub environment: String,
    /// Its hosts.
    pub hosts: Vec<Host>,
    /// The artifact; empty for the one that this run has built.
    pub artifact: Digest,
    /// Whether one that is not proven is only advised against.
    #[serde(default)]
    pub waived: bool,
    /// The version, by which it is brought there; empty where an older plan does not say.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub version: String,
}

/// Sees that a rollback was practised lately.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Drill {
    /// The environments where that counts.
    pub environments: Vec<String>,
    /// How long ago it may be, in milliseconds.
    pub within_ms: u64,
    /// The one of them that is marked for drills; empty for none.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub marked: String,
}
