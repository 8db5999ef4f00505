//! `log`: what a run did, what its steps printed, and whether the journal proves.

mod verify;

use serde_json::json;
use shipway_core::action::{LogKey, LogSeal};
use shipway_core::id::{RunId, StepId};
use shipway_core::journal::{Entry, Event, Journal};
use shipway_core::problem::{Code, Problem};

use super::status::driven;
use super::{DONE, End};
use crate::args::Log;
use crate::session::{Session, of_journal};
use crate::view::Document;

/// Shows the log of a run or of one of its steps, or proves the journal.
pub fn run(session: &Session<'_>, log: &Log) -> End {
    let journal = session.journal_to_read().map_err(|problem| vec![problem])?;
    if log.verify {
        return verify::run(session, &journal, log.remote.as_deref());
    }
    show(session, &journal, log).map_err(|problem| vec![problem])
}

fn show(session: &Session<'_>, journal: &dyn Journal, log: &Log) -> Result<u8, Problem> {
    let head = match &log.run {
        Some(prefix) => Session::find_run(journal, prefix)?,
        None => journal.runs().map_err(of_journal)?.pop().ok_or_else(|| {
            Problem::new(Code::RunUnknown, "there are no runs yet")
                .hint("see what a release would do: shipway plan")
        })?,
    };
    let entries = journal.read(&head.run, None).map_err(of_journal)?;
    if let Some(step) = &log.step {
        return step_log(session, &head.run, step, &entries);
    }
    session.view.log(&entries, driven(session, &head)).map_err(|error| {
        Problem::new(Code::JournalCorrupt, error.to_string())
            .hint("see which entries still prove: shipway log --verify")
    })?;
    Ok(DONE)
}

/// Returns the log that an entry seals.
fn sealed(entry: &Entry) -> Option<(LogKey, &LogSeal)> {
    let (step, attempt, log) = match &entry.event {
        Event::Checked { step, evidence, log } => (StepId::new(format!("{step}/{}", evidence.need)), 1, log),
        Event::Finished { step, log, .. } | Event::Faulted { step, log, .. } => {
            (step.clone(), entry.attempt, log)
        }
        Event::Opened { .. }
        | Event::Started { .. }
        | Event::Probed { .. }
        | Event::Unseen { .. }
        | Event::TurnedBack { .. }
        | Event::UndoStarted { .. }
        | Event::Undone { .. }
        | Event::UndoFaulted { .. }
        | Event::Approved { .. }
        | Event::Stuck { .. }
        | Event::Resumed {}
        | Event::Closed { .. }
        | Event::Unknown => return None,
    };
    Some((LogKey { run: entry.run.clone(), step, attempt }, log.as_ref()?))
}

fn step_log(session: &Session<'_>, run: &RunId, step: &str, entries: &[Entry]) -> Result<u8, Problem> {
    let (mut text, mut chunks) = (String::new(), vec![]);
    let attempts = entries.iter().map(|entry| entry.attempt).max().unwrap_or_default().max(1);
    for attempt in 1..=attempts {
        let key = LogKey { run: run.clone(), step: StepId::new(step), attempt };
        for chunk in session.logs().read(&key).unwrap_or_default() {
            text.push_str(&chunk.text);
            chunks.push(json!({ "attempt": attempt, "n": chunk.n, "text": chunk.text }));
        }
    }
    if chunks.is_empty() {
        let mut known: Vec<String> =
            entries.iter().filter_map(sealed).map(|(key, _)| key.step.to_string()).collect();
        known.dedup();
        let known =
            if known.is_empty() { "none of its steps printed anything".into() } else { known.join(", ") };
        let problem = Problem::new(Code::RunUnknown, format!("step {step} of run {run} printed nothing"));
        return Err(problem.found(known).hint(format!("shipway log {run}")));
    }
    session.view.answer(
        Document::Output,
        &json!({ "run": run, "step": step, "chunks": chunks }),
        text.trim_end(),
    );
    Ok(DONE)
}
