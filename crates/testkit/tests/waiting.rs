//! The engine at gates that wait, and on its way back at once: how often it looks, and when it gives up.

#![expect(clippy::unwrap_used, reason = "helpers of tests are tests")]

use std::collections::BTreeMap;
use std::sync::{Arc, Condvar, Mutex};
use std::time::Duration;

use serde_json::Value;
use shipway_core::action::{
    Action, Catalog, Change, Cx, Fault, Observed, Receipt, Reversal, Sign, Stop, World as _,
};
use shipway_core::drive::{Engine, Halt};
use shipway_core::gate::{Check, Finding, Gate, Need, Severity};
use shipway_core::id::{Actor, ActorKind, Digest, RunId, StepId};
use shipway_core::journal::{Entry, Event, Journal as _, Outcome};
use shipway_core::plan::{Plan, Release, Stage, Step, Verb, Work};
use shipway_core::problem::{Code, Problem};
use shipway_core::run::{Run, State};
use shipway_core::time::Time;
use shipway_testkit::world::{NOON, Pace, TestWorld};
use shipway_world::store::MemoryJournal;

/// How long a step waits for another one; only a failing test takes that long.
const PATIENCE: Duration = Duration::from_mins(1);

/// What the test holds in its hand: what checks see, how often they looked, and how undos go.
#[derive(Debug, Default)]
struct Hand {
    shut: Mutex<BTreeMap<String, Option<Time>>>,
    looks: Mutex<BTreeMap<String, Vec<Option<Time>>>>,
    undone: Mutex<Vec<String>>,
    /// How many undos must be under way before one of them ends.
    together: Mutex<usize>,
    under_way: (Mutex<usize>, Condvar),
}

#[derive(Clone, Debug)]
struct Kind(String, Arc<Hand>);

struct Kinds(Arc<Hand>);

impl Catalog for Kinds {
    fn action(&self, kind: &str, _: &Value) -> Result<Box<dyn Action>, Problem> {
        Ok(Box::new(Kind(kind.into(), Arc::clone(&self.0))))
    }

    fn check(&self, kind: &str, _: &Value) -> Result<Box<dyn Check>, Problem> {
        Ok(Box::new(Kind(kind.into(), Arc::clone(&self.0))))
    }

    fn kinds(&self) -> &'static [&'static str] {
        &[]
    }
}

fn problem(code: Code) -> Problem {
    Problem::new(code, "as the test wants it")
}

impl Kind {
    fn see(&self, first: Option<Time>) -> Vec<Finding> {
        self.1.looks.lock().unwrap().entry(self.0.clone()).or_default().push(first);
        let shut = self.1.shut.lock().unwrap().get(&self.0).copied();
        let finding =
            |until| Finding { severity: Severity::Waits, problem: problem(Code::WindowShut), until };
        shut.map(finding).into_iter().collect()
    }
}

impl Check for Kind {
    fn look(&self, _: &Cx<'_>) -> Result<Vec<Finding>, Fault> {
        Ok(self.see(None))
    }

    fn look_again(&self, _: &Cx<'_>, first: Time) -> Result<Vec<Finding>, Fault> {
        Ok(self.see(Some(first)))
    }
}

impl Action for Kind {
    fn describe(&self) -> Change {
        Change {
            sign: Sign::Create,
            thing: self.0.clone(),
            summary: String::new(),
            reversal: Reversal::Exact,
            undo: String::new(),
            parts: vec![],
        }
    }

    fn probe(&self, _: &Cx<'_>) -> Result<Observed, Fault> {
        Ok(Observed::Absent)
    }

    fn apply(&self, _: &Cx<'_>) -> Result<Receipt, Fault> {
        if self.0 == "refused" {
            return Err(Fault::clean(problem(Code::TagFailed)));
        }
        Ok(Receipt(Value::Null))
    }

    fn undo(&self, _: &Cx<'_>, _: &Receipt) -> Result<(), Fault> {
        self.1.undone.lock().unwrap().push(self.0.clone());
        let (count, change) = &self.1.under_way;
        let mut under_way = count.lock().unwrap();
        *under_way += 1;
        change.notify_all();
        let wanted = *self.1.together.lock().unwrap();
        let (_count, late) = change.wait_timeout_while(under_way, PATIENCE, |count| *count < wanted).unwrap();
        assert!(!late.timed_out(), "{} is undone alone", self.0);
        if self.0 == "jammed" {
            return Err(Fault::in_doubt(problem(Code::Network)).retry_after(Duration::from_secs(1)));
        }
        Ok(())
    }
}

struct Stand {
    hand: Arc<Hand>,
    journal: MemoryJournal,
    world: TestWorld,
    stop: Stop,
    id: RunId,
}

impl Stand {
    /// Opens a run of some stages.
    fn open(stages: Vec<Vec<Step>>) -> Self {
        let stand = Self {
            hand: Arc::default(),
            journal: MemoryJournal::new(),
            world: TestWorld::new(),
            stop: Stop::default(),
            id: RunId::new("waiting0"),
        };
        let stages = stages.into_iter().map(|steps| Stage { name: steps[0].id.to_string(), steps }).collect();
        let release = Release {
            verb: Verb::Push,
            project: "p".into(),
            from: None,
            to: "1.0.0".into(),
            tag: "v1.0.0".into(),
            environment: None,
            why: String::new(),
        };
        let plan = Plan { v: 1, release, stages, facts: Digest::of(b""), notes: vec![], target_ms: 1 };
        stand.with(ActorKind::Machine, |engine| engine.open(&stand.id, plan).map(|_| ()).unwrap());
        stand
    }

    fn with<T>(&self, kind: ActorKind, work: impl FnOnce(&Engine<'_>) -> T) -> T {
        let actor = Actor { kind, name: "Jane Doe <jane@example.org>".into(), host: "quay".into() };
        let catalog = Kinds(Arc::clone(&self.hand));
        let (journal, world, stop) = (&self.journal, &self.world, &self.stop);
        work(&Engine { journal, catalog: &catalog, world, stop, actor: &actor, watch: &|_, _| {} })
    }

    /// Drives the run as a fresh process does.
    fn drive(&self) -> Halt {
        self.with(ActorKind::Machine, |engine| {
            let mut held = engine.take(&self.id).unwrap();
            engine.drive(&mut held).unwrap()
        })
    }

    #[track_caller]
    fn waits(&self, until: Option<Time>) {
        match self.drive() {
            Halt::Waiting(gate, problems, found) => {
                assert_eq!((gate.as_str(), problems.len(), found), ("gate", 1, until));
            }
            other => panic!("{other:?}"),
        }
        assert!(self.run().waits().is_some());
    }

    #[track_caller]
    fn ships(&self) {
        assert_eq!(self.drive(), Halt::Closed(Outcome::Shipped));
    }

    fn approve(&self, kind: ActorKind) {
        self.with(kind, |engine| {
            let mut held = engine.take(&self.id).unwrap();
            let (plan, step) = (held.run.digest.clone(), Some(StepId::new("gate")));
            engine.note(&mut held, Event::Approved { step, plan, grade: 0, signed: None }).unwrap();
        });
    }

    fn shut(&self, kind: &str, until: Option<Time>) {
        self.hand.shut.lock().unwrap().insert(kind.into(), until);
    }

    fn unlock(&self, kind: &str) {
        self.hand.shut.lock().unwrap().remove(kind);
    }

    fn looks(&self, kind: &str) -> Vec<Option<Time>> {
        self.hand.looks.lock().unwrap().get(kind).cloned().unwrap_or_default()
    }

    fn entries(&self) -> Vec<Entry> {
        self.journal.read(&self.id, None).unwrap()
    }

    fn run(&self) -> Run {
        Run::fold(&self.entries()).unwrap()
    }

    fn state(&self, step: &str) -> State {
        self.run().progress(&StepId::new(step)).unwrap().state
    }
}

fn act(name: &str) -> Step {
    let change = Kind(name.into(), Arc::default()).describe();
    Step {
        id: StepId::new(name),
        work: Work::Act { kind: name.into(), args: Value::Null, change },
        attempts: 1,
        timeout_ms: 1_000,
        settle_ms: 0,
        published_by: None,
        follows: false,
        apart: false,
        private: false,
    }
}

fn check(name: &str, fresh_ms: Option<u64>) -> Need {
    Need::Check { name: name.into(), kind: name.into(), args: Value::Null, timeout_ms: 1_000, fresh_ms }
}

fn approval() -> Need {
    Need::Approval { name: "approval".into(), from: vec![], at_least: 1, not_by: vec![], grade: 0 }
}

fn gate(needs: Vec<Need>) -> Step {
    Step { work: Work::Gate(Gate { needs, subject: Digest::of(b"it"), at_once: 2 }), ..act("gate") }
}

#[test]
fn every_drive_looks_once_at_what_waits_and_at_nothing_else() {
    let stand =
        Stand::open(vec![vec![gate(vec![check("window", None), check("test", None)])], vec![act("a")]]);
    stand.shut("window", None);
    stand.waits(None);
    assert_eq!(stand.entries().len(), 3);
    for drives in 1..=5 {
        stand.waits(None);
        assert_eq!(stand.entries().len(), 3 + drives, "one entry a look");
    }
    assert_eq!(stand.looks("test"), [None]);
    // Only the first look does not know of one before.
    assert_eq!(stand.looks("window"), [&[None][..], &[Some(NOON); 5]].concat());
    assert_eq!(stand.state("a"), State::Ready);
    stand.unlock("window");
    stand.ships();
}

#[test]
fn a_time_that_has_come_is_looked_at_by_the_drive_that_finds_it() {
    let stand = Stand::open(vec![vec![gate(vec![check("window", None)])]]);
    let until = NOON.after(Duration::from_hours(60));
    stand.shut("window", Some(until));
    stand.waits(Some(until));
    stand.world.set(until);
    stand.unlock("window");
    stand.ships();
    assert_eq!(stand.looks("window").len(), 2);
}

#[test]
fn no_clock_keeps_a_drive_busy() {
    for pace in [Pace::Still, Pace::Stopped, Pace::Backward(Duration::from_hours(1))] {
        let stand = Stand::open(vec![vec![gate(vec![check("window", None)])]]);
        stand.world.pace(pace);
        // A check that says that it is over at once, and again when it is looked at.
        stand.shut("window", Some(stand.world.now()));
        for drives in 1..=3 {
            assert!(matches!(stand.drive(), Halt::Waiting(..)), "{pace:?}");
            assert_eq!(stand.looks("window").len(), drives, "{pace:?}");
        }
        assert_eq!(stand.world.rested(), Duration::ZERO, "nobody rests for a gate");
        assert!(stand.entries().iter().map(|entry| entry.at).is_sorted(), "{pace:?}");
    }
}

#[test]
fn a_clock_that_was_set_back_does_not_open_a_window_early() {
    let stand = Stand::open(vec![vec![gate(vec![check("window", None)])]]);
    // The journal is at noon already, and by the clock it is two hours before that.
    let until = Time(NOON.0 - 3_600_000);
    stand.world.set(Time(NOON.0 - 7_200_000));
    stand.shut("window", Some(until));
    stand.waits(Some(until));
    stand.waits(Some(until));
    assert_eq!(stand.looks("window").len(), 2);
    stand.world.set(until);
    stand.unlock("window");
    stand.ships();
}

#[test]
fn a_yes_opens_a_gate_and_only_that_of_a_person() {
    let stand = Stand::open(vec![vec![gate(vec![approval()])], vec![act("a")]]);
    stand.waits(None);
    for kind in [ActorKind::Machine, ActorKind::Agent] {
        stand.approve(kind);
        stand.waits(None);
    }
    assert_eq!(stand.state("a"), State::Ready);
    stand.approve(ActorKind::Human);
    assert!(stand.run().waits().is_none());
    stand.ships();
}

#[test]
fn a_run_that_waited_for_days_looks_again_before_it_goes_on() {
    let day = 86_400_000;
    for (waited, looks) in [(Duration::from_hours(23), 1), (Duration::from_hours(72), 2)] {
        let stand = Stand::open(vec![vec![gate(vec![check("test", Some(day)), approval()])], vec![act("a")]]);
        stand.waits(None);
        stand.world.forward(waited);
        stand.waits(None);
        assert_eq!(stand.looks("test").len(), 1, "it is not looked at while somebody is waited for");
        stand.approve(ActorKind::Human);
        if looks == 2 {
            stand.shut("test", None);
            stand.waits(None);
            stand.unlock("test");
        }
        stand.ships();
        assert_eq!(stand.looks("test").len(), if looks == 2 { 3 } else { 1 });
    }
}

#[test]
fn a_run_that_waits_stops_when_asked_and_can_go_back() {
    let stand = Stand::open(vec![vec![act("a")], vec![gate(vec![check("window", None)])]]);
    stand.shut("window", None);
    stand.waits(None);
    stand.stop.ask();
    assert!(matches!(stand.drive(), Halt::Waiting(..)), "it waits, whoever asks");
    let stand = Stand { stop: Stop::default(), ..stand };
    stand.with(ActorKind::Human, |engine| {
        let mut held = engine.take(&stand.id).unwrap();
        engine.note(&mut held, Event::TurnedBack { problem: problem(Code::RolledBack) }).unwrap();
        assert_eq!(engine.drive(&mut held).unwrap(), Halt::Closed(Outcome::RolledBack));
    });
    assert_eq!(*stand.hand.undone.lock().unwrap(), ["a"]);
}

#[test]
fn steps_of_a_stage_are_undone_at_once() {
    let stand = Stand::open(vec![vec![act("a"), act("b"), act("c")], vec![act("refused")]]);
    *stand.hand.together.lock().unwrap() = 3;
    assert_eq!(stand.drive(), Halt::Closed(Outcome::RolledBack));
    let entries = stand.entries();
    let starts = |entry: &Entry| matches!(entry.event, Event::UndoStarted { .. });
    let first = entries.iter().position(starts).unwrap();
    assert!(
        entries[first..first + 3].iter().all(starts),
        "all beginnings are durable before the first effect"
    );
}

#[test]
fn one_that_cannot_be_undone_keeps_neither_the_others_nor_the_order() {
    let stand =
        Stand::open(vec![vec![act("a")], vec![act("b"), act("jammed"), act("c")], vec![act("refused")]]);
    let Halt::Stuck(step, _) = stand.drive() else { panic!("it is stuck") };
    assert_eq!(step.as_str(), "jammed");
    assert_eq!(["b", "c", "jammed", "a"].map(|step| stand.state(step)), {
        [State::Undone, State::Undone, State::Undoing, State::Done]
    });
    let undone = stand.hand.undone.lock().unwrap();
    let times = |name: &str| undone.iter().filter(|undone| *undone == name).count();
    assert_eq!((times("b"), times("c"), times("jammed"), times("a")), (1, 1, 8, 0));
}
