//! What a hook keeps between calls: which trees were looked at, which checks have passed, and what was noted.

use std::fs::{self, OpenOptions};
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};

use shipway_core::id::Digest;
use shipway_core::local::Note;

use crate::git::repository::Repository;

/// How many trees that were looked at are remembered.
const TREES: usize = 200;
/// How long a check that passed is remembered.
const KEPT: Duration = Duration::from_hours(30 * 24);

/// The files of a work tree's hooks, in the git directory.
#[derive(Clone, Debug)]
pub struct Desk {
    own: PathBuf,
    shared: PathBuf,
}

impl Desk {
    /// Returns the desk of a work tree.
    pub fn of(repository: &Repository) -> Self {
        Self { own: repository.git_dir.join("shipway"), shared: repository.common_dir.join("shipway") }
    }

    fn trees(&self) -> PathBuf {
        self.own.join("looked-at")
    }

    /// Remembers that a tree was looked at before its commit.
    pub fn looked_at(&self, tree: &str) -> io::Result<()> {
        let mut kept: Vec<String> = fs::read_to_string(self.trees())
            .map(|text| text.lines().filter(|line| *line != tree).map(str::to_owned).collect())
            .unwrap_or_default();
        kept.push(tree.to_owned());
        let from = kept.len().saturating_sub(TREES);
        replace(&self.trees(), &(kept[from..].join("\n") + "\n"))
    }

    /// Tells whether a tree was looked at.
    pub fn has_looked_at(&self, tree: &str) -> bool {
        fs::read_to_string(self.trees()).is_ok_and(|text| text.lines().any(|line| line == tree))
    }

    fn passed(&self) -> PathBuf {
        self.shared.join("passed")
    }

    /// Remembers that a check has passed on what the digest is of.
    pub fn pass(&self, what: &Digest) -> io::Result<()> {
        fs::create_dir_all(self.passed())?;
        fs::write(self.passed().join(what.as_str()), "")?;
        for entry in fs::read_dir(self.passed())?.flatten() {
            let age = entry.metadata().and_then(|data| data.modified());
            let old =
                age.is_ok_and(|time| SystemTime::now().duration_since(time).is_ok_and(|age| age > KEPT));
            if old {
                let _ = fs::remove_file(entry.path());
            }
        }
        Ok(())
    }

    /// Tells whether a check has passed on what the digest is of.
    pub fn has_passed(&self, what: &Digest) -> bool {
        self.passed().join(what.as_str()).exists()
    }

    fn noted(&self) -> PathBuf {
        self.shared.join("notes.jsonl")
    }

    /// Adds a note; those that are there stay as they are.
    pub fn note(&self, note: &Note) -> io::Result<()> {
        fs::create_dir_all(&self.shared)?;
        let line = serde_json::to_string(note).map_err(io::Error::other)? + "\n";
        OpenOptions::new().create(true).append(true).open(self.noted())?.write_all(line.as_bytes())
    }

    /// Returns all notes, the oldest first. A line that cannot be read is passed over.
    pub fn notes(&self) -> Vec<Note> {
        let text = fs::read_to_string(self.noted()).unwrap_or_default();
        text.lines().filter_map(|line| serde_json::from_str(line).ok()).collect()
    }

    /// Returns the notes of some commits.
    pub fn notes_of(&self, commits: &[String]) -> Vec<Note> {
        let mut notes = self.notes();
        notes.retain(|note| commits.contains(&note.commit));
        notes
    }
}

/// Writes a file so that a reader sees all of it or the one before.
fn replace(path: &Path, text: &str) -> io::Result<()> {
    let dir = path.parent().unwrap_or(Path::new("."));
    fs::create_dir_all(dir)?;
    let draft = path.with_extension(format!("{}", std::process::id()));
    fs::write(&draft, text)?;
    fs::rename(draft, path)
}
