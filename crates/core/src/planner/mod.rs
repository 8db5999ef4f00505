//! Planners: from what was seen and asked to the full list of what will happen. Pure; every choice is made here.

pub mod deploy;
pub mod drill;
pub mod gates;
pub mod land;
pub mod push;
pub mod rollback;

#[cfg(test)]
mod tests;

use serde::Serialize;

use crate::action::Catalog;
use crate::gate::{Gate, Need};
use crate::id::{Digest, StepId};
use crate::plan::{Stage, Step, Work};
use crate::problem::{Code, Problem};

/// How often a step is tried where its faults allow it.
const ATTEMPTS: u32 = 3;
/// How long a request to a remote may still be on its way after its sender died, in milliseconds.
const SETTLE_MS: u64 = 2_000;

/// Builds the steps of a plan; the catalog words the change lines.
struct Draft<'a> {
    catalog: &'a dyn Catalog,
    stages: Vec<Stage>,
}

impl<'a> Draft<'a> {
    fn new(catalog: &'a dyn Catalog) -> Self {
        Self { catalog, stages: vec![] }
    }

    /// Adds a stage of one action that takes at most some minutes.
    fn act(
        &mut self,
        name: &str,
        kind: &str,
        args: &impl Serialize,
        minutes: u64,
    ) -> Result<&mut Step, Problem> {
        let step = self.step(StepId::new(name), kind, args, minutes)?;
        Ok(self.add(name, step))
    }

    /// Adds a stage of one gate, unless it has no needs.
    fn gate(&mut self, name: &str, needs: Vec<Need>, subject: &Digest, at_once: usize) {
        if !needs.is_empty() {
            let gate = Work::Gate(Gate { needs, subject: subject.clone(), at_once });
            self.add(name, step(StepId::new(name), gate, 1));
        }
    }

    /// Returns a step of one action that takes at most some minutes.
    fn step(&self, id: StepId, kind: &str, args: &impl Serialize, minutes: u64) -> Result<Step, Problem> {
        let args = serde_json::to_value(args)
            .map_err(|error| Problem::new(Code::Bug, format!("the arguments of {kind}: {error}")))?;
        let change = self.catalog.action(kind, &args)?.describe();
        Ok(step(id, Work::Act { kind: kind.into(), args, change }, minutes))
    }

    fn add(&mut self, name: &str, step: Step) -> &mut Step {
        self.stages.push(Stage { name: name.into(), steps: vec![step] });
        let stage = self.stages.last_mut().expect("a stage was just added");
        &mut stage.steps[0]
    }
}

fn step(id: StepId, work: Work, minutes: u64) -> Step {
    let timeout_ms = minutes * 60_000;
    Step {
        id,
        work,
        attempts: ATTEMPTS,
        timeout_ms,
        settle_ms: 0,
        published_by: None,
        follows: false,
        apart: false,
        private: false,
    }
}

/// Returns the need for a check.
pub fn need(name: &str, kind: &str, args: &impl Serialize, timeout_ms: u64) -> Result<Need, Problem> {
    let args = serde_json::to_value(args)
        .map_err(|error| Problem::new(Code::Bug, format!("the arguments of {kind}: {error}")))?;
    Ok(Need::Check { name: name.into(), kind: kind.into(), args, timeout_ms, fresh_ms: None })
}
