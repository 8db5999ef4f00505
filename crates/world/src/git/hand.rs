//! Git as a step uses it: within the step's time limit, in the step's log, with faults that say what is known.

use std::path::Path;

use shipway_core::action::{Cmd, Cx, Ended, Fault, Output};
use shipway_core::problem::{Code, Problem};
use shipway_core::version::RUN_TRAILER;

use super::cmd::{git, remote_git};
use super::repository::Repository;

/// The hand of one attempt on one repository.
#[derive(Clone, Copy)]
pub(crate) struct Hand<'a> {
    pub cx: &'a Cx<'a>,
    pub repository: &'a Repository,
}

impl<'a> Hand<'a> {
    pub(crate) fn new(cx: &'a Cx<'a>, repository: &'a Repository) -> Self {
        Self { cx, repository }
    }

    /// Returns a git command in the user's work tree.
    pub(crate) fn git(&self) -> Cmd {
        git(&self.repository.top)
    }

    /// Returns a git command that reaches another machine.
    pub(crate) fn remote_git(&self) -> Cmd {
        remote_git(&self.repository.top, &self.repository.reach)
    }

    /// Returns a git command in another directory of the same repository.
    pub(crate) fn git_in(dir: &Path) -> Cmd {
        git(dir)
    }

    /// Runs a command that only looks or only adds objects: whatever goes wrong, there was no effect.
    pub(crate) fn look(&self, cmd: Cmd) -> Result<Output, Fault> {
        let shown = shown(&cmd);
        let output = self.cx.look(cmd).map_err(clean)?;
        match output.ended {
            Ended::Exit(_) => Ok(output),
            Ended::Signal(_) | Ended::TimedOut | Ended::Stopped => Err(cut_off(&output, &shown)),
        }
    }

    /// Runs a command that must succeed and only looks or only adds objects; returns its output as text.
    pub(crate) fn text(&self, args: &[&str]) -> Result<String, Fault> {
        self.expect(self.git().args(args)).map(|output| output.text())
    }

    /// Runs a command that must succeed; a failure had no effect.
    pub(crate) fn expect(&self, cmd: Cmd) -> Result<Output, Fault> {
        let shown = shown(&cmd);
        let output = self.look(cmd)?;
        if output.ok() { Ok(output) } else { Err(failed(&output, &shown)) }
    }

    /// Returns the object id that a ref or expression names, or nothing.
    pub(crate) fn resolve(&self, name: &str) -> Result<Option<String>, Fault> {
        let output =
            self.look(self.git().args(["rev-parse", "--verify", "--quiet", "--end-of-options", name]))?;
        Ok(output.ok().then(|| output.text()))
    }

    /// Returns the ref under which this run keeps its release commit until the branch holds it.
    pub(crate) fn anchor(&self) -> String {
        anchor(self.cx.run.as_str())
    }

    /// Creates, moves or deletes a ref by compare-and-swap; an empty id means that there is none.
    ///
    /// A refusal is a clean fault. What is cut off is in doubt, because git may have written the ref already.
    pub(crate) fn swap(&self, name: &str, old: &str, new: &str) -> Result<(), Fault> {
        let why = format!("shipway: run {}", self.cx.run);
        let cmd = self.git().args(["update-ref", "-m", &why]);
        let cmd = if new.is_empty() { cmd.args(["-d", name, old]) } else { cmd.args([name, new, old]) };
        let output = self.cx.run(cmd)?;
        match output.ended {
            Ended::Exit(0) => Ok(()),
            Ended::Exit(_) => {
                let text = output.error_text();
                Err(Fault::clean(problem_of(&text, Code::LocalMoved, format!("{name} could not be moved"))))
            }
            Ended::Signal(_) | Ended::TimedOut | Ended::Stopped => Err(Fault {
                effect: shipway_core::action::Effect::Unknown,
                ..cut_off(&output, "git update-ref")
            }),
        }
    }
}

/// Returns the ref under which a run keeps its release commit.
pub(crate) fn anchor(run: &str) -> String {
    format!("refs/shipway/{run}/commit")
}

/// Returns the trailers that tell the changes of a run from those of others.
pub(crate) fn stamp(cx: &Cx<'_>) -> String {
    format!("{RUN_TRAILER}{}\nShipway-Step: {}\n", cx.run, cx.step)
}

/// Tells whether a commit or tag message carries the stamp of this run.
pub(crate) fn stamped(message: &str, cx: &Cx<'_>) -> bool {
    let stamp = format!("{RUN_TRAILER}{}", cx.run);
    message.lines().any(|line| line.trim_end() == stamp)
}

/// Adds the date of the run to a command that makes objects, so that a second attempt makes the same ones.
pub(crate) fn dated(cmd: Cmd, cx: &Cx<'_>) -> Cmd {
    let date = format!("@{} +0000", cx.opened.seconds());
    cmd.env("GIT_AUTHOR_DATE", &date).env("GIT_COMMITTER_DATE", &date)
}

/// Turns any fault into one without effect.
pub(crate) fn clean(fault: Fault) -> Fault {
    Fault { effect: shipway_core::action::Effect::None, ..fault }
}

/// Returns the clean fault of a command that ended with another code than 0.
pub(crate) fn failed(output: &Output, shown: &str) -> Fault {
    let text = output.error_text();
    Fault::clean(problem_of(&text, Code::GitFailed, format!("`{shown}` failed")))
}

/// Returns the clean fault of a command that did not end by itself.
pub(crate) fn cut_off(output: &Output, shown: &str) -> Fault {
    let problem = match output.ended {
        Ended::TimedOut => Problem::new(Code::StepTimedOut, format!("`{shown}` took too long and was ended")),
        Ended::Stopped => {
            Problem::new(Code::Stopped, format!("`{shown}` was ended because a stop was asked for"))
        }
        Ended::Signal(signal) => {
            Problem::new(Code::GitFailed, format!("`{shown}` was ended by signal {signal}"))
        }
        Ended::Exit(code) => Problem::new(Code::GitFailed, format!("`{shown}` ended with code {code}")),
    };
    Fault::clean(problem.details(tail(&output.error_text())))
}

/// Returns a problem with the last lines of an error output; a full disk has its own code.
pub(crate) fn problem_of(text: &str, code: Code, what: String) -> Problem {
    let full = text.contains("No space left on device") || text.contains("Disk quota exceeded");
    let problem = Problem::new(if full { Code::DiskFull } else { code }, what).details(tail(text));
    if full { problem.hint("free some space: df -h .") } else { problem }
}

/// Returns the last lines of an output.
pub(crate) fn tail(text: &str) -> Vec<String> {
    let lines: Vec<&str> = text.lines().filter(|line| !line.trim().is_empty()).collect();
    lines[lines.len().saturating_sub(15)..].iter().map(|line| (*line).to_owned()).collect()
}

/// Returns the part of a command that a person would type.
fn shown(cmd: &Cmd) -> String {
    let mut words: Vec<String> = vec!["git".into()];
    let mut args = cmd.argv.iter().skip(1);
    while let Some(arg) = args.next() {
        match arg.to_str() {
            Some("-c") => {
                args.next();
            }
            Some(flag) if words.len() == 1 && flag.starts_with("--") => {}
            _ => words.push(arg.to_string_lossy().into_owned()),
        }
    }
    words.truncate(4);
    words.join(" ")
}
