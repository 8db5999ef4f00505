//! Retries: what may pass by itself is tried again with growing pauses, what cannot is not, and nothing for ever.

use std::fs;
use std::os::unix::fs::PermissionsExt;

use crate::stage::{Done, QUIET, Stage, text};

/// Puts a git before the real one that runs `script` for every push, with the number of the push as `$number`.
fn wrapped(stage: &Stage, script: &str) -> String {
    let bin = stage.home("bin");
    fs::create_dir_all(&bin).unwrap();
    let path = std::env::var("PATH").unwrap();
    let real = std::env::split_paths(&path).map(|dir| dir.join("git")).find(|git| git.is_file()).unwrap();
    let count = stage.home("pushes");
    let (real, count) = (real.display(), count.display());
    let wrapper = format!(
        "#!/bin/sh\nfor arg in \"$@\"; do if test \"$arg\" = push; then\n  case \" $* \" in *--dry-run*) ;; *)\n    \
         echo push >>{count}; number=$(wc -l <{count}); {script}\n  esac\n  break\nfi; done\nexec {real} \"$@\"\n"
    );
    let git = bin.join("git");
    // Written by a child: a program that this process wrote could be busy when it is started.
    let script = stage.home("wrapper");
    fs::write(&script, wrapper).unwrap();
    fs::set_permissions(&script, fs::Permissions::from_mode(0o755)).unwrap();
    assert!(stage.repo.command("cp").arg(&script).arg(&git).status().unwrap().success());
    format!("{}:{path}", bin.display())
}

fn push(stage: &Stage, path: &str) -> Done {
    crate::stage::finish(stage.command(&["push"]).env("PATH", path))
}

fn pushes(stage: &Stage) -> usize {
    text(&stage.home("pushes")).lines().count()
}

const UNREACHABLE: &str = "echo \"fatal: unable to access 'https://example.org/': Could not resolve host: example.org\" >&2; exit 128";

#[test]
fn a_remote_that_is_away_for_a_moment_is_tried_again() {
    let stage = Stage::new(QUIET);
    let path = wrapped(&stage, &format!("if test $number -le 1; then {UNREACHABLE}; fi"));
    push(&stage, &path).assert_code(0).says(&["2 attempts"]);
    assert_eq!(pushes(&stage), 2);
    stage.assert_shipped();
}

#[test]
fn a_remote_that_stays_away_is_given_up_and_all_is_taken_back() {
    let stage = Stage::new(QUIET);
    let path = wrapped(&stage, UNREACHABLE);
    let (before, remote) = (stage.repo.state(), stage.remote.snapshot());
    push(&stage, &path).assert_code(4).says(&["Could not resolve host", "everything was taken back"]);
    assert!((2..=5).contains(&pushes(&stage)), "{}", pushes(&stage));
    before.assert_same(&stage.repo.state());
    remote.assert_same(&stage.remote.snapshot());
}

#[test]
fn refused_credentials_are_not_tried_again() {
    let stage = Stage::new(QUIET);
    let refusal = "echo \"fatal: Authentication failed for 'https://example.org/widget.git/'\" >&2; exit 128";
    let path = wrapped(&stage, refusal);
    let before = stage.repo.state();
    push(&stage, &path).assert_code(4).says(&["SW0115"]);
    assert_eq!(pushes(&stage), 1);
    before.assert_same(&stage.repo.state());
}

#[test]
fn the_pauses_between_attempts_grow() {
    let stage = Stage::new(QUIET);
    let path = wrapped(&stage, &format!("date +%s%N >>{}; {UNREACHABLE}", stage.home("times").display()));
    push(&stage, &path).assert_code(4);
    let times: Vec<u128> = text(&stage.home("times")).lines().map(|line| line.parse().unwrap()).collect();
    let pauses: Vec<u128> = times.windows(2).map(|pair| pair[1] - pair[0]).collect();
    // A pause is never shorter than it has to be, however busy the machine is.
    let second = 1_000_000_000;
    assert!(pauses.iter().enumerate().all(|(n, pause)| *pause >= second << n), "{pauses:?}");
}

#[test]
fn a_branch_that_cannot_follow_makes_the_run_stuck_and_the_release_stands() {
    let stage = Stage::new(QUIET);
    let hook = "[ \"$1\" = prepared ] || exit 0\nwhile read -r old new name; do\n  \
                case $name in refs/heads/*) echo held >&2; exit 1;; esac\ndone\n";
    stage.repo.hook("reference-transaction", &format!("#!/bin/sh\n{hook}"));
    stage.code(5, &["push"]).says(&["error[SW0801]", "settle", "held", "shipway resume", "shipway rollback"]);
    let released = stage.remote.snapshot();
    stage.repo.hook("reference-transaction", "#!/bin/sh\n");
    stage.code(0, &["resume"]);
    released.assert_same(&stage.remote.snapshot());
    stage.assert_shipped();
}
