//! Asking git: one command, its output, and what it means when it says no.

use std::io;
use std::path::Path;
use std::time::Duration;

use shipway_core::action::{Cmd, Ended, Output, Shell, Stop};
use shipway_core::problem::{Code, Problem};
use shipway_core::validate::quoted;

use super::repository::Repository;
use crate::git::cmd::{Remote, git, remote_git};
use crate::git::remote_error::mask;

/// The oldest git that knows every option used here, as major and minor number.
const OLDEST: (u32, u32) = (2, 31);

/// How long a look may take that needs no network.
const LOCAL: Duration = Duration::from_mins(2);

/// Git in one repository, to be asked and not to change anything.
#[derive(Clone, Copy)]
pub struct Git<'a> {
    dir: &'a Path,
    reach: Option<&'a Remote>,
    shell: &'a dyn Shell,
    stop: &'a Stop,
}

impl<'a> Git<'a> {
    /// Returns git in a repository.
    pub fn new(repo: &'a Repository, shell: &'a dyn Shell, stop: &'a Stop) -> Self {
        Self { reach: Some(&repo.reach), ..Self::at(&repo.top, shell, stop) }
    }

    /// Returns git in a directory.
    pub(super) fn at(dir: &'a Path, shell: &'a dyn Shell, stop: &'a Stop) -> Self {
        Self { dir, reach: None, shell, stop }
    }

    /// Returns a command that takes no locks: a look is not to get in anybody's way.
    pub(super) fn command(&self, args: &[&str]) -> Cmd {
        git(self.dir).args(args).timeout(LOCAL)
    }

    /// Returns a command that reaches another machine.
    pub(super) fn remote_command(&self, args: &[&str]) -> Cmd {
        self.reach.map_or_else(|| git(self.dir), |reach| remote_git(self.dir, reach)).args(args)
    }

    /// Runs a git command and returns its output, also if it failed.
    pub(super) fn run(&self, args: &[&str]) -> Result<Output, Problem> {
        self.send(&self.command(args))
    }

    /// Runs a git command and returns its standard output, or a problem if it failed.
    pub(super) fn ask(&self, args: &[&str]) -> Result<Vec<u8>, Problem> {
        self.expect(&self.command(args))
    }

    /// Runs a command as it is and returns its standard output, or a problem if it failed.
    pub(super) fn expect(&self, cmd: &Cmd) -> Result<Vec<u8>, Problem> {
        let output = self.send(cmd)?;
        if output.ok() { Ok(output.stdout) } else { Err(self.problem(cmd, &output)) }
    }

    /// Runs a command as it is and returns its output, unless it could not be started or was stopped.
    pub(super) fn send(&self, cmd: &Cmd) -> Result<Output, Problem> {
        let output = self.shell.run(cmd, self.stop).map_err(|error| self.unstarted(&error))?;
        match output.ended {
            Ended::Stopped => Err(Problem::new(Code::Stopped, "looking at the repository was stopped")),
            Ended::Exit(_) | Ended::Signal(_) | Ended::TimedOut => Ok(output),
        }
    }

    fn unstarted(&self, error: &io::Error) -> Problem {
        // A missing directory and a missing program are the same error.
        if error.kind() == io::ErrorKind::NotFound && self.dir.is_dir() {
            return Problem::new(Code::GitMissing, "git is not installed or not on the path")
                .found("no program git")
                .wanted(wanted())
                .hint("git --version");
        }
        Problem::new(Code::Io, format!("git could not be started in {}: {error}", self.dir.display()))
    }

    /// Returns why a command failed.
    pub(super) fn problem(&self, cmd: &Cmd, output: &Output) -> Problem {
        let text = output.error_text();
        let dir = self.dir.display().to_string();
        if text.contains("detected dubious ownership") {
            return Problem::new(Code::GitFailed, format!("git does not trust {dir}"))
                .found("a repository that belongs to another user")
                .wanted("a repository of yours, or one that you declare safe")
                .hint(format!("git config --global --add safe.directory {}", quoted(&dir)));
        }
        if text.contains("not a git repository") {
            return not_a_repository(self.dir);
        }
        if text.contains("must be run in a work tree") {
            return bare(self.dir);
        }
        self.too_old().unwrap_or_else(|| failed(cmd, output, &text))
    }

    /// Returns a problem if git is older than it must be. Only a failure is worth the process that tells.
    fn too_old(&self) -> Option<Problem> {
        let output = self.shell.run(&git(self.dir).arg("version"), self.stop).ok()?;
        too_old(&output.text())
    }
}

/// Returns a problem if git is older than it must be, by what `git version` says.
pub fn too_old(text: &str) -> Option<Problem> {
    let (major, rest) = text.strip_prefix("git version ")?.split_once('.')?;
    let minor = rest.split(|c: char| !c.is_ascii_digit()).next()?;
    let found = (major.parse().ok()?, minor.parse().ok()?);
    let problem = || {
        Problem::new(Code::GitTooOld, format!("git {major}.{minor} is too old"))
            .found(text)
            .wanted(wanted())
            .hint("git --version")
    };
    (found < OLDEST).then(problem)
}

fn wanted() -> String {
    format!("git {}.{} or newer", OLDEST.0, OLDEST.1)
}

fn failed(cmd: &Cmd, output: &Output, text: &str) -> Problem {
    // The first word that is no option names the command well enough.
    let words = cmd.argv.iter().skip(1).map(|word| word.to_string_lossy());
    let name =
        words.into_iter().find(|word| !word.starts_with('-') && !word.contains('=')).unwrap_or_default();
    let how = match output.ended {
        Ended::Exit(code) => format!("ended with code {code}"),
        Ended::Signal(signal) => format!("was killed by signal {signal}"),
        Ended::TimedOut | Ended::Stopped => "took too long".to_owned(),
    };
    let lines = text.lines().take(20).map(|line| super::shown(mask(line).as_bytes()));
    Problem::new(Code::GitFailed, format!("git {name} {how}")).found(how).wanted("success").details(lines)
}

/// Returns the problem of a directory that is in no repository.
pub(super) fn not_a_repository(dir: &Path) -> Problem {
    Problem::new(Code::NotARepository, format!("{} is not in a git repository", dir.display()))
        .found("no .git here or above")
        .wanted("a git repository with a work tree")
        .hint("git init")
}

/// Returns the problem of a repository without a work tree.
pub(super) fn bare(dir: &Path) -> Problem {
    Problem::new(Code::BareRepository, format!("{} is a bare repository", dir.display()))
        .found("no work tree")
        .wanted("a clone with a work tree")
        .hint(format!("git clone {}", quoted(&dir.display().to_string())))
}
