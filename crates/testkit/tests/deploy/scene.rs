//! An environment of three hosts on this machine with one release on them, the next one, and the plan between the two.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::Arc;
use std::time::Duration;

use shipway_core::action::{Fault, Stop};
use shipway_core::config::{Share, Strategy};
use shipway_core::deployment::{Deployment, Host, Keeper, Manifest, Runtime, Service, Switch};
use shipway_core::gate::Need;
use shipway_core::id::RunId;
use shipway_core::kinds::Window;
use shipway_core::kinds::deploy::{Before, Migrate, Watch, Well};
use shipway_core::plan::{Plan, Release, Verb};
use shipway_core::planner::deploy::{self, Material, Migration, Order, Target, Way};
use shipway_core::planner::gates::{self, People};
use shipway_testkit::hermetic;
use shipway_world::agent::hooks::{Hooks, NoHooks};
use shipway_world::agent::protocol::{Look, Request, Response, State};
use shipway_world::artifact::{Selection, Store, changed, manifest};
use shipway_world::catalog::RealCatalog;
use shipway_world::deploy::Hands;
use shipway_world::git::cmd::Remote;
use shipway_world::git::repository::Repository;
use shipway_world::host::{AgentBinary, By, Fleet};
use tempfile::TempDir;

/// The agent that can be ended.
const AGENT: &str = env!("CARGO_BIN_EXE_agent-dies");
/// How long anything may take.
pub(crate) const LIMIT: Duration = Duration::from_mins(5);
/// After what time a host that hears nothing puts itself back; its clock is moved, nobody waits for it.
pub(crate) const CONFIRM: Duration = Duration::from_mins(10);

/// The run that brought what is live before.
pub(crate) fn first() -> RunId {
    RunId::new("0000000a")
}

/// The run that is killed.
pub(crate) fn second() -> RunId {
    RunId::new("0000000b")
}

/// Whether a migration can be taken back.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Back {
    /// By a command.
    Undo,
    /// Not at all: it is the point of no return.
    Never,
}

/// Hosts, and what is brought to them.
pub(crate) struct Scene {
    dir: TempDir,
    serves: bool,
    /// How a migration goes with the second release, whose gate waits then.
    pub(crate) migrates: Option<Back>,
    pub(crate) store: Arc<Store>,
    pub(crate) hosts: Vec<Host>,
    pub(crate) one: Manifest,
    pub(crate) two: Manifest,
}

fn scratch() -> TempDir {
    let memory = Path::new("/dev/shm");
    let dir = if memory.is_dir() { tempfile::tempdir_in(memory) } else { tempfile::tempdir() };
    dir.unwrap()
}

fn sh(script: &str, args: &[&Path]) {
    let mut command = Command::new("sh");
    assert!(command.args(["-ec", script, "sh"]).args(args).status().unwrap().success(), "{script}");
}

fn hosts(dir: &Path) -> Vec<Host> {
    let host = |name: &str| Host {
        name: name.into(),
        address: String::new(),
        path: dir.join("hosts").join(name).display().to_string(),
        ssh: vec![],
        roles: vec![],
    };
    ["a", "b", "c"].map(host).into()
}

impl Scene {
    /// Returns an environment on whose hosts the first release is live and confirmed.
    pub(crate) fn new(serves: bool) -> Self {
        let dir = scratch();
        fs::create_dir(dir.path().join("places")).unwrap();
        // Written by another process: a program that is open for writing cannot be run.
        let script = format!("#!/bin/sh\nexec {AGENT} \"${{0%/*}}/places\" \"$@\"\n");
        sh(r#"printf '%s' "$2" >"$1" && chmod +x "$1""#, &[&dir.path().join("agent"), Path::new(&script)]);
        let store = Arc::new(Store::open(dir.path().join("store")).unwrap());
        let built = |version: &str| {
            let built = dir.path().join("built").join(version);
            fs::create_dir_all(built.join("lib")).unwrap();
            fs::write(built.join("version"), version).unwrap();
            fs::write(built.join("lib/same"), "the same in both").unwrap();
            let manifest = manifest(&built, &Selection::default()).unwrap();
            store.put_dir(&built, &manifest).unwrap();
            manifest
        };
        let (one, two) = (built("one"), built("two"));
        let hosts = hosts(dir.path());
        let scene = Self { dir, serves, migrates: None, store, hosts, one, two };
        for host in &scene.hosts {
            scene.deploy(host, &first(), &scene.one);
        }
        scene
    }

    /// Returns a copy; where services run, one that is made anew.
    pub(crate) fn copy(&self) -> Self {
        if self.serves {
            return Self::new(true);
        }
        let dir = scratch();
        sh(r#"cp -a "$1/agent" "$1/places" "$1/hosts" "$2/""#, &[self.dir.path(), dir.path()]);
        let (store, hosts) = (Arc::clone(&self.store), hosts(dir.path()));
        let (one, two) = (self.one.clone(), self.two.clone());
        Self { dir, serves: false, migrates: self.migrates, store, hosts, one, two }
    }

    /// Returns a file of the database, which is beside the hosts.
    pub(crate) fn database(&self, name: &str) -> PathBuf {
        self.dir.path().join(name)
    }

    /// Returns the migration before the switch. It is slow, cannot be repeated, and leaves a trace each time.
    fn migration(&self, deployment: &Deployment, back: Back) -> Migration {
        let sh = |script: &str| vec!["sh".to_owned(), "-ec".into(), script.to_owned()];
        let (table, log) = (self.database("table"), self.database("log"));
        let (table, log) = (table.display(), log.display());
        let migrate = Migrate {
            host: self.hosts[0].clone(),
            name: "users".into(),
            deployment: deployment.clone(),
            run: sh(&format!("echo run >>'{log}'; sleep 0.1; echo row >>'{table}'")),
            done: sh(&format!("test -s '{table}'")),
            undo: match back {
                Back::Undo => sh(&format!("echo undo >>'{log}'; rm -f '{table}'")),
                Back::Never => vec![],
            },
            outgrows: vec![],
            stays: false,
        };
        Migration { migrate, backup: None, timeout: LIMIT }
    }

    /// Returns the needs of a gate that waits for a person, and for Monday.
    fn gate(catalog: &RealCatalog) -> Vec<Need> {
        let window = Window { windows: vec!["Mon-Fri 09:00-17:00 UTC".into()], freezes: vec![] };
        let people = People { from: vec![], at_least: 1, not_by: vec![], grade: 0 };
        vec![gates::window(catalog, &window).unwrap(), gates::approval("approval", people).unwrap()]
    }

    /// Returns where the places are written down that agents pass.
    pub(crate) fn places(&self) -> PathBuf {
        self.dir.path().join("places")
    }

    pub(crate) fn fleet(&self, hooks: Arc<dyn Hooks>) -> Fleet {
        let agent = AgentBinary::new(self.dir.path().join("agent"));
        Fleet::new(Arc::clone(&self.store), agent, BTreeMap::new()).hooks(hooks)
    }

    /// Returns the catalog of the product, whose client passes some hooks.
    pub(crate) fn catalog(&self, hooks: Arc<dyn Hooks>) -> RealCatalog {
        let top = self.dir.path().join("nothing");
        let (git_dir, common_dir) = (top.join(".git"), top.join(".git"));
        let repository = Repository { top, git_dir, common_dir, reach: Remote::default() };
        let hands = Hands { fleet: Arc::new(self.fleet(hooks)), store: Arc::clone(&self.store) };
        RealCatalog { repository, hands }
    }

    pub(crate) fn deployment(&self, run: &RunId, manifest: &Manifest) -> Deployment {
        let service = Service {
            name: "web".into(),
            run: ["sleep", "100000"].map(str::to_owned).into(),
            env: BTreeMap::new(),
            manager: Keeper::Process,
            switch: Switch::Restart,
            health: None,
            smoke: vec![],
            overlap: false,
            stop_ms: 10_000,
            drain_ms: 0,
        };
        Deployment {
            run: run.clone(),
            project: "widget".into(),
            environment: "production".into(),
            version: if *manifest == self.one { "one".into() } else { "two".into() },
            artifact: manifest.digest(),
            services: if self.serves { vec![service] } else { vec![] },
            runtime: Runtime::None,
            secrets: None,
            schema: None,
            back: false,
            mended: None,
            home: None,
        }
    }

    /// Brings a release to a host, confirms it, and gives the lease back.
    pub(crate) fn deploy(&self, host: &Host, run: &RunId, manifest: &Manifest) {
        let (fleet, stop) = (self.fleet(Arc::new(NoHooks)), Stop::default());
        fleet.stage(host, &self.deployment(run, manifest), (manifest, &[]), &stop).unwrap();
        let from = fleet.look(host, &stop).unwrap().current;
        for request in [Request::Switch { from, within_ms: 600_000 }, Request::Confirm, Request::Release] {
            ask(&fleet, host, run, request).unwrap();
        }
    }

    /// Returns the plan that brings the second release to all hosts, one after the other.
    pub(crate) fn plan(&self) -> Plan {
        let catalog = self.catalog(Arc::new(NoHooks));
        let from = Before { run: first(), version: "one".into(), artifact: self.one.digest() };
        let deployment = self.deployment(&RunId::new(""), &self.two);
        let target = |host: &Host| Target {
            host: host.clone(),
            deployment: deployment.clone(),
            from: Some(from.clone()),
            sent: None,
        };
        let well = |host: &Host| Well { host: host.clone(), deployment: deployment.clone(), share: None };
        let watch = Watch {
            hosts: self.hosts.iter().map(well).collect(),
            span_ms: 1_000,
            every_ms: 1_000,
            errors: 0,
            slower: 0,
            samples: 0,
            pass_without_data: true,
            prometheus: None,
            command: vec![],
            log: None,
        };
        let way = Way {
            environment: "production".into(),
            targets: self.hosts.iter().map(target).collect(),
            order: Order {
                strategy: Strategy::Rolling,
                batch: Share::Count(1),
                canary: Share::Count(1),
                canary_watch: None,
                weights: vec![],
            },
            gate: self.migrates.map(|_| Self::gate(&catalog)).unwrap_or_default(),
            ready: vec![],
            migrations: (
                self.migrates.map(|back| self.migration(&deployment, back)).into_iter().collect(),
                vec![],
            ),
            watch: Some(watch),
            after: vec![],
            confirm: Some(CONFIRM),
            keep: (5, None),
            secrets: vec![],
        };
        let release = Release {
            verb: Verb::Deploy,
            project: "widget".into(),
            from: Some("one".into()),
            to: "two".into(),
            tag: String::new(),
            environment: Some("production".into()),
            why: "3 hosts".into(),
        };
        let material = Material::Kept { artifact: self.two.digest(), size: None };
        deploy::plan(release, (&material, &way), vec![], (Duration::from_mins(5), &catalog)).unwrap()
    }

    /// Looks at every host, closely.
    pub(crate) fn look(&self) -> Vec<State> {
        let fleet = self.fleet(Arc::new(NoHooks));
        let what = Look { drift: true, way_back: true, services: true, ..Look::default() };
        self.hosts.iter().map(|host| fleet.look_at(host, what, &Stop::default()).unwrap()).collect()
    }

    /// Checks that `current` of every host leads to a whole release, whatever is happening.
    pub(crate) fn always_whole(&self) -> Result<(), String> {
        for host in &self.hosts {
            let release = fs::canonicalize(Path::new(&host.path).join("current"));
            let release = release.map_err(|error| format!("current of {}: {error}", host.name))?;
            let manifest = [&self.one, &self.two]
                .into_iter()
                .find(|manifest| release.ends_with(manifest.digest().as_str()));
            let manifest =
                manifest.ok_or_else(|| format!("current of {} is {}", host.name, release.display()))?;
            let changed = changed(&release, manifest);
            if !changed.is_empty() {
                return Err(format!("current of {} is not whole: {changed:?}", host.name));
            }
        }
        Ok(())
    }
}

impl Drop for Scene {
    fn drop(&mut self) {
        if !self.serves {
            return;
        }
        let pids: Vec<String> = self
            .look()
            .iter()
            .flat_map(|state| &state.services)
            .filter_map(|seen| Some(seen.pid?.to_string()))
            .collect();
        if !pids.is_empty() {
            let _ = hermetic::command("kill", Path::new("/")).arg("-KILL").args(pids).status();
        }
    }
}

pub(crate) fn ask(fleet: &Fleet, host: &Host, run: &RunId, request: Request) -> Result<Response, Fault> {
    fleet.call(host, &By { run: Some(run), limit: LIMIT, stop: &Stop::default() }, request)
}
