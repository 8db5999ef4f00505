//! The plan of a landing: checks on the very commit, the ticket for it, and the move of the branch.

use std::collections::BTreeMap;
use std::time::Duration;

use crate::action::Catalog;
use crate::id::Digest;
use crate::kinds::land::{self as kinds, Land, Ticket};
use crate::plan::{Plan, Release, Verb};
use crate::planner::{Draft, SETTLE_MS, need};
use crate::problem::Problem;

/// A check that must pass on the commit that lands.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Wanted {
    /// The name.
    pub name: String,
    /// The program and its arguments.
    pub run: Vec<String>,
    /// Variables to set.
    pub env: BTreeMap<String, String>,
    /// How long it may take.
    pub timeout: Duration,
}

/// All that decides the plan of a landing, decided already.
#[derive(Clone, Debug)]
pub struct Input {
    /// The name of the project.
    pub project: String,
    /// What lands, such as `change 7`.
    pub what: String,
    /// Its title.
    pub title: String,
    /// What is signed for.
    pub ticket: Ticket,
    /// What moves.
    pub land: Land,
    /// What must pass first.
    pub checks: Vec<Wanted>,
    /// How many checks may run at once.
    pub at_once: usize,
    /// What a reader must know besides.
    pub notes: Vec<String>,
    /// How long the run should take.
    pub target: Duration,
}

/// Returns the plan of a landing. Its point of no return is the move of the branch, which comes last.
pub fn plan(input: Input, catalog: &dyn Catalog) -> Result<Plan, Problem> {
    let subject = Digest::of_json(&input.land.new);
    let facts = Digest::of_json(&(&input.ticket, &input.land));
    let release = Release {
        verb: Verb::Land,
        project: input.project,
        from: None,
        to: input.what,
        tag: String::new(),
        environment: None,
        why: input.title,
    };
    let mut draft = Draft::new(catalog);
    let mut needs = vec![];
    for wanted in input.checks {
        let check = kinds::Check { commit: input.land.new.clone(), run: wanted.run, env: wanted.env };
        let timeout_ms = u64::try_from(wanted.timeout.as_millis()).unwrap_or(u64::MAX);
        needs.push(need(&wanted.name, kinds::CHECK, &check, timeout_ms)?);
    }
    draft.gate("checks", needs, &subject, input.at_once);
    draft.act("ticket", kinds::TICKET, &input.ticket, 10)?.settle_ms = SETTLE_MS;
    draft.act("land", kinds::LAND, &input.land, 15)?.settle_ms = SETTLE_MS;
    let target_ms = u64::try_from(input.target.as_millis()).unwrap_or(u64::MAX);
    Ok(Plan { v: 1, release, stages: draft.stages, facts, notes: input.notes, target_ms })
}
