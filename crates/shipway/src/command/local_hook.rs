//! What the scripts of `guard install` start: looks, says, and then hands over to the hook that was there before.

mod judge;
mod message;
mod past;
mod push;
mod staged;

use std::ffi::OsString;
use std::io::{self, Read as _};
use std::path::PathBuf;

use shipway_core::action::Stop;
use shipway_core::config::{self, Config};
use shipway_core::local::{self, Skip};
use shipway_core::problem::{Code, Problem};
use shipway_world::facts;
use shipway_world::git::repository::Repository;
use shipway_world::hooks::desk::Desk;
use shipway_world::hooks::staged::InHook;
use shipway_world::hooks::{Hook, chain};
use shipway_world::shell::LocalShell;

use super::{DONE, End};
use crate::args::{self, Environment};
use crate::view::View;

/// One call of a hook. Git starts hooks at the top of the work tree.
struct Call<'a> {
    environment: &'a Environment,
    view: &'a dyn View,
    args: &'a [OsString],
    top: PathBuf,
    shell: LocalShell,
    stop: Stop,
}

/// Runs a hook and the one that was there before: the latter first where it may change what is looked at.
pub fn run(asked: &args::Hook, environment: &Environment, view: &dyn View) -> End {
    let Some(hook) = Hook::of(&asked.name) else {
        let problem = Problem::new(Code::Usage, format!("there is no local hook {}", asked.name));
        return Err(vec![problem.hint("shipway guard install")]);
    };
    let one = |problem| vec![problem];
    let top = std::env::current_dir().map_err(unreadable).map_err(one)?;
    let (shell, stop) = (LocalShell::new(), Stop::default());
    let call = Call { environment, view, args: &asked.args, top, shell, stop };
    let input = match hook {
        Hook::PrePush | Hook::ReferenceTransaction => Some(input().map_err(unreadable).map_err(one)?),
        Hook::PreCommit
        | Hook::PreMergeCommit
        | Hook::PrepareCommitMsg
        | Hook::CommitMsg
        | Hook::PostCommit
        | Hook::PostMerge => None,
    };
    let before = matches!(hook, Hook::PreCommit | Hook::PreMergeCommit);
    // What a hook that was there puts into the index is in the commit, so the look at the index comes last.
    if before && let Some(code) = call.hand_over(asked, Some(b""))?.filter(|code| *code != DONE) {
        return Ok(code);
    }
    match hook {
        Hook::PreCommit | Hook::PreMergeCommit => staged::look(&call)?,
        Hook::PrepareCommitMsg => message::prepare(&call)?,
        Hook::CommitMsg => message::look(&call)?,
        Hook::PostCommit | Hook::PostMerge => past::look(&call, hook)?,
        Hook::PrePush => push::look(&call, input.as_deref().unwrap_or_default())?,
        Hook::ReferenceTransaction => push::transaction(&call, input.as_deref().unwrap_or_default())?,
    }
    if before {
        return Ok(DONE);
    }
    Ok(call.hand_over(asked, input.as_deref())?.unwrap_or(DONE))
}

fn input() -> io::Result<Vec<u8>> {
    let mut bytes = vec![];
    io::stdin().lock().read_to_end(&mut bytes)?;
    Ok(bytes)
}

#[expect(clippy::needless_pass_by_value, reason = "it is handed to map_err")]
fn unreadable(error: io::Error) -> Problem {
    Problem::new(Code::Io, format!("the hook cannot read what git gives it: {error}"))
}

impl Call<'_> {
    /// Runs the hook that was there before and returns its exit code, if there is one.
    fn hand_over(&self, asked: &args::Hook, input: Option<&[u8]>) -> Result<Option<u8>, Vec<Problem>> {
        let Some(next) = asked.next.as_ref().map(|next| self.top.join(next)) else { return Ok(None) };
        let code = chain::hand_over(&next, &asked.args, input);
        code.map(Some).map_err(|error| {
            vec![Problem::new(Code::Io, format!("{} cannot be run: {error}", next.display()))]
        })
    }

    fn git(&self) -> InHook<'_> {
        InHook::new(&self.top, &self.environment.variables, (&self.shell, &self.stop))
    }

    fn repository(&self) -> Result<Repository, Problem> {
        let mut repository = facts::repository(&self.top, &self.shell, &self.stop)?;
        // In a linked work tree, and with `--git-dir`, git says where it is.
        if let Some(dir) = self.environment.get("GIT_DIR") {
            repository.git_dir = self.top.join(dir);
        }
        Ok(repository)
    }

    fn desk(&self) -> Result<Desk, Problem> {
        self.repository().map(|repository| Desk::of(&repository))
    }

    /// Returns the branch that HEAD is on, as the file of git says it; git is asked where refs are in no files.
    fn branch(&self) -> Option<String> {
        let text = std::fs::read_to_string(self.repository().ok()?.git_dir.join("HEAD")).ok()?;
        match text.trim_end().strip_prefix("ref: refs/heads/")? {
            ".invalid" => {
                let git = self.git();
                let asked = git.run(&git.git().args(["symbolic-ref", "--quiet", "--short", "HEAD"])).ok()?;
                asked.ok().then(|| asked.text())
            }
            branch => Some(branch.to_owned()),
        }
    }

    fn config(&self) -> Result<Config, Vec<Problem>> {
        match std::fs::read_to_string(self.top.join("shipway.toml")) {
            Ok(text) => config::read(&text, "shipway.toml"),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(Config::default()),
            Err(error) => Err(vec![unreadable(error)]),
        }
    }

    /// Returns what is skipped, and why. A name that is no rule may be a check of the configuration.
    fn skips(&self) -> Result<Vec<Skip>, Vec<Problem>> {
        let text = self.environment.get("SHIPWAY_SKIP").unwrap_or_default();
        if text.is_empty() {
            return Ok(vec![]);
        }
        let config = self.config()?;
        let checks: Vec<&str> = config.check.iter().map(|check| check.name.as_str()).collect();
        local::skips(text, &checks).map_err(|problem| vec![problem])
    }

    /// Returns the file with the message, which git names first.
    fn message_file(&self) -> Result<PathBuf, Vec<Problem>> {
        let none = || vec![Problem::new(Code::Usage, "git has named no file with a message")];
        self.args.first().map(|file| self.top.join(file)).ok_or_else(none)
    }
}
