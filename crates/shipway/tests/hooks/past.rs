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
