//! Directories for checkouts that are there for a while only, and what is left of them when their process was killed.
//!
//! Who works in such a directory holds a lock on a file in it: the process that made it, and what that has started to
//! work there. A lock ends with those that hold it, however they end, where the number of a process is given to others.

use std::ffi::OsStr;
use std::fs::{self, File, OpenOptions};
use std::io;
use std::os::unix::ffi::OsStrExt as _;
use std::os::unix::fs::{DirBuilderExt as _, MetadataExt as _};
use std::path::{Path, PathBuf};
use std::time::Duration;

use rustix::process::geteuid;

/// What the names of the directories begin with.
const PREFIX: &str = "shipway-trigger-";
/// The file with the lock; it stands beside the checkout and not in it.
const HELD: &str = ".held";
/// When a directory without a lock was surely not made just now.
const OLD: Duration = Duration::from_hours(24);
/// How often a directory is made anew that was swept before its lock was taken.
const ATTEMPTS: usize = 8;

/// Makes a directory of this process for a commit, and returns it with its lock.
pub(super) fn make(commit: &str) -> io::Result<(PathBuf, File)> {
    let short = commit.get(..12).unwrap_or(commit);
    let dir = std::env::temp_dir().join(format!("{PREFIX}{}-{short}", std::process::id()));
    for _ in 0..ATTEMPTS {
        fs::DirBuilder::new().mode(0o700).create(&dir)?;
        let path = dir.join(HELD);
        let held = OpenOptions::new().read(true).write(true).create_new(true).open(&path);
        // Somebody may have swept it in between, as one that nobody holds.
        if let Ok(held) = held
            && held.try_lock().is_ok()
            && path.exists()
        {
            return Ok((dir, held));
        }
        fs::remove_dir_all(&dir).or_else(|error| if dir.exists() { Err(error) } else { Ok(()) })?;
    }
    Err(io::Error::other("others remove it as soon as it is made"))
}

/// Removes the directories that nobody holds any more, and the records of such that a repository has.
///
/// What cannot be removed is left: it is in nobody's way.
pub(super) fn sweep(common_dir: Option<&Path>) {
    for entry in fs::read_dir(std::env::temp_dir()).into_iter().flatten().flatten() {
        if entry.file_name().as_bytes().starts_with(PREFIX.as_bytes()) {
            let _ = clear(&entry.path());
        }
    }
    let records = common_dir.map(|dir| dir.join("worktrees"));
    for record in records.iter().flat_map(fs::read_dir).flatten().flatten() {
        if is_gone(&record.path()) {
            let _ = fs::remove_dir_all(record.path());
        }
    }
    // Empty again, it is as it was before the first work tree.
    let _ = records.map(fs::remove_dir);
}

fn clear(dir: &Path) -> io::Result<()> {
    let found = fs::symlink_metadata(dir)?;
    if !found.is_dir() || found.uid() != geteuid().as_raw() {
        return Ok(());
    }
    let _held = match File::open(dir.join(HELD)) {
        Ok(held) if held.try_lock().is_ok() => Some(held),
        Err(error) if error.kind() == io::ErrorKind::NotFound && is_old(&found) => None,
        Ok(_) | Err(_) => return Ok(()),
    };
    fs::remove_dir_all(dir)
}

fn is_old(found: &fs::Metadata) -> bool {
    found.modified().ok().and_then(|at| at.elapsed().ok()).is_some_and(|age| age > OLD)
}

/// Tells whether git's record of a work tree is one of a directory of ours that is not there any more.
///
/// Git is not asked to prune: with these might go work trees of the user whose disk is not there at the moment.
fn is_gone(record: &Path) -> bool {
    let Ok(text) = fs::read(record.join("gitdir")) else { return false };
    let tree = Path::new(OsStr::from_bytes(text.trim_ascii()));
    let ours =
        |dir: &&Path| dir.file_name().is_some_and(|name| name.as_bytes().starts_with(PREFIX.as_bytes()));
    tree.ancestors().find(ours).is_some_and(|dir| !dir.exists())
}
