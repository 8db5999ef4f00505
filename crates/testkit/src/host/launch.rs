//! How a host starts: its files, its namespaces, and sshd.

use std::ffi::OsString;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::OnceLock;

use super::process::{Guarded, children};
use super::sshd::{Route, Sshd};
use super::{Unable, is_root, keys, quote, until};

/// Marks what a host has started, however far it has gone away from it.
pub(super) const MARK: &str = "SHIPWAY_TEST_HOST";

/// The user of a host, who is the one that runs the tests.
#[derive(Clone, Debug)]
pub(super) struct User {
    pub(super) name: String,
    pub(super) home: PathBuf,
}

impl User {
    pub(super) fn current() -> Result<Self, Unable> {
        let (id, passwd) =
            (rustix::process::geteuid().as_raw().to_string(), fs::read_to_string("/etc/passwd"));
        let passwd = passwd.unwrap_or_default();
        let mut lines = passwd.lines().map(|line| line.split(':').collect::<Vec<_>>());
        let line = lines.find(|fields| fields.get(2) == Some(&&*id));
        match line.as_deref() {
            Some([name, _, _, _, _, home, ..]) => Ok(Self { name: (*name).to_owned(), home: home.into() }),
            Some(_) | None => Err("the current user has no account that sshd knows".to_owned()),
        }
    }
}

impl Sshd {
    pub(super) fn log_path(&self) -> PathBuf {
        self.dir.path().join("sshd.log")
    }

    /// Returns how often sshd has begun to listen.
    pub(super) fn listened(&self) -> usize {
        self.log().matches("Server listening on").count()
    }

    pub(super) fn configure(&self, sshd: &Path, options: &str) {
        let (at, home) = (self.dir.path().display(), self.home());
        let listen = match &self.way {
            Route::Loopback { direct, .. } => *direct,
            Route::Network(line) => (line.address(), 22).into(),
        };
        // All hosts of a test log in at once; what is limited by default is for tests that ask for it.
        let config = format!(
            "{options}Port {}\nListenAddress {}\nHostKey {at}/host\nPidFile none\nUsePAM no\nStrictModes no\n\
             AuthorizedKeysFile {at}/user.pub\nPasswordAuthentication no\nKbdInteractiveAuthentication no\n\
             PermitRootLogin yes\nSubsystem sftp internal-sftp\nMaxStartups 500\nMaxSessions 500\nUseDNS no\n\
             PrintMotd no\nPrintLastLog no\nSetEnv HOME={} {MARK}={}\n",
            listen.port(),
            listen.ip(),
            home.display(),
            self.mark,
        );
        let direct = keys::entry(&self.name, &self.user.name, listen, self.dir.path());
        let (launch, entry) = (self.launch_script(sshd), self.config_entry());
        let files =
            [("sshd_config", config), ("launch", launch), ("ssh_config", entry), ("direct_config", direct)];
        for (name, text) in files {
            fs::write(self.dir.path().join(name), text).expect("the directory is the test's own");
        }
        self.know_host_key();
    }

    /// Returns the script that becomes sshd. It runs inside the namespaces, if there are any.
    pub(super) fn launch_script(&self, sshd: &Path) -> String {
        let (at, own, home) = (quote(self.dir.path()), quote(self.home()), quote(&self.user.home));
        let (srv, log, boot_log) = (quote(self.srv()), quote(self.log_path()), quote(self.boot_log()));
        let mut script = "set -eu\n".to_owned();
        if let Route::Network(line) = &self.way {
            script += &line.script();
        }
        if has_namespaces() {
            let name = quote(&self.name);
            // Our own directory may be below the one that is about to be covered.
            script += &format!(
                "hostname {name}\nhome={home} at={at} own={own}\ncase $at in \"$home\"/*)\n  \
                 mkdir -p \"$own/${{at#\"$home\"/}}\"\n  mount --rbind \"$at\" \"$own/${{at#\"$home\"/}}\" ;;\nesac\n\
                 mount --rbind \"$own\" \"$home\"\nif [ -d /srv ]; then mount --rbind {srv} /srv; fi\n"
            );
        }
        let sshd = quote(sshd);
        script += &format!(
            "for boot in {at}/boot/*; do\n  if [ -x \"$boot\" ]; then setsid \"$boot\" >>{boot_log} 2>&1 & fi\ndone\n\
             exec {sshd} -D -E {log} -f {at}/sshd_config\n"
        );
        script
    }

    pub(super) fn try_start(&mut self) -> Result<(), Unable> {
        if is_root() {
            // Where sshd that root has started wants to be; the system removes it at every start.
            fs::create_dir_all("/run/sshd").map_err(|error| format!("/run/sshd cannot be made: {error}"))?;
        }
        let before = self.listened();
        let running =
            Guarded::start(&self.launch_command(), has_namespaces(), &self.dir.path().join("launch.log"));
        let inside = |pid| children(pid).first().copied();
        if let Route::Network(line) = &self.way {
            until("the host has its namespaces", || inside(running.pid()).is_some() || !running.is_alive());
            line.join(inside(running.pid()).ok_or("network namespaces cannot be made here")?)?;
        }
        until("sshd listens", || self.listened() > before || !running.is_alive());
        if self.listened() > before {
            self.running = Some(running);
            return Ok(());
        }
        let said = fs::read_to_string(self.dir.path().join("launch.log")).unwrap_or_default();
        Err(format!("sshd does not run here: {} {}", said.trim(), self.log().trim()))
    }

    pub(super) fn launch_command(&self) -> Vec<OsString> {
        let mut command: Vec<OsString> = vec!["env".into(), "-i".into()];
        command.push("PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin".into());
        command.push(format!("HOME={}", self.home().display()).into());
        command.push(format!("{MARK}={}", self.mark).into());
        if has_namespaces() {
            command.extend(NAMESPACES.map(Into::into));
        }
        if let Route::Network(_) = self.way {
            command.push("--net".into());
        }
        command.extend(["/bin/sh".into(), self.dir.path().join("launch").into()]);
        command
    }
}

const NAMESPACES: [&str; 7] =
    ["unshare", "--mount", "--pid", "--uts", "--fork", "--kill-child", "--mount-proc"];

/// Says whether hosts can have namespaces of their own.
pub(super) fn has_namespaces() -> bool {
    static CAN: OnceLock<bool> = OnceLock::new();
    *CAN.get_or_init(|| {
        let [program, args @ ..] = NAMESPACES;
        let tried = || Command::new(program).args(args).arg("true").output();
        is_root() && tried().is_ok_and(|output| output.status.success())
    })
}
