//! A rolling deployment over three hosts whose client is killed at every message and every entry, or one of whose agents
//! is, and which is then resumed or taken back: in the end every host has the new release, or every host the old one.

#![expect(clippy::print_stdout, reason = "the counts are part of what the tests show")]

use std::collections::BTreeMap;
use std::env;
use std::fs;
use std::path::Path;
use std::sync::Arc;
use std::sync::Mutex;
use std::thread;

use shipway_core::action::{Stop, World as _};
use shipway_core::drive::{Engine, Halt};
use shipway_core::id::{Actor, ActorKind};
use shipway_core::journal::{Event, Journal, Outcome};
use shipway_core::plan::Plan;
use shipway_core::problem::{Code, Problem};
use shipway_core::run::Run;
use shipway_testkit::crash::{Crashy, Fuse, PLACE, Uncounted, When};
use shipway_testkit::world::TestWorld;
use shipway_world::agent::protocol::{Standing, State};
use shipway_world::store::MemoryJournal;

use crate::migrating;
use crate::scene::{Scene, first, second};

/// What happens between a death and the next life.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Meanwhile {
    /// Nothing.
    Nothing,
    /// More time passes than any host waits.
    Time,
    /// All hosts are started anew.
    Restart,
}

/// What a later life is asked to do.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Second {
    Resume,
    Rollback,
}

/// Who is killed, and where.
#[derive(Clone, Debug)]
pub(crate) enum Death {
    /// The client, at one of its messages or entries.
    Client(u64, When),
    /// The client, at one of its calls of the journal.
    Entry(u64, When),
    Agent(u64),
    /// The client in its first life, and again in its second.
    Twice((u64, When), (u64, When)),
    /// An agent, and the client as well.
    Both(u64, (u64, When)),
}

/// Which calls of the client count.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Count {
    /// Those of its journal, and its messages.
    All,
    /// Those of its journal only; their order hardly depends on how fast hosts answer.
    Entries,
}

/// How often a run may be taken up until it has to be at its end.
const LIVES: usize = 8;

/// Of how many places one is tried by default; a prime, so that sides and hosts take turns.
const ONE_IN: usize = 7;

/// How many cases are tried at once. Most of their time is spent on waiting for processes.
const AT_ONCE: usize = 3;

pub(crate) struct Story {
    name: &'static str,
    template: Scene,
    plan: Plan,
}

/// How a case ended, and what was seen on the way.
#[derive(Debug, Default)]
struct Seen {
    end: &'static str,
    stuck: Vec<String>,
    died: bool,
}

impl Story {
    fn new(name: &'static str, serves: bool) -> Self {
        Self::of(name, Scene::new(serves))
    }

    pub(crate) fn of(name: &'static str, template: Scene) -> Self {
        // A plan names the directories of its hosts, so each case makes its own; this one is for its size.
        let plan = template.plan();
        Self { name, template, plan }
    }

    /// Returns the calls of a run that nobody kills, and how many places its agents pass.
    fn calls(&self, count: Count) -> (Vec<String>, u64) {
        let (scene, fuse) = (self.template.copy(), Fuse::count_only());
        let before = passed(&scene);
        let mut seen = Seen::default();
        let ended = live(&scene, (&fuse, count), (Second::Resume, Meanwhile::Nothing), &mut seen).unwrap();
        assert_eq!(ended, Some(Outcome::Shipped), "{}", self.name);
        assert_eq!(judge(&scene), Ok("whole"), "{}", self.name);
        assert_eq!(migrating::judge(&scene, "whole"), Ok(()), "{}", self.name);
        (fuse.names(), passed(&scene) - before)
    }

    fn case(&self, death: &Death, how: (Second, Meanwhile)) -> Result<Seen, String> {
        let scene = self.template.copy();
        let (fuse, count) = match *death {
            Death::Entry(number, when) => (Fuse::at(number, when), Count::Entries),
            Death::Client(number, when) | Death::Both(_, (number, when)) => {
                (Fuse::at(number, when), Count::All)
            }
            Death::Twice(first, second) => (Fuse::pair(first, second), Count::All),
            Death::Agent(_) => (Fuse::count_only(), Count::All),
        };
        if let Death::Agent(number) | Death::Both(number, _) = death {
            fs::write(scene.places().join("die-in"), number.to_string()).unwrap();
        }
        let mut seen = Seen::default();
        let ended = live(&scene, (&fuse, count), how, &mut seen)?;
        // Whoever looks must not be killed in the place of one that was missed.
        if let Death::Agent(_) | Death::Both(..) = death {
            let missed = fs::remove_file(scene.places().join("die-in")).is_ok();
            seen.died |= !missed && scene.places().join("died").exists();
        }
        scene.always_whole()?;
        seen.end = judge(&scene)?;
        migrating::judge(&scene, seen.end)?;
        let fits = match ended {
            Some(Outcome::Shipped) => seen.end == "whole",
            Some(Outcome::RolledBack | Outcome::Refused) | None => seen.end == "back",
        };
        if fits { Ok(seen) } else { Err(format!("the run ended {ended:?}, and the hosts are {}", seen.end)) }
    }

    /// Runs the cases, panics with those that ended wrong, prints the counts, and returns them by end, with how
    /// often a run was stuck on the way.
    pub(crate) fn check(
        &self,
        deaths: &[Death],
        how: (Second, Meanwhile),
    ) -> (BTreeMap<&'static str, usize>, usize) {
        let next = Mutex::new(deaths.iter());
        let results = Mutex::new(vec![]);
        thread::scope(|scope| {
            for _ in 0..AT_ONCE {
                scope.spawn(|| {
                    loop {
                        let death = next.lock().unwrap().next();
                        let Some(death) = death else { return };
                        let result = self.case(death, how).map_err(|seen| format!("{death:?}: {seen}"));
                        results.lock().unwrap().push(result);
                    }
                });
            }
        });
        let (mut ends, mut wrong, mut stuck, mut died) = (BTreeMap::new(), vec![], vec![], 0);
        for result in results.into_inner().unwrap() {
            match result {
                Ok(seen) => {
                    *ends.entry(seen.end).or_insert(0) += 1;
                    stuck.extend(seen.stuck);
                    died += usize::from(seen.died);
                }
                Err(seen) => wrong.push(seen),
            }
        }
        let count = deaths.len();
        println!(
            "crash {}, {how:?}: {count} cases, {died} killed, stuck on the way {} times, ends {ends:?}",
            self.name,
            stuck.len()
        );
        for step in &stuck {
            println!("  stuck at {step}");
        }
        let shown: Vec<&str> = wrong.iter().take(5).map(String::as_str).collect();
        assert!(wrong.is_empty(), "{}: {} of {count} wrong:\n{}", self.name, wrong.len(), shown.join("\n"));
        (ends, stuck.len())
    }

    /// Returns the deaths of the client: before and after each entry, and at each place of its messages.
    pub(crate) fn clients(&self, skip: usize) -> Vec<Death> {
        let names = self.calls(Count::All).0;
        let places = Fuse::places(names.len() as u64).filter(|(number, when)| {
            let name = &names[usize::try_from(*number).unwrap() - 1];
            *when == When::Before || !name.starts_with(PLACE)
        });
        some(places.map(|(number, when)| Death::Client(number, when)), skip)
    }

    /// Returns the deaths of the client before and after each call of the journal, all of them.
    pub(crate) fn entries(&self) -> Vec<Death> {
        let names = self.calls(Count::Entries).0;
        Fuse::places(names.len() as u64).map(|(number, when)| Death::Entry(number, when)).collect()
    }

    /// Returns pairs of deaths: the client dies at each of its places and then once more, now sooner and now later, and
    /// every other time an agent dies instead of the client's second life.
    fn pairs(&self, skip: usize) -> Vec<Death> {
        let (names, passed) = self.calls(Count::All);
        let calls = names.len() as u64;
        let places = Fuse::places(calls).filter(|(_, when)| *when == When::Before).enumerate();
        let pair = |(at, place): (usize, (u64, When))| {
            // Strides without a common factor, so that early and late deaths meet in all ways.
            let stride = at as u64 * 13;
            let when = if at % 3 == 0 { When::After } else { When::Before };
            if at % 2 == 0 {
                Death::Twice(place, (1 + stride % (calls / 2), when))
            } else {
                Death::Both(stride % passed, place)
            }
        };
        some(places.map(pair), skip)
    }

    /// Returns the deaths of agents: at each of their messages and entries.
    fn agents(&self, skip: usize) -> Vec<Death> {
        some((0..self.calls(Count::All).1).map(Death::Agent), skip)
    }
}

/// Returns a sample, or all on request.
fn some(deaths: impl Iterator<Item = Death>, skip: usize) -> Vec<Death> {
    let full = env::var_os("SHIPWAY_TEST_FULL").is_some_and(|value| value == "1");
    if full { deaths.collect() } else { deaths.skip(skip).step_by(ONE_IN).collect() }
}

fn passed(scene: &Scene) -> u64 {
    let passed = fs::read_to_string(scene.places().join("passed")).unwrap_or_default();
    passed.lines().count() as u64
}

/// Lives until the run ends, and returns how; nothing if no run was ever opened.
fn live(
    scene: &Scene,
    (fuse, count): (&Fuse, Count),
    (second_life, meanwhile): (Second, Meanwhile),
    seen: &mut Seen,
) -> Result<Option<Outcome>, String> {
    let (journal, world, plan) = (MemoryJournal::new(), TestWorld::new(), scene.plan());
    let entries = Crashy::new(&journal, fuse);
    let (stop, actor) =
        (Stop::default(), Actor { kind: ActorKind::Machine, name: "test".into(), host: "here".into() });
    for life in 0..LIVES {
        let lived = fuse.live(|| {
            // A client that is gone takes its connections with it.
            let catalog = match count {
                Count::All => scene.catalog(Arc::new(fuse.clone())),
                Count::Entries => scene.catalog(Arc::new(Uncounted(fuse.clone()))),
            };
            let engine = Engine {
                journal: &entries,
                catalog: &catalog,
                world: &world,
                stop: &stop,
                actor: &actor,
                watch: &|_, _| (),
            };
            if life == 0 {
                let mut held = engine.open(&second(), plan.clone()).unwrap();
                return Some(engine.drive(&mut held).unwrap());
            }
            if entries.read(&second(), None).unwrap().is_empty() {
                return None;
            }
            let mut held = engine.take(&second()).unwrap();
            // Who merely waited is not asked for anything else.
            let asked = if seen.died { second_life } else { Second::Resume };
            for event in taken_up(&held.run, asked) {
                engine.note(&mut held, event).unwrap();
            }
            migrating::approve(&engine, &mut held);
            Some(engine.drive(&mut held).unwrap())
        });
        scene.always_whole()?;
        match lived {
            Err(_) => seen.died = true,
            Ok(None) => return Ok(None),
            Ok(Some(Halt::Closed(outcome))) => {
                journal.verify().map_err(|error| error.to_string())?;
                return Ok(Some(outcome));
            }
            Ok(Some(Halt::Stuck(at, problem))) => {
                let found = problem.found.as_deref().unwrap_or_default();
                seen.stuck.push(format!("{at}: {problem} {found}"));
            }
            Ok(Some(Halt::Waiting(_, _, until))) => {
                world.set(until.unwrap_or(world.now()));
            }
            Ok(Some(halt @ Halt::Stopped)) => return Err(format!("{halt:?}")),
        }
        match meanwhile {
            Meanwhile::Nothing => {}
            Meanwhile::Time => fs::write(scene.places().join("later"), "3600000").unwrap(),
            Meanwhile::Restart => fs::write(scene.places().join("boot"), "").unwrap(),
        }
    }
    Err(format!("it comes to no end: {:?}", seen.stuck))
}

/// Returns what a later life writes down first, as `shipway resume` and `shipway rollback` do.
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

/// Returns the word for how the hosts are, all of them, or what is wrong.
fn judge(scene: &Scene) -> Result<&'static str, String> {
    let mut words = vec![];
    for (host, state) in scene.hosts.iter().zip(scene.look()) {
        let word = one(scene, Path::new(&host.path), &state)
            .map_err(|seen| format!("host {}: {seen}", host.name))?;
        words.push(word);
    }
    let first = words[0];
    if words.iter().all(|word| *word == first) { Ok(first) } else { Err(format!("hosts differ: {words:?}")) }
}

fn one(scene: &Scene, root: &Path, state: &State) -> Result<&'static str, String> {
    let require = |kept: bool, seen: String| if kept { Ok(()) } else { Err(seen) };
    require(state.drift.is_empty(), format!("drift: {:?}", state.drift))?;
    require(state.no_way_back.is_empty(), format!("no way back: {:?}", state.no_way_back))?;
    require(state.watchdog.is_none(), format!("a watchdog is armed: {:?}", state.watchdog))?;
    let free = state.lease.as_ref().is_none_or(|lease| lease.left_ms == 0);
    require(free, format!("the lease is held: {:?}", state.lease))?;
    let stranger = state.services.iter().find(|seen| !seen.running || !seen.ours);
    require(stranger.is_none(), format!("service: {stranger:?}"))?;
    let names: Vec<String> =
        fs::read_dir(root.join("releases")).unwrap().map(|entry| name(&entry.unwrap())).collect();
    let half = names.iter().find(|name| name.starts_with('.'));
    require(half.is_none(), format!("a half release is left behind: {half:?}"))?;
    let standing = |run| {
        let known = state.deployments.iter().rev().find(|known| known.deployment.run == run);
        known.map(|known| known.standing)
    };
    require(
        standing(first()) == Some(Standing::Confirmed),
        format!("the first run is {:?}", standing(first())),
    )?;
    let version = fs::read_to_string(root.join("current/version")).unwrap_or_default();
    let there = names.iter().any(|name| name == scene.two.digest().as_str());
    match (standing(second()), &state.current) {
        (Some(Standing::Confirmed), Some(run)) if *run == second() => {
            require(version == "two", format!("current has {version}"))?;
            require(state.previous == Some(first()), format!("the way back is {:?}", state.previous))?;
            Ok("whole")
        }
        (None | Some(Standing::Discarded | Standing::Failed), Some(run)) if *run == first() => {
            require(version == "one", format!("current has {version}"))?;
            // One that failed stays for whoever looks why, until the next deployment clears it away.
            let stays = standing(second()) == Some(Standing::Failed);
            require(there == stays, format!("the release is there: {there}, kept: {stays}"))?;
            require(state.previous != Some(second()), "a failed release is the way back".into())?;
            Ok("back")
        }
        (standing, current) => Err(format!("the run is {standing:?}, and live is {current:?}")),
    }
}

fn name(entry: &fs::DirEntry) -> String {
    entry.file_name().to_string_lossy().into_owned()
}

#[test]
fn a_deployment_whose_client_is_killed_anywhere_and_resumed_is_whole_or_back() {
    let story = Story::new("client", false);
    assert!(story.plan.steps().count() > 15);
    let deaths = story.clients(0);
    let (ends, _) = story.check(&deaths, (Second::Resume, Meanwhile::Nothing));
    // Most are simply gone on with.
    assert!(ends.get("whole").is_some_and(|whole| *whole * 2 > deaths.len()), "{ends:?}");
}

#[test]
fn a_deployment_whose_client_is_killed_anywhere_and_taken_back_is_whole_or_back() {
    let story = Story::new("client", false);
    let (ends, _) = story.check(&story.clients(2), (Second::Rollback, Meanwhile::Nothing));
    assert!(ends.contains_key("back"), "{ends:?}");
}

#[test]
fn a_deployment_that_is_killed_and_resumed_after_the_hosts_went_back_is_whole_or_back() {
    let story = Story::new("client, late", false);
    story.check(&story.clients(4), (Second::Resume, Meanwhile::Time));
}

#[test]
fn a_deployment_that_is_killed_and_resumed_after_the_hosts_were_started_anew_is_whole_or_back() {
    let story = Story::new("client, hosts restarted", false);
    story.check(&story.clients(6), (Second::Resume, Meanwhile::Restart));
}

#[test]
fn a_deployment_one_of_whose_agents_is_killed_anywhere_is_whole_or_back() {
    let story = Story::new("agent", false);
    let deaths = story.agents(1);
    let (ends, stuck) = story.check(&deaths, (Second::Resume, Meanwhile::Nothing));
    // The next agent is there at once, so one that is lost is no reason to ask a person.
    assert_eq!(stuck, 0, "{ends:?}");
    assert!(ends.get("whole").is_some_and(|whole| *whole * 2 > deaths.len()), "{ends:?}");
}

#[test]
fn a_deployment_with_a_service_that_is_killed_anywhere_is_whole_or_back() {
    let story = Story::new("client, with a service", true);
    let deaths: Vec<Death> = story.clients(3).into_iter().step_by(3).collect();
    story.check(&deaths, (Second::Resume, Meanwhile::Nothing));
    story.check(&deaths, (Second::Rollback, Meanwhile::Nothing));
}

#[test]
fn a_deployment_with_two_deaths_is_whole_or_back() {
    let story = Story::new("two deaths", false);
    let deaths = story.pairs(5);
    assert!(deaths.len() > 5, "{deaths:?}");
    let (_, stuck) = story.check(&deaths, (Second::Resume, Meanwhile::Nothing));
    assert_eq!(stuck, 0);
    story.check(&deaths, (Second::Rollback, Meanwhile::Nothing));
}
