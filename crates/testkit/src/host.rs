//! Real hosts for tests: sshd on a loopback address, in a network namespace, or in a machine with its own systemd.
//!
//! Everything that is started ends with the value that stands for it, also in a panic, and also when the test program
//! is killed. What cannot be had here is told as text, with which a test calls [`skip`](crate::skip::skip).

mod containers;
mod disk;
mod fleet;
mod forward;
mod keys;
mod launch;
mod machine;
mod network;
mod process;
mod sshd;
mod supervision;
mod web;

use std::env;
use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

pub use containers::{Engine, LIMITS, Registry, image_files};
pub use disk::{LoopDisk, Tmpfs, read_only};
pub use fleet::Fleet;
pub use forward::{Forwarder, Loss, Way};
pub use machine::{Machine, tree};
pub use network::Network;
pub use sshd::{Sshd, Wanted};
pub use supervision::{Init, Supervision};
pub use web::{Answer, copy_web, get, web_program};

/// Why something cannot be had on this machine: the text for [`skip`](crate::skip::skip).
pub type Unable = String;

/// Long enough for every condition that is going to come true, on any machine.
const PATIENCE: Duration = Duration::from_mins(2);

/// Returns where a program is, or says that it is missing. Administrators' programs are not on everybody's path.
pub fn program(name: &str) -> Result<PathBuf, Unable> {
    let path = env::var_os("PATH").unwrap_or_default();
    let usual = ["/usr/local/sbin", "/usr/sbin", "/sbin", "/usr/bin", "/bin"].map(PathBuf::from);
    let dirs = env::split_paths(&path).chain(usual);
    dirs.map(|dir| dir.join(name)).find(|path| path.is_file()).ok_or(format!("{name} is not installed"))
}

/// Waits until something is so, and panics when it does not come about in two minutes.
#[track_caller]
pub fn until(what: &str, mut so: impl FnMut() -> bool) {
    let begun = Instant::now();
    while !so() {
        assert!(begun.elapsed() < PATIENCE, "waited in vain until {what}");
        std::thread::sleep(Duration::from_millis(5));
    }
}

/// Returns a port of this machine that nobody has now.
///
/// # Panics
///
/// Panics when there is none.
pub fn free_port() -> u16 {
    let free = TcpListener::bind("127.0.0.1:0").and_then(|listener| listener.local_addr());
    free.expect("there is a free port").port()
}

/// Says whether this process is root.
pub fn is_root() -> bool {
    rustix::process::geteuid().is_root()
}

/// Quotes a word for a shell.
fn quote(word: impl AsRef<Path>) -> String {
    let word = word.as_ref().to_str().expect("paths of tests are text");
    format!("'{}'", word.replace('\'', r"'\''"))
}
