//! Checks that somebody else than the lander runs: a job of CI, which signs for the very commit that lands.

use std::fs;

use serde_json::json;
use shipway_core::time::Time;

use crate::stage::{POLICY, Stage, lines, said};

/// Returns an approved change on a main for whose checks only bot's word counts.
fn approved() -> Option<Stage> {
    let stage =
        Stage::with(&POLICY.replace("checks = [\"whole\"]", "checks = [\"whole\"]\nrunners = [\"bot\"]"))?;
    stage.work("ann", "feature/x", "x");
    stage.propose("ann", "main", &[]);
    stage.did("ben", &["change", "approve", "1"]);
    Some(stage)
}

#[test]
fn a_runner_signs_for_the_very_commit_that_lands() {
    let Some(stage) = approved() else { return };
    let waits = stage.refused("ann", &["change", "land", "1"], 3);
    assert!(waits.contains("check whole is missing") && waits.contains("shipway change check 1"), "{waits}");
    let no = stage.refused("ann", &["change", "check", "1"], 1);
    assert!(no.contains("ann vouches for no check of main") && no.contains("bot"), "{no}");
    assert_eq!(lines(&stage.seen()), [""; 0]);

    let checked = stage.json("bot", &["change", "check", "1"]);
    assert_eq!(checked["passed"], true, "{checked}");
    assert_eq!(checked["checks"][0]["name"], "whole", "{checked}");
    let landed = stage.did("ann", &["change", "land", "1"]);
    assert!(landed.contains("landed change 1"), "{landed}");
    assert_eq!(json!(stage.tip("main")), checked["commit"]);
    assert_eq!(lines(&stage.seen()), [stage.tip("main")], "bot ran it, and nobody else");
    let proven = stage.did("cem", &["verify", "main"]);
    assert!(proven.contains("approved by ben, landed by ann"), "{proven}");
    let left = fs::read_dir(stage.repo.path().join(".git/shipway")).unwrap();
    let left: Vec<String> = left.map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
    assert!(!left.iter().any(|name| name.starts_with("check-")), "{left:?}");
}

#[test]
fn what_was_checked_on_an_older_target_is_checked_again() {
    let Some(stage) = approved() else { return };
    stage.did("bot", &["change", "check", "1"]);
    stage.work("ann", "feature/y", "y");
    stage.propose("ann", "main", &[]);
    stage.did("ben", &["change", "approve", "2"]);
    stage.did("bot", &["change", "check", "2"]);
    stage.did("ann", &["change", "land", "2"]);
    let waits = stage.refused("ann", &["change", "land", "1"], 3);
    assert!(waits.contains("check whole is missing"), "{waits}");
    stage.did("bot", &["change", "check", "1"]);
    stage.did("ann", &["change", "land", "1"]);
}

#[test]
fn the_newest_word_of_a_runner_counts_and_nobody_elses() {
    let Some(stage) = approved() else { return };
    // The check cannot write down what it has seen, and fails.
    fs::create_dir(stage.seen()).unwrap();
    let failed = stage.refused("bot", &["change", "check", "1"], 1);
    assert!(failed.contains("whole failed") && failed.contains("ended with code"), "{failed}");
    let no = stage.refused("ann", &["change", "land", "1"], 1);
    assert!(no.contains("check whole has not passed") && no.contains("it failed, says bot"), "{no}");
    fs::remove_dir(stage.seen()).unwrap();
    let checked = stage.json("bot", &["change", "check", "1"]);

    // Neither a no of somebody who runs nothing stands in the way, nor does a yes help.
    let result = |commit: &serde_json::Value, passed: bool| {
        let now = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap();
        json!({
            "statement": "check", "repository": "app", "commit": commit, "check": "whole", "passed": passed,
            "log": "ab".repeat(32), "at": Time(u64::try_from(now.as_millis()).unwrap()),
        })
    };
    let head = stage.repo.head();
    let no = result(&checked["commit"], false);
    let sent = stage.send_signed("cem", "check", &no, (&head, "refs/events/changes/1"));
    assert!(sent.status.success(), "{}", said(&sent));
    stage.did("ann", &["change", "land", "1"]);

    stage.work("ann", "feature/y", "y");
    stage.propose("ann", "main", &[]);
    stage.did("ben", &["change", "approve", "2"]);
    let yes = result(&json!(stage.repo.head()), true);
    let sent = stage.send_signed("cem", "check", &yes, (&stage.repo.head(), "refs/events/changes/2"));
    assert!(sent.status.success(), "{}", said(&sent));
    let waits = stage.refused("ann", &["change", "land", "2", "--method", "fast-forward"], 3);
    assert!(waits.contains("check whole is missing"), "{waits}");
}
