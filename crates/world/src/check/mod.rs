//! Checks: looks that yield findings. One kind a file.

pub mod backup;
pub mod command;
pub mod health;
pub mod outdated;
pub mod remote;
pub mod tree;

use shipway_core::gate::{Finding, Severity};
use shipway_core::problem::Problem;

/// Returns the findings of a look that saw one thing that blocks.
fn blocks(problem: Problem) -> Vec<Finding> {
    vec![Finding { severity: Severity::Blocks, problem }]
}

/// Returns the findings of a look that saw one thing worth knowing.
fn advice(problem: Problem) -> Vec<Finding> {
    vec![Finding { severity: Severity::Advice, problem }]
}
