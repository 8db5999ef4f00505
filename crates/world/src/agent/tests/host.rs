//! A host in a temporary directory, asked without a connection.

use std::collections::BTreeMap;
use std::fs;
use std::os::unix::fs::{PermissionsExt as _, symlink};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::Mutex;
use std::sync::atomic::{AtomicU64, Ordering};

use shipway_core::action::Fault;
use shipway_core::deployment::{Deployment, Manifest, Runtime};
use shipway_core::id::{Fence, RunId};
use shipway_core::time::Time;
use tempfile::TempDir;

use crate::agent::act::{Session, act};
use crate::agent::clock::Clock;
use crate::agent::hooks::{Hooks, NoHooks};
use crate::agent::protocol::{Call, Look, Piece, Request, Response, State};
use crate::agent::root::Root;
use crate::agent::setup::{Agent, Setup};
use crate::artifact::{Selection, manifest};

/// A clock that stands until it is moved.
#[derive(Debug, Default)]
pub(super) struct TestClock {
    pub(super) uptime: AtomicU64,
    pub(super) boot: Mutex<String>,
}

impl Clock for TestClock {
    fn uptime_ms(&self) -> u64 {
        self.uptime.load(Ordering::SeqCst)
    }

    fn boot(&self) -> String {
        self.boot.lock().unwrap().clone()
    }

    fn now(&self) -> Time {
        Time(1_769_947_200_000 + self.uptime_ms())
    }
}

/// An artifact on disk.
pub(super) struct Built {
    pub(super) dir: TempDir,
    pub(super) manifest: Manifest,
}

/// Returns an artifact whose files say a version.
pub(super) fn built(version: &str) -> Built {
    built_with(version, 50_000)
}

/// Returns an artifact with a file of some size that cannot be compressed much.
pub(super) fn built_with(version: &str, size: usize) -> Built {
    let dir = tempfile::tempdir().unwrap();
    let write = |path: &str, text: &[u8]| {
        let path = dir.path().join(path);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, text).unwrap();
    };
    write("version", version.as_bytes());
    write("same", b"in every version");
    write("also", b"in every version");
    write("bin/app", b"in every version");
    let mut number = 1_u32;
    let noise = std::iter::repeat_with(|| {
        number = number.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        number.to_be_bytes()[0]
    });
    write("large", &noise.take(size).chain(version.bytes()).collect::<Vec<u8>>());
    fs::set_permissions(dir.path().join("bin/app"), fs::Permissions::from_mode(0o755)).unwrap();
    symlink("bin/app", dir.path().join("run")).unwrap();
    let manifest = manifest(dir.path(), &Selection::default()).unwrap();
    Built { dir, manifest }
}

/// A host.
pub(super) struct TestHost {
    pub(super) dir: TempDir,
    pub(super) clock: Arc<TestClock>,
}

pub(super) fn run(name: u32) -> RunId {
    RunId::new(format!("{name:08x}"))
}

impl TestHost {
    pub(super) fn new() -> Self {
        let host = Self { dir: tempfile::tempdir().unwrap(), clock: Arc::default() };
        host.boot("one");
        host
    }

    pub(super) fn root(&self) -> PathBuf {
        self.dir.path().join("app")
    }

    pub(super) fn boot(&self, boot: &str) {
        boot.clone_into(&mut self.clock.boot.lock().unwrap());
    }

    pub(super) fn forward(&self, ms: u64) {
        self.clock.uptime.fetch_add(ms, Ordering::SeqCst);
    }

    pub(super) fn agent_with(&self, hooks: Arc<dyn Hooks>) -> Agent {
        let clock = Arc::clone(&self.clock);
        let setup = Setup { clock, hooks, watchdog: vec![], preflight: None, systemd: false };
        Agent::new(Root::new(self.root()), setup)
    }

    pub(super) fn agent(&self) -> Agent {
        self.agent_with(Arc::new(NoHooks))
    }

    /// Returns a client that drives a run with the lease of this number.
    pub(super) fn client(&self, run: RunId) -> Client {
        Client { agent: self.agent(), session: Session::default(), run, fence: None }
    }

    /// Returns a client that has the lease.
    pub(super) fn leased(&self, run: RunId) -> Client {
        let mut client = self.client(run);
        client.lease().unwrap();
        client
    }

    pub(super) fn state(&self) -> State {
        let look = Look { drift: true, way_back: true, services: true, ..Look::default() };
        match self.client(run(0)).ask(Request::Look(look)).unwrap() {
            Response::State(state) => *state,
            other => panic!("{other:?}"),
        }
    }

    /// Returns what `current/version` says.
    pub(super) fn version(&self) -> String {
        fs::read_to_string(self.root().join("current/version")).unwrap_or_default()
    }

    /// Brings a version and confirms it.
    pub(super) fn deploy(&self, number: u32, built: &Built) {
        let mut client = self.leased(run(number));
        let from = self.state().current;
        client.stage(built).unwrap();
        client.ask(Request::Switch { from, within_ms: 60_000 }).unwrap();
        client.ask(Request::Confirm).unwrap();
        client.ask(Request::Release).unwrap();
    }
}

/// A client.
pub(super) struct Client {
    pub(super) agent: Agent,
    pub(super) session: Session,
    pub(super) run: RunId,
    pub(super) fence: Option<Fence>,
}

impl Client {
    pub(super) fn ask(&mut self, request: Request) -> Result<Response, Fault> {
        let call = Call { id: 1, run: Some(self.run.clone()), fence: self.fence, request };
        act(&self.agent, &mut self.session, call, b"").unwrap()
    }

    pub(super) fn lease(&mut self) -> Result<Fence, Fault> {
        match self.ask(Request::Lease { holder: "a test".into(), ttl_ms: 1_000 })? {
            Response::Leased(fence) => {
                self.fence = Some(fence);
                Ok(fence)
            }
            other => panic!("{other:?}"),
        }
    }

    pub(super) fn deployment(&self, manifest: &Manifest) -> Deployment {
        Deployment {
            run: self.run.clone(),
            project: "widget".into(),
            environment: "production".into(),
            version: self.run.to_string(),
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

    /// Asks which files are missing.
    pub(super) fn missing(&mut self, manifest: &Manifest) -> Result<Vec<u32>, Fault> {
        let deployment = Box::new(self.deployment(manifest));
        let request = Request::Stage { deployment, manifest: manifest.clone(), secrets: BTreeMap::default() };
        match self.ask(request)? {
            Response::Missing(missing) => Ok(missing),
            other => panic!("{other:?}"),
        }
    }

    /// Sends the content of a file as if it were the one of this number, in pieces of some size.
    pub(super) fn send(&mut self, index: u32, path: &Path, size: usize) {
        let bytes = zstd::encode_all(&*fs::read(path).unwrap(), 3).unwrap();
        let parts: Vec<&[u8]> = bytes.chunks(size).collect();
        for (number, part) in parts.iter().enumerate() {
            let length = u32::try_from(part.len()).unwrap();
            let request = Request::Blobs(vec![Piece { index, length, last: number + 1 == parts.len() }]);
            let call = Call { id: 1, run: Some(self.run.clone()), fence: self.fence, request };
            assert!(act(&self.agent, &mut self.session, call, part).is_none());
        }
    }

    /// Brings a version; returns how many files were sent.
    pub(super) fn stage(&mut self, built: &Built) -> Result<usize, Fault> {
        let missing = self.missing(&built.manifest)?;
        for index in &missing {
            let path = built.dir.path().join(&built.manifest.files[*index as usize].path);
            self.send(*index, &path, 1000);
        }
        self.ask(Request::Finish)?;
        Ok(missing.len())
    }

    pub(super) fn share(&mut self, from: Option<u32>, share: u32) -> Result<Response, Fault> {
        self.ask(Request::Share { from: from.map(run), within_ms: 60_000, share })
    }

    pub(super) fn switch(&mut self, from: Option<u32>) -> Result<Response, Fault> {
        self.ask(Request::Switch { from: from.map(run), within_ms: 60_000 })
    }
}
