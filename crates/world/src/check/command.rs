//! A command of the project, such as its tests: it passes when it ends with code 0.

use std::path::PathBuf;

use shipway_core::action::{Cmd, Cx, Ended, Fault, Output};
use shipway_core::gate::{Check, Finding};
use shipway_core::kinds;
use shipway_core::problem::{Code, Problem};

use super::{advice, blocks};

/// The check.
#[derive(Debug)]
pub struct Command {
    /// Where it runs.
    pub dir: PathBuf,
    /// What it runs.
    pub args: kinds::Command,
}

/// How many of the last lines of a failing check are shown.
const LINES: usize = 20;

impl Check for Command {
    fn look(&self, cx: &Cx<'_>) -> Result<Vec<Finding>, Fault> {
        let mut cmd = Cmd::default().args(&self.args.argv).dir(&self.dir).contain();
        for (name, value) in &self.args.env {
            cmd = cmd.env(name, value);
        }
        let found = match cx.run(cmd) {
            Ok(output) if output.ok() => return Ok(vec![]),
            Ok(output) => self.problem(cx, &output),
            Err(fault) => Problem { code: Code::CheckFailed, ..fault.problem }
                .at(self.args.argv.join(" "))
                .hint(format!("is it installed? {}", self.args.argv.first().map_or("", String::as_str))),
        };
        Ok(if self.args.advice { advice(found) } else { blocks(found) })
    }
}

impl Command {
    fn problem(&self, cx: &Cx<'_>, output: &Output) -> Problem {
        let shown = self.args.argv.join(" ");
        let problem = match output.ended {
            Ended::Exit(code) => Problem::new(Code::CheckFailed, format!("`{shown}` ended with code {code}")),
            Ended::Signal(signal) => {
                Problem::new(Code::CheckFailed, format!("`{shown}` was ended by signal {signal}"))
            }
            Ended::Stopped => Problem::new(Code::CheckFailed, format!("`{shown}` was stopped")),
            Ended::TimedOut => {
                let limit = cx.timeout.as_secs();
                Problem::new(Code::CheckTimedOut, format!("`{shown}` took more than {limit} s and was ended"))
                    .hint("allow more: [[check]] timeout in shipway.toml")
            }
        };
        let text = format!("{}\n{}", output.text(), output.error_text());
        let lines: Vec<&str> = text.lines().filter(|line| !line.trim().is_empty()).collect();
        let last = lines[lines.len().saturating_sub(LINES)..].iter().copied();
        problem.at(format!("check {}", cx.step)).details(last).hint(format!("run it by hand: {shown}"))
    }
}
