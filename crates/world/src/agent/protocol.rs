//! What a client asks of an agent, and what it is answered.
//!
//! Both are the same binary as a rule; where they are not, the number of the protocol must be the same.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use serde_json::Value;
use shipway_core::action::Fault;
use shipway_core::backup;
use shipway_core::deployment::{Deployment, Manifest, Since, Traffic};
use shipway_core::id::{Digest, Fence, RunId};
use shipway_core::time::Time;

/// The number of this protocol.
pub const PROTOCOL: u32 = 2;

/// The first frame of a client.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Hello {
    /// The number of its protocol.
    pub protocol: u32,
    /// Its version.
    pub version: String,
    /// The directory that is meant, relative to the home directory of the user.
    pub root: String,
}

/// The first frame of an agent.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Welcome {
    /// The number of its protocol.
    pub protocol: u32,
    /// Its version.
    pub version: String,
    /// The directory, absolute.
    pub root: String,
}

/// A request in its frame.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Call {
    /// The number under which it is answered.
    pub id: u64,
    /// The run that asks.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub run: Option<RunId>,
    /// The number of the lease under which it changes something.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub fence: Option<Fence>,
    /// What is asked.
    pub request: Request,
}

/// What an agent writes.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Reply {
    /// It is alive.
    Beat,
    /// Something to tell about the request of this number.
    Say(u64, String),
    /// The answer to the request of this number.
    Done(u64, Result<Response, Fault>),
}

/// What a client asks.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Request {
    /// How is the host?
    Look(Look),
    /// Give this run the right to change something; the same run may ask again and gets a new number.
    Lease {
        /// Who asks, for people.
        holder: String,
        /// How long it lasts, unless it is renewed.
        ttl_ms: u64,
    },
    /// Let the lease of this number last longer, and put off the watchdog that is armed for this run.
    Ping,
    /// Give the lease back.
    Release,
    /// Which of these files are missing? Nothing is live that was not.
    Stage {
        /// What will be made current.
        deployment: Box<Deployment>,
        /// Its files.
        manifest: Manifest,
        /// The secrets of its services; empty if it has none.
        secrets: BTreeMap<String, String>,
    },
    /// Take a deployment whose release is there already as staged by this run.
    Adopt {
        /// What will be made current.
        deployment: Box<Deployment>,
    },
    /// Here are some of them, in the body. It is not answered.
    Blobs(Vec<Piece>),
    /// All of them were sent: put the release in its place.
    Finish,
    /// Take back what this run has staged.
    Discard,
    /// Give what this run has staged a share of the traffic, beside what is current.
    Share {
        /// The run whose deployment is current, if there is any.
        from: Option<RunId>,
        /// When the host goes back by itself unless it hears of the run; never if 0.
        within_ms: u64,
        /// The share, in thousandths of a percent.
        share: u32,
    },
    /// Make what this run has staged current.
    Switch {
        /// The run whose deployment is current, if there is any.
        from: Option<RunId>,
        /// When the host goes back by itself unless it hears of the run; never if 0.
        within_ms: u64,
    },
    /// Go back to what was current before this run.
    Revert,
    /// Stay: this is the release to go back to from now on.
    Confirm,
    /// Are the services of this run's deployment well?
    Health,
    /// Do its smoke commands pass?
    Smoke,
    /// What is there to see of this run's deployment while it is watched?
    Watch {
        /// A text that is looked for in what its services wrote since it is live.
        text: Option<String>,
    },
    /// Run a command.
    Command(Command),
    /// Make, list, verify or restore backups.
    Backup {
        /// What is asked.
        ask: backup::Ask,
        /// What is saved.
        spec: Box<backup::Spec>,
    },
    /// Look at what the host has of these wants.
    Preflight(Value),
    /// Remove releases that nobody needs.
    Sweep(Keep),
}

impl Request {
    /// Tells whether it changes something for which a lease is needed.
    pub fn needs_lease(&self) -> bool {
        match self {
            Self::Stage { .. }
            | Self::Adopt { .. }
            | Self::Blobs(_)
            | Self::Finish
            | Self::Discard
            | Self::Share { .. }
            | Self::Switch { .. }
            | Self::Revert
            | Self::Confirm
            | Self::Sweep(_) => true,
            Self::Command(command) => !command.looks,
            Self::Look(_)
            | Self::Lease { .. }
            | Self::Ping
            | Self::Release
            | Self::Health
            | Self::Smoke
            | Self::Watch { .. }
            | Self::Backup { .. }
            | Self::Preflight(_) => false,
        }
    }

    /// Tells whether the host may be another one after it.
    pub fn changes(&self) -> bool {
        // A lease that was not heard of ends by itself.
        self.needs_lease() || matches!(self, Self::Smoke)
    }

    /// Returns the word for people.
    pub fn word(&self) -> &'static str {
        match self {
            Self::Look(_) => "look",
            Self::Lease { .. } => "lease",
            Self::Ping => "ping",
            Self::Release => "release",
            Self::Stage { .. } => "stage",
            Self::Adopt { .. } => "adopt",
            Self::Blobs(_) => "blobs",
            Self::Finish => "finish",
            Self::Discard => "discard",
            Self::Share { .. } => "share",
            Self::Switch { .. } => "switch",
            Self::Revert => "revert",
            Self::Confirm => "confirm",
            Self::Health => "health",
            Self::Smoke => "smoke",
            Self::Watch { .. } => "watch",
            Self::Command(_) => "command",
            Self::Backup { .. } => "backup",
            Self::Preflight(_) => "preflight",
            Self::Sweep(_) => "sweep",
        }
    }
}

/// What is looked at.
#[expect(clippy::struct_excessive_bools, reason = "each is asked for by itself")]
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Look {
    /// Every byte of the release that is live, against its manifest.
    #[serde(default)]
    pub drift: bool,
    /// Every byte of the release that would be gone back to.
    #[serde(default)]
    pub way_back: bool,
    /// The services.
    #[serde(default)]
    pub services: bool,
    /// What has a share of the traffic beside the release that is live.
    #[serde(default)]
    pub share: bool,
    /// For people, who want to see the rest too: services that cannot be looked at are drift, and no error.
    #[serde(default)]
    pub lenient: bool,
}

/// A part of a file in the body of a frame.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Piece {
    /// The index of the file in the manifest.
    pub index: u32,
    /// How many bytes of the body are of it: one zstd frame, or the next part of one.
    pub length: u32,
    /// Whether it ends here.
    pub last: bool,
}

/// A command for a host.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Command {
    /// The program and its arguments.
    pub argv: Vec<String>,
    /// Variables on top of those of the login.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub env: BTreeMap<String, String>,
    /// Where it runs, relative to the directory of the environment.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub dir: String,
    /// How long it may take.
    pub timeout_ms: u64,
    /// What it reads.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub stdin: String,
    /// Whether it changes nothing, and so needs no lease.
    #[serde(default)]
    pub looks: bool,
}

/// Which releases are kept, besides those that are needed.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Keep {
    /// How many that were confirmed, the live one among them.
    pub confirmed: usize,
    /// How many that failed.
    pub failed: usize,
    /// How many bytes all releases may have together; the oldest go first.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub max_bytes: Option<u64>,
    /// Artifacts that stay.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub pinned: Vec<Digest>,
}

/// What an agent answers.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Response {
    /// So it is; `false` if it was so before.
    Done(bool),
    /// How the host is.
    State(Box<State>),
    /// The lease has this number.
    Leased(Fence),
    /// These files are missing, by their indexes in the manifest; none are wanted if the release is there.
    Missing(Vec<u32>),
    /// It has its share, or is current. The watchdog is kept by this; empty if none was asked for.
    Switched(String),
    /// How a command ended: its code if it ended by itself, and what it wrote.
    Output {
        /// The code.
        code: Option<i32>,
        /// Why there is none.
        ended: String,
        /// The last part of its standard output.
        stdout: String,
        /// The last part of its standard error.
        stderr: String,
    },
    /// What was counted and found.
    Watched {
        /// The traffic of the release.
        now: Traffic,
        /// That of the release before, as long as it is known.
        before: Traffic,
        /// Lines with the text.
        lines: Vec<String>,
    },
    /// The backups that the answer is about.
    Backup(Vec<backup::Made>),
    /// What was found of the wants.
    Preflight(Value),
    /// These artifacts were removed.
    Swept(Vec<Digest>),
}

/// How a host is.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct State {
    /// The version of the agent.
    pub version: String,
    /// The host's name for itself.
    pub host: String,
    /// The directory, absolute.
    pub root: String,
    /// The run whose deployment is live, by the journal.
    pub current: Option<RunId>,
    /// Since when.
    pub since: Option<Time>,
    /// The run whose deployment is gone back to if the live one has to go.
    pub previous: Option<RunId>,
    /// All deployments that the journal knows, oldest first.
    pub deployments: Vec<Known>,
    /// What is wrong with `current`, and which files were changed, as far as it was looked at.
    pub drift: Vec<String>,
    /// Why the release before cannot be gone back to, as far as it was looked at.
    pub no_way_back: Vec<String>,
    /// Those of both that are put right when the release that is live is brought once more.
    #[serde(default)]
    pub mendable: Vec<String>,
    /// To whom a person has handed the directory over.
    #[serde(default)]
    pub handed: Option<String>,
    /// Who may change something.
    pub lease: Option<Leased>,
    /// What happens if the run is not heard of.
    pub watchdog: Option<Armed>,
    /// What is seen of the services, if it was looked at.
    pub services: Vec<Seen>,
    /// What has a share of the traffic beside the release that is live, if it was looked at.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sharing: Option<Sharing>,
    /// The free bytes.
    pub free_bytes: u64,
    /// The free inodes, where the file system counts them.
    pub free_inodes: Option<u64>,
    /// Which start of the host this is.
    pub boot: String,
    /// The host's clock.
    pub now: Time,
}

impl State {
    /// Returns what is known of the deployment that is live.
    pub fn live(&self) -> Option<&Known> {
        let run = self.current.as_ref()?;
        self.deployments.iter().rev().find(|known| known.deployment.run == *run)
    }

    /// Returns what was taken away from databases since the deployment of a run was confirmed, and it cannot do without;
    /// the newest first.
    pub fn contracted_since<'a>(&'a self, known: &'a Known) -> Vec<Since<'a>> {
        let run = &known.deployment.run;
        let after = self.deployments.iter().skip_while(|other| other.deployment.run != *run).skip(1);
        let confirmed = after.filter(|other| other.standing == Standing::Confirmed);
        let later: Vec<&Deployment> = confirmed.map(|other| &other.deployment).collect();
        known.deployment.contracted_since(&later)
    }
}

/// A service as it is seen.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Seen {
    /// Its name.
    pub service: String,
    /// Whether it runs.
    pub running: bool,
    /// Whether its process is of the release that is live.
    pub ours: bool,
    /// Its process.
    pub pid: Option<u32>,
    /// Since when it runs.
    pub since: Option<Time>,
    /// How often its manager has started it again, where the manager counts.
    pub restarts: Option<u64>,
    /// What the manager says.
    pub detail: String,
}

/// A release that is on its way and has a share of the traffic.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Sharing {
    /// The run that brings it.
    pub run: RunId,
    /// The share, in thousandths of a percent.
    pub share: u32,
    /// What is seen of the services whose traffic is shared.
    pub services: Vec<Seen>,
}

/// What became of a deployment.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Standing {
    /// It is there and was never live.
    Staged,
    /// It was taken back before it was live.
    Discarded,
    /// It is being made live; what is live meanwhile is not known.
    Switching,
    /// It is live and not confirmed.
    Live,
    /// It was confirmed: it is live, or was until the next one.
    Confirmed,
    /// It is being left.
    Reverting,
    /// It was live and was gone back from. It is never gone back to.
    Failed,
}

/// A deployment that a host knows.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Known {
    /// The deployment.
    pub deployment: Deployment,
    /// What became of it.
    pub standing: Standing,
    /// When that was.
    pub at: Time,
    /// When it was made live.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub live_since: Option<Time>,
    /// What was live before it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub from: Option<RunId>,
    /// Why it was gone back from.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub why: String,
    /// Whether its release was removed since.
    #[serde(default)]
    pub swept: bool,
    /// Who held the host when it was brought; empty where an older agent does not tell.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub by: String,
}

/// Who may change something on a host.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Leased {
    /// The run.
    pub run: RunId,
    /// Who drives it.
    pub holder: String,
    /// The number.
    pub fence: Fence,
    /// How long it lasts still; 0 if it is over.
    pub left_ms: u64,
}

/// A watchdog that is armed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Armed {
    /// The run that must be heard of.
    pub run: RunId,
    /// In which time the host goes back; 0 if it should have.
    pub left_ms: u64,
    /// What keeps the watchdog running.
    pub kept_by: String,
    /// How often it was found dead before its time.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub died: u32,
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde asks with a reference")]
fn is_zero(number: &u32) -> bool {
    *number == 0
}
