//! What is in a directory, so that two of them can be compared file by file.

use std::collections::BTreeMap;
use std::fs::{self, Metadata};
use std::io;
use std::os::unix::ffi::OsStrExt as _;
use std::os::unix::fs::{FileTypeExt as _, MetadataExt as _};
use std::path::{Path, PathBuf};

use sha2::{Digest as _, Sha256};
use shipway_core::backup::Content;
use shipway_core::problem::Problem;

use super::hand::Hand;
use super::keep;

/// What was seen.
pub(super) struct Seen(BTreeMap<PathBuf, Entry>);

struct Entry {
    /// What decides whether two are the same: type, mode, size, and the digest of the bytes or the target of a link.
    same: String,
    /// What changes whenever somebody writes.
    stamp: (u64, i64, i64),
    is_dir: bool,
}

/// Why a look failed.
pub(super) enum Error {
    /// The system refused.
    Io(io::Error, PathBuf),
    /// Something is gone that was there a moment ago.
    Gone(PathBuf),
    /// It was told to end.
    Ended(Problem),
}

impl Error {
    /// Returns what a user is told.
    pub(super) fn problem(self, hand: &Hand<'_>) -> Problem {
        match self {
            Self::Io(error, path) => hand.io(&error, &path),
            Self::Gone(path) => hand.io(&io::ErrorKind::NotFound.into(), &path),
            Self::Ended(problem) => problem,
        }
    }
}

/// Looks at everything in a directory, with the bytes of all files. Sockets are not part of it: nothing can save them.
pub(super) fn look(dir: &Path, go_on: impl Fn() -> Result<(), Problem>) -> Result<Seen, Error> {
    walk(dir, true, go_on)
}

/// Looks again, at the stamps only.
pub(super) fn glance(dir: &Path, go_on: impl Fn() -> Result<(), Problem>) -> Result<Seen, Error> {
    walk(dir, false, go_on)
}

fn walk(dir: &Path, bytes: bool, go_on: impl Fn() -> Result<(), Problem>) -> Result<Seen, Error> {
    let mut seen = BTreeMap::new();
    let mut open = vec![PathBuf::new()];
    while let Some(relative) = open.pop() {
        go_on().map_err(Error::Ended)?;
        let path = if relative.as_os_str().is_empty() { dir.to_owned() } else { dir.join(&relative) };
        let failed = |error: io::Error| match error.kind() {
            io::ErrorKind::NotFound => Error::Gone(path.clone()),
            _ => Error::Io(error, path.clone()),
        };
        let found = fs::symlink_metadata(&path).map_err(failed)?;
        if found.file_type().is_socket() {
            continue;
        }
        if found.is_dir() {
            for entry in fs::read_dir(&path).map_err(failed)? {
                open.push(relative.join(entry.map_err(failed)?.file_name()));
            }
        }
        let entry = Entry {
            same: if bytes { same(&path, &found).map_err(failed)? } else { String::new() },
            stamp: (found.ino(), found.ctime(), found.ctime_nsec()),
            is_dir: found.is_dir(),
        };
        seen.insert(relative, entry);
    }
    Ok(Seen(seen))
}

fn same(path: &Path, found: &Metadata) -> io::Result<String> {
    let mode = format!("{:o}", found.mode());
    Ok(if found.is_file() {
        let (size, digest) = keep::digest(path)?;
        format!("{mode} {size} {digest}")
    } else if found.is_symlink() {
        let target = fs::read_link(path)?;
        // The mode of a link means nothing.
        format!("link {}", keep::hex(target.as_os_str().as_bytes()))
    } else {
        format!("{mode} {}", if found.is_dir() { 0 } else { found.rdev() })
    })
}

impl Seen {
    /// Returns how many files and directories there are, and one digest over all of them.
    pub(super) fn content(&self) -> Content {
        let mut hash = Sha256::new();
        for (path, entry) in &self.0 {
            let path = path.as_os_str().as_bytes();
            hash.update((path.len() as u64).to_le_bytes());
            hash.update(path);
            hash.update((entry.same.len() as u64).to_le_bytes());
            hash.update(&entry.same);
        }
        let dirs = self.0.values().filter(|entry| entry.is_dir).count();
        let counts = [("directories", dirs), ("files", self.0.len() - dirs)];
        let counts = counts.map(|(name, count)| (name.to_owned(), count as u64)).into();
        Content { counts, digest: Some(keep::hex(&hash.finalize())), place: BTreeMap::new() }
    }

    /// Returns the paths that somebody wrote between two looks at the same directory.
    pub(super) fn moved(&self, later: &Self) -> Vec<String> {
        let written = |path: &&PathBuf| {
            let stamp = |seen: &Self| seen.0.get(*path).map(|entry| entry.stamp);
            stamp(self) != stamp(later)
        };
        let mut paths: Vec<&PathBuf> = self.0.keys().chain(later.0.keys()).filter(written).collect();
        paths.sort();
        paths.dedup();
        paths.into_iter().map(|path| format!("./{}", path.display())).collect()
    }
}

/// Returns counts in words, such as `2 directories, 14 files`.
pub(super) fn words(counts: &BTreeMap<String, u64>) -> String {
    let word = |(name, count): (&String, &u64)| match (name.as_str(), count) {
        ("directories", 1) => "1 directory".to_owned(),
        ("files", 1) => "1 file".to_owned(),
        (name, count) => format!("{count} {name}"),
    };
    counts.iter().map(word).collect::<Vec<_>>().join(", ")
}
