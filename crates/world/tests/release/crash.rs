//! A whole release and a whole withdrawal, killed before and after every call to the journal and the world, and then
//! resumed or taken back by a second life.

#![expect(clippy::print_stdout, reason = "the counts are part of what the tests show")]

use std::collections::BTreeMap;
use std::env;
use std::io;
use std::time::Duration;

use shipway_core::action::{Cmd, Ended, Output, Shell, Stop, World};
use shipway_core::drive::Halt;
use shipway_core::id::RunId;
use shipway_core::journal::{Event, Journal, Outcome};
use shipway_core::plan::Plan;
use shipway_core::planner::rollback;
use shipway_core::problem::{Code, Problem};
use shipway_core::run::Run;
use shipway_testkit::crash::{Crashy, Fuse, When};
use shipway_testkit::state::Snapshot;
use shipway_testkit::world::{PlainShell, TestWorld};
use shipway_world::store::{MemoryJournal, Options, SqliteJournal};

use crate::place::{Place, RUN, TAG};
use crate::scene;

/// The address that says whether the release is well.
const HEALTH: &str = "http://widget.example/health";

/// What a second life is asked to do.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Second {
    Resume,
    Rollback,
}

/// Where the entries go.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Store {
    Memory,
    Sqlite,
}

/// A stage, a plan on it, and how it goes when nobody is killed.
struct Scenario {
    name: &'static str,
    place: Place,
    run: RunId,
    plan: Plan,
    /// What the health address says.
    status: u16,
    /// Whether the answer to every push is lost.
    deaf: bool,
    outcome: Outcome,
    /// Whether the tag stays on the remote when the release is withdrawn.
    keeps_tag: bool,
    before: (Snapshot, Snapshot),
}

/// Where the process dies, one place for each life.
type Charges = Vec<(u64, When)>;

impl Scenario {
    fn push(name: &'static str, outcome: Outcome, set: impl FnOnce(&Place)) -> Self {
        let place = Place::new();
        set(&place);
        let plan = scene::push_plan(&place, &[HEALTH]);
        let (run, before) = (RunId::new(RUN), seen(&place));
        Self { name, place, run, plan, status: 200, deaf: false, outcome, keeps_tag: true, before }
    }

    fn withdrawal(name: &'static str, delete_tag: bool) -> Self {
        let place = Place::new();
        let shipped = scene::shipped(&place);
        let local = Some(("main".to_owned(), place.rev("main")));
        let target = (Duration::from_mins(2), &place.catalog() as &dyn shipway_core::action::Catalog);
        let plan = rollback::plan(&shipped, (delete_tag, None), local, target).unwrap();
        let (run, before) = (RunId::new("0ddba115"), seen(&place));
        let (outcome, keeps_tag) = (Outcome::Shipped, !delete_tag);
        Self { name, place, run, plan, status: 200, deaf: false, outcome, keeps_tag, before }
    }

    fn status(self, status: u16) -> Self {
        Self { status, ..self }
    }

    fn deaf(self) -> Self {
        Self { deaf: true, ..self }
    }

    fn withdraws(&self) -> bool {
        self.run.as_str() != RUN
    }

    /// Lives until the run ends and returns the place and how it ended; nothing if no run was ever opened.
    fn live(&self, fuse: &Fuse, second: Second, store: Store) -> Result<(Place, Option<Outcome>), String> {
        let place = self.place.copy();
        let plain = PlainShell::hermetic();
        let world = if self.deaf { TestWorld::over(Deaf(plain)) } else { TestWorld::over(plain) };
        world.answer(HEALTH, &[self.status]);
        let journal: Box<dyn Journal> = match store {
            Store::Memory => Box::new(MemoryJournal::new()),
            Store::Sqlite => {
                Box::new(SqliteJournal::open(&place.top().join(".git/shipway"), Options::default()).unwrap())
            }
        };
        let (hands, catalog) = (Crashy::new(&world as &dyn World, fuse), place.catalog());
        let entries = Crashy::new(&*journal, fuse);
        for life in 0..4 {
            let lived = fuse.live(|| {
                scene::engine(&entries, &catalog, &hands, |engine| {
                    if life == 0 {
                        let mut held = engine.open(&self.run, self.plan.clone()).unwrap();
                        return Some(engine.drive(&mut held).unwrap());
                    }
                    if entries.read(&self.run, None).unwrap().is_empty() {
                        return None;
                    }
                    let mut held = engine.take(&self.run).unwrap();
                    for event in taken_up(&held.run, second) {
                        engine.note(&mut held, event).unwrap();
                    }
                    Some(engine.drive(&mut held).unwrap())
                })
            });
            match lived {
                Err(_) => {}
                Ok(None) => return Ok((place, None)),
                Ok(Some(Halt::Closed(outcome))) => {
                    journal.verify().map_err(|error| error.to_string())?;
                    return Ok((place, Some(outcome)));
                }
                Ok(Some(halt)) => return Err(format!("{halt:?}")),
            }
        }
        Err("more lives than deaths".into())
    }

    /// Runs one case and returns the word for its end.
    fn case(&self, charges: &Charges, second: Second, store: Store) -> Result<&'static str, String> {
        let (place, ended) = self.live(&Fuse::lives(charges.clone()), second, store)?;
        if second == Second::Resume && ended.is_some_and(|ended| ended != self.outcome) {
            return Err(format!("ended {ended:?}, and {:?} if nobody is killed", self.outcome));
        }
        scene::no_leftovers(&place)?;
        match ended {
            Some(Outcome::Shipped) if self.withdraws() => self.withdrawn(&place).map(|()| "withdrawn"),
            Some(Outcome::Shipped) if self.outcome == Outcome::Shipped => {
                scene::shipped_once(&place, &self.place.rev("main")).map(|()| "shipped once")
            }
            Some(Outcome::Shipped) => Err("shipped, where nothing can be shipped".into()),
            Some(Outcome::RolledBack | Outcome::Refused) | None => self.is_back(&place),
        }
    }

    fn withdrawn(&self, place: &Place) -> Result<(), String> {
        scene::answered(place, self.keeps_tag)?;
        if place.rev(&format!("refs/tags/{TAG}")).is_empty() == self.keeps_tag {
            return Err("the tag here is not as the tag there".into());
        }
        let (here, there) = (place.rev("main"), place.remote_rev("main"));
        if here == there { Ok(()) } else { Err(format!("main is {here} here, and {there} there")) }
    }

    /// Checks that all is as it was, or that a push which was answered is answered by a revert.
    fn is_back(&self, place: &Place) -> Result<&'static str, String> {
        let (here, there) = seen(place);
        let same = |before: &Snapshot, now: &Snapshot| {
            if before == now { Ok(()) } else { Err(format!("not as it was:\n{}", before.diff(now))) }
        };
        if there == self.before.1 {
            return same(&self.before.0, &here).map(|()| "clean");
        }
        scene::answered(place, true)?;
        let tag = format!("ref refs/tags/{TAG}");
        if here.part(&tag).is_none() {
            return Err("the tag is there and not here".into());
        }
        same(&self.before.0, &here.without(&tag)).map(|()| "answered")
    }

    /// Runs the cases, panics with those that ended wrong, and prints the counts.
    #[track_caller]
    fn check(&self, cases: impl IntoIterator<Item = Charges>, second: Second, store: Store) {
        let (mut ends, mut wrong, mut count) = (BTreeMap::new(), vec![], 0);
        for charges in cases {
            count += 1;
            match self.case(&charges, second, store) {
                Ok(end) => *ends.entry(end).or_insert(0) += 1,
                Err(seen) => wrong.push(format!("{charges:?}: {seen}")),
            }
        }
        println!("crash {}, {second:?}, {store:?}: {count} cases, ends {ends:?}", self.name);
        let shown: Vec<&str> = wrong.iter().take(5).map(String::as_str).collect();
        assert!(wrong.is_empty(), "{}: {} of {count} wrong:\n{}", self.name, wrong.len(), shown.join("\n"));
    }

    /// Returns the calls of a run that nobody kills.
    fn calls(&self) -> Vec<String> {
        let fuse = Fuse::count_only();
        let (_, ended) = self.live(&fuse, Second::Resume, Store::Memory).unwrap();
        assert_eq!(ended, Some(self.outcome), "{}", self.name);
        fuse.names()
    }

    /// Kills the run once at every place, and twice at a sample of places or, on request, at all.
    #[track_caller]
    fn everywhere(&self, second: Second) {
        self.kill(second, 1);
    }

    /// Kills a variant of the run at a sample of places or, on request, at all.
    #[track_caller]
    fn here_and_there(&self, second: Second) {
        self.kill(second, VARIANT);
    }

    #[track_caller]
    fn kill(&self, second: Second, one_in: usize) {
        let calls = self.calls().len() as u64;
        let full = env::var_os("SHIPWAY_TEST_FULL").is_some_and(|value| value == "1");
        let (one_in, pair_in) = if full { (1, 1) } else { (one_in, PAIRS) };
        let singles = Fuse::places(calls).map(|place| vec![place]);
        self.check(singles.step_by(one_in), second, Store::Memory);
        // A second life makes about as many calls as the first; a death beyond its end is none.
        let pairs =
            Fuse::places(calls).flat_map(|first| Fuse::places(calls).map(move |last| vec![first, last]));
        self.check(pairs.skip(pair_in / 2).step_by(pair_in), second, Store::Memory);
    }
}

/// Of how many places of a variant one is tried by default; odd, so that deaths before and after a call take turns.
const VARIANT: usize = 3;

/// Of how many pairs of deaths one is tried by default; a prime, so that both places vary.
const PAIRS: usize = 1511;

/// Returns what the second life writes down first, as `shipway resume` and `shipway rollback` do.
fn taken_up(run: &Run, second: Second) -> Vec<Event> {
    let mut events = vec![];
    if run.stuck.is_some() {
        events.push(Event::Resumed {});
    }
    let back = run.outcome.is_none() && run.back.is_none() && run.can_turn_back();
    if second == Second::Rollback && back {
        let problem = Problem::new(Code::RolledBack, "the run was taken back on request");
        events.push(Event::TurnedBack { problem });
    }
    events
}

/// Returns what is here and what is there. The list of work trees has the path of the place in it.
fn seen(place: &Place) -> (Snapshot, Snapshot) {
    (place.local().without("worktrees"), place.there())
}

/// A shell that loses the answer to every push: it has had its effect, and nobody is told.
struct Deaf(PlainShell);

impl Shell for Deaf {
    fn run(&self, cmd: &Cmd, stop: &Stop) -> io::Result<Output> {
        let output = self.0.run(cmd, stop)?;
        if !cmd.argv.iter().any(|word| word == "push") {
            return Ok(output);
        }
        let stderr = b"fatal: the remote end hung up unexpectedly\n".to_vec();
        Ok(Output { ended: Ended::Exit(128), stdout: vec![], stderr })
    }
}

fn all_well() -> Scenario {
    Scenario::push("all well", Outcome::Shipped, |_| ())
}

fn hooks() -> Scenario {
    Scenario::push("a commit hook", Outcome::Shipped, |place| {
        Place::program(&place.top().join(".git/hooks/pre-commit"), "exit 0");
    })
}

fn refusal() -> Scenario {
    Scenario::push("the remote refuses", Outcome::RolledBack, |place| {
        Place::program(&place.origin().join("hooks/pre-receive"), "echo 'not today' >&2; exit 1");
    })
}

fn deaf() -> Scenario {
    Scenario::push("the answer is lost", Outcome::Shipped, |_| ()).deaf()
}

fn unwell() -> Scenario {
    Scenario::push("the release is not well", Outcome::RolledBack, |_| ()).status(500)
}

#[test]
fn a_release_that_is_killed_anywhere_and_resumed_ships_once() {
    all_well().everywhere(Second::Resume);
}

#[test]
fn a_release_that_is_killed_anywhere_and_taken_back_is_clean_or_answered() {
    all_well().everywhere(Second::Rollback);
}

#[test]
fn a_release_with_a_commit_hook_that_is_killed_anywhere_ships_once() {
    hooks().here_and_there(Second::Resume);
}

#[test]
fn a_release_with_a_commit_hook_that_is_killed_anywhere_and_taken_back_is_clean_or_answered() {
    hooks().here_and_there(Second::Rollback);
}

#[test]
fn a_refused_release_that_is_killed_anywhere_leaves_nothing() {
    refusal().here_and_there(Second::Resume);
}

#[test]
fn a_refused_release_that_is_killed_anywhere_and_taken_back_leaves_nothing() {
    refusal().here_and_there(Second::Rollback);
}

#[test]
fn a_release_whose_answer_is_lost_and_that_is_killed_anywhere_ships_once() {
    deaf().here_and_there(Second::Resume);
}

#[test]
fn a_release_whose_answer_is_lost_and_that_is_killed_anywhere_and_taken_back_is_clean_or_answered() {
    deaf().here_and_there(Second::Rollback);
}

#[test]
fn an_unwell_release_that_is_killed_anywhere_is_answered() {
    unwell().here_and_there(Second::Resume);
}

#[test]
fn an_unwell_release_that_is_killed_anywhere_and_taken_back_is_clean_or_answered() {
    unwell().here_and_there(Second::Rollback);
}

#[test]
fn a_withdrawal_that_is_killed_anywhere_and_resumed_is_whole() {
    Scenario::withdrawal("withdrawal", false).everywhere(Second::Resume);
    Scenario::withdrawal("withdrawal with its tag", true).everywhere(Second::Resume);
}

#[test]
fn a_withdrawal_that_is_killed_anywhere_and_taken_back_is_whole_or_did_nothing() {
    Scenario::withdrawal("withdrawal", false).everywhere(Second::Rollback);
    Scenario::withdrawal("withdrawal with its tag", true).everywhere(Second::Rollback);
}

#[test]
fn a_release_that_is_killed_with_its_journal_on_disk_ships_once_or_is_taken_back() {
    let scenario = all_well();
    let calls = scenario.calls().len() as u64;
    for (second, first) in [(Second::Resume, 0), (Second::Rollback, 4)] {
        let some = Fuse::places(calls).skip(first).step_by(7).map(|place| vec![place]);
        scenario.check(some, second, Store::Sqlite);
    }
}
