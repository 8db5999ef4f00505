//! Where git looks for hooks in a work tree, as git itself says.

use std::ffi::OsStr;
use std::os::unix::ffi::OsStrExt as _;
use std::path::{Path, PathBuf};

use shipway_core::action::{Cmd, Ended, Output, Shell, Stop};
use shipway_core::problem::{Code, Problem};

use crate::git::cmd::git;
use crate::git::repository::Repository;

/// The setting under which we remember whose hooks ours run afterwards, where there was a `core.hooksPath` before.
pub(crate) const CHAINED: &str = "shipway.chainedHooks";

/// Where git looks.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Place {
    /// The directory, absolute.
    pub dir: PathBuf,
    /// `core.hooksPath`, if it is set.
    pub setting: Option<Setting>,
}

/// A setting of git and where it is set.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Setting {
    /// Such as `local`, `worktree` or `global`.
    pub scope: String,
    /// The value, with `~` expanded; a relative one counts from the top of the work tree.
    pub value: PathBuf,
}

/// Git in one work tree, for hooks.
#[derive(Clone, Copy)]
pub struct Asker<'a> {
    /// Where.
    pub repository: &'a Repository,
    /// The hands.
    pub shell: &'a dyn Shell,
    /// The switch.
    pub stop: &'a Stop,
}

impl Asker<'_> {
    /// Asks git where it looks for hooks in this work tree.
    pub fn place(&self) -> Result<Place, Problem> {
        self.place_of(&self.repository.top)
    }

    /// Asks git where it looks for hooks in a work tree of the same repository.
    pub fn place_of(&self, top: &Path) -> Result<Place, Problem> {
        let ask = git(top).args(["rev-parse", "--path-format=absolute", "--git-path", "hooks"]);
        let dir = path(&self.expect(&ask)?.stdout);
        Ok(Place { dir, setting: self.setting(top, "core.hooksPath")? })
    }

    /// Returns a setting that holds a path.
    pub(crate) fn setting(&self, top: &Path, key: &str) -> Result<Option<Setting>, Problem> {
        let ask = git(top).args(["config", "--show-scope", "--type=path", "--get", key]);
        let output = self.run(&ask)?;
        if output.ended == Ended::Exit(1) {
            return Ok(None);
        }
        let output = checked(&ask, output)?;
        let mut parts = output.stdout.splitn(2, |byte| *byte == b'\t');
        let scope = String::from_utf8_lossy(parts.next().unwrap_or_default()).into_owned();
        let value = path(parts.next().unwrap_or_default());
        Ok((!value.as_os_str().is_empty()).then_some(Setting { scope, value }))
    }

    /// Returns the `core.hooksPath` that holds when that of a scope is unset.
    pub(crate) fn beneath(&self, scope: &str) -> Option<PathBuf> {
        let top = &self.repository.top;
        let ask = git(top).args(["config", "--show-scope", "--type=path", "--get-all", "core.hooksPath"]);
        let output = self.run(&ask).ok()?;
        let scope = scope.trim_start_matches('-').as_bytes();
        // The one that is read last holds.
        let lines = output.stdout.split(|byte| *byte == b'\n').filter(|line| !line.is_empty());
        lines.rev().find_map(|line| {
            let at = line.iter().position(|byte| *byte == b'\t')?;
            (&line[..at] != scope).then(|| path(&line[at + 1..]))
        })
    }

    /// Returns the tops of all work trees of the repository that are there.
    pub fn work_trees(&self) -> Result<Vec<PathBuf>, Problem> {
        let ask = git(&self.repository.top).args(["worktree", "list", "--porcelain"]);
        let output = self.expect(&ask)?;
        let lines = output.stdout.split(|byte| *byte == b'\n');
        let tops = lines.filter_map(|line| line.strip_prefix(b"worktree ")).map(path);
        Ok(tops.filter(|top| top.join(".git").exists()).collect())
    }

    /// Runs a command that must succeed.
    pub(crate) fn expect(&self, cmd: &Cmd) -> Result<Output, Problem> {
        checked(cmd, self.run(cmd)?)
    }

    fn run(&self, cmd: &Cmd) -> Result<Output, Problem> {
        self.shell
            .run(cmd, self.stop)
            .map_err(|error| Problem::new(Code::Io, format!("git could not be started: {error}")))
    }
}

fn checked(cmd: &Cmd, output: Output) -> Result<Output, Problem> {
    if output.ok() {
        return Ok(output);
    }
    let words: Vec<_> = cmd.argv.iter().map(|word| word.to_string_lossy()).collect();
    let verb = words.iter().skip(1).find(|word| !word.starts_with('-') && !word.contains('='));
    let what = format!("git {} failed", verb.map_or("", |verb| verb));
    Err(Problem::new(Code::GitFailed, what).details(output.error_text().lines().take(20)))
}

fn path(bytes: &[u8]) -> PathBuf {
    let bytes = bytes.strip_suffix(b"\n").unwrap_or(bytes);
    PathBuf::from(OsStr::from_bytes(bytes))
}
