//! Which artifact was built from a commit or brought by a run, and what of the store is still needed.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

use shipway_core::id::{Digest, RunId};
use shipway_core::problem::Problem;

use super::scan::io_problem;
use super::store::Store;

/// What was removed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Swept {
    /// How many files.
    pub files: u64,
    /// How many bytes, as they are on disk.
    pub bytes: u64,
}

impl Store {
    /// Keeps in mind which artifact the build with this key made of a commit.
    pub fn record_commit(&self, commit: &str, key: &Digest, artifact: &Digest) -> Result<(), Problem> {
        self.record("commits", &format!("{commit}-{key}"), artifact)
    }

    /// Returns the artifact that the build with this key made of a commit.
    pub fn artifact_of_commit(&self, commit: &str, key: &Digest) -> Option<Digest> {
        self.recorded("commits", &format!("{commit}-{key}"))
    }

    /// Keeps in mind which artifact a run made or brought.
    pub fn record_run(&self, run: &RunId, artifact: &Digest) -> Result<(), Problem> {
        self.record("runs", run.as_str(), artifact)
    }

    /// Returns the artifact that a run made or brought.
    pub fn artifact_of_run(&self, run: &RunId) -> Option<Digest> {
        self.recorded("runs", run.as_str())
    }

    /// Forgets which artifact a run made; the artifact stays.
    pub fn forget_run(&self, run: &RunId) -> Result<(), Problem> {
        let path = self.dir.join("runs").join(run.as_str());
        match fs::remove_file(&path) {
            Ok(()) => Ok(()),
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(()),
            Err(error) => Err(io_problem(&path, &error)),
        }
    }

    /// Removes everything but some artifacts: their manifests, their blobs, and what is recorded of them stay.
    ///
    /// Nobody may put anything meanwhile.
    pub fn sweep(&self, keep: &BTreeSet<Digest>) -> Result<Swept, Problem> {
        let mut blobs = BTreeSet::new();
        for digest in keep {
            // One that is not there has nothing to keep.
            let Ok(manifest) = self.manifest(digest) else { continue };
            blobs.extend(manifest.files.into_iter().map(|file| file.blake3));
        }
        let mut swept = Swept::default();
        // Names go before what they lead to, so that a death in between leaves nothing that leads nowhere.
        for part in ["commits", "runs"] {
            self.clear(part, &mut swept, |_, text| keep.contains(&Digest::new(text)))?;
        }
        self.clear("manifests", &mut swept, |name, _| {
            name.strip_suffix(".json").is_some_and(|name| keep.iter().any(|digest| digest.as_str() == name))
        })?;
        self.clear("new", &mut swept, |_, _| false)?;
        for first in names(&self.dir.join("blobs"))? {
            self.clear(&format!("blobs/{first}"), &mut swept, |name, _| {
                name.strip_suffix(".zst").is_some_and(|rest| blobs.contains(&format!("{first}{rest}")))
            })?;
        }
        Ok(swept)
    }

    fn clear(
        &self,
        part: &str,
        swept: &mut Swept,
        keeps: impl Fn(&str, &str) -> bool,
    ) -> Result<(), Problem> {
        let dir = self.dir.join(part);
        let small = matches!(part, "commits" | "runs");
        for name in names(&dir)? {
            let path = dir.join(&name);
            let text = if small { fs::read_to_string(&path).unwrap_or_default() } else { String::new() };
            if keeps(&name, &text) {
                continue;
            }
            let size = path.symlink_metadata().map_or(0, |found| found.len());
            fs::remove_file(&path).map_err(|error| io_problem(&path, &error))?;
            *swept = Swept { files: swept.files + 1, bytes: swept.bytes + size };
        }
        Ok(())
    }

    fn record(&self, part: &str, name: &str, artifact: &Digest) -> Result<(), Problem> {
        self.prepare()?;
        self.write(&self.dir.join(part).join(name), artifact.as_str().as_bytes())
    }

    fn recorded(&self, part: &str, name: &str) -> Option<Digest> {
        let text = fs::read_to_string(self.dir.join(part).join(name)).ok()?;
        Some(Digest::new(text))
    }
}

fn names(dir: &Path) -> Result<Vec<String>, Problem> {
    let entries = fs::read_dir(dir).map_err(|error| io_problem(dir, &error))?;
    Ok(entries.flatten().filter_map(|entry| entry.file_name().into_string().ok()).collect())
}
