//! What a repository itself may be: not one, bare, empty, in the middle of something.

use std::process::Command;

use shipway_core::problem::Code;
use shipway_testkit::remote::Remote;
use shipway_testkit::repo::Repo;

use crate::stage::{Stage, Told, command, run};

/// Runs `push` in a directory that is not the stage's.
fn elsewhere(repo: &Repo, dir: &std::path::Path) -> Told {
    let mut command: Command = command(repo, &["push"]);
    Told::of(command.current_dir(dir).env("GIT_CEILING_DIRECTORIES", "/"))
}

#[test]
fn a_directory_without_a_repository() {
    let repo = Repo::new();
    elsewhere(&repo, repo.home()).tells(Code::NotARepository, &["git init"]).exits(2);
}

#[test]
fn a_bare_repository() {
    let stage = Stage::new();
    let before = stage.remote.snapshot();
    elsewhere(&stage.repo, stage.remote.path()).tells(Code::BareRepository, &[]).exits(2);
    before.assert_same(&stage.remote.snapshot());
}

#[test]
fn a_branch_without_commits() {
    let repo = Repo::new();
    let remote = Remote::empty(&repo);
    let stage = Stage { repo, remote };
    stage.refuses(&["push"], Code::NoCommits, &["branch main", "git commit"]);
    stage.refuses(&["plan"], Code::NoCommits, &[]);
}

#[test]
fn an_unborn_branch_beside_others() {
    let stage = Stage::new();
    stage.repo.git(["switch", "--quiet", "--orphan", "fresh"]);
    stage.refuses(&["push"], Code::NoCommits, &["branch fresh"]);
}

#[test]
fn a_detached_head() {
    let stage = Stage::new();
    stage.repo.git(["checkout", "--quiet", "--detach"]);
    stage.refuses(&["push"], Code::DetachedHead, &["git switch main"]);
}

#[test]
fn a_shallow_clone() {
    let stage = Stage::new();
    let url = format!("file://{}", stage.remote.url());
    stage.repo.git(["fetch", "--quiet", "--depth=1", &url, "main"]);
    stage.refuses(&["push"], Code::ShallowClone, &["git fetch --unshallow"]);
}

#[test]
fn no_remote() {
    let repo = Repo::plain("1.0.0");
    let before = repo.state();
    run(&repo, &["push"]).tells(Code::NoRemote, &["git remote add"]).exits(1);
    before.assert_same(&repo.state());
}

#[test]
fn two_remotes_and_none_chosen() {
    let stage = Stage::new();
    stage.repo.git(["remote", "add", "backup", &stage.remote.url()]);
    stage.repo.git(["branch", "--unset-upstream"]);
    stage.refuses(&["push"], Code::ManyRemotes, &["backup, origin", "remote = \"origin\""]);
}

#[test]
fn another_branch_than_the_configured() {
    let stage = Stage::configured("[release]\nbranches = [\"main\"]\n");
    stage.repo.git(["switch", "--quiet", "-c", "topic"]);
    stage.refuses(&["push"], Code::WrongBranch, &["topic", "git switch main"]);
}

#[test]
fn changes_that_are_not_committed() {
    let stage = Stage::new();
    stage.repo.file("VERSION", "1.0.0-mine\n");
    stage.refuses(&["push"], Code::DirtyTree, &["VERSION"]);
}

#[test]
fn an_untracked_file_that_looks_like_a_secret() {
    let stage = Stage::new();
    stage.repo.file(".env", "TOKEN=x\n").file("notes.txt", "mine\n");
    stage.refuses(&["push"], Code::SecretLookingFile, &[".env"]);
    std::fs::remove_file(stage.repo.path().join(".env")).unwrap();
    let told = stage.run(&["plan"]);
    assert!(told.ok().text().contains("untracked and left alone: notes.txt"), "{}", told.text());
}

/// Leaves a cherry-pick, merge or rebase in the middle of a conflict.
fn conflict(stage: &Stage, args: &[&str], code: &str) {
    let repo = &stage.repo;
    repo.git(["switch", "--quiet", "-c", "other", "HEAD~1"]);
    repo.file("greeting.sh", "# another greeting\n");
    repo.commit("fix: greet in another way");
    repo.git(["switch", "--quiet", "main"]);
    assert!(!repo.try_git(args).status.success());
    stage.refuses(&["push"], Code::OperationInProgress, &[code]);
}

#[test]
fn an_operation_in_progress() {
    conflict(&Stage::new(), &["rebase", "other"], "git rebase --abort");
    conflict(&Stage::new(), &["merge", "other"], "git merge --abort");
    conflict(&Stage::new(), &["cherry-pick", "other"], "git cherry-pick --abort");
}

#[test]
fn a_branch_behind_its_remote() {
    let stage = Stage::new();
    stage.remote.advance();
    stage.refuses(&["push"], Code::BehindRemote, &["git pull --ff-only origin main"]);
}

#[test]
fn a_branch_that_has_diverged() {
    let stage = Stage::new();
    stage.remote.advance();
    stage.repo.commit("fix: mine");
    stage.refuses(&["push"], Code::DivergedFromRemote, &["git pull --rebase origin main"]);
}

#[test]
fn nobody_to_commit_as() {
    let stage = Stage::new();
    stage.repo.git(["config", "--unset", "user.name"]);
    stage.repo.git(["config", "--unset", "user.email"]);
    stage.repo.config("user.useConfigOnly", "true");
    stage.refuses(&["push"], Code::IdentityMissing, &["git config user.email"]);
}

#[test]
fn nothing_to_release() {
    let stage = Stage::new();
    stage.run(&["push"]).ok();
    let before = stage.state();
    stage.run(&["push"]).tells(Code::NothingToRelease, &[]).exits(10);
    stage.unchanged(&before);
    stage.publish("docs: say more");
    stage.refuses(&["push"], Code::NothingReleases, &["docs: say more"]);
    stage.refuses(&["rollback", "0000"], Code::RunUnknown, &["shipway status"]);
    stage.refuses(&["resume"], Code::NothingToResume, &["shipway push"]);
}

#[test]
fn nothing_to_roll_back() {
    Stage::new().refuses(&["rollback"], Code::NothingToRollBack, &["shipway status"]);
}
