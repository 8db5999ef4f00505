//! Signals: the first stops at a safe point, the second at once, and either way the run can be resumed or taken back.

use std::fs;
use std::path::{Path, PathBuf};

use rustix::process::{Signal, kill_process};
use shipway_testkit::skip::skip;

use crate::stage::{QUIET, Running, Stage, finish, gate, home_gate, lives, text, wait_for};

/// What is slow.
#[derive(Clone, Copy, Debug)]
enum Slow {
    Check,
    Hook,
    Push,
}

fn stage(slow: Slow) -> Stage {
    let config = if matches!(slow, Slow::Check) {
        crate::stage::check("test", &format!("echo before; {}; echo after", home_gate("slow")))
    } else {
        QUIET.into()
    };
    let stage = Stage::new(&config);
    match slow {
        Slow::Check => {}
        Slow::Hook => {
            stage.repo.hook("pre-commit", &format!("echo before; {}", home_gate("slow")));
        }
        Slow::Push => {
            stage.remote.hook("pre-receive", &gate(stage.repo.home(), "slow"));
        }
    }
    stage
}

/// Asserts that a run stopped at a safe point, and says how to go on.
#[track_caller]
fn assert_stopped(stage: &Stage, first: Running) {
    let done = first.end();
    let run = stage.last_run();
    done.assert_code(3).says(&[
        "stopped",
        "nothing is lost",
        &format!("shipway resume {run}"),
        &format!("shipway rollback {run}"),
    ]);
    assert_eq!(stage.repo.git(["status", "--porcelain"]), "");
    assert_eq!(stage.repo.read("VERSION"), "1.0.0\n");
}

fn once(slow: Slow, signal: Signal, back: bool) {
    let stage = stage(slow);
    let (before, remote) = (stage.repo.state(), stage.remote.snapshot());
    let first = stage.start(&["push"]);
    stage.reached("slow");
    first.signal(signal);
    // The step in hand is finished: the child hears nothing of the signal.
    first.said("stop");
    assert!(lives(&stage.home("slow.in")), "{slow:?}");
    stage.open("slow");
    assert_stopped(&stage, first);
    if !back {
        stage.code(0, &["resume"]);
        return stage.assert_shipped();
    }
    stage.code(0, &["rollback"]);
    if matches!(slow, Slow::Push) {
        // What others may have seen is answered with a revert commit.
        assert_eq!(stage.remote.tags(), ["v1.0.0", "v1.1.0"]);
        assert!(stage.repo.git(["log", "-1", "--format=%s", "origin/main"]).contains("1.1.0"));
    } else {
        before.assert_same(&stage.repo.state());
        remote.assert_same(&stage.remote.snapshot());
    }
}

#[test]
fn a_signal_in_a_slow_check_lets_it_end_and_the_run_is_resumed() {
    once(Slow::Check, Signal::INT, false);
}

#[test]
fn a_signal_in_a_slow_check_lets_it_end_and_the_run_is_taken_back() {
    once(Slow::Check, Signal::TERM, true);
}

#[test]
fn a_signal_in_a_slow_hook_lets_it_end_and_the_run_is_resumed() {
    once(Slow::Hook, Signal::TERM, false);
}

#[test]
fn a_signal_in_a_slow_hook_lets_it_end_and_the_run_is_taken_back() {
    once(Slow::Hook, Signal::INT, true);
}

#[test]
fn a_signal_in_a_slow_push_lets_it_end_and_the_run_is_resumed() {
    once(Slow::Push, Signal::INT, false);
}

#[test]
fn a_signal_in_a_slow_push_lets_it_end_and_the_run_is_taken_back() {
    once(Slow::Push, Signal::HUP, true);
}

fn twice(slow: Slow, back: bool) {
    let stage = stage(slow);
    let (before, remote) = (stage.repo.state(), stage.remote.snapshot());
    let first = stage.start(&["push"]);
    stage.reached("slow");
    first.signal(Signal::INT);
    first.said("stop");
    first.signal(Signal::TERM);
    assert_stopped(&stage, first);
    if !matches!(slow, Slow::Push) {
        // The hook of the remote is on the other machine; our own children are dead.
        assert!(!lives(&stage.home("slow.in")), "{slow:?}");
    }
    stage.open("slow");
    wait_for("the end of the child", || !lives(&stage.home("slow.in")));
    if back {
        stage.code(0, &["rollback"]);
        if !matches!(slow, Slow::Push) {
            before.assert_same(&stage.repo.state());
            remote.assert_same(&stage.remote.snapshot());
        }
    } else {
        stage.code(0, &["resume"]);
        stage.assert_shipped();
    }
    stage.code(0, &["log", "--verify"]);
}

#[test]
fn a_second_signal_kills_the_check_and_the_run_is_resumed() {
    twice(Slow::Check, false);
}

#[test]
fn a_second_signal_kills_the_hook_and_the_run_is_resumed() {
    twice(Slow::Hook, false);
}

#[test]
fn a_second_signal_kills_the_hook_and_the_run_is_taken_back() {
    twice(Slow::Hook, true);
}

#[test]
fn a_second_signal_kills_the_push_and_the_run_is_resumed() {
    twice(Slow::Push, false);
}

#[test]
fn a_second_signal_kills_the_push_and_the_run_is_taken_back() {
    twice(Slow::Push, true);
}

#[test]
fn a_second_signal_in_an_undo_does_not_make_the_run_stuck() {
    let stage = stage(Slow::Push);
    let first = stage.start(&["push"]);
    stage.reached("slow");
    first.signal(Signal::TERM);
    first.said("asked to stop");
    stage.open("slow");
    assert_stopped(&stage, first);
    for name in ["slow.in", "slow.go"] {
        fs::remove_file(stage.home(name)).unwrap();
    }
    let back = stage.start(&["rollback"]);
    stage.reached("slow");
    back.signal(Signal::TERM);
    back.said("asked to stop");
    back.signal(Signal::TERM);
    let run = stage.last_run();
    back.end().assert_code(3).says(&["nothing is lost", &format!("shipway resume {run}")]);
    stage.open("slow");
    wait_for("the end of the hook", || !lives(&stage.home("slow.in")));
    stage.code(0, &["resume"]);
    let log = stage.repo.git(["log", "-1", "--format=%s%n%b", "origin/main"]);
    assert!(log.contains("Shipway-Withdraws: v1.1.0"), "{log}");
    assert_eq!(stage.repo.git(["status", "--porcelain"]), "");
}

#[test]
fn after_a_signal_no_further_check_begins() {
    let late = "touch $HOME/late";
    let config = format!(
        "{}{}[checks]\nparallel = 1\n",
        crate::stage::check("first", &home_gate("slow")),
        crate::stage::check("second", late)
    );
    let stage = Stage::new(&config);
    let first = stage.start(&["push"]);
    stage.reached("slow");
    first.signal(Signal::INT);
    first.said("stop");
    stage.open("slow");
    assert_stopped(&stage, first);
    assert!(!stage.home("late").exists());
    stage.code(0, &["resume"]);
    assert!(stage.home("late").exists());
    stage.assert_shipped();
}

#[test]
fn a_daemonised_child_dies_with_the_second_signal() {
    if !has_groups() {
        return skip("control groups cannot be made here");
    }
    let daemon = "echo $$ >$HOME/daemon.new; mv $HOME/daemon.new $HOME/daemon.in; sleep 120";
    let stage = Stage::check(&format!("setsid sh -c '{daemon}' & {}", home_gate("slow")));
    let first = stage.start(&["push"]);
    stage.reached("daemon");
    stage.reached("slow");
    first.signal(Signal::INT);
    first.said("stop");
    assert!(lives(&stage.home("daemon.in")));
    first.signal(Signal::INT);
    assert_stopped(&stage, first);
    assert!(!lives(&stage.home("daemon.in")) && !lives(&stage.home("slow.in")));
}

/// Returns where the second version of control groups is mounted.
pub(crate) fn group_mount() -> Option<PathBuf> {
    let mounts = text(Path::new("/proc/self/mountinfo"));
    let line = mounts.lines().find(|line| line.contains(" - cgroup2 "))?;
    line.split(' ').nth(4).map(PathBuf::from)
}

/// Tells whether a control group can be made and killed where shipway makes its own.
pub(crate) fn has_groups() -> bool {
    let Some(mount) = group_mount() else { return false };
    let dir = mount.join(format!("conduct-{}", std::process::id()));
    let can = fs::create_dir(&dir).is_ok();
    let _ = fs::remove_dir(&dir);
    can
}

#[test]
fn a_hang_up_that_nohup_ignores_stays_ignored() {
    let stage = stage(Slow::Check);
    let mut command = stage.repo.command("nohup");
    command.arg(env!("CARGO_BIN_EXE_shipway")).arg("push").stdin(std::process::Stdio::null());
    let first = stage.start_command(command);
    stage.reached("slow");
    for _ in 0..2 {
        kill_process(first.pid(), Signal::HUP).unwrap();
    }
    stage.open("slow");
    first.end().assert_code(0);
    stage.assert_shipped();
}

#[test]
fn a_signal_while_looking_ends_at_once_and_opens_no_run() {
    for args in [&["plan"][..], &["push"]] {
        let stage = Stage::new(QUIET);
        // The look at the remote hangs.
        let slow = stage.home("upload-pack");
        let script = format!("#!/bin/sh\n{}\nexec git-upload-pack \"$@\"\n", gate(stage.repo.home(), "slow"));
        finish(
            stage
                .repo
                .command("sh")
                .args(["-c", "printf %s \"$1\" >\"$2\"; chmod 755 \"$2\"", "sh", &script])
                .arg(&slow),
        );
        stage.repo.config("remote.origin.uploadpack", slow.to_str().unwrap());
        let first = stage.start(args);
        stage.reached("slow");
        first.signal(Signal::INT);
        let done = first.end();
        assert!(done.status.code() != Some(0), "{done:?}");
        assert!(!lives(&stage.home("slow.in")), "{args:?}");
        stage.open("slow");
        stage.code(0, &["status"]);
        assert!(!stage.run(&["status"]).all().contains("open"), "{args:?}");
        assert_eq!(stage.remote.tags(), ["v1.0.0"]);
    }
}
