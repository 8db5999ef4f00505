//! The directory of an environment on a host: what is where in it, and small files that are replaced as a whole.

use std::fs::{self, DirBuilder, File};
use std::io::{self, Write as _};
use std::os::unix::fs::{DirBuilderExt as _, OpenOptionsExt as _};
use std::path::{Path, PathBuf};

use serde::Serialize;
use serde::de::DeserializeOwned;
use shipway_core::action::Fault;
use shipway_core::id::{Digest, RunId};
use shipway_core::problem::{Code, Problem};

/// The directory of an environment on a host.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Root {
    /// The path, absolute.
    pub dir: PathBuf,
}

/// Where `current` leads.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Current {
    /// Nowhere: it is not there.
    Missing,
    /// To the release of this artifact.
    Release(Digest),
    /// Elsewhere, or to a release that is not there; or it is no link. The text says what it is.
    Foreign(String),
}

/// The directories in it, and who may look into them.
const PARTS: [(&str, u32); 6] = [
    ("store", 0o755),
    ("store/manifests", 0o755),
    ("store/new", 0o700),
    ("releases", 0o755),
    ("deployments", 0o755),
    ("secrets", 0o700),
];

impl Root {
    /// Returns the directory at a path.
    pub fn new(dir: impl Into<PathBuf>) -> Self {
        Self { dir: dir.into() }
    }

    /// Makes the directory and what belongs in it, as far as it is not there.
    pub fn prepare(&self) -> Result<(), Problem> {
        make_dir(&self.dir, 0o755)?;
        PARTS.iter().try_for_each(|(part, mode)| make_dir(&self.dir.join(part), *mode))
    }

    /// Returns the directory of the release of an artifact.
    pub fn release(&self, artifact: &Digest) -> PathBuf {
        self.dir.join("releases").join(artifact.as_str())
    }

    /// Returns the link to the release that is live.
    pub fn current(&self) -> PathBuf {
        self.dir.join("current")
    }

    /// Returns the file with the manifest of an artifact.
    pub fn manifest(&self, artifact: &Digest) -> PathBuf {
        self.dir.join("store/manifests").join(format!("{artifact}.json"))
    }

    /// Returns the file with some secrets: a line `NAME=value` for each.
    pub fn secrets(&self, digest: &Digest) -> PathBuf {
        self.dir.join("secrets").join(format!("{digest}.env"))
    }

    /// Returns the file that tells people what a run has brought.
    pub fn deployment(&self, run: &RunId) -> PathBuf {
        self.dir.join("deployments").join(format!("{run}.json"))
    }

    /// Returns where `current` leads.
    pub fn look_at_current(&self) -> Current {
        let path = self.current();
        let Ok(found) = path.symlink_metadata() else { return Current::Missing };
        if !found.is_symlink() {
            let kind = if found.is_dir() { "a directory" } else { "a file" };
            return Current::Foreign(format!("`current` is {kind}, not a link"));
        }
        let to = fs::read_link(&path).unwrap_or_default();
        let whole = self.dir.join(&to);
        let name = whole.file_name().and_then(|name| name.to_str()).unwrap_or_default();
        let artifact = Digest::new(name);
        if whole != self.release(&artifact) {
            return Current::Foreign(format!("`current` leads to {}, which is no release", to.display()));
        }
        if !whole.is_dir() {
            return Current::Foreign(format!("`current` leads to {}, which is missing", to.display()));
        }
        Current::Release(artifact)
    }

    /// Takes the lock of whoever changes releases, and waits for it. It is held until the file is closed.
    pub fn lock(&self) -> Result<File, Problem> {
        let path = self.dir.join("lock");
        let file = self.open_lock(&path)?;
        file.lock().map_err(|error| problem(&path, &error))?;
        Ok(file)
    }

    /// Takes the lock of whoever changes lease or watchdog; it is never held for long.
    pub fn lock_lease(&self) -> Result<File, Problem> {
        let path = self.dir.join("lease.lock");
        let file = self.open_lock(&path)?;
        file.lock().map_err(|error| problem(&path, &error))?;
        Ok(file)
    }

    /// Returns what a watchdog holds for as long as it lives, however it ends.
    pub fn hold_watchdog(&self) -> Result<File, Problem> {
        let path = self.dir.join(WATCHDOG);
        let file = self.open_lock(&path)?;
        file.lock_shared().map_err(|error| problem(&path, &error))?;
        Ok(file)
    }

    /// Tells whether no watchdog lives.
    pub fn unwatched(&self) -> bool {
        // Whoever looks may not be allowed to, and then knows nothing.
        File::open(self.dir.join(WATCHDOG)).is_ok_and(|file| file.try_lock().is_ok())
    }

    fn open_lock(&self, path: &Path) -> Result<File, Problem> {
        make_dir(&self.dir, 0o755)?;
        let file = File::options().read(true).append(true).create(true).mode(0o644).open(path);
        file.map_err(|error| problem(path, &error))
    }
}

/// The file whose lock a watchdog holds.
const WATCHDOG: &str = "watchdog.lock";

/// Replaces a file as a whole; it is on disk when this returns.
pub(super) fn replace(path: &Path, bytes: &[u8], mode: u32) -> Result<(), Problem> {
    let dir = path.parent().expect("a file is in a directory");
    let name = path.file_name().expect("a file has a name").to_string_lossy();
    let new = dir.join(format!(".{name}.{}", std::process::id()));
    let write = || {
        let _ = fs::remove_file(&new);
        let mut file = File::options().write(true).create_new(true).mode(mode).open(&new)?;
        file.write_all(bytes)?;
        file.sync_all()?;
        fs::rename(&new, path)?;
        File::open(dir)?.sync_all()
    };
    write().map_err(|error| {
        let _ = fs::remove_file(&new);
        problem(path, &error)
    })
}

/// Replaces a JSON file as a whole.
pub(super) fn replace_json(path: &Path, value: &impl Serialize) -> Result<(), Problem> {
    let mut text = serde_json::to_vec(value).expect("our own types have string keys");
    text.push(b'\n');
    replace(path, &text, 0o644)
}

/// Reads a JSON file, or nothing where there is none.
pub(super) fn read_json<T: DeserializeOwned>(path: &Path) -> Result<Option<T>, Problem> {
    match fs::read(path) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(problem(path, &error)),
        Ok(text) => serde_json::from_slice(&text).map(Some).map_err(|error| {
            Problem::new(Code::HostDrift, format!("{} cannot be read: {error}", path.display()))
        }),
    }
}

/// Removes a file if it is there.
pub(super) fn remove(path: &Path) -> Result<(), Problem> {
    match fs::remove_file(path) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => Err(problem(path, &error)),
        Ok(()) | Err(_) => Ok(()),
    }
}

/// Makes a directory if it is not there.
pub(super) fn make_dir(path: &Path, mode: u32) -> Result<(), Problem> {
    match DirBuilder::new().mode(mode).recursive(true).create(path) {
        Ok(()) => Ok(()),
        Err(error) => Err(problem(path, &error)),
    }
}

/// Returns the problem of a file that the system refuses.
pub(super) fn problem(path: &Path, error: &io::Error) -> Problem {
    let place = path.display();
    match error.kind() {
        io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded => {
            Problem::new(Code::HostDisk, format!("the disk is full: {place}")).hint("df -h; df -i")
        }
        io::ErrorKind::PermissionDenied | io::ErrorKind::ReadOnlyFilesystem => {
            let nearest = path.ancestors().find(|path| path.exists()).unwrap_or(path);
            let hint = format!("ls -ld {}; id", nearest.display());
            Problem::new(Code::HostRights, format!("{place} cannot be written: {error}")).hint(hint)
        }
        _ => Problem::new(Code::Io, format!("{place}: {error}")),
    }
}

/// Says that what went wrong may have had an effect.
pub(super) fn doubt(problem: Problem) -> Fault {
    Fault::in_doubt(problem)
}
