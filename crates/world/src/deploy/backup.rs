//! A backup is made and proven by restoring it, on the machine that holds the data, before something irreversible.

use shipway_core::action::{Cx, Fault};
use shipway_core::backup::{Ask, Made};
use shipway_core::gate::{Check, Finding};
use shipway_core::kinds::backup as kinds;
use shipway_core::problem::{Code, Problem};

use super::Hands;
use crate::agent::protocol::{Request, Response};
use crate::backup::{self, Place};
use crate::check::blocks;
use crate::git::repository::Repository;
use crate::host::By;

/// The check.
#[derive(Debug)]
pub struct Backup {
    /// Where it runs if it is made here.
    pub repository: Repository,
    /// The hands.
    pub hands: Hands,
    /// What.
    pub args: kinds::Made,
}

impl Check for Backup {
    fn look(&self, cx: &Cx<'_>) -> Result<Vec<Finding>, Fault> {
        let made = match self.ask(cx)? {
            Ok(made) => made,
            Err(problem) => return Ok(blocks(problem)),
        };
        let verified = made.first().is_some_and(|made| made.verified.is_some());
        let unproven =
            || Problem::new(Code::BackupBroken, format!("backup {} is not proven", self.args.spec.name));
        Ok(if verified { vec![] } else { blocks(unproven()) })
    }
}

impl Backup {
    fn ask(&self, cx: &Cx<'_>) -> Result<Result<Vec<Made>, Problem>, Fault> {
        let Some(host) = &self.args.host else {
            let say = |_: &str| {};
            let place =
                Place { dir: &self.repository.top, shell: cx.world.shell(), stop: cx.stop, say: &say };
            return Ok(backup::answer(&Ask::Make, &self.args.spec, &place));
        };
        let request = Request::Backup { ask: Ask::Make, spec: Box::new(self.args.spec.clone()) };
        let by = By { run: None, limit: cx.timeout, stop: cx.stop };
        match self.hands.fleet.call(host, &by, request) {
            Ok(Response::Backup(made)) => Ok(Ok(made)),
            Ok(other) => Err(super::unexpected(host, &other)),
            Err(fault) if fault.retry_after_ms.is_none() => Ok(Err(fault.problem)),
            Err(fault) => Err(fault),
        }
    }
}
