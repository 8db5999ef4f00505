//! A real sshd on a loopback port.

use std::collections::BTreeMap;
use std::fs;
use std::net::{TcpListener, TcpStream};
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

use shipway_core::action::{Effect, Stop};
use shipway_core::deployment::Host;
use shipway_core::problem::Code;
use shipway_testkit::skip::skip;
use shipway_world::agent::protocol::Request;
use shipway_world::host::{AgentBinary, Fleet};

use crate::scene::{AGENT, Driver, Scene, until};

struct Sshd {
    child: Child,
    port: u16,
    dir: PathBuf,
}

impl Drop for Sshd {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn key(path: &Path) -> bool {
    let mut command = Command::new("ssh-keygen");
    command.args(["-q", "-t", "ed25519", "-N", "", "-f"]).arg(path);
    command.status().is_ok_and(|status| status.success())
}

/// Starts sshd, or tells why it cannot be.
fn sshd(scene: &Scene) -> Result<Sshd, &'static str> {
    let program = Path::new("/usr/sbin/sshd");
    if !program.exists() {
        return Err("sshd is not installed");
    }
    let dir = scene.path().join("ssh");
    let home = dir.join("home");
    fs::create_dir_all(&home).unwrap();
    if !key(&dir.join("host")) || !key(&dir.join("user")) {
        return Err("ssh-keygen does not work");
    }
    fs::copy(dir.join("user.pub"), dir.join("authorized")).unwrap();
    // Where sshd that is started by root wants to be; the system removes it at every start.
    let _ = fs::create_dir_all("/run/sshd");
    let port = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
    let (at, home) = (dir.display(), home.display());
    let config = format!(
        "Port {port}\nListenAddress 127.0.0.1\nHostKey {at}/host\nPidFile none\nUsePAM no\nStrictModes no\n\
         AuthorizedKeysFile {at}/authorized\nPasswordAuthentication no\nKbdInteractiveAuthentication no\n\
         SetEnv HOME={home}\nPermitRootLogin yes\n"
    );
    fs::write(dir.join("sshd_config"), config).unwrap();
    let log = fs::File::create(dir.join("log")).unwrap();
    let mut command = Command::new(program);
    command.args(["-D", "-e", "-f"]).arg(dir.join("sshd_config"));
    let child = command.stdin(Stdio::null()).stderr(log).spawn().unwrap();
    let mut sshd = Sshd { child, port, dir };
    let mut ended = false;
    until("sshd listens", || {
        TcpStream::connect(("127.0.0.1", port)).is_ok()
            || fs::read_to_string(sshd.dir.join("log")).is_ok_and(|log| log.contains("fatal"))
    });
    ended |= sshd.child.try_wait().unwrap().is_some();
    if ended { Err("sshd does not run here") } else { Ok(sshd) }
}

impl Sshd {
    fn know(&self) {
        let key = fs::read_to_string(self.dir.join("host.pub")).unwrap();
        fs::write(self.dir.join("known"), format!("[127.0.0.1]:{} {key}", self.port)).unwrap();
    }

    fn host(&self, path: &str) -> Host {
        let at = self.dir.display();
        let config = format!(
            "Host *\nIdentityFile {at}/user\nIdentitiesOnly yes\nUserKnownHostsFile {at}/known\n\
             GlobalKnownHostsFile none\nStrictHostKeyChecking yes\n"
        );
        fs::write(self.dir.join("config"), config).unwrap();
        let ssh = vec!["ssh".into(), "-F".into(), format!("{at}/config")];
        let address = format!("ssh://127.0.0.1:{}", self.port);
        Host { name: "web-1".into(), address, path: path.into(), ssh, roles: vec![] }
    }
}

fn fleet(scene: &Scene) -> Fleet {
    Fleet::new(scene.store.clone(), AgentBinary::new(AGENT), BTreeMap::default())
}

#[test]
fn a_release_goes_over_ssh_and_brings_the_agent_once() {
    let scene = Scene::new();
    let sshd = match sshd(&scene) {
        Ok(sshd) => sshd,
        Err(why) => return skip(why),
    };
    sshd.know();
    // A directory relative to the home directory there, with a name that a shell would take apart.
    let host = sshd.host("our app's $(dir)");
    let one = scene.built("one");
    let first = fleet(&scene);
    let driver = Driver::new(&first, 1);
    let staged = driver.stage(&host, &one).unwrap();
    assert_eq!(staged.sent_files, 40);
    driver.switch(&host, 600_000).unwrap();
    driver.ask(&host, Request::Confirm).unwrap();
    let root = sshd.dir.join("home").join(&host.path);
    assert_eq!(fs::read_to_string(root.join("current/version")).unwrap(), "one");
    assert_eq!(driver.look(&host).root, root.display().to_string());
    let agents = || fs::read_dir(sshd.dir.join("home/.local/share/shipway/agent")).unwrap().flatten();
    let made = agents().next().unwrap().metadata().unwrap().modified().unwrap();
    let second = fleet(&scene);
    second.look(&host, &Stop::default()).unwrap();
    assert_eq!(agents().count(), 1);
    assert_eq!(agents().next().unwrap().metadata().unwrap().modified().unwrap(), made);
    assert_eq!(agents().next().unwrap().metadata().unwrap().permissions().mode() & 0o777, 0o755);
}

#[test]
fn what_is_wrong_on_the_way_to_a_host_is_told_apart() {
    let scene = Scene::new();
    let sshd = match sshd(&scene) {
        Ok(sshd) => sshd,
        Err(why) => return skip(why),
    };
    let host = sshd.host("app");
    let check = |host: &Host, binary: &str, code: Code, hint: &str| {
        let fleet = Fleet::new(scene.store.clone(), AgentBinary::new(binary), BTreeMap::default());
        let fault = fleet.look(host, &Stop::default()).unwrap_err();
        assert_eq!((fault.problem.code, fault.effect), (code, Effect::None), "{fault:?}");
        assert!(fault.problem.hints.join("\n").contains(hint), "{fault:?}");
    };
    check(&host, AGENT, Code::HostKeyUnknown, "ssh -F ");
    let other = fs::read_to_string(sshd.dir.join("user.pub")).unwrap();
    fs::write(sshd.dir.join("known"), format!("[127.0.0.1]:{} {other}", sshd.port)).unwrap();
    check(&host, AGENT, Code::HostKeyChanged, "ssh-keygen");
    sshd.know();
    let script = scene.program("not-an-agent", "#!/bin/sh\necho cannot run here >&2; exit 1\n");
    check(&host, script.to_str().unwrap(), Code::AgentUnusable, "uname -sm");
    fs::write(sshd.dir.join("authorized"), "").unwrap();
    check(&host, AGENT, Code::HostDenied, "ssh-add -l");
    let closed = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
    let refused = Host { address: format!("ssh://127.0.0.1:{closed}"), ..host.clone() };
    check(&refused, AGENT, Code::HostRefused, " -v ");
    let unknown = Host { address: "name.invalid".into(), ..host.clone() };
    check(&unknown, AGENT, Code::HostUnknown, " -G ");
    let none = Host { ssh: vec!["no-such-ssh".into()], ..host };
    check(&none, AGENT, Code::HostUnreachable, "no-such-ssh");
}
