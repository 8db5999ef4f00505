//! Checks of a commit: on what is staged, at once, and not again on what has passed.

use std::fs;

use crate::stage::{SHIPWAY, Stage};

/// A check that writes down that it ran, and where, and passes if no file says `bad`.
fn configured(extra: &str) -> Stage {
    let stage = Stage::new();
    let log = stage.dir.join("../ran");
    let run = format!("['sh', '-c', 'pwd >>{}; ! grep -rq bad .']", log.display());
    fs::write(
        stage.dir.join("shipway.toml"),
        format!("[[check]]\nname = 'words'\non = ['commit']\nrun = {run}\n{extra}\n"),
    )
    .unwrap();
    stage
}

fn ran(stage: &Stage) -> usize {
    stage.read("../ran").lines().count()
}

#[test]
fn what_is_staged_is_looked_at_and_the_work_tree_left_alone() {
    let stage = configured("");
    stage.stage("a", "bad\n");
    fs::write(stage.dir.join("a"), "good, and not staged\n").unwrap();
    let text = stage.refused(&["commit", "-m", "feat: a"]);
    assert!(text.contains("SW0501") && text.contains("on what is staged"), "{text}");
    assert_eq!(stage.read("a"), "good, and not staged\n");
    stage.stage("a", "good\n");
    fs::write(stage.dir.join("a"), "bad, and not staged\n").unwrap();
    stage.ok("git", &["commit", "-m", "feat: a"]);
    assert_eq!(stage.read("a"), "bad, and not staged\n");
    assert_eq!(stage.ok("git", &["show", "HEAD:a"]), "good\n");
    assert!(!stage.ok("git", &["stash", "list"]).contains("stash"));
    let places = stage.read("../ran");
    assert!(places.lines().all(|dir| !fs::exists(dir).unwrap()), "{places}");
}

#[test]
fn a_commit_of_some_paths_is_looked_at_as_git_makes_it() {
    let stage = configured("");
    stage.stage("a", "good\n").stage("b", "good\n").ok("git", &["commit", "-qm", "feat: both"]);
    stage.stage("b", "bad\n");
    fs::write(stage.dir.join("a"), "better\n").unwrap();
    // The index of this commit has the new `a` and the old `b`.
    stage.ok("git", &["commit", "-m", "feat: only a", "--", "a"]);
    assert_eq!(stage.ok("git", &["show", "HEAD:b"]), "good\n");
    stage.refused(&["commit", "-m", "feat: b"]);
    stage.refused(&["commit", "-am", "feat: b"]);
}

#[test]
fn what_has_passed_is_not_run_again_until_one_of_its_files_changes() {
    let stage = configured("files = ['*.txt']");
    stage.stage("a.txt", "good\n").stage("other", "bad, and not its business\n");
    stage.ok("git", &["commit", "-qm", "feat: a"]);
    assert_eq!(ran(&stage), 1);
    stage.stage("other", "bad again\n");
    let text = stage.ok("git", &["commit", "-m", "feat: other"]);
    assert!(text.contains("passed before"), "{text}");
    assert_eq!(ran(&stage), 1);
    stage.stage("a.txt", "still good\n").ok("git", &["commit", "-qm", "feat: again"]);
    assert_eq!(ran(&stage), 2);
    stage.stage("a.txt", "good\n").ok("git", &["commit", "-qm", "feat: back"]);
    assert_eq!(ran(&stage), 2, "the same files have passed before");
}

#[test]
fn checks_run_at_once() {
    let stage = Stage::new();
    let wait = |mine: &str, other: &str| {
        format!(
            "touch {mine}; n=0; until test -e {other} || test $n -gt 200; do sleep 0.05; n=$((n+1)); done; test -e {other}"
        )
    };
    let dir = stage.dir.join("..");
    let [one, two] = ["one", "two"].map(|name| dir.join(name).display().to_string());
    let text = format!(
        "[checks]\nparallel = 2\n[[check]]\nname = 'one'\non = ['commit']\nrun = ['sh', '-c', '{}']\n\
         [[check]]\nname = 'two'\non = ['commit']\nrun = ['sh', '-c', '{}']\n",
        wait(&one, &two),
        wait(&two, &one)
    );
    fs::write(stage.dir.join("shipway.toml"), text).unwrap();
    stage.stage("a", "1\n").ok("git", &["commit", "-qm", "feat: a"]);
}

#[test]
fn a_check_is_skipped_with_a_reason() {
    let stage = configured("");
    stage.stage("a", "bad\n");
    let mut commit = stage.command("git", &["commit", "-qm", "feat: a"]);
    let output = commit.env("SHIPWAY_SKIP", "words: it is only a draft").output().unwrap();
    assert!(output.status.success());
    assert!(stage.notes()[0].contains("only a draft"), "{:?}", stage.notes());
}

#[test]
fn a_check_of_commits_is_none_of_a_release() {
    let stage = Stage::bare();
    let check = |name: &str, on: &str| format!("[[check]]\nname = '{name}'\nrun = 'true'\n{on}\n");
    let text = check("words", "on = ['commit']")
        + &check("whole", "")
        + &check("weekly", "on = ['schedule:weekly']");
    stage.repo.file("shipway.toml", text).file("VERSION", "1.0.0\n").commit("feat: a");
    let _remote = shipway_testkit::remote::Remote::of(&stage.repo);
    let plan = stage.ok(SHIPWAY, &["plan", "--json"]);
    assert!(
        plan.contains("\"whole\"") && !plan.contains("\"words\"") && !plan.contains("\"weekly\""),
        "{plan}"
    );
}
