//! Two processes in one repository: who drives, who is told so, and who may stop it.

use std::fs;

use rustix::process::Signal;

use crate::stage::{Stage, home_gate, lives, wait_for};

fn slow_check() -> (Stage, crate::stage::Running) {
    let stage = Stage::check(&home_gate("check"));
    let first = stage.start(&["push"]);
    stage.reached("check");
    (stage, first)
}

#[test]
fn a_second_push_ends_at_once_and_says_who_drives() {
    let (stage, first) = slow_check();
    let run = stage.last_run();
    let second = stage.code(1, &["push"]);
    second.says(&[
        "SW0705",
        "Ann Author",
        &format!("process {}", first.pid().as_raw_nonzero()),
        &format!("drives run {run} since 20"),
        &format!("shipway log {run}\n"),
        &format!("shipway abort {run}\n"),
    ]);
    for args in [&["resume"][..], &["rollback"], &["resume", &run]] {
        stage.code(1, args).says(&["SW0705", &run]);
    }
    stage.open("check");
    first.end().assert_code(0);
    stage.assert_shipped();
}

#[test]
fn every_hint_about_a_held_lease_is_a_command_that_works() {
    let (stage, first) = slow_check();
    let second = stage.code(1, &["push"]);
    let hints: Vec<&str> =
        second.err.lines().filter_map(|line| line.split_once("shipway ")).map(|at| at.1).collect();
    let (abort, others): (Vec<_>, Vec<_>) = hints.into_iter().partition(|hint| hint.starts_with("abort"));
    assert!(!others.is_empty() && abort.len() == 1, "{second:?}");
    for hint in others.iter().filter(|hint| hint.starts_with("log") || hint.starts_with("status")) {
        stage.code(0, &hint.split_whitespace().collect::<Vec<_>>());
    }
    stage.open("check");
    first.end().assert_code(0);
}

#[test]
fn a_run_in_progress_is_shown_as_driven() {
    let (stage, first) = slow_check();
    let run = stage.last_run();
    stage.code(0, &["status"]).says(&[&run, "open", &format!("stop it: shipway abort {run}")]);
    for args in [&["log"][..], &["log", &run]] {
        stage.code(0, args).says(&["still going on", &format!("stop it: shipway abort {run}")]);
    }
    let value: serde_json::Value = serde_json::from_str(&stage.code(0, &["status", "--json"]).out).unwrap();
    assert_eq!(value["driven"], true);
    stage.open("check");
    first.end().assert_code(0);
    let after = stage.code(0, &["log", &run]);
    assert!(!after.all().contains("still going on"), "{after:?}");
}

#[test]
fn an_abort_from_another_terminal_stops_the_run_when_its_hook_has_ended() {
    let stage = Stage::new(crate::stage::QUIET);
    stage.repo.hook("pre-commit", &home_gate("hook"));
    let before = stage.repo.state();
    let first = stage.start(&["push"]);
    stage.reached("hook");
    let run = stage.last_run();
    let abort = stage.start(&["abort", &run[..4]]);
    abort.said("asked process");
    stage.open("hook");
    abort.end().assert_code(0).says(&[
        &format!("stopped: run {run}"),
        &format!("shipway rollback {run}"),
        &format!("shipway resume {run}"),
    ]);
    first.end().assert_code(3).says(&[&format!("shipway resume {run}"), &format!("shipway rollback {run}")]);
    stage.code(0, &["rollback"]);
    before.assert_same(&stage.repo.state());
}

#[test]
fn an_abort_needs_a_run_that_is_driven() {
    let stage = Stage::check(&home_gate("check"));
    stage.code(10, &["abort"]).says(&["SW0807", "no run is open"]);
    stage.code(2, &["abort", "abcd"]).says(&["SW0803", "no run abcd"]);
    let first = stage.start(&["push"]);
    stage.reached("check");
    let run = stage.last_run();
    stage.code(2, &["abort", "zzzz"]).says(&["SW0803", &format!("shipway abort {run}")]);
    first.signal(Signal::KILL);
    first.end();
    stage.open("check");
    wait_for("the end of the check", || !lives(&stage.home("check.in")));
    stage.code(10, &["abort"]).says(&["SW0807", "no process drives", &format!("shipway resume {run}")]);
    stage.code(0, &["resume"]);
    stage.assert_shipped();
}

#[test]
fn an_orphan_keeps_the_lock_and_abort_says_so() {
    let stage = Stage::check(&home_gate("check"));
    let before = stage.repo.state();
    let first = stage.start(&["push"]);
    stage.reached("check");
    let run = stage.last_run();
    first.signal(Signal::KILL);
    first.end();
    assert!(lives(&stage.home("check.in")));
    stage.code(1, &["abort"]).says(&["SW0705", "a child left behind by process", "which is dead", &run]);
    let rollback = stage.start(&["rollback"]);
    rollback.said("waiting for a command that a dead process left behind");
    stage.open("check");
    rollback.end().assert_code(0);
    before.assert_same(&stage.repo.state());
    assert!(fs::metadata(stage.state()).unwrap().is_dir());
}
