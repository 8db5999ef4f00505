//! Who may approve what, and for how long a word holds.

use crate::stage::Stage;

#[track_caller]
fn waits(stage: &Stage, dir: &std::path::Path, number: &str) {
    let before = stage.tip("main");
    let said = stage.code(dir, "ben", 3, &["change", "land", number, &stage.key("ben")]);
    assert!(said.contains("SW1102: ") || said.contains("SW1102]"), "{said}");
    assert!(said.contains("approvals"), "{said}");
    assert_eq!(stage.tip("main"), before);
}

#[test]
fn a_pure_rebase_keeps_an_approval_and_a_new_commit_ends_it() {
    let stage = Stage::new();
    let clone = stage.clone_of("ann", "ann-clone");
    stage.propose(&clone, "ann", "one", &[]);
    stage.approve(&clone, "ben", "1");
    let other = stage.clone_of("cat", "cat-clone");
    stage.propose(&other, "cat", "two", &[]);
    stage.approve(&other, "ben", "2");
    stage.ship(&other, "ben", &["change", "land", "2", &stage.key("ben")]);

    stage.git(&clone, "ann", &["fetch", "-q", "origin"]);
    stage.git(&clone, "ann", &["rebase", "-q", "origin/main"]);
    let said = stage.git(&clone, "ann", &["push", "origin", "HEAD:refs/for/main", "-o", "change=1"]);
    assert!(said.contains("change 1, version 2: a pure rebase: approvals stay"), "{said}");
    assert!(stage.ship(&clone, "ann", &["change", "show", "1"]).contains("approved by ben"));

    let said = stage.propose(&clone, "ann", "three", &["change=1"]);
    assert!(said.contains("version 3: approvals of older versions count no more"), "{said}");
    waits(&stage, &clone, "1");
    stage.approve(&clone, "ben", "1");
    stage.ship(&clone, "ben", &["change", "land", "1", &stage.key("ben")]);
}

#[test]
fn a_retarget_ends_every_approval() {
    let stage = Stage::new();
    let clone = stage.clone_of("ann", "clone");
    stage.propose(&clone, "ann", "one", &[]);
    stage.approve(&clone, "ben", "1");
    stage.ship(&clone, "ann", &["change", "retarget", "1", "develop"]);
    stage.ship(&clone, "ann", &["change", "retarget", "1", "main"]);
    waits(&stage, &clone, "1");
}

#[test]
fn authors_contributors_and_agents_do_not_count() {
    let stage = Stage::new();
    let clone = stage.clone_of("ann", "clone");
    stage.propose(&clone, "ann", "one", &[]);
    stage.approve(&clone, "ann", "1");
    waits(&stage, &clone, "1");
    // Cat had a part in the second version, under the login of Ann.
    std::fs::write(clone.join("two"), "two\n").unwrap();
    stage.git(&clone, "cat", &["add", "."]);
    stage.git(&clone, "cat", &["commit", "-qm", "feat: two"]);
    stage.git(&clone, "ann", &["push", "-q", "origin", "HEAD:refs/for/main", "-o", "change=1"]);
    stage.approve(&clone, "cat", "1");
    waits(&stage, &clone, "1");
    let said = stage.code(&clone, "bot", 1, &["change", "approve", "1", &stage.key("bot")]);
    assert!(said.contains("bot is no person of the policy"), "{said}");
    waits(&stage, &clone, "1");
    let said = stage.code(&clone, "eve", 1, &["change", "approve", "1", &stage.key("eve")]);
    assert!(said.contains("SW1127"), "{said}");
    stage.approve(&clone, "ben", "1");
    stage.ship(&clone, "ben", &["change", "land", "1", &stage.key("ben")]);
}

#[test]
fn a_request_for_changes_keeps_a_change_from_landing_until_it_is_taken_back() {
    let stage = Stage::new();
    let clone = stage.clone_of("ann", "clone");
    stage.propose(&clone, "ann", "one", &[]);
    stage.approve(&clone, "ben", "1");
    stage.ship(&clone, "cat", &["change", "review", "1", "--request-changes", "not yet", &stage.key("cat")]);
    let said = stage.code(&clone, "ben", 3, &["change", "land", "1", &stage.key("ben")]);
    assert!(said.contains("objection: cat asks for changes"), "{said}");
    stage.ship(&clone, "cat", &["change", "review", "1", "--withdraw", &stage.key("cat")]);
    stage.ship(&clone, "ben", &["change", "land", "1", &stage.key("ben")]);
}

#[test]
fn owners_of_a_path_must_be_among_those_who_approve() {
    let stage = Stage::new();
    let clone = stage.clone_of("ann", "clone");
    std::fs::write(clone.join("CODEOWNERS"), "/core/ @cat\n").unwrap();
    stage.git(&clone, "ann", &["add", "."]);
    stage.git(&clone, "ann", &["commit", "-qm", "docs: who owns what"]);
    stage.git(&clone, "ann", &["push", "-q", "origin", "HEAD:refs/for/main"]);
    stage.approve(&clone, "ben", "1");
    stage.ship(&clone, "ben", &["change", "land", "1", &stage.key("ben")]);
    stage.git(&clone, "ann", &["fetch", "-q"]);
    stage.git(&clone, "ann", &["reset", "-q", "--hard", "origin/main"]);
    std::fs::create_dir(clone.join("core")).unwrap();
    stage.propose(&clone, "ann", "core/a", &[]);
    stage.approve(&clone, "ben", "2");
    let said = stage.code(&clone, "ben", 3, &["change", "land", "2", &stage.key("ben")]);
    assert!(said.contains("owners: no owner of core/a has approved"), "{said}");
    stage.approve(&clone, "cat", "2");
    stage.ship(&clone, "ben", &["change", "land", "2", &stage.key("ben")]);
}
