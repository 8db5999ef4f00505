//! Checks of what is to land: which the target wants and of whom, and how a runner vouches for them.

use std::fs;
use std::path::{Path, PathBuf};

use shipway_core::action::Urgency;
use shipway_core::change::Event;
use shipway_core::config::Check;
use shipway_core::id::Digest;
use shipway_core::policy::BranchClass;
use shipway_core::problem::{Code, Problem};
use shipway_core::statement::{CheckResult, Statement};

use super::client::Client;
use crate::keys::{self, SigningKey};
use crate::shell;
use crate::trigger::{Ran, Source};

/// Where the logs of checks are, below the directory of the journal.
const LOGS: &str = "checks";

impl Client<'_> {
    /// Returns the checks that the target wants of whoever lands, as the base defines them: what is being landed has no
    /// say in that. The names of those that it does not define come second.
    pub fn wanted_checks(&self, target: &str) -> (Vec<Check>, Vec<String>) {
        self.checks_where(target, &|class| class.runners.is_empty())
    }

    /// The same of those for which the signature of somebody counts.
    pub fn checks_of(&self, target: &str, person: &str) -> (Vec<Check>, Vec<String>) {
        self.checks_where(target, &|class| class.wants_of(&self.base.policy, person))
    }

    /// Returns whose signature counts for checks of a target, besides that of whoever lands.
    pub fn runners(&self, target: &str) -> Vec<String> {
        let classes = self.base.policy.classes_of(target.as_bytes());
        let mut runners: Vec<String> =
            classes.iter().flat_map(|(_, class)| &class.runners).cloned().collect();
        runners.sort();
        runners.dedup();
        runners
    }

    fn checks_where(&self, target: &str, counts: &dyn Fn(&BranchClass) -> bool) -> (Vec<Check>, Vec<String>) {
        let (mut found, mut missing) = (vec![], vec![]);
        for (_, class) in self.base.policy.classes_of(target.as_bytes()) {
            for name in class.checks.iter().filter(|_| counts(class)) {
                match self.base.config.check.iter().find(|check| check.name == *name) {
                    Some(check) if !found.contains(check) => found.push(check.clone()),
                    Some(_) => {}
                    None => missing.push(name.clone()),
                }
            }
        }
        (found, missing)
    }

    /// Runs checks on a clean checkout of a commit, beside every work tree.
    pub fn run_checks(&self, commit: &str, checks: &[Check]) -> Result<Vec<Ran>, Problem> {
        let source = Source { dir: &self.repository.top, shell: self.git.shell, stop: self.git.stop };
        let checkout = source.check_out_aside(commit)?;
        let limits = &self.base.config.checks;
        let wanted: Vec<&Check> = checks.iter().collect();
        let ran = checkout.run(&source, &wanted, (limits.parallel.unwrap_or(1), limits.timeout));
        if self.git.stop.urgency() != Urgency::None {
            return Err(Problem::new(
                Code::Stopped,
                "stopped before every check had ended; nothing was signed",
            ));
        }
        Ok(ran)
    }

    /// Signs what became of a check on a commit, and brings it to the guard; returns where its log is.
    pub fn vouch(
        &self,
        (number, commit): (u64, &str),
        ran: &Ran,
        (key, state): (&SigningKey, &Path),
        tell: &dyn Fn(&str),
    ) -> Result<PathBuf, Problem> {
        let log = Digest::of(ran.log.as_bytes());
        let dir = state.join(LOGS);
        let path = dir.join(format!("{log}.log"));
        let written = fs::create_dir_all(&dir).and_then(|()| fs::write(&path, &ran.log));
        written.map_err(|error| {
            Problem::new(Code::Io, format!("{} cannot be written: {error}", path.display()))
        })?;
        let result = CheckResult {
            repository: self.about.name.clone(),
            commit: commit.to_owned(),
            check: ran.name.clone(),
            passed: ran.problem.is_none(),
            log,
            at: shell::now(),
        };
        let signed = keys::sign(key, Statement::Check(result), tell)?;
        self.send(number, Event::Checked {}, Some(signed))?;
        Ok(path)
    }
}
