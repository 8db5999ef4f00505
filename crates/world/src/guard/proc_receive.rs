//! `proc-receive`: what is pushed to `refs/for` and `refs/events` becomes change requests and records. Everything that
//! comes in here is somebody else's bytes; who brought it is what the transport says.

mod admit;
mod checkpoint;
mod event;
mod open;
mod version;
mod wire;

use std::io::{self, Read, Write};

use shipway_core::change::{EVENTS, FOR, Record};
use shipway_core::policy::Identity;
use shipway_core::problem::Problem;
use shipway_core::time::Time;

use super::Guard;
use crate::hooks::staged::InHook;

pub use wire::Report;

/// What git asks for, with all that answering needs.
pub(super) struct Desk<'a> {
    pub(super) guard: &'a Guard,
    /// Git with the right to write records.
    pub(super) git: InHook<'a>,
    pub(super) by: Identity,
    pub(super) options: Vec<String>,
    pub(super) now: Time,
    /// Says a line to whoever pushes.
    pub(super) say: &'a dyn Fn(&str),
}

impl Desk<'_> {
    /// Returns the value of a push option `name=value`.
    fn option(&self, name: &str) -> Option<&str> {
        self.options.iter().find_map(|option| option.strip_prefix(name)?.strip_prefix('='))
    }

    /// Tells whether there is a push option `name`, or `name=true`.
    fn has(&self, name: &str) -> bool {
        self.options.iter().any(|option| option == name) || self.option(name) == Some("true")
    }

    fn record(&self, event: shipway_core::change::Event) -> Record {
        Record { v: 1, at: self.now, by: self.by.login.clone(), event, signed: None }
    }
}

/// Carries out one talk with git (githooks(5), `proc-receive`).
pub fn run(
    guard: &Guard,
    git: &InHook<'_>,
    (by, now): (Identity, Time),
    (input, output): (&mut dyn Read, &mut dyn Write),
    say: &dyn Fn(&str),
) -> Result<(), Problem> {
    let io = |error: io::Error| {
        Problem::new(shipway_core::problem::Code::GuardFailed, format!("git cannot be talked with: {error}"))
    };
    let asked = wire::read(input, output).map_err(io)?;
    let git = guard.git_as_guard(git)?;
    let desk = Desk { guard, git, by, options: asked.options, now, say };
    let mut reports = vec![];
    for command in asked.commands {
        let name = command.name.clone();
        let answer = match (name.strip_prefix(&format!("{FOR}/")), name.strip_prefix(&format!("{EVENTS}/"))) {
            (Some(branch), _) => open::open(&desk, branch, &command.new),
            (None, Some(log)) => event::take(&desk, log, &command.new),
            (None, None) => Err(vec![Problem::new(
                shipway_core::problem::Code::PolicyDenied,
                format!("{name} is neither a change request nor an event"),
            )]),
        };
        reports.push(match answer {
            Ok(report) => report.named(name),
            Err(problems) => {
                for problem in &problems {
                    tell(say, problem);
                }
                let why = problems.first().map_or("refused", |problem| problem.what.as_str());
                Report::refused(name, why)
            }
        });
    }
    wire::report(output, &reports).map_err(io)
}

/// Says a problem in short lines.
pub fn tell(say: &dyn Fn(&str), problem: &Problem) {
    say(&format!("{}: {}", problem.code, problem.what));
    let labelled = [("at", &problem.place), ("found", &problem.found), ("wanted", &problem.wanted)];
    for (label, text) in labelled {
        if let Some(text) = text {
            say(&format!("  {label}: {text}"));
        }
    }
    problem.details.iter().for_each(|line| say(&format!("  {line}")));
    problem.hints.iter().for_each(|hint| say(&format!("  try: {hint}")));
}
