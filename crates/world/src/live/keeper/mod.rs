//! The managers that keep services running, one file each.

mod command;
mod compose;
mod container;
mod image;
mod process;
mod quadlet;
mod script;
mod s6;
mod runit;
mod supervisor;
mod systemd;
mod unit;

use shipway_core::deployment::{Keeper, Switch};
use shipway_core::problem::{Code, Problem};
use shipway_core::time::Time;

use super::proof::{self, Process, Proof};
use super::{Instance, wait};

/// What a manager says of one copy of a service.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct State {
    /// Whether something runs under its name.
    pub(super) running: bool,
    /// Whether that was shown to be of the release and as configured.
    pub(super) ours: bool,
    /// Whether its manager has given up on it, so that waiting does not help.
    pub(super) given_up: bool,
    /// The process, where there is one.
    pub(super) pid: Option<u32>,
    /// Since when it runs.
    pub(super) since: Option<Time>,
    /// How often it was started again, where that is counted.
    pub(super) restarts: Option<u64>,
    /// What the manager says.
    pub(super) detail: String,
}

impl State {
    /// Returns the state of something that does not run.
    pub(super) fn down(detail: impl Into<String>) -> Self {
        Self { detail: detail.into(), ..Self::default() }
    }

    /// Returns the state of something that runs as this process.
    pub(super) fn of_process(instance: &Instance<'_>, pid: u32) -> Self {
        let Some(process) = Process::find(pid) else { return Self::down(format!("process {pid} is gone")) };
        let (ours, detail) = match proof::prove(instance, pid) {
            Proof::Ours => (true, format!("process {pid}")),
            Proof::Other(what) => (false, what),
        };
        let since = process.since();
        Self { running: true, ours, pid: Some(pid), since, detail, ..Self::default() }
    }

    /// Tells whether nothing is left to do.
    pub(super) fn is_as_wanted(&self) -> bool {
        self.running && self.ours
    }
}

/// Keeps copies of services running. Everything here may be repeated.
pub(super) trait Keep {
    /// Looks and changes nothing.
    fn see(&self, instance: &Instance<'_>) -> Result<State, Problem>;
    /// Gets what the copy needs beside the files of its release; nothing live changes.
    fn prepare(&self, _: &Instance<'_>) -> Result<(), Problem> {
        Ok(())
    }
    /// Writes what the manager needs, and starts the copy in the place of whatever runs under its name.
    fn start(&self, instance: &Instance<'_>) -> Result<(), Problem>;
    /// Stops whatever runs under its name, and removes what was written.
    fn stop(&self, instance: &Instance<'_>) -> Result<(), Problem>;
    /// Returns the last lines of its log.
    fn log(&self, instance: &Instance<'_>) -> Vec<String>;
}

/// Returns the manager of a service.
pub(super) fn of<'a>(instance: &Instance<'a>) -> Result<Box<dyn Keep + 'a>, Problem> {
    let unknown = |what: &str| {
        let what = format!("the manager of {} is {what}", instance.service.name);
        Err(Problem::new(Code::ManagerMissing, what))
    };
    let manager = &instance.service.manager;
    if matches!(instance.service.switch, Switch::Socket { .. }) && !matches!(manager, Keeper::Systemd { .. })
    {
        return unknown("not systemd, and only systemd can hold its socket");
    }
    match manager {
        Keeper::Process => Ok(Box::new(process::Process)),
        Keeper::S6 { scan } => Ok(Box::new(s6::S6 { scan })),
        Keeper::Runit { scan } => Ok(Box::new(runit::Runit { scan })),
        Keeper::Supervisor { include, config } => Ok(Box::new(supervisor::Supervisor { include, config })),
        Keeper::Systemd { unit, user, .. } => Ok(Box::new(systemd::Systemd { unit, user: *user })),
        Keeper::Container { engine, image, args } => {
            Ok(Box::new(container::Container { engine, image, args }))
        }
        Keeper::Compose { command, file } => Ok(Box::new(compose::Compose { command, file })),
        Keeper::Quadlet { file, user } => Ok(Box::new(quadlet::Quadlet { file, user: *user })),
        Keeper::Command { start, status, stop } => Ok(Box::new(command::Command { start, status, stop })),
        Keeper::Unknown => unknown("of a newer shipway"),
    }
}

/// Returns the name under which the manager knows a copy: starting another one of the same name takes its place.
pub(super) fn address(instance: &Instance<'_>) -> String {
    let name = instance.full_name();
    match &instance.service.manager {
        Keeper::Process => format!("process {name}"),
        Keeper::Systemd { unit, user, .. } => format!("systemd {user} {}", instance.suffixed(unit)),
        Keeper::S6 { scan } => format!("s6 {scan} {name}"),
        Keeper::Runit { scan } => format!("runit {scan} {name}"),
        Keeper::Supervisor { include, config } => format!("supervisor {include} {config} {name}"),
        Keeper::Container { engine, .. } => format!("container {engine} {name}"),
        Keeper::Compose { command, .. } => format!("compose {command:?} {name}"),
        Keeper::Quadlet { user, .. } => format!("quadlet {user} {name}"),
        Keeper::Command { .. } => format!("command {name}"),
        Keeper::Unknown => format!("unknown {name}"),
    }
}

/// Returns a problem with the last lines of the copy's log, secrets masked.
pub(super) fn with_log(instance: &Instance<'_>, problem: Problem) -> Problem {
    let lines = of(instance).map(|keeper| keeper.log(instance)).unwrap_or_default();
    let details = instance.mask(problem.details.iter().cloned().chain(lines));
    Problem { details, ..problem }.at(format!("service {}", instance.name()))
}

/// Gets what a copy needs beside the files of its release; nothing live changes.
pub(super) fn prepare(instance: &Instance<'_>) -> Result<(), Problem> {
    of(instance)?.prepare(instance)
}

/// How long a copy may take until its process is there.
const START: std::time::Duration = std::time::Duration::from_secs(30);

/// Makes sure that a copy runs and is of its release, and tells whether it had to be started.
pub(super) fn ensure(instance: &Instance<'_>) -> Result<bool, Problem> {
    let keeper = of(instance)?;
    if keeper.see(instance)?.is_as_wanted() {
        return Ok(false);
    }
    instance.say("starts");
    let started = super::record::keep(instance).and_then(|()| keeper.start(instance));
    started.map_err(|problem| with_log(instance, problem))?;
    let mut last = State::default();
    let up = wait::until(instance.place, START, || {
        last = keeper.see(instance)?;
        Ok((last.is_as_wanted() || last.given_up).then_some(()))
    })?;
    if up.is_some() && last.is_as_wanted() {
        return Ok(true);
    }
    let (code, what) = if last.running {
        (Code::ServiceNotOurs, "runs, but not as this release")
    } else {
        (Code::ServiceFailed, "does not start")
    };
    let problem = Problem::new(code, format!("{} {what}", instance.name())).found(last.detail);
    Err(with_log(instance, problem))
}

/// Stops a copy and removes what was written for it.
pub(super) fn put_down(instance: &Instance<'_>) -> Result<(), Problem> {
    let keeper = of(instance)?;
    if keeper.see(instance)?.running {
        instance.say("stops");
    }
    keeper.stop(instance).map_err(|problem| with_log(instance, problem))?;
    super::record::forget(instance)
}
