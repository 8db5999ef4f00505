//! Keys that were stolen: what they signed since the theft counts no more, also where that became known later.

use shipway_core::time::Time;

use crate::stage::{POLICY, Stage, said};

/// Lands a change that revokes ben's key from a time on, without ben.
#[track_caller]
fn revoke(stage: &Stage, number: &str, from: Time, reason: &str) {
    let public = stage.key("ben").with_extension("pub").display().to_string();
    let shown = stage.run("ssh-keygen", &["-l", "-f", &public]);
    let shown = said(&shown);
    let name = shown.split(' ').nth(1).unwrap();
    stage.ok(&["fetch", "-q", "origin"]);
    stage.ok(&["checkout", "-q", "-B", &format!("revoke-{number}"), "origin/main"]);
    stage.repo.file(".shipway/revoked_keys", format!("{name} {from} {reason}\n"));
    stage.repo.commit("ci: revoke a key");
    stage.propose("ann", "main", &[]);
    stage.did("cem", &["change", "approve", number]);
    stage.did("ann", &["change", "land", number]);
}

#[test]
fn a_theft_that_becomes_known_later_is_held_against_what_has_landed() {
    let Some(stage) = Stage::with(POLICY) else { return };
    stage.work("ann", "feature/x", "x");
    stage.propose("ann", "main", &[]);
    stage.did("ben", &["change", "approve", "1"]);
    stage.did("ann", &["change", "land", "1"]);
    let landed = stage.tip("main");
    let now = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap();
    let now = u64::try_from(now.as_millis()).unwrap();

    revoke(&stage, "2", Time(now + 3_600_000), "leaves in an hour");
    let proven = stage.did("cem", &["verify", "main"]);
    assert!(proven.contains("approved by ben"), "{proven}");

    revoke(&stage, "3", Time(now - 3_600_000), "stolen an hour ago");
    let no = stage.refused("cem", &["verify", "main"], 1);
    assert!(no.contains(&landed[..12]) && no.contains("approvals"), "{no}");
    assert!(!no.contains(&stage.tip("main")[..12]), "what cem has approved is not accused: {no}");
}
