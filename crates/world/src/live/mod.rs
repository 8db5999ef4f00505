//! Makes a deployment live on this machine: services, traffic, and the link to the current release.
//!
//! Everything here looks first and does nothing where the machine is already as wanted, so that it can be cut off
//! anywhere and called again. Who decides that a release goes live, and what is sent to a host, is not here.

mod files;
mod wait;
mod instance;
mod record;
mod current;
mod proof;
mod keeper;
mod traffic;
mod health;
mod http;
mod prepare;
mod converge;
mod slots;
mod watched;

use std::path::Path;

use shipway_core::action::{Shell, Stop};
use shipway_core::deployment::Deployment;
use shipway_core::problem::{Code, Problem};
use shipway_core::time::Time;

use instance::Instance;
pub use watched::{Watched, watched};

/// Where a deployment is made live, and with what.
#[derive(Clone, Copy)]
pub struct Place<'a> {
    /// The directory of the environment: `releases`, `current`, `secrets`, `runtimes` and `live` are in it.
    pub root: &'a Path,
    /// The hands on this machine.
    pub shell: &'a dyn Shell,
    /// The switch; when it says now, whatever waits here gives up.
    pub stop: &'a Stop,
    /// Is told what happens, line by line.
    pub say: &'a dyn Fn(&str),
}

/// What was seen of a service.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Seen {
    /// The service.
    pub service: String,
    /// Whether something runs under its name.
    pub running: bool,
    /// Whether that was shown to be of the release, and gets the traffic.
    pub ours: bool,
    /// The process, where there is one.
    pub pid: Option<u32>,
    /// Since when it runs.
    pub since: Option<Time>,
    /// How often its manager has started it again, where the manager counts.
    pub restarts: Option<u64>,
    /// What the manager says.
    pub detail: String,
}

/// Makes a deployment live, from whatever state the machine is in: afterwards `current` leads to its release, each of
/// its services runs and was shown to be of that release, and what ran before and is no part of it is stopped.
///
/// A service with two ports is started beside the old one, must be well, and only then gets the traffic; the old one is
/// stopped when its requests have ended. A problem carries the last log lines of the service.
pub fn converge(place: &Place<'_>, to: &Deployment, from: Option<&Deployment>) -> Result<(), Problem> {
    converge::converge(place, to, from)
}

/// Gives a deployment a share of the traffic, in thousandths of a percent, beside what is live: each service that can
/// share its traffic is started beside the old one, must be well, and gets that part of the requests. Nothing else
/// changes, and [`converge`] leads on from there, or back.
pub fn share(place: &Place<'_>, to: &Deployment, share: u32) -> Result<(), Problem> {
    converge::share(place, to, share)
}

/// Returns the share of the traffic that a deployment gets, in thousandths of a percent: that of the service with the
/// least.
pub fn share_of(place: &Place<'_>, deployment: &Deployment) -> Result<u32, Problem> {
    slots::least(place, deployment)
}

/// Returns a deployment with those of its services alone that share their traffic.
pub fn sharing(place: &Place<'_>, deployment: &Deployment) -> Result<Deployment, Problem> {
    let services = slots::sharing(place, deployment)?.into_iter().cloned().collect();
    Ok(Deployment { services, ..deployment.clone() })
}

/// Takes a first deployment back: stops its services, removes what was written for them, and removes `current`.
pub fn retire(place: &Place<'_>, deployment: &Deployment) -> Result<(), Problem> {
    converge::retire(place, deployment)
}

/// Looks at each service of a deployment and changes nothing.
pub fn look(place: &Place<'_>, deployment: &Deployment) -> Result<Vec<Seen>, Problem> {
    deployment.services.iter().map(|service| slots::look(place, deployment, service)).collect()
}

/// Waits until each service of a deployment is well, as its health check says; without one, until it runs and is not
/// started again for a moment. A service that is not well in its time is a problem.
pub fn healthy(place: &Place<'_>, deployment: &Deployment) -> Result<(), Problem> {
    for service in &deployment.services {
        let slot = slots::live(place, deployment, service)?;
        health::wait(&Instance { place, deployment, service, slot })?;
    }
    Ok(())
}

/// Runs the smoke test of each service of a deployment that has one, in the directory of the release.
pub fn smoke(place: &Place<'_>, deployment: &Deployment) -> Result<(), Problem> {
    for service in deployment.services.iter().filter(|service| !service.smoke.is_empty()) {
        let slot = slots::live(place, deployment, service)?;
        let instance = Instance { place, deployment, service, slot };
        let output = instance.run(&service.smoke)?;
        if !output.ok() {
            let problem =
                Problem::new(Code::SmokeFailed, format!("the smoke test of {} failed", service.name));
            return Err(problem.found(format!("{:?}", output.ended)).details(wait::last_lines(&output)));
        }
    }
    Ok(())
}

/// Makes the runtime of a release, if it has one, under `runtimes`, and brings the images of its containers; nothing
/// live changes.
pub fn prepare(place: &Place<'_>, deployment: &Deployment) -> Result<(), Problem> {
    prepare::prepare(place, deployment)?;
    let of = |service| keeper::prepare(&Instance { place, deployment, service, slot: None });
    deployment.services.iter().try_for_each(of)
}
