//! Checks: looks that yield findings. One kind a file.

pub mod command;
pub mod health;
pub mod incident;
pub mod outdated;
pub mod remote;
pub mod soak;
pub mod tree;
pub mod window;

use shipway_core::gate::{Finding, Severity};
use shipway_core::problem::Problem;
use shipway_core::time::Time;

/// Returns the findings of a look that saw one thing that blocks.
pub(crate) fn blocks(problem: Problem) -> Vec<Finding> {
    vec![Finding { severity: Severity::Blocks, problem, until: None }]
}

/// Returns the findings of a look that saw one thing worth knowing.
pub(crate) fn advice(problem: Problem) -> Vec<Finding> {
    vec![Finding { severity: Severity::Advice, problem, until: None }]
}

/// Returns the findings of a look that saw one thing that is not over yet, and when it will be, where that is known.
fn waits(problem: Problem, until: Option<Time>) -> Vec<Finding> {
    vec![Finding { severity: Severity::Waits, problem, until }]
}
