//! `resume`: going on with a run that was interrupted or stuck.

use shipway_core::drive;
use shipway_core::id::RunId;
use shipway_core::journal::{Event, Journal as _};
use shipway_core::planner::drill::BACK;
use shipway_core::problem::{Code, Problem};
use shipway_core::run::Run;

use super::carry::{self, Load};
use super::{DONE, End, drill};
use crate::session::{Session, is_open, of_journal};

/// Goes on with a run.
pub fn run(session: &Session<'_>, prefix: Option<&str>) -> End {
    let one = |problem| vec![problem];
    let lock = session.lock(None).map_err(one)?;
    let run = match open_run(session, prefix) {
        Ok(run) => run,
        Err(problem) => {
            drop(lock);
            // Between its two halves a drill has no run that is open.
            return drill::finish(session, prefix)?.ok_or_else(|| one(problem));
        }
    };
    let practised = run.plan.release.why == BACK;
    // Only a stuck run waits for a person to look; another one goes on where it was.
    let events = if run.stuck.is_some() { vec![Event::Resumed {}] } else { vec![] };
    let code = carry::out(session, lock, Load::Run(run.id.clone(), events))?;
    if practised && code == DONE {
        return Ok(drill::finish(session, Some(run.id.as_str()))?.unwrap_or(code));
    }
    Ok(code)
}

/// Returns the run that is not closed: the one that is named, else the last one.
pub fn open_run(session: &Session<'_>, prefix: Option<&str>) -> Result<Run, Problem> {
    let journal = session.journal_to_read()?;
    let id = if let Some(prefix) = prefix {
        Session::find_run(&journal, prefix)?.run
    } else {
        let runs = journal.runs().map_err(of_journal)?;
        let open = runs.iter().rev().find(|head| is_open(head)).map(|head| head.run.clone());
        open.ok_or_else(|| {
            Problem::new(Code::NothingToResume, "no run is open").hint("begin one: shipway push")
        })?
    };
    drop(journal);
    let run = fold(session, &id)?;
    if run.outcome.is_none() {
        return Ok(run);
    }
    let problem = Problem::new(Code::NothingToResume, format!("run {id} has ended"));
    Err(problem.hint(format!("see how: shipway log {id}")))
}

/// Returns a run as its entries tell, with the signatures in it as they are found now.
pub fn fold(session: &Session<'_>, id: &RunId) -> Result<Run, Problem> {
    let mut entries = session.journal_to_read()?.read(id, None).map_err(of_journal)?;
    if entries.iter().any(|entry| matches!(entry.event, Event::Approved { signed: Some(_), .. })) {
        entries = drive::vouched(&session.catalog(&session.hands()?), entries);
    }
    Run::fold(&entries).map_err(|error| {
        Problem::new(Code::JournalCorrupt, error.to_string())
            .hint("see which entries still prove: shipway log --verify")
    })
}
