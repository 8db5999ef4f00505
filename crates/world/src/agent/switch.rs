//! From one release to the next, and back. Each of these may be killed anywhere and repeated.

use shipway_core::deployment::Deployment;
use shipway_core::id::RunId;
use shipway_core::problem::{Code, Problem};

use super::journal::{Event, History, Journal};
use super::protocol::{Known, Standing};
use super::root::{Current, Root};
use super::setup::Agent;
use super::stage::failed_before;
use super::{release, watchdog};
use crate::live;

/// From which run's deployment a host goes, and when it goes back by itself unless it hears of the run.
#[derive(Clone, Copy)]
pub(super) struct Leave<'a> {
    /// The run, if there is any.
    pub(super) from: Option<&'a RunId>,
    /// The time; never if 0.
    pub(super) within_ms: u64,
}

/// A switch that has begun: from here on the host goes on to one release, or back to the other.
struct Begun {
    journal: Journal,
    to: Deployment,
    from: Option<Deployment>,
    kept_by: String,
}

/// Makes what a run has staged current. Returns what keeps the watchdog.
pub(super) fn switch(agent: &Agent, run: &RunId, leave: Leave<'_>) -> Result<String, Problem> {
    let _lock = agent.root.lock()?;
    let Some(mut begun) = begin(agent, run, leave)? else { return kept_by(agent) };
    live::converge(&agent.place(), &begun.to, begun.from.as_ref())?;
    agent.append(&mut begun.journal, &Event::Switched { run: run.clone() })?;
    Ok(begun.kept_by)
}

/// Gives what a run has staged a share of the traffic. It is a switch that is not over: whatever ends the run here goes
/// back as from one that was cut off. Returns what keeps the watchdog.
pub(super) fn share(agent: &Agent, run: &RunId, leave: Leave<'_>, share: u32) -> Result<String, Problem> {
    let _lock = agent.root.lock()?;
    // What is current has more than a share.
    let Some(begun) = begin(agent, run, leave)? else { return kept_by(agent) };
    live::share(&agent.place(), &begun.to, share)?;
    Ok(begun.kept_by)
}

fn kept_by(agent: &Agent) -> Result<String, Problem> {
    Ok(watchdog::kept_by(&agent.root)?.unwrap_or_default())
}

/// Begins to leave what is live, or goes on with that; nothing where the release of the run is live already. The caller
/// holds the lock.
fn begin(agent: &Agent, run: &RunId, Leave { from, within_ms }: Leave<'_>) -> Result<Option<Begun>, Problem> {
    let mut journal = agent.journal()?;
    let known = known(&journal.history, run)?.clone();
    match known.standing {
        Standing::Live | Standing::Confirmed if journal.history.current.as_ref() == Some(run) => {
            return Ok(None);
        }
        Standing::Staged | Standing::Switching => {}
        Standing::Reverting | Standing::Failed => return Err(failed_before(run)),
        Standing::Live | Standing::Confirmed | Standing::Discarded => return Err(not_staged(run)),
    }
    let old = start(&agent.root, &journal.history, &known, from)?.map(|known| known.deployment.clone());
    release::prove(&agent.root, &known.deployment.artifact)?;
    if known.standing == Standing::Staged {
        agent.append(&mut journal, &Event::Switching { run: run.clone(), from: from.cloned() })?;
    }
    let kept_by = if within_ms == 0 { String::new() } else { watchdog::keep(agent, run, within_ms)? };
    Ok(Some(Begun { journal, to: known.deployment, from: old, kept_by }))
}

fn known<'a>(history: &'a History, run: &RunId) -> Result<&'a Known, Problem> {
    history.of(run).ok_or_else(|| not_staged(run))
}

fn not_staged(run: &RunId) -> Problem {
    Problem::new(Code::ArtifactMissing, format!("run {run} has nothing staged on the host"))
        .hint("shipway resume")
}

/// Proves that the host is where the plan starts, and that there is a way back to it; returns what is live.
fn start<'a>(
    root: &Root,
    history: &'a History,
    known: &Known,
    from: Option<&RunId>,
) -> Result<Option<&'a Known>, Problem> {
    let run = &known.deployment.run;
    if let Some(other) = history.moving().filter(|other| other.deployment.run != *run) {
        let what = format!("run {} is in the middle of a switch on the host", other.deployment.run);
        return Err(Problem::new(Code::HostMoved, what).hint("shipway status"));
    }
    if history.current.as_ref() != from {
        let name = |run: Option<&RunId>| run.map_or_else(|| "nothing".to_owned(), |run| format!("run {run}"));
        return Err(Problem::new(Code::HostMoved, "the host has another release than the plan says")
            .found(name(history.current.as_ref()))
            .wanted(name(from))
            .hint("shipway plan"));
    }
    let live = history.live();
    prove_current(root, live, (known.standing == Standing::Switching).then_some(&known.deployment))?;
    if let Some(live) = live {
        prove_way_back(root, live)?;
    }
    Ok(live)
}

/// Proves that `current` leads to the release that is live, or where a switch was cut off, to the one on its way.
fn prove_current(root: &Root, live: Option<&Known>, moving: Option<&Deployment>) -> Result<(), Problem> {
    let wrong = drift_of_current(root, live, moving);
    wrong.map_or(Ok(()), |found| {
        let problem = Problem::new(Code::HostDrift, "`current` does not lead to the release that is live")
            .found(found)
            .at(root.current().display().to_string());
        Err(match live {
            Some(live) => problem.hint(format!(
                "ln -sfn releases/{} {}",
                live.deployment.artifact,
                root.current().display()
            )),
            None => problem.hint(format!("mv {0} {0}.before", root.current().display())),
        })
    })
}

/// Returns what is wrong with `current`.
pub(super) fn drift_of_current(
    root: &Root,
    live: Option<&Known>,
    moving: Option<&Deployment>,
) -> Option<String> {
    let live = live.map(|known| &known.deployment.artifact);
    match root.look_at_current() {
        Current::Missing if live.is_none() => None,
        // A first release that was on its way may have been cut off before or after the link was there.
        Current::Release(found)
            if Some(&found) == live || moving.is_some_and(|moving| moving.artifact == found) =>
        {
            None
        }
        Current::Missing => Some("`current` is missing".into()),
        Current::Release(found) => Some(format!("`current` leads to release {}", found.short())),
        Current::Foreign(found) => Some(found),
    }
}

/// Proves that what is live can be gone back to: it was confirmed, and every byte of it is there.
fn prove_way_back(root: &Root, live: &Known) -> Result<(), Problem> {
    let wrong = no_way_back(root, live);
    if wrong.is_empty() {
        return Ok(());
    }
    let what = format!("there is no way back to version {} on the host", live.deployment.version);
    Err(Problem::new(Code::NoWayBack, what).details(wrong))
}

/// Returns why a deployment cannot be gone back to.
pub(super) fn no_way_back(root: &Root, known: &Known) -> Vec<String> {
    let mut wrong = vec![];
    if known.standing != Standing::Confirmed {
        wrong.push(format!("run {} was never confirmed", known.deployment.run));
    }
    match release::drift(root, &known.deployment.artifact) {
        Ok(changed) => wrong.extend(changed.into_iter().take(10).map(|path| format!("{path} was changed"))),
        Err(problem) => wrong.push(problem.what),
    }
    wrong
}

/// Goes back to what was current before a run, and sees that it is well. Returns whether there was anything to go back
/// from.
pub(super) fn revert(agent: &Agent, run: &RunId, why: &str) -> Result<bool, Problem> {
    let _lock = agent.root.lock()?;
    let gone_back = revert_locked(agent, run, why)?;
    let journal = agent.journal()?;
    let failed = journal.history.of(run).is_some_and(|known| known.standing == Standing::Failed);
    // A release that does not serve is not taken back to, whatever the link says.
    if let Some(live) = journal.history.live().filter(|_| failed) {
        live::healthy(&agent.place(), &live.deployment)?;
    }
    Ok(gone_back)
}

/// The same, for who holds the lock.
pub(super) fn revert_locked(agent: &Agent, run: &RunId, why: &str) -> Result<bool, Problem> {
    let mut journal = agent.journal()?;
    let Some(known) = journal.history.of(run).cloned() else {
        watchdog::disarm(agent, run)?;
        return Ok(false);
    };
    match known.standing {
        Standing::Staged | Standing::Discarded | Standing::Failed => {
            watchdog::disarm(agent, run)?;
            return Ok(false);
        }
        Standing::Live | Standing::Confirmed if journal.history.current.as_ref() != Some(run) => {
            let what = format!("another release is live than that of run {run}");
            return Err(Problem::new(Code::HostMoved, what).hint("shipway status"));
        }
        Standing::Switching | Standing::Reverting | Standing::Live | Standing::Confirmed => {}
    }
    let before = match &known.from {
        None => None,
        Some(from) => {
            Some(journal.history.of(from).filter(|before| !before.swept).cloned().ok_or_else(|| {
                Problem::new(Code::NoWayBack, format!("what run {from} brought is not on the host any more"))
            })?)
        }
    };
    if known.standing != Standing::Reverting {
        agent.append(&mut journal, &Event::Reverting { run: run.clone(), why: why.into() })?;
    }
    match &before {
        Some(before) => {
            live::converge(&agent.place(), &before.deployment, Some(&known.deployment))?;
        }
        None => live::retire(&agent.place(), &known.deployment)?,
    }
    agent.append(&mut journal, &Event::Reverted { run: run.clone() })?;
    watchdog::disarm(agent, run)?;
    Ok(true)
}

/// Lets what a run has switched to stay, unless the host has gone back from it.
pub(super) fn confirm(agent: &Agent, run: &RunId) -> Result<bool, Problem> {
    let _lock = agent.root.lock()?;
    let mut journal = agent.journal()?;
    let known = known(&journal.history, run)?;
    let fresh = match known.standing {
        Standing::Live if watchdog::is_over(agent, run)? => {
            // It would fire in a moment; the host decides now, and once.
            revert_locked(agent, run, watchdog::UNHEARD)?;
            return Err(failed_before(run));
        }
        Standing::Live => true,
        Standing::Confirmed => false,
        Standing::Reverting | Standing::Failed => return Err(failed_before(run)),
        Standing::Staged | Standing::Discarded | Standing::Switching => {
            return Err(Problem::new(
                Code::HostMoved,
                format!("what run {run} brought is not live on the host"),
            ));
        }
    };
    if fresh {
        agent.append(&mut journal, &Event::Confirmed { run: run.clone() })?;
    }
    watchdog::disarm(agent, run)?;
    Ok(fresh)
}
