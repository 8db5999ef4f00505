//! From whatever state the machine is in to a deployment that is live, and back to nothing.

use std::time::{Duration, Instant};

use shipway_core::deployment::{ALL, Deployment, Service, percent};
use shipway_core::problem::{Code, Problem};

use super::traffic::Upstreams;
use super::{Instance, Place, current, files, health, keeper, record, slots, traffic, wait};

/// The pause between two looks at what is under way.
const BETWEEN: Duration = Duration::from_millis(100);

/// Makes a deployment live.
pub(super) fn converge(place: &Place<'_>, to: &Deployment, from: Option<&Deployment>) -> Result<(), Problem> {
    ready(place, to)?;
    // Nothing live has changed when a new copy does not get well.
    let mut beside = vec![];
    for service in &to.services {
        if service.switch.ports().is_some() {
            beside.push(bring_up(place, to, service)?);
        }
    }
    current::set(place.root, &to.artifact)?;
    // What has one port only cannot run beside what had it before under another name, or with another switch.
    stop_others(place, to, from, |instance| {
        let same = to.services.iter().any(|service| service.name == instance.service.name);
        instance.slot.is_none() || same
    })?;
    for service in to.services.iter().filter(|service| service.switch.ports().is_none()) {
        let instance = Instance { place, deployment: to, service, slot: None };
        replace(&instance)?;
    }
    for instance in &beside {
        switch(instance)?;
    }
    for instance in &beside {
        let slot = instance.slot.map(|slot| 1 - slot);
        retreat(&Instance { slot, ..*instance })?;
    }
    stop_others(place, to, from, |_| true)
}

/// Proves that a release is there, and that the link to it can be set.
fn ready(place: &Place<'_>, to: &Deployment) -> Result<(), Problem> {
    current::check(place.root)?;
    let release = place.root.join("releases").join(to.artifact.as_str());
    if !release.is_dir() {
        let what = format!("release {} is not on this host", to.artifact.short());
        return Err(Problem::new(Code::ReleaseMissing, what).at(release.display().to_string()));
    }
    files::directory(&place.root.join("live"))
}

/// Gives a deployment a share of the traffic.
pub(super) fn share(place: &Place<'_>, to: &Deployment, share: u32) -> Result<(), Problem> {
    ready(place, to)?;
    let mut beside = vec![];
    for service in slots::sharing(place, to)? {
        beside.push(bring_up(place, to, service)?);
    }
    for instance in &beside {
        let (Some(upstreams), Some(port)) = (traffic::of(instance)?, instance.port()) else { continue };
        // The same bytes as before are no second copy, and what took the place of a dead one has nobody beside it.
        if upstreams.share(port)? != Some(ALL) {
            upstreams.split(port, to.artifact.as_str(), share)?;
            instance.say(&format!("gets {} of the traffic on port {port}", percent(share)));
        }
    }
    Ok(())
}

/// Starts the copy of a service with two ports and waits until it is well; where it already gets the traffic, nothing
/// happens. Where ours that gets the traffic is dead, nothing can be lost: it is started in its own place.
fn bring_up<'a>(
    place: &'a Place<'a>,
    to: &'a Deployment,
    service: &'a Service,
) -> Result<Instance<'a>, Problem> {
    let at = |slot| Instance { place, deployment: to, service, slot: Some(slot) };
    let serving = slots::live(place, to, service)?;
    let live = serving.unwrap_or(0);
    let seen = keeper::of(&at(live))?.see(&at(live))?;
    if seen.is_as_wanted() {
        return Ok(at(live));
    }
    let alone = record::find(&Instance { slot: None, ..at(live) })?;
    // Where nothing of ours was, somebody else may serve there until the switch.
    let dead = serving.is_some() && !seen.running && (alone.is_some() || record::find(&at(live))?.is_some());
    if dead && let Some(other) = alone.as_ref().and_then(|kept| kept.instance(place)) {
        // The same service with another switch may have its port.
        keeper::put_down(&other)?;
    }
    let (old, new) = if dead { (at(1 - live), at(live)) } else { (at(live), at(1 - live)) };
    if !service.overlap {
        retreat(&old)?;
    }
    replace(&new)?;
    health::wait(&new)?;
    Ok(new)
}

/// Makes a copy run in the place of whatever ran under its name, also under another manager.
fn replace(instance: &Instance<'_>) -> Result<(), Problem> {
    if let Some(kept) = record::find(instance)?
        && let Some(old) = kept.instance(instance.place)
        && !same_place(&old, instance)
    {
        keeper::put_down(&old)?;
    }
    keeper::ensure(instance).map(|_| ())
}

/// Tells whether starting one copy takes the place of the other.
fn same_place(old: &Instance<'_>, new: &Instance<'_>) -> bool {
    keeper::address(old) == keeper::address(new)
}

/// Lets a copy get the traffic of its service.
fn switch(instance: &Instance<'_>) -> Result<(), Problem> {
    let (Some(upstreams), Some(port)) = (traffic::of(instance)?, instance.port()) else { return Ok(()) };
    // Most of it is not all: the other copy may still share it.
    if upstreams.share(port)? != Some(ALL) {
        upstreams.switch(port, instance.deployment.artifact.as_str())?;
        instance.say(&format!("gets the traffic on port {port}"));
    }
    upstreams.settle(port)
}

/// Waits until what is under way to a copy has ended, and stops it.
fn retreat(instance: &Instance<'_>) -> Result<(), Problem> {
    let kept = record::find(instance)?;
    let old = kept.as_ref().and_then(|kept| kept.instance(instance.place)).unwrap_or(*instance);
    if !keeper::of(&old)?.see(&old)?.running && kept.is_none() {
        return Ok(());
    }
    if let (Some(upstreams), Some(port)) = (traffic::of(&old)?, old.port())
        && upstreams.live()? != Some(port)
    {
        drain(&old, &*upstreams, port)?;
    }
    keeper::put_down(&old)
}

/// Waits until nothing is under way to a port, or its time is over.
fn drain(instance: &Instance<'_>, upstreams: &dyn Upstreams, port: u16) -> Result<(), Problem> {
    // A request that was on its way while the switch happened is not counted yet: look several times.
    let begun = Instant::now();
    let limit = Duration::from_millis(instance.service.drain_ms);
    let mut quiet = 0;
    while quiet < upstreams.looks() && begun.elapsed() < limit {
        quiet = if upstreams.in_flight(port)? == 0 { quiet + 1 } else { 0 };
        wait::rest(instance.place, BETWEEN)?;
    }
    let left = upstreams.in_flight(port)?;
    if left > 0 {
        instance.say(&format!("is stopped with {left} under way, as its time to drain is over"));
    }
    Ok(())
}

/// Stops what ran before and is no part of a deployment, as far as it is in the way.
fn stop_others(
    place: &Place<'_>,
    to: &Deployment,
    from: Option<&Deployment>,
    in_the_way: impl Fn(&Instance<'_>) -> bool,
) -> Result<(), Problem> {
    let wanted = |instance: &Instance<'_>| {
        to.services.iter().any(|service| {
            service.name == instance.service.name
                && service.switch.ports().is_some() == instance.slot.is_some()
        })
    };
    for kept in record::all(place)? {
        if let Some(instance) = kept.instance(place)
            && !wanted(&instance)
            && in_the_way(&instance)
        {
            keeper::put_down(&instance)?;
        }
    }
    for instance in from.into_iter().flat_map(|from| copies(place, from)) {
        if !wanted(&instance) && in_the_way(&instance) && keeper::of(&instance)?.see(&instance)?.running {
            keeper::put_down(&instance)?;
        }
    }
    Ok(())
}

/// Returns all copies that a deployment may have.
fn copies<'a>(place: &'a Place<'a>, deployment: &'a Deployment) -> Vec<Instance<'a>> {
    let slots = |service: &Service| match service.switch.ports() {
        Some(_) => vec![Some(0), Some(1)],
        None => vec![None],
    };
    let of = |service: &'a Service| {
        slots(service).into_iter().map(move |slot| Instance { place, deployment, service, slot })
    };
    deployment.services.iter().flat_map(of).collect()
}

/// Takes a first deployment back.
pub(super) fn retire(place: &Place<'_>, deployment: &Deployment) -> Result<(), Problem> {
    current::check(place.root)?;
    for kept in record::all(place)? {
        if let Some(instance) = kept.instance(place) {
            keeper::put_down(&instance)?;
        }
    }
    for instance in copies(place, deployment) {
        keeper::put_down(&instance)?;
    }
    current::remove(place.root)
}
