//! Drills: ways back that are gone for practice. They are runs like all others; their reason says what they are.

use std::time::Duration;

use crate::action::Catalog;
use crate::gate::Need;
use crate::id::{Digest, RunId};
use crate::journal::{Event, Outcome, RunHead};
use crate::plan::{Plan, Release};
use crate::planner::Draft;
use crate::time::Time;

/// The reason of a run that goes back for practice.
pub const BACK: &str = "drill: back to the release before";
/// The reason of a run that goes forward again after it.
pub const FORWARD: &str = "drill: forward again";
/// The reason of a run that restores backups for practice.
pub const RESTORE: &str = "drill: restore into a scratch place";

/// A drill that ended well.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Drill {
    /// When it ended.
    pub at: Time,
    /// How long the way back took.
    pub took: Duration,
}

/// A drill that went back and not forward again: the older release is live.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Half {
    /// The run that went back.
    pub run: RunId,
    /// The environment.
    pub environment: String,
    /// The version that is to be live again.
    pub version: String,
    /// The one that is live.
    pub live: String,
}

/// Returns the drills that nothing followed in their environments.
pub fn halves(heads: &[RunHead]) -> Vec<Half> {
    let shipped = |head: &RunHead| match (&head.opened.event, &head.last.event) {
        (Event::Opened { plan, .. }, Event::Closed { outcome: Outcome::Shipped }) => {
            Some((plan.release.clone(), plan.release.environment.clone()?))
        }
        _ => None,
    };
    let ended: Vec<_> =
        heads.iter().filter_map(|head| shipped(head).map(|(release, at)| (&head.run, release, at))).collect();
    let last =
        |at: usize, environment: &str| !ended[at + 1..].iter().any(|(_, _, other)| other == environment);
    let went_back = ended
        .iter()
        .enumerate()
        .filter(|(at, (_, release, environment))| release.why == BACK && last(*at, environment));
    let half = |(_, (run, release, environment)): (usize, &(&RunId, Release, String))| Half {
        run: (*run).clone(),
        environment: environment.clone(),
        version: release.from.clone().unwrap_or_default(),
        live: release.to.clone(),
    };
    went_back.map(half).collect()
}

/// Returns the plan that makes backups and restores each into a scratch place. It changes nothing that is live.
pub fn restore(release: Release, needs: Vec<Need>, (target, catalog): (Duration, &dyn Catalog)) -> Plan {
    let mut draft = Draft::new(catalog);
    let facts = Digest::of_json(&needs);
    draft.gate("restore", needs, &facts, 1);
    let target_ms = u64::try_from(target.as_millis()).unwrap_or(u64::MAX);
    Plan { v: 1, release, stages: draft.stages, facts, notes: vec![], target_ms }
}

/// Returns the last rollback drill of an environment that ended well, there and back.
pub fn last(heads: &[RunHead], environment: &str) -> Option<Drill> {
    let shipped = |head: &RunHead, why: &str| match (&head.opened.event, &head.last.event) {
        (Event::Opened { plan, .. }, Event::Closed { outcome: Outcome::Shipped }) => {
            plan.release.why == why && plan.release.environment.as_deref() == Some(environment)
        }
        _ => false,
    };
    let forward = heads.iter().rposition(|head| shipped(head, FORWARD))?;
    let back = heads[..forward].iter().rev().find(|head| shipped(head, BACK))?;
    Some(Drill { at: heads[forward].last.at, took: back.last.at.since(back.opened.at) })
}
