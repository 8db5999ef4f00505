//! Where a repository is on disk, and how it reaches others.

use std::fs::DirBuilder;
use std::io;
use std::os::unix::fs::DirBuilderExt as _;
use std::path::PathBuf;

use super::cmd::Remote;

/// A repository with a work tree, or a bare one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Repository {
    /// The top of the work tree; of a bare repository its directory.
    pub top: PathBuf,
    /// The git directory of this work tree.
    pub git_dir: PathBuf,
    /// The git directory that all work trees of the repository share.
    pub common_dir: PathBuf,
    /// How git reaches other machines from here.
    pub reach: Remote,
}

impl Repository {
    /// Tells whether there is no work tree.
    pub fn is_bare(&self) -> bool {
        self.top == self.git_dir
    }

    /// Returns where shipway keeps its journal: never in the work tree, where a commit could write it.
    pub fn state_dir(&self) -> PathBuf {
        self.common_dir.join("shipway")
    }

    /// Returns where the logs and the scratch files of a run are.
    pub fn run_dir(&self, run: &str) -> PathBuf {
        self.state_dir().join("runs").join(run)
    }

    /// Makes the directory of a run, for its owner only, and returns it.
    pub(crate) fn make_run_dir(&self, run: &str) -> io::Result<PathBuf> {
        let dir = self.run_dir(run);
        DirBuilder::new().mode(0o700).recursive(true).create(&dir)?;
        Ok(dir)
    }
}
