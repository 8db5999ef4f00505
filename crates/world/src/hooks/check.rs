//! Checks of a commit: run at once, each on an export of the index, and not again on what has passed before.
//!
//! The work tree is left alone: what is not staged is not looked at, and nothing is ever stashed. A check that names its
//! files is given these only, so that its result depends on nothing else and can be used again.

use std::collections::BTreeMap;
use std::fs;
use std::os::unix::fs::DirBuilderExt as _;
use std::path::{Path, PathBuf};
use std::sync::Mutex;
use std::thread;
use std::time::Duration;

use serde::Serialize;
use shipway_core::action::{Cmd, Ended, Output, Shell, Stop};
use shipway_core::config::Check;
use shipway_core::id::Digest;
use shipway_core::policy::fits;
use shipway_core::problem::{Code, Problem};

use super::desk::Desk;
use super::staged::{Entry, InHook};

/// How many of the last lines of a failing check are shown.
const LINES: usize = 20;

/// Variables that would lead a check to the repository that is being committed to.
const STEERING: [&str; 7] = [
    "GIT_DIR",
    "GIT_WORK_TREE",
    "GIT_INDEX_FILE",
    "GIT_PREFIX",
    "GIT_OBJECT_DIRECTORY",
    "GIT_EXEC_PATH",
    "GIT_REFLOG_ACTION",
];

/// What became of a check.
#[derive(Clone, Debug)]
pub enum Outcome {
    /// It passed.
    Passed,
    /// It passed earlier, on the same files.
    Known,
    /// It was skipped with a reason.
    Skipped,
    /// None of its files is there.
    Nothing,
    /// It did not pass.
    Failed(Problem),
}

/// How checks are run.
pub struct Bench<'a> {
    /// The index.
    pub git: &'a InHook<'a>,
    /// Where results are kept.
    pub desk: &'a Desk,
    /// How many run at once.
    pub parallel: usize,
    /// How long one may take that says nothing itself.
    pub timeout: Duration,
    /// Names of checks that are skipped.
    pub skipped: Vec<String>,
    /// A directory that exports are made in, and that is not there yet. It is outside of the work tree, so that nothing
    /// in it finds the files of the work tree above it.
    pub scratch: PathBuf,
}

impl Bench<'_> {
    /// Runs checks and returns what became of each, in their order.
    pub fn run(&self, checks: &[&Check]) -> Result<Vec<(String, Outcome)>, Problem> {
        if checks.is_empty() {
            return Ok(vec![]);
        }
        let entries = self.git.entries()?;
        let mut outcomes: BTreeMap<usize, Outcome> = BTreeMap::new();
        let mut open = vec![];
        for (index, check) in checks.iter().enumerate() {
            let files = select(&entries, &check.files);
            let key = key(check, &files);
            if self.skipped.contains(&check.name) {
                outcomes.insert(index, Outcome::Skipped);
            } else if files.is_empty() && !check.files.is_empty() {
                outcomes.insert(index, Outcome::Nothing);
            } else if self.desk.has_passed(&key) {
                outcomes.insert(index, Outcome::Known);
            } else {
                open.push((index, *check, files, key));
            }
        }
        if !open.is_empty() {
            // For its owner only, and made here: not a directory that somebody else has left there.
            fs::DirBuilder::new().mode(0o700).create(&self.scratch).map_err(|error| {
                Problem::new(Code::Io, format!("{} cannot be made: {error}", self.scratch.display()))
            })?;
        }
        let queue = Mutex::new(open.into_iter());
        let found = Mutex::new(vec![]);
        let work = || {
            loop {
                let next = queue.lock().unwrap_or_else(std::sync::PoisonError::into_inner).next();
                let Some((index, check, files, key)) = next else { return };
                let outcome = self.one((index, check), &files, &key);
                found.lock().unwrap_or_else(std::sync::PoisonError::into_inner).push((index, outcome));
            }
        };
        thread::scope(|scope| {
            for _ in 0..self.parallel.clamp(1, checks.len()) {
                scope.spawn(work);
            }
        });
        let _ = fs::remove_dir(&self.scratch);
        outcomes.extend(found.into_inner().unwrap_or_else(std::sync::PoisonError::into_inner));
        Ok(outcomes.into_iter().map(|(index, outcome)| (checks[index].name.clone(), outcome)).collect())
    }

    fn one(&self, (index, check): (usize, &Check), files: &[&Entry], key: &Digest) -> Outcome {
        let dir = self.scratch.join(index.to_string());
        let outcome = self.in_export(&dir, check, files);
        let _ = fs::remove_dir_all(&dir);
        if matches!(outcome, Outcome::Passed) {
            // Not remembered is run again.
            let _ = self.desk.pass(key);
        }
        outcome
    }

    fn in_export(&self, dir: &Path, check: &Check, files: &[&Entry]) -> Outcome {
        let made = fs::create_dir(dir);
        if let Err(error) = made {
            let what = format!("{} cannot be made: {error}", dir.display());
            return Outcome::Failed(Problem::new(Code::Io, what));
        }
        let paths: Vec<&[u8]> = files.iter().map(|(_, _, path)| path.as_slice()).collect();
        if let Err(problem) = self.git.export(dir, &paths) {
            return Outcome::Failed(problem);
        }
        let limit = check.timeout.unwrap_or(self.timeout);
        let cmd = Cmd::default().args(&check.run).dir(dir).timeout(limit).contain();
        let cmd = STEERING.into_iter().fold(cmd, Cmd::unset);
        let cmd = check.env.iter().fold(cmd, |cmd, (name, value)| cmd.env(name, value));
        judge(check, limit, run(self.git.shell, &cmd, self.git.stop))
    }
}

fn run(shell: &dyn Shell, cmd: &Cmd, stop: &Stop) -> Result<Output, Problem> {
    shell.run(cmd, stop).map_err(|error| Problem::new(Code::CheckFailed, error.to_string()))
}

fn judge(check: &Check, limit: Duration, output: Result<Output, Problem>) -> Outcome {
    let shown = check.run.join(" ");
    let skip = format!("{}: why", check.name);
    let skip = format!("SHIPWAY_SKIP={} git commit", shipway_core::validate::quoted(&skip));
    let failed =
        |problem: Problem| Outcome::Failed(problem.at(format!("check {}", check.name)).hint(skip.clone()));
    let output = match output {
        Ok(output) if output.ok() => return Outcome::Passed,
        Ok(output) => output,
        Err(problem) => return failed(problem),
    };
    let how = match output.ended {
        Ended::Exit(code) => format!("ended with code {code}"),
        Ended::Signal(signal) => format!("was ended by signal {signal}"),
        Ended::TimedOut => format!("took more than {} s and was ended", limit.as_secs()),
        Ended::Stopped => "was stopped".to_owned(),
    };
    let text = format!("{}\n{}", output.text(), output.error_text());
    let lines: Vec<&str> = text.lines().filter(|line| !line.trim().is_empty()).collect();
    let last = lines[lines.len().saturating_sub(LINES)..].iter().copied();
    let code = if output.ended == Ended::TimedOut { Code::CheckTimedOut } else { Code::CheckFailed };
    failed(Problem::new(code, format!("`{shown}` {how}, on what is staged")).details(last))
}

/// Returns the files that a check looks at.
fn select<'a>(entries: &'a [Entry], patterns: &[String]) -> Vec<&'a Entry> {
    let looks_at = |path: &[u8]| patterns.is_empty() || patterns.iter().any(|pattern| glob(pattern, path));
    entries.iter().filter(|(_, _, path)| looks_at(path)).collect()
}

/// Returns the name of all that a result depends on: the command, and each file by its object id.
fn key(check: &Check, files: &[&Entry]) -> Digest {
    #[derive(Serialize)]
    struct Key<'a> {
        run: &'a [String],
        env: &'a BTreeMap<String, String>,
        files: &'a [&'a Entry],
    }
    Digest::of_json(&Key { run: &check.run, env: &check.env, files })
}

/// Tells whether a path fits a pattern, as in the policy. A pattern without a `/` fits names in any directory.
fn glob(pattern: &str, path: &[u8]) -> bool {
    let name = path.rsplit(|byte| *byte == b'/').next().unwrap_or(path);
    fits(pattern, if pattern.contains('/') || pattern == "**" { path } else { name })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_pattern_without_a_slash_fits_names_anywhere() {
        let check = |pattern: &str, path: &str, expected: bool| {
            assert_eq!(glob(pattern, path.as_bytes()), expected, "{pattern} {path}");
        };
        check("*.py", "a.py", true);
        check("*.py", "src/a.py", true);
        check("src/*.py", "src/a.py", true);
        check("src/*.py", "src/b/a.py", false);
        check("src/**", "src/b/a.py", true);
        check("**/test_*.py", "test_a.py", true);
        check("**/test_*.py", "a/b/test_a.py", true);
        check("**/test_*.py", "a/b/mytest_a.py", false);
        check("**", "x/y", true);
    }
}
