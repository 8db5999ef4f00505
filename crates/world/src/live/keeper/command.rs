//! Commands of the user: whatever they say is so.

use shipway_core::action::Ended;
use shipway_core::problem::{Code, Problem};

use super::{Keep, State};
use crate::live::{Instance, wait};

/// The commands that start, ask and stop.
pub(super) struct Command<'a> {
    pub(super) start: &'a [String],
    pub(super) status: &'a [String],
    pub(super) stop: &'a [String],
}

impl Keep for Command<'_> {
    fn see(&self, instance: &Instance<'_>) -> Result<State, Problem> {
        let output = instance.run(self.status)?;
        let said = wait::last_lines(&output).join("; ");
        match output.ended {
            Ended::Exit(0) => Ok(State { running: true, ours: true, detail: said, ..State::default() }),
            Ended::Exit(1) => Ok(State::down(said)),
            Ended::Exit(_) | Ended::Signal(_) | Ended::TimedOut | Ended::Stopped => {
                let what = format!("the status of {} cannot be told", instance.name());
                let problem = Problem::new(Code::ServiceFailed, what).found(format!("{:?}", output.ended));
                Err(problem.wanted("code 0 if it is live, 1 if it is not").details(wait::last_lines(&output)))
            }
        }
    }

    fn start(&self, instance: &Instance<'_>) -> Result<(), Problem> {
        must(instance, self.start, "started")
    }

    fn stop(&self, instance: &Instance<'_>) -> Result<(), Problem> {
        if self.stop.is_empty() || !self.see(instance)?.running {
            return Ok(());
        }
        must(instance, self.stop, "stopped")
    }

    fn log(&self, _: &Instance<'_>) -> Vec<String> {
        vec![]
    }
}

fn must(instance: &Instance<'_>, words: &[String], what: &str) -> Result<(), Problem> {
    let output = instance.run(words)?;
    if output.ok() {
        return Ok(());
    }
    let problem = Problem::new(Code::ServiceFailed, format!("{} cannot be {what}", instance.name()));
    Err(problem.found(format!("{:?}", output.ended)).details(wait::last_lines(&output)))
}
