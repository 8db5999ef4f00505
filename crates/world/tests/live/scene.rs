//! A host in a temporary directory: its releases, and a small web service in each of them.

use std::cell::RefCell;
use std::fs;
use std::io::{Read, Write};
use std::net::TcpStream;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::OnceLock;
use std::time::{Duration, Instant};

use shipway_core::action::{Shell, Stop};
use shipway_core::deployment::{Deployment, Health, Keeper, Probe, Runtime, Service, Switch};
use shipway_core::id::{Digest, RunId};
use shipway_core::problem::Problem;
pub(crate) use shipway_testkit::host::free_port;
use shipway_world::live::{self, Place, Seen};
use shipway_world::shell::LocalShell;

/// Longer than anything takes that is not broken.
pub(crate) const LONG: Duration = Duration::from_mins(2);

pub(crate) struct Scene {
    dir: tempfile::TempDir,
    pub(crate) said: RefCell<Vec<String>>,
    stop: Stop,
    last: RefCell<Option<Deployment>>,
    children: RefCell<Vec<Child>>,
}

impl Scene {
    /// Returns an empty host, or nothing where Python is missing.
    pub(crate) fn new() -> Option<Self> {
        python()?;
        let dir = tempfile::tempdir().unwrap();
        let (said, last, children) = (RefCell::default(), RefCell::default(), RefCell::default());
        Some(Self { dir, said, stop: Stop::default(), last, children })
    }

    pub(crate) fn root(&self) -> &Path {
        self.dir.path()
    }

    /// Starts something that runs until the end of the test, when the services are stopped.
    pub(crate) fn start(&self, mut command: Command) {
        let quiet = command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
        self.children.borrow_mut().push(quiet.spawn().unwrap());
    }

    /// Puts a release on the host, whose service behaves in a mode: `ok`, `login`, `flap`, `die`, `crash`.
    pub(crate) fn release(&self, version: &str, mode: &str) -> Deployment {
        let artifact = Digest::of(format!("{version} {mode}").as_bytes());
        let release = self.root().join("releases").join(artifact.as_str());
        fs::create_dir_all(&release).unwrap();
        fs::write(release.join("app.py"), include_str!("app.py")).unwrap();
        fs::write(release.join("VERSION"), version).unwrap();
        fs::write(release.join("mode"), mode).unwrap();
        Deployment {
            run: RunId::new("0badcafe"),
            project: "shop".into(),
            environment: self.environment(),
            version: version.into(),
            artifact,
            services: vec![],
            runtime: Runtime::None,
            secrets: None,
            schema: None,
            back: false,
            mended: None,
            home: None,
        }
    }

    /// Returns a name that no other test of this machine uses at the same time.
    fn environment(&self) -> String {
        let name = self.root().file_name().unwrap().to_string_lossy().to_lowercase();
        format!("t{}", name.trim_start_matches('.'))
    }

    pub(crate) fn with<R>(&self, shell: &dyn Shell, f: impl FnOnce(&Place<'_>) -> R) -> R {
        let say = |line: &str| self.said.borrow_mut().push(line.to_owned());
        f(&Place { root: self.root(), shell, stop: &self.stop, say: &say })
    }

    pub(crate) fn place<R>(&self, f: impl FnOnce(&Place<'_>) -> R) -> R {
        self.with(&LocalShell::new(), f)
    }

    pub(crate) fn converge(&self, to: &Deployment, from: Option<&Deployment>) -> Result<(), Problem> {
        *self.last.borrow_mut() = Some(to.clone());
        self.place(|place| live::converge(place, to, from))
    }

    pub(crate) fn look(&self, deployment: &Deployment) -> Vec<Seen> {
        self.place(|place| live::look(place, deployment)).unwrap()
    }

    pub(crate) fn healthy(&self, deployment: &Deployment) -> Result<(), Problem> {
        self.place(|place| live::healthy(place, deployment))
    }

    /// Returns where `current` leads.
    pub(crate) fn current(&self) -> Option<PathBuf> {
        fs::read_link(self.root().join("current")).ok()
    }

    /// Asserts that a deployment is live: its link, and each of its services.
    #[track_caller]
    pub(crate) fn assert_live(&self, deployment: &Deployment) {
        let release = Path::new("releases").join(deployment.artifact.as_str());
        assert_eq!(self.current().unwrap(), release);
        for seen in self.look(deployment) {
            assert!(seen.running && seen.ours, "{seen:?}");
        }
    }

    /// Tells how many processes there are whose variables name this host.
    pub(crate) fn processes(&self) -> usize {
        let ours = |environ: Vec<u8>| {
            let text = String::from_utf8_lossy(&environ).into_owned();
            text.contains("SHIPWAY_MARK=") && text.contains(&*self.root().to_string_lossy())
        };
        let entries = fs::read_dir("/proc").unwrap().flatten();
        entries
            .filter_map(|entry| fs::read(entry.path().join("environ")).ok())
            .filter(|e| ours(e.clone()))
            .count()
    }
}

impl Drop for Scene {
    fn drop(&mut self) {
        if let Some(last) = self.last.borrow().clone() {
            let retired = self.place(|place| live::retire(place, &last));
            for child in self.children.borrow_mut().iter_mut() {
                let _ = Command::new("kill").arg(child.id().to_string()).status();
                let _ = child.wait();
            }
            assert!(retired.is_ok() || std::thread::panicking(), "{retired:?}");
        }
    }
}

/// Returns the Python interpreter, without the wrappers that some machines put in front of it.
pub(crate) fn python() -> Option<&'static str> {
    static PYTHON: OnceLock<Option<String>> = OnceLock::new();
    let find = || {
        let output =
            Command::new("python3").args(["-c", "import sys; print(sys.executable)"]).output().ok()?;
        Some(String::from_utf8(output.stdout).ok()?.trim().to_owned()).filter(|path| !path.is_empty())
    };
    let python = PYTHON.get_or_init(find).as_deref();
    if python.is_none() {
        shipway_testkit::skip::skip("python3 is not installed");
    }
    python
}

/// Tells whether a program is installed, and skips the test otherwise.
pub(crate) fn installed(program: &str) -> bool {
    let path = std::env::var_os("PATH").unwrap_or_default();
    let dirs = std::env::split_paths(&path).chain(["/usr/sbin".into(), "/usr/bin".into()]);
    let found = dirs.map(|dir| dir.join(program)).any(|path| path.is_file());
    if !found {
        shipway_testkit::skip::skip(&format!("{program} is not installed"));
    }
    found
}

/// Returns the web service on a fixed port.
pub(crate) fn web(manager: Keeper, port: u16) -> Service {
    Service {
        name: "web".into(),
        run: vec![python().unwrap().into(), "{release}/app.py".into(), port.to_string()],
        env: [("TOLD".to_owned(), "{version} in {root}".to_owned())].into(),
        manager,
        switch: Switch::Restart,
        health: Some(health(&format!("http://127.0.0.1:{port}/health"))),
        smoke: vec![],
        overlap: false,
        stop_ms: 5000,
        drain_ms: 5000,
    }
}

/// Returns a health check that wants three answers of the release.
pub(crate) fn health(url: &str) -> Health {
    Health {
        probe: Probe::Http(url.into()),
        expect: Some("version {version}".into()),
        status: None,
        slowest_ms: 20_000,
        passes: 3,
        over_ms: 200,
        within_ms: 60_000,
    }
}

/// Returns a deployment with these services.
pub(crate) fn with(deployment: Deployment, services: Vec<Service>) -> Deployment {
    Deployment { services, ..deployment }
}

/// Asks a port and returns the answer with its head.
pub(crate) fn get(port: u16, path: &str) -> Option<String> {
    let mut stream = TcpStream::connect(("127.0.0.1", port)).ok()?;
    stream.set_read_timeout(Some(LONG)).unwrap();
    write!(stream, "GET {path} HTTP/1.1\r\nhost: test\r\nconnection: close\r\n\r\n").ok()?;
    let mut text = String::new();
    stream.read_to_string(&mut text).ok()?;
    Some(text)
}

/// Waits until something is so.
#[track_caller]
pub(crate) fn wait_until(what: &str, mut so: impl FnMut() -> bool) {
    let begun = Instant::now();
    while !so() {
        assert!(begun.elapsed() < LONG, "{what}");
        std::thread::sleep(Duration::from_millis(20));
    }
}
