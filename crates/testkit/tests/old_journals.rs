//! The runs of every released version fold, and those that have not ended can be driven to an end, both ways.

#![expect(clippy::unwrap_used, reason = "helpers of tests are tests")]

use std::fs;
use std::path::{Path, PathBuf};

use serde_json::{Value, json};
use shipway_core::action::{Action, Catalog, Change, Cx, Fault, Observed, Receipt, Reversal, Sign, Stop};
use shipway_core::drive::{Engine, Halt};
use shipway_core::gate::{Check, Finding};
use shipway_core::id::{Actor, ActorKind, RunId};
use shipway_core::journal::{Entry, Event, Journal, Outcome};
use shipway_core::problem::{Code, Problem};
use shipway_core::run::Run;
use shipway_testkit::world::TestWorld;
use shipway_world::store::{MemoryJournal, Transfer};

/// What a probe sees where it is not known what happened.
#[derive(Clone, Copy, Debug)]
enum Seen {
    Nothing,
    Effect,
}

/// Does and sees whatever is asked of it.
#[derive(Debug)]
struct Double(Seen);

impl Action for Double {
    fn describe(&self) -> Change {
        Change {
            sign: Sign::Create,
            thing: "thing".into(),
            summary: String::new(),
            reversal: Reversal::Exact,
            undo: String::new(),
            parts: vec![],
        }
    }

    fn probe(&self, _cx: &Cx<'_>) -> Result<Observed, Fault> {
        Ok(match self.0 {
            Seen::Nothing => Observed::Absent,
            Seen::Effect => Observed::Present(Receipt(json!({}))),
        })
    }

    fn apply(&self, _cx: &Cx<'_>) -> Result<Receipt, Fault> {
        Ok(Receipt(json!({})))
    }

    fn undo(&self, _cx: &Cx<'_>, _receipt: &Receipt) -> Result<(), Fault> {
        Ok(())
    }
}

impl Check for Double {
    fn look(&self, _cx: &Cx<'_>) -> Result<Vec<Finding>, Fault> {
        Ok(vec![])
    }
}

impl Catalog for Double {
    fn action(&self, _kind: &str, _args: &Value) -> Result<Box<dyn Action>, Problem> {
        Ok(Box::new(Self(self.0)))
    }

    fn check(&self, _kind: &str, _args: &Value) -> Result<Box<dyn Check>, Problem> {
        Ok(Box::new(Self(self.0)))
    }

    fn kinds(&self) -> &'static [&'static str] {
        &[]
    }
}

fn files() -> Vec<PathBuf> {
    let list = |dir: &Path| fs::read_dir(dir).unwrap().map(|found| found.unwrap().path()).collect::<Vec<_>>();
    let home = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../tests/journals");
    let versions = list(&home).into_iter().filter(|path| path.is_dir());
    let mut files: Vec<PathBuf> = versions.flat_map(|version| list(&version)).collect();
    files.retain(|file| file.extension().is_some_and(|extension| extension == "jsonl"));
    files.sort();
    files
}

fn import(file: &Path) -> (MemoryJournal, RunId) {
    let journal = MemoryJournal::new();
    let runs = journal.import(&fs::read_to_string(file).unwrap()).unwrap();
    let [run] = &runs[..] else { panic!("{}: one file holds one run", file.display()) };
    (journal, run.clone())
}

fn fold(journal: &dyn Journal, id: &RunId) -> Run {
    Run::fold(&journal.read(id, None).unwrap()).unwrap()
}

/// Drives the run of a file to its end and returns how it ended.
fn finish(file: &Path, seen: Seen, back: bool) -> Halt {
    let (journal, id) = import(file);
    let (catalog, world, stop) = (Double(seen), TestWorld::new(), Stop::default());
    let actor = Actor { kind: ActorKind::Human, name: "Jane Doe".into(), host: "desk".into() };
    let watch = |_: &Run, _: &Entry| {};
    let engine = Engine {
        journal: &journal,
        catalog: &catalog,
        world: &world,
        stop: &stop,
        actor: &actor,
        watch: &watch,
    };
    let mut held = engine.take(&id).unwrap();
    if held.run.stuck.is_some() {
        engine.note(&mut held, Event::Resumed {}).unwrap();
    }
    if back && held.run.back.is_none() {
        let problem = Problem::new(Code::RolledBack, "taken back on request");
        engine.note(&mut held, Event::TurnedBack { problem }).unwrap();
    }
    let halt = engine.drive(&mut held).unwrap();
    journal.verify().unwrap();
    assert_eq!(fold(&journal, &id).outcome, held.run.outcome, "{}", file.display());
    halt
}

/// Every story, and how it goes on: its outcome, whether it is stuck, whether it can still go back.
fn check(name: &str, outcome: Option<Outcome>, stuck: bool, can_go_back: bool) {
    for file in files().iter().filter(|file| file.file_stem().is_some_and(|stem| stem == name)) {
        let (journal, id) = import(file);
        let run = fold(&journal, &id);
        assert_eq!((run.outcome, run.stuck.is_some()), (outcome, stuck), "{name}");
        assert_eq!(run.plan.digest(), run.digest, "{name}: the plan is still named by its digest");
        if outcome.is_some() {
            continue;
        }
        for seen in [Seen::Nothing, Seen::Effect] {
            let forward = if run.back.is_some() { Outcome::RolledBack } else { Outcome::Shipped };
            assert_eq!(finish(file, seen, false), Halt::Closed(forward), "{name} {seen:?}");
        }
        assert_eq!(run.can_turn_back(), can_go_back, "{name}");
        // A run that waits at its first gate has changed nothing that could be taken back.
        let back = if name == "waiting" { Outcome::Refused } else { Outcome::RolledBack };
        for seen in [Seen::Nothing, Seen::Effect].into_iter().filter(|_| can_go_back) {
            assert_eq!(finish(file, seen, true), Halt::Closed(back), "{name} {seen:?}");
        }
    }
}

const STORIES: &[(&str, Option<Outcome>, bool, bool)] = &[
    ("shipped", Some(Outcome::Shipped), false, true),
    ("resumed", Some(Outcome::Shipped), false, true),
    ("refused", Some(Outcome::Refused), false, true),
    ("refused-after-build", Some(Outcome::Refused), false, true),
    ("rolled-back", Some(Outcome::RolledBack), false, true),
    ("withdrawn", Some(Outcome::Shipped), false, false),
    ("stuck-in-undo", None, true, true),
    ("approved", Some(Outcome::Shipped), false, true),
    ("signed", Some(Outcome::Shipped), false, true),
    ("contracted", Some(Outcome::Shipped), false, false),
    ("waiting", None, false, true),
    ("killed-in-push", None, false, true),
    ("killed-in-undo", None, false, true),
    ("killed-in-withdraw", None, false, false),
];

#[test]
fn runs_of_every_version_fold_and_finish_for_ever() {
    for &(name, outcome, stuck, can_go_back) in STORIES {
        check(name, outcome, stuck, can_go_back);
    }
}

#[test]
fn every_file_has_a_story_and_this_version_has_them_all() {
    let name = |file: &PathBuf| file.file_stem().unwrap().to_str().unwrap().to_owned();
    for file in files() {
        assert!(STORIES.iter().any(|story| story.0 == name(&file)), "{}", file.display());
    }
    let here = |file: &&PathBuf| file.parent().is_some_and(|dir| dir.ends_with(env!("CARGO_PKG_VERSION")));
    assert_eq!(files().iter().filter(here).count(), STORIES.len());
}
