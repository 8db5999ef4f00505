//! `abort`: stopping the run that another process drives.

use std::thread::sleep;
use std::time::{Duration, Instant};

use rustix::process::{Pid, Signal, kill_process};
use serde_json::json;
use shipway_core::action::Urgency;
use shipway_core::problem::{Code, Problem};
use shipway_world::lease::{Holder, Lock, this_host};

use super::{DONE, End, resume};
use crate::session::Session;
use crate::view::Document;

/// How long the other process may take to come to a safe point before it is asked to stop at once.
const FIRST: Duration = Duration::from_secs(30);
/// How long it may take altogether.
const LAST: Duration = Duration::from_mins(1);

/// Asks the process that drives a run to stop, and waits until it has.
pub fn run(session: &Session<'_>, prefix: Option<&str>) -> End {
    stop(session, prefix).map_err(|problem| vec![problem])
}

fn stop(session: &Session<'_>, prefix: Option<&str>) -> Result<u8, Problem> {
    let holder = holder(session, prefix)?;
    ask(holder.pid)?;
    session.view.note(&format!("asked process {} to stop at a safe point", holder.pid));
    let (begun, mut again) = (Instant::now(), false);
    while Lock::look(&session.repository.state_dir())?.is_some() {
        if begun.elapsed() > FIRST && !again {
            session.view.note("it takes long, so it is asked to stop at once");
            ask(holder.pid)?;
            again = true;
        }
        if begun.elapsed() > LAST {
            return Err(Problem::new(Code::LeaseHeld, format!("process {} does not stop", holder.pid))
                .hint(format!("kill -9 {}, then: shipway rollback", holder.pid)));
        }
        if session.switches.look.urgency() > Urgency::None {
            return Err(Problem::new(
                Code::Stopped,
                "no longer waiting; the other process was asked to stop",
            )
            .hint("see whether it has: shipway status"));
        }
        sleep(Duration::from_millis(50));
    }
    let fields = json!({ "run": holder.run });
    let run = holder.run.map(|run| run.to_string()).unwrap_or_default();
    let text = format!(
        "stopped: run {run}\ntake it back: shipway rollback {run}\nor finish it: shipway resume {run}"
    );
    session.view.answer(Document::Stopped, &fields, &text);
    Ok(DONE)
}

/// Returns who drives the run, if it is a living process of this machine.
fn holder(session: &Session<'_>, prefix: Option<&str>) -> Result<Holder, Problem> {
    let Some(held) = Lock::look(&session.repository.state_dir())? else {
        let run = resume::open_run(session, prefix)?;
        return Err(Problem::new(Code::NothingToResume, format!("no process drives run {}", run.id))
            .hint(format!("take it back: shipway rollback {}", run.id))
            .hint(format!("or finish it: shipway resume {}", run.id)));
    };
    let here = |holder: &Holder| holder.host == this_host() && !held.orphan;
    let Some(holder) = held.holder.clone().filter(here) else { return Err(Problem::from(held)) };
    match (prefix, &holder.run) {
        (Some(prefix), Some(run)) if !run.as_str().starts_with(prefix) => {
            let problem = Problem::new(Code::RunUnknown, format!("run {prefix} is not the one in progress"));
            Err(problem.found(format!("run {run}")).hint(format!("shipway abort {run}")))
        }
        _ => Ok(holder),
    }
}

fn ask(pid: u32) -> Result<(), Problem> {
    let pid = i32::try_from(pid).ok().and_then(Pid::from_raw);
    match pid.map(|pid| kill_process(pid, Signal::TERM)) {
        Some(Ok(()) | Err(rustix::io::Errno::SRCH)) => Ok(()),
        Some(Err(error)) => {
            Err(Problem::new(Code::Io, format!("the process cannot be asked to stop: {error}")))
        }
        None => Err(Problem::new(Code::LeaseHeld, "the process that drives the run is not known")),
    }
}
