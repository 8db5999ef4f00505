//! `status`: where the runs stand.

use shipway_core::journal::{Event, Journal as _, Outcome, RunHead};
use shipway_core::planner::rollback;
use shipway_core::problem::Problem;
use shipway_core::run::Run;
use shipway_world::lease::Lock;

use super::{DONE, End};
use crate::session::{Session, is_open, of_journal};
use crate::view::Row;
use shipway_world::shell::now;

/// How many runs a list has at most.
const ROWS: usize = 20;

/// Shows the open run in full, else the last runs.
pub fn run(session: &Session<'_>) -> End {
    show(session).map_err(|problem| vec![problem])
}

fn show(session: &Session<'_>) -> Result<u8, Problem> {
    let journal = session.journal_to_read()?;
    let runs = journal.runs().map_err(of_journal)?;
    if let Some(head) = runs.iter().find(|head| is_open(head)) {
        let entries = journal.read(&head.run, None).map_err(of_journal)?;
        if let Ok(run) = Run::fold(&entries) {
            session.view.run(&run, &entries, driven(session, head), now());
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
    session.view.status(&rows, now());
    if !session.config.environment.is_empty() {
        session.view.note("what is live where: shipway env status");
    }
    Ok(DONE)
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
