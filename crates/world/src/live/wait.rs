//! Waiting, and commands with a time limit.

use std::io;
use std::thread;
use std::time::{Duration, Instant};

use shipway_core::action::{Cmd, Output, Urgency};
use shipway_core::problem::{Code, Problem};

use super::Place;

/// How often the switch is looked at.
const TICK: Duration = Duration::from_millis(50);

/// How long a command of a service manager may take.
const COMMAND: Duration = Duration::from_mins(3);

/// How many lines of a log a problem carries.
pub(super) const LINES: usize = 20;

/// Rests, or gives up when the run is to stop now.
pub(super) fn rest(place: &Place<'_>, time: Duration) -> Result<(), Problem> {
    let until = Instant::now() + time;
    loop {
        if place.stop.urgency() == Urgency::Now {
            return Err(Problem::new(Code::Stopped, "asked to stop"));
        }
        let left = until.saturating_duration_since(Instant::now());
        if left.is_zero() {
            return Ok(());
        }
        thread::sleep(left.min(TICK));
    }
}

/// Asks again and again until there is an answer or the time is over.
pub(super) fn until<T>(
    place: &Place<'_>,
    limit: Duration,
    mut ask: impl FnMut() -> Result<Option<T>, Problem>,
) -> Result<Option<T>, Problem> {
    let end = Instant::now() + limit;
    let mut pause = Duration::from_millis(5);
    loop {
        if let Some(answer) = ask()? {
            return Ok(Some(answer));
        }
        if Instant::now() >= end {
            return Ok(None);
        }
        rest(place, pause)?;
        pause = (pause * 2).min(Duration::from_millis(200));
    }
}

/// Runs a command of a service manager; one that is not installed is a problem of its own.
pub(super) fn run(place: &Place<'_>, mut cmd: Cmd) -> Result<Output, Problem> {
    cmd.timeout.get_or_insert(COMMAND);
    place.shell.run(&cmd, place.stop).map_err(|error| {
        let missing = error.kind() == io::ErrorKind::NotFound;
        let code = if missing { Code::ManagerMissing } else { Code::ServiceFailed };
        Problem::new(code, error.to_string())
    })
}

/// Runs a command that has to succeed.
pub(super) fn must(place: &Place<'_>, cmd: Cmd, what: &str) -> Result<Output, Problem> {
    let output = run(place, cmd)?;
    if output.ok() {
        return Ok(output);
    }
    let problem = Problem::new(Code::ServiceFailed, what).found(format!("{:?}", output.ended));
    Err(problem.details(last_lines(&output)))
}

/// Returns the last lines of what a command wrote.
pub(super) fn last_lines(output: &Output) -> Vec<String> {
    let text = format!("{}\n{}", output.text(), output.error_text());
    let lines: Vec<_> = text.lines().filter(|line| !line.trim().is_empty()).map(str::to_owned).collect();
    lines[lines.len().saturating_sub(LINES)..].to_vec()
}
