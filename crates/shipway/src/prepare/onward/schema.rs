//! Releases that the database has left behind, and what is taken back before they run again.

use std::time::Duration;

use shipway_core::config::{Phase, deploy as config};
use shipway_core::deployment::{Contract, Deployment, Host, Since, Stands, fill, to_undo};
use shipway_core::kinds::deploy as kind;
use shipway_core::planner::deploy::Migration;
use shipway_core::problem::{Code, Problem};
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
    (restored, again): (bool, &str),
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
    let undo = to_undo(&first.deployment, &since, (restored, again))?;
    let undo = undo.iter().map(|since| {
        let seat = seat(place, since).ok_or_else(|| gone(since))?;
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

fn gone(since: &Since<'_>) -> Problem {
    let Since { by, contract, .. } = since;
    let what = format!("migration {} of release {} cannot be taken back", contract.name, by.version);
    Problem::new(Code::SchemaContracted, what)
        .found(format!("host {}, on which it ran, is not in {} any more", contract.host, by.environment))
        .wanted("its host, or a database that was restored to what it was before")
        .hint(format!("name {} in `hosts` of [environment.{}] again", contract.host, by.environment))
}

fn back(since: &Since<'_>, (host, release): (&Host, &Deployment)) -> kind::Migrate {
    // The step has a name of its own, but its commands know the migration by the one that is configured.
    let named =
        |argv: &[String]| argv.iter().map(|word| fill(word, &[("name", &since.contract.name)])).collect();
    kind::Migrate {
        host: host.clone(),
        name: format!("undo-{}", since.contract.name),
        deployment: release.clone(),
        run: named(&since.contract.undo),
        done: vec![],
        undo: named(&since.contract.run),
        outgrows: vec![],
        stays: false,
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

/// Returns the releases that are live now, and that do not fit the schema after a migration that cannot be undone.
pub(super) fn outgrows(place: &Place<'_>, migration: &config::Migration) -> Vec<String> {
    let mut versions: Vec<String> = vec![];
    if migration.phase == Phase::Expand || !migration.undo.is_empty() {
        return versions;
    }
    for known in place.hosts.iter().filter_map(|(_, state)| state.live()) {
        let fits = known.deployment.schema.as_ref().is_some_and(|schema| schema.contracts(&migration.name));
        if !fits && !versions.contains(&known.deployment.version) {
            versions.push(known.deployment.version.clone());
        }
    }
    versions
}

/// Tells whether a release that could be gone back to has made a migration, and needs it: by what hosts know of the
/// releases that they were brought, and for what only adds also by what the migration tells.
pub(super) fn stays(
    (session, hands): (&Session<'_>, &Hands),
    place: &Place<'_>,
    (host, migration): (&Host, &config::Migration),
) -> bool {
    let states = || place.hosts.iter().map(|(_, state)| state);
    match migration.phase {
        Phase::Expand => {
            let known = states().flat_map(|state| &state.deployments);
            let confirmed = known.filter(|known| known.standing == Standing::Confirmed);
            let mut schemas = confirmed.filter_map(|known| known.deployment.schema.as_ref());
            schemas.any(|schema| schema.expands.contains(&migration.name)) || {
                let there = place.hosts.iter().find(|(other, _)| other.name == host.name);
                there.and_then(|(_, state)| state.live()).is_some_and(|live| {
                    let contract = contract(migration, host);
                    stands(hands, (host, &live.deployment), &contract, &session.switches.look) == Stands::Yes
                })
            }
        }
        // What was taken back is in the records of older releases still, so only what is live counts.
        Phase::Contract => {
            let mut live = states().filter_map(State::live).peekable();
            let made = |known: &Known| {
                known.deployment.schema.as_ref().is_some_and(|schema| schema.contracts(&migration.name))
            };
            live.peek().is_some() && live.all(made)
        }
    }
}

fn timeout(session: &Session<'_>, contract: &Contract) -> Duration {
    let configured = session.config.migration.iter().find(|known| known.name == contract.name);
    configured.map_or(UNDO, |migration| migration.timeout)
}
