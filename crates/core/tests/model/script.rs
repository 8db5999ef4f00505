//! What chooses how each step goes, and what is true outside meanwhile.

use std::collections::{BTreeMap, BTreeSet};

use shipway_core::id::StepId;

/// Chooses, and enumerates all choices: after each run the last choice that has a successor takes it.
#[derive(Default)]
pub(crate) struct Script {
    pub(crate) path: Vec<(usize, usize)>,
    pub(crate) at: usize,
    pub(crate) budget: usize,
}

impl Script {
    /// Returns a choice among `options`; 0 is "all goes well" and every other choice costs one of the budget.
    pub(crate) fn pick(&mut self, options: usize) -> usize {
        let spent = self.path[..self.at].iter().filter(|(choice, _)| *choice > 0).count();
        let options = if spent >= self.budget { 1 } else { options };
        if self.at == self.path.len() {
            self.path.push((0, options));
        }
        self.at += 1;
        self.path[self.at - 1].0
    }

    pub(crate) fn advance(&mut self) -> bool {
        self.path.truncate(self.at);
        self.at = 0;
        while let Some((choice, options)) = self.path.pop() {
            if choice + 1 < options {
                self.path.push((choice + 1, options));
                return true;
            }
        }
        false
    }
}

/// What is true outside: which effects are there, how often each was made, and what is still on its way.
#[derive(Default)]
pub(crate) struct Flags {
    pub(crate) there: BTreeMap<StepId, bool>,
    pub(crate) made: BTreeMap<StepId, u32>,
    /// What attempts that were cut off left behind; the next attempt and undo clear it away.
    pub(crate) traces: BTreeSet<StepId>,
    pub(crate) late: Option<StepId>,
}

impl Flags {
    pub(crate) fn make(&mut self, step: &StepId) {
        assert!(!self.has(step), "the effect of {step} was made twice");
        self.there.insert(step.clone(), true);
        self.traces.remove(step);
        *self.made.entry(step.clone()).or_default() += 1;
    }

    pub(crate) fn take_back(&mut self, step: &StepId) {
        self.there.insert(step.clone(), false);
        self.traces.remove(step);
    }

    pub(crate) fn has(&self, step: &StepId) -> bool {
        self.there.get(step).copied().unwrap_or_default()
    }
}
