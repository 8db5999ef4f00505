//! A guard that is killed when a branch has moved: what was not written down is made good by whoever comes next.

use std::fs;
use std::os::unix::fs::PermissionsExt as _;

use serde_json::Value;

use crate::stage::{POLICY, Stage, said};

/// The hook that writes down what has landed.
fn hook(stage: &Stage) -> std::path::PathBuf {
    stage.bare.join("shipway/hooks/post-receive")
}

/// Lands change 1 with a guard that is killed before it has written that down; returns the hook as it was.
fn land_and_die(stage: &Stage) -> String {
    stage.work("ann", "feature/x", "x");
    stage.propose("ann", "main", &[]);
    stage.did("ben", &["change", "approve", "1"]);
    let text = fs::read_to_string(hook(stage)).unwrap();
    fs::write(hook(stage), "#!/bin/sh\nkill -9 $$\n").unwrap();
    assert_eq!(fs::metadata(hook(stage)).unwrap().permissions().mode() & 0o111, 0o111);
    stage.did("ann", &["change", "land", "1", "--no-back"]);
    assert_eq!(stage.there(&["log", "-1", "--format=%s", "main"]), "Merge change 1: feat: x");
    text
}

/// Returns how many records of a log are of a kind.
fn count(stage: &Stage, log: &str, kind: &str) -> usize {
    stage.events(log).iter().filter(|record: &&Value| record["event"]["type"] == kind).count()
}

#[test]
fn a_landing_that_was_cut_off_is_written_down_by_the_next_push() {
    let policy = POLICY.replace("schema = 1", "schema = 1\npreset = \"gitflow\"");
    let Some(stage) = Stage::with(&policy) else { return };
    let text = land_and_die(&stage);
    let log = "refs/shipway/changes/1/log";
    let landed = stage.tip("main");
    assert_eq!((count(&stage, log, "landed"), count(&stage, "refs/shipway/landings", "owed")), (0, 0));
    fs::write(hook(&stage), text).unwrap();

    // Whoever lands it once more is told; no empty merge comes on top.
    let no = stage.shipway("ann", &["change", "land", "1", "--no-back"]);
    assert!(!no.status.success() && said(&no).contains("has landed already"), "{}", said(&no));
    assert_eq!(stage.tip("main"), landed);
    let shown = stage.json("cem", &["change", "show", "1"]);
    assert_eq!(shown["state"], "landed", "{shown}");
    assert_eq!((count(&stage, log, "landed"), count(&stage, "refs/shipway/landings", "owed")), (1, 1));

    // Once is enough.
    stage.work("ann", "feature/y", "y");
    assert!(stage.push("ann", &["HEAD:refs/heads/feature/y"]).status.success());
    assert_eq!((count(&stage, log, "landed"), count(&stage, "refs/shipway/landings", "owed")), (1, 1));
    assert_eq!(fs::read_dir(stage.bare.join("shipway/moving")).unwrap().count(), 0);
}
