//! `env status`: which release is live where, since when, by whom, and whether it is still what was brought.

use std::thread;

use shipway_core::deployment::Host;
use shipway_core::journal::Journal as _;
use shipway_core::problem::Problem;
use shipway_world::agent::protocol::{Look, State};
use shipway_world::shell::now;

use super::{DONE, End};
use crate::args;
use crate::prepare::{glance, onward};
use crate::session::{Session, of_journal};
use crate::view::{HostRow, Kind};

/// Looks at the hosts of one environment, or of all.
pub fn run(session: &Session<'_>, status: &args::EnvStatus) -> End {
    let one = |problem: Problem| vec![problem];
    let names: Vec<&String> = match &status.environment {
        Some(name) => vec![name],
        None => session.config.environment.keys().collect(),
    };
    let project = glance(session)?.name();
    let hands = session.hands().map_err(one)?;
    let heads = session.journal_to_read().map_err(one)?.runs().map_err(of_journal).map_err(one)?;
    let mut rows = vec![];
    for name in names {
        let (name, environment) = onward::environment(session, name).map_err(one)?;
        let mut hosts = environment.hosts(&project, name);
        hosts.retain(|host| status.host.as_ref().is_none_or(|wanted| *wanted == host.name));
        let look = Look { drift: true, way_back: true, services: true };
        let stop = &session.switches.look;
        let seen: Vec<(Host, Result<State, Problem>)> = thread::scope(|scope| {
            let look = |host: Host| {
                let hands = &hands;
                scope.spawn(move || {
                    let seen = hands.fleet.look_at(&host, look, stop).map_err(|fault| fault.problem);
                    (host, seen)
                })
            };
            let looks: Vec<_> = hosts.into_iter().map(look).collect();
            looks.into_iter().filter_map(|look| look.join().ok()).collect()
        });
        rows.extend(seen.into_iter().map(|(host, seen)| {
            let live = seen.as_ref().ok().and_then(|state| state.current.as_ref());
            let head = live.and_then(|run| heads.iter().find(|head| head.run == *run));
            HostRow { environment: name.to_owned(), host, seen, by: head.map(|head| head.opened.by.clone()) }
        }));
    }
    session.view.hosts(&rows, now());
    let wrong = rows.iter().any(|row| row.kind() == Kind::Wrong);
    Ok(if wrong { 1 } else { DONE })
}
