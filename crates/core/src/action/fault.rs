//! Failed attempts: what is wrong, and what is known of the effect.

use std::io;
use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::problem::{Code, Problem};

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
