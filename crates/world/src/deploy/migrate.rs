//! A change to a database, on one host, in the words of the project.

use std::time::Duration;

use serde_json::json;
use shipway_core::action::{Action, Change, Cx, Fault, Observed, Part, Receipt, Reversal, Sign, Stop};
use shipway_core::deployment::{Contract, Deployment, Host, Stands, fill};
use shipway_core::id::Digest;
use shipway_core::kinds::deploy as kinds;
use shipway_core::problem::{Code, Problem};

use super::Hands;
use crate::agent::protocol::{Command, Request, Response};
use crate::host::By;

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
            _ if self.args.stays => (Reversal::Exact, "it stays: a release before has made it".to_owned()),
            [] => (Reversal::Never, "none; its backup was verified before".to_owned()),
            argv => (Reversal::Exact, argv.join(" ")),
        };
        Change {
            sign: Sign::Change,
            thing: format!("migration {}", self.args.name),
            summary: format!("{} on {}", self.args.run.join(" "), self.args.host.name),
            reversal,
            undo,
            parts: self.args.outgrows.iter().map(|version| way_back(version)).collect(),
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
        // A release names what those before it have made too, and not every command can be repeated.
        if let Observed::Present(receipt) = self.probe(cx)? {
            return Ok(receipt);
        }
        match self.run(cx, &self.args.run, false)? {
            (Some(0), _) => Ok(receipt()),
            (_, shown) => Err(Fault::in_doubt(self.problem("it failed", &shown))),
        }
    }

    fn undo(&self, cx: &Cx<'_>, _: &Receipt) -> Result<(), Fault> {
        // What stood before this run began is not its own to take back: what is live may need it.
        if self.args.stays {
            return Ok(());
        }
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
        let command = command((&self.args.deployment, &artifact), &self.args.name, argv);
        let command = Command { timeout_ms: millis(cx.timeout), looks, ..command };
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

/// Returns what is lost with a release that does not fit the schema any more.
fn way_back(version: &str) -> Part {
    Part {
        sign: Sign::Remove,
        thing: format!("way back to {version}"),
        summary: "it does not fit the database then: a rollback is refused".to_owned(),
    }
}

/// How long a look at a migration may take before there is a plan.
const LOOK: Duration = Duration::from_mins(1);

/// Tells whether a migration of a release that is on a host is in the database, as its own command tells.
pub fn stands(
    hands: &Hands,
    (host, release): (&Host, &Deployment),
    contract: &Contract,
    stop: &Stop,
) -> Stands {
    if contract.done.is_empty() {
        return Stands::Unknown;
    }
    let command = command((release, &release.artifact), &contract.name, &contract.done);
    let command = Command { timeout_ms: millis(LOOK), looks: true, ..command };
    let by = By { run: None, limit: LOOK, stop };
    match hands.fleet.call(host, &by, Request::Command(command)) {
        Ok(Response::Output { code: Some(0), .. }) => Stands::Yes,
        Ok(Response::Output { code: Some(1), .. }) => Stands::No,
        // Neither yes nor no is no reason to count on anything.
        Ok(_) | Err(_) => Stands::Unknown,
    }
}

/// Returns a command of a migration in its release.
fn command((deployment, artifact): (&Deployment, &Digest), name: &str, argv: &[String]) -> Command {
    let values = [
        ("version", deployment.version.as_str()),
        ("environment", &deployment.environment),
        ("project", &deployment.project),
        ("name", name),
    ];
    Command {
        argv: argv.iter().map(|word| fill(word, &values)).collect(),
        dir: format!("releases/{artifact}"),
        ..Command::default()
    }
}

fn millis(span: Duration) -> u64 {
    u64::try_from(span.as_millis()).unwrap_or(u64::MAX)
}

fn receipt() -> Receipt {
    Receipt(json!({ "migrated": true }))
}
