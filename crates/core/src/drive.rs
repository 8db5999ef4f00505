//! The loop: ask the run what is next, do that one thing, write it down.

mod gates;
mod steps;
mod vouch;

use std::time::Duration;

use crate::action::{Catalog, Cx, Stop, Urgency, World};
use crate::id::{Actor, Fence, RunId, StepId};
use crate::journal::{self, Draft, Entry, Event, Journal, Outcome};
use crate::plan::{Plan, Step};
use crate::problem::Problem;
use crate::run::{Corrupt, Next, Run};
use crate::time::Time;

pub use vouch::vouched;

/// What drives runs: the journal, the code behind the plan's data, the world, and who is at the wheel.
#[derive(Clone, Copy)]
pub struct Engine<'a> {
    /// Where entries go.
    pub journal: &'a dyn Journal,
    /// From data to code.
    pub catalog: &'a dyn Catalog,
    /// The outside.
    pub world: &'a dyn World,
    /// The switch that asks the run to stop.
    pub stop: &'a Stop,
    /// Who drives.
    pub actor: &'a Actor,
    /// Is shown every entry once it is durable.
    pub watch: &'a (dyn Fn(&Run, &Entry) + Sync),
}

/// Why the loop came to its end.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Halt {
    /// The run ended.
    Closed(Outcome),
    /// A person must look.
    Stuck(StepId, Problem),
    /// A gate is not open yet, and why; it will not be before that time, where one is known.
    Waiting(StepId, Vec<Problem>, Option<Time>),
    /// The run was asked to stop; it can be resumed.
    Stopped,
}

/// Why a run cannot be driven. Nothing is lost: what the journal holds, a later drive goes on from.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The journal did not take or give an entry.
    #[error(transparent)]
    Journal(#[from] journal::Error),
    /// The entries do not add up.
    #[error(transparent)]
    Corrupt(#[from] Corrupt),
    /// The plan names what this binary does not have.
    #[error(transparent)]
    Plan(#[from] Problem),
}

/// A run in hand: what it is, and the lease that allows to append to it.
#[derive(Debug)]
pub struct Held {
    /// The run.
    pub run: Run,
    fence: Fence,
    // How long was rested since the last entry: a clock that stands still or goes back must not make us rest for ever.
    rested: Duration,
}

impl Engine<'_> {
    /// Opens a run of a plan and returns it.
    pub fn open(&self, id: &RunId, plan: Plan) -> Result<Held, Error> {
        let digest = plan.digest();
        let lease = self.journal.lease(id)?;
        let draft = self.draft(0, Event::Opened { plan: Box::new(plan), digest });
        let entries = self.journal.append(id, lease.fence, None, &[draft])?;
        let run = Run::fold(&entries)?;
        for entry in &entries {
            (self.watch)(&run, entry);
        }
        Ok(Held { run, fence: lease.fence, rested: Duration::ZERO })
    }

    /// Takes over a run and returns it as its entries tell.
    pub fn take(&self, id: &RunId) -> Result<Held, Error> {
        let lease = self.journal.lease(id)?;
        let run = Run::fold(&vouched(self.catalog, self.journal.read(id, None)?))?;
        Ok(Held { run, fence: lease.fence, rested: Duration::ZERO })
    }

    /// Writes down one event that belongs to no attempt.
    pub fn note(&self, held: &mut Held, event: Event) -> Result<(), Error> {
        self.append(held, &[self.draft(0, event)])
    }

    /// Drives a run until it ends, waits at a gate, is stuck, or is asked to stop.
    ///
    /// What waits is looked at once in each drive, because somebody may have opened it, and again when its time has
    /// come. Nobody rests here for a gate: a run that waits has no process.
    pub fn drive(&self, held: &mut Held) -> Result<Halt, Error> {
        let since = held.run.head;
        loop {
            let now = self.world.now().max(held.run.last.after(held.rested));
            let next = held.run.next(now);
            let does_nothing = matches!(
                next,
                Next::TurnBack(_) | Next::Stick(..) | Next::Close(_) | Next::Wait(..) | Next::Nothing
            );
            if !does_nothing && self.stop.urgency() > Urgency::None {
                return Ok(Halt::Stopped);
            }
            match next {
                Next::Nothing => return Ok(halt(&held.run)),
                Next::Rest(until) => self.rest(held, until.since(now)),
                Next::Wait(gate, problems, until) => {
                    if !self.check_again(held, &gate, since)? {
                        return Ok(Halt::Waiting(gate, problems, until));
                    }
                }
                Next::Check(gate, needs) => self.check(held, &gate, &needs)?,
                Next::Apply(steps) => self.apply(held, &steps)?,
                Next::Probe(step) => self.probe(held, &step)?,
                Next::Undo(steps) => self.undo(held, &steps)?,
                Next::TurnBack(problem) => self.note(held, Event::TurnedBack { problem })?,
                Next::Stick(step, problem) => self.note(held, Event::Stuck { step, problem })?,
                Next::Close(outcome) => self.note(held, Event::Closed { outcome })?,
            }
        }
    }

    fn rest(&self, held: &mut Held, span: Duration) {
        self.world.rest(span, self.stop);
        held.rested += span;
    }

    /// Returns a problem without the values of secrets: commands print what they like, and problems quote them.
    fn masked(&self, problem: Problem) -> Problem {
        let mask = |text: String| self.world.mask(&text);
        Problem {
            code: problem.code,
            what: mask(problem.what),
            place: problem.place.map(mask),
            found: problem.found.map(mask),
            wanted: problem.wanted.map(mask),
            details: problem.details.into_iter().map(mask).collect(),
            hints: problem.hints.into_iter().map(mask).collect(),
        }
    }

    fn cx<'c>(&'c self, run: &'c RunId, opened: Time, step: &'c Step, attempt: u32) -> Cx<'c> {
        let timeout = Duration::from_millis(step.timeout_ms);
        Cx { run, step: &step.id, attempt, opened, timeout, world: self.world, stop: self.stop }
    }

    fn draft(&self, attempt: u32, event: Event) -> Draft {
        Draft { at: self.world.now(), by: self.actor.clone(), attempt, event }
    }

    fn append(&self, held: &mut Held, drafts: &[Draft]) -> Result<(), Error> {
        let entries = self.journal.append(&held.run.id, held.fence, Some(held.run.head), drafts)?;
        held.rested = Duration::ZERO;
        for entry in &entries {
            held.run.add(&vouch::proven(self.catalog, &held.run, entry.clone()))?;
            (self.watch)(&held.run, entry);
        }
        Ok(())
    }
}

fn halt(run: &Run) -> Halt {
    match (&run.outcome, &run.stuck) {
        (Some(outcome), _) => Halt::Closed(*outcome),
        (None, Some((step, problem))) => Halt::Stuck(step.clone(), problem.clone()),
        (None, None) => Halt::Stopped,
    }
}
