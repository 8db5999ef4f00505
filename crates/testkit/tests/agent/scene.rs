//! Hosts on this machine, artifacts for them, and clients.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::Arc;
use std::thread::sleep;
use std::time::{Duration, Instant};

use shipway_core::action::{Fault, Stop};
use shipway_core::deployment::{Deployment, Host, Manifest, Runtime};
use shipway_core::id::RunId;
use shipway_world::agent::protocol::{Request, Response, State};
use shipway_world::artifact::{Selection, Store, manifest};
use shipway_world::host::{AgentBinary, By, Fleet, Staged};
use tempfile::TempDir;

/// The agent that can be ended.
pub(crate) const AGENT: &str = env!("CARGO_BIN_EXE_agent-dies");
/// How long anything may take.
pub(crate) const LIMIT: Duration = Duration::from_mins(5);

pub(crate) struct Scene {
    pub(crate) dir: TempDir,
    pub(crate) store: Arc<Store>,
}

pub(crate) fn run(number: u32) -> RunId {
    RunId::new(format!("{number:08x}"))
}

/// Waits until something is so.
pub(crate) fn until(what: &str, is_so: impl Fn() -> bool) {
    let begun = Instant::now();
    while !is_so() {
        assert!(begun.elapsed() < LIMIT, "it never came: {what}");
        sleep(Duration::from_millis(20));
    }
}

impl Scene {
    pub(crate) fn new() -> Self {
        let dir = tempfile::tempdir().unwrap();
        let store = Arc::new(Store::open(dir.path().join("store")).unwrap());
        Self { dir, store }
    }

    pub(crate) fn path(&self) -> &Path {
        self.dir.path()
    }

    /// Writes a program by the hand of another process: one that is open for writing cannot be run.
    pub(crate) fn program(&self, name: &str, script: &str) -> PathBuf {
        let path = self.path().join(name);
        let write = r#"printf '%s' "$1" >"$2" && chmod +x "$2""#;
        let status = Command::new("sh").args(["-c", write, "sh", script]).arg(&path).status().unwrap();
        assert!(status.success());
        path
    }

    /// Returns a fleet whose agents on this machine write down what they pass, and who they are.
    pub(crate) fn fleet(&self) -> Fleet {
        let places = self.path().join("places");
        fs::create_dir_all(&places).unwrap();
        let path = self.path().join("agent");
        if !path.exists() {
            let places = places.display();
            self.program(
                "agent",
                &format!("#!/bin/sh\necho $$ >{places}/pid\nexec {AGENT} {places} \"$@\"\n"),
            );
        }
        Fleet::new(Arc::clone(&self.store), AgentBinary::new(path), BTreeMap::new())
    }

    pub(crate) fn host(&self, name: &str) -> Host {
        let path = self.path().join("hosts").join(name).display().to_string();
        Host { name: name.into(), address: String::new(), path, ssh: vec![], roles: vec![] }
    }

    /// Returns an artifact of 40 files of which two say the version.
    pub(crate) fn built(&self, version: &str) -> Manifest {
        let dir = self.path().join("built").join(version);
        fs::create_dir_all(dir.join("lib")).unwrap();
        for number in 0..38 {
            fs::write(dir.join(format!("lib/{number}")), format!("{number}").repeat(1000)).unwrap();
        }
        fs::write(dir.join("version"), version).unwrap();
        // More than a frame holds.
        let mut number = 1_u64;
        let noise = std::iter::repeat_with(|| {
            number = number.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
            number.to_be_bytes()[0]
        });
        let large: Vec<u8> = noise.take(3 << 20).chain(version.bytes()).collect();
        fs::write(dir.join("large"), large).unwrap();
        let manifest = manifest(&dir, &Selection::default()).unwrap();
        self.store.put_dir(&dir, &manifest).unwrap();
        manifest
    }

    pub(crate) fn version(host: &Host) -> String {
        fs::read_to_string(Path::new(&host.path).join("current/version")).unwrap_or_default()
    }

    pub(crate) fn pid(&self) -> String {
        fs::read_to_string(self.path().join("places/pid")).unwrap().trim().to_owned()
    }

    pub(crate) fn signal(signal: &str, pid: &str) {
        assert!(Command::new("kill").args([signal, pid]).status().unwrap().success());
    }
}

pub(crate) fn deployment(run: &RunId, manifest: &Manifest) -> Deployment {
    Deployment {
        run: run.clone(),
        project: "widget".into(),
        environment: "production".into(),
        version: run.to_string(),
        artifact: manifest.digest(),
        services: vec![],
        runtime: Runtime::None,
        secrets: None,
        schema: None,
        back: false,
        mended: None,
        home: None,
    }
}

/// A client that drives a run.
pub(crate) struct Driver<'a> {
    pub(crate) fleet: &'a Fleet,
    pub(crate) run: RunId,
    pub(crate) stop: Stop,
}

impl<'a> Driver<'a> {
    pub(crate) fn new(fleet: &'a Fleet, number: u32) -> Self {
        Self { fleet, run: run(number), stop: Stop::default() }
    }

    pub(crate) fn stage(&self, host: &Host, manifest: &Manifest) -> Result<Staged, Fault> {
        self.fleet.stage(host, &deployment(&self.run, manifest), (manifest, &[]), &self.stop)
    }

    pub(crate) fn ask(&self, host: &Host, request: Request) -> Result<Response, Fault> {
        self.fleet.call(host, &By { run: Some(&self.run), limit: LIMIT, stop: &self.stop }, request)
    }

    pub(crate) fn look(&self, host: &Host) -> State {
        self.fleet.look(host, &self.stop).unwrap()
    }

    pub(crate) fn switch(&self, host: &Host, within_ms: u64) -> Result<Response, Fault> {
        let from = self.look(host).current;
        self.ask(host, Request::Switch { from, within_ms })
    }

    pub(crate) fn deploy(&self, host: &Host, manifest: &Manifest) {
        self.stage(host, manifest).unwrap();
        self.switch(host, 600_000).unwrap();
        self.ask(host, Request::Confirm).unwrap();
        self.fleet.release(host, &self.run, &self.stop).unwrap();
    }
}
