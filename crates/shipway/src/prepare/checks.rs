//! The checks of a release: configured, else detected; and what a review of the configuration says.

use std::ffi::OsStr;
use std::time::Duration;

use shipway_core::config::Trigger;
use shipway_core::gate::Need;
use shipway_core::kinds;
use shipway_core::planner::need;
use shipway_core::problem::Problem;

use super::Seen;

/// How long a package manager may take to tell what is outdated, in milliseconds.
const OUTDATED_MS: u64 = 20_000;

/// Returns the checks that must pass before anything is changed.
pub fn needs(seen: &Seen<'_>, path: &OsStr) -> Result<Vec<Need>, Problem> {
    let config = &seen.config;
    let mut needs = vec![];
    let of_releases = || config.check.iter().filter(|check| check.wanted_by(&Trigger::Release));
    for check in of_releases() {
        let args = kinds::Command {
            argv: check.run.clone(),
            env: check.env.iter().map(|(name, value)| (name.clone(), value.clone())).collect(),
            advice: false,
        };
        let timeout = check.timeout.unwrap_or(config.checks.timeout);
        needs.push(need(&check.name, kinds::COMMAND, &args, millis(timeout))?);
    }
    if of_releases().next().is_none() && config.checks.detect {
        let checks = seen.projects.checks(&seen.tree)?;
        // A check whose program is not installed was not wanted here; a configured one would fail and say so.
        for check in checks.into_iter().filter(|check| check.needs.iter().all(|program| is_on(path, program)))
        {
            let args = kinds::Command { argv: check.argv, env: vec![], advice: false };
            needs.push(need(&check.name, kinds::COMMAND, &args, millis(config.checks.timeout))?);
        }
    }
    if config.checks.outdated {
        for (kind, args) in seen.projects.outdated(&seen.tree) {
            if args.argv.first().is_some_and(|program| is_on(path, program)) {
                needs.push(need(&format!("outdated-{kind}"), kinds::OUTDATED, &args, OUTDATED_MS)?);
            }
        }
    }
    Ok(needs)
}

/// Returns what a reader should know about how the repository is set up; none of it stands in the way.
pub fn review(seen: &Seen<'_>, checks: &[Need]) -> Vec<String> {
    let mut notes = vec![];
    let commands =
        checks.iter().filter(|need| matches!(need, Need::Check { kind, .. } if kind == kinds::COMMAND));
    if commands.count() == 0 {
        notes.push(
            "no checks: nothing is built or tested before the release; add [[check]] to shipway.toml".into(),
        );
    }
    if !seen.facts.signing.tags {
        notes.push("tags are not signed: git config tag.gpgSign true".into());
    }
    notes
}

/// Returns how many cores this machine lends us.
pub fn cores() -> usize {
    std::thread::available_parallelism().map_or(1, usize::from)
}

/// Tells whether a program is on the search path.
fn is_on(path: &OsStr, program: &str) -> bool {
    std::env::split_paths(path).any(|dir| dir.join(program).is_file())
}

fn millis(span: Duration) -> u64 {
    u64::try_from(span.as_millis()).unwrap_or(u64::MAX)
}
