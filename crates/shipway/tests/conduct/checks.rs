//! Checks: what they may do, what they may not, and what is left of them when they are over.

use crate::signal::has_groups;
use crate::stage::{Done, Stage, check, home_gate, lives, wait_for};

/// Asserts that nothing was changed.
#[track_caller]
fn refused(stage: &Stage, code: &str) -> Done {
    let (before, remote) =
        (stage.repo.state().without("file greeting.sh").without("status"), stage.remote.snapshot());
    let done = stage.code(1, &["push"]);
    done.says(&[code, "nothing was changed"]);
    before.assert_same(&stage.repo.state().without("file greeting.sh").without("status"));
    remote.assert_same(&stage.remote.snapshot());
    done
}

#[test]
fn what_a_good_check_leaves_running_does_not_hold_the_release_up() {
    let daemon = "echo $$ >$HOME/daemon.new; mv $HOME/daemon.new $HOME/daemon.in; exec sleep 100";
    let stage = Stage::check(&format!(
        "setsid sh -c '{daemon}' >/dev/null 2>&1 </dev/null & while ! test -e $HOME/daemon.in; do sleep 0.02; done"
    ));
    stage.code(0, &["push"]);
    stage.assert_shipped();
    let pid = crate::stage::text(&stage.home("daemon.in")).trim().parse().ok();
    if let Some(pid) = pid.and_then(rustix::process::Pid::from_raw) {
        let _ = rustix::process::kill_process(pid, rustix::process::Signal::KILL);
    }
}

#[test]
fn fifty_mebibytes_of_output_pass_and_are_all_in_the_log() {
    let line = "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcde";
    let stage = Stage::check(&format!("yes {line} | head -n 819200"));
    stage.code(0, &["push"]);
    let log = stage.code(0, &["log", &stage.last_run(), "checks/test"]);
    assert_eq!(log.out.lines().filter(|found| *found == line).count(), 819_200);
    stage.code(0, &["log", "--verify"]);
}

#[test]
fn a_check_reads_nothing() {
    let stage = Stage::check("read line && exit 1; test -z \"$line\" && ! test -t 0");
    stage.code(0, &["push"]);
}

#[test]
fn a_check_that_needs_a_terminal_fails_and_does_not_hang() {
    let stage = Stage::check("test -t 1 || { echo no terminal here; exit 7; }");
    refused(&stage, "SW0501").says(&["no terminal here", "ended with code 7"]);
}

#[test]
fn checks_run_at_once_or_one_after_the_other() {
    let meet = |own: &str, other: &str| {
        let wait =
            format!("while ! test -e $HOME/{other} && test $n -lt 1000; do sleep 0.02; n=$((n+1)); done");
        check(own, &format!("touch $HOME/{own}; n=0; {wait}; test -e $HOME/{other}"))
    };
    let stage = Stage::new(&format!("{}{}[checks]\nparallel = 2\n", meet("one", "two"), meet("two", "one")));
    stage.code(0, &["push"]);
    let alone = |name: &str| check(name, "mkdir $HOME/busy && sleep 0.1 && rmdir $HOME/busy");
    let stage = Stage::new(&format!("{}{}{}[checks]\nparallel = 1\n", alone("a"), alone("b"), alone("c")));
    stage.code(0, &["push"]);
}

#[test]
fn a_check_that_changes_a_tracked_file_stops_the_release() {
    let stage = Stage::check("echo more >>greeting.sh");
    refused(&stage, "SW0503").says(&["greeting.sh"]);
}

#[test]
fn a_check_that_takes_too_long_is_ended_with_its_children() {
    let child = "echo $$ >$HOME/child.new; mv $HOME/child.new $HOME/child.in; exec sleep 100";
    let leave = if has_groups() { "setsid" } else { "" };
    let script = format!("{leave} sh -c '{child}' & {}", home_gate("check"));
    let stage = Stage::new(&format!("{}timeout = \"3s\"\n", check("test", &script)));
    refused(&stage, "SW0502");
    wait_for("the child", || stage.home("child.in").exists());
    assert!(!lives(&stage.home("check.in")) && !lives(&stage.home("child.in")));
}
