//! Actions: changes to the world that can be described, probed, applied and undone; and the ports they use.

use std::ffi::OsString;
use std::fmt;
use std::io;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicU8, Ordering};
use std::time::Duration;

use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::gate::Check;
use crate::id::{RunId, StepId};
use crate::problem::{Code, Problem};
use crate::time::Time;

/// One kind of change to the world. Its contract, which the test kit checks for every kind:
///
/// - `describe` is pure;
/// - `probe` only looks;
/// - `apply` has one effect, and says [`Effect::None`] only when it knows that there was none;
/// - `undo` may be called again after it has succeeded or was cut off, and touches nothing but that one effect.
pub trait Action: fmt::Debug + Send + Sync {
    /// Returns the change line that the plan shows.
    fn describe(&self) -> Change;
    /// Looks whether the effect is there.
    fn probe(&self, cx: &Cx<'_>) -> Result<Observed, Fault>;
    /// Makes the effect and returns the proof.
    fn apply(&self, cx: &Cx<'_>) -> Result<Receipt, Fault>;
    /// Takes the effect back. Without a receipt ([`Receipt::none`]) the effect is not there, and undo clears away what
    /// an attempt that was cut off left behind.
    fn undo(&self, cx: &Cx<'_>, receipt: &Receipt) -> Result<(), Fault>;
}

/// What becomes of the thing that a change line names.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Sign {
    /// It is created: `+`.
    Create,
    /// It is changed: `~`.
    Change,
    /// It is removed: `-`.
    Remove,
}

impl Sign {
    /// Returns the fixed symbol on screen.
    pub fn symbol(self) -> char {
        match self {
            Self::Create => '+',
            Self::Change => '~',
            Self::Remove => '-',
        }
    }
}

/// A change line: what will happen, and whether it can be taken back.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Change {
    /// Create, change or remove.
    pub sign: Sign,
    /// The thing, such as `tag v1.4.0` or `Cargo.toml`.
    pub thing: String,
    /// What happens to it, such as `version 1.3.2 → 1.4.0`.
    pub summary: String,
    /// Whether the change can be taken back.
    pub reversal: Reversal,
    /// How it is taken back, in a few words for the plan, such as `delete the tag`.
    pub undo: String,
    /// Parts of this change that deserve a line of their own, such as the files of a commit.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub parts: Vec<Part>,
}

/// One line under a change line.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Part {
    /// Create, change or remove.
    pub sign: Sign,
    /// The thing, such as a path.
    pub thing: String,
    /// What happens to it.
    pub summary: String,
}

/// Whether a change can be taken back. A plan orders exact before visible before never.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Reversal {
    /// Undo leaves no trace.
    Exact,
    /// Others may have seen it; undo answers it with a further change.
    Visible,
    /// There is no way back.
    Never,
}

impl Reversal {
    /// Returns the word on screen.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Exact => "exact",
            Self::Visible => "visible",
            Self::Never => "never",
        }
    }
}

/// Proof of a change, and all that undo needs.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Receipt(pub Value);

impl Receipt {
    /// Returns what undo is given for a step that began and has no effect.
    pub fn none() -> Self {
        Self(Value::Null)
    }

    /// Tells whether there is no effect to take back.
    pub fn is_none(&self) -> bool {
        self.0.is_null()
    }

    /// Returns a text field of the receipt, or the empty text.
    pub fn text(&self, field: &str) -> &str {
        self.0.get(field).and_then(Value::as_str).unwrap_or_default()
    }
}

/// What a probe saw.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Observed {
    /// The effect is not there.
    Absent,
    /// Our very effect is there: its digest or object id is the planned one, or it carries our run and step.
    Present(Receipt),
    /// Something else is in its place and ours is certainly not there; the text says what.
    Foreign(String),
}

/// Whether a failed attempt can have had its effect.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Effect {
    /// It is certain that nothing happened. An author claims this on purpose.
    None,
    /// It is not known; a probe must tell.
    Unknown,
}

/// A failed attempt.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Fault {
    /// Whether the effect may be there all the same.
    pub effect: Effect,
    /// What is wrong.
    pub problem: Problem,
    /// Where set, another attempt may help, after at least this many milliseconds.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub retry_after_ms: Option<u64>,
}

impl Fault {
    /// Returns a fault that certainly had no effect.
    pub fn clean(problem: Problem) -> Self {
        Self { effect: Effect::None, problem, retry_after_ms: None }
    }

    /// Returns a fault whose effect only a probe can tell.
    pub fn in_doubt(problem: Problem) -> Self {
        Self { effect: Effect::Unknown, problem, retry_after_ms: None }
    }

    /// Says that another attempt may help.
    #[must_use]
    pub fn retry_after(mut self, wait: Duration) -> Self {
        self.retry_after_ms = Some(u64::try_from(wait.as_millis()).unwrap_or(u64::MAX));
        self
    }
}

impl From<io::Error> for Fault {
    /// A broken pipe or a failed wait proves nothing about the effect; a program that could not be started had none.
    fn from(error: io::Error) -> Self {
        let code = if error.kind() == io::ErrorKind::StorageFull { Code::DiskFull } else { Code::Io };
        let problem = Problem::new(code, error.to_string());
        match error.kind() {
            io::ErrorKind::NotFound | io::ErrorKind::NotADirectory => Self::clean(problem),
            _ => Self::in_doubt(problem),
        }
    }
}

/// How soon a run has to stop.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Urgency {
    /// Go on.
    None,
    /// Finish the step in hand, then stop.
    Soon,
    /// Kill the children and stop.
    Now,
}

/// A switch that asks a run to stop; clones share it.
#[derive(Clone, Debug, Default)]
pub struct Stop(Arc<AtomicU8>);

impl Stop {
    /// Asks once more: the first time means soon, every further time means now.
    pub fn ask(&self) {
        let _ =
            self.0.fetch_update(Ordering::SeqCst, Ordering::SeqCst, |asked| Some(asked.saturating_add(1)));
    }

    /// Returns how soon to stop.
    pub fn urgency(&self) -> Urgency {
        match self.0.load(Ordering::SeqCst) {
            0 => Urgency::None,
            1 => Urgency::Soon,
            _ => Urgency::Now,
        }
    }
}

/// What a step is given: its names, the world, and the switch that asks it to stop.
#[derive(Clone, Copy)]
pub struct Cx<'a> {
    /// The run.
    pub run: &'a RunId,
    /// The step.
    pub step: &'a StepId,
    /// Which attempt of the step this is, from 1.
    pub attempt: u32,
    /// When the run was opened; effects that carry a date use this one, so that a second attempt equals the first.
    pub opened: Time,
    /// How long the step may take.
    pub timeout: Duration,
    /// The outside.
    pub world: &'a dyn World,
    /// The switch.
    pub stop: &'a Stop,
}

impl Cx<'_> {
    /// Runs a command as part of this step: within its time limit, with its output in the step's log.
    pub fn run(&self, mut cmd: Cmd) -> Result<Output, Fault> {
        cmd.timeout.get_or_insert(self.timeout);
        cmd.log = Some(LogKey { run: self.run.clone(), step: self.step.clone(), attempt: self.attempt });
        Ok(self.world.shell().run(&cmd, self.stop)?)
    }
}

/// From data to code, and the list of all kinds for the contract test.
pub trait Catalog: Send + Sync {
    /// Returns the action of a kind, or a problem if the kind is unknown or the arguments do not fit.
    fn action(&self, kind: &str, args: &Value) -> Result<Box<dyn Action>, Problem>;
    /// Returns the check of a kind, or a problem if the kind is unknown or the arguments do not fit.
    fn check(&self, kind: &str, args: &Value) -> Result<Box<dyn Check>, Problem>;
    /// Returns all kinds of actions.
    fn kinds(&self) -> &'static [&'static str];
}

/// The outside, as steps see it.
pub trait World: Send + Sync {
    /// Returns the hands on this machine.
    fn shell(&self) -> &dyn Shell;
    /// Asks an address once and returns the HTTP status.
    fn http_status(&self, url: &str, timeout: Duration) -> io::Result<u16>;
    /// Returns the time.
    fn now(&self) -> Time;
    /// Waits, or returns early when asked to stop.
    fn rest(&self, time: Duration, stop: &Stop);
    /// Returns a text with the values of secrets masked; whatever is written down passes through here.
    fn mask(&self, text: &str) -> String;
    /// Closes the log of an attempt and returns what it held, if it held anything.
    fn seal(&self, key: &LogKey) -> Option<LogSeal>;
}

/// Runs commands.
pub trait Shell: Send + Sync {
    /// Runs a command to its end. A command that could not be started is an error; one that failed is an output.
    fn run(&self, cmd: &Cmd, stop: &Stop) -> io::Result<Output>;
}

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
    /// The digest over the whole file.
    pub digest: crate::id::Digest,
}
