//! What `shipway.toml` says of artifacts, services and environments, with the defaults filled in.

use std::collections::BTreeMap;
use std::time::Duration;

use serde::Serialize;

use super::amount::Share;
use super::choice::{Grade, Phase, Strategy};
use crate::deployment::{self, Host, Runtime};

/// What is built.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Artifact {
    /// The command that builds it; empty when the files are taken as they are.
    pub build: Vec<String>,
    /// Variables for the build.
    pub env: BTreeMap<String, String>,
    /// How long the build may take.
    pub timeout: Duration,
    /// The directory whose files make it; the checkout if not set.
    pub dir: Option<String>,
    /// Globs of what belongs to it.
    pub include: Vec<String>,
    /// Globs of what does not.
    pub exclude: Vec<String>,
    /// What is made ready on the host.
    pub runtime: Runtime,
}

/// Something that runs on hosts.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Service {
    /// What a host is told.
    pub service: deployment::Service,
    /// The roles of the hosts it runs on; all hosts if empty.
    pub roles: Vec<String>,
}

/// A place on the way to production.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Environment {
    /// The hosts as they are written.
    pub hosts: Vec<String>,
    /// What hosts have of their own, by name.
    pub host: BTreeMap<String, HostOwn>,
    /// The directory on each host.
    pub path: Option<String>,
    /// The ssh client with its arguments.
    pub ssh: Vec<String>,
    /// The environment before it.
    pub from: Option<String>,
    /// How the hosts follow each other.
    pub strategy: Strategy,
    /// How many hosts are switched at once.
    pub batch: Share,
    /// How many go first.
    pub canary: Share,
    /// How long these are watched.
    pub canary_watch: Option<Duration>,
    /// The shares of the traffic that these give to the new release before they give it all, rising, in thousandths of
    /// a percent.
    pub weights: Vec<u32>,
    /// After what time a host that hears nothing puts itself back.
    pub confirm: Option<Duration>,
    /// How many releases stay.
    pub keep: usize,
    /// How many bytes they may have.
    pub keep_bytes: Option<u64>,
    /// Variables of ours whose values its services are given.
    pub secrets: Vec<String>,
    /// Variables for its services.
    pub env: BTreeMap<String, String>,
    /// A command before; empty for none.
    pub before: Vec<String>,
    /// A command after; empty for none.
    pub after: Vec<String>,
    /// What its gate wants.
    pub gate: Gate,
    /// What is watched.
    pub watch: Watch,
    /// What is wanted of its hosts.
    pub require: Require,
    /// Whether drills may be carried out.
    pub drill: bool,
    /// The events that it is deployed for.
    pub on: Vec<String>,
}

/// What a host has of its own.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub struct HostOwn {
    /// Where ssh finds it.
    pub address: Option<String>,
    /// The directory on it.
    pub path: Option<String>,
    /// What it is there for.
    pub roles: Vec<String>,
}

/// What opens the gate of an environment.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Gate {
    /// The names of checks.
    pub checks: Vec<String>,
    /// How many people must approve.
    pub approvals: usize,
    /// Who may, with groups resolved; anybody if empty.
    pub approvers: Vec<String>,
    /// The weakest grade of an approval that counts.
    pub approval_grade: Grade,
    /// Whether authors may.
    pub own_approval: bool,
    /// How long the environment before must have had the release.
    pub soak: Option<Duration>,
    /// When changes may be made.
    pub windows: Vec<String>,
    /// When not.
    pub freeze: Vec<String>,
    /// Whether an open incident keeps it shut.
    pub incidents: bool,
    /// How old what was seen may be.
    pub fresh: Duration,
    /// How old the last drill may be.
    pub drill_within: Option<Duration>,
    /// Whether an artifact is accepted that the environment before has not proven.
    pub unproven: bool,
}

/// What is watched after the switch.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Watch {
    /// How long; nothing if not set.
    pub span: Option<Duration>,
    /// How often.
    pub every: Duration,
    /// How many of 100,000 requests may fail.
    pub errors: u32,
    /// By how many thousandths of a percent the median may be slower.
    pub slower: u32,
    /// How many requests a verdict needs.
    pub samples: usize,
    /// Whether too little data passes in the end.
    pub pass_without_data: bool,
    /// A Prometheus server with a query and its limit.
    pub prometheus: Option<(String, String, String)>,
    /// A command on every host; empty for none.
    pub command: Vec<String>,
    /// A text that must not appear in logs.
    pub log: Option<String>,
}

/// What is wanted of hosts.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
#[expect(missing_docs, reason = "the fields are the keys of the table, which says what each means")]
pub struct Require {
    pub os: Option<String>,
    pub user: Option<String>,
    pub sudo: Vec<String>,
    pub clock_offset: Option<Duration>,
    pub disk_free: Option<u64>,
    pub memory: Option<u64>,
    pub ports_free: Vec<String>,
    pub ports_open: Vec<String>,
    pub units: Vec<String>,
    pub python: Option<String>,
    pub interpreter: Option<String>,
    pub venv: Option<String>,
    pub imports: Vec<String>,
    pub node: Option<String>,
    pub variables: Vec<String>,
    pub files: Vec<String>,
    pub secrets: Vec<String>,
    pub certificates: Vec<String>,
    pub certificate_days: usize,
    pub dns: Vec<String>,
    pub backup_within: Option<Duration>,
    pub commands: Vec<String>,
    pub debian: Vec<String>,
    pub cargo: Vec<String>,
    pub parity: Option<String>,
}

/// A change to a database.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Migration {
    /// The name.
    pub name: String,
    /// When.
    pub phase: Phase,
    /// The command.
    pub run: Vec<String>,
    /// Tells whether it is done; empty if nothing tells.
    pub done: Vec<String>,
    /// The command that takes it back; empty if there is none.
    pub undo: Vec<String>,
    /// The backup that is made before.
    pub backup: Option<String>,
    /// The roles of the host.
    pub roles: Vec<String>,
    /// How long it may take.
    pub timeout: Duration,
}

/// Something that is backed up.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Backup {
    /// What it is: `directory`, `sqlite`, `postgresql` or `command`.
    pub kind: String,
    /// The directory, file or database.
    pub source: Option<String>,
    /// Writes the backup; empty for none.
    pub run: Vec<String>,
    /// Restores it; empty for none.
    pub restore: Vec<String>,
    /// Proves what was restored; empty for none.
    pub verify: Vec<String>,
    /// The environment on whose first host it is made.
    pub environment: Option<String>,
    /// The roles of that host.
    pub roles: Vec<String>,
    /// Where backups are kept.
    pub to: Option<String>,
    /// How many are kept.
    pub keep: usize,
    /// Whom it is encrypted for.
    pub recipients: Vec<String>,
    /// The identity file that decrypts it.
    pub identity: Option<String>,
    /// How long it may take.
    pub timeout: Duration,
}

impl Environment {
    /// Returns the hosts of an environment, in the order of the file.
    pub fn hosts(&self, project: &str, environment: &str) -> Vec<Host> {
        let place = |path: Option<&String>| {
            path.or(self.path.as_ref()).cloned().unwrap_or_else(|| format!("shipway/{project}/{environment}"))
        };
        let own = HostOwn::default();
        let host = |name: &String| {
            let own = self.host.get(name).unwrap_or(&own);
            let address = own.address.as_ref().unwrap_or(name);
            let local = address == "local";
            Host {
                name: name.clone(),
                address: if local { String::new() } else { address.clone() },
                path: place(own.path.as_ref()),
                ssh: if local || self.ssh == ["ssh"] { vec![] } else { self.ssh.clone() },
                roles: own.roles.clone(),
            }
        };
        self.hosts.iter().map(host).collect()
    }
}
