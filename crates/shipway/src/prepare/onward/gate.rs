//! What opens the gate of an environment.

use shipway_core::action::Catalog;
use shipway_core::deployment::Host;
use shipway_core::gate::Need;
use shipway_core::kinds::{self, Until, deploy as kind};
use shipway_core::planner::deploy::Material;
use shipway_core::planner::gates::{self, People};
use shipway_core::planner::need;
use shipway_core::problem::Problem;

use super::{Cargo, Place, live, millis};
use crate::session::Session;
use shipway_world::deploy::Hands;

/// Returns the needs of the gate of an environment, and what a reader must know besides.
pub(super) fn needs(
    session: &Session<'_>,
    hands: &Hands,
    place: &Place<'_>,
    cargo: &Cargo<'_>,
) -> Result<(Vec<Need>, Vec<String>), Vec<Problem>> {
    let one = |problem| vec![problem];
    let (mut needs, mut notes) = (vec![], vec![]);
    if let Some(from) = &place.environment.from {
        let (proven, soak) = before(session, hands, place, from, cargo)?;
        needs.push(proven);
        needs.extend(soak);
        if place.environment.gate.unproven {
            notes.push(format!("{} accepts what {from} has not proven, as configured", place.name));
        }
    }
    needs.extend(checks(session, place).map_err(one)?);
    needs.extend(times(&session.catalog(hands), place).map_err(one)?);
    if let Some(within) = place.environment.gate.drill_within {
        // A way back that was practised before counts on the way to here.
        let chain = super::chain(session, place.name).map_err(one)?;
        let marked = chain.iter().find(|(_, environment)| environment.drill);
        let marked = marked.map(|(name, _)| (*name).to_owned()).unwrap_or_default();
        let environments = chain.into_iter().map(|(name, _)| name.to_owned()).collect();
        let args = kind::Drill { environments, within_ms: millis(within), marked };
        needs.push(need("drill", kind::DRILL, &args, 60_000).map_err(one)?);
    }
    needs.extend(approval(session, place, cargo).map_err(one)?);
    let fresh = millis(place.environment.gate.fresh);
    let fresh = |need| {
        let may_be_old = if is_of_the_moment(&need) { 0 } else { fresh };
        gates::fresh(need, may_be_old)
    };
    Ok((needs.into_iter().map(fresh).collect(), notes))
}

/// Tells whether a need is about how things stand in the moment when the gate opens. What was seen before the run waited
/// for a person says nothing of a freeze that has begun since, of an incident, or of what was gone back from.
fn is_of_the_moment(need: &Need) -> bool {
    let of_the_moment = [kinds::WINDOW, kinds::INCIDENT, kind::PROVEN];
    matches!(need, Need::Check { kind, .. } if of_the_moment.contains(&kind.as_str()))
}

/// Returns the needs that look back at the environment before: the same bytes are proven there, and long enough.
fn before(
    session: &Session<'_>,
    hands: &Hands,
    place: &Place<'_>,
    from: &str,
    cargo: &Cargo<'_>,
) -> Result<(Need, Option<Need>), Vec<Problem>> {
    let one = |problem| vec![problem];
    let environment = super::environment(session, from).map_err(one)?;
    let hosts: Vec<Host> = environment.1.hosts(cargo.project, from);
    let artifact = match cargo.material {
        Material::Kept { artifact, .. } => artifact.clone(),
        Material::Built(_) | Material::OnHosts => shipway_core::id::Digest::new(""),
    };
    let args = kind::Proven {
        environment: from.to_owned(),
        hosts,
        artifact: artifact.clone(),
        waived: place.environment.gate.unproven,
        version: cargo.version.to_owned(),
    };
    let proven = need(&format!("proven in {from}"), kind::PROVEN, &args, 300_000).map_err(one)?;
    let Some(soak) = place.environment.gate.soak else { return Ok((proven, None)) };
    let until = since(session, hands, environment, cargo, &artifact)?
        .map_or(Until::AfterMs(millis(soak)), |since| Until::At(since.after(soak)));
    Ok((proven, Some(gates::soak(from, until).map_err(one)?)))
}

/// Returns since when all hosts of an environment have an artifact; nothing if it comes there with this very run.
fn since(
    session: &Session<'_>,
    hands: &Hands,
    environment: (&str, &shipway_core::config::deploy::Environment),
    cargo: &Cargo<'_>,
    artifact: &shipway_core::id::Digest,
) -> Result<Option<shipway_core::time::Time>, Vec<Problem>> {
    if artifact.as_str().is_empty() {
        return Ok(None);
    }
    let place = super::look(session, hands, environment, cargo.project)?;
    let since = |known: &shipway_world::agent::protocol::Known| {
        (known.deployment.artifact == *artifact).then_some(known.live_since)?
    };
    let all: Option<Vec<_>> = place.hosts.iter().map(|(_, state)| live(state).and_then(since)).collect();
    Ok(all.and_then(|all| all.into_iter().max()))
}

fn checks(session: &Session<'_>, place: &Place<'_>) -> Result<Vec<Need>, Problem> {
    let named = |name: &String| session.config.check.iter().find(|check| check.name == *name);
    let checks = place.environment.gate.checks.iter().filter_map(named);
    checks
        .map(|check| {
            let args = kinds::Command {
                argv: check.run.clone(),
                env: check.env.iter().map(|(name, value)| (name.clone(), value.clone())).collect(),
                advice: false,
            };
            let timeout = check.timeout.unwrap_or(session.config.checks.timeout);
            need(&check.name, kinds::COMMAND, &args, millis(timeout))
        })
        .collect()
}

fn times(catalog: &dyn Catalog, place: &Place<'_>) -> Result<Vec<Need>, Problem> {
    let gate = &place.environment.gate;
    let mut needs = vec![];
    if !gate.windows.is_empty() || !gate.freeze.is_empty() {
        let args = kinds::Window { windows: gate.windows.clone(), freezes: gate.freeze.clone() };
        needs.push(gates::window(catalog, &args)?);
    }
    if gate.incidents {
        needs.push(gates::incident(Some(place.name))?);
    }
    Ok(needs)
}

fn approval(session: &Session<'_>, place: &Place<'_>, cargo: &Cargo<'_>) -> Result<Option<Need>, Problem> {
    let gate = &place.environment.gate;
    if gate.approvals == 0 {
        return Ok(None);
    }
    let mut not_by = vec![];
    if !gate.own_approval {
        not_by.push(session.actor().name);
        if !cargo.range.is_empty() {
            not_by.extend(session.git().authors(cargo.range)?);
        }
        not_by.sort();
        not_by.dedup();
    }
    let people = People {
        from: gate.approvers.clone(),
        at_least: u32::try_from(gate.approvals).unwrap_or(u32::MAX),
        not_by,
        grade: gate.approval_grade as u8,
    };
    gates::approval("approval", people).map(Some)
}
