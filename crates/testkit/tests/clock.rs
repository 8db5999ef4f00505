//! The engine under a clock that stands still or goes backwards: waits end, and the journal's times never go back.

use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use serde_json::Value;
use shipway_core::action::{Action, Catalog, Change, Cx, Fault, Observed, Receipt, Reversal, Sign, Stop};
use shipway_core::drive::{Engine, Halt};
use shipway_core::gate::Check;
use shipway_core::id::{Actor, ActorKind, Digest, RunId, StepId};
use shipway_core::journal::{Journal as _, Outcome};
use shipway_core::plan::{Plan, Release, Stage, Step, Verb, Work};
use shipway_core::problem::{Code, Problem};
use shipway_testkit::world::{Pace, TestWorld};
use shipway_world::store::MemoryJournal;

/// Fails twice in a way that may pass, in doubt the second time, and sets the clock back each time.
#[derive(Debug)]
struct Moody<'a>(&'a TestWorld, &'a AtomicU32);

fn problem() -> Problem {
    Problem::new(Code::Network, "the line is down")
}

impl Action for Moody<'_> {
    fn describe(&self) -> Change {
        Change {
            sign: Sign::Create,
            thing: "call".into(),
            summary: String::new(),
            reversal: Reversal::Visible,
            undo: String::new(),
            parts: vec![],
        }
    }

    fn probe(&self, _: &Cx<'_>) -> Result<Observed, Fault> {
        Ok(Observed::Absent)
    }

    fn apply(&self, _: &Cx<'_>) -> Result<Receipt, Fault> {
        self.0.backward(Duration::from_hours(1));
        match self.1.fetch_add(1, Ordering::SeqCst) {
            0 => Err(Fault::clean(problem()).retry_after(Duration::from_secs(1))),
            1 => Err(Fault::in_doubt(problem())),
            _ => Ok(Receipt(Value::Bool(true))),
        }
    }

    fn undo(&self, _: &Cx<'_>, _: &Receipt) -> Result<(), Fault> {
        Ok(())
    }
}

struct Kinds {
    world: &'static TestWorld,
    calls: &'static AtomicU32,
}

impl Catalog for Kinds {
    fn action(&self, _: &str, _: &Value) -> Result<Box<dyn Action>, Problem> {
        Ok(Box::new(Moody(self.world, self.calls)))
    }

    fn check(&self, _: &str, _: &Value) -> Result<Box<dyn Check>, Problem> {
        Err(problem())
    }

    fn kinds(&self) -> &'static [&'static str] {
        &[]
    }
}

fn plan(change: Change) -> Plan {
    let step = Step {
        id: StepId::new("call"),
        work: Work::Act { kind: "call".into(), args: Value::Null, change },
        attempts: 3,
        timeout_ms: 1_000,
        settle_ms: 2_000,
        published_by: None,
        follows: false,
        apart: false,
        private: false,
    };
    let release = Release {
        verb: Verb::Push,
        project: "p".into(),
        from: None,
        to: "1.0.0".into(),
        tag: "v1.0.0".into(),
        environment: None,
        why: String::new(),
    };
    let stages = vec![Stage { name: "call".into(), steps: vec![step] }];
    Plan { v: 1, release, stages, facts: Digest::of(b""), notes: vec![], target_ms: 1 }
}

fn check(pace: Pace) {
    // The catalog hands out actions that outlive any borrow of this function.
    let world: &'static TestWorld = Box::leak(Box::new(TestWorld::new()));
    let calls: &'static AtomicU32 = Box::leak(Box::new(AtomicU32::new(0)));
    world.pace(pace);
    let (journal, stop, id) = (MemoryJournal::new(), Stop::default(), RunId::new("clock"));
    let actor = Actor { kind: ActorKind::Machine, name: "test".into(), host: "here".into() };
    let catalog = Kinds { world, calls };
    let engine =
        Engine { journal: &journal, catalog: &catalog, world, stop: &stop, actor: &actor, watch: &|_, _| {} };
    let mut held = engine.open(&id, plan(Moody(world, calls).describe())).expect("memory takes every entry");
    assert_eq!(engine.drive(&mut held).expect("memory takes every entry"), Halt::Closed(Outcome::Shipped));
    assert_eq!(calls.load(Ordering::SeqCst), 3);
    // One second before the second attempt, and two between the looks at the step in doubt.
    assert!(world.rested() >= Duration::from_secs(3), "{:?}", world.rested());
    assert!(world.rested() < Duration::from_mins(1), "{:?}", world.rested());
    let times: Vec<_> =
        journal.read(&id, None).expect("memory gives every entry").iter().map(|entry| entry.at).collect();
    assert!(times.is_sorted(), "{times:?}");
}

#[test]
fn a_clock_that_goes_back_neither_hangs_a_run_nor_turns_the_journal_around() {
    check(Pace::Still);
}

#[test]
fn a_clock_that_stands_still_does_not_hang_a_run() {
    check(Pace::Stopped);
}
