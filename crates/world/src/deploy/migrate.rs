//! A change to a database, on one host, in the words of the project.

use std::time::Duration;

use serde_json::json;
use shipway_core::action::{Action, Change, Cx, Fault, Observed, Receipt, Reversal, Sign};
use shipway_core::deployment::fill;
use shipway_core::kinds::deploy as kinds;
use shipway_core::problem::{Code, Problem};

use super::Hands;
use crate::agent::protocol::{Command, Request, Response};

/// The action.
#[derive(Debug)]
pub struct Migrate {
    /// The hands.
    pub hands: Hands,
    /// What.
    pub args: kinds::Migrate,
}

impl Action for Migrate {
    fn describe(&self) -> Change {
        let (reversal, undo) = match &self.args.undo[..] {
            [] => (Reversal::Never, "none; its backup was verified before".to_owned()),
            argv => (Reversal::Exact, argv.join(" ")),
        };
        Change {
            sign: Sign::Change,
            thing: format!("migration {}", self.args.name),
            summary: format!("{} on {}", self.args.run.join(" "), self.args.host.name),
            reversal,
            undo,
            parts: vec![],
        }
    }

    fn probe(&self, cx: &Cx<'_>) -> Result<Observed, Fault> {
        // Where nothing tells whether it is done, it is run again: that is what the configuration promises.
        if self.args.done.is_empty() {
            return Ok(Observed::Absent);
        }
        let (code, shown) = self.run(cx, &self.args.done, true)?;
        match code {
            Some(0) => Ok(Observed::Present(receipt())),
            Some(1) => Ok(Observed::Absent),
            _ => Err(Fault::in_doubt(self.problem("its `done` command says neither yes nor no", &shown))),
        }
    }

    fn apply(&self, cx: &Cx<'_>) -> Result<Receipt, Fault> {
        match self.run(cx, &self.args.run, false)? {
            (Some(0), _) => Ok(receipt()),
            (_, shown) => Err(Fault::in_doubt(self.problem("it failed", &shown))),
        }
    }

    fn undo(&self, cx: &Cx<'_>, _: &Receipt) -> Result<(), Fault> {
        match self.run(cx, &self.args.undo, false)? {
            (Some(0), _) => Ok(()),
            (_, shown) => Err(Fault::in_doubt(self.problem("its undo failed", &shown))),
        }
    }
}

impl Migrate {
    /// Runs a command in the release that is staged, and returns its code with what it wrote.
    fn run(&self, cx: &Cx<'_>, argv: &[String], looks: bool) -> Result<(Option<i32>, String), Fault> {
        let artifact = self
            .hands
            .artifact(cx.run, &self.args.deployment.artifact)
            .unwrap_or(self.args.deployment.artifact.clone());
        let release = format!("releases/{artifact}");
        let values = [
            ("version", self.args.deployment.version.as_str()),
            ("environment", &self.args.deployment.environment),
            ("project", &self.args.deployment.project),
            ("name", &self.args.name),
        ];
        let command = Command {
            argv: argv.iter().map(|word| fill(word, &values)).collect(),
            dir: release,
            timeout_ms: millis(cx.timeout),
            looks,
            ..Command::default()
        };
        match self.hands.ask(cx, &self.args.host, Request::Command(command))? {
            Response::Output { code, stdout, stderr, .. } => Ok((code, format!("{stdout}\n{stderr}"))),
            other => Err(super::unexpected(&self.args.host, &other)),
        }
    }

    fn problem(&self, what: &str, shown: &str) -> Problem {
        let lines: Vec<&str> = shown.lines().filter(|line| !line.trim().is_empty()).collect();
        let last = lines[lines.len().saturating_sub(20)..].iter().copied();
        Problem::new(Code::MigrationFailed, format!("migration {}: {what}", self.args.name))
            .at(format!("host {}", self.args.host.name))
            .details(last)
    }
}

fn millis(span: Duration) -> u64 {
    u64::try_from(span.as_millis()).unwrap_or(u64::MAX)
}

fn receipt() -> Receipt {
    Receipt(json!({ "migrated": true }))
}
