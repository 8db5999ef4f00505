//! Which of its two ports a service runs on.

use shipway_core::deployment::{Deployment, Service};
use shipway_core::problem::Problem;

use super::{Instance, Place, Seen, keeper, record, traffic};

/// Returns which of the two ports gets the traffic of a service; nothing for a service without two ports, and the first
/// one when nobody knows.
pub(super) fn live(
    place: &Place<'_>,
    deployment: &Deployment,
    service: &Service,
) -> Result<Option<usize>, Problem> {
    if service.switch.ports().is_none() {
        return Ok(None);
    }
    let at = |slot| Instance { place, deployment, service, slot: Some(slot) };
    for slot in [0, 1] {
        if has_traffic(&at(slot))? {
            return Ok(Some(slot));
        }
    }
    // The switch was configured otherwise when the copies were started.
    for slot in [0, 1] {
        if let Some(kept) = record::find(&at(slot))?
            && let Some(old) = kept.instance(place)
            && old.service.switch != service.switch
            // Whoever sent the traffic then may be gone.
            && has_traffic(&old).unwrap_or(false)
        {
            return Ok(Some(slot));
        }
    }
    Ok(Some(0))
}

fn has_traffic(instance: &Instance<'_>) -> Result<bool, Problem> {
    let Some(upstreams) = traffic::of(instance)? else { return Ok(false) };
    Ok(upstreams.live()?.is_some_and(|live| Some(live) == instance.port()))
}

/// Looks at a service where its traffic goes.
pub(super) fn look(place: &Place<'_>, deployment: &Deployment, service: &Service) -> Result<Seen, Problem> {
    let slot = live(place, deployment, service)?;
    let instance = Instance { place, deployment, service, slot };
    let state = keeper::of(&instance)?.see(&instance)?;
    let port = instance.port().map(|port| format!("port {port}, ")).unwrap_or_default();
    Ok(Seen {
        service: service.name.clone(),
        running: state.running,
        ours: state.ours,
        pid: state.pid,
        since: state.since,
        restarts: state.restarts,
        detail: port + &state.detail,
    })
}
