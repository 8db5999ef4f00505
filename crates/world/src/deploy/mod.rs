//! Bringing releases to hosts: the actions and checks of a deployment.
//!
//! What a host does with a request is in `agent`; how a request gets there is in `host`. Here a step becomes requests,
//! and what a host says of itself becomes absent, present or foreign.

mod adopt;
mod backup;
mod build;
mod confirm;
mod drill;
mod finish;
mod lease;
mod migrate;
mod proven;
mod ready;
mod share;
mod stage;
mod switch;
mod watch;
mod well;

use std::sync::Arc;
use std::time::Duration;

use shipway_core::action::{Cx, Fault};
use shipway_core::deployment::{Deployment, Host};
use shipway_core::id::{Digest, RunId};
use shipway_core::kinds::deploy::{self as kinds, Bring};
use shipway_core::problem::{Code, Problem};

pub use adopt::Adopt;
pub use backup::Backup;
pub use build::Build;
pub use confirm::Confirm;
pub use drill::Drill;
pub use finish::Finish;
pub use lease::Lease;
pub use migrate::{Migrate, stands};
pub use proven::Proven;
pub use ready::Ready;
pub use share::Share;
pub use stage::Stage;
pub use switch::Switch;
pub use watch::Watch;
pub use well::Well;

use crate::agent::protocol::{Known, Look, Request, Response, State};
use crate::artifact::{self, Store};
use crate::host::{By, Fleet};

/// The hands of a deployment: the hosts, and where artifacts are kept here.
#[derive(Clone, Debug)]
pub struct Hands {
    /// The connections.
    pub fleet: Arc<Fleet>,
    /// The artifacts.
    pub store: Arc<Store>,
}

impl Hands {
    /// Asks a host for something that changes it on behalf of the run.
    fn ask(&self, cx: &Cx<'_>, host: &Host, request: Request) -> Result<Response, Fault> {
        self.fleet.call(host, &By { run: Some(cx.run), limit: cx.timeout, stop: cx.stop }, request)
    }

    /// Looks at a host.
    fn look(&self, cx: &Cx<'_>, host: &Host, look: Look) -> Result<State, Fault> {
        let limit = cx.timeout.min(LOOK);
        match self.fleet.call(host, &By { run: None, limit, stop: cx.stop }, Request::Look(look))? {
            Response::State(state) => Ok(*state),
            other => Err(unexpected(host, &other)),
        }
    }

    /// Returns what the run brings to a host.
    fn deployment(&self, cx: &Cx<'_>, bring: &Bring) -> Result<Deployment, Fault> {
        let built = self.store.artifact_of_run(cx.run);
        let deployment = bring.deployment(cx.run, built.as_ref());
        if deployment.artifact.as_str().is_empty() {
            return Err(Fault::clean(Problem::new(
                Code::ArtifactMissing,
                format!("run {} has built no artifact", cx.run),
            )));
        }
        Ok(deployment)
    }

    /// Returns the artifact that a build has made of a commit before, if all of it is kept.
    pub fn built(&self, build: &kinds::Build, commit: String) -> Option<Digest> {
        artifact::find(&self.store, &build::spec(build, commit)).map(|(digest, _)| digest)
    }

    /// Returns the artifact of the run where a plan does not name one.
    fn artifact(&self, run: &RunId, planned: &Digest) -> Option<Digest> {
        if planned.as_str().is_empty() { self.store.artifact_of_run(run) } else { Some(planned.clone()) }
    }
}

/// The name under which the salt of a set of secrets goes with it.
pub const SALT: &str = "SHIPWAY_SECRETS_SALT";

/// How long a look at a host may take.
const LOOK: Duration = Duration::from_mins(2);

/// Returns what a host knows of the deployment of a run.
fn known<'a>(state: &'a State, run: &RunId) -> Option<&'a Known> {
    state.deployments.iter().rev().find(|known| known.deployment.run == *run)
}

fn unexpected(host: &Host, response: &Response) -> Fault {
    let what = format!("host {} answered something else than was asked", host.name);
    Fault::in_doubt(Problem::new(Code::Bug, what).found(format!("{response:?}")))
}
