//! Steps: applying, probing and undoing actions, each durable before and after.

use std::sync::mpsc;
use std::thread;

use super::{Engine, Error, Held};
use crate::action::{Action, Effect, Fault, LogKey, Receipt, Urgency};
use crate::id::{RunId, StepId};
use crate::journal::{Draft, Event};
use crate::plan::{Step, Work};
use crate::run::Run;
use crate::time::Time;

impl Engine<'_> {
    /// Applies steps at once. Their starts are durable before the first effect, in one append.
    pub(super) fn apply(&self, held: &mut Held, ids: &[StepId]) -> Result<(), Error> {
        let jobs = ids.iter().map(|id| self.job(&held.run, id)).collect::<Result<Vec<Job>, Error>>()?;
        let started = |job: &Job| self.draft(job.attempt, Event::Started { step: job.step.id.clone() });
        self.append(held, &jobs.iter().map(started).collect::<Vec<_>>())?;
        self.at_once(held, &jobs, |run, opened, job| {
            let result = job.action.apply(&self.cx(run, opened, &job.step, job.attempt));
            Some(self.applied(run, job, result))
        })
    }

    /// Does the work of every job in a thread of its own. Work that was cut off and says nothing is written nowhere.
    fn at_once(
        &self,
        held: &mut Held,
        jobs: &[Job],
        work: impl Fn(&RunId, Time, &Job) -> Option<Draft> + Sync,
    ) -> Result<(), Error> {
        let (id, opened) = (held.run.id.clone(), held.run.opened);
        if let [job] = jobs {
            return work(&id, opened, job).map_or(Ok(()), |draft| self.append(held, &[draft]));
        }
        let (report, results) = mpsc::channel();
        thread::scope(|scope| {
            for job in jobs {
                let (report, id, work) = (report.clone(), &id, &work);
                scope.spawn(move || {
                    // The receiver outlives every sender, unless an append failed; then the step is in doubt.
                    if let Some(draft) = work(id, opened, job) {
                        let _ = report.send(draft);
                    }
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
                // What a stop has cut off is not refused: a later drive looks, and goes on from there.
                let effect = if self.cut_off() { Effect::Unknown } else { effect };
                Event::Faulted { step, effect, problem: self.masked(problem), retry_after_ms, log }
            }
        };
        self.draft(job.attempt, event)
    }

    pub(super) fn probe(&self, held: &mut Held, id: &StepId) -> Result<(), Error> {
        let job = self.job(&held.run, id)?;
        let attempt = job.attempt - 1;
        let run = &held.run;
        let event = match job.action.probe(&self.cx(&run.id, run.opened, &job.step, attempt)) {
            Ok(observed) => Event::Probed { step: id.clone(), observed },
            // A look that a stop has cut off has seen nothing, not even that it cannot see.
            Err(_) if self.cut_off() => return Ok(()),
            Err(Fault { problem, retry_after_ms, .. }) => {
                Event::Unseen { step: id.clone(), problem: self.masked(problem), retry_after_ms }
            }
        };
        self.append(held, &[self.draft(attempt, event)])
    }

    /// Undoes steps of one stage at once. The beginnings are durable before the first effect, in one append.
    pub(super) fn undo(&self, held: &mut Held, ids: &[StepId]) -> Result<(), Error> {
        let jobs = ids.iter().map(|id| self.job(&held.run, id)).collect::<Result<Vec<Job>, Error>>()?;
        let started =
            |job: &Job| self.draft(job.attempt - 1, Event::UndoStarted { step: job.step.id.clone() });
        self.append(held, &jobs.iter().map(started).collect::<Vec<_>>())?;
        self.at_once(held, &jobs, |run, opened, job| {
            let attempt = job.attempt - 1;
            let undone = job.action.undo(&self.cx(run, opened, &job.step, attempt), &job.receipt);
            let step = job.step.id.clone();
            let event = match undone {
                Ok(()) => Event::Undone { step },
                // It has begun, and a later drive undoes it again.
                Err(_) if self.cut_off() => return None,
                Err(Fault { problem, retry_after_ms, .. }) => {
                    Event::UndoFaulted { step, problem: self.masked(problem), retry_after_ms }
                }
            };
            Some(self.draft(attempt, event))
        })
    }

    /// Tells whether children are killed because a stop is asked for, so that a fault may come of nothing else.
    fn cut_off(&self) -> bool {
        self.stop.urgency() == Urgency::Now
    }

    fn job(&self, run: &Run, id: &StepId) -> Result<Job, Error> {
        let step = run.plan.step(id).expect("the run names steps of its own plan").clone();
        let Work::Act { kind, args, .. } = &step.work else { unreachable!("a gate is checked, not applied") };
        let action = self.catalog.action(kind, args)?;
        let progress = run.progress(id);
        let attempt = progress.map_or(0, |progress| progress.attempts) + 1;
        let receipt = progress.and_then(|progress| progress.receipt.clone()).unwrap_or_else(Receipt::none);
        Ok(Job { step, action, attempt, receipt })
    }
}

struct Job {
    step: Step,
    action: Box<dyn Action>,
    attempt: u32,
    receipt: Receipt,
}
