//! The fence: a driver that lost its lease cannot write another entry, so two drivers never act on one run.

use std::collections::BTreeMap;
use std::sync::Arc;

use shipway_core::action::Stop;
use shipway_core::drive::{Engine, Error, Halt, Held};
use shipway_core::id::{Actor, ActorKind, RunId};
use shipway_core::journal::{self, Entry, Event, Journal as _, Outcome};
use shipway_core::run::Run;
use shipway_world::artifact::Store;
use shipway_world::catalog::RealCatalog;
use shipway_world::deploy::Hands;
use shipway_world::facts;
use shipway_world::git::repository::Repository;
use shipway_world::host::{AgentBinary, Fleet};
use shipway_world::shell::{LocalShell, Logs};
use shipway_world::store::{Options, SqliteJournal};
use shipway_world::world::RealWorld;

use crate::stage::{QUIET, Stage, check, gate, home_gate, lives};

fn journal(stage: &Stage) -> SqliteJournal {
    SqliteJournal::open(&stage.state(), Options::default()).unwrap()
}

/// Lets somebody else take the lease while the driver waits at a gate.
fn robbed(stage: &Stage) {
    let first = stage.start(&["push"]);
    stage.reached("gate");
    let run = RunId::new(stage.last_run());
    let journal = journal(stage);
    journal.lease(&run).unwrap();
    let known = journal.read(&run, None).unwrap().len();
    stage.open("gate");
    first.end().assert_code(1).says(&["SW0706", &format!("shipway resume {run}")]);
    assert_eq!(journal.read(&run, None).unwrap().len(), known, "it has written nothing since");
    assert_eq!(stage.remote.tags(), ["v1.0.0"]);
    stage.code(0, &["resume"]);
    stage.assert_shipped();
    stage.code(0, &["log", "--verify"]);
}

#[test]
fn a_driver_that_lost_its_lease_in_a_check_does_nothing_more() {
    robbed(&Stage::new(&check("test", &home_gate("gate"))));
}

#[test]
fn what_a_driver_without_its_lease_has_done_is_found_by_the_next() {
    let stage = Stage::new(QUIET);
    stage.repo.hook("pre-commit", &home_gate("gate"));
    robbed(&stage);
}

#[test]
fn of_two_engines_that_took_a_run_the_later_one_drives() {
    let stage = Stage::new(&check("test", &home_gate("gate")));
    let first = stage.start(&["push"]);
    stage.reached("gate");
    first.signal(rustix::process::Signal::TERM);
    first.said("asked to stop");
    stage.open("gate");
    first.end().assert_code(3);
    let run = RunId::new(stage.last_run());

    with_engine(&stage, |engine| {
        let mut paused = engine.take(&run).unwrap();
        let mut later = engine.take(&run).unwrap();
        let fenced = |result: Result<Halt, Error>| {
            matches!(result, Err(Error::Journal(journal::Error::Fenced { .. })))
        };
        assert!(fenced(engine.drive(&mut paused)));
        let note = |held: &mut Held| engine.note(held, Event::Resumed {});
        assert!(matches!(note(&mut paused), Err(Error::Journal(journal::Error::Fenced { .. }))));
        assert_eq!(stage.remote.tags(), ["v1.0.0"]);
        assert_eq!(engine.drive(&mut later).unwrap(), Halt::Closed(Outcome::Shipped));
        assert!(engine.drive(&mut paused).is_err());
    });
    assert_eq!(stage.remote.tags(), ["v1.0.0", "v1.1.0"]);
}

#[test]
fn a_step_that_takes_too_long_is_ended_with_its_children_and_all_is_taken_back() {
    let stage = Stage::new(QUIET);
    // A run that is refused leaves its plan.
    stage.repo.hook("pre-commit", "exit 1");
    let before = stage.repo.state().without("git hooks");
    stage.code(4, &["push"]);
    let first = RunId::new(stage.last_run());
    stage.repo.hook("pre-commit", &gate(stage.repo.home(), "gate"));
    with_engine(&stage, |engine| {
        let mut plan = engine.take(&first).unwrap().run.plan;
        let commit = plan.stages.iter_mut().flat_map(|stage| &mut stage.steps);
        commit.filter(|step| step.id.as_str() == "commit").for_each(|step| step.timeout_ms = 4000);
        let mut held = engine.open(&RunId::new("0123abcd"), plan).unwrap();
        assert_eq!(engine.drive(&mut held).unwrap(), Halt::Closed(Outcome::RolledBack));
    });
    assert!(stage.home("gate.in").exists() && !lives(&stage.home("gate.in")));
    stage.code(0, &["log", "0123"]).says(&["SW0607", "took too long"]);
    before.assert_same(&stage.repo.state().without("git hooks"));
}

/// Calls with an engine on the repository of a stage, with its journal and its world.
pub(crate) fn with_engine(stage: &Stage, call: impl FnOnce(&Engine<'_>)) {
    let (shell, stop) = (LocalShell::new(), Stop::default());
    let repository = facts::repository(stage.repo.path(), &shell, &stop).unwrap();
    let (journal, catalog) = (journal(stage), catalog(repository));
    let world = RealWorld::new(LocalShell::new(), Arc::new(Logs::new(stage.state())));
    let actor = Actor { kind: ActorKind::Human, name: "Ann".into(), host: "here".into() };
    let watch = |_: &Run, _: &Entry| ();
    call(&Engine {
        journal: &journal,
        catalog: &catalog,
        world: &world,
        stop: &stop,
        actor: &actor,
        watch: &watch,
    });
}

/// Returns the catalog of a repository whose releases reach no host.
fn catalog(repository: Repository) -> RealCatalog {
    let store = Arc::new(Store::new(repository.state_dir().join("store")));
    let fleet = Arc::new(Fleet::new(Arc::clone(&store), AgentBinary::new("/bin/false"), BTreeMap::new()));
    RealCatalog { repository, hands: Hands { fleet, store } }
}
