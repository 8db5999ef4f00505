//! A host that is an sshd of its own, with its own keys, home directory and disk.

use std::fs;
use std::net::{IpAddr, Ipv4Addr, SocketAddr, TcpListener};
use std::path::PathBuf;
use std::process::{self, Command, Output};
use std::sync::atomic::{AtomicU16, AtomicU32, Ordering};
use std::sync::{Arc, OnceLock};

use rustix::process::Signal;
use tempfile::TempDir;

use super::disk::Tmpfs;
use super::forward::Forwarder;
use super::launch::{MARK, User, has_namespaces};
use super::network::{Line, Network};
use super::process::{Guarded, children, end_marked, signal};
use super::{Unable, keys, program, quote, until};
use crate::hermetic;

/// What a host is to be like.
#[derive(Clone, Debug)]
pub struct Wanted {
    name: String,
    disk: Option<u64>,
    network: Option<Arc<Network>>,
    options: String,
}

impl Wanted {
    /// Wants a host of this name on a loopback address.
    pub fn new(name: &str) -> Self {
        Self { name: name.to_owned(), disk: None, network: None, options: String::new() }
    }

    /// Wants a disk of so many bytes under [`Sshd::root`]. Needs root.
    #[must_use]
    pub fn disk(mut self, bytes: u64) -> Self {
        self.disk = Some(bytes);
        self
    }

    /// Wants an address of its own in a network, and port 22. Needs root.
    #[must_use]
    pub fn network(mut self, network: &Arc<Network>) -> Self {
        self.network = Some(Arc::clone(network));
        self
    }

    /// Wants a line in the configuration of sshd; it goes before those that are usual here.
    #[must_use]
    pub fn option(mut self, line: &str) -> Self {
        self.options.push_str(line);
        self.options.push('\n');
        self
    }

    /// Starts it.
    pub fn start(self) -> Result<Sshd, Unable> {
        Sshd::of(self)
    }
}

/// A running host. As root it has namespaces of its own: for processes, so that all of them end with it; for mounts, so
/// that the home directory of its user and `/srv` are its own; and for its host name. Without root it shares all that
/// with this machine, except that `HOME` is its own.
#[derive(Debug)]
pub struct Sshd {
    pub(super) running: Option<Guarded>,
    pub(super) way: Route,
    #[expect(dead_code, reason = "it is unmounted when the host has ended")]
    disk: Option<Tmpfs>,
    pub(super) name: String,
    pub(super) user: User,
    pub(super) mark: String,
    // Removed last of all.
    pub(super) dir: TempDir,
}

#[derive(Debug)]
pub(super) enum Route {
    Loopback { forwarder: Forwarder, direct: SocketAddr },
    Network(Line),
}

impl Sshd {
    /// Starts a host on a loopback address.
    pub fn new(name: &str) -> Result<Self, Unable> {
        Wanted::new(name).start()
    }

    fn of(wanted: Wanted) -> Result<Self, Unable> {
        let (sshd, user) = (program("sshd")?, User::current()?);
        program("ssh")?;
        let dir =
            tempfile::Builder::new().prefix("shipway-host-").tempdir().map_err(|error| error.to_string())?;
        fs::create_dir_all(dir.path().join("root")).map_err(|error| error.to_string())?;
        let disk = wanted.disk.map(|bytes| Tmpfs::on(dir.path().join("root"), bytes)).transpose()?;
        for part in ["root/home", "root/srv", "boot"] {
            fs::create_dir_all(dir.path().join(part)).map_err(|error| error.to_string())?;
        }
        keys::make(&dir.path().join("host"))?;
        keys::make(&dir.path().join("user"))?;
        let way = Route::of(wanted.network.as_ref())?;
        let mark = dir.path().display().to_string();
        let mut host = Self { running: None, way, disk, name: wanted.name, user, mark, dir };
        host.configure(&sshd, &wanted.options);
        host.try_start()?;
        host.can_log_in()?;
        Ok(host)
    }

    /// Returns its name, which is also the one in the configuration of clients.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Returns the directory of all its files, which is where its disk is mounted.
    pub fn root(&self) -> PathBuf {
        self.dir.path().join("root")
    }

    /// Returns the home directory of its user.
    pub fn home(&self) -> PathBuf {
        self.root().join("home")
    }

    /// Returns a directory for what is deployed; as root it is its `/srv` as well.
    pub fn srv(&self) -> PathBuf {
        self.root().join("srv")
    }

    /// Returns the user to log in as.
    pub fn user(&self) -> &str {
        &self.user.name
    }

    /// Returns the address at which clients find it.
    pub fn address(&self) -> SocketAddr {
        match &self.way {
            Route::Loopback { forwarder, .. } => forwarder.address(),
            Route::Network(line) => (line.address(), 22).into(),
        }
    }

    /// Returns an address of the host with a port that nobody uses.
    pub fn free_address(&self) -> SocketAddr {
        static PORT: AtomicU16 = AtomicU16::new(8080);
        let ip = self.address().ip();
        match self.way {
            Route::Loopback { .. } => TcpListener::bind((ip, 0)).and_then(|listener| listener.local_addr()),
            // All ports of its own address are its own.
            Route::Network(_) => Ok(SocketAddr::new(ip, PORT.fetch_add(1, Ordering::Relaxed))),
        }
        .expect("a loopback address has free ports")
    }

    /// Returns the configuration for `ssh -F`.
    pub fn ssh_config(&self) -> PathBuf {
        self.dir.path().join("ssh_config")
    }

    /// Returns a configuration that goes past the forwarder, for measurements; `cut` and `slow` do not reach it.
    pub fn direct_config(&self) -> PathBuf {
        self.dir.path().join("direct_config")
    }

    /// Returns the entry of this host in a configuration of clients.
    pub fn config_entry(&self) -> String {
        keys::entry(&self.name, &self.user.name, self.address(), self.dir.path())
    }

    /// Returns the forwarder in front of a host on a loopback address.
    pub fn forwarder(&self) -> Option<&Forwarder> {
        match &self.way {
            Route::Loopback { forwarder, .. } => Some(forwarder),
            Route::Network(_) => None,
        }
    }

    /// Returns an `ssh` that runs a shell script on the host.
    pub fn ssh(&self, script: &str) -> Command {
        let mut command = hermetic::command("ssh", self.dir.path());
        command.arg("-F").arg(self.ssh_config()).args([&self.name, script]);
        command
    }

    /// Runs a shell script on the host.
    pub fn run(&self, script: &str) -> Output {
        hermetic::run(&mut self.ssh(script), b"")
    }

    /// Runs a shell script on the host, which does well, and returns what it says.
    #[track_caller]
    pub fn say(&self, script: &str) -> String {
        let output = self.run(script);
        hermetic::text(&self.ssh(script), &output)
    }

    /// Returns what sshd has logged.
    pub fn log(&self) -> String {
        fs::read_to_string(self.log_path()).unwrap_or_default()
    }

    /// Lets a script run whenever the host starts, and runs it now. It is waited for neither now nor then.
    pub fn at_boot(&self, name: &str, script: &str) {
        let path = self.boot_script(name);
        hermetic::write_program(&path, script);
        let log = self.boot_log();
        self.say(&format!("setsid {} </dev/null >>{} 2>&1 &", quote(path), quote(log)));
    }

    /// Returns such a script.
    pub fn boot_script(&self, name: &str) -> PathBuf {
        self.dir.path().join("boot").join(name)
    }

    /// Returns the file to which scripts write that run when the host starts.
    pub fn boot_log(&self) -> PathBuf {
        self.dir.path().join("boot.log")
    }

    /// Takes the host down: all its processes end, its clients are told, and new connections are refused.
    pub fn stop(&mut self) {
        if let Route::Loopback { forwarder, .. } = &mut self.way {
            forwarder.refuse();
        }
        self.end();
    }

    /// Lets the host lose its power: all its processes end, and nobody is told until it starts again.
    pub fn crash(&mut self) {
        if self.running.is_some() {
            self.cut();
            self.end();
        }
    }

    /// Starts the host again with the same address and key, its line healed.
    ///
    /// # Panics
    ///
    /// Panics when it does not start as it did before.
    pub fn start(&mut self) {
        if self.running.is_some() {
            return;
        }
        self.try_start().expect("a host that has run runs again");
        if let Route::Loopback { forwarder, .. } = &mut self.way {
            forwarder.drop_connections();
            forwarder.heal();
            forwarder.accept().expect("nobody else listens at the address of a host");
        }
    }

    /// Gives the host another key, of which its clients know nothing. Nothing on the host ends.
    pub fn new_host_key(&self) {
        keys::make(&self.dir.path().join("host")).expect("keys have been made here before");
        let before = self.listened();
        signal(self.main_pid().expect("a host with a new key is up"), Signal::HUP);
        until("sshd has its new key", || self.listened() > before);
    }

    /// Lets the clients know the present key of the host.
    pub fn know_host_key(&self) {
        let mut addresses = vec![self.address()];
        if let Route::Loopback { direct, .. } = &self.way {
            addresses.push(*direct);
        }
        keys::know(self.dir.path(), &addresses);
    }

    /// Cuts its line: connections hang without being closed, and new ones hang as well.
    pub fn cut(&self) {
        match &self.way {
            Route::Loopback { forwarder, .. } => forwarder.cut(),
            Route::Network(line) => line.cut(true),
        }
    }

    /// Heals its line.
    pub fn heal(&self) {
        match &self.way {
            Route::Loopback { forwarder, .. } => forwarder.heal(),
            Route::Network(line) => line.cut(false),
        }
    }

    /// Limits its line, or takes the limit away: each direction of each connection on a loopback address, all that goes
    /// to the host in a network.
    pub fn slow(&self, bytes_per_second: impl Into<Option<u64>>) {
        match &self.way {
            Route::Loopback { forwarder, .. } => forwarder.slow(bytes_per_second),
            Route::Network(line) => line.slow(bytes_per_second.into()),
        }
    }

    /// Returns the first process of the host, as this machine sees it.
    pub fn main_pid(&self) -> Option<i32> {
        let pid = self.running.as_ref()?.pid();
        if has_namespaces() { children(pid).first().copied() } else { Some(pid) }
    }

    fn end(&mut self) {
        self.running = None;
        if let Route::Network(line) = &self.way {
            line.part();
        }
        if !has_namespaces() {
            end_marked(MARK, &self.mark);
        }
    }

    /// Makes sure, once in a process, that the user can log in: an account may be locked.
    fn can_log_in(&self) -> Result<(), Unable> {
        static TRIED: OnceLock<Result<(), Unable>> = OnceLock::new();
        let once = || {
            let output = self.run("true");
            let errors = String::from_utf8_lossy(&output.stderr);
            if output.status.success() {
                Ok(())
            } else {
                Err(format!("nobody can log in here: {}", errors.trim()))
            }
        };
        TRIED.get_or_init(once).clone()
    }
}

impl Drop for Sshd {
    fn drop(&mut self) {
        self.end();
    }
}

impl Route {
    fn of(network: Option<&Arc<Network>>) -> Result<Self, Unable> {
        if let Some(network) = network {
            if !has_namespaces() {
                return Err("network namespaces need root".to_owned());
            }
            return Ok(Self::Network(Line::new(network)?));
        }
        let ip = loopback();
        // Nobody else looks for free ports at this address.
        let free = TcpListener::bind((ip, 0)).and_then(|listener| listener.local_addr());
        let direct = free.map_err(|error| format!("no port is free at {ip}: {error}"))?;
        let forwarder =
            Forwarder::new(ip, direct).map_err(|error| format!("no port is free at {ip}: {error}"))?;
        Ok(Self::Loopback { forwarder, direct })
    }
}

/// Returns a loopback address for one host: on Linux there are sixteen million of them, elsewhere one.
fn loopback() -> IpAddr {
    static HOSTS: AtomicU32 = AtomicU32::new(0);
    if !cfg!(target_os = "linux") {
        return Ipv4Addr::LOCALHOST.into();
    }
    let number = process::id().wrapping_mul(61).wrapping_add(HOSTS.fetch_add(1, Ordering::Relaxed));
    let [_, second, third, fourth] = number.to_be_bytes();
    Ipv4Addr::new(127, second.max(1), third, fourth.clamp(2, 254)).into()
}
