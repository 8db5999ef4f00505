//! How a host is, as its journal and its disk say.

use shipway_core::deployment::{Deployment, before};
use shipway_core::problem::Problem;

use super::journal::History;
use super::protocol::{Known, Look, Seen, Sharing, Standing, State};
use super::setup::Agent;
use super::switch::{drift_of_current, no_way_back};
use super::{disk, lease, owner, release, watchdog};
use crate::lease::this_host;
use crate::live;

/// Looks; changes nothing, and needs no lock: what is being changed meanwhile is said to be on its way.
pub(super) fn look(agent: &Agent, closely: Look) -> Result<State, Problem> {
    let (root, clock) = (&agent.root, &*agent.setup.clock);
    let history = agent.journal()?.history;
    let live = history.live();
    let moving = history.moving();
    let (mut drift, mut mendable) = (vec![], vec![]);
    if moving.is_none() {
        drift.extend(drift_of_current(root, live, None));
    }
    if let Some(live) = live.filter(|_| closely.drift) {
        match release::drift(root, &live.deployment.artifact) {
            Ok(changed) => mendable.extend(changed.into_iter().map(|path| format!("{path} was changed"))),
            Err(problem) => mendable.push(problem.what),
        }
        drift.extend(mendable.clone());
    }
    // Before a deployment, what is live is what would be gone back to.
    let no_way_back = live.filter(|_| closely.way_back).map_or_else(Vec::new, |live| no_way_back(root, live));
    let found = match live {
        Some(live) if closely.services => match live::look(&agent.place(), &live.deployment) {
            Err(problem) if closely.lenient => {
                let at = problem.place.map_or_else(String::new, |place| format!(" at {place}"));
                drift.push(format!("its services cannot be looked at: {}{at}", problem.what));
                vec![]
            }
            found => found?,
        },
        Some(_) | None => vec![],
    };
    let sharing = match moving.filter(|_| closely.share) {
        Some(moving) => sharing(agent, moving)?,
        None => None,
    };
    let free = disk::room(&root.dir)?;
    Ok(State {
        version: super::serve::VERSION.into(),
        host: this_host(),
        root: root.dir.display().to_string(),
        since: live.and_then(|live| live.live_since),
        previous: previous(&history).map(|known| known.deployment.run.clone()),
        drift,
        no_way_back,
        mendable,
        handed: owner::handed(root),
        lease: lease::look(root, clock)?,
        watchdog: watchdog::look(root, clock)?,
        services: found.into_iter().map(of_service).collect(),
        sharing,
        free_bytes: free.bytes,
        free_inodes: free.inodes,
        boot: clock.boot(),
        now: clock.now(),
        current: history.current,
        deployments: history.deployments,
    })
}

/// Returns the deployment that is gone back to if the live one has to go.
pub(super) fn previous(history: &History) -> Option<&Known> {
    let live = history.live()?;
    let found = if live.standing == Standing::Confirmed {
        let good = history.deployments.iter().filter(|known| known.standing == Standing::Confirmed);
        let good: Vec<&Deployment> = good.map(|known| &known.deployment).collect();
        history.of(&before(&good, &live.deployment)?.run)
    } else {
        // It is not known to be good, so what it came after is, whichever that was.
        history.of(live.from.as_ref()?)
    };
    found.filter(|known| known.standing == Standing::Confirmed && !known.swept)
}

/// Looks at what is on its way and may have a share of the traffic.
fn sharing(agent: &Agent, moving: &Known) -> Result<Option<Sharing>, Problem> {
    // What is being left loses it at any moment.
    if moving.standing != Standing::Switching {
        return Ok(None);
    }
    let (place, run) = (agent.place(), moving.deployment.run.clone());
    let own = live::sharing(&place, &moving.deployment)?;
    let services = live::look(&place, &own)?.into_iter().map(of_service).collect();
    Ok(Some(Sharing { run, share: live::share_of(&place, &own)?, services }))
}

fn of_service(seen: live::Seen) -> Seen {
    let live::Seen { service, running, ours, pid, since, restarts, detail } = seen;
    Seen { service, running, ours, pid, since, restarts, detail }
}
