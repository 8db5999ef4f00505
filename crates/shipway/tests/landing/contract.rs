//! The steps of a landing keep the contract of actions, against a real guard.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::rc::Rc;
use std::sync::Arc;
use std::time::{SystemTime, UNIX_EPOCH};

use serde_json::Value;
use shipway_core::action::{Action, Catalog as _, Cx, Stop};
use shipway_core::id::{RunId, StepId};
use shipway_core::kinds::land as kinds;
use shipway_core::policy::Method;
use shipway_core::statement::Reason;
use shipway_core::time::Time;
use shipway_testkit::contract::{Contract, Site, Undo, every_kind_has_a_contract};
use shipway_testkit::state::Snapshot;
use shipway_testkit::world::TestWorld;
use shipway_world::artifact::Store;
use shipway_world::catalog::RealCatalog;
use shipway_world::deploy::Hands;
use shipway_world::git::cmd::Remote;
use shipway_world::git::repository::Repository;
use shipway_world::host::{AgentBinary, Fleet};
use tempfile::TempDir;

use crate::stage::Stage;

const CONTRACTS: [Contract; 2] =
    [Contract { kind: kinds::TICKET, make: ticket }, Contract { kind: kinds::LAND, make: land }];

/// A guarded repository with an approved change, and a clone of it.
struct Place {
    root: TempDir,
    old: String,
    new: String,
    key: PathBuf,
}

/// What every place is a copy of; its hooks are those of all copies.
struct Template {
    stage: Stage,
    old: String,
    new: String,
}

thread_local! {
    static TEMPLATE: Template = {
        let stage = Stage::new().unwrap();
        let old = stage.tip("main");
        let new = stage.work("ann", "feature/x", "x");
        stage.propose("ann", "main", &[]);
        stage.did("ben", &["change", "approve", "1"]);
        // A relative address, so that a copy of the clone pushes to the copy of the repository.
        stage.ok(&["config", "remote.origin.url", "../app.git"]);
        Template { stage, old, new }
    };
}

impl Place {
    fn new() -> Rc<Self> {
        TEMPLATE.with(|template| {
            let root = tempfile::tempdir().unwrap();
            let clone = template.stage.repo.path();
            for (from, to) in [(clone, "clone"), (template.stage.bare.as_path(), "app.git")] {
                let status = Command::new("cp").arg("-a").arg(from).arg(root.path().join(to)).status();
                assert!(status.unwrap().success());
            }
            let (old, new) = (template.old.clone(), template.new.clone());
            Rc::new(Self { root, old, new, key: template.stage.key("ann") })
        })
    }

    fn bare(&self) -> PathBuf {
        self.root.path().join("app.git")
    }

    fn there(&self, args: &[&str]) -> String {
        let output = shipway_testkit::hermetic::command("git", &self.bare()).args(args).output().unwrap();
        String::from_utf8_lossy(&output.stdout).trim().to_owned()
    }

    fn action(&self, kind: &str, args: &Value) -> Box<dyn Action> {
        let top = self.root.path().join("clone");
        let git_dir = top.join(".git");
        let store = Arc::new(Store::new(git_dir.join("shipway/store")));
        let fleet = Arc::new(Fleet::new(Arc::clone(&store), AgentBinary::new("/bin/false"), BTreeMap::new()));
        let common_dir = git_dir.clone();
        let repository = Repository { top, git_dir, common_dir, reach: Remote::default() };
        RealCatalog { repository, hands: Hands { fleet, store } }.action(kind, args).unwrap()
    }

    fn ticket(&self) -> Value {
        let public = std::fs::read_to_string(self.key.with_extension("pub")).unwrap();
        let policy = {
            let text = self.there(&["cat-file", "-p", "main:.shipway/policy.toml"]);
            shipway_core::policy::read(&text, "policy.toml").unwrap().digest().to_string()
        };
        let args = kinds::Ticket {
            remote: "origin".into(),
            repository: "app".into(),
            reference: "refs/heads/main".into(),
            old: self.old.clone(),
            new: self.new.clone(),
            policy,
            reason: Reason::Change { change: 1, version: 1, method: Method::FastForward },
            approvals: vec![],
            checks: vec!["whole".into()],
            good_for_ms: 600_000,
            key: public.trim().to_owned(),
            key_file: self.key.display().to_string(),
            agent: None,
        };
        serde_json::to_value(args).unwrap()
    }

    fn land(&self) -> Value {
        let args = kinds::Land {
            remote: "origin".into(),
            branch: "main".into(),
            old: self.old.clone(),
            new: self.new.clone(),
            how: "fast-forward".into(),
        };
        serde_json::to_value(args).unwrap()
    }
}

/// Returns a world whose clock is that of the guard.
fn world() -> TestWorld {
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_millis();
    let world = TestWorld::new();
    world.set(Time(u64::try_from(now).unwrap()));
    world
}

fn snapshot(dir: &Path) -> String {
    Snapshot::of_bare(dir).to_string()
}

fn ticket() -> Site {
    let place = Place::new();
    let (seen, looked) = (Rc::clone(&place), Rc::clone(&place));
    let there = move || !looked.there(&["for-each-ref", "refs/shipway/landings"]).is_empty();
    Site {
        action: place.action(kinds::TICKET, &place.ticket()),
        ..blank(move || snapshot(&seen.bare()), there)
    }
    .world(world())
    .identity(&["ticket"])
    // One that is not used moves nothing, and ends soon.
    .undo(Undo::With(Box::new(|| Ok(()))))
}

fn land() -> Site {
    let place = Place::new();
    let (run, step, world_of_ticket) = (RunId::new("7f3a9c01"), StepId::new("ticket"), world());
    let cx = Cx {
        run: &run,
        step: &step,
        attempt: 1,
        opened: Time(0),
        timeout: std::time::Duration::from_mins(1),
        world: &world_of_ticket,
        stop: &Stop::default(),
    };
    place.action(kinds::TICKET, &place.ticket()).apply(&cx).unwrap();
    let (seen, looked, foreign) = (Rc::clone(&place), Rc::clone(&place), Rc::clone(&place));
    let there = move || looked.there(&["rev-parse", "main"]) == looked.new;
    Site { action: place.action(kinds::LAND, &place.land()), ..blank(move || snapshot(&seen.bare()), there) }
        .world(world())
        .foreign(move || {
            let tree = foreign.there(&["rev-parse", "main^{tree}"]);
            let parent = foreign.old.as_str();
            let ident = ["-c", "user.name=x", "-c", "user.email=x@example.org"];
            let make = ["commit-tree", "-m", "feat: of somebody else", "-p", parent, &tree];
            let other = foreign.there(&[&ident[..], &make].concat());
            foreign.there(&["-c", "core.hooksPath=/dev/null", "update-ref", "refs/heads/main", &other]);
        })
        .undo(Undo::Never)
}

/// Returns a site whose action is still to be set.
fn blank(snapshot: impl Fn() -> String + 'static, there: impl Fn() -> bool + 'static) -> Site {
    let place = Place::new();
    let action = place.action(kinds::LAND, &place.land());
    Site {
        action,
        world: Box::new(TestWorld::new()),
        run: RunId::new("7f3a9c01"),
        step: StepId::new("step"),
        opened: Time(0),
        snapshot: Box::new(snapshot),
        effect_is_there: Box::new(there),
        make_foreign: None,
        undo: Undo::Exact,
        identity: &[],
    }
}

#[test]
fn the_steps_of_a_landing_keep_their_contract() {
    if Stage::empty().is_none() {
        return;
    }
    every_kind_has_a_contract(&[kinds::TICKET, kinds::LAND], &CONTRACTS);
    CONTRACTS[0].assert_kept();
    CONTRACTS[1].assert_kept();
}
