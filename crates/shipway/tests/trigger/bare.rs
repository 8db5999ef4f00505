//! What a hook began in a bare repository is seen there, approved there, and driven to its end there.

use std::fs;
use std::io::{Read as _, Write as _};
use std::process::{Command, Stdio};

use serde_json::Value;
use shipway_testkit::remote::Remote;
use shipway_testkit::repo::Repo;
use shipway_testkit::skip::skip;

use crate::{SHIPWAY, code, project, shipway};

/// A bare repository in which a push to main has begun a deployment that waits for an approval.
struct Waiting {
    repo: Repo,
    remote: Remote,
    run: String,
}

/// Pushes to main; where `staged`, what is pushed was built for staging before, so that its plan names no commit.
fn waiting(staged: bool) -> Waiting {
    let (repo, remote) = project();
    let text = repo.read("shipway.toml");
    let before = "before = ['sh', '-c', 'test -e marker && ! test -e HEAD']\n";
    let text = text.replace("approvals = 1", &format!("approvals = 1\n{before}"));
    let text = if staged { text } else { text.replace("from = 'staging'\n", "") };
    let build = "[artifact]\nbuild = ['sh', '-c', 'cp marker built']\n";
    repo.file("shipway.toml", text + build).file("marker", "two\n").commit("feat: two");
    remote.hook("post-receive", &format!("'{SHIPWAY}' trigger --received --json >'{}' || :", out(&repo)));
    if staged {
        repo.git(["push", "-q", "origin", "main:develop"]);
    }
    repo.git(["push", "-q", "origin", "main"]);
    let said = fs::read_to_string(out(&repo)).unwrap();
    let value: Value = serde_json::from_str(&said).expect(&said);
    assert_eq!(value["deployments"][0]["code"], 3, "{said}");
    let opened = &value["deployments"][0]["entries"][0];
    let named = opened["event"]["plan"].to_string().contains(&repo.head());
    assert_eq!(named, !staged, "{said}");
    let run = opened["run"].as_str().expect(&said).to_owned();
    Waiting { repo, remote, run }
}

fn out(repo: &Repo) -> String {
    repo.home().join("said").display().to_string()
}

impl Waiting {
    #[track_caller]
    fn call(&self, expected: i32, args: &[&str]) -> String {
        code(expected, &shipway(&self.repo, self.remote.path(), args))
    }

    fn built(&self) -> Option<String> {
        fs::read_to_string(self.repo.home().join("production/current/built")).ok()
    }

    /// Types a yes at a terminal, and tells whether there is one.
    fn approve(&self) -> bool {
        let there =
            Command::new("script").arg("--version").output().is_ok_and(|output| output.status.success());
        if !there {
            skip("script, which makes a terminal, is not installed");
            return false;
        }
        let line = format!("exec '{SHIPWAY}' -C '{}' approve {}", self.remote.path().display(), self.run);
        let mut command = self.repo.command("timeout");
        command.args(["60", "script", "-qec", &line, "/dev/null"]).env("SHELL", "/bin/sh");
        command.env("GIT_COMMITTER_NAME", "Bob").env("GIT_COMMITTER_EMAIL", "bob@example.org");
        let mut child = command.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().unwrap();
        let (mut keys, mut screen) = (child.stdin.take().unwrap(), child.stdout.take().unwrap());
        let (mut shown, mut byte) = (vec![], [0]);
        while screen.read(&mut byte).unwrap() == 1 {
            shown.push(byte[0]);
            if shown.ends_with(b"or nothing:") {
                let text = String::from_utf8_lossy(&shown);
                let shown = text.split("plan ").filter_map(|rest| rest.get(..8));
                let hex = |word: &&str| word.bytes().all(|byte| byte.is_ascii_hexdigit());
                let digest = shown.filter(hex).last().unwrap();
                writeln!(keys, "{digest}").unwrap();
            }
        }
        assert!(child.wait().unwrap().success(), "{}", String::from_utf8_lossy(&shown));
        true
    }
}

fn is_shipped(waiting: &Waiting) {
    let text = waiting.call(0, &["status"]);
    assert!(text.contains("waiting at production") && text.contains(&waiting.run), "{text}");
    assert!(waiting.call(0, &["log"]).contains(&waiting.run));
    waiting.call(0, &["env", "status", "production"]);
    waiting.call(0, &["incident", "open", "the queue stands"]);
    assert!(waiting.call(0, &["incident"]).contains("the queue stands"));
    assert!(waiting.call(2, &["plan"]).contains("SW0102"), "a release needs files of its own");
    assert!(waiting.call(10, &["abort"]).contains("no process drives"));
    waiting.call(3, &["resume"]);
    if !waiting.approve() {
        return;
    }
    // An incident holds back what was approved as well.
    assert!(waiting.call(3, &["resume", &waiting.run]).contains("the queue stands"));
    let list: Value = serde_json::from_str(&waiting.call(0, &["incident", "--json"])).unwrap();
    waiting.call(0, &["incident", "close", list["incidents"][0]["id"].as_str().unwrap()]);
    waiting.call(0, &["resume", &waiting.run]);
    assert_eq!(waiting.built().as_deref(), Some("two\n"));
    let status = waiting.call(0, &["env", "status", "production", "--json"]);
    assert!(status.contains(&waiting.run), "{status}");
    let list = waiting.repo.git(["-C", &waiting.remote.url(), "worktree", "list"]);
    assert_eq!(list.lines().count(), 1, "the checkouts are gone: {list}");
}

#[test]
fn a_deployment_that_waits_in_a_bare_repository_is_approved_built_and_shipped_there() {
    is_shipped(&waiting(false));
}

#[test]
fn what_was_built_before_is_shipped_from_a_bare_repository_as_well() {
    is_shipped(&waiting(true));
}

#[test]
fn a_deployment_that_waits_in_a_bare_repository_is_taken_back_there() {
    let waiting = waiting(false);
    waiting.call(0, &["rollback", &waiting.run]);
    assert_eq!(waiting.built(), None);
    assert!(waiting.call(10, &["wait"]).contains("no run is open"));
}

#[test]
fn an_environment_goes_back_to_the_release_before_from_a_bare_repository() {
    let (repo, remote) = project();
    remote.hook("post-receive", &format!("'{SHIPWAY}' trigger --received >/dev/null 2>&1"));
    repo.git(["switch", "-q", "develop"]);
    for marker in ["two\n", "three\n"] {
        repo.file("marker", marker).commit("feat: more");
        repo.git(["push", "-q", "origin", "develop"]);
    }
    let live = || fs::read_to_string(repo.home().join("staging/current/marker")).unwrap();
    assert_eq!(live(), "three\n");
    code(0, &shipway(&repo, remote.path(), &["rollback", "staging"]));
    assert_eq!(live(), "two\n");
    // Of the run that did that, too, and from inside.
    let hooks = remote.path().join("hooks");
    assert!(code(0, &shipway(&repo, &hooks, &["log"])).contains("staging/switch/local"));
    // It goes further back, and not forward again unless that is named.
    let told = code(1, &shipway(&repo, &hooks, &["rollback", "staging"]));
    assert!(told.contains("SW1019"), "{told}");
    assert_eq!(live(), "two\n");
    let left = told.lines().find_map(|line| line.split_once("rollback staging --to ")).unwrap().1;
    code(0, &shipway(&repo, &hooks, &["rollback", "staging", "--to", left]));
    assert_eq!(live(), "three\n");
}
