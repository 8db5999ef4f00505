//! The outlook of a plan: what its gates that look at hosts would say if it were carried out now.

use std::thread;
use std::time::Duration;

use shipway_core::action::{Catalog as _, Cx, World};
use shipway_core::gate::{Need, Severity};
use shipway_core::id::{RunId, StepId};
use shipway_core::kinds::{self, deploy as kind};
use shipway_core::plan::{Plan, Work};
use shipway_core::problem::Problem;

use crate::session::Session;

/// Returns what would stop a plan at a gate that looks at hosts, as far as looking now can tell.
pub fn problems(session: &Session<'_>, plan: &Plan) -> Result<Vec<Problem>, Vec<Problem>> {
    found(session, plan.steps().filter_map(gate).flatten().filter(|need| looks(plan, need)).collect())
}

/// Refuses a plan for hosts that could not be brought a release now.
///
/// What a release publishes comes before its way to them, and their own gate would say it only then.
pub fn ready(session: &Session<'_>, plan: &Plan) -> Result<(), Vec<Problem>> {
    let of_hosts = |need: &&Need| matches!(need, Need::Check { kind, .. } if kind == kind::READY);
    let found = found(session, plan.steps().filter_map(gate).flatten().filter(of_hosts).collect())?;
    if found.is_empty() { Ok(()) } else { Err(found) }
}

fn found(session: &Session<'_>, needs: Vec<&Need>) -> Result<Vec<Problem>, Vec<Problem>> {
    if needs.is_empty() {
        return Ok(vec![]);
    }
    let one = |problem| vec![problem];
    let hands = session.hands().map_err(one)?;
    let catalog = session.catalog(&hands);
    let world = session.world_to_look().map_err(one)?;
    let found: Vec<Vec<Problem>> = thread::scope(|scope| {
        let look = |need| {
            let (catalog, world) = (&catalog, &world);
            scope.spawn(move || look(session, catalog, world, need))
        };
        let looks: Vec<_> = needs.into_iter().map(look).collect();
        looks.into_iter().map(|look| look.join().unwrap_or_default()).collect()
    });
    Ok(found.into_iter().flatten().collect())
}

fn gate(step: &shipway_core::plan::Step) -> Option<&Vec<Need>> {
    match &step.work {
        Work::Gate(gate) => Some(&gate.needs),
        Work::Act { .. } => None,
    }
}

/// Tells whether looking at a need now says something of what would be when the plan is carried out.
fn looks(plan: &Plan, need: &Need) -> bool {
    let Need::Check { kind, args, .. } = need else { return false };
    let on_the_way = |environment: &str| {
        let prefix = format!("{environment}/");
        plan.steps().any(|step| step.id.as_str().starts_with(&prefix))
    };
    match kind.as_str() {
        kind::READY | kinds::WINDOW | kinds::INCIDENT => true,
        // What the same plan brings to the environment before is not there yet.
        kind::PROVEN => !args["environment"].as_str().is_some_and(on_the_way),
        _ => false,
    }
}

fn look(
    session: &Session<'_>,
    catalog: &shipway_world::catalog::RealCatalog,
    world: &dyn World,
    need: &Need,
) -> Vec<Problem> {
    let Need::Check { name, kind, args, timeout_ms, .. } = need else { return vec![] };
    let (run, step) = (RunId::new("00000000"), StepId::new(name.as_str()));
    let timeout = Duration::from_millis(*timeout_ms);
    let cx = Cx {
        run: &run,
        step: &step,
        attempt: 1,
        opened: world.now(),
        timeout,
        world,
        stop: &session.switches.look,
    };
    let looked = catalog
        .check(kind, args)
        .map_err(shipway_core::action::Fault::clean)
        .and_then(|check| check.look(&cx));
    match looked {
        Ok(findings) => findings
            .into_iter()
            .filter(|finding| finding.severity != Severity::Advice)
            .map(|finding| finding.problem)
            .collect(),
        Err(fault) => vec![fault.problem],
    }
}
