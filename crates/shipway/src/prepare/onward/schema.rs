//! Releases that the database has left behind, and what is taken back before they run again.

use std::time::Duration;

use shipway_core::config::deploy as config;
use shipway_core::deployment::{Contract, Deployment, Host, Since, Stands, outgrown, to_undo};
use shipway_core::kinds::deploy as kind;
use shipway_core::planner::deploy::Migration;
use shipway_core::problem::Problem;
use shipway_world::agent::protocol::{Known, Standing, State};
use shipway_world::deploy::{Hands, stands};

use super::Place;
use crate::session::Session;

/// How long the undo of a migration may take that is not configured any more.
const UNDO: Duration = Duration::from_mins(10);

/// What stands between a release that was live and its being live again.
#[derive(Debug, Default)]
pub(super) struct Past {
    /// What is taken back before it.
    pub(super) undo: Vec<Migration>,
    /// The contracting migrations that are not its own.
    pub(super) foreign: Vec<String>,
}

/// Returns what a host knows of a version that was confirmed there.
pub(super) fn confirmed<'a>(state: &'a State, version: &str) -> Option<&'a Known> {
    let fits = |known: &&Known| known.standing == Standing::Confirmed && known.deployment.version == version;
    state.deployments.iter().rev().find(fits)
}

/// Returns what must be taken back before deployments that hosts know run there again, or why they cannot.
pub(super) fn past(
    (session, hands): (&Session<'_>, &Hands),
    place: &Place<'_>,
    known: &[(&State, &Known)],
    restored: bool,
) -> Result<Past, Problem> {
    let Some((_, first)) = known.first() else { return Ok(Past::default()) };
    let mut since: Vec<(Since<'_>, Stands)> = vec![];
    for (state, known) in known {
        for found in state.contracted_since(known) {
            if since.iter().all(|(other, _)| other.contract.name != found.contract.name) {
                let stands = seat(place, &found).map_or(Stands::Unknown, |(host, release)| {
                    stands(hands, (host, release), found.contract, &session.switches.look)
                });
                since.push((found, stands));
            }
        }
    }
    let undo = to_undo(&first.deployment, &since, restored)?;
    let undo = undo.iter().map(|since| {
        let seat = seat(place, since).ok_or_else(|| outgrown(&first.deployment, since))?;
        Ok(Migration { migrate: back(since, seat), backup: None, timeout: timeout(session, since.contract) })
    });
    let foreign = since.iter().map(|(since, _)| since.contract.name.clone()).collect();
    Ok(Past { undo: undo.collect::<Result<_, Problem>>()?, foreign })
}

/// Returns the host of a migration, and a release there that knows its commands: the one that made it, else the one
/// that is live.
fn seat<'a>(place: &'a Place<'_>, since: &Since<'a>) -> Option<(&'a Host, &'a Deployment)> {
    let (host, state) = place.hosts.iter().find(|(host, _)| host.name == since.contract.host)?;
    let brought = state.deployments.iter().find(|known| known.deployment.run == since.by.run && !known.swept);
    brought.or_else(|| state.live()).map(|known| (host, &known.deployment))
}

fn back(since: &Since<'_>, (host, release): (&Host, &Deployment)) -> kind::Migrate {
    kind::Migrate {
        host: host.clone(),
        name: format!("undo-{}", since.contract.name),
        deployment: release.clone(),
        run: since.contract.undo.clone(),
        done: vec![],
        undo: since.contract.run.clone(),
    }
}

/// Returns a contracting migration as the hosts keep it.
pub(super) fn contract(migration: &config::Migration, host: &Host) -> Contract {
    Contract {
        name: migration.name.clone(),
        host: host.name.clone(),
        run: migration.run.clone(),
        done: migration.done.clone(),
        undo: migration.undo.clone(),
        backup: migration.backup.clone(),
    }
}

fn timeout(session: &Session<'_>, contract: &Contract) -> Duration {
    let configured = session.config.migration.iter().find(|known| known.name == contract.name);
    configured.map_or(UNDO, |migration| migration.timeout)
}
