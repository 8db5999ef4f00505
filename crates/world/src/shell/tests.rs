use std::fs::{self, File};
use std::io;
use std::os::fd::OwnedFd;
use std::path::Path;
use std::sync::Arc;
use std::thread;
use std::time::{Duration, Instant};

use shipway_core::action::{Cmd, Ended, LogKey, Output, Shell, Stop};
use shipway_core::id::{RunId, StepId};
use shipway_testkit::skip::skip;

use super::group::Group;
use super::*;

const LONG: Duration = Duration::from_mins(1);

fn sh(script: &str) -> Cmd {
    Cmd::new("sh").args(["-c", script])
}

fn run(cmd: &Cmd) -> Output {
    LocalShell::new().run(cmd, &Stop::default()).unwrap()
}

fn key() -> LogKey {
    LogKey { run: RunId::new("7f3a0001"), step: StepId::new("check/test"), attempt: 1 }
}

/// Writes a program through a child: one that this process wrote itself could be busy when it is started.
fn write_program(path: &Path, text: &str) {
    let cmd = sh("cat >\"$1\"; chmod 755 \"$1\"").arg("sh").arg(path).stdin(text);
    assert!(run(&cmd).ok());
}

/// Tells whether a process is gone, or dead and only waits to be reaped.
fn is_dead(pid: &str) -> bool {
    let stat = fs::read_to_string(Path::new("/proc").join(pid).join("stat"));
    stat.map_or(true, |stat| stat.rsplit(')').next().unwrap().trim_start().starts_with(['Z', 'X']))
}

fn wait_until(what: &str, holds: impl Fn() -> bool) {
    let begun = Instant::now();
    while !holds() {
        assert!(begun.elapsed() < LONG, "{what} takes too long");
        thread::sleep(Duration::from_millis(2));
    }
}

/// Runs a script until it has written a process id to its first argument, then asks twice to stop.
fn stopped_after_pid(script: &str, contain: bool) -> (Output, String) {
    let dir = tempfile::tempdir().unwrap();
    let file = dir.path().join("pid");
    let mut cmd = sh(script).arg("sh").arg(&file);
    cmd.contain = contain;
    let stop = Stop::default();
    let output = thread::scope(|scope| {
        let running = scope.spawn(|| LocalShell::new().run(&cmd, &stop).unwrap());
        wait_until("the pid", || fs::read_to_string(&file).is_ok_and(|pid| pid.ends_with('\n')));
        stop.ask();
        stop.ask();
        running.join().unwrap()
    });
    (output, fs::read_to_string(file).unwrap().trim().to_owned())
}

#[test]
fn output_and_end_are_returned() {
    let output = run(&sh("echo out; echo err >&2; exit 7"));
    assert_eq!(output.ended, Ended::Exit(7));
    assert_eq!((output.text().as_str(), output.error_text().as_str()), ("out", "err"));
    assert_eq!(run(&sh("kill -9 $$")).ended, Ended::Signal(9));
    assert!(run(&Cmd::new("true")).ok());
}

#[test]
fn directory_and_variables_are_as_asked() {
    let dir = tempfile::tempdir().unwrap();
    let dir = dir.path().canonicalize().unwrap();
    let inherited = "CARGO_MANIFEST_DIR";
    let cmd = sh("pwd; echo \"$A|${CARGO_MANIFEST_DIR-gone}\"").dir(&dir).env("A", "1 $x").unset(inherited);
    assert_eq!(run(&cmd).text(), format!("{}\n1 $x|gone", dir.display()));
    assert_eq!(run(&cmd.env(inherited, "set")).text(), format!("{}\n1 $x|set", dir.display()));
}

#[test]
fn bytes_reach_the_standard_input() {
    let bytes: Vec<u8> = (0..1_000_000_u32).flat_map(u32::to_le_bytes).collect();
    assert_eq!(run(&Cmd::new("cat").stdin(bytes.clone())).stdout, bytes);
    assert_eq!(run(&Cmd::new("cat").stdin("")).stdout, b"");
    // A child that does not read is not an error.
    assert!(run(&Cmd::new("true").stdin(bytes)).ok());
}

#[test]
fn a_child_without_input_reads_nothing() {
    assert_eq!(run(&Cmd::new("cat")).stdout, b"");
}

#[test]
fn every_child_inherits_the_descriptor() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().canonicalize().unwrap().join("lock");
    File::create(&path).unwrap();
    let lock = path.clone();
    let shell = LocalShell::new()
        .inherited(Arc::new(move || -> io::Result<OwnedFd> { Ok(File::open(&lock)?.into()) }));
    let list = sh("for fd in /proc/$$/fd/*; do readlink $fd; done");
    for cmd in [list.clone(), list.clone().contain(), list.stdin("bytes")] {
        let output = shell.run(&cmd, &Stop::default()).unwrap();
        assert!(output.text().lines().any(|file| Path::new(file) == path), "{}", output.text());
    }
}

#[test]
fn what_cannot_be_started_is_named() {
    let dir = tempfile::tempdir().unwrap();
    let script = dir.path().join("script");
    write_program(&script, "#!/no/such/interpreter\n");
    let check = |cmd: Cmd, kind: io::ErrorKind, text: &str| {
        let error = LocalShell::new().run(&cmd, &Stop::default()).unwrap_err();
        assert_eq!(error.kind(), kind, "{error}");
        assert!(error.to_string().contains(text), "{error}");
    };
    for contain in [false, true] {
        let cmd = |name: &str| Cmd { contain, ..Cmd::new(name) };
        check(cmd("no-such-program"), io::ErrorKind::NotFound, "`no-such-program` is not installed");
        check(cmd("/no/such"), io::ErrorKind::NotFound, "`/no/such`");
        check(cmd("true").dir("/no/such"), io::ErrorKind::NotADirectory, "directory /no/such");
    }
    check(Cmd::default(), io::ErrorKind::InvalidInput, "empty");
    check(Cmd::new(&script), io::ErrorKind::NotFound, "interpreter");
    check(Cmd::new(dir.path()), io::ErrorKind::PermissionDenied, "cannot be started");
}

#[test]
fn a_timeout_kills_the_grandchildren_too() {
    // The child does not heed the request to end, so it is killed.
    let script = "trap '' TERM; sleep 1000 & echo $!; echo begun; while :; do wait; done";
    let output = run(&sh(script).timeout(Duration::from_millis(300)));
    assert_eq!(output.ended, Ended::TimedOut);
    let text = output.text();
    let pid = text.lines().next().unwrap();
    assert!(text.ends_with("begun"));
    wait_until("the grandchild", || is_dead(pid));
}

#[test]
fn a_child_may_clean_up_when_it_has_to_stop() {
    let script = "trap 'echo cleaned; exit 0' TERM; echo $$ >\"$1\"; while :; do sleep 0.01; done";
    let (output, _) = stopped_after_pid(script, false);
    assert_eq!(output.ended, Ended::Stopped);
    assert_eq!(output.text(), "cleaned");
}

#[test]
fn asking_once_lets_the_child_finish() {
    let stop = Stop::default();
    stop.ask();
    let output = LocalShell::new().run(&sh("sleep 0.1; echo done"), &stop).unwrap();
    assert_eq!((output.ended, output.text().as_str()), (Ended::Exit(0), "done"));
}

#[test]
fn nothing_is_started_after_stop_now() {
    let dir = tempfile::tempdir().unwrap();
    let stop = Stop::default();
    stop.ask();
    stop.ask();
    let output = LocalShell::new().run(&Cmd::new("touch").arg("x").dir(dir.path()), &stop).unwrap();
    assert_eq!(output.ended, Ended::Stopped);
    assert!(!dir.path().join("x").exists());
}

#[test]
fn a_daemon_dies_with_its_control_group() {
    let Some(group) = Group::create(999) else {
        return skip("no control group can be made on this machine");
    };
    let base = group.dir().parent().unwrap().to_owned();
    drop(group);
    let (output, pid) = stopped_after_pid("setsid sleep 1000 >&- 2>&- & echo $! >\"$1\"; wait", true);
    assert_eq!(output.ended, Ended::Stopped);
    wait_until("the daemon", || is_dead(&pid));
    let ours = format!("shipway-{}-", std::process::id());
    wait_until("the group", || {
        fs::read_dir(&base).unwrap().flatten().all(|entry| {
            let name = entry.file_name();
            !name.to_string_lossy().starts_with(&ours) || fs::read(entry.path().join("cgroup.procs")).is_err()
        })
    });
}

#[test]
fn a_daemon_of_a_successful_command_lives_on() {
    let output = run(&sh("setsid sleep 1000 >&- 2>&- & echo $!").contain());
    assert!(output.ok());
    let pid = output.text();
    assert!(!is_dead(&pid));
    run(&Cmd::new("kill").arg(&pid));
    wait_until("the daemon", || is_dead(&pid));
}

#[test]
fn a_daemon_that_holds_the_streams_does_not_hang_the_step() {
    let begun = Instant::now();
    let output = run(&sh("sleep 1000 & echo $!"));
    assert!(output.ok());
    assert!(begun.elapsed() < LONG);
    run(&Cmd::new("kill").arg(output.text()));
}

#[test]
fn a_contained_command_works_as_any_other() {
    let dir = tempfile::tempdir().unwrap();
    let output = run(&sh("printf '%s|' \"$@\"; pwd; exit 3").args(["sh", "a b", "$c", "-d"]).contain());
    assert_eq!(output.ended, Ended::Exit(3));
    assert!(output.text().starts_with("a b|$c|-d|/"), "{}", output.text());
    write_program(&dir.path().join("own"), "#!/bin/sh\necho own\n");
    let own = run(&Cmd::new("./own").dir(dir.path()).contain());
    assert_eq!(own.text(), "own", "{}", own.error_text());
    assert_eq!(own.error_text(), "");
}

#[test]
fn long_output_is_cut_in_memory() {
    let mut cmd = sh("yes 'a line of output that is not very long' | head -c 104857600; echo; echo last");
    cmd.log = Some(key());
    let output = run(&cmd);
    let limit = 64 << 20;
    assert!((limit..limit + 200).contains(&output.stdout.len()), "{}", output.stdout.len());
    assert!(output.stdout.ends_with(b"\nlast\n"));
    let note = format!("\n[{} bytes of output are left out here]\n", 100 * (1 << 20) + 6 - limit);
    assert_eq!(&output.stdout[limit / 2..limit / 2 + note.len()], note.as_bytes());
}

#[test]
fn the_log_has_all_of_a_long_output() {
    let dir = tempfile::tempdir().unwrap();
    let logs = Arc::new(Logs::new(dir.path()));
    let shell = LocalShell::new().logs(Arc::clone(&logs));
    let mut cmd = sh("yes 'a line of output' | head -c 1048576; yes é | head -c 300000 | tr -d '\\n'; echo");
    cmd.log = Some(key());
    let output = shell.run(&cmd, &Stop::default()).unwrap();
    assert!(logs.verify(&key(), &logs.seal(&key()).unwrap()).is_ok());
    let chunks = logs.read(&key()).unwrap();
    let text: String = chunks.iter().map(|chunk| chunk.text.as_str()).collect();
    assert_eq!(text, String::from_utf8_lossy(&output.stdout));
    assert!(chunks.iter().all(|chunk| chunk.text.len() <= 64 * 1024));
    assert!(chunks[..10].iter().all(|chunk| chunk.text.ends_with('\n')));
}

#[test]
fn the_log_has_both_streams_with_secrets_masked() {
    let dir = tempfile::tempdir().unwrap();
    let logs = Arc::new(Logs::new(dir.path()));
    let masks = Masks::new(&[("DEPLOY_KEY".into(), b"hunter22".to_vec())], []).unwrap();
    let shell = LocalShell::new().logs(Arc::clone(&logs)).masks(masks);
    let script =
        "printf 'a hunt'; sleep 0.2; echo 'er22 b'; echo \"$MY_TOKEN\" >&2; printf '\\377 no end hunter'";
    let mut cmd = sh(script).env("MY_TOKEN", "tok-98765");
    cmd.log = Some(key());
    let output = shell.run(&cmd, &Stop::default()).unwrap();
    assert_eq!(output.error_text(), "tok-98765");
    let seal = logs.seal(&key()).unwrap();
    assert_eq!(logs.verify(&key(), &seal), Ok(()));
    let chunks = logs.read(&key()).unwrap();
    assert_eq!(chunks.len() as u64, seal.chunks);
    let text = |from| -> String {
        chunks.iter().filter(|chunk| chunk.from == from).map(|chunk| chunk.text.as_str()).collect()
    };
    assert_eq!(text(Stream::Out), "a *** b\n\u{fffd} no end hunter");
    assert_eq!(text(Stream::Err), "***\n");
}

#[test]
fn lines_are_heard_while_the_command_runs() {
    let dir = tempfile::tempdir().unwrap();
    let go = dir.path().join("go");
    let open = go.clone();
    let logs = Logs::new(dir.path()).listener(Arc::new(move |_: &LogKey, _: &Chunk| {
        File::create(&open).unwrap();
    }));
    let shell = LocalShell::new().logs(Arc::new(logs));
    // The command ends only when its unfinished line was heard.
    let mut cmd = sh("printf begun; while ! test -e \"$1\"; do sleep 0.01; done").arg("sh").arg(&go);
    cmd.log = Some(key());
    assert!(shell.run(&cmd.timeout(LONG), &Stop::default()).unwrap().ok());
}
