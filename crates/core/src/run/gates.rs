//! Gates in a run: what was seen and who said yes, and what that decides.

use super::{Corrupt, Next, Run, State, corrupt};
use crate::gate::{self, Approval, Evidence, Gate, Known, Need, Seen, Verdict, Vouched};
use crate::id::{Actor, ActorKind, StepId};
use crate::journal::Entry;
use crate::plan::{Step, Work};
use crate::problem::Problem;
use crate::time::Time;

impl Run {
    /// Returns what was seen at a gate.
    pub fn evidence(&self, gate: &StepId) -> impl DoubleEndedIterator<Item = &Evidence> {
        self.seen(gate).iter().map(|seen| &seen.evidence)
    }

    /// Returns what was seen at a gate, with where it stands in the journal.
    pub fn seen(&self, gate: &StepId) -> &[Seen] {
        self.seen.get(gate).map_or(&[], Vec::as_slice)
    }

    /// Returns who said yes at a gate.
    pub fn approvals(&self, gate: &StepId) -> &[Approval] {
        self.approvals.get(gate).map_or(&[], Vec::as_slice)
    }

    /// Returns the gate that the run waits at, why, and before when it will not open, as of its last entry.
    pub fn waits(&self) -> Option<(StepId, Vec<Problem>, Option<Time>)> {
        match self.next(self.last) {
            Next::Wait(step, problems, until) => Some((step, problems, until)),
            Next::Check(..)
            | Next::Apply(_)
            | Next::Probe(_)
            | Next::Undo(_)
            | Next::Rest(_)
            | Next::TurnBack(_)
            | Next::Stick(..)
            | Next::Close(_)
            | Next::Nothing => None,
        }
    }

    /// Returns the needs for approval that are not met at the gate that the run waits at, with that gate.
    pub fn unapproved(&self) -> Option<(StepId, Vec<&Need>)> {
        let (id, ..) = self.waits()?;
        let Work::Gate(gate) = &self.plan.step(&id)?.work else { return None };
        let missing = |need: &&Need| gate::missing(need, self.known(&id), self.last).is_some();
        let needs: Vec<&Need> = gate.needs.iter().filter(missing).collect();
        (!needs.is_empty()).then_some((id, needs))
    }

    pub(super) fn known<'a>(&'a self, gate: &StepId) -> Known<'a> {
        let (seen, approvals) = (self.seen(gate), self.approvals(gate));
        Known { run: &self.id, fence: self.fence, seen, approvals }
    }

    /// Keeps a yes at the gate it was given for, or at all of them.
    pub(super) fn approve(
        &mut self,
        step: Option<&StepId>,
        signed: Option<&Vouched>,
        entry: &Entry,
    ) -> Result<(), Corrupt> {
        // What was signed for one gate is none for another, wherever it stands.
        let step = signed.and_then(|signed| signed.gate.as_ref()).or(step);
        let by = signed.map_or_else(
            || entry.by.clone(),
            |signed| Actor {
                kind: ActorKind::Human,
                name: signed.person.clone(),
                host: entry.by.host.clone(),
            },
        );
        // Whatever the entry says, what was not signed is typed at best.
        let grade = signed.map_or(0, |signed| signed.grade);
        let asks = |gate: &Gate| gate.needs.iter().any(|need| matches!(need, Need::Approval { .. }));
        let of = |one: &Step| match &one.work {
            Work::Gate(gate) => step.map_or(asks(gate), |step| *step == one.id).then(|| one.id.clone()),
            Work::Act { .. } => None,
        };
        let gates: Vec<StepId> = self.plan.steps().filter_map(of).collect();
        for gate in gates {
            let signed = signed.cloned().map(Box::new);
            let approval = Approval { by: by.clone(), at: entry.at, grade, signed };
            self.approvals.entry(gate.clone()).or_default().push(approval);
            self.judge(&gate, entry)?;
        }
        Ok(())
    }

    /// Moves a gate on once what is known decides it.
    pub(super) fn judge(&mut self, id: &StepId, entry: &Entry) -> Result<(), Corrupt> {
        let Some(Work::Gate(gate)) = self.plan.step(id).map(|step| &step.work) else {
            return Err(corrupt(entry, format!("the plan has no gate `{id}`")));
        };
        // The times of entries never go back, unlike those of clocks.
        let verdict = gate::decide(gate, self.known(id), entry.at.max(self.last));
        let progress = self.steps.get_mut(id).expect("every step of the plan has its progress");
        progress.began.get_or_insert(entry.at);
        progress.ended = Some(entry.at);
        match verdict {
            Verdict::Look(_) | Verdict::Wait(..) => {}
            Verdict::Pass => progress.state = State::Done,
            Verdict::Refuse(problems) => {
                progress.state = State::Failed;
                progress.problem = problems.into_iter().next();
            }
        }
        Ok(())
    }
}
