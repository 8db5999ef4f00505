//! Where a repository is: its work tree, its git directory, and the one that all its work trees share.
//!
//! It is found by the directory alone. Variables such as `GIT_DIR` do not count, because a release in one repository
//! must not depend on which hook of another one started it.

use std::fs;
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};

use shipway_core::action::{Shell, Stop};
use shipway_core::facts::Operation;
use shipway_core::problem::{Code, Problem};

use super::ask::{Git, bare, not_a_repository};
use super::shown;
use crate::git::cmd::Remote;
pub use crate::git::repository::Repository;

impl Repository {
    /// Returns the name of the repository's directory, to show: that of its main work tree, so that it is called the same
    /// in all of them, or that of a bare repository.
    pub fn directory(&self) -> String {
        let common = self.common_dir.as_path();
        let is_main = common.file_name().is_some_and(|name| name == ".git");
        let dir = match () {
            () if is_main => common.parent(),
            () if self.git_dir != common => Some(common),
            // The git directory lies elsewhere, as that of a submodule does.
            () => None,
        };
        let name = shown(dir.unwrap_or(&self.top).file_name().unwrap_or_default().as_bytes());
        name.strip_suffix(".git").map_or(name.clone(), str::to_owned)
    }

    /// Tells whether history is cut off.
    pub(super) fn is_shallow(&self) -> bool {
        fs::metadata(self.common_dir.join("shallow")).is_ok_and(|file| file.len() > 0)
    }

    /// Returns the git operation in progress, as the files that git keeps for it tell.
    pub(super) fn operation(&self) -> Option<Operation> {
        let has = |name: &str| self.git_dir.join(name).exists();
        if has("rebase-merge") || (has("rebase-apply") && !has("rebase-apply/applying")) {
            Some(Operation::Rebase)
        } else if has("rebase-apply") {
            Some(Operation::Am)
        } else if has("MERGE_HEAD") {
            Some(Operation::Merge)
        } else if has("CHERRY_PICK_HEAD") {
            Some(Operation::CherryPick)
        } else if has("REVERT_HEAD") {
            Some(Operation::Revert)
        } else {
            self.sequence().or_else(|| has("BISECT_LOG").then_some(Operation::Bisect))
        }
    }

    /// Returns the operation of a sequence between two of its commits, when neither of them is in hand.
    fn sequence(&self) -> Option<Operation> {
        let todo = fs::read(self.git_dir.join("sequencer/todo")).ok()?;
        Some(if todo.starts_with(b"revert") { Operation::Revert } else { Operation::CherryPick })
    }
}

/// Returns the repository that a directory is in.
///
/// Git is asked only about a `.git` that is not understood, so that its words can be shown.
pub fn repository(dir: &Path, shell: &dyn Shell, stop: &Stop) -> Result<Repository, Problem> {
    let dir = fs::canonicalize(dir)
        .map_err(|error| Problem::new(Code::Io, format!("{} cannot be read: {error}", dir.display())))?;
    for top in dir.ancestors() {
        let dot_git = top.join(".git");
        if dot_git.exists() {
            return match git_dir(&dot_git).and_then(|git_dir| Some((common_dir(&git_dir)?, git_dir))) {
                Some((common_dir, git_dir)) => {
                    Ok(Repository { top: top.to_owned(), git_dir, common_dir, reach: Remote::default() })
                }
                None => Err(broken(&dot_git, &Git::at(top, shell, stop))),
            };
        }
        if is_git_dir(top) {
            return Err(without_tree(top));
        }
    }
    Err(not_a_repository(&dir))
}

/// Returns the bare repository that a directory is in, as one whose top is itself: what needs no files works there.
///
/// A git directory beside its work tree is none.
pub fn bare_repository(dir: &Path) -> Option<Repository> {
    let dir = fs::canonicalize(dir).ok()?;
    let top = dir.ancestors().find(|top| top.join(".git").exists() || is_git_dir(top))?.to_owned();
    let bare = !top.join(".git").exists() && top.file_name().is_some_and(|name| name != ".git");
    let common_dir = common_dir(&top).filter(|common_dir| bare && *common_dir == top)?;
    Some(Repository { git_dir: top.clone(), common_dir, top, reach: Remote::default() })
}

/// Returns the directory that `.git` is or, for a work tree or a submodule, names.
fn git_dir(dot_git: &Path) -> Option<PathBuf> {
    let found = if dot_git.is_dir() {
        dot_git.to_owned()
    } else {
        named(fs::read(dot_git).ok()?.strip_prefix(b"gitdir:")?, dot_git.parent()?)?
    };
    is_git_dir(&found).then_some(found)
}

/// Returns the directory that `commondir` names, or the git directory itself if there is none.
fn common_dir(git_dir: &Path) -> Option<PathBuf> {
    match fs::read(git_dir.join("commondir")) {
        Ok(text) => named(&text, git_dir),
        Err(_) => Some(git_dir.to_owned()),
    }
}

/// Returns the existing path that a file of git holds, which counts from `base` if it is relative.
fn named(text: &[u8], base: &Path) -> Option<PathBuf> {
    let path = Path::new(std::ffi::OsStr::from_bytes(text.trim_ascii()));
    fs::canonicalize(base.join(path)).ok()
}

/// Tells whether a directory is a git directory (gitrepository-layout).
fn is_git_dir(dir: &Path) -> bool {
    let has = |name: &str| dir.join(name).exists();
    fs::symlink_metadata(dir.join("HEAD")).is_ok() && (has("commondir") || (has("objects") && has("refs")))
}

fn without_tree(dir: &Path) -> Problem {
    match (dir.file_name().is_some_and(|name| name == ".git"), dir.parent()) {
        (true, Some(top)) => {
            let cd = shipway_core::validate::quoted(&top.display().to_string());
            Problem::new(Code::BareRepository, format!("{} is inside a git directory", dir.display()))
                .found("no work tree")
                .wanted("the work tree beside it")
                .hint(format!("cd {cd}"))
        }
        (true, None) | (false, _) => bare(dir),
    }
}

/// Returns the problem of a `.git` that leads nowhere, in git's words where git has any.
fn broken(dot_git: &Path, git: &Git<'_>) -> Problem {
    let words = match git.run(&["rev-parse", "--git-dir"]) {
        Ok(output) => output.error_text(),
        Err(problem) => return problem,
    };
    Problem::new(Code::NotARepository, format!("{} leads to no repository", dot_git.display()))
        .found("a .git that cannot be followed")
        .wanted("a git repository with a work tree")
        .details(words.lines().map(|line| shown(line.as_bytes())))
        .hint("git worktree repair")
}
