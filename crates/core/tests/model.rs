//! Every sequence of outcomes, faults and kills up to a bound, on a world of flags.
//!
//! The driver below is the loop of `drive` without threads: it asks [`Run::next`] and lets a script choose how each
//! step goes, including the death of the process before and after every effect and every append. All scripts up to
//! the budget are enumerated, so what this test does not find is not there, up to that bound.
#![expect(clippy::print_stdout, reason = "the counts are part of what the test shows")]

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use serde_json::Value;
use shipway_core::action::{Change, Effect, Observed, Receipt, Reversal, Sign};
use shipway_core::gate::{Evidence, Finding, Gate, Need, Severity};
use shipway_core::id::{Actor, ActorKind, Digest, Fence, RunId, Seq, StepId};
use shipway_core::journal::{Entry, Event, GENESIS, Outcome};
use shipway_core::plan::{Plan, Release, Stage, Step, Verb, Work};
use shipway_core::problem::{Code, Problem};
use shipway_core::run::{Next, Run, State};
use shipway_core::time::Time;

/// Chooses, and enumerates all choices: after each run the last choice that has a successor takes it.
#[derive(Default)]
struct Script {
    path: Vec<(usize, usize)>,
    at: usize,
    budget: usize,
}

impl Script {
    /// Returns a choice among `options`; 0 is "all goes well" and every other choice costs one of the budget.
    fn pick(&mut self, options: usize) -> usize {
        let spent = self.path[..self.at].iter().filter(|(choice, _)| *choice > 0).count();
        let options = if spent >= self.budget { 1 } else { options };
        if self.at == self.path.len() {
            self.path.push((0, options));
        }
        self.at += 1;
        self.path[self.at - 1].0
    }

    fn advance(&mut self) -> bool {
        self.path.truncate(self.at);
        self.at = 0;
        while let Some((choice, options)) = self.path.pop() {
            if choice + 1 < options {
                self.path.push((choice + 1, options));
                return true;
            }
        }
        false
    }
}

/// What is true outside: which effects are there, how often each was made, and what is still on its way.
#[derive(Default)]
struct Flags {
    there: BTreeMap<StepId, bool>,
    made: BTreeMap<StepId, u32>,
    /// What attempts that were cut off left behind; the next attempt and undo clear it away.
    traces: BTreeSet<StepId>,
    late: Option<StepId>,
}

impl Flags {
    fn make(&mut self, step: &StepId) {
        assert!(!self.has(step), "the effect of {step} was made twice");
        self.there.insert(step.clone(), true);
        self.traces.remove(step);
        *self.made.entry(step.clone()).or_default() += 1;
    }

    fn take_back(&mut self, step: &StepId) {
        self.there.insert(step.clone(), false);
        self.traces.remove(step);
    }

    fn has(&self, step: &StepId) -> bool {
        self.there.get(step).copied().unwrap_or_default()
    }
}

struct Dead;

struct Model {
    script: Script,
    flags: Flags,
    entries: Vec<Entry>,
    /// What the entries add up to, in the life at hand.
    run: Option<Run>,
    now: Time,
    lives: u64,
}

impl Model {
    fn append(&mut self, event: Event) -> Result<(), Dead> {
        if self.script.pick(2) == 1 {
            return Err(Dead);
        }
        let seq = Seq(self.entries.len() as u64 + 1);
        let by = Actor { kind: ActorKind::Machine, name: "model".into(), host: "here".into() };
        let (run, prev) = (RunId::new("model"), Digest::new(GENESIS));
        let entry = Entry { run, seq, at: self.now, by, attempt: 0, fence: Fence(1), prev, event };
        if let Some(run) = &mut self.run {
            run.add(&entry).expect("the entries add up");
        }
        self.entries.push(entry);
        Ok(())
    }

    /// Lives one life of the process: until the run ends or the script kills it.
    fn live(&mut self) -> Result<(), Dead> {
        self.lives += 1;
        self.run = Some(Run::fold(&self.entries).expect("the entries add up"));
        loop {
            let next = self.run.as_ref().expect("a life begins with a fold").next(self.now);
            match next {
                Next::Nothing => return Ok(()),
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
                        self.append(Event::Started { step: step.clone() })?;
                    }
                    for step in &steps {
                        self.apply(step)?;
                    }
                }
                Next::Probe(step) => self.probe(&step)?,
                Next::Undo(step) => self.undo(&step)?,
                Next::TurnBack(problem) => self.append(Event::TurnedBack { problem })?,
                Next::Stick(step, problem) => self.append(Event::Stuck { step, problem })?,
                Next::Close(outcome) => self.append(Event::Closed { outcome })?,
            }
        }
    }

    fn check(&mut self, gate: &StepId, needs: &[Need]) -> Result<(), Dead> {
        let Work::Gate(spec) = self.step(gate).work else { panic!("{gate} is no gate") };
        for need in needs {
            let findings = match self.script.pick(2) {
                0 => vec![],
                _ => vec![Finding { severity: Severity::Blocks, problem: problem("red") }],
            };
            let evidence =
                Evidence { need: need.name().into(), subject: spec.subject.clone(), findings, took_ms: 0 };
            self.append(Event::Checked { step: gate.clone(), evidence, log: None })?;
        }
        Ok(())
    }

    fn step(&self, id: &StepId) -> Step {
        self.run.as_ref().and_then(|run| run.plan.step(id)).expect("the plan has the step").clone()
    }

    fn apply(&mut self, step: &StepId) -> Result<(), Dead> {
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

    fn probe(&mut self, step: &StepId) -> Result<(), Dead> {
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

    fn undo(&mut self, step: &StepId) -> Result<(), Dead> {
        self.append(Event::UndoStarted { step: step.clone() })?;
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

    fn judge(&self, plan: &Plan) -> &'static str {
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
                assert!(self.flags.made.is_empty(), "refused after an effect");
                "refused"
            }
            None => {
                assert!(run.stuck.is_some(), "the run ended without an end");
                assert!(
                    there("publish") || run.stuck.as_ref().is_some_and(|(_, p)| p.code == Code::Stuck),
                    "stuck without a reason"
                );
                "stuck"
            }
        }
    }
}

fn problem(what: &str) -> Problem {
    Problem::new(Code::GitFailed, what)
}

fn act(id: &str, reversal: Reversal, published_by: Option<&str>) -> Step {
    let change = Change {
        sign: Sign::Create,
        thing: id.into(),
        summary: String::new(),
        reversal,
        undo: String::new(),
        parts: vec![],
    };
    Step {
        id: StepId::new(id),
        work: Work::Act { kind: id.into(), args: Value::Null, change },
        attempts: 2,
        timeout_ms: 1,
        settle_ms: if reversal == Reversal::Exact { 0 } else { 10 },
        published_by: published_by.map(StepId::new),
        follows: id == "settle",
    }
}

fn gate(id: &str) -> Step {
    let need = Need::Check { name: "c".into(), kind: "c".into(), args: Value::Null, timeout_ms: 1 };
    let work = Work::Gate(Gate { needs: vec![need], subject: Digest::of(b""), at_once: 1 });
    Step { work, ..act(id, Reversal::Exact, None) }
}

fn plan(stages: &[&[Step]]) -> Plan {
    let stages =
        stages.iter().map(|steps| Stage { name: steps[0].id.to_string(), steps: steps.to_vec() }).collect();
    let release = Release {
        verb: Verb::Push,
        project: "p".into(),
        from: None,
        to: "1.0.0".into(),
        tag: "v1.0.0".into(),
        environment: None,
        why: String::new(),
    };
    Plan { v: 1, release, stages, facts: Digest::of(b""), notes: vec![], target_ms: 1 }
}

/// Runs every script up to a budget of faults and returns how many there were and how they ended.
fn check(plan: &Plan, budget: usize) -> (u64, u64, BTreeMap<&'static str, u64>) {
    let (mut runs, mut lives, mut ends) = (0, 0, BTreeMap::new());
    let mut script = Script { budget, ..Script::default() };
    loop {
        let mut model =
            Model { script, flags: Flags::default(), entries: vec![], run: None, now: Time(1_000), lives: 0 };
        let opened = Event::Opened { plan: Box::new(plan.clone()), digest: plan.digest() };
        // A process that dies before the run is opened has done nothing, so the first append always succeeds here.
        let budget = std::mem::take(&mut model.script.budget);
        let Ok(()) = model.append(opened) else { unreachable!("the budget is zero") };
        model.script.budget = budget;
        while model.live().is_err() {
            // The next life folds the run anew, so a wrong fold shows.
            model.now = model.now.after(Duration::from_millis(1));
        }
        *ends.entry(model.judge(plan)).or_default() += 1;
        (runs, lives) = (runs + 1, lives + model.lives);
        script = model.script;
        if !script.advance() {
            return (runs, lives, ends);
        }
    }
}

fn report(name: &str, result: &(u64, u64, BTreeMap<&'static str, u64>)) {
    println!("model {name}: {} runs, {} lives of the process, ends {:?}", result.0, result.1, result.2);
}

#[test]
fn a_push_ends_shipped_once_or_clean_whatever_happens() {
    let plan = plan(&[
        &[gate("checks")],
        &[act("commit", Reversal::Exact, Some("push"))],
        &[act("tag", Reversal::Exact, Some("push"))],
        &[act("push", Reversal::Visible, None)],
        &[gate("verify")],
        &[act("settle", Reversal::Exact, None)],
    ]);
    let result = check(&plan, 4);
    report("push", &result);
    assert!(result.0 > 50_000, "the enumeration is too small to mean anything");
    for end in ["shipped", "rolled back", "refused", "stuck"] {
        assert!(result.2.contains_key(end), "no run ended {end}");
    }
}

#[test]
fn steps_at_once_end_together_or_not_at_all() {
    let at_once = [act("a", Reversal::Exact, None), act("b", Reversal::Exact, None)];
    let result = check(&plan(&[&at_once, &[act("push", Reversal::Visible, None)]]), 3);
    report("at once", &result);
    assert!(result.0 > 5_000);
}

#[test]
fn past_the_point_of_no_return_a_run_ships_or_is_stuck() {
    let plan = plan(&[
        &[act("tag", Reversal::Exact, None)],
        &[act("publish", Reversal::Never, None)],
        &[act("announce", Reversal::Visible, None)],
    ]);
    let result = check(&plan, 3);
    report("publish", &result);
    assert!(result.2.contains_key("stuck") && result.2.contains_key("shipped"));
}
