//! Dependencies that the lock file pins behind what the package manager knows. Advice only: nothing is held up.

use std::path::PathBuf;

use shipway_core::action::{Cmd, Cx, Ended, Fault};
use shipway_core::gate::{Check, Finding};
use shipway_core::kinds;
use shipway_core::problem::{Code, Problem};

use super::advice;

/// The check.
#[derive(Debug)]
pub struct Outdated {
    /// Where it asks.
    pub dir: PathBuf,
    /// What it asks.
    pub args: kinds::Outdated,
}

/// How many dependencies are named.
const NAMED: usize = 10;

impl Check for Outdated {
    fn look(&self, cx: &Cx<'_>) -> Result<Vec<Finding>, Fault> {
        let shown = self.args.argv.join(" ");
        let cmd = Cmd::default().args(&self.args.argv).dir(&self.dir).contain();
        let output = match cx.run(cmd) {
            Ok(output) => output,
            Err(fault) => return Ok(advice(unknown(&shown, &fault.problem.what))),
        };
        let text = format!("{}\n{}", output.text(), output.error_text());
        let lines: Vec<&str> =
            text.lines().map(str::trim).filter(|line| line.contains(&self.args.mark)).collect();
        // Some managers end with a code of their own when something is outdated, so only their words count.
        match (output.ended, lines.is_empty()) {
            (Ended::Exit(0), true) => Ok(vec![]),
            (Ended::Exit(_), false) => Ok(advice(self.found(&lines))),
            (Ended::Exit(code), true) => Ok(advice(unknown(&shown, &format!("it ended with code {code}")))),
            (Ended::TimedOut, _) => Ok(advice(unknown(&shown, "it took too long"))),
            (Ended::Signal(_) | Ended::Stopped, _) => Ok(advice(unknown(&shown, "it was ended"))),
        }
    }
}

impl Outdated {
    fn found(&self, lines: &[&str]) -> Problem {
        let plural = if lines.len() == 1 { "y is" } else { "ies are" };
        Problem::new(Code::Outdated, format!("{} dependenc{plural} outdated", lines.len()))
            .details(lines.iter().copied().take(NAMED))
            .hint(self.args.update.clone())
    }
}

fn unknown(shown: &str, why: &str) -> Problem {
    Problem::new(Code::Outdated, format!("`{shown}` could not tell whether dependencies are outdated"))
        .found(why)
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use shipway_core::action::Stop;
    use shipway_core::gate::Severity;
    use shipway_core::id::{RunId, StepId};
    use shipway_core::time::Time;

    use super::*;
    use crate::shell::{LocalShell, Logs};
    use crate::world::RealWorld;

    /// Returns what is found when the package manager prints a text and ends with a code.
    fn check(script: &str, expect: &str) {
        let dir = tempfile::tempdir().unwrap();
        let world = RealWorld::new(LocalShell::new(), Logs::new(dir.path()).into());
        let words = ["sh", "-c", script].map(Into::into).to_vec();
        let args = kinds::Outdated { argv: words, mark: " -> ".into(), update: "cargo update".into() };
        let (run, name, stop) = (RunId::new("r"), StepId::new("outdated"), Stop::default());
        let cx = Cx {
            run: &run,
            step: &name,
            attempt: 1,
            opened: Time(0),
            timeout: Duration::from_secs(20),
            world: &world,
            stop: &stop,
        };
        let found = Outdated { dir: dir.path().into(), args }.look(&cx).unwrap();
        assert!(found.iter().all(|one| one.severity == Severity::Advice));
        let found: Vec<&str> = found.iter().map(|one| one.problem.what.as_str()).collect();
        assert_eq!(found.concat(), expect);
    }

    #[test]
    fn whatever_a_package_manager_says_is_advice() {
        check("true", "");
        check("echo '  Updating serde v1.0.1 -> v1.0.2' >&2", "1 dependency is outdated");
        check("echo 'a -> b'; echo 'c -> d'; exit 1", "2 dependencies are outdated");
        check("exit 7", "`sh -c exit 7` could not tell whether dependencies are outdated");
    }
}
