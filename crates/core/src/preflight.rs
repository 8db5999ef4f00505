//! Preflight: what an environment needs of its hosts, what a look found there, and whether that will do.
//!
//! A [`Want`] goes to the host and a [`Seen`] comes back; [`judge`] decides here, so that a host with an older shipway
//! is judged by the newer rules. Nothing here looks.

pub mod certificate;
mod fix;
mod judge;
mod page;
mod parity;
mod require;
mod seen;
mod words;

#[cfg(test)]
mod tests;

use serde::{Deserialize, Serialize};

use crate::deps::{Declaration, Place};
use crate::problem::{Code, Problem};

pub use fix::reach;
pub use judge::judge;
pub use page::{Page, Stamp, digest, page};
pub use parity::{Difference, HostReport, parity};
pub use require::{Require, wants};
pub use seen::Seen;

/// One thing that is wanted of a host.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "want", rename_all = "kebab-case")]
pub enum Want {
    /// An operating system, such as `linux`, `debian` or `debian>=12`.
    Os {
        /// Its name, and the versions that will do.
        wanted: String,
    },
    /// The user that commands run as.
    User {
        /// The name.
        name: String,
    },
    /// The right to run a command with sudo, without a password.
    Sudo {
        /// The program and its arguments.
        command: Vec<String>,
    },
    /// A clock that is right.
    Clock {
        /// How far it may be off, in milliseconds.
        within_ms: u64,
    },
    /// Room on a disk.
    Disk {
        /// A path on it, which need not exist yet.
        path: String,
        /// Free bytes.
        bytes: u64,
        /// Free inodes.
        inodes: u64,
    },
    /// Memory that is not in use.
    Memory {
        /// How many bytes.
        bytes: u64,
    },
    /// A TCP port that nothing listens on.
    PortFree {
        /// The port.
        port: u16,
    },
    /// A TCP port that somebody listens on.
    PortOpen {
        /// A port of the host, or `name:port` of another one.
        address: String,
    },
    /// A service that runs.
    Service {
        /// What watches over it.
        keeper: Keeper,
        /// Its unit, directory, pid file or program.
        name: String,
    },
    /// An interpreter of Python.
    Python {
        /// The program.
        interpreter: String,
        /// The versions that will do (PEP 440).
        wanted: String,
    },
    /// A virtual environment that works.
    Venv {
        /// Its directory.
        path: String,
        /// The interpreter that makes it.
        interpreter: String,
        /// The versions of Python that will do (PEP 440).
        wanted: String,
    },
    /// A module that can be imported.
    Import {
        /// The interpreter.
        interpreter: String,
        /// The module.
        module: String,
    },
    /// A command on the search path.
    Command {
        /// Its name.
        name: String,
        /// The versions that will do; any if empty.
        wanted: String,
    },
    /// A variable that is set and not empty.
    Variable {
        /// Its name.
        name: String,
        /// The file with variables that sets it; the environment of the user if not set.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        file: Option<String>,
        /// Whether its value is a secret. No value ever leaves the host.
        secret: bool,
    },
    /// A file or directory.
    File {
        /// The path.
        path: String,
        /// The mode that it must have.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        mode: Option<u32>,
        /// Whether its content is a secret.
        secret: bool,
    },
    /// A certificate that does not expire soon.
    Certificate {
        /// A file, or the `name:port` of a server.
        place: String,
        /// How many days it must still be valid.
        days: u64,
    },
    /// A name that resolves.
    Dns {
        /// The name.
        name: String,
    },
    /// A backup that is not old.
    Backup {
        /// The directory that backups lie in; unknown if empty.
        dir: String,
        /// How old the newest may be, in milliseconds.
        within_ms: u64,
    },
    /// Packages as declared.
    Packages {
        /// Where they are installed.
        place: Place,
        /// What is declared.
        declaration: Declaration,
    },
    /// Something that a newer shipway wants.
    #[serde(other)]
    Unknown,
}

/// What watches over a service.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Keeper {
    /// systemd.
    Systemd,
    /// The systemd of the user.
    SystemdUser,
    /// s6, by service directory.
    S6,
    /// runit, by service directory.
    Runit,
    /// Nobody: a process with a pid file.
    PidFile,
    /// Nobody: a process by the name of its program.
    Process,
    /// A keeper of a newer shipway.
    #[serde(other)]
    Unknown,
}

/// How a want stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum State {
    /// As wanted.
    Ok,
    /// It will do today.
    Warn,
    /// It could not be found out.
    Unknown,
    /// It stops a deployment.
    Bad,
}

impl State {
    /// Returns the word for it.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Ok => "ok",
            Self::Warn => "warn",
            Self::Unknown => "unknown",
            Self::Bad => "bad",
        }
    }
}

/// One want, what was found, and what to do.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Row {
    /// What it is about, such as `disk /srv/app`.
    pub name: String,
    /// How it stands.
    pub state: State,
    /// What was found.
    pub found: String,
    /// What was wanted.
    pub wanted: String,
    /// A command that sets it right, or shows why it is wrong; it can be pasted.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub fix: Option<String>,
}

impl Row {
    /// Returns a row without a fix.
    pub fn new(
        name: impl Into<String>,
        state: State,
        found: impl Into<String>,
        wanted: impl Into<String>,
    ) -> Self {
        Self { name: name.into(), state, found: found.into(), wanted: wanted.into(), fix: None }
    }

    /// Adds the command that sets it right.
    #[must_use]
    pub fn fix(mut self, fix: impl Into<String>) -> Self {
        self.fix = Some(fix.into());
        self
    }
}

/// Returns what a plan or command is told when rows of an environment are bad; each is a line of its own.
pub fn problem(environment: &str, rows: &[(String, Vec<Row>)]) -> Option<Problem> {
    let bad: Vec<(&str, &Row)> = rows
        .iter()
        .flat_map(|(host, rows)| rows.iter().map(move |row| (host.as_str(), row)))
        .filter(|(_, row)| row.state == State::Bad)
        .collect();
    let number = bad.len();
    let what = match number {
        0 => return None,
        1 => format!("{environment} is not ready: one want is not met"),
        _ => format!("{environment} is not ready: {number} wants are not met"),
    };
    let line = |(host, row): &(&str, &Row)| {
        format!("{host}: {}: found {}, wanted {}", row.name, row.found, row.wanted)
    };
    let mut problem = Problem::new(Code::NotReady, what).details(bad.iter().map(line));
    for fix in bad.iter().filter_map(|(_, row)| row.fix.as_ref()) {
        if !problem.hints.contains(fix) {
            problem.hints.push(fix.clone());
        }
    }
    Some(problem)
}
