//! What an agent is given: its directory, its clocks, its hands.

use std::ffi::OsString;
use std::fmt;
use std::path::Path;
use std::sync::Arc;

use serde_json::Value;
use shipway_core::action::Stop;
use shipway_core::problem::Problem;

use super::clock::{Clock, RealClock};
use super::hooks::{Hooks, NoHooks};
use super::journal::{Event, Journal};
use super::root::Root;
use crate::live::Place;
use crate::shell::LocalShell;

/// Looks at what a host has of some wants; both are the business of whoever asks and of who answers.
pub type Preflight = fn(&Value, &Path) -> Result<Value, Problem>;

/// What an agent is given.
#[derive(Clone)]
pub struct Setup {
    /// The clocks.
    pub clock: Arc<dyn Clock>,
    /// What may end it.
    pub hooks: Arc<dyn Hooks>,
    /// The command that becomes the watchdog when the directory is added to it.
    pub watchdog: Vec<OsString>,
    /// Answers [`super::protocol::Request::Preflight`].
    pub preflight: Option<Preflight>,
    /// Whether systemd may be asked to keep the watchdog.
    pub systemd: bool,
}

impl fmt::Debug for Setup {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Setup").field("watchdog", &self.watchdog).finish_non_exhaustive()
    }
}

impl Setup {
    /// Returns the setup of an agent of this machine, given the command that becomes the watchdog.
    pub fn real(watchdog: Vec<OsString>) -> Self {
        Self {
            clock: Arc::new(RealClock),
            hooks: Arc::new(NoHooks),
            watchdog,
            preflight: None,
            systemd: true,
        }
    }
}

/// An agent in one directory.
pub(super) struct Agent {
    pub(super) root: Root,
    pub(super) setup: Setup,
    pub(super) shell: LocalShell,
    pub(super) stop: Stop,
    pub(super) say: Box<dyn Fn(&str) + Send + Sync>,
}

impl Agent {
    pub(super) fn new(root: Root, setup: Setup) -> Self {
        Self { root, setup, shell: LocalShell::new(), stop: Stop::default(), say: Box::new(|_| {}) }
    }

    /// Returns the place in which services are made those of a deployment.
    pub(super) fn place(&self) -> Place<'_> {
        Place { root: &self.root.dir, shell: &self.shell, stop: &self.stop, say: &*self.say }
    }

    pub(super) fn journal(&self) -> Result<Journal, Problem> {
        Journal::read(&self.root.dir, Arc::clone(&self.setup.hooks))
    }

    pub(super) fn append(&self, journal: &mut Journal, event: &Event) -> Result<(), Problem> {
        journal.append(event, self.setup.clock.now())
    }
}
