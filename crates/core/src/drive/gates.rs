//! Gates: looking at their needs.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::mpsc;
use std::thread;
use std::time::Duration;

use super::{Engine, Error, Held};
use crate::action::{Cx, Fault, LogKey, Urgency};
use crate::gate::{self, Evidence, Finding, Need, Severity};
use crate::id::{RunId, Seq, StepId};
use crate::journal::{Draft, Event};
use crate::plan::Work;
use crate::problem::{Code, Problem};
use crate::time::Time;

/// What waits is not looked at again any sooner, whatever the check says: a drive ends instead of asking over and over.
const PAUSE: Duration = Duration::from_secs(1);

impl Engine<'_> {
    /// Looks at the needs of a gate, as many at once as it allows. What was cut off by a stop is no evidence.
    pub(super) fn check(&self, held: &mut Held, gate: &StepId, needs: &[Need]) -> Result<(), Error> {
        let Some(Work::Gate(spec)) = held.run.plan.step(gate).map(|step| step.work.clone()) else {
            return Ok(());
        };
        let (id, opened) = (held.run.id.clone(), held.run.opened);
        let seen = held.run.seen(gate).to_vec();
        let taken = AtomicUsize::new(0);
        let (report, results) = mpsc::channel();
        thread::scope(|scope| {
            for _ in 0..spec.at_once.clamp(1, needs.len()) {
                let (report, taken, spec, id, seen) = (report.clone(), &taken, &spec, &id, &seen);
                scope.spawn(move || {
                    while let Some(need) = needs.get(taken.fetch_add(1, Ordering::SeqCst)) {
                        if self.stop.urgency() > Urgency::None {
                            return;
                        }
                        let step = StepId::new(format!("{gate}/{}", need.name()));
                        let began = self.world.uptime();
                        let first = gate::first_look(spec, seen, need);
                        let looked = self.look(need, first, &self.need_cx(id, opened, &step, need));
                        if self.stop.urgency() == Urgency::Now {
                            return;
                        }
                        let took = self.world.uptime().saturating_sub(began).as_millis();
                        let took_ms = u64::try_from(took).unwrap_or(u64::MAX);
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

    /// Looks once more at what waits in a gate, unless this drive has looked already; `since` is the entry that it
    /// began with. Tells whether it looked: a run that waits must not keep a process busy.
    pub(super) fn check_again(&self, held: &mut Held, id: &StepId, since: Seq) -> Result<bool, Error> {
        let Some(Work::Gate(gate)) = held.run.plan.step(id).map(|step| &step.work) else { return Ok(false) };
        let before = gate::waiting(gate, held.run.seen(id)).filter(|(_, seen)| seen.seq <= since);
        let needs: Vec<Need> = before.map(|(need, _)| need.clone()).collect();
        if needs.is_empty() || self.stop.urgency() > Urgency::None {
            return Ok(false);
        }
        self.check(held, id, &needs)?;
        Ok(true)
    }

    /// Looks at one need. A look that may help later is not held against the release: the run is stuck, not refused.
    fn look(&self, need: &Need, first: Option<Time>, cx: &Cx<'_>) -> Result<Vec<Finding>, Problem> {
        let Need::Check { kind, args, .. } = need else {
            unreachable!("people are waited for, not looked at")
        };
        let looked = self.catalog.check(kind, args).map_err(Fault::clean);
        let looked = looked.and_then(|check| match first {
            Some(first) => check.look_again(cx, first),
            None => check.look(cx),
        });
        match looked {
            Ok(findings) => {
                let soon = self.world.now().after(PAUSE);
                let mask = |one: Finding| {
                    let until = one.until.map(|until| until.max(soon));
                    Finding { problem: self.masked(one.problem), until, ..one }
                };
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
                Ok(vec![Finding { severity: Severity::Blocks, problem: self.masked(problem), until: None }])
            }
        }
    }

    fn need_cx<'c>(&'c self, run: &'c RunId, opened: Time, step: &'c StepId, need: &Need) -> Cx<'c> {
        let timeout_ms = match need {
            Need::Check { timeout_ms, .. } => *timeout_ms,
            Need::Approval { .. } => 0,
        };
        let timeout = Duration::from_millis(timeout_ms);
        Cx { run, step, attempt: 1, opened, timeout, world: self.world, stop: self.stop }
    }
}
