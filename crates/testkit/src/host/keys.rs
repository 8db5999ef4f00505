//! Keys, and the configuration of clients.

use std::fs;
use std::net::SocketAddr;
use std::path::Path;

use super::{Unable, program};
use crate::hermetic;

/// Makes a key pair, over an older one if there is one.
pub(super) fn make(path: &Path) -> Result<(), Unable> {
    let dir = path.parent().expect("a key is in a directory");
    for old in [path.to_owned(), path.with_extension("pub")] {
        if old.exists() {
            fs::remove_file(old).expect("a file of the test can be removed");
        }
    }
    let mut command = hermetic::command(program("ssh-keygen")?, dir);
    command.args(["-q", "-t", "ed25519", "-N", "", "-C", "test", "-f"]).arg(path);
    let output = hermetic::run(&mut command, b"");
    if output.status.success() { Ok(()) } else { Err("ssh-keygen makes no keys here".to_owned()) }
}

/// Writes what a client knows: the keys of a host at its addresses.
pub(super) fn know(dir: &Path, addresses: &[SocketAddr]) {
    let key = fs::read_to_string(dir.join("host.pub")).expect("the host has a key");
    let line = |address: &SocketAddr| format!("[{}]:{} {key}", address.ip(), address.port());
    let plain = |address: &SocketAddr| format!("{} {key}", address.ip());
    let lines =
        addresses.iter().map(|address| if address.port() == 22 { plain(address) } else { line(address) });
    fs::write(dir.join("known_hosts"), lines.collect::<String>()).expect("the directory is the test's own");
}

/// Returns the entry of a host in a configuration of clients.
pub(super) fn entry(name: &str, user: &str, address: SocketAddr, dir: &Path) -> String {
    let (ip, port, at) = (address.ip(), address.port(), dir.display());
    format!(
        "Host {name}\n  HostName {ip}\n  Port {port}\n  User {user}\n  IdentityFile \"{at}/user\"\n  \
         UserKnownHostsFile \"{at}/known_hosts\"\n  GlobalKnownHostsFile /dev/null\n  IdentitiesOnly yes\n  \
         IdentityAgent none\n  StrictHostKeyChecking yes\n  UpdateHostKeys no\n  BatchMode yes\n  \
         ControlMaster no\n  ControlPath none\n  PreferredAuthentications publickey\n"
    )
}
