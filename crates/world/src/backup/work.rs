//! Places that are not there for anybody else yet: where a backup grows, and where something is restored to.

use std::fs::{self, DirBuilder, File, Permissions};
use std::io;
use std::os::unix::fs::{DirBuilderExt as _, PermissionsExt as _};
use std::path::{Path, PathBuf};
use std::process;
use std::sync::atomic::{AtomicU64, Ordering};

use rustix::fs::{FlockOperation, flock};
use shipway_core::problem::{Code, Problem};

use super::code_of;

/// How the names of such places begin.
pub(super) const PREFIX: &str = ".work-";
/// The file that says which scratch database has to be dropped when this process dies.
const DATABASE: &str = "database";

/// A directory that is removed when it is dropped, or by the next one that comes along if this process dies.
pub(super) struct Work {
    dir: PathBuf,
    /// Locked for as long as this process lives.
    _lock: File,
    /// Scratch databases that dead processes left behind.
    pub(super) left: Vec<String>,
}

impl Work {
    /// Makes such a directory; the caller keeps others from making or sweeping at the same time.
    pub(super) fn new(below: &Path, left: Vec<String>) -> io::Result<Self> {
        let dir = below.join(format!("{PREFIX}{}", unique()));
        DirBuilder::new().mode(0o700).create(&dir)?;
        let lock = File::create(dir.join("lock"))?;
        flock(&lock, FlockOperation::LockExclusive)?;
        Ok(Self { dir, _lock: lock, left })
    }

    /// Returns a path in it.
    pub(super) fn path(&self, name: &str) -> PathBuf {
        self.dir.join(name)
    }

    /// Returns the name of a scratch database for a backup, written down before it is made.
    pub(super) fn database(&self, backup: &str) -> io::Result<String> {
        let name = format!("shipway_scratch_{}", unique().replace('-', "_"));
        fs::write(self.path(DATABASE), format!("{backup}\n{name}"))?;
        Ok(name)
    }
}

impl Drop for Work {
    fn drop(&mut self) {
        // What cannot be removed now is removed by the next one that comes along.
        let _ = remove(&self.dir);
    }
}

/// Removes what dead processes left behind, and returns the scratch databases of one backup. Where another backup has
/// one, its directory stays: only that one knows the server.
pub(super) fn sweep(below: &Path, backup: &str) -> io::Result<Vec<String>> {
    let mut databases = vec![];
    for entry in fs::read_dir(below)? {
        let dir = entry?.path();
        let ours = dir.file_name().is_some_and(|name| name.to_string_lossy().starts_with(PREFIX));
        if !ours || is_alive(&dir) {
            continue;
        }
        if dir.is_file() {
            // A record that was not finished.
            fs::remove_file(&dir)?;
            continue;
        }
        let database = fs::read_to_string(dir.join(DATABASE)).ok();
        match database.as_deref().and_then(|text| text.split_once('\n')) {
            Some((of, name)) if of == backup => databases.push(name.to_owned()),
            Some(_) => continue,
            None => {}
        }
        remove(&dir)?;
    }
    Ok(databases)
}

fn is_alive(dir: &Path) -> bool {
    let Ok(lock) = File::open(dir.join("lock")) else { return false };
    flock(&lock, FlockOperation::NonBlockingLockExclusive).is_err()
}

/// Removes a directory with everything in it, also where a restored directory may not be written.
fn remove(dir: &Path) -> io::Result<()> {
    match fs::remove_dir_all(dir) {
        Err(error) if error.kind() == io::ErrorKind::PermissionDenied => {}
        done => return done,
    }
    let mut open = vec![dir.to_owned()];
    while let Some(dir) = open.pop() {
        fs::set_permissions(&dir, Permissions::from_mode(0o700))?;
        for entry in fs::read_dir(&dir)? {
            let entry = entry?;
            if entry.file_type()?.is_dir() {
                open.push(entry.path());
            }
        }
    }
    fs::remove_dir_all(dir)
}

fn unique() -> String {
    static COUNT: AtomicU64 = AtomicU64::new(0);
    let count = COUNT.fetch_add(1, Ordering::Relaxed);
    format!("{}-{:x}-{count}", process::id(), crate::shell::now().0)
}

/// A file or a directory that gets its name when it is whole.
pub(super) struct New {
    path: PathBuf,
    place: PathBuf,
    is_dir: bool,
}

impl New {
    /// Begins a directory; one that is there must be empty.
    pub(super) fn directory(path: &Path) -> Result<Self, Problem> {
        match fs::read_dir(path).map(|mut entries| entries.next().is_some()) {
            Ok(true) => return Err(taken(path, "is not empty")),
            Err(error) if error.kind() == io::ErrorKind::NotFound => {}
            Err(error) if error.kind() == io::ErrorKind::NotADirectory => {
                return Err(taken(path, "is a file"));
            }
            Err(error) => return Err(refused(&error, path)),
            Ok(false) => {}
        }
        let new = Self { path: path.into(), place: beside(path), is_dir: true };
        DirBuilder::new().mode(0o700).create(&new.place).map_err(|error| refused(&error, &new.place))?;
        Ok(new)
    }

    /// Begins a file, which must not be there.
    pub(super) fn file(path: &Path) -> Result<Self, Problem> {
        if path.symlink_metadata().is_ok() {
            return Err(taken(path, "is there already"));
        }
        Ok(Self { path: path.into(), place: beside(path), is_dir: false })
    }

    /// Returns where it grows.
    pub(super) fn place(&self) -> &Path {
        &self.place
    }

    /// Gives it its name. What has come to be there meanwhile stays.
    pub(super) fn publish(self) -> Result<(), Problem> {
        let done = if self.is_dir {
            fs::rename(&self.place, &self.path)
        } else {
            File::open(&self.place)
                .and_then(|file| file.sync_all())
                .and_then(|()| fs::hard_link(&self.place, &self.path))
        };
        done.map_err(|error| match error.kind() {
            io::ErrorKind::AlreadyExists
            | io::ErrorKind::DirectoryNotEmpty
            | io::ErrorKind::NotADirectory => taken(&self.path, "is there already"),
            _ => refused(&error, &self.path),
        })
    }
}

impl Drop for New {
    fn drop(&mut self) {
        // After a directory has its name there is nothing here any more.
        let _ = if self.is_dir { remove(&self.place) } else { fs::remove_file(&self.place) };
    }
}

fn beside(path: &Path) -> PathBuf {
    let name = path.file_name().unwrap_or_default().to_string_lossy();
    path.with_file_name(format!(".{name}.{}", unique()))
}

fn taken(path: &Path, how: &str) -> Problem {
    Problem::new(Code::BackupInPlace, format!("{} {how}", path.display()))
        .wanted("a place that is not there yet, or an empty directory")
}

fn refused(error: &io::Error, path: &Path) -> Problem {
    Problem::new(code_of(error, Code::RestoreFailed), format!("{}: {error}", path.display()))
}
