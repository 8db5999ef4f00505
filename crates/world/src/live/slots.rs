//! Which of its two ports a service runs on.

use shipway_core::deployment::{ALL, Deployment, Service};
use shipway_core::problem::Problem;

use super::{Instance, Place, Seen, keeper, record, traffic};

/// Returns which of the two ports gets the traffic of a service; nothing for a service without two ports, and the first
/// one when nobody knows. While two releases share the traffic, each has its own.
pub(super) fn live(
    place: &Place<'_>,
    deployment: &Deployment,
    service: &Service,
) -> Result<Option<usize>, Problem> {
    if service.switch.ports().is_none() {
        return Ok(None);
    }
    let at = |slot| Instance { place, deployment, service, slot: Some(slot) };
    if is_shared(&at(0))?
        && let Some(slot) = [0, 1].into_iter().find(|slot| is_of(&at(*slot)))
    {
        return Ok(Some(slot));
    }
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

/// Tells whether two copies share the traffic of a service.
fn is_shared(instance: &Instance<'_>) -> Result<bool, Problem> {
    Ok((1..ALL).contains(&share(instance)?.unwrap_or_default()))
}

/// Tells whether a copy was started as this one would be, whether it still runs or not.
fn is_of(instance: &Instance<'_>) -> bool {
    record::mark(instance) == Some(instance.mark())
}

/// Returns the share of the traffic that a port gets; nothing where it cannot be shared, or where none of the two ports
/// gets any.
fn share(instance: &Instance<'_>) -> Result<Option<u32>, Problem> {
    if !instance.service.splits() {
        return Ok(None);
    }
    match (traffic::of(instance)?, instance.port()) {
        (Some(upstreams), Some(port)) => upstreams.share(port),
        (None, _) | (_, None) => Ok(None),
    }
}

/// Returns the services of a deployment whose traffic goes to one of their two ports, so that it can be shared.
pub(super) fn sharing<'d>(
    place: &Place<'_>,
    deployment: &'d Deployment,
) -> Result<Vec<&'d Service>, Problem> {
    let mut sharing = vec![];
    for service in &deployment.services {
        if share(&Instance { place, deployment, service, slot: Some(0) })?.is_some() {
            sharing.push(service);
        }
    }
    Ok(sharing)
}

/// Returns the share of the traffic that a deployment gets, the least of its services: all, if none can share it.
pub(super) fn least(place: &Place<'_>, deployment: &Deployment) -> Result<u32, Problem> {
    let mut least = ALL;
    for service in sharing(place, deployment)? {
        let instance = Instance { place, deployment, service, slot: live(place, deployment, service)? };
        let own = if is_of(&instance) { share(&instance)?.unwrap_or(ALL) } else { 0 };
        least = least.min(own);
    }
    Ok(least)
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
