//! The contract of actions, and a suite that holds every kind to it.
//!
//! One [`Site`] is one fresh piece of the world with one action. The suite builds as many as it needs: one for every
//! place where the process can die and every call that can fail.

mod clauses;
mod failing;

use std::fmt;
use std::time::Duration;

use shipway_core::action::{Action, Cx, Receipt, Stop, World};
use shipway_core::id::{RunId, StepId};
use shipway_core::time::Time;

use crate::world::{NOON, TestWorld};

/// What a kind of action must keep.
#[derive(Clone, Copy, Debug)]
pub struct Contract {
    /// The kind in the catalog.
    pub kind: &'static str,
    /// Builds a site where the effect is absent.
    pub make: fn() -> Site,
}

/// What becomes of the world when the action is undone.
pub enum Undo {
    /// It is as it was: the snapshot is the one from before.
    Exact,
    /// The effect is answered by a further change, which this judges; an error says what is wrong.
    Answered(Box<dyn Fn() -> Result<(), String>>),
    /// By itself it changes nothing: the undo of another step takes the effect back, or nobody needs it back. This
    /// carries out what does, and judges; it can be repeated.
    With(Box<dyn Fn() -> Result<(), String>>),
    /// There is no way back.
    Never,
}

impl fmt::Debug for Undo {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Exact => "Exact",
            Self::Answered(_) => "Answered",
            Self::With(_) => "With",
            Self::Never => "Never",
        })
    }
}

/// A fresh piece of the world, an action, and ways to look at what it did that do not use the action.
pub struct Site {
    /// The action.
    pub action: Box<dyn Action>,
    /// The world that the action sees. Calls to it are counted, cut off and made to fail.
    pub world: Box<dyn World>,
    /// The run.
    pub run: RunId,
    /// The step.
    pub step: StepId,
    /// When the run was opened.
    pub opened: Time,
    /// Returns everything that the action could disturb, as text in lines.
    pub snapshot: Box<dyn Fn() -> String>,
    /// Looks whether the effect is there, by other means than the action's.
    pub effect_is_there: Box<dyn Fn() -> bool>,
    /// Puts something else in the place of the effect, where there can be such a thing.
    pub make_foreign: Option<Box<dyn Fn()>>,
    /// What undo does.
    pub undo: Undo,
    /// The fields of a receipt that name the effect; without any, the whole receipt does.
    pub identity: &'static [&'static str],
}

impl fmt::Debug for Site {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Site").field("action", &self.action).field("undo", &self.undo).finish_non_exhaustive()
    }
}

impl Site {
    /// Returns a site with an exact undo in a new [`TestWorld`]. The looks are a snapshot and whether the effect is
    /// there.
    pub fn new(
        action: impl Action + 'static,
        snapshot: impl Fn() -> String + 'static,
        effect_is_there: impl Fn() -> bool + 'static,
    ) -> Self {
        Self {
            action: Box::new(action),
            world: Box::new(TestWorld::new()),
            run: RunId::new("7f3a9c01"),
            step: StepId::new("step"),
            opened: NOON,
            snapshot: Box::new(snapshot),
            effect_is_there: Box::new(effect_is_there),
            make_foreign: None,
            undo: Undo::Exact,
            identity: &[],
        }
    }

    /// Sets the world.
    #[must_use]
    pub fn world(mut self, world: impl World + 'static) -> Self {
        self.world = Box::new(world);
        self
    }

    /// Sets what puts something else in the place of the effect.
    #[must_use]
    pub fn foreign(mut self, make: impl Fn() + 'static) -> Self {
        self.make_foreign = Some(Box::new(make));
        self
    }

    /// Sets what undo does.
    #[must_use]
    pub fn undo(mut self, undo: Undo) -> Self {
        self.undo = undo;
        self
    }

    /// Sets the fields of a receipt that name the effect.
    #[must_use]
    pub fn identity(mut self, fields: &'static [&'static str]) -> Self {
        self.identity = fields;
        self
    }

    /// Calls `f` with what the engine would give the action, through another view of the site's world.
    fn with<R>(&self, world: &dyn World, attempt: u32, f: impl FnOnce(&dyn Action, &Cx<'_>) -> R) -> R {
        let cx = Cx {
            run: &self.run,
            step: &self.step,
            attempt,
            opened: self.opened,
            timeout: Duration::from_mins(1),
            world,
            stop: &Stop::default(),
        };
        f(&*self.action, &cx)
    }

    /// Tells whether two receipts name the same effect.
    fn is_same(&self, a: &Receipt, b: &Receipt) -> bool {
        if self.identity.is_empty() {
            return a == b;
        }
        self.identity.iter().all(|field| a.0.get(field).is_some() && a.0.get(field) == b.0.get(field))
    }
}

impl Contract {
    /// Returns every clause that the kind breaks, with what was seen; none if it keeps its contract.
    pub fn broken(&self) -> Vec<String> {
        let clauses = clauses::ALL.iter().map(|(clause, check)| (clause, check(self.make)));
        let broken = clauses.filter_map(|(clause, result)| result.err().map(|seen| (clause, seen)));
        broken.map(|(clause, seen)| format!("{}: {clause}: {seen}", self.kind)).collect()
    }

    /// Panics with every clause that the kind breaks.
    #[track_caller]
    pub fn assert_kept(&self) {
        let broken = self.broken();
        assert!(broken.is_empty(), "broken contract:\n{}", broken.join("\n"));
    }
}

/// Panics with the kinds that have no contract, and with the contracts that are for no kind.
#[track_caller]
pub fn every_kind_has_a_contract(kinds: &[&str], contracts: &[Contract]) {
    let without = kinds.iter().filter(|kind| !contracts.iter().any(|contract| contract.kind == **kind));
    let without: Vec<&str> = without.copied().collect();
    assert!(without.is_empty(), "these kinds have no contract: {}", without.join(", "));
    let strange = contracts.iter().map(|contract| contract.kind).filter(|kind| !kinds.contains(kind));
    let strange: Vec<&str> = strange.collect();
    assert!(strange.is_empty(), "these contracts are for no kind: {}", strange.join(", "));
}

#[cfg(test)]
mod tests;
