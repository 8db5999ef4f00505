//! What may happen next: one pure decision, for a healthy run and for one that was killed alike.

use super::{BLIND_LOOKS, Run, State, UNDO_ATTEMPTS};
use crate::gate::{self, Need, Verdict};
use crate::id::StepId;
use crate::journal::Outcome;
use crate::plan::{Stage, Step, Work};
use crate::problem::{Code, Problem};
use crate::time::Time;

/// The one thing that may happen next.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Next {
    /// Look at these needs of a gate.
    Check(StepId, Vec<Need>),
    /// Apply these steps, at once.
    Apply(Vec<StepId>),
    /// Look whether a step in doubt has had its effect.
    Probe(StepId),
    /// Take these steps of one stage back, at once.
    Undo(Vec<StepId>),
    /// Wait until then; nothing may happen before.
    Rest(Time),
    /// A gate is not open yet, and why; it will not be before that time, where one is known.
    Wait(StepId, Vec<Problem>, Option<Time>),
    /// Write down that the run goes back.
    TurnBack(Problem),
    /// Write down that the run is stuck.
    Stick(StepId, Problem),
    /// Write down how the run ended.
    Close(Outcome),
    /// The run is closed or stuck.
    Nothing,
}

impl Run {
    /// Returns the one thing that may happen next. `now` is only compared with what the entries say of waiting.
    pub fn next(&self, now: Time) -> Next {
        if self.outcome.is_some() || self.stuck.is_some() {
            return Next::Nothing;
        }
        let mut doubtful: Vec<&Step> =
            self.plan.steps().filter(|s| matches!(self.state(s), State::Started | State::InDoubt)).collect();
        // Nothing else happens while it is not known what has happened, unless that cannot be known for now and the
        // step stands apart.
        let lost = |step: &&Step| step.apart && self.steps[&step.id].blind >= BLIND_LOOKS;
        doubtful.sort_by_key(lost);
        match doubtful.first() {
            Some(step) if lost(step) => self.without(step, now),
            Some(step) => self.settle(step, now),
            None if self.back.is_some() => self.backward(now),
            None => self.forward(now),
        }
    }

    /// Returns what may happen while nobody can look at a step that stands apart: the others like it go back.
    fn without(&self, step: &Step, now: Time) -> Next {
        if self.back.is_none() {
            return self.turn_back(step);
        }
        let apart = |id: &StepId| self.plan.step(id).is_some_and(|step| step.apart);
        match self.backward(now) {
            Next::Undo(steps) if steps.iter().all(apart) => Next::Undo(steps),
            Next::Rest(until) => Next::Rest(until),
            _ => self.settle(step, now),
        }
    }

    fn settle(&self, step: &Step, now: Time) -> Next {
        let progress = &self.steps[&step.id];
        // On the way back nobody is kept waiting by it, so there is time to look as often as an undo is tried.
        let patient = self.back.is_some() && step.apart;
        if progress.blind >= if patient { UNDO_ATTEMPTS } else { BLIND_LOOKS } {
            return Next::Stick(step.id.clone(), self.sticking(step, "it is not known whether it happened"));
        }
        progress.rest(now).map_or_else(|| Next::Probe(step.id.clone()), Next::Rest)
    }

    fn forward(&self, now: Time) -> Next {
        for stage in &self.plan.stages {
            if let Some(step) = stage.steps.iter().find(|step| self.state(step) == State::Failed) {
                return self.turn_back(step);
            }
            if let Some(next) = self.in_stage(stage, now) {
                return next;
            }
        }
        Next::Close(Outcome::Shipped)
    }

    fn turn_back(&self, step: &Step) -> Next {
        let problem = self.steps[&step.id].problem.clone();
        let problem = problem.unwrap_or_else(|| {
            Problem::new(Code::StepTimedOut, format!("step {} was cut off in every attempt", step.id))
        });
        if self.can_turn_back() && !step.follows {
            return Next::TurnBack(problem);
        }
        Next::Stick(step.id.clone(), self.sticking(step, "it failed, and what is done stays"))
    }

    /// Returns what to do in a stage, or nothing when all of it is done.
    fn in_stage(&self, stage: &Stage, now: Time) -> Option<Next> {
        let (mut ready, mut waits) = (vec![], None);
        for step in stage.steps.iter().filter(|step| self.state(step) != State::Done) {
            match &step.work {
                Work::Gate(gate) => match gate::decide(gate, self.known(&step.id), now) {
                    Verdict::Look(needs) => return Some(Next::Check(step.id.clone(), needs)),
                    Verdict::Wait(problems, until) => {
                        waits.get_or_insert_with(|| Next::Wait(step.id.clone(), problems, until));
                    }
                    Verdict::Pass | Verdict::Refuse(_) => {}
                },
                Work::Act { .. } => ready.push(step),
            }
        }
        // A gate of the stage that is not open holds the actions of the stage.
        if waits.is_some() {
            return waits;
        }
        let rest = ready.iter().find_map(|step| self.steps[&step.id].rest(now));
        match rest {
            Some(until) => Some(Next::Rest(until)),
            None if ready.is_empty() => None,
            None => Some(Next::Apply(ready.into_iter().map(|step| step.id.clone()).collect())),
        }
    }

    fn backward(&self, now: Time) -> Next {
        let open = |step: &&Step| {
            let acts = matches!(step.work, Work::Act { .. });
            acts && self.is_to_undo(step) && !self.answered_for(step)
        };
        let stages = self.plan.stages.iter().rev();
        let open = stages.map(|stage| stage.steps.iter().filter(open).collect::<Vec<&Step>>());
        let open: Vec<Vec<&Step>> = open.filter(|steps| !steps.is_empty()).collect();
        // Stages go back one after the other. Those that stand apart do so, too, but do not wait for each other.
        let apart = open.iter().take_while(|steps| steps.iter().all(|step| step.apart)).count();
        let (mut rest, mut stuck) = (None, None);
        for steps in open.iter().take(apart.max(1)) {
            match self.undo(steps, now) {
                Next::Rest(until) => rest = Some(rest.map_or(until, |rest: Time| rest.min(until))),
                next @ Next::Stick(..) => stuck = stuck.or(Some(next)),
                next => return next,
            }
        }
        if let Some(next) = rest.map(Next::Rest).or(stuck) {
            return next;
        }
        let began = self.plan.steps().any(|step| {
            let progress = &self.steps[&step.id];
            !step.private && progress.began.is_some() && progress.acted()
        });
        Next::Close(if began { Outcome::RolledBack } else { Outcome::Refused })
    }

    /// Returns what to do with the steps of one stage that are to be undone. One that cannot be undone does not keep
    /// the others, so the run is stuck only when nothing else is left to try.
    fn undo(&self, open: &[&Step], now: Time) -> Next {
        let tried = |step: &&&Step| self.steps[&step.id].undos < UNDO_ATTEMPTS;
        // The undo of a step that made another one public comes first, because it may answer for both.
        let last = |step: &&&Step| !open.iter().any(|other| step.published_by.as_ref() == Some(&other.id));
        let left: Vec<&&Step> = open.iter().filter(last).filter(tried).collect();
        let (resting, ready): (Vec<&&Step>, Vec<&&Step>) =
            left.into_iter().partition(|step| self.steps[&step.id].rest(now).is_some());
        if !ready.is_empty() {
            return Next::Undo(ready.into_iter().map(|step| step.id.clone()).collect());
        }
        let rest = resting.iter().filter_map(|step| self.steps[&step.id].rest(now)).min();
        rest.map_or_else(
            || {
                let exhausted = open.iter().rfind(|step| !tried(step)).expect("no other step is left");
                Next::Stick(exhausted.id.clone(), self.sticking(exhausted, "it could not be undone"))
            },
            Next::Rest,
        )
    }

    fn is_to_undo(&self, step: &Step) -> bool {
        match self.state(step) {
            State::Done | State::Undoing => true,
            State::Ready | State::Failed => self.steps[&step.id].traces,
            State::Started | State::InDoubt | State::Undone => false,
        }
    }

    /// Tells whether a step was made public by a later one whose undo has answered for both.
    fn answered_for(&self, step: &Step) -> bool {
        let publisher = step.published_by.as_ref().and_then(|id| self.steps.get(id));
        publisher.is_some_and(|progress| progress.state == State::Undone && progress.receipt.is_some())
    }

    fn sticking(&self, step: &Step, why: &str) -> Problem {
        let cause = self.steps[&step.id].problem.clone();
        let mut problem = Problem::new(Code::Stuck, format!("step {}: {why}", step.id))
            .at(format!("run {}", self.id))
            .wanted(match &step.work {
                Work::Act { change, .. } => format!("{} {}", change.thing, change.summary),
                Work::Gate(_) => "an open gate".into(),
            });
        if let Some(cause) = cause {
            problem.found = Some(cause.found.unwrap_or(cause.what));
            problem.details = cause.details;
            problem.hints = cause.hints;
        }
        let problem = problem
            .hint(format!("see what it did: shipway log {} {}", self.id, step.id))
            .hint(format!("when it is mended, go on: shipway resume {}", self.id));
        if self.back.is_none() && self.can_turn_back() {
            return problem.hint(format!("or take it back: shipway rollback {}", self.id));
        }
        problem
    }
}
