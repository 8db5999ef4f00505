//! How far one step is, as its entries tell.

use std::time::Duration;

use crate::action::{Effect, Receipt};
use crate::problem::Problem;
use crate::time::Time;

/// How far a step is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum State {
    /// Not begun, or to be tried again.
    #[default]
    Ready,
    /// Begun, and not known to have ended.
    Started,
    /// It may have had its effect or not; a probe must tell.
    InDoubt,
    /// The effect is there.
    Done,
    /// It certainly had no effect, and will not be tried again.
    Failed,
    /// An undo has begun, and is not known to have ended.
    Undoing,
    /// The effect is gone, or answered for.
    Undone,
}

impl State {
    /// Returns the word on screen and in JSON.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Ready => "ready",
            Self::Started => "started",
            Self::InDoubt => "in doubt",
            Self::Done => "done",
            Self::Failed => "failed",
            Self::Undoing => "undoing",
            Self::Undone => "undone",
        }
    }
}

/// What the entries say of one step.
#[derive(Clone, Debug, Default)]
pub struct Progress {
    /// How far it is.
    pub state: State,
    /// How many attempts have begun.
    pub attempts: u32,
    /// The proof, once there is one.
    pub receipt: Option<Receipt>,
    /// What went wrong last.
    pub problem: Option<Problem>,
    /// When the first attempt began.
    pub began: Option<Time>,
    /// When it was last heard of.
    pub ended: Option<Time>,
    // The attempts that count against the cap.
    pub(super) spent: u32,
    // Whether an attempt was cut off before its effect, so that it may have left something behind.
    pub(super) traces: bool,
    pub(super) undos: u32,
    pub(super) looks: u32,
    pub(super) blind: u32,
    pub(super) not_before: Time,
}

impl Progress {
    pub(super) fn start(&mut self, at: Time) {
        self.state = State::Started;
        self.attempts += 1;
        self.spent += 1;
        (self.looks, self.blind) = (0, 0);
        self.began.get_or_insert(at);
    }

    pub(super) fn done(&mut self, receipt: &Receipt) {
        self.state = State::Done;
        self.receipt = Some(receipt.clone());
        self.problem = None;
    }

    pub(super) fn fault(&mut self, problem: &Problem, effect: Effect) {
        self.problem = Some(problem.clone());
        if effect == Effect::Unknown {
            self.state = State::InDoubt;
        }
    }

    pub(super) fn undo(&mut self) {
        self.state = State::Undoing;
        self.undos += 1;
    }

    /// Sets the time before which nothing happens, doubled for every attempt after the first.
    pub(super) fn wait(&mut self, at: Time, base_ms: Option<u64>, attempt: u32) {
        let doubled = |ms: u64| ms.saturating_mul(1 << attempt.saturating_sub(1).min(10));
        self.not_before = base_ms.map_or(Time::default(), |ms| at.after(Duration::from_millis(doubled(ms))));
    }

    /// Returns until when nothing may happen, if that is not over.
    pub(super) fn rest(&self, now: Time) -> Option<Time> {
        (now < self.not_before).then_some(self.not_before)
    }

    /// Tells whether an action of this step may have changed the world at some time.
    pub(super) fn acted(&self) -> bool {
        self.attempts > 0 || self.receipt.is_some()
    }
}
