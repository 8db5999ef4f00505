//! The state of a run in one word, and the command that comes next.

use shipway_core::gate::{Finding, Severity};
use shipway_core::id::{RunId, StepId};
use shipway_core::journal::{Event, Outcome, RunHead};
use shipway_core::kinds;
use shipway_core::plan::{Plan, Verb, Work};
use shipway_core::planner::deploy::lost;
use shipway_core::run::{Run, State};
use shipway_core::validate::quoted;

use super::paint::Ink;

/// The state of a run, as the glossary has it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Standing {
    /// It has not ended; somebody drives it, or it can be resumed.
    Open,
    /// A gate is not open yet.
    Waiting,
    /// Everything in its plan is done.
    Shipped,
    /// Everything that was done has been undone.
    RolledBack,
    /// A gate said no before anything was done.
    Refused,
    /// A person must look.
    Stuck,
}

impl Standing {
    /// Returns the state of a run.
    pub fn of(run: &Run) -> Self {
        match (run.outcome, &run.stuck) {
            (Some(outcome), _) => Self::ended(outcome),
            (None, Some(_)) => Self::Stuck,
            (None, None) if run.waits().is_some() => Self::Waiting,
            (None, None) => Self::Open,
        }
    }

    /// Returns the state of a run in a list, which is known from its last entry.
    pub fn of_head(head: &RunHead) -> Self {
        match &head.last.event {
            Event::Closed { outcome } => Self::ended(*outcome),
            Event::Stuck { .. } => Self::Stuck,
            Event::Checked { evidence, .. } if evidence.findings.iter().any(waits) => Self::Waiting,
            Event::Opened { .. }
            | Event::Checked { .. }
            | Event::Approved { .. }
            | Event::Started { .. }
            | Event::Finished { .. }
            | Event::Faulted { .. }
            | Event::Probed { .. }
            | Event::Unseen { .. }
            | Event::TurnedBack { .. }
            | Event::UndoStarted { .. }
            | Event::Undone { .. }
            | Event::UndoFaulted { .. }
            | Event::Resumed {}
            | Event::Unknown => Self::Open,
        }
    }

    fn ended(outcome: Outcome) -> Self {
        match outcome {
            Outcome::Shipped => Self::Shipped,
            Outcome::RolledBack => Self::RolledBack,
            Outcome::Refused => Self::Refused,
        }
    }

    /// Returns the word on screen and in JSON.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Open => "open",
            Self::Waiting => "waiting",
            Self::Shipped => "shipped",
            Self::RolledBack => "rolled back",
            Self::Refused => "refused",
            Self::Stuck => "stuck",
        }
    }

    /// Returns the colour of the word.
    pub fn ink(self) -> Ink {
        match self {
            Self::Open => Ink::Strong,
            Self::Shipped => Ink::Good,
            Self::Waiting | Self::RolledBack | Self::Refused => Ink::Care,
            Self::Stuck => Ink::Bad,
        }
    }
}

/// What decides which command comes next.
#[derive(Clone, Copy, Debug)]
#[expect(clippy::struct_excessive_bools, reason = "each is a question of its own")]
pub struct Situation<'a> {
    /// The run.
    pub run: &'a RunId,
    /// Its state.
    pub standing: Standing,
    /// What it does, where that is known.
    pub plan: Option<&'a Plan>,
    /// Whether a living process drives it.
    pub driven: bool,
    /// Whether it can still go back.
    pub can_turn_back: bool,
    /// Whether it waits for a person to approve its plan.
    pub unapproved: bool,
    /// Whether what it published was withdrawn by a commit that the user's branch does not have.
    pub answered: bool,
}

impl<'a> Situation<'a> {
    /// Returns the situation of a run.
    pub fn of(run: &'a Run, driven: bool) -> Self {
        Self {
            run: &run.id,
            standing: Standing::of(run),
            plan: Some(&run.plan),
            driven,
            can_turn_back: run.can_turn_back(),
            unapproved: run.unapproved().is_some(),
            answered: run.progress(&StepId::new("push")).is_some_and(|push| push.state == State::Undone),
        }
    }

    /// Returns the commands that come next, each with what it is for; the first is the one to offer.
    pub fn next(&self) -> Vec<(&'static str, String)> {
        let run = self.run;
        let resume = ("resume", format!("shipway resume {run}"));
        let back = ("take it back", format!("shipway rollback {run}"));
        match self.standing {
            Standing::Shipped
                if self.plan.is_some_and(|of| {
                    matches!(of.release.verb, Verb::Rollback | Verb::Land) || !lost(of).is_empty()
                }) =>
            {
                vec![]
            }
            Standing::Shipped => vec![back],
            Standing::RolledBack | Standing::Refused => {
                let again = super::plan::again(self.plan.map(|plan| &plan.release))
                    .map(|command| ("try again", command));
                let first =
                    self.plan.filter(|_| self.answered).and_then(pull).map(|command| ("first", command));
                first
                    .into_iter()
                    .chain(again)
                    .chain([("see it again", format!("shipway log {run}"))])
                    .collect()
            }
            Standing::Waiting if !self.driven => {
                let mut next = vec![];
                if self.unapproved {
                    next.push(("approve", format!("shipway approve {run}")));
                }
                next.extend([
                    ("go on when it opens", format!("shipway wait {run}")),
                    ("look again", resume.1),
                ]);
                next.extend(self.can_turn_back.then_some(back));
                next
            }
            Standing::Open | Standing::Waiting if self.driven => {
                vec![("stop it", format!("shipway abort {run}"))]
            }
            Standing::Open | Standing::Stuck if self.can_turn_back => vec![resume, back],
            Standing::Open | Standing::Waiting | Standing::Stuck => vec![resume],
        }
    }
}

/// Returns the command that brings the user's branch what was pushed to answer a release; nothing if that was a tag only.
fn pull(plan: &Plan) -> Option<String> {
    let Work::Act { args, .. } = &plan.step(&StepId::new("push"))?.work else { return None };
    let push: kinds::Push = serde_json::from_value(args.clone()).ok()?;
    // A release that is only a tag has moved no branch.
    push.commit
        .is_none()
        .then(|| format!("git pull --ff-only {} {}", quoted(&push.remote), quoted(&push.branch)))
}

fn waits(finding: &Finding) -> bool {
    finding.severity == Severity::Waits
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::view::sample::{self, Story};

    fn check(story: &Story, driven: bool, state: &str, next: &[&str]) {
        let run = story.run();
        let head = RunHead {
            run: run.id.clone(),
            opened: story.entries[0].clone(),
            last: story.entries.last().unwrap().clone(),
        };
        assert_eq!([Standing::of(&run), Standing::of_head(&head)].map(Standing::as_str), [state, state]);
        let commands: Vec<String> =
            Situation::of(&run, driven).next().into_iter().map(|(_, command)| command).collect();
        assert_eq!(commands, next);
    }

    #[test]
    fn every_state_has_its_word_and_its_next_command() {
        check(&sample::shipped(), false, "shipped", &["shipway rollback 7f3a12cd"]);
        check(&sample::refused(), false, "refused", &["shipway push", "shipway log 7f3a12cd"]);
        check(&sample::rolled_back(), false, "rolled back", &["shipway push", "shipway log 7f3a12cd"]);
        let both = &["shipway resume 7f3a12cd", "shipway rollback 7f3a12cd"];
        check(&sample::stuck(), false, "stuck", both);
        check(&sample::stopped(), false, "open", both);
        check(&sample::stopped(), true, "open", &["shipway abort 7f3a12cd"]);
        let waits = ["approve", "wait", "resume", "rollback"].map(|verb| format!("shipway {verb} 7f3a12cd"));
        check(&sample::waiting(), false, "waiting", &waits.each_ref().map(String::as_str));
        check(&sample::waiting(), true, "waiting", &["shipway abort 7f3a12cd"]);
        let mut past = sample::stopped();
        past.done("push").started("publish");
        check(&past, false, "open", &["shipway resume 7f3a12cd"]);
    }
}
