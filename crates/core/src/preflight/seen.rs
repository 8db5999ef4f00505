//! What looks find. No value of a variable and no content of a file has a place here.

use serde::{Deserialize, Serialize};

use crate::deps::Inventory;
use crate::time::Time;

/// What a look found.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "seen", rename_all = "kebab-case")]
pub enum Seen {
    /// The operating system.
    Os {
        /// Its short name, such as `debian`.
        id: String,
        /// The names of those it is like.
        like: Vec<String>,
        /// Its version, such as `12`.
        version: String,
        /// The kernel and the architecture, such as `Linux` and `x86_64`.
        machine: [String; 2],
    },
    /// The user.
    User {
        /// The name.
        name: String,
    },
    /// The right to run a command as root.
    Sudo {
        /// Whether the command may be run.
        allowed: bool,
        /// Whether a password is asked for, if that is told.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        password: Option<bool>,
        /// What sudo says.
        why: String,
    },
    /// What the clock of the host shows.
    Clock {
        /// The time.
        at: Time,
    },
    /// Room on a disk.
    Disk {
        /// Free bytes, for this user.
        bytes: u64,
        /// Free inodes, for this user; nothing where a file system has no such limit.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        inodes: Option<u64>,
    },
    /// Memory that is not in use.
    Memory {
        /// How many bytes.
        bytes: u64,
    },
    /// Whether a port is listened on.
    Port {
        /// Whether it is.
        open: bool,
        /// Why it cannot be reached, if it cannot.
        why: String,
    },
    /// A service.
    Service {
        /// Whether it runs.
        running: bool,
        /// How its keeper puts it, such as `active (running)`.
        state: String,
    },
    /// A program with its version.
    Version {
        /// Where it is.
        path: String,
        /// Its version; empty if it does not say or was not asked.
        version: String,
    },
    /// A virtual environment that works.
    Venv {
        /// The version of its Python.
        version: String,
        /// The directory of the interpreter that it was made with.
        base: String,
    },
    /// Whether a module can be imported.
    Import {
        /// Why not; nothing if it can.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        error: Option<String>,
    },
    /// Whether a variable is set. Its value is not kept.
    Variable {
        /// Whether it is set.
        set: bool,
        /// Whether it is set to nothing.
        empty: bool,
    },
    /// A file.
    File {
        /// What it is: `file`, `directory` or `other`.
        what: String,
        /// Its permissions.
        mode: u32,
        /// Whether there is nothing in it.
        empty: bool,
    },
    /// A certificate.
    Certificate {
        /// When its validity ends.
        until: Time,
    },
    /// The addresses of a name.
    Addresses {
        /// All of them, sorted.
        list: Vec<String>,
    },
    /// The newest backup.
    Backup {
        /// When it was written.
        newest: Time,
        /// Its name.
        name: String,
        /// Its size.
        bytes: u64,
    },
    /// What is installed.
    Packages(Inventory),
    /// It is not there.
    Missing {
        /// In a few words.
        what: String,
    },
    /// It is there and does not work.
    Broken {
        /// Why.
        why: String,
    },
    /// It could not be looked at.
    Failed {
        /// Why.
        why: String,
    },
    /// Something that a newer shipway has seen.
    #[serde(other)]
    Unknown,
}
