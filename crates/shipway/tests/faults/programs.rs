//! Git, hooks, checks and prompts that do not behave.

use std::fs;

use shipway_core::problem::Code;
use shipway_testkit::repo::Repo;

use crate::stage::{SHIPWAY, Stage, Told, path_with};

#[test]
fn git_is_missing() {
    let stage = Stage::new();
    let mut command = stage.repo.command(SHIPWAY);
    command.arg("push").env("PATH", stage.repo.home());
    stage.refuses_by(&mut command, 2, (Code::GitMissing, &[]));
}

#[test]
fn git_is_too_old() {
    let stage = Stage::new();
    let dir = stage.program("git", "case \"$*\" in *version*) echo git version 2.20.1;; *) exit 129;; esac");
    let mut command = stage.command(&["push"]);
    command.env("PATH", path_with(&dir));
    stage.refuses_by(&mut command, 2, (Code::GitTooOld, &["2.20.1"]));
}

#[test]
fn a_failing_check_shows_its_lines_and_changes_nothing() {
    let stage = Stage::configured(
        "[[check]]\nname = \"unit\"\nrun = [\"sh\", \"-c\", \"echo 12 passed; echo 'it_adds: 1 is not 2' >&2; exit 3\"]\n\
         [[check]]\nname = \"slow\"\nrun = \"sleep 60\"\ntimeout = \"200ms\"\n",
    );
    let before = stage.state();
    let told = stage.run(&["push"]);
    told.tells(Code::CheckFailed, &["it_adds: 1 is not 2", "ended with code 3"]);
    told.tells(Code::CheckTimedOut, &["timeout in shipway.toml"]).exits(1);
    stage.unchanged(&before);
    assert!(stage.remote.logs().is_empty());
}

#[test]
fn a_check_whose_program_is_not_there() {
    let stage = Stage::configured("[[check]]\nname = \"unit\"\nrun = \"no-such-program --all\"\n");
    stage.refuses(&["push"], Code::CheckFailed, &["no-such-program", "is it installed?"]);
}

#[test]
fn a_check_that_changes_tracked_files() {
    let stage = Stage::configured("[[check]]\nname = \"fix\"\nrun = \"sh -c 'echo 9 >VERSION'\"\n");
    let remote = stage.remote.snapshot();
    stage.run(&["push"]).tells(Code::CheckChangedFiles, &["VERSION", "git diff"]).exits(1);
    remote.assert_same(&stage.remote.snapshot());
    assert_eq!(stage.repo.read("VERSION"), "9\n", "what a check wrote is not ours to remove");
}

#[test]
fn a_check_that_commits() {
    let stage = Stage::configured(
        "[[check]]\nname = \"odd\"\nrun = \"git commit -q --allow-empty -m odd --no-verify\"\n",
    );
    let remote = stage.remote.snapshot();
    stage.run(&["push"]).tells(Code::LocalMoved, &["shipway plan"]).exits(1);
    remote.assert_same(&stage.remote.snapshot());
}

#[test]
fn a_hook_that_refuses_is_quoted() {
    for (hook, words) in
        [("pre-commit", "no release on Fridays"), ("commit-msg", "no ticket"), ("pre-push", "not so fast")]
    {
        let stage = Stage::new();
        stage.repo.hook(hook, &format!("echo '{words}' >&2; exit 1"));
        stage.refuses_by(&mut stage.command(&["push"]), 4, (Code::HookRefused, &[words]));
    }
}

#[test]
fn a_hook_that_changes_the_release_is_refused() {
    for script in ["echo more >extra.txt; git add extra.txt", "echo 9.9.9 >VERSION; git add VERSION"] {
        let stage = Stage::new();
        stage.repo.hook("pre-commit", script);
        stage.refuses_by(&mut stage.command(&["push"]), 4, (Code::HookRefused, &["a hook changed"]));
    }
}

#[test]
fn a_hook_that_hangs_is_ended() {
    for hook in ["pre-commit", "pre-push"] {
        let stage = Stage::configured("[release]\nstep-timeout = \"2s\"\n");
        stage.repo.hook(hook, "sleep 600");
        stage.refuses_by(&mut stage.command(&["push"]), 4, (Code::StepTimedOut, &["took too long"]));
        fs::remove_file(stage.repo.path().join(".git/hooks").join(hook)).unwrap();
        stage.repo.file("shipway.toml", "");
        stage.publish("chore: take the usual time");
        stage.run(&["push"]).ok();
        stage.released("1.1.0");
    }
}

#[test]
fn a_hook_that_reads_an_answer_gets_none() {
    let stage = Stage::new();
    stage.repo.hook("pre-commit", "read -r answer || echo nobody answers >&2; exit 1");
    stage.refuses_by(&mut stage.command(&["push"]), 4, (Code::HookRefused, &["nobody answers"]));
}

#[test]
fn a_signal_that_ends_git_is_told() {
    let stage = Stage::of(Repo::plain("1.0.0"));
    stage.repo.hook("pre-commit", "kill -9 $PPID");
    let before = stage.state();
    let told: Told = stage.run(&["push"]);
    told.tells(Code::GitFailed, &["signal 9"]).exits(4);
    stage.unchanged(&before);
}
