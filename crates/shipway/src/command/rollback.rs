//! `rollback`: taking a run back.

use shipway_core::action::Catalog;
use shipway_core::journal::{Event, Journal as _, Outcome};
use shipway_core::kinds;
use shipway_core::plan::{Plan, Verb, Work};
use shipway_core::planner::rollback::{self, withdraws};
use shipway_core::problem::{Code, Problem};
use shipway_core::run::Run;
use shipway_world::shell::now;

use super::carry::{self, Load, asked_for};
use super::{DONE, End, deploy, resume};
use crate::args::Rollback;
use crate::prepare::guarded;
use crate::session::{Session, of_journal};
use crate::view::Moment;

/// Takes back the run that is named, else the open one, else the last release.
pub fn run(session: &Session<'_>, rollback: &Rollback) -> End {
    if let Some(name) = rollback.run.as_deref().filter(|name| session.config.environment.contains_key(*name))
    {
        return deploy::back(session, name, rollback);
    }
    let to = rollback.to.as_ref().map(|to| format!("--to {to}"));
    if let Some(flag) = to.or_else(|| rollback.restored.then(|| "--restored".to_owned())) {
        let problem = Problem::new(Code::Usage, format!("`{flag}` goes with an environment"));
        return Err(vec![problem.hint(format!("shipway rollback ENVIRONMENT {flag}"))]);
    }
    if rollback.plan {
        return show(session, rollback);
    }
    let run = choose(session, rollback.run.as_deref()).map_err(|problem| vec![problem])?;
    if run.outcome.is_some() {
        // What came last is taken back first.
        for environment in environments(&run.plan).iter().rev() {
            let code = deploy::leave(session, environment, &run.id)?;
            if code != DONE {
                return Ok(code);
            }
        }
        if run.plan.release.verb == Verb::Deploy {
            return Ok(DONE);
        }
    }
    let lock = session.lock(None).map_err(|problem| vec![problem])?;
    let load = load(session, rollback)?;
    carry::out(session, lock, load)
}

/// Returns the environments that a plan brings a release to, in order.
fn environments(plan: &Plan) -> Vec<String> {
    let mut names: Vec<String> = vec![];
    for step in plan.steps() {
        if let Work::Act { kind, args, .. } = &step.work
            && kind == kinds::deploy::SWITCH
            && let Ok(bring) = serde_json::from_value::<kinds::deploy::Bring>(args.clone())
            && !names.contains(&bring.deployment.environment)
        {
            names.push(bring.deployment.environment);
        }
    }
    names
}

fn load(session: &Session<'_>, rollback: &Rollback) -> Result<Load, Vec<Problem>> {
    let one = |problem| vec![problem];
    let run = choose(session, rollback.run.as_deref()).map_err(one)?;
    if run.outcome.is_none() {
        return Ok(Load::Run(run.id.clone(), back(&run).map_err(one)?));
    }
    Ok(Load::Plan(Box::new(plan(session, &run, rollback.delete_tag)?)))
}

fn show(session: &Session<'_>, rollback: &Rollback) -> End {
    let one = |problem| vec![problem];
    let run = choose(session, rollback.run.as_deref()).map_err(one)?;
    if run.outcome.is_some() {
        for environment in environments(&run.plan).iter().rev() {
            session.view.note(&format!("first, {environment}: shipway rollback {environment} --plan"));
        }
        if run.plan.release.verb != Verb::Deploy {
            session.view.plan(&plan(session, &run, rollback.delete_tag)?);
        }
        return Ok(DONE);
    }
    back(&run).map_err(one)?;
    session.view.note(&format!(
        "run {} is open: its own steps are undone, the last one first; do it: shipway rollback {}",
        run.id, run.id
    ));
    let journal = session.journal_to_read().map_err(one)?;
    let entries = journal.read(&run.id, None).map_err(|error| one(of_journal(error)))?;
    session.view.run(&run, &entries, false, &Moment { now: now(), hosts: None });
    Ok(DONE)
}

/// Returns the events that make an open run go back.
fn back(run: &Run) -> Result<Vec<Event>, Problem> {
    // Whoever asks for a rollback while one is under way wants it done.
    if !run.can_turn_back() && run.plan.release.verb == Verb::Rollback {
        return Ok(if run.stuck.is_some() { vec![Event::Resumed {}] } else { vec![] });
    }
    if !run.can_turn_back() {
        let problem =
            Problem::new(Code::PastReturn, format!("run {} is past its point of no return", run.id));
        return Err(problem.hint(format!("finish it: shipway resume {}", run.id)));
    }
    let mut events = vec![];
    if run.stuck.is_some() {
        events.push(Event::Resumed {});
    }
    if run.back.is_none() {
        events.push(Event::TurnedBack { problem: asked_for(run.plan.release.verb) });
    }
    Ok(events)
}

/// Returns the run to take back: the one that is named, else the open one, else the last release that stands.
fn choose(session: &Session<'_>, prefix: Option<&str>) -> Result<Run, Problem> {
    let journal = session.journal_to_read()?;
    let named = prefix.map(|prefix| Session::find_run(&journal, prefix)).transpose()?;
    let heads = journal.runs().map_err(of_journal)?;
    drop(journal);
    let runs =
        heads.iter().map(|head| resume::fold(session, &head.run)).collect::<Result<Vec<Run>, Problem>>()?;
    let withdrawn =
        |run: &Run| runs.iter().any(|other| other.plan.release.why == withdraws(&run.id) && shipped(other));
    let stands = |run: &Run| shipped(run) && run.plan.release.verb == Verb::Push && !withdrawn(run);
    let deployed = |run: &Run| shipped(run) && run.plan.release.verb == Verb::Deploy;
    let fits = |run: &&Run| run.outcome.is_none() || stands(run) || deployed(run);
    match named {
        None => {
            let open = runs.iter().rev().find(|run| run.outcome.is_none());
            open.or_else(|| runs.iter().rev().find(|run| stands(run))).cloned().ok_or_else(|| {
                Problem::new(Code::NothingToRollBack, "no run is open, and no release stands")
                    .hint("shipway status")
            })
        }
        Some(head) => runs.iter().filter(|run| run.id == head.run).find(fits).cloned().ok_or_else(|| {
            let what = format!("run {} was taken back already, or has published nothing", head.run);
            Problem::new(Code::NothingToRollBack, what)
                .hint(format!("see how it ended: shipway log {}", head.run))
        }),
    }
}

fn shipped(run: &Run) -> bool {
    run.outcome == Some(Outcome::Shipped)
}

fn plan(session: &Session<'_>, run: &Run, delete_tag: bool) -> Result<Plan, Vec<Problem>> {
    let one = |problem| vec![problem];
    let (_, how) = rollback::published(run).map_err(one)?;
    let ticket = how.ticket.map(|ticket| guarded::again(session, &ticket)).transpose()?;
    let catalog = session.catalog(&session.hands().map_err(one)?);
    let target = (session.config.target.rollback, &catalog as &dyn Catalog);
    rollback::plan(run, (delete_tag, ticket), local(session, run).map_err(one)?, target).map_err(one)
}

/// Returns the user's branch and where it is, if the release moved it.
fn local(session: &Session<'_>, run: &Run) -> Result<Option<(String, String)>, Problem> {
    let settle = run.plan.steps().find_map(|step| match &step.work {
        Work::Act { kind, args, .. } if kind == kinds::SETTLE => serde_json::from_value(args.clone()).ok(),
        Work::Act { .. } | Work::Gate(_) => None,
    });
    let Some(kinds::Settle { branch, .. }) = settle else { return Ok(None) };
    let commit = session.git().resolve(&format!("refs/heads/{branch}"))?;
    Ok(commit.map(|commit| (branch, commit)))
}
