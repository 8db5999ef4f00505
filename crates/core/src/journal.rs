//! The journal: the append-only record of all runs, as a port. Stores are in `world/store`.

use serde::{Deserialize, Serialize};

use crate::action::{Effect, LogSeal, Observed, Receipt};
use crate::gate::{Evidence, Vouched};
use crate::id::{Actor, Digest, Fence, RunId, Seq, StepId};
use crate::plan::Plan;
use crate::problem::Problem;
use crate::time::Time;

/// What happened.
///
/// A variant is never changed or removed: journals of every released version must be readable for ever. An event
/// that this binary does not know reads as [`Event::Unknown`], and a run that holds one cannot be driven by it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "event", rename_all = "kebab-case")]
pub enum Event {
    /// The run began; always the first entry.
    Opened {
        /// The whole plan.
        plan: Box<Plan>,
        /// Its digest.
        digest: Digest,
    },
    /// A need of a gate was looked at.
    Checked {
        /// The gate.
        step: StepId,
        /// What was seen.
        evidence: Evidence,
        /// The log of the look.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        log: Option<LogSeal>,
    },
    /// A person said yes to the plan; `entry.by` is who.
    Approved {
        /// The gate it was asked for; without one, every gate of the run.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        step: Option<StepId>,
        /// The digest of the plan that was shown: a yes to another plan does not count.
        plan: Digest,
        /// How much it proves, as it was found when it was given; 0 is typed at a terminal.
        grade: u8,
        /// What was signed, if it was. Only what is found in it when the run is driven counts.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        signed: Option<Box<Vouched>>,
    },
    /// An attempt begins; durable before the effect.
    Started {
        /// The step.
        step: StepId,
    },
    /// The effect is there.
    Finished {
        /// The step.
        step: StepId,
        /// The proof.
        receipt: Receipt,
        /// The log of the attempt.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        log: Option<LogSeal>,
    },
    /// An attempt failed.
    Faulted {
        /// The step.
        step: StepId,
        /// Whether the effect may be there.
        effect: Effect,
        /// What was wrong.
        problem: Problem,
        /// Where set, another attempt may help, after at least this long.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        retry_after_ms: Option<u64>,
        /// The log of the attempt.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        log: Option<LogSeal>,
    },
    /// A step in doubt was looked at.
    Probed {
        /// The step.
        step: StepId,
        /// What was seen.
        observed: Observed,
    },
    /// A step in doubt could not be looked at.
    Unseen {
        /// The step.
        step: StepId,
        /// What was wrong.
        problem: Problem,
        /// Where set, another look may help, after at least this long.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        retry_after_ms: Option<u64>,
    },
    /// The run goes back from here.
    TurnedBack {
        /// Why.
        problem: Problem,
    },
    /// An undo begins; durable before its effect.
    UndoStarted {
        /// The step.
        step: StepId,
    },
    /// The effect is gone, or answered for.
    Undone {
        /// The step.
        step: StepId,
    },
    /// An undo failed; it will be tried again, because undo may be repeated.
    UndoFaulted {
        /// The step.
        step: StepId,
        /// What was wrong.
        problem: Problem,
        /// Where set, another attempt may help, after at least this long.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        retry_after_ms: Option<u64>,
    },
    /// Neither forward nor back without a person.
    Stuck {
        /// The step.
        step: StepId,
        /// What was seen, what was wanted, and the next command.
        problem: Problem,
    },
    /// A person looked at a stuck run and wants it to go on; attempts count anew.
    Resumed {},
    /// The run ended; always the last entry.
    Closed {
        /// How.
        outcome: Outcome,
    },
    /// An event of a newer shipway.
    #[serde(other)]
    Unknown,
}

/// How a run ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Outcome {
    /// Everything in the plan is done and was seen in the world.
    Shipped,
    /// Everything that was done has been undone.
    RolledBack,
    /// It was not to be, and nothing was done that anybody but the run has seen.
    Refused,
}

/// What is to be appended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Draft {
    /// When; never before the entry in front of it.
    pub at: Time,
    /// Who.
    pub by: Actor,
    /// Which attempt of the step, from 1; 0 for what belongs to no attempt.
    pub attempt: u32,
    /// What.
    pub event: Event,
}

/// One line of the journal.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Entry {
    /// The run.
    pub run: RunId,
    /// The position in the run.
    pub seq: Seq,
    /// When.
    pub at: Time,
    /// Who.
    pub by: Actor,
    /// Which attempt of the step, from 1; 0 for what belongs to no attempt.
    pub attempt: u32,
    /// The lease under which it was written.
    pub fence: Fence,
    /// The hash of the entry in front; [`GENESIS`] for the first.
    pub prev: Digest,
    /// What happened.
    pub event: Event,
}

/// What the first entry of a run names as the hash of the entry in front of it.
pub const GENESIS: &str = "0000000000000000000000000000000000000000000000000000000000000000";

/// Returns the link of the hash chain over the stored text of an entry, which itself names the hash in front.
pub fn link(stored: &str) -> Digest {
    Digest::of(stored.as_bytes())
}

/// A run in a list.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RunHead {
    /// The run.
    pub run: RunId,
    /// Its first entry, which holds the plan.
    pub opened: Entry,
    /// Its last entry.
    pub last: Entry,
}

/// Who may append to a run.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Lease {
    /// The number that every append carries.
    pub fence: Fence,
    /// The last entry at the time the lease was taken, if there is one.
    pub head: Option<Seq>,
}

/// Whether acknowledged means on disk, and how the store knows.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Durability {
    /// Whether an acknowledged entry survives a power cut.
    pub proven: bool,
    /// The facts, such as `journal_mode=wal, synchronous=full, ext4`.
    pub how: String,
}

/// Why the journal did not do it.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// Somebody else appended in the meantime: stop driving.
    #[error("another process appended to run {run}")]
    Conflict {
        /// The run.
        run: RunId,
    },
    /// A later lease was taken: this process may append no more.
    #[error("the lease {ours} of run {run} was taken over by {theirs}", ours = ours.0, theirs = theirs.0)]
    Fenced {
        /// The run.
        run: RunId,
        /// The lease that is over.
        ours: Fence,
        /// The lease in force.
        theirs: Fence,
    },
    /// The journal was written by a newer shipway.
    #[error("the journal has form {found}, and this shipway knows forms up to {known}")]
    Newer {
        /// The form found.
        found: u32,
        /// The newest form known.
        known: u32,
    },
    /// An entry is not what was written, or one is missing.
    #[error("entry {seq} of run {run} is broken: {why}", seq = seq.0)]
    Corrupt {
        /// The run.
        run: RunId,
        /// The first broken entry.
        seq: Seq,
        /// What is wrong with it.
        why: String,
    },
    /// The disk is full; the entry is not in the journal.
    #[error("no space is left for the journal")]
    Full,
    /// The store failed otherwise.
    #[error("the journal cannot be read or written: {0}")]
    Store(String),
}

/// The record of all runs. One conformance suite in the test kit holds every store to this.
pub trait Journal: Send + Sync {
    /// Takes the lease of a run, new or old: from now on, holders of lower numbers append no more.
    fn lease(&self, run: &RunId) -> Result<Lease, Error>;
    /// Appends drafts as one unit: all of them are durable when this returns, or none is there.
    ///
    /// `after` is the last entry the caller knows. A conflict or a fence means: stop driving.
    fn append(
        &self,
        run: &RunId,
        fence: Fence,
        after: Option<Seq>,
        drafts: &[Draft],
    ) -> Result<Vec<Entry>, Error>;
    /// Returns the entries of a run behind `after`, in order; none for a run that is not there.
    fn read(&self, run: &RunId, after: Option<Seq>) -> Result<Vec<Entry>, Error>;
    /// Returns all runs, the oldest first.
    fn runs(&self) -> Result<Vec<RunHead>, Error>;
    /// Proves the chain of every run and returns how many entries it holds.
    fn verify(&self) -> Result<u64, Error>;
    /// States whether acknowledged means on disk.
    fn durability(&self) -> Durability;
}
