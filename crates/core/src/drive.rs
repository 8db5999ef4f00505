//! The loop: ask the run what is next, do that one thing, write it down.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::mpsc;
use std::thread;
use std::time::Duration;

use crate::action::{Action, Catalog, Cx, Fault, LogKey, Receipt, Stop, Urgency, World};
use crate::gate::{Evidence, Finding, Need, Severity};
use crate::id::{Actor, Fence, RunId, StepId};
use crate::journal::{self, Draft, Entry, Event, Journal, Outcome};
use crate::plan::{Plan, Step, Work};
use crate::problem::{Code, Problem};
use crate::run::{Corrupt, Next, Run};
use crate::time::Time;

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
        let run = Run::fold(&self.journal.read(id, None)?)?;
        Ok(Held { run, fence: lease.fence, rested: Duration::ZERO })
    }

    /// Writes down one event that belongs to no attempt.
    pub fn note(&self, held: &mut Held, event: Event) -> Result<(), Error> {
        self.append(held, &[self.draft(0, event)])
    }

    /// Drives a run until it ends, is stuck, or is asked to stop.
    pub fn drive(&self, held: &mut Held) -> Result<Halt, Error> {
        loop {
            let now = self.world.now().max(held.run.last.after(held.rested));
            let next = held.run.next(now);
            let writes_only =
                matches!(next, Next::TurnBack(_) | Next::Stick(..) | Next::Close(_) | Next::Nothing);
            if !writes_only && self.stop.urgency() > Urgency::None {
                return Ok(Halt::Stopped);
            }
            match next {
                Next::Nothing => return Ok(halt(&held.run)),
                Next::Rest(until) => self.rest(held, until.since(now)),
                Next::Check(gate, needs) => self.check(held, &gate, &needs)?,
                Next::Apply(steps) => self.apply(held, &steps)?,
                Next::Probe(step) => self.probe(held, &step)?,
                Next::Undo(step) => self.undo(held, &step)?,
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

    /// Applies steps at once. Their starts are durable before the first effect, in one append.
    fn apply(&self, held: &mut Held, ids: &[StepId]) -> Result<(), Error> {
        let jobs = ids.iter().map(|id| self.job(&held.run, id)).collect::<Result<Vec<Job>, Error>>()?;
        let started = |job: &Job| self.draft(job.attempt, Event::Started { step: job.step.id.clone() });
        self.append(held, &jobs.iter().map(started).collect::<Vec<_>>())?;
        let (id, opened) = (held.run.id.clone(), held.run.opened);
        if let [job] = &jobs[..] {
            let result = job.action.apply(&self.cx(&id, opened, &job.step, job.attempt));
            return self.append(held, &[self.applied(&id, job, result)]);
        }
        let (report, results) = mpsc::channel();
        thread::scope(|scope| {
            for job in &jobs {
                let (report, id) = (report.clone(), &id);
                scope.spawn(move || {
                    let result = job.action.apply(&self.cx(id, opened, &job.step, job.attempt));
                    // The receiver outlives every sender, unless an append failed; then the step is in doubt.
                    let _ = report.send(self.applied(id, job, result));
                });
            }
            drop(report);
            // Results that arrive together become durable together.
            while let Ok(first) = results.recv() {
                let batch: Vec<Draft> = std::iter::once(first).chain(results.try_iter()).collect();
                self.append(held, &batch)?;
            }
            Ok(())
        })
    }

    fn applied(&self, run: &RunId, job: &Job, result: Result<Receipt, Fault>) -> Draft {
        let step = job.step.id.clone();
        let log = self.world.seal(&LogKey { run: run.clone(), step: step.clone(), attempt: job.attempt });
        let event = match result {
            Ok(receipt) => Event::Finished { step, receipt, log },
            Err(Fault { effect, problem, retry_after_ms }) => {
                Event::Faulted { step, effect, problem: self.masked(problem), retry_after_ms, log }
            }
        };
        self.draft(job.attempt, event)
    }

    fn probe(&self, held: &mut Held, id: &StepId) -> Result<(), Error> {
        let job = self.job(&held.run, id)?;
        let attempt = job.attempt - 1;
        let run = &held.run;
        let event = match job.action.probe(&self.cx(&run.id, run.opened, &job.step, attempt)) {
            Ok(observed) => Event::Probed { step: id.clone(), observed },
            Err(Fault { problem, retry_after_ms, .. }) => {
                Event::Unseen { step: id.clone(), problem: self.masked(problem), retry_after_ms }
            }
        };
        self.append(held, &[self.draft(attempt, event)])
    }

    fn undo(&self, held: &mut Held, id: &StepId) -> Result<(), Error> {
        let job = self.job(&held.run, id)?;
        let attempt = job.attempt - 1;
        let receipt = held.run.progress(id).and_then(|progress| progress.receipt.clone());
        let receipt = receipt.unwrap_or_else(Receipt::none);
        self.append(held, &[self.draft(attempt, Event::UndoStarted { step: id.clone() })])?;
        let run = &held.run;
        let event = match job.action.undo(&self.cx(&run.id, run.opened, &job.step, attempt), &receipt) {
            Ok(()) => Event::Undone { step: id.clone() },
            Err(Fault { problem, retry_after_ms, .. }) => {
                Event::UndoFaulted { step: id.clone(), problem: self.masked(problem), retry_after_ms }
            }
        };
        self.append(held, &[self.draft(attempt, event)])
    }

    /// Looks at the needs of a gate, as many at once as it allows. What was cut off by a stop is no evidence.
    fn check(&self, held: &mut Held, gate: &StepId, needs: &[Need]) -> Result<(), Error> {
        let Some(Work::Gate(spec)) = held.run.plan.step(gate).map(|step| step.work.clone()) else {
            return Ok(());
        };
        let (id, opened) = (held.run.id.clone(), held.run.opened);
        let taken = AtomicUsize::new(0);
        let (report, results) = mpsc::channel();
        thread::scope(|scope| {
            for _ in 0..spec.at_once.clamp(1, needs.len()) {
                let (report, taken, spec, id) = (report.clone(), &taken, &spec, &id);
                scope.spawn(move || {
                    while let Some(need) = needs.get(taken.fetch_add(1, Ordering::SeqCst)) {
                        let step = StepId::new(format!("{gate}/{}", need.name()));
                        let began = self.world.now();
                        let looked = self.look(need, &self.need_cx(id, opened, &step, need));
                        if self.stop.urgency() == Urgency::Now {
                            return;
                        }
                        let took_ms = self.world.now().0.saturating_sub(began.0);
                        let log = self.world.seal(&LogKey { run: id.clone(), step, attempt: 1 });
                        let subject = spec.subject.clone();
                        let event = match looked {
                            Ok(findings) => {
                                let evidence =
                                    Evidence { need: need.name().into(), subject, findings, took_ms };
                                Event::Checked { step: gate.clone(), evidence, log }
                            }
                            Err(problem) => Event::Stuck { step: gate.clone(), problem },
                        };
                        let _ = report.send(self.draft(0, event));
                    }
                });
            }
            drop(report);
            while let Ok(first) = results.recv() {
                let batch: Vec<Draft> = std::iter::once(first).chain(results.try_iter()).collect();
                self.append(held, &batch)?;
            }
            Ok(())
        })
    }

    /// Looks at one need. A look that may help later is not held against the release: the run is stuck, not refused.
    fn look(&self, need: &Need, cx: &Cx<'_>) -> Result<Vec<Finding>, Problem> {
        let Need::Check { kind, args, .. } = need;
        let looked = match self.catalog.check(kind, args) {
            Ok(check) => check.look(cx),
            Err(problem) => Err(Fault::clean(problem)),
        };
        match looked {
            Ok(findings) => {
                let mask = |one: Finding| Finding { problem: self.masked(one.problem), ..one };
                Ok(findings.into_iter().map(mask).collect())
            }
            Err(Fault { problem, retry_after_ms: Some(_), .. }) => {
                let problem = self.masked(problem);
                Err(Problem::new(Code::Stuck, format!("{} could not be looked at", cx.step))
                    .at(format!("run {}", cx.run))
                    .found(problem.what)
                    .details(problem.details)
                    .hint(format!("when it is mended, go on: shipway resume {}", cx.run))
                    .hint(format!("or take it back: shipway rollback {}", cx.run)))
            }
            // A check that can never look has proven nothing, so the gate stays shut.
            Err(Fault { problem, .. }) => {
                Ok(vec![Finding { severity: Severity::Blocks, problem: self.masked(problem) }])
            }
        }
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

    fn job(&self, run: &Run, id: &StepId) -> Result<Job, Error> {
        let step = run.plan.step(id).expect("the run names steps of its own plan").clone();
        let Work::Act { kind, args, .. } = &step.work else { unreachable!("a gate is checked, not applied") };
        let action = self.catalog.action(kind, args)?;
        let attempt = run.progress(id).map_or(0, |progress| progress.attempts) + 1;
        Ok(Job { step, action, attempt })
    }

    fn cx<'c>(&'c self, run: &'c RunId, opened: Time, step: &'c Step, attempt: u32) -> Cx<'c> {
        let timeout = Duration::from_millis(step.timeout_ms);
        Cx { run, step: &step.id, attempt, opened, timeout, world: self.world, stop: self.stop }
    }

    fn need_cx<'c>(&'c self, run: &'c RunId, opened: Time, step: &'c StepId, need: &Need) -> Cx<'c> {
        let Need::Check { timeout_ms, .. } = need;
        let timeout = Duration::from_millis(*timeout_ms);
        Cx { run, step, attempt: 1, opened, timeout, world: self.world, stop: self.stop }
    }

    fn draft(&self, attempt: u32, event: Event) -> Draft {
        Draft { at: self.world.now(), by: self.actor.clone(), attempt, event }
    }

    fn append(&self, held: &mut Held, drafts: &[Draft]) -> Result<(), Error> {
        let entries = self.journal.append(&held.run.id, held.fence, Some(held.run.head), drafts)?;
        held.rested = Duration::ZERO;
        for entry in &entries {
            held.run.add(entry)?;
            (self.watch)(&held.run, entry);
        }
        Ok(())
    }
}

struct Job {
    step: Step,
    action: Box<dyn Action>,
    attempt: u32,
}

fn halt(run: &Run) -> Halt {
    match (&run.outcome, &run.stuck) {
        (Some(outcome), _) => Halt::Closed(*outcome),
        (None, Some((step, problem))) => Halt::Stuck(step.clone(), problem.clone()),
        (None, None) => Halt::Stopped,
    }
}
