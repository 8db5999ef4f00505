//! A clock that is wrong: the dates of commits lie in the future, and time goes backwards.

use crate::stage::Stage;

#[test]
fn commits_of_the_future_are_released_in_their_order() {
    let stage = Stage::new();
    let tree = stage.repo.git(["rev-parse", "HEAD^{tree}"]);
    let mut git = stage.repo.command("git");
    git.args(["commit-tree", "-m", "feat: from the future", "-p", "HEAD", &tree]);
    git.env("GIT_AUTHOR_DATE", "@4102444800 +0000").env("GIT_COMMITTER_DATE", "@4102444800 +0000");
    let made = git.output().unwrap();
    let commit = String::from_utf8(made.stdout).unwrap().trim().to_owned();
    stage.repo.git(["merge", "--quiet", "--ff-only", &commit]);
    stage.publish("fix: from the past");
    stage.run(&["push"]).ok();
    stage.released("1.1.0");
    let changelog = stage.repo.read("CHANGELOG.md");
    assert!(changelog.contains("from the future") && changelog.contains("from the past"), "{changelog}");
    stage.run(&["log", "--verify"]).ok();
}
