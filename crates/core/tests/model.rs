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
use shipway_core::gate::{self, Evidence, Finding, Gate, Need, Severity};
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
    /// The last entry before the life at hand: what waits is looked at again once a life.
    since: Seq,
}

/// How a life ends that was not killed.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Life {
    /// The run has ended or is stuck.
    Over,
    /// The run waits, and something has happened meanwhile that another life may find.
    Again,
    /// The run waits, and nobody comes.
    Waiting,
}

impl Model {
    fn append(&mut self, event: Event) -> Result<(), Dead> {
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
    fn live(&mut self) -> Result<Life, Dead> {
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

    fn check(&mut self, gate: &StepId, needs: &[Need]) -> Result<(), Dead> {
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
    fn check_again(&mut self, id: &StepId) -> Result<bool, Dead> {
        let Work::Gate(spec) = self.step(id).work else { panic!("{id} is no gate") };
        let run = self.run.as_ref().expect("a life begins with a fold");
        let waiting = gate::waiting(&spec, run.seen(id)).filter(|(_, seen)| seen.seq <= self.since);
        let needs: Vec<Need> = waiting.map(|(need, _)| need.clone()).collect();
        self.check(id, &needs)?;
        Ok(!needs.is_empty())
    }

    /// Lets happen what the run waits for (people say yes in a process of their own), or something else, or nothing.
    fn wait(&mut self, until: Option<Time>) -> Result<Life, Dead> {
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
    fn assert_open(&self, step: &StepId) {
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
    fn assert_one_stage_of_the_last(&self, steps: &[StepId]) {
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

fn person(name: &str) -> Actor {
    Actor { kind: ActorKind::Human, name: name.into(), host: "there".into() }
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
        apart: id.starts_with("host"),
        private: id == "build",
    }
}

fn gate(id: &str) -> Step {
    let need =
        Need::Check { name: "c".into(), kind: "c".into(), args: Value::Null, timeout_ms: 1, fresh_ms: None };
    gate_of(id, vec![need])
}

fn gate_of(id: &str, needs: Vec<Need>) -> Step {
    let work = Work::Gate(Gate { needs, subject: Digest::of(b""), at_once: 1 });
    Step { work, ..act(id, Reversal::Exact, None) }
}

/// A gate whose check may wait and grow old, and that asks a person.
fn slow_gate(id: &str) -> Step {
    let (name, kind) = ("window".into(), "c".into());
    let window = Need::Check { name, kind, args: Value::Null, timeout_ms: 1, fresh_ms: Some(100) };
    let approval =
        Need::Approval { name: "approval".into(), from: vec![], at_least: 1, not_by: vec![], grade: 0 };
    gate_of(id, vec![window, approval])
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
        let mut model = Model {
            script,
            flags: Flags::default(),
            entries: vec![],
            run: None,
            now: Time(1_000),
            lives: 0,
            since: Seq(0),
        };
        let opened = Event::Opened { plan: Box::new(plan.clone()), digest: plan.digest() };
        // A process that dies before the run is opened has done nothing, so the first append always succeeds here.
        let budget = std::mem::take(&mut model.script.budget);
        let Ok(()) = model.append(opened) else { unreachable!("the budget is zero") };
        model.script.budget = budget;
        while !matches!(model.live(), Ok(Life::Over | Life::Waiting)) {
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
fn a_gate_behind_what_only_the_run_sees_refuses_and_one_behind_more_rolls_back() {
    let build = act("build", Reversal::Exact, None);
    let result = check(&plan(&[std::slice::from_ref(&build), &[gate("gate")]]), 4);
    assert!(result.2.contains_key("refused") && !result.2.contains_key("rolled back"));
    let stage = act("stage", Reversal::Exact, None);
    let result = check(&plan(&[&[build], &[gate("gate")], &[stage], &[gate("well")]]), 4);
    report("private", &result);
    assert!(result.2.contains_key("refused") && result.2.contains_key("rolled back"));
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

#[test]
fn a_gate_that_waits_is_passed_only_when_it_is_open() {
    let result = check(
        &plan(&[
            &[act("stage", Reversal::Exact, None)],
            &[slow_gate("production")],
            &[act("deploy", Reversal::Visible, None)],
        ]),
        4,
    );
    report("waiting", &result);
    assert!(result.0 > 5_000, "the enumeration is too small to mean anything");
    for end in ["shipped", "rolled back", "stuck", "waiting"] {
        assert!(result.2.contains_key(end), "no run ended {end}");
    }
}

#[test]
fn steps_of_a_stage_are_taken_back_at_once_and_stages_one_after_the_other() {
    let hosts = |names: [&str; 2]| names.map(|name| act(name, Reversal::Exact, None));
    let result = check(&plan(&[&hosts(["a1", "a2"]), &hosts(["b1", "b2"]), &[gate("verify")]]), 3);
    report("undo at once", &result);
    assert!(result.0 > 5_000, "the enumeration is too small to mean anything");
    assert!(result.2.contains_key("rolled back"));
}

#[test]
fn a_host_that_is_lost_does_not_keep_the_others_from_going_back() {
    let host = |name| act(name, Reversal::Exact, None);
    let result = check(
        &plan(&[
            &[act("stage", Reversal::Exact, None)],
            &[host("host-1")],
            &[host("host-2")],
            &[gate("well")],
        ]),
        4,
    );
    report("apart", &result);
    assert!(result.0 > 5_000, "the enumeration is too small to mean anything");
    for end in ["shipped", "rolled back", "stuck"] {
        assert!(result.2.contains_key(end), "no run ended {end}");
    }
}
