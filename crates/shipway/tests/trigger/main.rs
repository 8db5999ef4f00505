//! Events: the checks and the deployments that they ask for, in a clone, and in a bare repository from its hook.

#![expect(clippy::unwrap_used, reason = "helpers of tests are tests")]

mod bare;
mod killed;
mod onward;

use std::ffi::OsStr;
use std::fs;
use std::os::unix::ffi::OsStrExt as _;
use std::path::Path;
use std::process::{Command, Output, Stdio};

use serde_json::Value;
use shipway_testkit::remote::Remote;
use shipway_testkit::repo::Repo;

const SHIPWAY: &str = env!("CARGO_BIN_EXE_shipway");

/// A repository with checks that write down that they ran, and two environments on this machine.
fn project() -> (Repo, Remote) {
    let repo = Repo::new();
    let log = repo.home().join("ran");
    let check = |name: &str, on: &str| {
        let run = format!("['sh', '-c', 'echo {name} $(cat marker) >>{}']", log.display());
        format!("[[check]]\nname = '{name}'\nrun = {run}\n{on}\n")
    };
    let environment = |name: &str, more: &str| {
        let path = repo.home().join(name);
        format!(
            "[environment.{name}]\nhosts = ['local']\npath = '{}'\n{more}\n[environment.{name}.watch]\nfor = false\n",
            path.display()
        )
    };
    let text = [
        "[checks]\noutdated = false\nparallel = 1\n".to_owned(),
        check("unit", ""),
        check("security", "on = ['change:develop', 'change:main']"),
        check("weekly", "on = ['schedule:weekly']"),
        check("tagged", "on = ['tag:v*']"),
        environment("staging", "on = ['change:develop']"),
        environment("production", "on = ['change:main']\nfrom = 'staging'\napprovals = 1"),
    ];
    repo.file("shipway.toml", text.concat()).file("marker", "one\n").commit("feat: begin");
    repo.git(["branch", "develop"]);
    let remote = Remote::of(&repo);
    repo.git(["push", "-q", "origin", "develop"]);
    (repo, remote)
}

fn shipway(repo: &Repo, dir: &Path, args: &[&str]) -> Output {
    let mut command = repo.command(SHIPWAY);
    command.current_dir(dir).args(args).stdin(Stdio::null()).output().unwrap()
}

#[track_caller]
fn code(code: i32, output: &Output) -> String {
    let [out, err] =
        [&output.stdout, &output.stderr].map(|bytes| String::from_utf8_lossy(bytes).into_owned());
    assert_eq!(output.status.code(), Some(code), "{out}{err}");
    out + &err
}

fn ran(repo: &Repo) -> Vec<String> {
    let text = fs::read_to_string(repo.home().join("ran")).unwrap_or_default();
    text.lines().map(str::to_owned).collect()
}

#[test]
fn an_event_runs_its_checks_on_a_clean_checkout() {
    let (repo, _remote) = project();
    repo.file("marker", "not committed\n");
    code(0, &shipway(&repo, repo.path(), &["trigger", "schedule:weekly"]));
    assert_eq!(ran(&repo), ["weekly one"]);
    repo.tag("v1.0.0");
    code(0, &shipway(&repo, repo.path(), &["trigger", "tag:v1.0.0"]));
    assert_eq!(ran(&repo), ["weekly one", "tagged one"]);
    code(0, &shipway(&repo, repo.path(), &["trigger", "schedule:nightly"]));
    assert_eq!(ran(&repo).len(), 2);
    assert_eq!(repo.git(["worktree", "list"]).lines().count(), 1, "the checkout is gone");
    assert_eq!(repo.read("marker"), "not committed\n");
    let text = code(2, &shipway(&repo, repo.path(), &["trigger", "push"]));
    assert!(text.contains("SW1169"), "{text}");
    let text = code(2, &shipway(&repo, repo.path(), &["trigger", "tag:v9"]));
    assert!(text.contains("SW1169"), "{text}");
}

#[test]
fn a_change_to_develop_is_checked_and_deployed_and_one_to_main_waits_at_the_gate() {
    let (repo, _remote) = project();
    let shown = code(0, &shipway(&repo, repo.path(), &["trigger", "change:develop", "--dry-run"]));
    assert!(shown.contains("check unit") && shown.contains("deploy staging"), "{shown}");
    assert!(ran(&repo).is_empty() && !repo.home().join("staging").exists());
    code(0, &shipway(&repo, repo.path(), &["trigger", "change:develop"]));
    assert_eq!(ran(&repo), ["unit one", "security one"]);
    assert_eq!(fs::read_to_string(repo.home().join("staging/current/marker")).unwrap(), "one\n");
    let output = shipway(&repo, repo.path(), &["trigger", "change:main", "--json"]);
    let text = code(3, &output);
    assert_eq!(ran(&repo).len(), 4);
    assert!(!repo.home().join("production/current").exists(), "{text}");
    let value: Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!(value["checks"][0]["name"], "unit");
    assert_eq!(value["deployments"][0]["environment"], "production");
    assert_eq!(value["deployments"][0]["code"], 3);
    assert_eq!(value["deployments"][0]["entries"][0]["event"]["plan"]["release"]["project"], "widget");
}

#[test]
fn a_check_that_does_not_pass_stops_the_deployment() {
    let (repo, _remote) = project();
    let text = repo.read("shipway.toml").replace("echo security", "exit 7; echo security");
    repo.git(["switch", "-q", "develop"]);
    repo.file("shipway.toml", text).commit("fix: break it");
    let text = code(1, &shipway(&repo, repo.path(), &["trigger", "change:develop"]));
    assert!(text.contains("SW0501") && text.contains("ended with code 7"), "{text}");
    assert!(text.contains("nothing is deployed") && !repo.home().join("staging").exists(), "{text}");
}

#[test]
fn what_only_asks_to_land_is_checked_and_not_deployed() {
    let (repo, _remote) = project();
    repo.git(["switch", "-q", "-c", "feature/x"]);
    repo.file("marker", "two\n").commit("feat: two");
    let commit = repo.head();
    let args = ["trigger", "change:develop", "--commit", &commit];
    let text = code(0, &shipway(&repo, repo.path(), &args));
    assert_eq!(ran(&repo), ["unit two", "security two"]);
    assert!(text.contains("has not landed") && !repo.home().join("staging").exists(), "{text}");
}

#[test]
fn a_hook_of_a_bare_repository_runs_what_a_push_asks_for() {
    let (repo, remote) = project();
    let out = repo.home().join("out");
    remote.hook("post-receive", &format!("'{SHIPWAY}' trigger --received >>'{}' 2>&1", out.display()));
    repo.git(["switch", "-q", "develop"]);
    repo.file("marker", "two\n").commit("feat: two");
    repo.git(["push", "-q", "origin", "develop"]);
    let said = fs::read_to_string(&out).unwrap_or_default();
    assert_eq!(ran(&repo), ["unit two", "security two"], "{said}");
    let live = fs::read_to_string(repo.home().join("staging/current/marker"));
    assert_eq!(live.unwrap_or_default(), "two\n", "{said}");
    let mut list = Command::new("git");
    let list = list.args(["worktree", "list"]).current_dir(remote.path()).output().unwrap();
    assert_eq!(String::from_utf8_lossy(&list.stdout).lines().count(), 1);
}

#[test]
fn a_ref_whose_name_is_not_utf8_keeps_no_other_from_being_deployed() {
    let (repo, remote) = project();
    let out = repo.home().join("out");
    remote.hook("post-receive", &format!("'{SHIPWAY}' trigger --received >>'{}' 2>&1", out.display()));
    repo.git(["switch", "-q", "develop"]);
    repo.file("marker", "two\n").commit("feat: two");
    let odd = OsStr::from_bytes(b"HEAD:refs/heads/d\xe9j\xe0");
    repo.git([OsStr::new("push"), "-q".as_ref(), "origin".as_ref(), odd, "develop".as_ref()]);
    let said = fs::read_to_string(&out).unwrap();
    assert!(said.contains("SW1169") && said.contains(r"refs/heads/d\xe9j\xe0"), "{said}");
    assert_eq!(ran(&repo), ["unit two", "security two"], "{said}");
    assert_eq!(fs::read_to_string(repo.home().join("staging/current/marker")).unwrap(), "two\n", "{said}");
}

#[test]
fn the_exit_code_of_a_push_is_that_of_the_worst_of_its_events() {
    let (repo, remote) = project();
    let out = repo.home().join("code");
    remote.hook("post-receive", &format!("'{SHIPWAY}' trigger --received; echo $? >'{}'", out.display()));
    let text = repo.read("shipway.toml").replace("echo tagged", "exit 7; echo tagged");
    repo.file("shipway.toml", text.replace("from = 'staging'\n", "")).commit("fix: break it");
    repo.tag("v1.0.0");
    // The deployment of main waits at its gate, and is told first; the check of the tag does not pass.
    let said = repo.try_git(["push", "origin", "main", "v1.0.0"]);
    let said = String::from_utf8_lossy(&said.stderr).into_owned();
    let (first, then) = (said.find("deploy production ended with code 3"), said.find("SW0501"));
    assert!(first.is_some() && first < then, "{said}");
    assert_eq!(fs::read_to_string(out).unwrap(), "1\n", "{said}");
}
