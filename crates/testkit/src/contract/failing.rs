//! A world in which one command fails although the process lives on.

use std::io;
use std::sync::Mutex;
use std::sync::PoisonError;
use std::time::Duration;

use shipway_core::action::{Cmd, Ended, LogKey, LogSeal, Output, Shell, Stop, World};
use shipway_core::time::Time;

/// How a command fails.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Failure {
    /// It could not be started.
    NotStarted,
    /// It did all it does, and its end was not learnt of.
    Lost,
    /// It did all it does, and was killed for its time before it ended.
    TimedOut,
}

pub(super) const FAILURES: [Failure; 3] = [Failure::NotStarted, Failure::Lost, Failure::TimedOut];

/// A world whose n-th command fails; requests over HTTP pass.
pub(super) struct Failing<'a> {
    pub(super) inner: &'a dyn World,
    pub(super) number: u64,
    pub(super) failure: Failure,
    pub(super) calls: Mutex<u64>,
}

impl<'a> Failing<'a> {
    pub(super) fn new(inner: &'a dyn World, number: u64, failure: Failure) -> Self {
        Self { inner, number, failure, calls: Mutex::new(0) }
    }
}

impl Shell for Failing<'_> {
    fn run(&self, cmd: &Cmd, stop: &Stop) -> io::Result<Output> {
        let number = {
            let mut calls = self.calls.lock().unwrap_or_else(PoisonError::into_inner);
            *calls += 1;
            *calls
        };
        let run = || self.inner.shell().run(cmd, stop);
        if number != self.number {
            return run();
        }
        match self.failure {
            Failure::NotStarted => Err(io::Error::other("the command was made not to start")),
            Failure::Lost => {
                run()?;
                Err(io::Error::new(io::ErrorKind::BrokenPipe, "the end of the command was made to get lost"))
            }
            Failure::TimedOut => Ok(Output { ended: Ended::TimedOut, ..run()? }),
        }
    }
}

impl World for Failing<'_> {
    fn shell(&self) -> &dyn Shell {
        self
    }

    fn http_status(&self, url: &str, timeout: Duration) -> io::Result<u16> {
        self.inner.http_status(url, timeout)
    }

    fn http_text(&self, url: &str, timeout: Duration) -> io::Result<String> {
        self.inner.http_text(url, timeout)
    }

    fn now(&self) -> Time {
        self.inner.now()
    }

    fn uptime(&self) -> Duration {
        self.inner.uptime()
    }

    fn rest(&self, time: Duration, stop: &Stop) {
        self.inner.rest(time, stop);
    }

    fn mask(&self, text: &str) -> String {
        self.inner.mask(text)
    }

    fn seal(&self, key: &LogKey) -> Option<LogSeal> {
        self.inner.seal(key)
    }
}
