//! The evaluator and the reader, by tables: what is asked, and the rules that refuse it.

mod cases;
mod contents;
mod corpus;
mod landings;
mod laws;
mod reading;

use super::*;
use crate::time::Time;

const NOW: Time = Time(1_000_000);
const DIGEST: &str = "the policy in force";

/// The policy of most cases: three people, two agents, and every kind of rule.
const TEAM: &str = r#"
preset = "gitflow"
policy-owners = ["maintainers"]

[person.anna]
email = ["anna@example.org", "anna@home.example"]
login = ["anna", "anna-2"]
[person.boris]
email = ["boris@example.org"]
[person.carla]
[agent.bot]
login = ["bot"]
[agent.ci]

[group.maintainers]
members = ["anna", "carla"]

[branch.main]
approvals = 1
checks = ["test"]
runners = ["ci"]
release = ["maintainers"]
break-glass = ["carla"]

[branch.release]
delete = ["maintainers"]
"#;

fn policy(text: &str) -> Policy {
    read(text, PATH).unwrap_or_else(|problems| panic!("{problems:?}\n{text}"))
}

/// Returns the object id that consists of one letter.
fn id(letter: &str) -> String {
    if letter.is_empty() { String::new() } else { letter.repeat(40) }
}

/// Returns an update from one object to another; a dot for none.
fn update(name: &str, old: &str, new: &str) -> Update {
    let [old, new] = [old, new].map(|letter| id(letter.trim_matches('.')));
    let kind = match (old.is_empty(), new.is_empty()) {
        (_, true) => UpdateKind::Delete,
        (true, false) => UpdateKind::Create,
        (false, false) => UpdateKind::Forward,
    };
    let commit = Commit {
        id: new.clone(),
        parents: vec![old.clone()],
        message: b"fix: a thing\n".to_vec(),
        ..Commit::default()
    };
    let commits = if kind == UpdateKind::Forward { vec![commit] } else { vec![] };
    Update { name: name.into(), current: old.clone(), old, new, kind, commits, ..Update::default() }
}

fn by(login: &str, updates: Vec<Update>) -> Facts {
    let by = Identity { login: login.to_owned(), how: "test".to_owned() };
    let refs = ["refs/heads/main", "refs/heads/develop", "refs/heads/feature/x", "refs/tags/v1.0.0"];
    Facts {
        by: (!login.is_empty()).then_some(by),
        now: NOW,
        policy: DIGEST.to_owned(),
        refs: refs.iter().map(|name| name.as_bytes().to_vec()).collect(),
        updates,
    }
}

/// Checks the rules that refuse, each once, in order; and that every refusal has a reason and a remedy.
#[track_caller]
fn check(policy: &Policy, facts: &Facts, expected: &[Rule]) {
    let verdicts = evaluate(policy, facts);
    for verdict in &verdicts {
        assert!(
            !verdict.hints.is_empty() && verdict.hints.iter().all(|hint| !hint.is_empty()),
            "{verdict:?}"
        );
        assert!(!verdict.what.is_empty() && !verdict.what.contains('\n'), "{verdict:?}");
    }
    let mut rules: Vec<Rule> = verdicts.iter().map(|verdict| verdict.rule).collect();
    rules.sort();
    rules.dedup();
    let mut expected = expected.to_vec();
    expected.sort();
    assert_eq!(rules, expected, "{verdicts:#?}");
}
