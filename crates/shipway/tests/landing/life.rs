//! A change request from plain git to a proven landing.

use crate::stage::{Stage, lines};

#[test]
fn a_change_is_proposed_with_plain_git_reviewed_approved_landed_and_proven() {
    let Some(stage) = Stage::new() else { return };
    let before = stage.tip("main");
    stage.work("ann", "feature/x", "x");
    let told = stage.propose("ann", "main", &["title=feat: an x"]);
    assert!(told.contains("change 1 for main: feat: an x"), "{told}");
    assert!(told.contains("shipway change show 1") && told.contains("shipway change land 1"), "{told}");

    let waits = stage.refused("ann", &["change", "land", "1"], 3);
    assert!(waits.contains("0 of 1 approvals") && waits.contains("shipway change approve 1"), "{waits}");
    assert_eq!(stage.tip("main"), before);
    assert!(lines(&stage.seen()).is_empty(), "checks do not run before the approvals are there");

    stage.did("ben", &["change", "approve", "1"]);
    let shown = stage.json("cem", &["change", "show", "1"]);
    assert_eq!(shown["missing"].as_array().unwrap().len(), 0, "{shown}");
    let landed = stage.did("ann", &["change", "land", "1"]);
    assert!(landed.contains("landed change 1 on main"), "{landed}");
    let now = stage.tip("main");
    assert_eq!(stage.tip("main^1"), before);
    assert_eq!(lines(&stage.seen()), [now.as_str()], "the check has seen the very commit that landed");
    let shown = stage.json("cem", &["change", "show", "1"]);
    assert_eq!(shown["state"], "landed", "{shown}");

    let proven = stage.did("cem", &["verify", "main"]);
    assert!(proven.contains("approved by ben, landed by ann"), "{proven}");
}
