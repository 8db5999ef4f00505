//! A push of a run that goes on to an environment: the hook of the remote leaves that environment to the run.

use std::fs;

use serde_json::Value;
use shipway_testkit::remote::Remote;
use shipway_testkit::repo::Repo;

use crate::{SHIPWAY, code, ran, shipway};

/// A repository whose environment is deployed for an event, here and by the hook of its remote.
fn project(on: &str, release: &str, more: &str) -> (Repo, Remote) {
    let repo = Repo::new();
    let path = repo.home().join("staging");
    let check = format!("run = ['sh', '-c', 'echo seen >>{}']", repo.home().join("ran").display());
    let text = format!(
        "[checks]\noutdated = false\n[[check]]\nname = 'seen'\n{check}\non = ['{on}']\n[release]\n{release}\n\
         [environment.staging]\nhosts = ['local']\npath = '{}'\non = ['{on}']\nwatch = {{ for = false }}\n{more}\n",
        path.display(),
    );
    repo.file("shipway.toml", text).file("marker", "one\n").commit("feat: begin");
    let remote = Remote::of(&repo);
    let said = repo.home().join("said");
    remote
        .hook("post-receive", &format!("'{SHIPWAY}' trigger --received --json >>'{}' 2>&1", said.display()));
    repo.file("marker", "two\n").commit("feat: two");
    (repo, remote)
}

/// Returns the environments that the hook has left to a run, of each document that it has written.
fn left(repo: &Repo) -> Vec<Vec<(String, String)>> {
    let said = fs::read_to_string(repo.home().join("said")).unwrap();
    let documents = serde_json::Deserializer::from_str(&said).into_iter::<Value>();
    let of = |document: serde_json::Result<Value>| {
        let document = document.unwrap_or_else(|error| panic!("{error}: {said}"));
        assert_eq!(document["deployments"].as_array().unwrap().len(), 0, "{said}");
        let text = |value: &Value| value.as_str().unwrap().to_owned();
        let left = document["left"].as_array().unwrap().iter();
        left.map(|one| (text(&one["environment"]), text(&one["run"]))).collect()
    };
    // The tag of the same push is an event too, which may ask for nothing.
    documents.map(of).filter(|left: &Vec<_>| !left.is_empty()).collect()
}

fn runs(repo: &Repo, remote: &Remote) -> String {
    code(0, &shipway(repo, remote.path(), &["status", "--no-hosts"]))
}

#[track_caller]
fn goes_on_itself(on: &str, release: &str) {
    let (repo, remote) = project(on, release, "");
    let text = code(0, &shipway(&repo, repo.path(), &["push", "--to", "staging"]));
    assert!(text.contains("shipped"), "{text}");
    assert_eq!(fs::read_to_string(repo.home().join("staging/current/marker")).unwrap(), "two\n");
    assert_eq!(ran(&repo), ["seen"], "checks of the event run as ever");
    let left = left(&repo);
    let (name, run) = left.iter().flatten().next().unwrap();
    assert!(name == "staging" && text.contains(run), "{left:?}: {text}");
    assert!(!runs(&repo, &remote).contains("staging"));
    // What the run has brought there is there, also for whoever asks later.
    let event = on.replace("v*", "v0.1.0");
    let shown = code(0, &shipway(&repo, repo.path(), &["trigger", &event, "--dry-run"]));
    assert!(shown.contains(&format!("deploy staging is left to run {run}")), "{shown}");
    // The next push is of nobody's run.
    if on == "change:main" {
        repo.file("marker", "three\n").commit("feat: three");
        repo.git(["push", "-q", "origin", "main"]);
        assert_eq!(fs::read_to_string(repo.home().join("staging/current/marker")).unwrap(), "three\n");
    }
}

#[test]
fn the_tag_of_a_release_that_goes_on_to_an_environment_deploys_nothing_there() {
    goes_on_itself("tag:v*", "");
}

#[test]
fn the_branch_of_a_release_that_goes_on_to_an_environment_deploys_nothing_there() {
    goes_on_itself("change:main", "");
}

#[test]
fn a_release_that_is_only_a_tag_is_left_to_its_run_as_well() {
    goes_on_itself("change:main", "changelog = false");
}

#[test]
fn the_revert_of_a_release_that_failed_on_its_way_is_not_deployed() {
    let (repo, remote) = project("change:main", "", "after = ['false']");
    let text = code(4, &shipway(&repo, repo.path(), &["push", "--to", "staging"]));
    assert!(text.contains("rolled back"), "{text}");
    assert!(!repo.home().join("staging/current").exists());
    assert!(repo.git(["log", "-1", "--format=%s", &remote.tip("main").unwrap()]).starts_with("revert: "));
    let left = left(&repo);
    assert!(left.len() == 2 && left[0] == left[1], "{left:?}");
    assert_eq!(ran(&repo).len(), 2);
    assert!(!runs(&repo, &remote).contains("staging"));
}

#[test]
fn a_release_that_goes_nowhere_is_deployed_by_the_hook() {
    let (repo, _remote) = project("tag:v*", "", "");
    code(0, &shipway(&repo, repo.path(), &["push"]));
    assert_eq!(fs::read_to_string(repo.home().join("staging/current/marker")).unwrap(), "two\n");
}
