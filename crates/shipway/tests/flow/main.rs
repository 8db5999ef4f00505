//! Branches that come and go: started where the policy says, and never merged here.

#![expect(clippy::unwrap_used, reason = "helpers of tests are tests")]

mod guarded;

use std::process::Output;

use serde_json::Value;
use shipway_testkit::remote::Remote;
use shipway_testkit::repo::Repo;

const SHIPWAY: &str = env!("CARGO_BIN_EXE_shipway");

fn flow(repo: &Repo, args: &[&str]) -> Output {
    repo.command(SHIPWAY).arg("flow").args(args).output().unwrap()
}

#[track_caller]
fn code(code: i32, output: &Output) -> String {
    let [out, err] =
        [&output.stdout, &output.stderr].map(|bytes| String::from_utf8_lossy(bytes).into_owned());
    assert_eq!(output.status.code(), Some(code), "{out}{err}");
    out + &err
}

#[track_caller]
fn status(repo: &Repo) -> Value {
    let output = flow(repo, &["status", "--json"]);
    code(0, &output);
    serde_json::from_slice(&output.stdout).unwrap()
}

/// A repository with main and develop here and on its remote.
fn two() -> (Repo, Remote) {
    let repo = Repo::new();
    repo.file("a", "1\n").commit("feat: begin");
    repo.git(["branch", "develop"]);
    let remote = Remote::of(&repo);
    repo.git(["push", "-q", "origin", "develop"]);
    (repo, remote)
}

/// Merges as a landing does, and pushes.
fn land(repo: &Repo, branch: &str, target: &str) {
    repo.git(["switch", "-q", target]);
    repo.git(["merge", "-q", "--no-ff", "--no-edit", branch]);
    repo.git(["push", "-q", "origin", target]);
}

#[test]
fn a_branch_starts_where_its_kind_starts_even_if_what_is_here_is_old() {
    let (repo, remote) = two();
    let other = Repo::new();
    other.git(["remote", "add", "origin", &remote.url()]);
    other.git(["fetch", "-q", "origin"]);
    other.git(["switch", "-q", "-c", "develop", "origin/develop"]);
    other.file("b", "1\n").commit("feat: of somebody else");
    other.git(["push", "-q", "origin", "develop"]);
    code(0, &flow(&repo, &["start", "feature", "#123", "Log", "in"]));
    assert_eq!(repo.branch(), "feature/123-log-in");
    assert_eq!(repo.head(), other.head());
    let text = code(1, &flow(&repo, &["start", "feature", "123-log-in"]));
    assert!(text.contains("SW1165"), "{text}");
    code(0, &flow(&repo, &["start", "hotfix", "1.4.1"]));
    assert_eq!(repo.head(), repo.git(["rev-parse", "origin/main"]));
    let text = code(2, &flow(&repo, &["start", "epic", "x"]));
    assert!(text.contains("SW1164") && text.contains("feature"), "{text}");
    let text = code(1, &flow(&repo, &["start", "feature", "--", "!!!"]));
    assert!(text.contains("SW1165"), "{text}");
}

#[test]
fn with_one_branch_that_stays_work_starts_there() {
    let repo = Repo::new();
    repo.file("a", "1\n").commit("feat: begin");
    code(0, &flow(&repo, &["start", "feature", "--offline", "x"]));
    assert_eq!(repo.branch(), "feature/x");
    let value = status(&repo);
    assert_eq!((&value["main"], &value["develop"]), (&"main".into(), &Value::Null));
}

#[test]
fn a_name_that_could_not_be_pushed_is_not_begun() {
    let (repo, _remote) = two();
    let policy = "schema = 1\nnames = [\"spike/**\"]\n[branch.main]\nprotected = true\n[branch.develop]\nprotected = true\n\
                  [branch.feature]\npatterns = [\"feature/{number}-*\"]\n";
    repo.file(".shipway/policy.toml", policy);
    let text = code(1, &flow(&repo, &["start", "feature", "Log", "in"]));
    assert!(text.contains("SW1165") && text.contains("feature/{number}-*, spike/**"), "{text}");
    assert_eq!(repo.branch(), "main");
    code(0, &flow(&repo, &["start", "feature", "#123", "Log", "in"]));
    assert_eq!(repo.branch(), "feature/123-log-in");
}

#[test]
fn what_came_from_develop_is_not_owed_and_a_fix_is() {
    let (repo, _remote) = two();
    repo.git(["switch", "-q", "develop"]);
    repo.file("b", "1\n").commit("feat: b");
    repo.git(["push", "-q", "origin", "develop"]);
    land(&repo, "develop", "main");
    let value = status(&repo);
    assert_eq!(value["owed"], serde_json::json!([]));
    assert_eq!((&value["develop_ahead"], &value["main_ahead"]), (&0.into(), &0.into()));
    repo.git(["switch", "-q", "-c", "hotfix/1", "main"]);
    repo.file("c", "1\n").commit("fix: c");
    land(&repo, "hotfix/1", "main");
    let value = status(&repo);
    assert_eq!(value["owed"][0]["into"], "develop");
    assert_eq!(value["main_ahead"], 1);
    let text = code(0, &flow(&repo, &["back", "--dry-run"]));
    assert!(text.contains("main into develop: merges cleanly"), "{text}");
    land(&repo, "main", "develop");
    assert_eq!(status(&repo)["owed"], serde_json::json!([]));
    assert!(code(0, &flow(&repo, &["back"])).contains("nothing is owed"));
}

#[test]
fn a_conflict_on_the_way_back_is_named_with_the_way_to_solve_it() {
    let (repo, _remote) = two();
    repo.git(["switch", "-q", "develop"]);
    repo.file("a", "develop\n").commit("feat: a");
    repo.git(["push", "-q", "origin", "develop"]);
    repo.git(["switch", "-q", "-c", "hotfix/1", "main"]);
    repo.file("a", "fixed\n").commit("fix: a");
    land(&repo, "hotfix/1", "main");
    let before = repo.state();
    let text = code(3, &flow(&repo, &["back", "--dry-run"]));
    assert!(text.contains("SW1167") && text.contains("conflicts in a"), "{text}");
    assert!(text.contains("git merge origin/main") && text.contains("refs/for/develop"), "{text}");
    assert_eq!(repo.state(), before, "nothing was merged here");
    repo.git(["switch", "-q", "develop"]);
    let text = code(0, &flow(&repo, &["finish", "--dry-run", "--json"]));
    assert!(text.contains("\"waits\":[\"main must be merged back into develop"), "{text}");
}

#[test]
fn finishing_shows_what_would_be_asked_with_notes_from_the_commits() {
    let (repo, _remote) = two();
    repo.git(["switch", "-q", "develop"]);
    repo.file("b", "1\n").commit("feat(ui): b");
    repo.file("c", "1\n").commit("fix: c");
    // A branch that stays asks with what the remote has of it.
    let text = code(1, &flow(&repo, &["finish", "--dry-run"]));
    assert!(text.contains("nothing that main has not"), "{text}");
    repo.git(["push", "-q", "origin", "develop"]);
    let output = flow(&repo, &["finish", "--dry-run", "--json"]);
    code(0, &output);
    let value: Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!((&value["target"], &value["title"]), (&"main".into(), &"develop into main: 2 commits".into()));
    let notes = value["notes"].as_str().unwrap();
    assert!(
        notes.starts_with("### Features\n") && notes.contains("**ui:** b") && notes.contains("### Bug Fixes")
    );
    code(0, &flow(&repo, &["start", "feature", "one"]));
    let text = code(1, &flow(&repo, &["finish"]));
    assert!(text.contains("nothing that develop has not"), "{text}");
    repo.file("d", "1\n").commit("feat: d");
    let output = flow(&repo, &["finish", "--dry-run", "--json"]);
    let value: Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!((&value["target"], &value["title"]), (&"develop".into(), &"feat: d".into()));
    repo.git(["switch", "-q", "main"]);
    let text = code(1, &flow(&repo, &["finish"]));
    assert!(text.contains("lands nowhere"), "{text}");
}

#[test]
fn a_remote_without_a_guard_is_told_apart_and_left_as_it_was() {
    let (repo, remote) = two();
    code(0, &flow(&repo, &["start", "feature", "x"]));
    repo.file("b", "1\n").commit("feat: b");
    let refs = || repo.git(["ls-remote", "origin"]);
    // The branch is there for whatever that remote has instead of change requests.
    repo.git(["push", "-q", "origin", "feature/x"]);
    let before = refs();
    let text = code(1, &flow(&repo, &["finish"]));
    assert!(text.contains("SW1166"), "{text}");
    assert_eq!(refs(), before);
    // One that takes options, and takes any name for an ordinary one.
    let mut config = repo.command("git");
    config.current_dir(remote.path()).args(["config", "receive.advertisePushOptions", "true"]);
    assert!(config.status().unwrap().success());
    let text = code(1, &flow(&repo, &["finish"]));
    assert!(text.contains("SW1166"), "{text}");
    assert_eq!(refs(), before);
}

#[test]
fn a_missing_develop_is_made_when_something_starts_there() {
    let repo = Repo::new();
    repo.file("a", "1\n").commit("feat: begin");
    let _remote = Remote::of(&repo);
    code(0, &flow(&repo, &["start", "feature", "x"]));
    assert!(!repo.git(["ls-remote", "origin"]).contains("develop"), "without a policy one branch is enough");
    repo.git(["switch", "-q", "main"]);
    repo.file(".shipway/policy.toml", "preset = 'gitflow'\n").commit("chore: set the policy");
    repo.git(["push", "-q", "origin", "main"]);
    let text = code(0, &flow(&repo, &["start", "bugfix", "y"]));
    assert!(text.contains("develop was missing"), "{text}");
    assert_eq!(repo.git(["ls-remote", "origin", "develop"]).split('\t').next(), Some(repo.head().as_str()));
    assert_eq!(repo.branch(), "bugfix/y");
}

#[test]
fn the_policy_says_what_kinds_there_are() {
    let (repo, _remote) = two();
    let policy = "preset = 'gitflow'\n[branch.spike]\npatterns = ['spike/*']\n[[branch.develop.merge]]\n\
                  from = ['spike/*']\nmethod = ['rebase']\n";
    repo.file(".shipway/policy.toml", policy).commit("chore: set the policy");
    let value = status(&repo);
    let kinds = value["kinds"].as_array().unwrap();
    let spike = kinds.iter().find(|kind| kind["name"] == "spike").unwrap();
    assert_eq!((&spike["target"], &spike["methods"][0]), (&"develop".into(), &"rebase".into()));
    repo.file(".shipway/policy.toml", "preset = 'none of them'\n");
    let text = code(2, &flow(&repo, &["start", "feature", "x"]));
    assert!(text.contains(".shipway/policy.toml"), "{text}");
}
