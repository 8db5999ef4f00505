//! `wait`: following a run that waits at a gate, and going on with it when the gate opens.

use std::fs;
use std::thread::sleep;
use std::time::{Duration, Instant, SystemTime};

use shipway_core::action::Urgency;
use shipway_core::drive::Halt;
use shipway_core::gate;
use shipway_core::id::RunId;
use shipway_core::journal::Journal as _;
use shipway_core::plan::Work;
use shipway_core::problem::{Code, Kind, Problem};
use shipway_core::run::Run;
use shipway_core::time::Time;
use shipway_world::incident::Incidents;
use shipway_world::shell::now;

use super::carry::{self, Load};
use super::{End, resume};
use crate::session::{Session, of_journal};

/// How soon a signal is seen.
const TICK: Duration = Duration::from_millis(100);
/// How often it is seen whether somebody has done something.
const POLL: Duration = Duration::from_secs(1);
/// How often a gate that opens at an unknown time is looked at anyway; each look is an entry in the journal.
const LOOK: Duration = Duration::from_mins(5);

/// Drives a run until it ends, and while it waits lets go of it.
pub fn run(session: &Session<'_>, prefix: Option<&str>) -> End {
    follow(session, prefix).map_err(|problem| vec![problem])
}

fn follow(session: &Session<'_>, prefix: Option<&str>) -> Result<u8, Problem> {
    let id = resume::open_run(session, prefix)?.id;
    let mut told = Told::default();
    loop {
        let Some((halt, run)) = drive(session, &id, &mut told)? else {
            if !pause(session, POLL) {
                return Ok(left(session, &id));
            }
            continue;
        };
        let Halt::Waiting(_, _, until) = &halt else {
            carry::report(session, &run)?;
            return Ok(carry::exit_code(&halt, &run));
        };
        if !told.waiting {
            carry::report(session, &run)?;
            session
                .view
                .note("waiting; it goes on by itself when the gate opens, and Ctrl-C leaves it waiting");
            told.waiting = true;
        }
        if !rest(session, &run, *until)? {
            return Ok(left(session, &id));
        }
    }
}

/// What was said already.
#[derive(Default)]
struct Told {
    waiting: bool,
    held: bool,
}

/// Drives the run once, unless another process does.
fn drive(session: &Session<'_>, id: &RunId, told: &mut Told) -> Result<Option<(Halt, Run)>, Problem> {
    match session.lock(Some(id)) {
        Ok(lock) => carry::once(session, lock, Load::Run(id.clone(), vec![])).map(Some),
        Err(held) if held.code == Code::LeaseHeld => {
            if !told.held {
                session.view.note(&format!("waiting for another process: {}", held.what));
                told.held = true;
            }
            Ok(None)
        }
        Err(problem) => Err(problem),
    }
}

/// Rests until another look makes sense: the time has come, or somebody has done something. Tells whether to go on.
fn rest(session: &Session<'_>, run: &Run, until: Option<Time>) -> Result<bool, Problem> {
    let incidents = stamp(session);
    let (begun, over) = (Instant::now(), |until: Time| now() >= until);
    // A time that had come already, as when the clock was set back, says nothing of when to look.
    let until = until.filter(|until| !over(*until));
    let by_itself = until.is_none() && has_waiting_checks(run);
    loop {
        if !pause(session, POLL) {
            return Ok(false);
        }
        let entries = session.journal_to_read()?.read(&run.id, Some(run.head)).map_err(of_journal)?;
        let come = until.is_some_and(over) || (by_itself && begun.elapsed() >= LOOK);
        if come || !entries.is_empty() || incidents != stamp(session) {
            return Ok(true);
        }
    }
}

/// Tells whether a gate waits for more than people.
fn has_waiting_checks(run: &Run) -> bool {
    let gates = run.plan.steps().filter_map(|step| match &step.work {
        Work::Gate(gate) => Some((gate, run.seen(&step.id))),
        Work::Act { .. } => None,
    });
    gates.flat_map(|(gate, seen)| gate::waiting(gate, seen)).next().is_some()
}

/// Returns what tells whether an incident was opened or closed.
fn stamp(session: &Session<'_>) -> Option<(SystemTime, u64)> {
    let found = fs::metadata(Incidents::new(&session.repository.state_dir()).path()).ok()?;
    Some((found.modified().ok()?, found.len()))
}

/// Rests for a while, and tells whether nobody has asked to stop.
fn pause(session: &Session<'_>, span: Duration) -> bool {
    let begun = Instant::now();
    while session.switches.run.urgency() == Urgency::None {
        if begun.elapsed() >= span {
            return true;
        }
        sleep(TICK);
    }
    false
}

fn left(session: &Session<'_>, id: &RunId) -> u8 {
    session.view.note(&format!("run {id} is left as it is; follow it again: shipway wait {id}"));
    Kind::Waiting.exit_code()
}
