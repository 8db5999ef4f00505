//! Machines with a systemd of their own: `systemd-nspawn` over one tree that is built once and shared by all.

use std::env;
use std::ffi::OsString;
use std::fs::{self, File};
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};
use std::sync::Arc;

use rustix::process::Signal;
use tempfile::TempDir;

use super::disk::{Tmpfs, run, unmount};
use super::network::{Line, Network};
use super::process::{AtEnd, Guarded, signal};
use super::{Unable, is_root, keys, program, quote, until};
use crate::hermetic;

/// What is in the tree; with another number for another list, an old tree is not taken for a new one.
const TREE: &str = "rootfs-2";
const PACKAGES: &str =
    "systemd,systemd-sysv,dbus,libpam-systemd,openssh-server,rsync,iproute2,procps,ca-certificates,python3";
/// As much as a machine may write.
const DISK: u64 = 2 << 30;

/// A machine that has booted. Its disk keeps what is written while it is down, and goes with it.
#[derive(Debug)]
pub struct Machine {
    running: Option<Guarded>,
    line: Line,
    namespace: Guarded,
    #[expect(dead_code, reason = "it unmounts the tree, before the disk that holds what was written")]
    tree: AtEnd,
    #[expect(dead_code, reason = "it is unmounted when the machine has ended")]
    disk: Tmpfs,
    name: String,
    dir: TempDir,
}

impl Machine {
    /// Boots a machine in a network, and waits until systemd says that it runs. Needs root, and the tests to be run in
    /// full: building the tree for the first machine takes minutes.
    pub fn new(name: &str, network: &Arc<Network>) -> Result<Self, Unable> {
        if env::var_os("SHIPWAY_TEST_FULL").is_none_or(|value| value != "1") {
            return Err("machines with systemd are for ./test --full".to_owned());
        }
        program("systemd-nspawn")?;
        let shared = tree()?;
        let failed = |error: std::io::Error| error.to_string();
        let dir = tempfile::Builder::new().prefix("shipway-machine-").tempdir().map_err(failed)?;
        for part in ["disk", "tree", "etc"] {
            fs::create_dir(dir.path().join(part)).map_err(failed)?;
        }
        let disk = Tmpfs::on(dir.path().join("disk"), DISK)?;
        let tree = overlay(&shared, dir.path())?;
        let line = Line::new(network)?;
        let wait = ["unshare", "--net", "sleep", "infinity"].map(OsString::from);
        let namespace = Guarded::start(&wait, false, &dir.path().join("namespace.log"));
        until("there is a network namespace", || has_own_network(namespace.pid()));
        line.join(namespace.pid())?;
        let pid = namespace.pid().to_string();
        run(Command::new("nsenter").args(["-t", &pid, "-n", "/bin/sh", "-ec", &line.script()]))?;
        let mut machine = Self { running: None, line, namespace, tree, disk, name: name.to_owned(), dir };
        machine.configure()?;
        machine.boot()?;
        Ok(machine)
    }

    /// Returns its name, which is also the one in the configuration of clients.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Returns its address.
    pub fn address(&self) -> SocketAddr {
        (self.line.address(), 22).into()
    }

    /// Returns the root of its files, as this machine sees them.
    pub fn root(&self) -> PathBuf {
        self.dir.path().join("tree")
    }

    /// Returns the configuration for `ssh -F`. The user is root.
    pub fn ssh_config(&self) -> PathBuf {
        self.dir.path().join("ssh_config")
    }

    /// Returns an `ssh` that runs a shell script on the machine.
    pub fn ssh(&self, script: &str) -> Command {
        let mut command = hermetic::command("ssh", self.dir.path());
        command.arg("-F").arg(self.ssh_config()).args([&self.name, script]);
        command
    }

    /// Runs a shell script on the machine.
    pub fn run(&self, script: &str) -> Output {
        hermetic::run(&mut self.ssh(script), b"")
    }

    /// Runs a shell script on the machine, which does well, and returns what it says.
    #[track_caller]
    pub fn say(&self, script: &str) -> String {
        let output = self.run(script);
        hermetic::text(&self.ssh(script), &output)
    }

    /// Returns what a unit has written to systemd's journal.
    pub fn journal(&self, unit: &str) -> String {
        self.say(&format!("journalctl --no-pager -o cat -u {}", quote(unit)))
    }

    /// Boots the machine again, in order, and waits until it runs.
    ///
    /// # Panics
    ///
    /// Panics when it does not boot as it did before.
    pub fn reboot(&mut self) {
        // The connection may end before the answer. A machine without a manager above it is not booted again, but ends
        // and says that it is to be.
        self.run("systemctl reboot");
        let running = self.running.take().expect("a machine that reboots is up");
        until("the machine is down", || !running.is_alive());
        drop(running);
        self.boot().expect("a machine that has run runs again");
    }

    /// Shuts the machine down, in order.
    pub fn stop(&mut self) {
        if let Some(running) = self.running.take() {
            signal(running.pid(), Signal::TERM);
            until("the machine is down", || !running.is_alive());
        }
    }

    /// Takes away its power; nobody is told.
    pub fn crash(&mut self) {
        self.cut();
        self.running = None;
    }

    /// Boots the machine if it is down, its line healed, and waits until it runs.
    ///
    /// # Panics
    ///
    /// Panics when it does not boot as it did before.
    pub fn start(&mut self) {
        if self.running.is_none() {
            self.heal();
            self.boot().expect("a machine that has run runs again");
        }
    }

    /// Cuts its line.
    pub fn cut(&self) {
        self.line.cut(true);
    }

    /// Heals its line.
    pub fn heal(&self) {
        self.line.cut(false);
    }

    /// Returns what it has written to its console.
    pub fn console(&self) -> String {
        fs::read_to_string(self.console_path()).unwrap_or_default()
    }

    fn console_path(&self) -> PathBuf {
        self.dir.path().join("console.log")
    }

    fn configure(&self) -> Result<(), Unable> {
        let dir = self.dir.path();
        keys::make(&dir.join("host"))?;
        keys::make(&dir.join("user"))?;
        keys::know(dir, &[self.address()]);
        for name in ["host", "host.pub", "user.pub"] {
            fs::copy(dir.join(name), dir.join("etc").join(name)).map_err(|error| error.to_string())?;
        }
        let config = "HostKey /etc/shipway-test/host\nAuthorizedKeysFile /etc/shipway-test/user.pub\nStrictModes no\n\
                      UsePAM yes\nPasswordAuthentication no\nPermitRootLogin yes\nUseDNS no\n\
                      Subsystem sftp internal-sftp\n";
        let entry = keys::entry(&self.name, "root", self.address(), dir);
        for (path, text) in [("tree/etc/ssh/sshd_config", config), ("ssh_config", &entry)] {
            fs::write(dir.join(path), text).map_err(|error| error.to_string())?;
        }
        let machine = format!("{}\n", self.name);
        fs::write(dir.join("tree/etc/hostname"), machine).map_err(|error| error.to_string())
    }

    fn boot(&mut self) -> Result<(), Unable> {
        let dir = self.dir.path();
        let mut command: Vec<OsString> = vec!["systemd-nspawn".into(), "--quiet".into(), "--boot".into()];
        command
            .extend(["--register=no", "--keep-unit", "--console=pipe", "--resolv-conf=off"].map(Into::into));
        // On this machine it needs a name that nobody else uses at the same time.
        let own = dir.file_name().expect("a directory of a test has a name").display();
        command.push(format!("--machine={own}").into());
        command.push(format!("--hostname={}", self.name).into());
        command.push(format!("--directory={}", dir.join("tree").display()).into());
        command.push(format!("--bind-ro={}:/etc/shipway-test", dir.join("etc").display()).into());
        command.push(format!("--network-namespace-path=/proc/{}/ns/net", self.namespace.pid()).into());
        self.running = Some(Guarded::start(&command, true, &self.console_path()));
        self.settled()
    }

    /// Waits until systemd has started everything. Something may have failed that nobody needs in a machine like this.
    fn settled(&self) -> Result<(), Unable> {
        let mut state = String::new();
        let alive = || self.running.as_ref().is_some_and(Guarded::is_alive);
        until("the machine runs", || {
            let output = self.run("systemctl is-system-running --wait");
            String::from_utf8_lossy(&output.stdout).trim().clone_into(&mut state);
            ["running", "degraded"].contains(&&*state) || !alive()
        });
        if alive() { Ok(()) } else { Err(format!("systemd does not boot here: {}", self.console())) }
    }
}

fn has_own_network(pid: i32) -> bool {
    let of = |pid: &str| fs::read_link(format!("/proc/{pid}/ns/net")).ok();
    of(&pid.to_string()).is_some_and(|own| Some(own) != of("self"))
}

/// Mounts the shared tree for one machine: what it writes goes to its own disk.
fn overlay(shared: &Path, dir: &Path) -> Result<AtEnd, Unable> {
    let (upper, work, at) = (dir.join("disk/upper"), dir.join("disk/work"), dir.join("tree"));
    for dir in [&upper, &work] {
        fs::create_dir(dir).map_err(|error| error.to_string())?;
    }
    let parts = [("lowerdir", shared), ("upperdir", &upper), ("workdir", &work)];
    let parts = parts.map(|(name, path)| format!("{name}={}", path.display())).join(",");
    run(Command::new("mount").args(["-t", "overlay", "-o", &parts, "shipway-test"]).arg(&at))?;
    Ok(unmount(&at))
}

/// Returns the tree of all machines. The first who needs it builds it, and others wait meanwhile.
pub fn tree() -> Result<PathBuf, Unable> {
    if !is_root() {
        return Err("machines with systemd need root".to_owned());
    }
    let cache = env::var_os("XDG_CACHE_HOME").map(PathBuf::from).filter(|path| path.is_absolute());
    let home = || env::var_os("HOME").map(|home| PathBuf::from(home).join(".cache"));
    let dir = cache.or_else(home).ok_or("there is no directory for caches: HOME is not set")?.join("shipway");
    let failed = |error: std::io::Error| format!("{}: {error}", dir.display());
    fs::create_dir_all(&dir).map_err(failed)?;
    let lock = File::create(dir.join(format!("{TREE}.lock"))).map_err(failed)?;
    lock.lock().map_err(failed)?;
    let (done, building) = (dir.join(TREE), dir.join(format!("{TREE}.new")));
    if done.is_dir() {
        return Ok(done);
    }
    // What is left of a build that was killed.
    if building.exists() {
        fs::remove_dir_all(&building).map_err(failed)?;
    }
    let release = fs::read_to_string("/etc/os-release").unwrap_or_default();
    let name = release.lines().find_map(|line| line.strip_prefix("VERSION_CODENAME=")).unwrap_or("stable");
    let mut build = Command::new(program("debootstrap")?);
    build.args(["--variant=minbase", &format!("--include={PACKAGES}"), name]).arg(&building);
    run(&mut build).map_err(|error| format!("no tree for machines can be built: {error}"))?;
    fs::rename(&building, &done).map_err(failed)?;
    Ok(done)
}
