//! Ways past the guard with a ticket that a person of the policy has really signed.

use std::process::Output;

use serde_json::{Value, json};
use shipway_core::policy;
use shipway_core::time::Time;
use shipway_world::shell::now;

use crate::stage::{POLICY, Stage, lines, said};

/// A change to a branch that ben has approved.
fn approved(target: &str) -> Option<Stage> {
    let stage = Stage::new()?;
    stage.work("ann", "feature/x", "x");
    stage.propose("ann", target, &[]);
    stage.did("ben", &["change", "approve", "1"]);
    Some(stage)
}

/// Signs a ticket as ann for the step of a branch to a commit, by a merge of change 1, and brings it to the guard.
fn vouch(stage: &Stage, branch: &str, new: &str) -> Output {
    let digest = policy::read(POLICY, policy::PATH).unwrap().digest();
    let ticket: Value = json!({
        "statement": "ticket", "repository": "app", "ref": format!("refs/heads/{branch}"),
        "old": stage.tip(branch), "new": new, "policy": digest,
        "reason": { "why": "change", "change": 1, "version": 1, "method": "merge" },
        "checks": ["whole"], "expires": Time(now().0 + 60_000), "nonce": new,
    });
    stage.send_signed("ann", "ticket", &ticket, (new, "refs/events/landings"))
}

/// Makes a merge of a branch and a head, with the tree of some commit.
fn merge(stage: &Stage, (branch, head): (&str, &str), tree: &str) -> String {
    let (before, tree) = (stage.tip(branch), format!("{tree}^{{tree}}"));
    stage.ok(&["commit-tree", "-m", "Merge x", "-p", &before, "-p", head, &tree])
}

#[track_caller]
fn denied(output: &Output, rule: &str) {
    assert!(!output.status.success() && said(output).contains(rule), "{rule}: {}", said(output));
}

#[test]
fn c02_a_merge_of_another_head_is_not_the_approved_one() {
    let Some(stage) = approved("main") else { return };
    let (main, head) = (stage.tip("main"), stage.repo.head());
    let other = stage.ok(&["commit-tree", "-m", "feat: x", "-p", &main, "HEAD^{tree}"]);
    assert_ne!(other, head);
    let new = merge(&stage, ("main", &other), "HEAD");
    denied(&vouch(&stage, "main", &new), "second-parent");
    denied(&stage.push("ann", &[&format!("{new}:refs/heads/main")]), "push-restricted");
    // The very same with the approved head goes through, so it was the head that was refused.
    let new = merge(&stage, ("main", &head), "HEAD");
    assert!(vouch(&stage, "main", &new).status.success());
    assert!(stage.push("ann", &[&format!("{new}:refs/heads/main")]).status.success());
}

#[test]
fn c03_a_merge_holds_what_merging_gives_and_nothing_else() {
    let Some(stage) = approved("main") else { return };
    let (main, head) = (stage.tip("main"), stage.repo.head());
    stage.commit("ann", "evil", "feat: evil");
    let new = merge(&stage, ("main", &head), "HEAD");
    denied(&vouch(&stage, "main", &new), "evil-merge");
    denied(&stage.push("ann", &[&format!("{new}:refs/heads/main")]), "push-restricted");
    assert_eq!(stage.tip("main"), main);
}

#[test]
fn b17_an_approval_that_is_taken_back_takes_the_ticket_along() {
    let Some(stage) = approved("main") else { return };
    let (main, head) = (stage.tip("main"), stage.repo.head());
    let new = merge(&stage, ("main", &head), "HEAD");
    assert!(vouch(&stage, "main", &new).status.success());
    stage.did("ben", &["change", "review", "1", "--withdraw"]);
    denied(&stage.push("ann", &[&format!("{new}:refs/heads/main")]), "approvals");
    assert_eq!(stage.tip("main"), main);
    stage.did("ben", &["change", "approve", "1"]);
    assert!(stage.push("ann", &[&format!("{new}:refs/heads/main")]).status.success());
}

#[test]
fn b17_a_ticket_of_an_older_policy_counts_no_more() {
    let Some(stage) = approved("develop") else { return };
    let (develop, head) = (stage.tip("develop"), stage.repo.head());
    let new = merge(&stage, ("develop", &head), "HEAD");
    assert!(vouch(&stage, "develop", &new).status.success());
    stage.ok(&["checkout", "-q", "-B", "policy", "origin/main"]);
    let stricter = POLICY.replace("[branch.develop]", "[branch.develop]\nsigned = true");
    stage.repo.file(policy::PATH, stricter).commit("ci: sign what is developed");
    stage.propose("ann", "main", &[]);
    stage.did("ben", &["change", "approve", "2"]);
    stage.did("ben", &["change", "land", "2"]);
    denied(&stage.push("ann", &[&format!("{new}:refs/heads/develop")]), "another policy");
    assert_eq!(stage.tip("develop"), develop);
}

#[test]
fn c23_a_weaker_policy_does_not_help_itself_in() {
    let Some(stage) = Stage::new() else { return };
    let weaker = POLICY.replace("approvals = 1", "approvals = 0");
    stage.ok(&["checkout", "-q", "-b", "policy"]);
    stage.repo.file(policy::PATH, weaker).commit("ci: trust me");
    stage.propose("ann", "main", &[]);
    let waits = stage.refused("ann", &["change", "land", "1"], 3);
    assert!(waits.contains("0 of 1 approvals"), "{waits}");
    let new = merge(&stage, ("main", &stage.repo.head()), "HEAD");
    denied(&vouch(&stage, "main", &new), "approvals");
}

#[test]
fn c19_what_a_message_says_of_checks_counts_for_nothing() {
    let Some(stage) = Stage::new() else { return };
    stage.work("ann", "feature/x", "broken");
    stage.ok(&["commit", "-q", "--amend", "-m", "feat: broken [skip ci]\n\nskip-checks: true"]);
    stage.propose("ann", "main", &[]);
    stage.did("ben", &["change", "approve", "1"]);
    let no = stage.refused("ann", &["change", "land", "1"], 1);
    assert!(no.contains("whole") && lines(&stage.seen()).is_empty(), "{no}");
    // Without the check that the ticket vouches for, it does not land either.
    let digest = policy::read(POLICY, policy::PATH).unwrap().digest();
    let new = merge(&stage, ("main", &stage.repo.head()), "HEAD");
    let ticket = json!({
        "statement": "ticket", "repository": "app", "ref": "refs/heads/main", "old": stage.tip("main"), "new": new,
        "policy": digest, "reason": { "why": "change", "change": 1, "version": 1, "method": "merge" },
        "expires": Time(now().0 + 60_000), "nonce": "n",
    });
    denied(
        &stage.send_signed("ann", "ticket", &ticket, (&new, "refs/events/landings")),
        "check whole is missing",
    );
}
