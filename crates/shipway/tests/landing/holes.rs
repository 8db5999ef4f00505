//! Ways by which something could land that nobody has approved: by a branch that begins, a release, a rebase, another's
//! change, or along with a tag.

use serde_json::json;

use crate::forge::{landed, ticket};
use crate::stage::{POLICY, said};

#[test]
fn a_protected_branch_begins_with_what_has_landed() {
    let policy = format!("{POLICY}[branch.release]\npatterns = [\"release/*\"]\nprotected = true\n");
    let Some(stage) = landed(&policy) else { return };
    let (main, reason) = (stage.tip("main"), json!({ "why": "bootstrap" }));
    let evil = stage.work("cem", "feature/evil", "evil");
    // Another branch has it already, which vouches for nothing.
    assert!(stage.push("cem", &["HEAD:refs/heads/feature/evil"]).status.success());
    let begin = ticket(&stage, "refs/heads/release/1", ("", &evil), &reason);
    let sent = stage.send_signed("cem", "ticket", &begin, (&evil, "refs/events/landings"));
    assert!(!sent.status.success() && said(&sent).contains("nobody has approved"), "{}", said(&sent));
    let no = stage.push("cem", &[&format!("{evil}:refs/heads/release/1")]);
    assert!(!no.status.success(), "{}", said(&no));
    let begin = ticket(&stage, "refs/heads/release/1", ("", &main), &reason);
    let sent = stage.send_signed("cem", "ticket", &begin, (&main, "refs/events/landings"));
    assert!(sent.status.success(), "{}", said(&sent));
    let yes = stage.push("cem", &[&format!("{main}:refs/heads/release/1")]);
    assert!(yes.status.success(), "{}", said(&yes));
}

#[test]
fn whoever_may_release_does_not_change_the_policy_by_it() {
    let policy = POLICY.replace("break-glass = [\"ann\"]", "break-glass = [\"ann\"]\nrelease = [\"ann\"]");
    let Some(stage) = landed(&policy) else { return };
    let main = stage.tip("main");
    stage.ok(&["checkout", "-q", "-B", "mine", "origin/main"]);
    let text = policy.replace("approvals = 1", "approvals = 0");
    let new = {
        stage.repo.file(".shipway/policy.toml", text);
        stage.commit("ann", "note", "chore: release version 9.9.9")
    };
    let reason = json!({ "why": "release", "run": "r", "version": "9.9.9" });
    let release = ticket(&stage, "refs/heads/main", (&main, &new), &reason);
    let sent = stage.send_signed("ann", "ticket", &release, (&new, "refs/events/landings"));
    assert!(!sent.status.success() && said(&sent).contains("a release does not change"), "{}", said(&sent));
    assert_eq!(stage.tip("main"), main);
}

#[test]
fn a_rebase_lands_the_very_commits_that_were_approved() {
    let Some(stage) = landed(POLICY) else { return };
    let main = stage.tip("main");
    let head = stage.work("ann", "feature/x", "x");
    stage.propose("ann", "main", &[]);
    stage.did("ben", &["change", "approve", "2"]);
    // The tree at the end is right; on the way there is a file that nobody has seen.
    let message = stage.ok(&["log", "-1", "--format=%B", &head]);
    stage.ok(&["checkout", "-q", "-B", "evil", "origin/main"]);
    stage.commit("ann", "hidden", "feat: hidden");
    let evil = stage.ok(&["commit-tree", "-m", message.trim(), "-p", "HEAD", &format!("{head}^{{tree}}")]);
    let reason = json!({ "why": "change", "change": 2, "version": 1, "method": "rebase" });
    let rebase = ticket(&stage, "refs/heads/main", (&main, &evil), &reason);
    let sent = stage.send_signed("ann", "ticket", &rebase, (&evil, "refs/events/landings"));
    assert!(!sent.status.success() && said(&sent).contains("evil-merge"), "{}", said(&sent));
    stage.did("ann", &["change", "land", "2", "--method", "rebase"]);
    assert_eq!(stage.there(&["rev-list", "--count", &format!("{main}..main")]), "1");
}

#[test]
fn approvals_stay_for_a_rebase_of_each_commit_and_not_for_the_same_difference() {
    let Some(stage) = landed(POLICY) else { return };
    stage.work("ann", "feature/x", "x");
    stage.propose("ann", "main", &[]);
    stage.did("ben", &["change", "approve", "2"]);
    let tree = stage.ok(&["rev-parse", "HEAD^{tree}"]);
    stage.ok(&["checkout", "-q", "-B", "other", "origin/main"]);
    stage.commit("ann", "hidden", "feat!: something else");
    let same = stage.ok(&["commit-tree", "-m", "feat: x", "-p", "HEAD", &tree]);
    stage.ok(&["checkout", "-q", "-B", "feature/x", &same]);
    let told = stage.propose("ann", "main", &["-o", "change=2"]);
    assert!(told.contains("approvals of older versions count no more"), "{told}");
    stage.refused("ann", &["change", "land", "2"], 3);

    // A real one keeps them.
    stage.work("cem", "feature/y", "y");
    stage.propose("cem", "main", &[]);
    stage.did("ben", &["change", "approve", "3"]);
    stage.work("ann", "feature/z", "z");
    stage.propose("ann", "main", &[]);
    stage.did("ben", &["change", "approve", "4"]);
    stage.did("ann", &["change", "land", "4"]);
    stage.ok(&["fetch", "-q", "origin"]);
    stage.ok(&["checkout", "-q", "feature/y"]);
    stage.ok(&["rebase", "-q", "origin/main"]);
    let told = stage.propose("cem", "main", &["-o", "change=3"]);
    assert!(told.contains("a pure rebase: approvals stay"), "{told}");
    stage.did("cem", &["change", "land", "3"]);
}

#[test]
fn what_another_one_pushes_into_a_change_is_not_its_authors() {
    let policy = format!("{POLICY}[[files.restricted]]\npaths = [\"deploy/**\"]\nwho = [\"ann\"]\n");
    let Some(stage) = landed(&policy) else { return };
    stage.work("ann", "feature/docs", "docs");
    stage.propose("ann", "main", &[]);
    stage.repo.file("deploy/prod", "evil\n");
    stage.commit("ben", "more", "feat: more");
    stage.propose("ben", "main", &["-o", "change=2"]);
    stage.did("cem", &["change", "approve", "2"]);
    let no = stage.shipway("ben", &["change", "land", "2"]);
    assert!(!no.status.success() && said(&no).contains("deploy/prod is restricted"), "{}", said(&no));
    stage.did("ann", &["change", "land", "2"]);
}

#[test]
fn what_comes_along_with_a_tag_or_a_record_is_judged_too() {
    let policy = format!("{POLICY}[tag.all]\npatterns = [\"**\"]\n[files]\nforbidden = [\"**/*.exe\"]\n");
    let Some(stage) = landed(&policy) else { return };
    stage.repo.file("a.exe", "x\n");
    let commit = stage.work("cem", "feature/x", "x");
    for spec in ["HEAD:refs/tags/x1", "HEAD:refs/events/checkpoints/abcdef", "HEAD:refs/heads/feature/x"] {
        let no = stage.push("cem", &[spec]);
        assert!(!no.status.success() && said(&no).contains("a.exe may not be"), "{spec}: {}", said(&no));
    }
    for spec in [format!("{commit}:a.exe"), format!("{commit}^{{tree}}")] {
        let id = stage.ok(&["rev-parse", &spec]);
        let no = stage.push("cem", &[&format!("{id}:refs/tags/x2")]);
        assert!(!no.status.success() && said(&no).contains("names no commit"), "{}", said(&no));
    }
    let yes = stage.push("cem", &["origin/main:refs/tags/x3"]);
    assert!(yes.status.success(), "{}", said(&yes));
}
