//! Statements that are signed by hand, sent to the guard or written past it.

use std::fs;
use std::process::Output;

use serde_json::{Value, json};
use shipway_core::statement::Statement;
use shipway_core::time::Time;

use crate::stage::{Stage, said};

impl Stage {
    /// Signs a statement as somebody and pushes it to a log, with the commit that it is about.
    pub(crate) fn send_signed(
        &self,
        who: &str,
        kind: &str,
        statement: &Value,
        (commit, log): (&str, &str),
    ) -> Output {
        let event = self.record(who, (kind, statement), Time(0), commit);
        self.push(who, &[&format!("{event}:{log}")])
    }

    /// Signs a ticket as somebody and puts it into the log of landings, past the guard.
    pub(crate) fn slip_ticket(&self, who: &str, ticket: &Value) {
        let log = "refs/shipway/landings";
        self.ok(&["fetch", "-q", "origin", log]);
        let now = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap();
        let now = Time(u64::try_from(now.as_millis()).unwrap());
        let event = self.record(who, ("ticket", ticket), now, &self.tip(log));
        self.slip(&event, log);
    }

    /// Puts a ref at a commit of the clone, past the guard.
    pub(crate) fn slip(&self, commit: &str, name: &str) {
        let clone = self.repo.path().display().to_string();
        self.ok(&["update-ref", "refs/slip", commit]);
        self.there(&["fetch", "-q", &clone, "refs/slip"]);
        self.there(&["update-ref", name, commit]);
    }

    /// Signs a statement as somebody, and returns the commit of a record that holds it.
    fn record(&self, who: &str, (kind, statement): (&str, &Value), at: Time, parent: &str) -> String {
        // The fields of a statement have an order, which a map of JSON has not.
        let statement: Statement = serde_json::from_value(statement.clone()).unwrap();
        let text = statement.text();
        let path = self.repo.home().join("statement");
        fs::write(&path, &text).unwrap();
        let (key, shown) = (self.key(who).display().to_string(), path.display().to_string());
        let namespace = format!("{kind}@shipway");
        let _ = fs::remove_file(path.with_extension("sig"));
        let made = self.run("ssh-keygen", &["-q", "-Y", "sign", "-f", &key, "-n", &namespace, &shown]);
        assert!(made.status.success(), "{}", said(&made));
        let signature = fs::read_to_string(path.with_extension("sig")).unwrap();
        let event = if kind == "check" { "checked" } else { kind };
        let record = serde_json::json!({
            "v": 1, "at": at, "by": who, "event": { "type": event }, "signed": { "text": text, "signature": signature },
        });
        let file = self.repo.home().join("event.json");
        fs::write(&file, record.to_string()).unwrap();
        let blob = self.ok(&["hash-object", "-w", &file.display().to_string()]);
        let script = format!("printf '100644 blob {blob}\\tevent.json\\n' | git mktree");
        let tree = self.run("sh", &["-c", &script]);
        let tree = String::from_utf8_lossy(&tree.stdout).trim().to_owned();
        self.ok(&["commit-tree", "-m", "event", "-p", parent, &tree])
    }
}

/// Returns a ticket of somebody that is right in everything but what it is for.
pub(crate) fn ticket(stage: &Stage, reference: &str, (old, new): (&str, &str), reason: &Value) -> Value {
    let about = stage.json("ann", &["policy", "show"]);
    let now = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap();
    let soon = Time(u64::try_from(now.as_millis()).unwrap() + 60_000);
    let digest = about["digest"].as_str().map_or_else(|| digest(stage), str::to_owned);
    json!({
        "statement": "ticket", "repository": "app", "ref": reference, "old": old, "new": new, "policy": digest,
        "reason": reason, "checks": ["whole"], "expires": soon, "nonce": "n",
    })
}

/// Returns the policy that the guard names in a ticket of its own making.
fn digest(stage: &Stage) -> String {
    let events = stage.events("refs/shipway/landings");
    let text = events.iter().find_map(|record| record["signed"]["text"].as_str()).unwrap();
    serde_json::from_str::<Value>(text).unwrap()["policy"].as_str().unwrap().to_owned()
}

/// Returns a stage on whose main branch one change has landed.
#[track_caller]
pub(crate) fn landed(policy: &str) -> Option<Stage> {
    let stage = Stage::with(policy)?;
    stage.work("ann", "feature/first", "first");
    stage.propose("ann", "main", &[]);
    stage.did("ben", &["change", "approve", "1"]);
    stage.did("ann", &["change", "land", "1"]);
    stage.ok(&["fetch", "-q", "origin"]);
    Some(stage)
}
