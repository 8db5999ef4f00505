//! Commits that go past hooks: noticed, and noted.

use crate::stage::Stage;

#[test]
fn no_verify_is_noticed_and_noted() {
    let stage = Stage::new();
    stage.stage("a", "1\n");
    let text = stage.ok("git", &["commit", "--no-verify", "-m", "did things"]);
    assert!(text.contains("SW1163") && text.contains("SW0311"), "{text}");
    let notes = stage.notes();
    assert_eq!(notes.len(), 2, "{notes:?}");
    assert!(notes.iter().all(|note| note.contains(&stage.repo.head()) && note.contains("unverified")));
    let status = stage.ok(crate::stage::SHIPWAY, &["guard", "status"]);
    assert!(status.contains("did not run"), "{status}");
}

#[test]
fn a_merge_with_no_verify_is_noticed_too() {
    let stage = Stage::new();
    stage.ok("git", &["switch", "-q", "-c", "side"]);
    stage.stage("b", "1\n").ok("git", &["commit", "-qm", "feat: side"]);
    stage.ok("git", &["switch", "-q", "main"]);
    stage.stage("c", "1\n").ok("git", &["commit", "-qm", "feat: main"]);
    let text = stage.ok("git", &["merge", "--no-ff", "--no-edit", "--no-verify", "side"]);
    assert!(text.contains("SW1163"), "{text}");
    assert_eq!(stage.notes().len(), 1, "{:?}", stage.notes());
    // What only moves the branch makes no commit.
    stage.ok("git", &["switch", "-q", "side"]);
    stage.ok("git", &["merge", "--ff-only", "main"]);
    assert_eq!(stage.notes().len(), 1, "{:?}", stage.notes());
}

#[test]
fn what_git_makes_by_itself_is_looked_at_afterwards() {
    let stage = Stage::new();
    stage.ok("git", &["switch", "-q", "-c", "side"]);
    stage.stage("good", "1\n").ok("git", &["commit", "-qm", "feat: good"]);
    stage.stage("bad", "1\n").ok("git", &["-c", "core.hooksPath=/dev/null", "commit", "-qm", "bad"]);
    stage.ok("git", &["switch", "-q", "main"]);
    assert!(stage.notes().is_empty());
    stage.ok("git", &["cherry-pick", "side~1"]);
    assert!(stage.notes().is_empty(), "{:?}", stage.notes());
    let text = stage.ok("git", &["cherry-pick", "side"]);
    assert!(text.contains("SW0311"), "{text}");
    assert_eq!(stage.notes().len(), 1);
    stage.ok("git", &["revert", "--no-edit", "HEAD"]);
    assert_eq!(stage.notes().len(), 1, "{:?}", stage.notes());
    stage.ok("git", &["switch", "-q", "-c", "other", "HEAD~3"]);
    stage.stage("other", "1\n").ok("git", &["commit", "-qm", "feat: other"]);
    stage.ok("git", &["rebase", "-q", "main"]);
    assert_eq!(stage.notes().len(), 1, "{:?}", stage.notes());
}

#[test]
fn a_message_that_is_only_amended_past_the_hooks_is_noted() {
    let stage = Stage::new();
    stage.stage("a", "1\n").ok("git", &["commit", "-qm", "feat: a"]);
    let text = stage.ok("git", &["commit", "--amend", "--no-verify", "-m", "whatever"]);
    assert!(text.contains("SW0311"), "{text}");
    assert_eq!(stage.notes().len(), 1, "{:?}", stage.notes());
}

#[test]
fn what_a_hook_of_the_user_puts_into_the_index_is_looked_at_and_accuses_nobody() {
    let stage = Stage::bare();
    stage.program(".git/hooks/pre-commit", "for f in *.txt; do printf 'formatted\\n' >>$f; git add $f; done");
    stage.ok(crate::stage::SHIPWAY, &["guard", "install"]);
    stage.stage("a.txt", "1\n");
    let text = stage.ok("git", &["commit", "-m", "feat: a"]);
    assert!(stage.notes().is_empty() && !text.contains("SW1163"), "{text}");
    assert_eq!(stage.ok("git", &["show", "HEAD:a.txt"]), "1\nformatted\n");
    // One that says no is heard, and nothing else happens.
    stage.program(".git/hooks/chained/pre-commit", "echo theirs says no; exit 3");
    stage.stage("a.txt", "2\n");
    assert!(stage.refused(&["commit", "-m", "feat: b"]).contains("theirs says no"));
    assert!(stage.ok("git", &["commit", "--no-verify", "-m", "feat: c"]).contains("SW1163"));
}

/// Makes two branches, and commits on one of them that git makes by itself.
#[track_caller]
fn accuses_nobody(stage: &Stage) {
    stage.stage("README.md", "hello\n").ok("git", &["commit", "-q", "--allow-empty", "-m", "chore: begin"]);
    stage.ok("git", &["switch", "-q", "-c", "side"]);
    stage.stage("good", "1\n").ok("git", &["commit", "-qm", "feat: good"]);
    stage.ok("git", &["switch", "-q", "main"]);
    stage.stage("other", "1\n").ok("git", &["commit", "-qm", "feat: other"]);
    for args in [&["cherry-pick", "side"][..], &["revert", "--no-edit", "HEAD"]] {
        let text = stage.ok("git", args);
        assert!(!text.contains("SW1163"), "{text}");
    }
}

#[test]
fn nobody_is_accused_where_git_keeps_no_log_of_what_it_did() {
    let stage = Stage::new();
    stage.ok("git", &["config", "core.logAllRefUpdates", "false"]);
    std::fs::remove_file(stage.dir.join(".git/logs/HEAD")).unwrap();
    accuses_nobody(&stage);
}

#[test]
fn hooks_know_branches_and_what_git_did_where_refs_are_in_no_files() {
    let mut stage = Stage::bare();
    stage.dir = stage.dir.join("../table");
    let init = ["init", "-q", "--ref-format=reftable", "--initial-branch=main", "../table"];
    let made = stage.repo.command("git").args(init).output().unwrap();
    if !made.status.success() {
        return shipway_testkit::skip::skip("this git knows no reftable");
    }
    for (key, value) in [("user.name", "Ann"), ("user.email", "ann@example.org")] {
        stage.ok("git", &["config", key, value]);
    }
    stage.ok(crate::stage::SHIPWAY, &["guard", "install"]);
    accuses_nobody(&stage);
    stage.stage("past", "1\n");
    assert!(stage.ok("git", &["commit", "--no-verify", "-m", "feat: past"]).contains("SW1163"));
    let notes = stage.read(".git/shipway/notes.jsonl");
    assert!(notes.contains(r#""branch":"main""#), "{notes}");
}
