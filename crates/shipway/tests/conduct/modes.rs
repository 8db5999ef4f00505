//! Modes: what shipway writes is its owner's alone, nothing of it is in the work tree, and a plan needs no right to
//! write.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::process::Command;

use shipway_testkit::hermetic;
use shipway_testkit::skip::skip;

use crate::stage::{QUIET, Stage, check, finish, home_gate};

/// Asserts that nobody else can read anything below a directory.
#[track_caller]
fn assert_private(dir: &Path) {
    let mode = |path: &Path| fs::metadata(path).unwrap().permissions().mode() & 0o777;
    assert_eq!(mode(dir), 0o700, "{}", dir.display());
    // A checkout has the modes of git; the directory above keeps it private.
    for entry in fs::read_dir(dir).unwrap().map(Result::unwrap).filter(|entry| entry.file_name() != "tree") {
        let path = entry.path();
        if path.is_dir() {
            assert_private(&path);
        } else {
            assert_eq!(mode(&path), 0o600, "{}", path.display());
        }
    }
}

#[test]
fn what_shipway_writes_is_private_whatever_the_umask() {
    let stage = Stage::new(&check("test", &home_gate("check")));
    stage.code(0, &["plan"]);
    assert_private(&stage.state());
    let mut command = stage.repo.command("sh");
    command.args(["-c", "umask 000; exec \"$@\"", "sh", env!("CARGO_BIN_EXE_shipway"), "push"]);
    let push = stage.start_command(command);
    stage.reached("check");
    assert_private(&stage.state());
    let names: Vec<String> = fs::read_dir(stage.state())
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .collect();
    for name in ["journal.db", "journal.db-wal", "journal.db-shm", "lock", "lock.json"] {
        assert!(names.iter().any(|found| found == name), "{name} is not in {names:?}");
    }
    assert_eq!(stage.repo.git(["status", "--porcelain", "--ignored", "--untracked-files=all"]), "");
    stage.open("check");
    push.end().assert_code(0);
    assert_private(&stage.state());
    assert_eq!(stage.repo.git(["status", "--porcelain", "--ignored", "--untracked-files=all"]), "");
}

/// Returns a command that runs another as nobody.
fn nobody(stage: &Stage) -> Command {
    let mut command = stage.repo.command("setpriv");
    command.args(["--reuid=65534", "--regid=65534", "--clear-groups", "--"]);
    command
        .env("GIT_CONFIG_COUNT", "1")
        .env("GIT_CONFIG_KEY_0", "safe.directory")
        .env("GIT_CONFIG_VALUE_0", "*");
    command
}

#[test]
fn a_plan_of_a_checkout_that_cannot_be_written_changes_nothing() {
    let stage = Stage::new(QUIET);
    let root = rustix::process::geteuid().is_root();
    if !root || !nobody(&stage).arg("true").status().is_ok_and(|status| status.success()) {
        return skip("only root can become somebody else");
    }
    // Temporary directories are private; somebody else must be able to read ours.
    for path in [stage.repo.path(), stage.remote.path()] {
        hermetic::open_to_all(path.parent().unwrap());
    }
    let binary = Path::new(env!("CARGO_BIN_EXE_shipway"));
    if !nobody(&stage).arg(binary).arg("--version").output().unwrap().status.success() {
        return skip("the binary cannot be read by others here");
    }
    let (before, remote) = (stage.repo.state(), stage.remote.snapshot());
    let index = fs::metadata(stage.repo.path().join(".git/index")).unwrap().modified().unwrap();
    let done = finish(nobody(&stage).arg(binary).args(["plan", "--json"]));
    done.assert_code(0).says(&["\"to\":\"1.1.0\""]);
    finish(nobody(&stage).arg(binary).arg("plan")).assert_code(0).says(&["1.0.0 → 1.1.0"]);
    before.assert_same(&stage.repo.state());
    remote.assert_same(&stage.remote.snapshot());
    assert_eq!(fs::metadata(stage.repo.path().join(".git/index")).unwrap().modified().unwrap(), index);
    assert!(!stage.state().exists());
    let done = finish(nobody(&stage).arg(binary).arg("push"));
    done.assert_code(1).says(&["SW0121"]);
    before.assert_same(&stage.repo.state());
}
