//! `env status`: which release is live where, since when, by whom, and whether it is still what was brought.
//!
//! `status` shows the same for all environments, with less patience.

use std::sync::mpsc::{RecvTimeoutError, channel};
use std::thread;
use std::time::{Duration, Instant};

use shipway_core::action::{Stop, Urgency};
use shipway_core::deployment::Host;
use shipway_core::id::Actor;
use shipway_core::journal::{Event, Journal as _, Outcome, RunHead};
use shipway_core::kinds::deploy::{Bring, SWITCH};
use shipway_core::plan::{Plan, Step, Work};
use shipway_core::problem::{Code, Problem};
use shipway_world::agent::protocol::{Look, State};
use shipway_world::shell::now;

use super::{DONE, End, drill};
use crate::args;
use crate::prepare::{glance_with_files, onward};
use crate::session::{Session, of_journal};
use crate::view::{HostRow, Kind};

/// How often the switch is looked at while hosts are waited for.
const TICK: Duration = Duration::from_millis(50);
/// After which time a reader is told for whom it is waited.
const QUIET: Duration = Duration::from_secs(1);
/// How long `env status` waits: about as long as a look may take anyway.
const PATIENT: Duration = Duration::from_mins(3);

/// Looks at the hosts of one environment, or of all.
pub fn run(session: &Session<'_>, status: &args::EnvStatus) -> End {
    let names: Vec<&String> = match &status.environment {
        Some(name) => vec![name],
        None => session.config.environment.keys().collect(),
    };
    let mut hosts = hosts(session, &names)?;
    if let Some(wanted) = &status.host {
        named(wanted, &mut hosts).map_err(one)?;
    }
    let heads =
        session.journal_to_read().and_then(|journal| journal.runs().map_err(of_journal)).map_err(one)?;
    let look = Look { drift: true, way_back: true, services: true, share: true, lenient: true };
    let lost = if status.host.is_none() { gone(&heads, &names, &hosts) } else { vec![] };
    let mut rows = rows(session, hosts, &heads, (look, PATIENT)).map_err(one)?;
    let (project, home) = (glance_with_files(session)?.name(), session.home());
    for row in &mut rows {
        let taken = |state: &State| state.taken(&project, &row.environment, home.as_deref());
        if let Some(problem) = row.seen.as_ref().ok().and_then(taken) {
            row.seen = Err(problem);
        }
    }
    rows.extend(lost);
    session.view.hosts(&rows, now());
    drill::unfinished(session).map_err(one)?;
    let wrong = rows.iter().any(|row| row.kind() == Kind::Wrong);
    Ok(if wrong { 1 } else { DONE })
}

/// How many of the last releases of an environment are asked which hosts it had.
const RECENT: usize = 10;

/// Returns the hosts that environments had lately, by the journal here, and that are not configured any more.
fn gone(heads: &[RunHead], names: &[&String], hosts: &[(String, Host)]) -> Vec<HostRow> {
    let mut rows: Vec<HostRow> = vec![];
    for name in names {
        let shipped = heads.iter().rev().filter_map(shipped);
        let brought = shipped.map(|(head, plan)| (head, brought(plan, name)));
        for (head, brought) in brought.filter(|(_, brought)| !brought.is_empty()).take(RECENT) {
            for bring in brought {
                let is = |environment: &str, host: &Host| {
                    environment == *name
                        && (&host.address, &host.path) == (&bring.host.address, &bring.host.path)
                };
                let known = hosts.iter().any(|(environment, host)| is(environment, host))
                    || rows.iter().any(|row| is(&row.environment, &row.host));
                if !known {
                    rows.push(row_of_gone(name, head, bring));
                }
            }
        }
    }
    rows
}

fn shipped(head: &RunHead) -> Option<(&RunHead, &Plan)> {
    match (&head.opened.event, &head.last.event) {
        (Event::Opened { plan, .. }, Event::Closed { outcome: Outcome::Shipped }) => Some((head, plan)),
        _ => None,
    }
}

/// Returns what a plan makes live in an environment.
fn brought(plan: &Plan, environment: &str) -> Vec<Bring> {
    let of = |step: &Step| match &step.work {
        Work::Act { kind, args, .. } if kind == SWITCH => serde_json::from_value::<Bring>(args.clone()).ok(),
        Work::Act { .. } | Work::Gate(_) => None,
    };
    plan.steps().filter_map(of).filter(|bring| bring.deployment.environment == environment).collect()
}

fn row_of_gone(environment: &str, head: &RunHead, bring: Bring) -> HostRow {
    let Bring { host, deployment, .. } = bring;
    let what = format!(
        "it is not configured any more, and what run {} brought, {}, may run there still",
        head.run, deployment.version
    );
    let problem = Problem::new(Code::EnvironmentUnknown, what).at(&host.name).hint(format!(
        "stop it on the host, where it is in {}, or name the host again: [environment.{environment}] hosts",
        host.path
    ));
    let by = Some(head.opened.by.clone());
    HostRow { environment: environment.to_owned(), host, seen: Err(problem), by, gone: true }
}

/// Keeps only the hosts of a name, of which there must be one.
fn named(wanted: &str, hosts: &mut Vec<(String, Host)>) -> Result<(), Problem> {
    let known: Vec<String> = hosts.iter().map(|(_, host)| host.name.clone()).collect();
    hosts.retain(|(_, host)| host.name == wanted);
    if hosts.is_empty() {
        let problem = Problem::new(Code::Usage, format!("there is no host `{wanted}`"));
        return Err(problem.wanted(known.join(", ")));
    }
    Ok(())
}

fn one(problem: Problem) -> Vec<Problem> {
    vec![problem]
}

/// Returns the hosts of some environments, each with the name of its environment.
pub(super) fn hosts(session: &Session<'_>, names: &[&String]) -> Result<Vec<(String, Host)>, Vec<Problem>> {
    let project = glance_with_files(session)?.name();
    let mut hosts = vec![];
    for name in names {
        let (name, environment) = onward::environment(session, name).map_err(one)?;
        hosts.extend(environment.hosts(&project, name).into_iter().map(|host| (name.to_owned(), host)));
    }
    Ok(hosts)
}

/// Looks at hosts, at all at once; one that has not answered after the limit is a row that says so.
pub(super) fn rows(
    session: &Session<'_>,
    hosts: Vec<(String, Host)>,
    heads: &[RunHead],
    (look, limit): (Look, Duration),
) -> Result<Vec<HostRow>, Problem> {
    let fleet = session.hands()?.fleet;
    let stop = Stop::default();
    let (tell, told) = channel();
    for (at, (_, host)) in hosts.iter().enumerate() {
        let (fleet, stop, tell, host) = (fleet.clone(), stop.clone(), tell.clone(), host.clone());
        // Nobody waits for the end of one that takes too long.
        thread::spawn(move || {
            let seen = fleet.look_within(&host, look, limit, &stop).map_err(|fault| fault.problem);
            let _ = tell.send((at, seen));
        });
    }
    drop(tell);
    let mut seen: Vec<Option<Result<State, Problem>>> = hosts.iter().map(|_| None).collect();
    let begun = Instant::now();
    let mut quiet = true;
    while begun.elapsed() < limit {
        if session.switches.look.urgency() > Urgency::None {
            return Err(Problem::new(Code::Stopped, "a stop was asked for while hosts were asked"));
        }
        match told.recv_timeout(TICK) {
            Ok((at, answer)) => seen[at] = Some(answer),
            Err(RecvTimeoutError::Disconnected) => break,
            Err(RecvTimeoutError::Timeout) => {}
        }
        if quiet && begun.elapsed() > QUIET {
            quiet = false;
            let missing = hosts.iter().zip(&seen).filter(|(_, seen)| seen.is_none());
            let missing: Vec<&str> = missing.map(|((_, host), _)| host.name.as_str()).collect();
            session.view.note(&format!("waiting for {}", missing.join(", ")));
        }
    }
    // Twice means now: what still starts is ended.
    stop.ask();
    stop.ask();
    fleet.disconnect();
    let row = |((environment, host), seen): ((String, Host), Option<Result<State, Problem>>)| {
        let seen = seen.unwrap_or_else(|| Err(silent(&environment, &host, limit)));
        let by = seen.as_ref().ok().and_then(|state| by(state, heads));
        HostRow { environment, host, seen, by, gone: false }
    };
    Ok(hosts.into_iter().zip(seen).map(row).collect())
}

/// Returns who brought what is live: as the journal here has it, else as the host has written it down.
fn by(state: &State, heads: &[RunHead]) -> Option<Actor> {
    let live = state.current.as_ref()?;
    let here = heads.iter().find(|head| head.run == *live).map(|head| head.opened.by.clone());
    let there = || state.live().filter(|known| !known.by.is_empty()).map(|known| Actor::signed(&known.by));
    here.or_else(there)
}

fn silent(environment: &str, host: &Host, limit: Duration) -> Problem {
    let what = format!("no answer within {} s", limit.as_secs());
    let hint = format!("shipway env status {environment} --host {}", host.name);
    Problem::new(Code::HostUnreachable, what).at(&host.name).hint(format!("ask without a limit: {hint}"))
}
