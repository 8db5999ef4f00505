//! The way back: one release for the whole environment, the same bytes on every host.

use shipway_core::config::Strategy;
use shipway_core::deployment::{Deployment, Host, before as nearest, merge};
use shipway_core::id::RunId;
use shipway_core::planner::deploy::{Material, Order, Target, Way};
use shipway_core::problem::{Code, Problem};
use shipway_world::agent::protocol::{Known, Standing, State};
use shipway_world::deploy::Hands;

use super::{Cargo, Place, before, deployment, live, order, ready, schema, secrets};
use crate::prepare::deploy::size;
use crate::session::Session;

/// Returns the way back into an environment: of the release that was good there before the one that is live, or of the
/// last one of a version that was.
pub fn way_back(
    session: &Session<'_>,
    hands: &Hands,
    place: &Place<'_>,
    (to, restored): (Option<&str>, bool),
) -> Result<Way, Vec<Problem>> {
    let one = |problem| vec![problem];
    let wanted = release(place, to).map_err(one)?;
    let (mut problems, mut targets, mut before_it) = (vec![], vec![], vec![]);
    for (host, state) in &place.hosts {
        before_it.extend(known(state, wanted).map(|known| (state, known)));
        match brought(session, hands, place, (host, state, wanted)) {
            Ok(target) => targets.push(target),
            Err(found) => problems.extend(found),
        }
    }
    if !problems.is_empty() {
        return Err(problems);
    }
    let again = format!("shipway rollback {} --to {}", place.name, wanted.version);
    let past = schema::past((session, hands), place, &before_it, (restored, &again)).map_err(one)?;
    let environment = place.environment;
    let cargo = Cargo { project: "", version: "", material: &Material::OnHosts, range: "", restored };
    let given = targets.iter().any(|target| target.sent.is_some() && target.deployment.secrets.is_some());
    Ok(Way {
        environment: place.name.to_owned(),
        order: Order { strategy: Strategy::Recreate, ..order(environment) },
        gate: vec![],
        ready: ready(session, place, &cargo, &targets).map_err(one)?,
        migrations: (past.undo, vec![]),
        watch: None,
        after: vec![],
        confirm: environment.confirm,
        keep: (environment.keep, environment.keep_bytes),
        secrets: if given { environment.secrets.clone() } else { vec![] },
        targets,
    })
}

/// Returns the release that an environment goes back to, as one of its hosts knows it.
fn release<'a>(place: &'a Place<'_>, to: Option<&str>) -> Result<&'a Deployment, Problem> {
    let states = || place.hosts.iter().map(|(_, state)| state);
    let all: Vec<Vec<&Deployment>> =
        states().map(|state| state.deployments.iter().map(|known| &known.deployment).collect()).collect();
    let all = merge(&all);
    let good: Vec<&Deployment> = all.iter().filter(|one| is_good(place, &one.run)).copied().collect();
    let is_live = |one: &Deployment| states().any(|state| state.current.as_ref() == Some(&one.run));
    let newest = all.iter().rev().find(|one| is_live(one));
    let everywhere = |one: &Deployment| {
        states().all(|state| live(state).is_some_and(|known| known.deployment.is_release_of(one)))
    };
    let found = match (to, newest) {
        (Some(version), _) => {
            good.iter().rev().find(|one| one.version == version && !everywhere(one)).copied()
        }
        (None, Some(live)) => nearest(&good, live),
        (None, None) => None,
    };
    found.ok_or_else(|| {
        let what = to.map_or("a release before".to_owned(), |version| format!("release {version}"));
        let mut had: Vec<&str> = vec![];
        for one in good.iter().filter(|one| !everywhere(one)) {
            had.retain(|version| *version != one.version);
            had.push(&one.version);
        }
        let problem = Problem::new(Code::NoWayBack, format!("{what} is not there to go back to"));
        let problem = problem.wanted("another release that was live and confirmed here");
        if had.is_empty() {
            return problem.found("no other release was ever confirmed here");
        }
        let newest = had.last().filter(|_| to.is_none());
        let hint = newest.map(|version| format!("shipway rollback {} --to {version}", place.name));
        let problem = problem.found(had.join(", "));
        hint.into_iter().fold(problem, |problem, hint| problem.hint(format!("one that was left: {hint}")))
    })
}

/// Tells whether a run's release was confirmed, and no host has gone back from it.
fn is_good(place: &Place<'_>, run: &RunId) -> bool {
    let known = place.hosts.iter().flat_map(|(_, state)| &state.deployments);
    let mut standings =
        known.filter(|known| known.deployment.run == *run).map(|known| known.standing).peekable();
    standings.peek().is_some() && standings.all(|standing| standing == Standing::Confirmed)
}

/// Returns what a host knows of a release that was confirmed there.
fn known<'a>(state: &'a State, wanted: &Deployment) -> Option<&'a Known> {
    let fits =
        |known: &&Known| known.standing == Standing::Confirmed && known.deployment.is_release_of(wanted);
    state.deployments.iter().rev().find(fits)
}

/// Returns what is brought to a host: what it has already, else the same bytes sent from here.
fn brought(
    session: &Session<'_>,
    hands: &Hands,
    place: &Place<'_>,
    (host, state, wanted): (&Host, &State, &Deployment),
) -> Result<Target, Vec<Problem>> {
    let target = |known: &Deployment, sent| {
        let run = RunId::new("");
        let deployment = Deployment { run, back: true, home: session.home(), ..known.clone() };
        Target { host: host.clone(), deployment, from: live(state).map(before), sent }
    };
    let own = known(state, wanted);
    if let Some(known) = own.filter(|known| !known.swept) {
        return Ok(target(&known.deployment, None));
    }
    let Some(sent) = size(hands, &wanted.artifact) else {
        return Err(vec![nowhere(place, (host, own), wanted)]);
    };
    // What ran on a host of the same kind at that time fits the release; the configuration of today may not.
    let mut peers = place.hosts.iter().filter(|(other, _)| other.roles == host.roles);
    let past = own.or_else(|| peers.find_map(|(_, state)| known(state, wanted)));
    let past = past.map(|known| known.deployment.clone());
    let deployment = past.unwrap_or_else(|| today(session, place, host, (wanted, sent)));
    let given = deployment.secrets.is_some() || !place.environment.secrets.is_empty();
    // Values that are sent now are those of today.
    let secrets = if given { secrets::digest(session, place)? } else { None };
    Ok(target(&Deployment { secrets, ..deployment }, Some(sent)))
}

/// Returns a release of the past as it is configured today.
fn today(
    session: &Session<'_>,
    place: &Place<'_>,
    host: &Host,
    (wanted, sent): (&Deployment, (u64, usize)),
) -> Deployment {
    let material = Material::Kept { artifact: wanted.artifact.clone(), size: Some(sent) };
    let (project, version) = (&*wanted.project, &*wanted.version);
    let cargo = Cargo { project, version, material: &material, range: "", restored: false };
    Deployment { schema: wanted.schema.clone(), ..deployment(session, place, host, &cargo, None) }
}

fn nowhere(place: &Place<'_>, (host, own): (&Host, Option<&Known>), wanted: &Deployment) -> Problem {
    let (version, artifact) = (&wanted.version, wanted.artifact.short());
    let what = format!("release {version} is not there to go back to");
    let found = match own {
        Some(_) => format!("it was cleared away on {}, and artifact {artifact} is not kept here", host.name),
        None => format!("{} never had it, and artifact {artifact} is not kept here", host.name),
    };
    Problem::new(Code::NoWayBack, what)
        .at(format!("host {}", host.name))
        .found(found)
        .wanted("the same bytes on every host")
        .hint(format!(
            "go back from the repository that deployed it, or bring it again: shipway deploy {} {version}",
            place.name
        ))
}
