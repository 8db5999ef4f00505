//! Versions: what makes one, and which of them an approval still holds for.

use crate::stage::{Stage, said};

fn approvals(stage: &Stage, number: &str) -> usize {
    stage.json("cem", &["change", "show", number])["approvals"].as_array().unwrap().len()
}

#[test]
fn a_pure_rebase_keeps_approvals_and_anything_else_drops_them() {
    let Some(stage) = Stage::new() else { return };
    stage.work("ann", "feature/other", "other");
    stage.propose("ann", "main", &[]);
    stage.work("ann", "feature/x", "x");
    stage.propose("ann", "main", &["title=feat: x"]);
    for number in ["1", "2"] {
        stage.did("ben", &["change", "approve", number]);
    }
    stage.did("ann", &["change", "land", "1"]);

    stage.ok(&["fetch", "-q", "origin"]);
    stage.ok(&["rebase", "-q", "origin/main"]);
    let told = stage.propose("ann", "main", &["change=2"]);
    assert!(told.contains("change 2, version 2: a pure rebase"), "{told}");
    assert_eq!(approvals(&stage, "2"), 1);

    stage.commit("ann", "y", "feat: y");
    let told = stage.propose("ann", "main", &["change=2"]);
    assert!(told.contains("change 2, version 3: approvals of older versions count no more"), "{told}");
    assert_eq!(approvals(&stage, "2"), 0);
    let waits = stage.refused("ann", &["change", "land", "2"], 3);
    assert!(waits.contains("0 of 1 approvals"), "{waits}");
}

#[test]
fn the_same_lines_in_another_place_are_no_pure_rebase() {
    let Some(stage) = Stage::new() else { return };
    // Two places that look alike: a patch id does not say which of them is changed.
    let block = "begin\n1\n2\n3\nend\n";
    stage.ok(&["checkout", "-q", "-B", "feature/base", "origin/main"]);
    stage.repo.file("code", format!("top\n{block}middle\n{block}bottom\n"));
    stage.commit("ann", "z", "feat: two places");
    stage.propose("ann", "main", &[]);
    stage.did("ben", &["change", "approve", "1"]);
    stage.did("ann", &["change", "land", "1"]);
    let changed = block.replace("2\n", "2\nextra\n");
    let mut patches = vec![];
    for (branch, text) in [
        ("feature/first", format!("top\n{changed}middle\n{block}bottom\n")),
        ("feature/second", format!("top\n{block}middle\n{changed}bottom\n")),
    ] {
        stage.ok(&["fetch", "-q", "origin"]);
        stage.ok(&["checkout", "-q", "-B", branch, "origin/main"]);
        stage.repo.file("code", text);
        stage.ok(&["commit", "-q", "-a", "-m", "feat: an extra"]);
        let options: &[&str] = if patches.is_empty() { &[] } else { &["change=2"] };
        patches.push(stage.propose("ann", "main", options));
        if patches.len() == 1 {
            stage.did("ben", &["change", "approve", "2"]);
            assert_eq!(approvals(&stage, "2"), 1);
        }
    }
    assert!(patches[1].contains("approvals of older versions count no more"), "{}", patches[1]);
    assert_eq!(approvals(&stage, "2"), 0);
}

#[test]
fn a_retarget_drops_approvals_for_good_and_counts_who_has_a_part_anew() {
    let Some(stage) = Stage::new() else { return };
    // What develop has and main has not is by cem.
    stage.work("cem", "feature/dev", "dev");
    stage.propose("cem", "develop", &[]);
    stage.did("ben", &["change", "approve", "1"]);
    stage.did("cem", &["change", "land", "1"]);
    stage.ok(&["fetch", "-q", "origin"]);
    stage.ok(&["checkout", "-q", "-B", "feature/x", "origin/develop"]);
    stage.commit("ann", "x", "feat: x");
    stage.propose("ann", "develop", &[]);
    stage.did("cem", &["change", "approve", "2"]);
    assert_eq!(approvals(&stage, "2"), 1);

    stage.did("ann", &["change", "retarget", "2", "main"]);
    assert_eq!(approvals(&stage, "2"), 0);
    let told = stage.did("cem", &["change", "approve", "2"]);
    assert!(told.contains("cem has a part in change 2"), "{told}");
    let waits = stage.refused("ann", &["change", "land", "2"], 3);
    assert!(waits.contains("0 of 1 approvals") && waits.contains("not cem"), "{waits}");
    stage.did("ann", &["change", "retarget", "2", "develop"]);
    assert_eq!(approvals(&stage, "2"), 0, "an approval does not come back");
    stage.refused("ann", &["change", "retarget", "2", "nowhere"], 1);
}

#[test]
fn a_push_finds_its_change_by_option_trailer_source_and_history() {
    let Some(stage) = Stage::new() else { return };
    stage.work("ann", "feature/x", "x");
    stage.propose("ann", "main", &["title=feat: x"]);
    let told = stage.propose("ann", "main", &[]);
    assert!(told.contains("change 1 has this version already"), "{told}");
    stage.commit("ann", "y", "feat: y");
    let told = stage.propose("ann", "main", &[]);
    assert!(told.contains("change 1, version 2"), "it is ahead of version 1: {told}");

    stage.work("ann", "feature/other", "other");
    assert!(stage.propose("ann", "main", &[]).contains("change 2 for main"));
    stage.ok(&["commit", "-q", "--amend", "-m", "feat: other\n\nChange: 2"]);
    assert!(stage.propose("ann", "main", &[]).contains("change 2, version 2"));

    stage.work("ann", "feature/source", "source");
    assert!(stage.push("ann", &["HEAD:refs/heads/feature/source"]).status.success());
    assert!(stage.propose("ann", "main", &[]).contains("change 3 for main"));
    stage.ok(&["commit", "-q", "--amend", "-m", "feat: another message"]);
    assert!(stage.push("ann", &["-f", "HEAD:refs/heads/feature/source"]).status.success());
    assert!(stage.propose("ann", "main", &[]).contains("change 3, version 2"));
    // What somebody else pushes from there is a change of their own, unless it says so.
    stage.ok(&["commit", "-q", "--amend", "-m", "feat: a third message"]);
    assert!(stage.push("ben", &["-f", "HEAD:refs/heads/feature/source"]).status.success());
    assert!(stage.propose("ben", "main", &[]).contains("change 4 for main"));
    for old in ["1/1", "1/2", "2/1", "3/1", "3/2"] {
        stage.tip(&format!("refs/shipway/changes/{old}"));
    }
    let no = stage.push("ann", &["-o", "change=9", "HEAD:refs/for/main"]);
    assert!(!no.status.success() && said(&no).contains("there is no change request 9"), "{}", said(&no));
    let no = stage.push("ann", &["-o", "change=1", "HEAD:refs/for/develop"]);
    assert!(said(&no).contains("change 1 is not open for develop"), "{}", said(&no));
}

#[test]
fn a_version_from_elsewhere_does_not_land_by_the_rules_for_its_first_source() {
    let policy = crate::stage::POLICY.replace("from = [\"*\"]", "from = [\"hotfix/*\"]");
    let Some(stage) = Stage::with(&policy) else { return };
    stage.work("ann", "hotfix/x", "x");
    assert!(stage.push("ann", &["HEAD:refs/heads/hotfix/x"]).status.success());
    stage.propose("ann", "main", &[]);
    stage.did("ben", &["change", "approve", "1"]);
    assert_eq!(stage.json("ann", &["change", "show", "1"])["missing"].as_array().unwrap().len(), 0);
    stage.commit("ann", "y", "feat: from elsewhere");
    stage.propose("ann", "main", &["change=1"]);
    stage.did("ben", &["change", "approve", "1"]);
    let no = stage.refused("ann", &["change", "land", "1"], 1);
    assert!(no.contains("source-branch"), "{no}");
}
