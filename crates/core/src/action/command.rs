//! Commands as data, how they ended, and the names of their logs.

use std::ffi::OsString;
use std::path::PathBuf;
use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::id::{Digest, RunId, StepId};

/// A command as data: an argument vector, never a shell string.
#[derive(Clone, Debug, Default)]
pub struct Cmd {
    /// The program and its arguments.
    pub argv: Vec<OsString>,
    /// The directory to run in; the current one if empty.
    pub dir: PathBuf,
    /// Variables to set on top of the inherited ones.
    pub env: Vec<(OsString, OsString)>,
    /// Inherited variables to take away; one that is also in `env` is set.
    pub unset: Vec<OsString>,
    /// What the command reads; without it the command reads nothing.
    pub stdin: Option<Vec<u8>>,
    /// After this time the command and all its children are killed.
    pub timeout: Option<Duration>,
    /// Whether output goes to the log of a step.
    pub log: Option<LogKey>,
    /// Whether the command may leave children behind, so that it gets a control group where the machine has one.
    pub contain: bool,
}

impl Cmd {
    /// Returns a command without arguments.
    pub fn new(program: impl Into<OsString>) -> Self {
        Self { argv: vec![program.into()], ..Self::default() }
    }

    /// Adds an argument.
    #[must_use]
    pub fn arg(mut self, arg: impl Into<OsString>) -> Self {
        self.argv.push(arg.into());
        self
    }

    /// Adds arguments.
    #[must_use]
    pub fn args(mut self, args: impl IntoIterator<Item = impl Into<OsString>>) -> Self {
        self.argv.extend(args.into_iter().map(Into::into));
        self
    }

    /// Sets a variable.
    #[must_use]
    pub fn env(mut self, name: impl Into<OsString>, value: impl Into<OsString>) -> Self {
        self.env.push((name.into(), value.into()));
        self
    }

    /// Takes an inherited variable away.
    #[must_use]
    pub fn unset(mut self, name: impl Into<OsString>) -> Self {
        self.unset.push(name.into());
        self
    }

    /// Sets the directory.
    #[must_use]
    pub fn dir(mut self, dir: impl Into<PathBuf>) -> Self {
        self.dir = dir.into();
        self
    }

    /// Sets what the command reads.
    #[must_use]
    pub fn stdin(mut self, bytes: impl Into<Vec<u8>>) -> Self {
        self.stdin = Some(bytes.into());
        self
    }

    /// Sets the time limit.
    #[must_use]
    pub fn timeout(mut self, limit: Duration) -> Self {
        self.timeout = Some(limit);
        self
    }

    /// Says that the command may leave children behind.
    #[must_use]
    pub fn contain(mut self) -> Self {
        self.contain = true;
        self
    }
}

/// How a command ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Ended {
    /// By itself, with this code.
    Exit(i32),
    /// By this signal, which was not ours.
    Signal(i32),
    /// We killed it because its time was over.
    TimedOut,
    /// We killed it because the run was asked to stop now.
    Stopped,
}

/// What a command did.
#[derive(Clone, Debug)]
pub struct Output {
    /// How it ended.
    pub ended: Ended,
    /// All it wrote to its standard output.
    pub stdout: Vec<u8>,
    /// All it wrote to its standard error.
    pub stderr: Vec<u8>,
}

impl Output {
    /// Tells whether it ended by itself with code 0.
    pub fn ok(&self) -> bool {
        self.ended == Ended::Exit(0)
    }

    /// Returns the standard output as text without the last line feed; bytes that are not UTF-8 become U+FFFD.
    pub fn text(&self) -> String {
        String::from_utf8_lossy(&self.stdout).trim_end_matches('\n').to_owned()
    }

    /// Returns the standard error as text without white space around it.
    pub fn error_text(&self) -> String {
        String::from_utf8_lossy(&self.stderr).trim().to_owned()
    }
}

/// The name of a log: one attempt of one step.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct LogKey {
    /// The run.
    pub run: RunId,
    /// The step.
    pub step: StepId,
    /// The attempt, from 1.
    pub attempt: u32,
}

/// What a log held when its attempt ended, so that a missing line is visible.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct LogSeal {
    /// How many chunks.
    pub chunks: u64,
    /// The digest over these chunks, as the file holds them.
    pub digest: Digest,
}
