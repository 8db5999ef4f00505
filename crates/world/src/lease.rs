//! The run lock: one process at a time drives a run in a repository, together with the children it started.
//!
//! The lock is on an open file that every child inherits as its standard input, and it ends when the last of them
//! ends. So nobody takes over a run while a `git push` of a killed process is still on its way.

mod process;
#[cfg(test)]
mod tests;

use std::fmt;
use std::fs::{self, DirBuilder, File, OpenOptions, TryLockError};
use std::io::{self, Write as _};
use std::ops::ControlFlow;
use std::os::fd::OwnedFd;
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::thread::sleep;
use std::time::{Duration, Instant};

use serde::{Deserialize, Serialize};
use shipway_core::id::{Actor, RunId};
use shipway_core::problem::{Code, Problem};
use shipway_core::time::Time;

pub use process::this_host;

/// The name of the lock in its directory; the file stays empty, because children read it.
const LOCK: &str = "lock";
/// The name of the file that says who holds the lock.
const HOLDER: &str = "lock.json";
/// How often the lock is tried while an orphan holds it.
const BEAT: Duration = Duration::from_millis(50);

/// Who holds the lock.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Holder {
    /// The process.
    pub pid: u32,
    /// The host name of its machine.
    pub host: String,
    /// Who started it.
    pub actor: Actor,
    /// The run, as soon as there is one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub run: Option<RunId>,
    /// Since when it holds the lock.
    pub since: Time,
    /// The command line, for people.
    pub command: String,
    /// When the process began, in the clock of its machine; it tells the process from a later one of the same number.
    ///
    /// The lock fills it in.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub born: Option<u64>,
}

/// The lock is taken.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Held {
    /// Who has it, if that can be told.
    pub holder: Option<Holder>,
    /// Whether that process is dead, so that only a child it left behind keeps the lock.
    pub orphan: bool,
}

/// Why there is no lock.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// Somebody else has it.
    #[error("{0}")]
    Held(Box<Held>),
    /// The system refused.
    #[error("the lock {}: {why}", path.display())]
    System {
        /// The file.
        path: PathBuf,
        /// What the system says.
        why: io::Error,
    },
}

/// The lock, held until this value and every child that inherited it are gone.
#[derive(Debug)]
pub struct Lock {
    // It is closed and never unlocked: to unlock would take it from the children, too.
    file: File,
    dir: PathBuf,
    holder: Holder,
}

impl Lock {
    /// Takes the lock in a directory, which is made for its owner only, and writes down who holds it.
    pub fn acquire(dir: &Path, holder: &Holder) -> Result<Self, Error> {
        // Between the lock and the name of its holder there is a moment in which the file names the one before.
        for _ in 0..2 {
            match Self::attempt(dir, holder) {
                Err(Error::Held(held)) if held.orphan || held.holder.is_none() => sleep(BEAT),
                other => return other,
            }
        }
        Self::attempt(dir, holder)
    }

    /// Takes the lock as [`Lock::acquire`] does, and waits up to `patience` for an orphan to end.
    ///
    /// `progress` is told of the orphan and of the time since the beginning, again and again, and may break off.
    pub fn acquire_within(
        dir: &Path,
        holder: &Holder,
        patience: Duration,
        progress: &mut dyn FnMut(&Held, Duration) -> ControlFlow<()>,
    ) -> Result<Self, Error> {
        let begun = Instant::now();
        loop {
            let held = match Self::acquire(dir, holder) {
                Err(Error::Held(held)) if held.orphan => held,
                other => return other,
            };
            let waited = begun.elapsed();
            if progress(&held, waited).is_break() || waited >= patience {
                return Err(Error::Held(held));
            }
            sleep(BEAT.min(patience.saturating_sub(waited)));
        }
    }

    /// Returns who holds the lock in a directory, or nothing when it is free.
    pub fn look(dir: &Path) -> Result<Option<Held>, Error> {
        let path = dir.join(LOCK);
        let file = match File::open(&path) {
            Err(why) if why.kind() == io::ErrorKind::NotFound => return Ok(None),
            other => other.map_err(|why| Error::System { path: path.clone(), why })?,
        };
        // A shared lock, so that two who only look do not see each other.
        match file.try_lock_shared() {
            Ok(()) => Ok(None),
            Err(TryLockError::WouldBlock) => Ok(Some(held(dir))),
            Err(TryLockError::Error(why)) => Err(Error::System { path, why }),
        }
    }

    /// Writes down which run the lock is held for.
    pub fn set_run(&mut self, run: &RunId) -> Result<(), Error> {
        self.holder.run = Some(run.clone());
        self.record()
    }

    /// Returns the lock as the standard input of a child, which reads nothing from it and holds it to its end.
    pub fn stdin(&self) -> io::Result<Stdio> {
        Ok(self.share()?.into())
    }

    /// Returns the lock as a further descriptor, which is closed when another program is executed.
    pub fn share(&self) -> io::Result<OwnedFd> {
        Ok(self.file.try_clone()?.into())
    }

    fn attempt(dir: &Path, holder: &Holder) -> Result<Self, Error> {
        let path = dir.join(LOCK);
        let file = open(dir, &path).map_err(|why| Error::System { path: path.clone(), why })?;
        match file.try_lock() {
            Ok(()) => {}
            Err(TryLockError::WouldBlock) => return Err(Error::Held(Box::new(held(dir)))),
            Err(TryLockError::Error(why)) => return Err(Error::System { path, why }),
        }
        let born = process::born(holder.pid);
        let lock = Self { file, dir: dir.to_owned(), holder: Holder { born, ..holder.clone() } };
        lock.record()?;
        Ok(lock)
    }

    fn record(&self) -> Result<(), Error> {
        let path = self.dir.join(HOLDER);
        // Whoever holds the lock is alone, so the name of the draft is never used twice at once.
        let draft = self.dir.join("lock.json.new");
        let write = || {
            let mut file =
                OpenOptions::new().write(true).create(true).truncate(true).mode(0o600).open(&draft)?;
            file.write_all(&serde_json::to_vec(&self.holder)?)?;
            fs::rename(&draft, &path)
        };
        write().map_err(|why| Error::System { path: path.clone(), why })
    }
}

fn open(dir: &Path, path: &Path) -> io::Result<File> {
    DirBuilder::new().mode(0o700).recursive(true).create(dir)?;
    // Network file systems give an exclusive lock only on a file that is open for writing.
    OpenOptions::new().read(true).write(true).create(true).truncate(false).mode(0o600).open(path)
}

fn held(dir: &Path) -> Held {
    let read = || serde_json::from_slice::<Holder>(&fs::read(dir.join(HOLDER)).ok()?).ok();
    let holder = read();
    let orphan = holder
        .as_ref()
        .is_some_and(|holder| holder.host == this_host() && !process::is_there(holder.pid, holder.born));
    Held { holder, orphan }
}

impl fmt::Display for Held {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Some(holder) = &self.holder else {
            return write!(f, "another process drives a run here");
        };
        if self.orphan {
            write!(f, "a child left behind by process {}, which is dead, still works on ", holder.pid)?;
        } else {
            write!(f, "{} on {} (process {}) drives ", holder.actor, holder.host, holder.pid)?;
        }
        match &holder.run {
            Some(run) => write!(f, "run {run}")?,
            None => write!(f, "`{}`", holder.command)?,
        }
        write!(f, " since {}", holder.since)
    }
}

impl From<Error> for Problem {
    fn from(error: Error) -> Self {
        match error {
            Error::Held(held) => Self::from(*held),
            Error::System { why, .. } if why.kind() == io::ErrorKind::StorageFull => {
                Self::new(Code::DiskFull, "no space is left for the lock")
            }
            Error::System { ref path, .. } => {
                let place = path.display().to_string();
                Self::new(Code::NotWritable, error.to_string()).at(place)
            }
        }
    }
}

impl From<Held> for Problem {
    fn from(held: Held) -> Self {
        let problem = Self::new(Code::LeaseHeld, held.to_string());
        let run = held.holder.and_then(|holder| holder.run);
        match (run, held.orphan) {
            (Some(run), true) => problem.hint(format!("shipway resume {run}")),
            (Some(_), false) => problem.hint("shipway status").hint("shipway abort"),
            (None, _) => problem.hint("shipway status"),
        }
    }
}
