//! What the policy says of a message and of files, by the one evaluator.

use shipway_core::local::Skip;
use shipway_core::problem::Problem;
use shipway_core::version;

/// Returns what is wrong with a message, apart from what is skipped.
pub(super) fn message(text: &str, skips: &[Skip]) -> Vec<Problem> {
    if skips.iter().any(|skip| skip.rule == "message") {
        return vec![];
    }
    version::lint(text)
}
