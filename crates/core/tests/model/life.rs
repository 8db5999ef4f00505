//! The driver: the loop of `drive` without threads, whose process may die before and after everything it does.

use std::time::Duration;

use serde_json::Value;
use shipway_core::action::{Effect, Observed, Receipt};
use shipway_core::gate::{self, Evidence, Finding, Need, Severity};
use shipway_core::id::{Actor, ActorKind, Digest, Fence, RunId, Seq, StepId};
use shipway_core::journal::{Entry, Event, GENESIS, Outcome};
use shipway_core::plan::{Plan, Step, Work};
use shipway_core::problem::Code;
use shipway_core::run::{Next, Run, State};
use shipway_core::time::Time;

use crate::plans::{person, problem};
use crate::script::{Flags, Script};

pub(crate) struct Dead;

pub(crate) struct Model {
    pub(crate) script: Script,
    pub(crate) flags: Flags,
    pub(crate) entries: Vec<Entry>,
    /// What the entries add up to, in the life at hand.
    pub(crate) run: Option<Run>,
    pub(crate) now: Time,
    pub(crate) lives: u64,
    /// The last entry before the life at hand: what waits is looked at again once a life.
    pub(crate) since: Seq,
}

/// How a life ends that was not killed.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Life {
    /// The run has ended or is stuck.
    Over,
    /// The run waits, and something has happened meanwhile that another life may find.
    Again,
    /// The run waits, and nobody comes.
    Waiting,
}

impl Model {
    pub(crate) fn append(&mut self, event: Event) -> Result<(), Dead> {
        if self.script.pick(2) == 1 {
            return Err(Dead);
        }
        let seq = Seq(self.entries.len() as u64 + 1);
        let by = match &event {
            Event::Approved { .. } => person("Jane <jane@example.org>"),
            _ => Actor { kind: ActorKind::Machine, name: "model".into(), host: "here".into() },
        };
        let fence = Fence(self.lives);
        let (run, prev) = (RunId::new("model"), Digest::new(GENESIS));
        let entry = Entry { run, seq, at: self.now, by, attempt: 0, fence, prev, event };
        if let Some(run) = &mut self.run {
            run.add(&entry).expect("the entries add up");
        }
        self.entries.push(entry);
        Ok(())
    }

    /// Lives one life of the process: until the run ends or the script kills it.
    pub(crate) fn live(&mut self) -> Result<Life, Dead> {
        self.lives += 1;
        self.since = Seq(self.entries.len() as u64);
        self.run = Some(Run::fold(&self.entries).expect("the entries add up"));
        loop {
            let next = self.run.as_ref().expect("a life begins with a fold").next(self.now);
            match next {
                Next::Nothing => return Ok(Life::Over),
                Next::Wait(gate, _, until) => {
                    if !self.check_again(&gate)? {
                        return self.wait(until);
                    }
                }
                Next::Rest(until) => {
                    self.now = until;
                    // A request that was on its way arrives while we wait.
                    if let Some(step) = self.flags.late.take() {
                        self.flags.make(&step);
                    }
                }
                Next::Check(gate, needs) => self.check(&gate, &needs)?,
                Next::Apply(steps) => {
                    for step in &steps {
                        self.assert_open(step);
                    }
                    for step in &steps {
                        self.append(Event::Started { step: step.clone() })?;
                    }
                    for step in &steps {
                        self.apply(step)?;
                    }
                }
                Next::Probe(step) => self.probe(&step)?,
                Next::Undo(steps) => {
                    self.assert_one_stage_of_the_last(&steps);
                    for step in &steps {
                        self.append(Event::UndoStarted { step: step.clone() })?;
                    }
                    for step in &steps {
                        self.undo(step)?;
                    }
                }
                Next::TurnBack(problem) => self.append(Event::TurnedBack { problem })?,
                Next::Stick(step, problem) => self.append(Event::Stuck { step, problem })?,
                Next::Close(outcome) => self.append(Event::Closed { outcome })?,
            }
        }
    }

    pub(crate) fn check(&mut self, gate: &StepId, needs: &[Need]) -> Result<(), Dead> {
        let Work::Gate(spec) = self.step(gate).work else { panic!("{gate} is no gate") };
        for need in needs {
            // Only a need that may grow old is one that may wait.
            let Need::Check { fresh_ms, .. } = need else { panic!("people are not looked at") };
            let finding = |severity, until| vec![Finding { severity, problem: problem("red"), until }];
            let findings = match self.script.pick(if fresh_ms.is_some() { 4 } else { 2 }) {
                0 => vec![],
                1 => finding(Severity::Blocks, None),
                2 => finding(Severity::Waits, None),
                _ => finding(Severity::Waits, Some(self.now.after(Duration::from_millis(50)))),
            };
            let evidence =
                Evidence { need: need.name().into(), subject: spec.subject.clone(), findings, took_ms: 0 };
            self.append(Event::Checked { step: gate.clone(), evidence, log: None })?;
        }
        Ok(())
    }

    /// Looks once more at what has waited since before this life, and tells whether there was such a thing.
    pub(crate) fn check_again(&mut self, id: &StepId) -> Result<bool, Dead> {
        let Work::Gate(spec) = self.step(id).work else { panic!("{id} is no gate") };
        let run = self.run.as_ref().expect("a life begins with a fold");
        let waiting = gate::waiting(&spec, run.seen(id)).filter(|(_, seen)| seen.seq <= self.since);
        let needs: Vec<Need> = waiting.map(|(need, _)| need.clone()).collect();
        self.check(id, &needs)?;
        Ok(!needs.is_empty())
    }

    /// Lets happen what the run waits for (people say yes in a process of their own), or something else, or nothing.
    pub(crate) fn wait(&mut self, until: Option<Time>) -> Result<Life, Dead> {
        let run = self.run.as_ref().expect("a life begins with a fold");
        let (asked, plan) = (run.unapproved().map(|(gate, _)| gate), run.digest.clone());
        let yes = |step, plan| Event::Approved { step, plan, grade: 0, signed: None };
        match (self.script.pick(4), asked) {
            (0, Some(step)) => {
                self.lives += 1;
                self.append(yes(Some(step), plan))?;
            }
            (0, None) => self.now = until.unwrap_or_else(|| self.now.after(Duration::from_millis(50))),
            (1, _) => return Ok(Life::Waiting),
            // Nothing that was asked for, but time passes, and what was seen grows old.
            (2, _) => self.now = self.now.after(Duration::from_millis(500)),
            (_, step) => self.append(yes(step, Digest::of(b"another")))?,
        }
        Ok(Life::Again)
    }

    /// Asserts that no gate before a step, or beside it, is shut.
    pub(crate) fn assert_open(&self, step: &StepId) {
        let run = self.run.as_ref().expect("a life begins with a fold");
        let here = run.plan.stages.iter().position(|stage| stage.steps.iter().any(|one| one.id == *step));
        let before = run.plan.stages.iter().take(here.expect("the plan has the step") + 1);
        for gate in before.flat_map(|stage| &stage.steps) {
            let Work::Gate(spec) = &gate.work else { continue };
            assert!(
                run.progress(&gate.id).is_some_and(|p| p.state == State::Done),
                "{step} before {}",
                gate.id
            );
            for need in &spec.needs {
                let open = match need {
                    Need::Check { name, .. } => {
                        run.evidence(&gate.id).rfind(|e| e.need == *name).is_some_and(|e| {
                            e.findings.iter().all(|finding| finding.severity == Severity::Advice)
                        })
                    }
                    Need::Approval { .. } => !run.approvals(&gate.id).is_empty(),
                };
                assert!(open, "{step} past {} of {}", need.name(), gate.id);
            }
        }
    }

    /// Asserts that steps are of one stage, and that nothing behind them is still there, unless both stand apart.
    pub(crate) fn assert_one_stage_of_the_last(&self, steps: &[StepId]) {
        let run = self.run.as_ref().expect("a life begins with a fold");
        let stage =
            |id: &StepId| run.plan.stages.iter().position(|s| s.steps.iter().any(|step| step.id == *id));
        let here = stage(&steps[0]);
        assert!(steps.iter().all(|step| stage(step) == here), "{steps:?} are of several stages");
        for later in run.plan.steps().filter(|step| stage(&step.id) > here) {
            let apart = later.apart && steps.iter().all(|id| self.step(id).apart);
            assert!(apart || !self.flags.has(&later.id), "{steps:?} undone before {}", later.id);
        }
    }

    pub(crate) fn step(&self, id: &StepId) -> Step {
        self.run.as_ref().and_then(|run| run.plan.step(id)).expect("the plan has the step").clone()
    }

    pub(crate) fn apply(&mut self, step: &StepId) -> Result<(), Dead> {
        let settles = self.step(step).settle_ms > 0;
        let fault = |effect, retry_after_ms| Event::Faulted {
            step: step.clone(),
            effect,
            problem: problem("fault"),
            retry_after_ms,
            log: None,
        };
        let receipt = Receipt(Value::Null);
        let event = match self.script.pick(if settles { 9 } else { 7 }) {
            0 => {
                self.flags.make(step);
                Event::Finished { step: step.clone(), receipt, log: None }
            }
            1 => {
                self.flags.traces.insert(step.clone());
                return Err(Dead);
            }
            2 => {
                self.flags.make(step);
                return Err(Dead);
            }
            3 => fault(Effect::None, None),
            4 => fault(Effect::None, Some(5)),
            5 => {
                self.flags.traces.insert(step.clone());
                fault(Effect::Unknown, None)
            }
            6 => {
                self.flags.make(step);
                fault(Effect::Unknown, None)
            }
            // The request is still on its way when its sender gives up, or dies.
            7 => {
                self.flags.late = Some(step.clone());
                fault(Effect::Unknown, None)
            }
            _ => {
                self.flags.late = Some(step.clone());
                return Err(Dead);
            }
        };
        self.append(event)
    }

    pub(crate) fn probe(&mut self, step: &StepId) -> Result<(), Dead> {
        let event = match self.script.pick(3) {
            0 if self.flags.has(step) => {
                Event::Probed { step: step.clone(), observed: Observed::Present(Receipt(Value::Null)) }
            }
            0 => Event::Probed { step: step.clone(), observed: Observed::Absent },
            1 => Event::Unseen { step: step.clone(), problem: problem("blind"), retry_after_ms: Some(5) },
            _ => return Err(Dead),
        };
        self.append(event)
    }

    pub(crate) fn undo(&mut self, step: &StepId) -> Result<(), Dead> {
        let faulted =
            Event::UndoFaulted { step: step.clone(), problem: problem("undo"), retry_after_ms: Some(5) };
        let event = match self.script.pick(5) {
            0 => {
                self.flags.take_back(step);
                Event::Undone { step: step.clone() }
            }
            1 => return Err(Dead),
            2 => {
                self.flags.take_back(step);
                return Err(Dead);
            }
            3 => faulted,
            _ => {
                self.flags.take_back(step);
                faulted
            }
        };
        self.append(event)
    }

    pub(crate) fn judge(&self, plan: &Plan) -> &'static str {
        let run = Run::fold(&self.entries).expect("the entries add up");
        let there = |id: &str| self.flags.has(&StepId::new(id));
        assert!(self.flags.late.is_none(), "the run ended while a request was on its way");
        match run.outcome {
            Some(Outcome::Shipped) => {
                for step in plan.steps().filter(|step| matches!(step.work, Work::Act { .. })) {
                    assert!(self.flags.has(&step.id), "shipped without {}", step.id);
                    assert!(!self.flags.traces.contains(&step.id), "shipped with a trace of {}", step.id);
                }
                "shipped"
            }
            Some(Outcome::RolledBack) => {
                // What a done and undone push made public stays; its undo has answered for it.
                let push = StepId::new("push");
                let published =
                    run.progress(&push).is_some_and(|p| p.state == State::Undone && p.receipt.is_some());
                let public = |step: &Step| published && step.published_by.as_ref() == Some(&push);
                for step in plan.steps() {
                    assert!(
                        public(step) || !self.flags.has(&step.id),
                        "rolled back, and {} is there",
                        step.id
                    );
                    assert!(
                        public(step) || !self.flags.traces.contains(&step.id),
                        "rolled back, and a trace of {} is there",
                        step.id
                    );
                }
                "rolled back"
            }
            Some(Outcome::Refused) => {
                for step in plan.steps() {
                    assert!(step.private || !self.flags.made.contains_key(&step.id), "{} was done", step.id);
                    let left = self.flags.has(&step.id) || self.flags.traces.contains(&step.id);
                    assert!(!left, "refused, and {} is there", step.id);
                }
                "refused"
            }
            None if run.stuck.is_none() => {
                assert!(matches!(run.next(self.now), Next::Wait(..)), "the run ended without an end");
                "waiting"
            }
            None => {
                assert!(
                    there("publish") || run.stuck.as_ref().is_some_and(|(_, p)| p.code == Code::Stuck),
                    "stuck without a reason"
                );
                let at = run.stuck.as_ref().map(|(step, _)| step);
                for other in plan.steps().filter(|step| step.apart && at.is_some_and(|at| *at != step.id)) {
                    assert!(!self.flags.has(&other.id), "stuck at {at:?}, and {} is kept by it", other.id);
                }
                "stuck"
            }
        }
    }
}
