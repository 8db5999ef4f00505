//! Every kind of action on a host keeps its contract.
//!
//! These actions make no call to the world of the engine: all they do goes through the agent. So the clauses about deaths
//! and faults have nothing to cut off here; the client and the agent are killed in `crash` instead.

use std::fmt::Write as _;
use std::fs;
use std::path::Path;
use std::rc::Rc;
use std::sync::Arc;

use serde_json::Value;
use shipway_core::action::{Catalog as _, Stop};
use shipway_core::deployment::Host;
use shipway_core::id::{Digest, RunId, StepId};
use shipway_core::kinds::deploy::{self as kinds, Before, Bring};
use shipway_testkit::contract::{Contract, Site, Undo, every_kind_has_a_contract};
use shipway_testkit::world::{NOON, TestWorld};
use shipway_world::agent::hooks::NoHooks;
use shipway_world::agent::protocol::Request;
use shipway_world::catalog::RealCatalog;

use crate::scene::{Scene, ask, first, second};

const CONTRACTS: [Contract; 9] = [
    Contract { kind: kinds::LEASE, make: lease },
    Contract { kind: kinds::STAGE, make: stage },
    Contract { kind: kinds::ADOPT, make: adopt },
    Contract { kind: kinds::SWITCH, make: switch },
    Contract { kind: kinds::CONFIRM, make: confirm },
    Contract { kind: kinds::FINISH, make: finish },
    Contract { kind: kinds::MIGRATE, make: || migrate(true) },
    Contract { kind: kinds::MIGRATE, make: || migrate(false) },
    Contract { kind: kinds::SHARE, make: share },
];

/// One host of a scene, and the client of the run.
struct Place {
    scene: Scene,
    catalog: RealCatalog,
}

thread_local! {
    // One for each test: the others are copies of it.
    static TEMPLATE: Scene = Scene::new(false);
}

impl Place {
    fn new() -> Rc<Self> {
        let scene = TEMPLATE.with(Scene::copy);
        let catalog = scene.catalog(Arc::new(NoHooks));
        Rc::new(Self { scene, catalog })
    }

    fn staged() -> Rc<Self> {
        let place = Self::new();
        let deployment = place.scene.deployment(&second(), &place.scene.two);
        let sent = (&place.scene.two, &[][..]);
        place.catalog.hands.fleet.stage(place.host(), &deployment, sent, &Stop::default()).unwrap();
        place
    }

    fn switched() -> Rc<Self> {
        let place = Self::staged();
        place.ask(Request::Switch { from: Some(first()), within_ms: 600_000 });
        place
    }

    fn host(&self) -> &Host {
        &self.scene.hosts[0]
    }

    fn root(&self) -> &Path {
        Path::new(&self.host().path)
    }

    /// Asks as the run does.
    fn ask(&self, request: Request) {
        ask(&self.catalog.hands.fleet, self.host(), &second(), request).unwrap();
    }

    /// Returns what a plan says to what brings a release.
    fn bring(&self) -> Bring {
        Bring {
            host: self.host().clone(),
            deployment: self.scene.deployment(&RunId::new(""), &self.scene.two),
            from: Some(Before { run: first(), version: "one".into(), artifact: self.scene.one.digest() }),
            confirm_ms: 600_000,
            size: None,
            secrets: vec![],
        }
    }

    /// Builds an action as a plan would, from data.
    fn site(
        self: &Rc<Self>,
        kind: &str,
        args: &impl serde::Serialize,
        snapshot: impl Fn(&Self) -> String + 'static,
        there: impl Fn(&Self) -> bool + 'static,
    ) -> Site {
        let (seen, looked) = (Rc::clone(self), Rc::clone(self));
        let args: Value = serde_json::to_value(args).unwrap();
        Site {
            action: self.catalog.action(kind, &args).unwrap(),
            world: Box::new(TestWorld::new()),
            run: second(),
            step: StepId::new("step"),
            opened: NOON,
            snapshot: Box::new(move || snapshot(&seen)),
            effect_is_there: Box::new(move || there(&looked)),
            make_foreign: None,
            undo: Undo::Exact,
            identity: &[],
        }
    }

    fn read(&self, name: &str) -> String {
        fs::read_to_string(self.root().join(name)).unwrap_or_default()
    }

    fn current(&self) -> String {
        let target = fs::read_link(self.root().join("current"));
        target.map_or_else(|_| "nothing".into(), |target| target.display().to_string())
    }

    fn has_current(&self, artifact: &Digest) -> bool {
        self.current().ends_with(artifact.as_str())
    }

    /// Returns the run whose lease the host knows, and its number.
    fn lease(&self) -> String {
        let lease: Value = serde_json::from_str(&self.read("lease.json")).unwrap_or_default();
        format!("{} {}\n", lease["run"], lease["fence"])
    }

    /// Returns everything on the host but what only grows, and the lease, which whoever asks for something is given.
    fn files(&self) -> String {
        let mut text = String::new();
        list(self.root(), self.root(), &mut text);
        text
    }
}

fn list(root: &Path, dir: &Path, text: &mut String) {
    let mut entries: Vec<_> = fs::read_dir(dir).unwrap().map(|entry| entry.unwrap().path()).collect();
    entries.sort();
    for path in entries {
        let name = path.strip_prefix(root).unwrap().display().to_string();
        if ["journal.jsonl", "lease.json", "lease.lock", "lock"].contains(&name.as_str()) {
            continue;
        }
        let kind = fs::symlink_metadata(&path).unwrap();
        if kind.is_dir() {
            // A directory of the store may stay when it is empty.
            list(root, &path, text);
        } else if kind.is_symlink() {
            writeln!(text, "{name} -> {}", fs::read_link(&path).unwrap().display()).unwrap();
        } else {
            writeln!(text, "{name} {} bytes", kind.len()).unwrap();
        }
    }
}

fn lease() -> Site {
    let place = Place::new();
    let foreign = Rc::clone(&place);
    let args = kinds::Lease { host: place.host().clone() };
    let wanted = format!("\"{}\"", second());
    place.site(kinds::LEASE, &args, Place::lease, move |place| place.lease().starts_with(&wanted)).foreign(
        move || {
            let fleet = foreign.scene.fleet(Arc::new(NoHooks));
            ask(&fleet, foreign.host(), &RunId::new("0000000c"), Request::Ping).unwrap();
        },
    )
}

fn stage() -> Site {
    let place = Place::new();
    let release = place.root().join("releases").join(place.scene.two.digest().as_str());
    place.site(kinds::STAGE, &place.bring(), Place::files, move |_| release.is_dir()).identity(&["staged"])
}

fn adopt() -> Site {
    let place = Place::new();
    let deployment = place.scene.deployment(&RunId::new(""), &place.scene.one);
    let args = Bring { deployment, ..place.bring() };
    let known = format!("deployments/{}.json", second());
    place.site(kinds::ADOPT, &args, Place::files, move |place| place.root().join(&known).is_file())
}

fn switch() -> Site {
    let place = Place::staged();
    let foreign = Rc::clone(&place);
    // What was live once and failed stays for whoever looks why; what is live is as it was.
    let snapshot = |place: &Place| format!("{}\n{}", place.current(), place.read("watchdog.json").len());
    place
        .site(kinds::SWITCH, &place.bring(), snapshot, |place| place.has_current(&place.scene.two.digest()))
        .foreign(move || {
            foreign.ask(Request::Release);
            // Another run makes the same bytes live: they are not ours all the same.
            foreign.scene.deploy(foreign.host(), &RunId::new("0000000c"), &foreign.scene.two);
        })
        .identity(&["live"])
}

fn share() -> Site {
    let place = Place::staged();
    let foreign = Rc::clone(&place);
    let args = kinds::Share { bring: place.bring(), share: 5_000, first: true };
    // Nothing runs here that could share its traffic: what is there is that the host has begun to leave what is live.
    let snapshot = |place: &Place| format!("{}\n{}", place.current(), place.read("watchdog.json").len());
    place
        .site(kinds::SHARE, &args, snapshot, |place| !place.read("watchdog.json").is_empty())
        .foreign(move || {
            foreign.ask(Request::Release);
            foreign.scene.deploy(foreign.host(), &RunId::new("0000000c"), &foreign.scene.two);
        })
        .identity(&["shared"])
}

/// Whoever takes a run back goes back from the release with the switch, whether it was confirmed or not.
fn with_the_switch(place: &Rc<Place>) -> Undo {
    let place = Rc::clone(place);
    Undo::With(Box::new(move || {
        place.ask(Request::Revert);
        let back = place.has_current(&place.scene.one.digest()) && place.read("watchdog.json").is_empty();
        if back { Ok(()) } else { Err(format!("current leads to {}", place.current())) }
    }))
}

fn confirm() -> Site {
    let place = Place::switched();
    let (foreign, undo) = (Rc::clone(&place), with_the_switch(&place));
    let args = kinds::Confirm { host: place.host().clone() };
    let confirmed = |line: &str| line.contains("confirmed") && line.contains(second().as_str());
    place
        .site(kinds::CONFIRM, &args, Place::files, move |place| {
            place.read("journal.jsonl").lines().any(confirmed)
        })
        .foreign(move || foreign.ask(Request::Revert))
        .undo(undo)
}

fn finish() -> Site {
    let place = Place::switched();
    place.ask(Request::Confirm);
    let undo = with_the_switch(&place);
    let args = kinds::Finish { host: place.host().clone(), keep: 0, keep_bytes: None };
    // What is swept is needed by no way back; so the way back is what is judged.
    place
        .site(kinds::FINISH, &args, Place::files, |place| place.read("lease.json").is_empty())
        .identity(&["finished"])
        .undo(undo)
}

fn migrate(with_undo: bool) -> Site {
    let place = Place::staged();
    let words = |command: &str| vec!["sh".to_owned(), "-c".into(), command.to_owned()];
    let table = place.root().parent().unwrap().join("table");
    let file = table.display();
    let args = kinds::Migrate {
        host: place.host().clone(),
        name: "table".into(),
        deployment: place.bring().deployment,
        run: words(&format!("cat version >'{file}'")),
        done: words(&format!("test -e '{file}'")),
        undo: if with_undo { words(&format!("rm -f '{file}'")) } else { vec![] },
        outgrows: vec![],
        stays: false,
    };
    let (seen, there) = (table.clone(), table);
    let snapshot = move |place: &Place| format!("{}{:?}", place.files(), fs::read_to_string(&seen).ok());
    let migrated = move |_: &Place| fs::read_to_string(&there).is_ok_and(|text| text == "two");
    let undo = if with_undo { Undo::Exact } else { Undo::Never };
    place.site(kinds::MIGRATE, &args, snapshot, migrated).undo(undo)
}

#[test]
fn every_kind_on_a_host_has_a_contract() {
    let place = Place::new();
    let kinds = place.catalog.kinds().iter().copied().filter(|kind| kind.starts_with("host."));
    every_kind_has_a_contract(&kinds.collect::<Vec<&str>>(), &CONTRACTS);
}

#[test]
fn a_lease_keeps_its_contract() {
    CONTRACTS[0].assert_kept();
}

#[test]
fn a_staged_release_keeps_its_contract() {
    CONTRACTS[1].assert_kept();
}

#[test]
fn an_adopted_release_keeps_its_contract() {
    CONTRACTS[2].assert_kept();
}

#[test]
fn a_switch_keeps_its_contract() {
    CONTRACTS[3].assert_kept();
}

#[test]
fn a_confirmation_keeps_its_contract() {
    CONTRACTS[4].assert_kept();
}

#[test]
fn a_finish_keeps_its_contract() {
    CONTRACTS[5].assert_kept();
}

#[test]
fn a_migration_with_an_undo_keeps_its_contract() {
    CONTRACTS[6].assert_kept();
}

#[test]
fn a_migration_without_an_undo_keeps_its_contract() {
    CONTRACTS[7].assert_kept();
}

#[test]
fn a_share_keeps_its_contract() {
    CONTRACTS[8].assert_kept();
}
