//! What is staged: the rules about files, and the checks of a commit.

use shipway_core::config::{Check, Trigger};
use shipway_core::problem::{Code, Problem};
use shipway_world::hooks::check::{Bench, Outcome};

use super::{Call, judge};
use crate::prepare;

/// Judges what is staged, and remembers the tree if nothing is wrong with it.
pub(super) fn look(call: &Call<'_>) -> Result<(), Vec<Problem>> {
    let one = |problem| vec![problem];
    let (git, skips) = (call.git(), call.skips()?);
    let tree = git.tree().map_err(one)?;
    let mut problems = judge::files(call, (git.head().as_deref(), &tree), &skips)?;
    let config = call.config()?;
    let checks: Vec<&Check> = config.check.iter().filter(|check| check.wanted_by(&Trigger::Commit)).collect();
    let desk = call.desk().map_err(one)?;
    let bench = Bench {
        git: &git,
        desk: &desk,
        parallel: config.checks.parallel.unwrap_or_else(prepare::checks::cores),
        timeout: config.checks.timeout,
        skipped: skips.iter().map(|skip| skip.rule.clone()).collect(),
        scratch: std::env::temp_dir().join(format!("shipway-staged-{}", std::process::id())),
    };
    for (name, outcome) in bench.run(&checks).map_err(one)? {
        match outcome {
            Outcome::Passed => call.view.note(&format!("{name}: passed")),
            Outcome::Known => call.view.note(&format!("{name}: passed before, on the same files")),
            Outcome::Skipped => call.view.note(&format!("{name}: skipped")),
            Outcome::Nothing => {}
            Outcome::Failed(problem) => problems.push(problem),
        }
    }
    if !problems.is_empty() {
        return Err(problems);
    }
    desk.looked_at(&tree).map_err(|error| {
        vec![Problem::new(Code::Io, format!("it cannot be remembered that the tree was looked at: {error}"))]
    })
}
