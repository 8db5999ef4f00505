//! `status`: where the runs stand, and what is live where.
//!
//! The truth about a host is on the host, so it is asked; but a few seconds later the answer is here, whoever is down.

use std::time::Duration;

use shipway_core::journal::{Event, Journal as _, Outcome, RunHead};
use shipway_core::planner::rollback;
use shipway_core::problem::Problem;
use shipway_world::lease::Lock;

use shipway_world::agent::protocol::Look;
use shipway_world::shell::now;

use super::{DONE, End, drill, env_status, resume};
use crate::args;
use crate::session::{Session, is_open, of_journal};
use crate::view::{HostRow, Moment, Row};

/// How many runs a list has at most.
const ROWS: usize = 20;

/// How long all hosts together may take.
const LIMIT: Duration = Duration::from_secs(3);

/// Shows the open run in full, else the last runs; and what is live where.
pub fn run(session: &Session<'_>, status: &args::Status) -> End {
    show(session, status).map_err(|problem| vec![problem])
}

fn show(session: &Session<'_>, status: &args::Status) -> Result<u8, Problem> {
    let journal = session.journal_to_read()?;
    let runs = journal.runs().map_err(of_journal)?;
    let hosts = hosts(session, status, &runs)?;
    let moment = Moment { now: now(), hosts: hosts.as_deref() };
    if let Some(head) = runs.iter().find(|head| is_open(head)) {
        let entries = journal.read(&head.run, None).map_err(of_journal)?;
        if let Ok(run) = resume::fold(session, &head.run) {
            session.view.run(&run, &entries, driven(session, head), &moment);
            return Ok(DONE);
        }
    }
    let withdrawn: Vec<String> = runs.iter().filter_map(withdraws).collect();
    let row = |head: RunHead| Row {
        driven: driven(session, &head),
        withdrawn: withdrawn.iter().any(|run| run == head.run.as_str()),
        head,
    };
    let rows: Vec<Row> = runs.into_iter().rev().take(ROWS).map(row).collect();
    session.view.status(&rows, &moment);
    drill::unfinished(session)?;
    Ok(DONE)
}

/// Asks all hosts, if there are any and they are to be asked. What hinders that does not hinder the rest.
fn hosts(
    session: &Session<'_>,
    status: &args::Status,
    heads: &[RunHead],
) -> Result<Option<Vec<HostRow>>, Problem> {
    let names: Vec<&String> = session.config.environment.keys().collect();
    if status.no_hosts || names.is_empty() {
        return Ok(None);
    }
    match env_status::hosts(session, &names) {
        Err(problems) => {
            session.view.warnings(&problems);
            Ok(None)
        }
        // What could be gone back to is proven where it matters, and costs a look at every file.
        Ok(hosts) => {
            let look = Look { drift: true, services: true, lenient: true, ..Look::default() };
            env_status::rows(session, hosts, heads, (look, LIMIT)).map(Some)
        }
    }
}

/// Returns the run that a run has withdrawn.
fn withdraws(head: &RunHead) -> Option<String> {
    let (Event::Opened { plan, .. }, Event::Closed { outcome: Outcome::Shipped }) =
        (&head.opened.event, &head.last.event)
    else {
        return None;
    };
    rollback::withdrawn(plan).map(str::to_owned)
}

/// Tells whether a living process, or a child that it left behind, drives a run.
pub fn driven(session: &Session<'_>, head: &RunHead) -> bool {
    let lock = Lock::look(&session.repository.state_dir()).ok().flatten();
    let holder = lock.filter(|held| !held.orphan).and_then(|held| held.holder);
    is_open(head) && holder.and_then(|holder| holder.run).as_ref() == Some(&head.run)
}
