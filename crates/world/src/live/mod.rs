//! Makes a deployment live on this machine: the link to its release. Deployments with services are refused here.

use std::fs;
use std::io;
use std::os::unix::fs::symlink;
use std::path::Path;

use shipway_core::action::{Shell, Stop};
use shipway_core::deployment::Deployment;
use shipway_core::problem::{Code, Problem};
use shipway_core::time::Time;

/// Where a deployment is made live, and with what.
#[derive(Clone, Copy)]
pub struct Place<'a> {
    /// The directory of the environment.
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
    /// Whether that was shown to be of the release.
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

/// Makes a deployment live, from whatever state the machine is in.
pub fn converge(place: &Place<'_>, to: &Deployment, _from: Option<&Deployment>) -> Result<(), Problem> {
    refuse_services(to)?;
    let path = place.root.join("current");
    let flip = || -> io::Result<()> {
        let new = place.root.join(".current.new");
        let _ = fs::remove_file(&new);
        symlink(Path::new("releases").join(to.artifact.as_str()), &new)?;
        fs::rename(&new, &path)?;
        fs::File::open(place.root)?.sync_all()
    };
    (place.say)(&format!("version {} is current", to.version));
    flip().map_err(|error| Problem::new(Code::Io, format!("{}: {error}", path.display())))
}

/// Takes a first deployment back: removes `current`.
pub fn retire(place: &Place<'_>, _deployment: &Deployment) -> Result<(), Problem> {
    let path = place.root.join("current");
    match fs::remove_file(&path) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => {
            Err(Problem::new(Code::Io, format!("{}: {error}", path.display())))
        }
        Ok(()) | Err(_) => Ok(()),
    }
}

/// Looks at each service of a deployment and changes nothing.
pub fn look(_place: &Place<'_>, deployment: &Deployment) -> Result<Vec<Seen>, Problem> {
    refuse_services(deployment).map(|()| vec![])
}

/// Waits until each service of a deployment is well.
pub fn healthy(_place: &Place<'_>, deployment: &Deployment) -> Result<(), Problem> {
    refuse_services(deployment)
}

/// Runs the smoke test of each service of a deployment.
pub fn smoke(_place: &Place<'_>, deployment: &Deployment) -> Result<(), Problem> {
    refuse_services(deployment)
}

/// Makes the runtime of a release, if it has one.
pub fn prepare(_place: &Place<'_>, deployment: &Deployment) -> Result<(), Problem> {
    refuse_services(deployment)
}

fn refuse_services(deployment: &Deployment) -> Result<(), Problem> {
    match deployment.services.first() {
        None if deployment.runtime.is_none() => Ok(()),
        None => Err(Problem::new(Code::ActionUnknown, "runtimes cannot be made ready by this shipway")),
        Some(service) => Err(Problem::new(
            Code::ActionUnknown,
            format!("service {} cannot be run by this shipway", service.name),
        )),
    }
}
