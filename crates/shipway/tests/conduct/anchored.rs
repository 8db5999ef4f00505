//! Checkpoints on a remote: what is written to the journal is vouched for elsewhere as soon as a command ends.

use std::fs;
use std::path::Path;
use std::process::Command;

use crate::stage::{QUIET, Stage};

/// Returns a stage whose journal is anchored on a remote.
fn anchored(remote: &str) -> Stage {
    let stage = Stage::new(&format!("{QUIET}[journal]\nanchor = \"{remote}\"\n"));
    change(&stage, "greet");
    stage
}

fn change(stage: &Stage, name: &str) {
    stage.repo.file(name, "hello\n");
    stage.repo.commit(&format!("feat: {name}"));
}

/// Returns how many checkpoints the remote holds.
fn kept(stage: &Stage) -> String {
    stage.repo.git(["fetch", "-q", "origin", "+refs/shipway/checkpoints/*:refs/there/*"]);
    stage.repo.git(["rev-list", "--count", "--glob=refs/there/*"])
}

#[test]
fn every_command_that_writes_to_the_journal_leaves_a_checkpoint_on_the_remote() {
    let stage = anchored("origin");
    stage.code(0, &["push"]);
    assert_eq!(kept(&stage).trim(), "1");
    stage.code(0, &["rollback"]);
    assert_eq!(kept(&stage).trim(), "2");

    // Nothing here vouches for the journal any more: the remote does, for all of it.
    fs::remove_file(stage.state().join("checkpoints")).unwrap();
    let refs = stage.repo.git(["for-each-ref", "--format=%(refname)", "refs/shipway/checkpoints"]);
    for name in refs.lines() {
        stage.repo.git(["update-ref", "-d", name]);
    }
    let told = stage.code(0, &["log", "--verify", "--remote"]);
    told.says(&["anchored by origin, refs/shipway/checkpoints/"]);
    assert!(!told.out.contains("unanchored"), "{}", told.out);

    // The list goes on where it was, although this clone had forgotten it.
    change(&stage, "more");
    stage.code(0, &["push"]);
    assert_eq!(kept(&stage).trim(), "3");
}

#[test]
fn a_run_does_not_fail_for_want_of_an_anchor_and_says_so() {
    let stage = anchored("/nowhere/anchors.git");
    stage.code(0, &["push"]).says(&[
        "SW0711",
        "/nowhere/anchors.git",
        "does not appear to be a git repository",
    ]);
    stage.code(0, &["log", "--verify"]).says(&["none is missing or changed"]);
}

#[test]
fn a_journal_that_was_cut_is_found_however_many_checkpoints_follow() {
    let stage = anchored("origin");
    stage.code(0, &["push"]);
    let (journal, kept) = (stage.state(), stage.home("kept"));
    copy(&journal, &kept);
    change(&stage, "more");
    stage.code(0, &["push"]);
    change(&stage, "most");
    stage.code(0, &["push"]);
    fs::remove_dir_all(&journal).unwrap();
    copy(&kept, &journal);
    stage.code(5, &["log", "--verify", "--remote"]).says(&["SW0708"]);
    // What goes on from there lays a shorter checkpoint over the long one.
    change(&stage, "further");
    stage.code(0, &["push"]);
    let told = stage.run(&["log", "--verify", "--remote"]);
    told.assert_code(5);
    assert!(["SW0708", "SW0709", "SW0710"].iter().any(|code| told.all().contains(code)), "{}", told.all());
}

fn copy(from: &Path, to: &Path) {
    let status = Command::new("cp").arg("-a").arg(from).arg(to).status().unwrap();
    assert!(status.success());
}
