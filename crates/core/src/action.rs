//! Actions: changes to the world that can be described, probed, applied and undone; and the ports they use.

mod change;
mod command;
mod fault;
mod stop;

use std::fmt;
use std::io;
use std::time::Duration;

use serde_json::Value;

use crate::anchor::Seal;
use crate::gate::{Check, Vouched, Yes};
use crate::id::{RunId, StepId};
use crate::problem::{Code, Problem};
use crate::time::Time;

pub use change::{Change, Observed, Part, Receipt, Reversal, Sign};
pub use command::{Cmd, Ended, LogKey, LogSeal, Output};
pub use fault::{Effect, Fault};
pub use stop::{Stop, Urgency};

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
    /// Runs a command that only looks as part of this step: within its time limit. What it prints is an answer for
    /// the step, not for a reader, and so is not in the step's log.
    pub fn look(&self, mut cmd: Cmd) -> Result<Output, Fault> {
        cmd.timeout.get_or_insert(self.timeout);
        Ok(self.world.shell().run(&cmd, self.stop)?)
    }

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
    /// Returns a signed yes with what is found in it: whose key it is, whether it counts, and what it proves. Without
    /// keys to ask, nobody's counts.
    fn vouch(&self, yes: &Yes<'_>) -> Result<Vouched, Problem> {
        let what = format!("nothing here knows whose key has signed for run {}", yes.run);
        Err(Problem::new(Code::SignerUnknown, what))
    }
    /// Returns all kinds of actions.
    fn kinds(&self) -> &'static [&'static str];
}

/// The outside, as steps see it.
pub trait World: Send + Sync {
    /// Returns the hands on this machine.
    fn shell(&self) -> &dyn Shell;
    /// Asks an address once and returns the HTTP status.
    fn http_status(&self, url: &str, timeout: Duration) -> io::Result<u16>;
    /// Asks an address once and returns the text it answers; a status other than 200 to 299 is an error.
    fn http_text(&self, url: &str, timeout: Duration) -> io::Result<String>;
    /// Returns the time.
    fn now(&self) -> Time;
    /// Returns how long it is since some moment that stays the same, in a clock that nobody can set. Spans are measured
    /// with it: a watch of five minutes takes five minutes when the time of day jumps by an hour.
    fn uptime(&self) -> Duration;
    /// Waits, or returns early when asked to stop.
    fn rest(&self, time: Duration, stop: &Stop);
    /// Returns a text with the values of secrets masked; whatever is written down passes through here.
    fn mask(&self, text: &str) -> String;
    /// Closes the log of an attempt and returns what it held, if it held anything.
    fn seal(&self, key: &LogKey) -> Option<LogSeal>;
    /// Returns the signed checkpoint of the journal as it is now; nothing where there is no journal on disk.
    fn checkpoint(&self) -> Option<Seal> {
        None
    }
}

/// Runs commands.
pub trait Shell: Send + Sync {
    /// Runs a command to its end. A command that could not be started is an error; one that failed is an output.
    fn run(&self, cmd: &Cmd, stop: &Stop) -> io::Result<Output>;
}
