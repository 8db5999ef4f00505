//! Carrying out: the one place where a command becomes a run, and a run is driven.

use std::sync::Arc;

use shipway_core::action::Urgency;
use shipway_core::drive::{self, Engine, Halt, Held};
use shipway_core::id::RunId;
use shipway_core::journal::{Entry, Event, Journal as _, Outcome};
use shipway_core::plan::{Plan, Verb};
use shipway_core::problem::{Code, Kind, Problem};
use shipway_core::run::Run;
use shipway_world::git::checkpoint;
use shipway_world::lease::Lock;
use shipway_world::shell;
use shipway_world::store::{Sealer, SqliteJournal};

use super::{DONE, End};
use crate::session::{Session, of_journal};

/// What is carried out.
pub enum Load {
    /// A new plan.
    Plan(Box<Plan>),
    /// A run that is not closed, after writing down why it is taken up.
    Run(RunId, Vec<Event>),
}

/// Carries out a plan or a run to its end, and tells how it went.
pub fn out(session: &Session<'_>, lock: Lock, load: Load) -> End {
    let carried = once(session, lock, load).and_then(|(halt, run)| {
        report(session, &run)?;
        Ok(exit_code(&halt, &run))
    });
    carried.map_err(|problem| vec![problem])
}

/// Carries out a plan or a run until it ends, waits or stops, and says nothing of how it went.
pub fn once(session: &Session<'_>, lock: Lock, load: Load) -> Result<(Halt, Run), Problem> {
    let id = match &load {
        Load::Plan(plan) => Session::new_run(&plan.digest()),
        Load::Run(id, _) => id.clone(),
    };
    hear(session);
    unasked(session, &load)?;
    with_engine(session, lock, &id, |engine| {
        let mut held = begin(session, engine, &id, load)?;
        Ok((engine.drive(&mut held)?, held.run))
    })
}

/// Tells how a run went, or where it stopped.
pub fn report(session: &Session<'_>, run: &Run) -> Result<(), Problem> {
    session.view.summary(run, &session.journal_to_read()?.read(&run.id, None).map_err(of_journal)?);
    Ok(())
}

/// Writes down one event of a run, and carries nothing out.
pub fn note(session: &Session<'_>, lock: Lock, id: &RunId, event: Event) -> Result<Run, Problem> {
    with_engine(session, lock, id, |engine| {
        let mut held = engine.take(id)?;
        engine.note(&mut held, event)?;
        Ok(held.run)
    })
}

fn with_engine<T>(
    session: &Session<'_>,
    mut lock: Lock,
    id: &RunId,
    work: impl FnOnce(&Engine<'_>) -> Result<T, drive::Error>,
) -> Result<T, Problem> {
    let journal = session.journal()?;
    lock.set_run(id)?;
    let world = session.world(&Arc::new(lock))?;
    let catalog = session.catalog(&session.hands()?);
    let (actor, view) = (session.actor(), Arc::clone(&session.view));
    let watch = move |run: &Run, entry: &Entry| view.entry(run, entry);
    let stop = &session.switches.run;
    let engine =
        Engine { journal: &journal, catalog: &catalog, world: &world, stop, actor: &actor, watch: &watch };
    let done = work(&engine);
    seal(session, &journal);
    session.view.warnings(&world.logs().troubles());
    done.map_err(|error| of_engine(error, id))
}

/// Signs a checkpoint of the journal, and keeps it beside the journal and on the remote that anchors it; what that could
/// not be done for is said, and fails nothing.
fn seal(session: &Session<'_>, journal: &SqliteJournal) {
    let sealed = journal.root().map_err(|error| error.to_string()).and_then(|(size, root)| {
        let sealer = Sealer::open(&session.state()).map_err(|error| error.to_string())?;
        let seal = sealer.seal(size, root, shell::now());
        sealer.keep(&seal).map(|()| seal).map_err(|error| error.to_string())
    });
    let brought = match (sealed, &session.config.journal.anchor) {
        (Err(error), _) => {
            return session.view.note(&format!("no checkpoint of the journal was made: {error}"));
        }
        (Ok(seal), Some(remote)) => checkpoint::bring(&session.records(), &session.repository, remote, &seal),
        (Ok(_), None) => Ok(()),
    };
    session.view.warnings(&brought.err().into_iter().collect::<Vec<Problem>>());
}

/// Says what a signal does from here on, when it comes.
fn hear(session: &Session<'_>) {
    let view = Arc::clone(&session.view);
    session.switches.drive(move |urgency| {
        view.note(match urgency {
            Urgency::None | Urgency::Soon => {
                "asked to stop: the step in hand is finished first; ask again to stop at once"
            }
            Urgency::Now => "asked again: stopping at once",
        });
    });
}

/// Refuses to open a run when a signal came before.
fn unasked(session: &Session<'_>, load: &Load) -> Result<(), Problem> {
    match (load, session.switches.run.urgency()) {
        (Load::Run(..), _) | (Load::Plan(_), Urgency::None) => Ok(()),
        (Load::Plan(_), Urgency::Soon | Urgency::Now) => {
            Err(Problem::new(Code::Stopped, "stopped before anything was begun"))
        }
    }
}

fn begin(session: &Session<'_>, engine: &Engine<'_>, id: &RunId, load: Load) -> Result<Held, drive::Error> {
    match load {
        Load::Plan(plan) => engine.open(id, *plan),
        Load::Run(_, events) => {
            let mut held = engine.take(id)?;
            session.view.resume(&held.run);
            for event in events {
                engine.note(&mut held, event)?;
            }
            Ok(held)
        }
    }
}

/// Returns how a command ends that has carried out a run.
pub fn exit_code(halt: &Halt, run: &Run) -> u8 {
    // A run that goes back because a person asked for it has done what was asked.
    let asked = run.back.as_ref().is_some_and(|problem| problem.code == Code::RolledBack);
    let kind = match halt {
        Halt::Closed(Outcome::Shipped) => return DONE,
        Halt::Closed(Outcome::RolledBack | Outcome::Refused) if asked => return DONE,
        Halt::Closed(Outcome::RolledBack) => Kind::RolledBack,
        Halt::Closed(Outcome::Refused) => Kind::Refused,
        Halt::Stuck(..) => Kind::Stuck,
        Halt::Stopped | Halt::Waiting(..) => Kind::Waiting,
    };
    kind.exit_code()
}

/// Returns what a user is told when a run cannot be driven on.
fn of_engine(error: drive::Error, run: &RunId) -> Problem {
    let problem = match error {
        drive::Error::Journal(error) => of_journal(error),
        drive::Error::Corrupt(error) => Problem::new(Code::JournalCorrupt, error.to_string()),
        drive::Error::Plan(problem) => problem,
    };
    problem.at(format!("run {run}")).hint(format!("what was done is known; go on: shipway resume {run}"))
}

/// Returns the problem that a run goes back with when a person asked for it.
pub fn asked_for(verb: Verb) -> Problem {
    let what = match verb {
        Verb::Push => "the release was taken back on request",
        Verb::Deploy => "the deployment was taken back on request",
        Verb::Rollback | Verb::Land | Verb::Unknown => "the run was taken back on request",
    };
    Problem::new(Code::RolledBack, what)
}
