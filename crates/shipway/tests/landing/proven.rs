//! What `verify` finds of what was written past the guard, and what it keeps in sight of what the guard let in.

use serde_json::json;

use crate::forge::{landed, ticket};
use crate::stage::{POLICY, Stage, said};

/// Returns a stage with an approved change 2 behind one that has landed, and the head of that change.
fn approved(policy: &str) -> Option<(Stage, String)> {
    let stage = landed(policy)?;
    let head = stage.work("ann", "feature/x", "x");
    stage.propose("ann", "main", &[]);
    stage.did("ben", &["change", "approve", "2"]);
    Some((stage, head))
}

/// Moves main as a ticket says, past the guard.
fn slip(stage: &Stage, new: &str, reason: &serde_json::Value) {
    let ticket = ticket(stage, "refs/heads/main", (&stage.tip("main"), new), reason);
    stage.slip_ticket("ann", &ticket);
    stage.slip(new, "refs/heads/main");
}

#[test]
fn a_merge_that_holds_more_than_what_was_approved_is_found() {
    for method in ["merge", "squash", "rebase"] {
        let Some((stage, head)) = approved(POLICY) else { return };
        let main = stage.tip("main");
        stage.ok(&["checkout", "-q", "-B", "evil", &head]);
        stage.commit("ann", "hidden", "feat: hidden");
        let mut args = vec!["commit-tree", "-m", "feat: x", "HEAD^{tree}", "-p", &main];
        if method == "merge" {
            args.extend(["-p", &head]);
        }
        let evil = stage.ok(&args);
        slip(&stage, &evil, &json!({ "why": "change", "change": 2, "version": 1, "method": method }));
        let no = stage.refused("cem", &["verify", "main"], 1);
        let wanted =
            if method == "rebase" { "is not the approved head" } else { "what merging does not give" };
        assert!(no.contains(&evil[..12]) && no.contains(wanted), "{method}: {no}");
        assert!(!no.contains(&main[..12]), "{no}");
    }
}

#[test]
fn what_was_merged_rightly_past_the_guard_is_held_to_owners_and_restricted_paths() {
    let policy = POLICY.replace("approvals = 1\nbreak", "approvals = 1\nowners = true\nbreak");
    let policy = format!("{policy}[[files.restricted]]\npaths = [\"y\"]\nwho = [\"cem\"]\n");
    for (file, wanted) in [("x", "owners: "), ("y", "path-restricted: y")] {
        let Some(stage) = landed(&policy) else { return };
        stage.ok(&["checkout", "-q", "-B", "owners", "origin/main"]);
        stage.repo.file("CODEOWNERS", "x @cem\n");
        stage.repo.commit("ci: owners");
        stage.propose("ann", "main", &[]);
        stage.did("ben", &["change", "approve", "2"]);
        stage.did("ann", &["change", "land", "2"]);
        stage.did("cem", &["verify", "main"]);
        let head = stage.work("ann", "feature/more", file);
        stage.propose("ann", "main", &[]);
        stage.did("ben", &["change", "approve", "3"]);
        let main = stage.tip("main");
        let tree = format!("{head}^{{tree}}");
        let new = stage.ok(&["commit-tree", "-m", "Merge", "-p", &main, "-p", &head, &tree]);
        slip(&stage, &new, &json!({ "why": "change", "change": 3, "version": 1, "method": "merge" }));
        let no = stage.refused("cem", &["verify", "main"], 1);
        assert!(no.contains(wanted) && no.contains(&new[..12]) && !no.contains(&main[..12]), "{file}: {no}");
    }
}

#[test]
fn a_branch_that_is_protected_later_is_proven_from_then_on() {
    let Some(stage) = landed(POLICY) else { return };
    stage.work("cem", "next/1", "one");
    let free = stage.push("cem", &["HEAD:refs/heads/next/1"]);
    assert!(free.status.success(), "{}", said(&free));
    let before = stage.repo.head();
    stage.ok(&["checkout", "-q", "-B", "protect", "origin/main"]);
    let more =
        "[branch.next]\npatterns = [\"next/*\"]\nprotected = true\napprovals = 1\nchecks = [\"whole\"]\n";
    stage.repo.file(".shipway/policy.toml", format!("{POLICY}{more}"));
    stage.repo.commit("ci: protect what comes next");
    stage.propose("ann", "main", &[]);
    stage.did("ben", &["change", "approve", "2"]);
    stage.did("ann", &["change", "land", "2"]);
    let proven = stage.did("cem", &["verify", "next/1"]);
    assert!(proven.contains(&format!("older than {}", &before[..12])), "{proven}");
    stage.ok(&["checkout", "-q", "-B", "feature/two", &before]);
    stage.commit("ann", "two", "feat: two");
    stage.propose("ann", "next/1", &[]);
    stage.did("ben", &["change", "approve", "3"]);
    stage.did("ann", &["change", "land", "3"]);
    let proven = stage.did("cem", &["verify", "next/1"]);
    assert!(proven.contains("change 3") && proven.contains("1 landing, and it is proven"), "{proven}");
    // What goes there past the guard from now on is found.
    let evil = stage.there(&["commit-tree", "-m", "feat: evil", "-p", &stage.tip("next/1"), "main^{tree}"]);
    stage.there(&["update-ref", "refs/heads/next/1", &evil]);
    let no = stage.refused("cem", &["verify", "next/1"], 1);
    assert!(no.contains(&evil[..12]), "{no}");
}

#[test]
fn a_branch_that_was_forced_back_says_so_and_is_proven() {
    let policy = POLICY.replace("break-glass = [\"ann\"]", "break-glass = [\"ann\"]\nforce = [\"ann\"]");
    let Some((stage, head)) = approved(&policy) else { return };
    let before = stage.tip("main");
    stage.did("ann", &["change", "land", "2"]);
    let gone = stage.tip("main");
    let force = |new: &str, why: &str| {
        let reason = json!({ "why": "break-glass", "reason": why, "follow_up": "#9" });
        let ticket = ticket(&stage, "refs/heads/main", (&stage.tip("main"), new), &reason);
        let sent = stage.send_signed("ann", "ticket", &ticket, (new, "refs/events/landings"));
        assert!(sent.status.success(), "{}", said(&sent));
        let moved = stage.push("ann", &[&format!("+{new}:refs/heads/main")]);
        assert!(moved.status.success(), "{}", said(&moved));
    };
    // Back to what was there before.
    force(&before, "it leaks");
    let proven = stage.did("cem", &["verify", "main"]);
    assert!(proven.contains("by exception (it leaks), landed by ann"), "{proven}");
    assert!(proven.contains(&format!("in place of {}, which it does not have", &gone[..12])), "{proven}");
    assert!(proven.contains("2 landings, all of them proven") && proven.contains("change 1"), "{proven}");
    // And to something else, from which another landing goes on.
    stage.ok(&["fetch", "-q", "origin"]);
    let other = stage.ok(&[
        "commit-tree",
        "-m",
        "feat: other",
        "-p",
        &format!("{before}^"),
        &format!("{head}^{{tree}}"),
    ]);
    force(&other, "it burns");
    stage.work("ann", "feature/z", "z");
    stage.propose("ann", "main", &[]);
    stage.did("ben", &["change", "approve", "3"]);
    stage.did("ann", &["change", "land", "3"]);
    let proven = stage.did("cem", &["verify", "main"]);
    assert!(proven.contains(&format!("in place of {}, which it does not have", &before[..12])), "{proven}");
    assert!(proven.contains("it leaks") && proven.contains("change 3"), "{proven}");
}
