//! Commands of a backup: their time limit, and what a user is told when one fails.

use std::io;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use shipway_core::action::{Cmd, Ended, Output, Stop, Urgency};
use shipway_core::backup::Spec;
use shipway_core::problem::{Code, Problem};

use super::{Place, code_of};

/// How many of the last lines of a command that failed are shown.
const LINES: usize = 15;
/// What programs say when the disk is full; the last one is what `tar` says of a write that came to its end too soon.
const FULL: [&str; 3] = ["No space left on device", "Disk quota exceeded", "Wrote only"];
/// How long clearing away may take, which also happens when the time is over or a stop was asked for.
const CLEAR: Duration = Duration::from_mins(1);

/// What the parts of one backup share.
pub(super) struct Hand<'a> {
    /// What is saved.
    pub(super) spec: &'a Spec,
    place: &'a Place<'a>,
    until: Option<Instant>,
}

impl<'a> Hand<'a> {
    /// Begins to count the time.
    pub(super) fn new(spec: &'a Spec, place: &'a Place<'a>) -> Self {
        let until = Instant::now().checked_add(Duration::from_millis(spec.timeout_ms));
        Self { spec, place, until }
    }

    /// Returns a path of the configuration as it is meant.
    pub(super) fn path(&self, path: &str) -> PathBuf {
        self.place.dir.join(path)
    }

    /// Returns the problem of a stop that was asked for, or of a time that is over.
    pub(super) fn check(&self) -> Result<(), Problem> {
        if self.place.stop.urgency() == Urgency::Now {
            return Err(self.ended(Ended::Stopped, "the backup"));
        }
        if self.until.is_some_and(|until| Instant::now() >= until) {
            return Err(self.ended(Ended::TimedOut, "the backup"));
        }
        Ok(())
    }

    /// Runs a command that must end with code 0.
    pub(super) fn run(&self, cmd: Cmd, code: Code) -> Result<Output, Problem> {
        let shown = shown(&cmd);
        let output = self.look(cmd, code)?;
        if output.ok() { Ok(output) } else { Err(self.failed(&shown, &output, code)) }
    }

    /// Runs a command and returns how it ended, unless that was by the clock or by a stop.
    pub(super) fn look(&self, cmd: Cmd, code: Code) -> Result<Output, Problem> {
        self.check()?;
        let left = self.until.map(|until| until.saturating_duration_since(Instant::now()));
        let cmd = Cmd { timeout: left, ..cmd }.env("LC_ALL", "C").contain();
        let cmd = if cmd.dir.as_os_str().is_empty() { cmd.dir(self.place.dir) } else { cmd };
        let output = self.place.shell.run(&cmd, self.place.stop).map_err(|error| missing(&error, code))?;
        match output.ended {
            Ended::Exit(_) | Ended::Signal(_) => Ok(output),
            Ended::TimedOut | Ended::Stopped => Err(self.ended(output.ended, &shown(&cmd))),
        }
    }

    /// Runs a command that clears away, whatever time it is. What it cannot clear away is told, and stops nothing.
    pub(super) fn clear(&self, cmd: Cmd) {
        let shown = shown(&cmd);
        let cmd = cmd.timeout(CLEAR).env("LC_ALL", "C").dir(self.place.dir);
        let output = self.place.shell.run(&cmd, &Stop::default());
        if !output.as_ref().is_ok_and(Output::ok) {
            (self.place.say)(&format!("`{shown}` could not clear away"));
        }
    }

    /// Returns what a user is told of a command that failed.
    pub(super) fn failed(&self, shown: &str, output: &Output, code: Code) -> Problem {
        let ended = match output.ended {
            Ended::Exit(code) => format!("ended with code {code}"),
            Ended::Signal(signal) => format!("was ended by signal {signal}"),
            Ended::TimedOut | Ended::Stopped => return self.ended(output.ended, shown),
        };
        let text = format!("{}\n{}", output.text(), output.error_text());
        let full = FULL.iter().any(|words| text.contains(words));
        let lines: Vec<&str> = text.lines().filter(|line| !line.trim().is_empty()).collect();
        let last = lines[lines.len().saturating_sub(LINES)..].iter().copied();
        Problem::new(if full { Code::DiskFull } else { code }, format!("`{shown}` {ended}"))
            .at(format!("backup {}", self.spec.name))
            .details(last)
    }

    /// Returns what a user is told when the system refuses.
    pub(super) fn io(&self, error: &io::Error, path: &Path) -> Problem {
        Problem::new(code_of(error, Code::Io), format!("{}: {error}", path.display()))
            .at(format!("backup {}", self.spec.name))
    }

    fn ended(&self, ended: Ended, shown: &str) -> Problem {
        let place = format!("backup {}", self.spec.name);
        if ended == Ended::Stopped {
            return Problem::new(Code::Stopped, format!("{shown} was stopped")).at(place);
        }
        let limit = self.spec.timeout_ms / 1000;
        Problem::new(Code::StepTimedOut, format!("{shown} took more than {limit} s and was ended"))
            .at(place)
            .hint(format!("allow more: [backup.{}] timeout in shipway.toml", self.spec.name))
    }
}

fn missing(error: &io::Error, code: Code) -> Problem {
    if error.kind() == io::ErrorKind::NotFound {
        return Problem::new(Code::BackupProgram, error.to_string());
    }
    Problem::new(code_of(error, code), error.to_string())
}

/// Returns the name of a command: its program, since arguments may be long or private.
fn shown(cmd: &Cmd) -> String {
    cmd.argv.first().map_or_else(String::new, |program| program.to_string_lossy().into_owned())
}

/// Returns an argument vector with a word in braces replaced by a text.
pub(super) fn fill(argv: &[String], words: &[(&str, &str)]) -> Cmd {
    let filled = argv.iter().map(|arg| {
        words.iter().fold(arg.clone(), |arg, (word, text)| arg.replace(&format!("{{{word}}}"), text))
    });
    Cmd::default().args(filled)
}

/// Runs the `verify` command of the project on what was restored.
pub(super) fn verify(hand: &Hand<'_>, scratch: &str, more: &[(String, String)]) -> Result<(), Problem> {
    if hand.spec.verify.is_empty() {
        return Ok(());
    }
    let cmd = fill(&hand.spec.verify, &[("scratch", scratch)]);
    let cmd = more.iter().fold(cmd, |cmd, (name, value)| cmd.env(name, value));
    hand.run(cmd, Code::BackupRefused).map(drop)
}
