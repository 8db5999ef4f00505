//! `approve`: a person's yes to the plan of a run, typed at the terminal, and signed where a gate asks for more.

mod signed;

use std::fs::{File, OpenOptions};
use std::io::{self, IsTerminal as _, Read as _};
use std::path::Path;

use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::termios::{QueueSelector, tcflush};
use serde_json::json;
use shipway_core::action::{Change, Urgency};
use shipway_core::gate::{self, Need};
use shipway_core::grade;
use shipway_core::id::{Actor, ActorKind, Digest, StepId};
use shipway_core::journal::Event;
use shipway_core::plan::{Plan, Step, Work};
use shipway_core::problem::{Code, Problem};
use shipway_core::run::{Run, State};

use super::{DONE, End, carry, resume};
use crate::args::Approve;
use crate::session::Session;
use crate::view::Document;

/// How many digits of the digest are typed at least.
const DIGITS: usize = 8;
/// Typed at a terminal and not signed.
const TYPED: u8 = 0;
/// The terminal that controls this process.
const TERMINAL: &str = "/dev/tty";

/// Asks a person for a yes to the plan of a run, and writes it down.
pub fn run(session: &Session<'_>, asked: &Approve) -> End {
    let prefix = asked.run.as_deref();
    let done = match asked {
        Approve { export: true, .. } => signed::export(session, prefix),
        Approve { sign: Some(file), key, .. } => signed::elsewhere(session, file, key.as_deref()),
        Approve { import: Some(file), .. } => signed::import(session, prefix, file),
        Approve { export: false, sign: None, import: None, key, .. } => here(session, prefix, key.as_deref()),
    };
    done.map_err(|problem| vec![problem])
}

fn here(session: &Session<'_>, prefix: Option<&str>, key: Option<&Path>) -> Result<u8, Problem> {
    let actor = person(session)?;
    let run = resume::open_run(session, prefix)?;
    let (gate, needs) = waiting(&run)?;
    let signs = |need: &&Need| matches!(need, Need::Approval { grade, .. } if *grade > TYPED);
    let typed = needs.iter().any(|need| !signs(need) && gate::may_approve(need, &actor).is_ok());
    if key.is_some() || !typed && needs.iter().any(signs) {
        return signed::here(session, &run, key);
    }
    may(&run, &gate, &needs, &actor)?;
    let mut terminal = terminal()?;
    show(session, &run, &gate);
    session.view.note(&format!("you are {actor}; the grade is P0, typed at a terminal: the weakest grade"));
    confirm(session, &run.digest, &mut terminal)?;
    // Others may have gone on while the person was reading.
    let lock = session.lock(Some(&run.id))?;
    let now = resume::fold(session, &run.id)?;
    let (gate, needs) = waiting(&now)?;
    may(&now, &gate, &needs, &actor)?;
    let event =
        Event::Approved { step: Some(gate.clone()), plan: run.digest.clone(), grade: TYPED, signed: None };
    let run = carry::note(session, lock, &run.id, event)?;
    Ok(told(session, &run, &gate, (TYPED, "typed at a terminal")))
}

/// Tells that an approval was written down, and what is next.
fn told(session: &Session<'_>, run: &Run, gate: &StepId, (grade, why): (u8, &str)) -> u8 {
    let missing = run.unapproved().is_some();
    let next = if missing {
        "others are needed too: shipway approve"
    } else {
        "nobody else is needed; go on: shipway resume"
    };
    let fields = json!({
        "run": run.id, "plan": run.digest, "gate": gate, "grade": grade, "why": why, "enough": !missing,
    });
    let (plan, name) = (run.digest.short(), grade::name(grade));
    let text = format!("approved: plan {plan} at {gate}, {name}: {why}\n{next} {}", run.id);
    session.view.answer(Document::Approved, &fields, &text);
    DONE
}

/// Returns who is here, if it is a person.
fn person(session: &Session<'_>) -> Result<Actor, Problem> {
    let actor = session.actor();
    if actor.kind != ActorKind::Human {
        return Err(Problem::new(Code::NotAPerson, "agents and machines do not approve")
            .found(actor.to_string())
            .wanted("a person at a terminal"));
    }
    Ok(actor)
}

/// Returns the gate at which approvals are asked for, and which are missing.
fn waiting(run: &Run) -> Result<(StepId, Vec<&Need>), Problem> {
    run.unapproved().ok_or_else(|| {
        let problem = Problem::new(Code::NothingToApprove, format!("run {} waits for no approval", run.id));
        problem.hint("see what it waits for: shipway status")
    })
}

/// Refuses a yes that is typed where this person may not give it.
fn may(run: &Run, gate: &StepId, needs: &[&Need], actor: &Actor) -> Result<(), Problem> {
    if actor.name == "unknown" {
        return Err(Problem::new(Code::IdentityMissing, "it is not known who approves")
            .hint("git config user.name NAME && git config user.email ADDRESS"));
    }
    let me = gate::person(&actor.name);
    let counts = |need: &&Need| matches!(need, Need::Approval { grade, .. } if *grade == TYPED);
    if needs.iter().any(|need| counts(need) && gate::may_approve(need, actor).is_ok()) {
        let already = run.approvals(gate).iter().any(|given| gate::person(&given.by.name) == me);
        return if already { Err(again(&actor.name)) } else { Ok(()) };
    }
    let why = |need: &&Need| match gate::may_approve(need, actor) {
        Err(why) => format!("{}: {why}", need.name()),
        Ok(()) => format!("{}: a signed approval is needed", need.name()),
    };
    Err(Problem::new(Code::MayNotApprove, format!("{actor} may not approve this plan"))
        .at(format!("run {}", run.id))
        .details(needs.iter().map(why)))
}

fn again(name: &str) -> Problem {
    Problem::new(Code::MayNotApprove, format!("{name} has approved already")).wanted("another person")
}

/// Opens the terminal of this process; what is piped into it is no person.
fn terminal() -> Result<File, Problem> {
    let none = |found: String| {
        Problem::new(Code::NoTerminal, "an approval is typed at a terminal")
            .found(found)
            .wanted("a person at a terminal; from a pipe or a script nobody approves")
    };
    if !io::stdin().is_terminal() {
        return Err(none("the standard input is no terminal".into()));
    }
    let open = || {
        let terminal = OpenOptions::new().read(true).write(true).open(TERMINAL)?;
        // What was typed before anything was shown is no answer to it.
        tcflush(&terminal, QueueSelector::IFlush)?;
        Ok(terminal)
    };
    open().map_err(|error: io::Error| none(format!("{TERMINAL}: {error}")))
}

/// Returns the change of a step that makes one, with its name.
fn change(step: &Step) -> Option<(&str, &Change)> {
    match &step.work {
        Work::Act { change, .. } => Some((step.id.as_str(), change)),
        Work::Gate(_) => None,
    }
}

/// Shows what is approved: what is still to happen, and the whole digest.
fn show(session: &Session<'_>, run: &Run, gate: &StepId) {
    let open = |id: &StepId| run.progress(id).is_some_and(|progress| progress.state != State::Done);
    let release = &run.plan.release;
    session.view.note(&format!("{} {}   run {}, waiting at {gate}", release.project, release.to, run.id));
    steps(session, &run.plan, open);
    session.view.note(&format!("plan {}", run.digest));
}

fn steps(session: &Session<'_>, plan: &Plan, open: impl Fn(&StepId) -> bool) {
    session.view.note("what is still to happen:");
    let open = |step: &&Step| open(&step.id);
    let changes: Vec<_> = plan.steps().filter(open).filter_map(change).collect();
    let width = changes.iter().map(|(step, _)| step.len()).max().unwrap_or_default();
    for (step, change) in changes {
        session.view.note(&format!("  {step:width$}  {} {}", change.thing, change.summary));
    }
}

/// Lets a person type the beginning of the digest of a plan that was shown.
fn confirm(session: &Session<'_>, plan: &Digest, terminal: &mut File) -> Result<(), Problem> {
    session.view.note(&format!("type the first {DIGITS} digits of the plan to approve it, or nothing:"));
    let typed = typed(session, terminal)?;
    if typed.len() >= DIGITS && plan.as_str().starts_with(&typed) {
        return Ok(());
    }
    session.view.note("nothing was approved");
    let what =
        if typed.is_empty() { "nothing was typed" } else { "what was typed is not the digest of the plan" };
    Err(Problem::new(Code::NotConfirmed, what).wanted(format!("the first {DIGITS} digits of the plan")))
}

/// Reads one line from the terminal.
fn typed(session: &Session<'_>, terminal: &mut File) -> Result<String, Problem> {
    let failed =
        |error: io::Error| Problem::new(Code::NoTerminal, format!("the terminal cannot be read: {error}"));
    let mut line = vec![];
    let tick = Timespec { tv_sec: 0, tv_nsec: 100_000_000 };
    while !line.contains(&b'\n') {
        if session.switches.look.urgency() > Urgency::None {
            return Err(Problem::new(Code::NotConfirmed, "nothing was approved"));
        }
        let mut ready = [PollFd::new(&*terminal, PollFlags::IN)];
        match poll(&mut ready, Some(&tick)) {
            Ok(0) | Err(rustix::io::Errno::INTR) => continue,
            Ok(_) => {}
            Err(error) => return Err(failed(error.into())),
        }
        let mut bytes = [0; 256];
        match terminal.read(&mut bytes) {
            Ok(0) => break,
            Ok(count) => line.extend_from_slice(&bytes[..count]),
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(failed(error)),
        }
    }
    Ok(String::from_utf8_lossy(&line).trim().to_lowercase())
}
