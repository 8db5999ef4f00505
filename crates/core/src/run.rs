//! Runs: what the entries add up to, and what may happen next.
//!
//! There is no recovery code here. A run that was killed and a run that was not are folded from their entries by the
//! same [`Run::fold`] and carried on by the same [`Run::next`].

mod gates;
mod next;
mod progress;

use std::collections::BTreeMap;

use crate::action::{Effect, Observed, Reversal};
use crate::gate::{Approval, Seen};
use crate::id::{Actor, Digest, Fence, RunId, Seq, StepId};
use crate::journal::{Entry, Event, Outcome};
use crate::plan::{Plan, Step};
use crate::problem::{Code, Problem};
use crate::time::Time;

pub use next::Next;
pub use progress::{Progress, State};

/// How often an undo is tried before the run is stuck, counting those that were cut off.
const UNDO_ATTEMPTS: u32 = 8;
/// How often a look at a step in doubt may fail before the run is stuck; fewer than [`UNDO_ATTEMPTS`].
const BLIND_LOOKS: u32 = 3;

/// One carrying-out of a plan, as far as its entries tell.
#[derive(Clone, Debug)]
pub struct Run {
    /// Its name.
    pub id: RunId,
    /// What it carries out.
    pub plan: Plan,
    /// The name of the plan.
    pub digest: Digest,
    /// When it was opened.
    pub opened: Time,
    /// Who opened it.
    pub by: Actor,
    /// Its last entry.
    pub head: Seq,
    /// When the last entry was written.
    pub last: Time,
    /// Why it goes back, if it does.
    pub back: Option<Problem>,
    /// Where and why it is stuck, if it is.
    pub stuck: Option<(StepId, Problem)>,
    /// How it ended, if it has.
    pub outcome: Option<Outcome>,
    steps: BTreeMap<StepId, Progress>,
    seen: BTreeMap<StepId, Vec<Seen>>,
    approvals: BTreeMap<StepId, Vec<Approval>>,
    // The lease of its last entry.
    fence: Fence,
}

/// The entries do not add up.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("run {run}, entry {seq}: {why}", seq = seq.0)]
pub struct Corrupt {
    /// The run.
    pub run: RunId,
    /// The entry that does not fit.
    pub seq: Seq,
    /// Why not.
    pub why: String,
}

impl Run {
    /// Returns what some entries add up to.
    pub fn fold(entries: &[Entry]) -> Result<Self, Corrupt> {
        let (first, rest) = entries.split_first().ok_or_else(|| Corrupt {
            run: RunId::new(""),
            seq: Seq(0),
            why: "a run has at least one entry".into(),
        })?;
        let mut run = Self::begin(first)?;
        for entry in rest {
            run.add(entry)?;
        }
        Ok(run)
    }

    /// Returns the run that its first entry begins.
    pub fn begin(entry: &Entry) -> Result<Self, Corrupt> {
        let Event::Opened { plan, digest } = &entry.event else {
            return Err(corrupt(entry, "the first entry of a run opens it"));
        };
        Ok(Self {
            id: entry.run.clone(),
            plan: (**plan).clone(),
            digest: digest.clone(),
            opened: entry.at,
            by: entry.by.clone(),
            head: entry.seq,
            last: entry.at,
            back: None,
            stuck: None,
            outcome: None,
            steps: plan.steps().map(|step| (step.id.clone(), Progress::default())).collect(),
            seen: BTreeMap::new(),
            approvals: BTreeMap::new(),
            fence: entry.fence,
        })
    }

    /// Adds one entry.
    pub fn add(&mut self, entry: &Entry) -> Result<(), Corrupt> {
        if self.outcome.is_some() {
            return Err(corrupt(entry, "the run was closed before this entry"));
        }
        self.fence = entry.fence;
        match &entry.event {
            Event::Opened { .. } => return Err(corrupt(entry, "a run is opened once")),
            Event::Unknown => return Err(corrupt(entry, "this event is of a newer shipway")),
            Event::TurnedBack { problem } => self.back = Some(problem.clone()),
            Event::Stuck { step, problem } => self.stuck = Some((step.clone(), problem.clone())),
            Event::Closed { outcome } => self.outcome = Some(*outcome),
            Event::Resumed {} => self.resume(),
            Event::Checked { step, evidence, .. } => {
                let at = entry.at.max(self.last);
                let (seq, fence, evidence) = (entry.seq, entry.fence, evidence.clone());
                self.seen.entry(step.clone()).or_default().push(Seen { seq, at, fence, evidence });
                self.judge(step, entry)?;
            }
            // A yes to another plan is none to this one.
            Event::Approved { plan, .. } if *plan != self.digest => {}
            Event::Approved { step, signed, .. } => self.approve(step.as_ref(), signed.as_deref(), entry)?,
            Event::Started { step }
            | Event::Finished { step, .. }
            | Event::Faulted { step, .. }
            | Event::Probed { step, .. }
            | Event::Unseen { step, .. }
            | Event::UndoStarted { step }
            | Event::Undone { step }
            | Event::UndoFaulted { step, .. } => self.move_step(&step.clone(), entry)?,
        }
        self.head = entry.seq;
        self.last = self.last.max(entry.at);
        Ok(())
    }

    /// Returns how far a step is; nothing for a step that is not in the plan.
    pub fn progress(&self, step: &StepId) -> Option<&Progress> {
        self.steps.get(step)
    }

    /// Tells whether the run can still go back: nothing that cannot be taken back has been done.
    pub fn can_turn_back(&self) -> bool {
        self.past_return().is_none()
    }

    fn past_return(&self) -> Option<&Step> {
        let began = |step: &&Step| match self.state(step) {
            State::Started | State::InDoubt | State::Done => true,
            // Without a receipt only the traces of an attempt are cleared away.
            State::Undoing => self.steps.get(&step.id).is_some_and(|progress| progress.receipt.is_some()),
            State::Ready | State::Failed | State::Undone => false,
        };
        self.plan.steps().filter(|step| step.work.reversal() == Reversal::Never).find(began)
    }

    fn state(&self, step: &Step) -> State {
        self.steps.get(&step.id).map_or(State::Ready, |progress| progress.state)
    }

    /// Counts attempts anew, because a person has looked; what failed on the way forward is tried again.
    fn resume(&mut self) {
        self.stuck = None;
        for (id, progress) in &mut self.steps {
            (progress.spent, progress.undos, progress.blind) = (0, 0, 0);
            progress.not_before = Time::default();
            if self.back.is_none() && progress.state == State::Failed {
                progress.state = State::Ready;
                self.seen.remove(id);
            }
        }
    }

    fn move_step(&mut self, id: &StepId, entry: &Entry) -> Result<(), Corrupt> {
        let back = self.back.is_some();
        let step =
            self.plan.step(id).ok_or_else(|| corrupt(entry, format!("the plan has no step `{id}`")))?;
        let (attempts, settles) = (step.attempts, step.settle_ms > 0);
        let progress = self.steps.get_mut(id).expect("every step of the plan has its progress");
        progress.ended = Some(entry.at);
        match &entry.event {
            Event::Started { .. } => progress.start(entry.at),
            Event::Finished { receipt, .. } | Event::Probed { observed: Observed::Present(receipt), .. } => {
                progress.done(receipt);
            }
            Event::Faulted { effect, problem, retry_after_ms, .. } => {
                progress.fault(problem, *effect);
                if *effect == Effect::None {
                    let again = retry_after_ms.filter(|_| progress.spent < attempts);
                    progress.state = if again.is_some() { State::Ready } else { State::Failed };
                    progress.wait(entry.at, again, progress.spent);
                }
            }
            Event::Probed { observed: Observed::Foreign(found), .. } => {
                progress.state = State::Failed;
                progress.traces = true;
                progress.problem = Some(foreign(id, found));
            }
            Event::Probed { observed: Observed::Absent, .. } => {
                progress.looks += 1;
                progress.traces = true;
                progress.state = match () {
                    () if settles && progress.looks < 2 => State::InDoubt,
                    () if !back && progress.spent < attempts => State::Ready,
                    () => State::Failed,
                };
                progress.wait(entry.at, (progress.state == State::InDoubt).then_some(step.settle_ms), 1);
            }
            Event::Unseen { problem, retry_after_ms, .. } => {
                progress.fault(problem, Effect::Unknown);
                // A look that cannot help when repeated makes the run stuck at once.
                progress.blind = retry_after_ms.map_or(UNDO_ATTEMPTS, |_| progress.blind + 1);
                progress.wait(entry.at, *retry_after_ms, progress.blind);
            }
            Event::UndoStarted { .. } => progress.undo(),
            Event::Undone { .. } => progress.state = State::Undone,
            Event::UndoFaulted { problem, retry_after_ms, .. } => {
                progress.problem = Some(problem.clone());
                progress.undos = retry_after_ms.map_or(UNDO_ATTEMPTS, |_| progress.undos);
                progress.wait(entry.at, *retry_after_ms, progress.undos);
            }
            Event::Opened { .. }
            | Event::Checked { .. }
            | Event::Approved { .. }
            | Event::TurnedBack { .. }
            | Event::Stuck { .. }
            | Event::Resumed {}
            | Event::Closed { .. }
            | Event::Unknown => {}
        }
        Ok(())
    }
}

fn corrupt(entry: &Entry, why: impl Into<String>) -> Corrupt {
    Corrupt { run: entry.run.clone(), seq: entry.seq, why: why.into() }
}

fn foreign(step: &StepId, found: &str) -> Problem {
    Problem::new(Code::NotVerified, format!("step {step} found something else in its place")).found(found)
}
