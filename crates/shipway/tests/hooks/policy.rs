//! What the policy says, told before a commit and before a push.

use std::fs;

use crate::stage::{SHIPWAY, Stage, said};

/// A repository with hooks and this policy, on a branch of its own, and a bare repository without a guard.
#[track_caller]
fn with(policy: &str) -> Stage {
    let stage = Stage::bare();
    stage.repo.file(".shipway/policy.toml", policy).commit("chore: set the policy");
    stage.ok("git", &["init", "-q", "--bare", "../bare.git"]);
    stage.ok("git", &["remote", "add", "origin", "../bare.git"]);
    stage.ok("git", &["push", "-q", "origin", "main"]);
    stage.ok(SHIPWAY, &["guard", "install"]);
    stage.ok("git", &["switch", "-q", "-c", "feature/one"]);
    stage
}

#[test]
fn messages_follow_the_rules_of_the_policy() {
    let stage = with("preset = 'gitflow'\n[commits]\nissue = true\ntypes = ['deps']\nsubject = 40\n");
    stage.stage("a", "1\n");
    let text = stage.refused(&["commit", "-m", "feat: no issue"]);
    assert!(text.contains("SW1101") && text.contains("names no issue"), "{text}");
    stage.refused(&["commit", "-m", &format!("feat: {} #1", "long ".repeat(20))]);
    stage.refused(&["commit", "-m", "Feat: upper case #1"]);
    stage.ok("git", &["commit", "-m", "deps: newer\n\nRefs: #1"]);
    // Only a merge may have the message of one, and keeps it when it is amended.
    stage.stage("a", "2\n");
    stage.refused(&["commit", "-m", "Merge branch 'x'"]);
    stage.ok("git", &["commit", "-m", "feat: more #1"]);
    stage.ok("git", &["switch", "-q", "-c", "feature/side", "main"]);
    stage.stage("b", "1\n").ok("git", &["commit", "-m", "feat: side #2"]);
    stage.ok("git", &["merge", "--no-edit", "feature/one"]);
    stage.ok("git", &["commit", "--amend", "--no-edit"]);
    stage.refused(&["commit", "--amend", "-m", "no type at all #1"]);
}

#[test]
fn staged_files_follow_the_rules_of_the_policy() {
    let stage = with("preset = 'gitflow'\n[files]\nsize = '1kB'\nforbidden = ['*.exe']\n");
    let check = |path: &str, text: &str, expected: &str| {
        stage.stage(path, text);
        let said = stage.refused(&["commit", "-m", "feat: it"]);
        assert!(said.contains(expected) && said.contains("SW1101"), "{expected}: {said}");
        stage.ok("git", &["rm", "-q", "--cached", "-f", "--", path]);
        fs::remove_file(stage.dir.join(path)).unwrap();
    };
    check("large", &"x".repeat(2000), "file-size: large is too large");
    check("a.exe", "x", "file-path: a.exe may not be");
    check("id_rsa", "x", "secret: id_rsa looks like a secret");
    let token = format!("ghp_{}", "a1B2c3D4e5F6g7H8i9J0k1L2m3N4o5P6q7R8");
    check("config", &format!("one\ntoken = {token}\n"), "line 2: a token of GitHub");
    stage.stage("fine", "x\n").ok("git", &["commit", "-m", "feat: it"]);
    // What is already there is not judged again.
    stage.stage("large", &"x".repeat(2000));
    let mut commit = stage.command("git", &["commit", "-qm", "feat: it"]);
    assert!(commit.env("SHIPWAY_SKIP", "file-size: a font").output().unwrap().status.success());
    stage.stage("other", "x\n").ok("git", &["commit", "-m", "feat: other"]);
    assert_eq!(stage.notes().len(), 1, "{:?}", stage.notes());
}

#[test]
fn a_secret_that_a_cherry_pick_brings_is_noticed_afterwards() {
    let stage = with("preset = 'gitflow'\n");
    stage.stage("id_rsa", "x\n");
    stage.ok("git", &["-c", "core.hooksPath=/dev/null", "commit", "-qm", "feat: oops"]);
    stage.ok("git", &["switch", "-q", "-c", "feature/two", "main"]);
    let text = stage.ok("git", &["cherry-pick", "feature/one"]);
    assert!(text.contains("id_rsa looks like a secret"), "{text}");
    assert_eq!(stage.notes().len(), 1, "{:?}", stage.notes());
}

#[test]
fn a_push_to_a_protected_branch_is_told_early_with_the_way_to_do_it_right() {
    let stage = with("preset = 'gitflow'\nnames = ['feature/*']\n");
    stage.stage("a", "1\n").ok("git", &["commit", "-qm", "feat: a"]);
    let there = || stage.ok("git", &["ls-remote", "origin"]);
    let before = there();
    let refused = |args: &[&str], expected: &str| {
        let said = stage.refused(args);
        assert!(said.contains(expected), "{expected}: {said}");
        assert_eq!(there(), before);
    };
    refused(&["push", "origin", "HEAD:main"], "git push origin HEAD:refs/for/main");
    refused(&["push", "origin", ":main"], "delete: main is protected");
    refused(&["push", "origin", "HEAD:refs/heads/Wild"], "name-pattern");
    refused(&["push", "origin", "HEAD:refs/notes/x"], "ref-namespace");
    refused(&["push", "origin", "HEAD:refs/heads/ORIG_HEAD"], "reserved-name");
    stage.ok("git", &["push", "-q", "origin", "feature/one"]);
    stage.ok("git", &["push", "-q", "origin", "HEAD:refs/for/develop"]);
    stage.ok("git", &["tag", "v1.0.0", "main"]);
    stage.ok("git", &["push", "-q", "origin", "v1.0.0"]);
    stage.ok("git", &["commit", "--no-verify", "--allow-empty", "-qm", "no type"]);
    let text = stage.run("git", &["push", "origin", "feature/one"]);
    assert!(!text.status.success() && said(&text).contains("message: "), "{}", said(&text));
    let mut push = stage.command("git", &["push", "-q", "origin", "feature/one"]);
    let output = push.env("SHIPWAY_SKIP", "message: it is squashed").output().unwrap();
    assert!(output.status.success(), "{}", said(&output));
    assert!(stage.notes().iter().any(|note| note.contains("it is squashed")));
}

#[test]
fn a_protected_branch_is_held_here_only_where_the_policy_asks_for_it() {
    let stage = with("preset = 'gitflow'\n");
    stage.ok("git", &["switch", "-q", "main"]);
    stage.stage("a", "1\n").ok("git", &["commit", "-qm", "feat: a"]);
    assert!(!stage.dir.join(".git/hooks/reference-transaction").exists());
    let stage = with("preset = 'gitflow'\n[branch.main]\nlocal = true\n");
    assert!(stage.dir.join(".git/hooks/reference-transaction").exists());
    stage.ok("git", &["switch", "-q", "main"]);
    stage.stage("a", "1\n");
    let text = stage.refused(&["commit", "--no-verify", "-m", "feat: a"]);
    assert!(text.contains("push-restricted") && text.contains("git switch -c"), "{text}");
    stage.ok("git", &["switch", "-q", "-c", "feature/two"]);
    stage.ok("git", &["commit", "-qm", "feat: a"]);
    // What has landed elsewhere comes in.
    stage.ok("git", &["push", "-q", "--no-verify", "origin", "feature/two:main"]);
    stage.ok("git", &["switch", "-q", "main"]);
    stage.ok("git", &["pull", "-q", "--ff-only", "origin", "main"]);
    assert_eq!(stage.repo.rev("main"), stage.repo.rev("feature/two"));
}

#[test]
fn a_policy_that_cannot_be_read_refuses() {
    let stage = with("preset = 'gitflow'\n");
    stage.stage(".shipway/policy.toml", "preset = 'nonsense'\n");
    let text = stage.refused(&["commit", "-m", "chore: policy"]);
    assert!(text.contains(".shipway/policy.toml"), "{text}");
}

#[test]
fn a_landing_with_a_ticket_goes_out() {
    let stage = with("preset = 'gitflow'\n");
    stage.stage("a", "1\n").ok("git", &["commit", "-qm", "feat: a"]);
    let (old, new) = (stage.repo.rev("main").unwrap(), stage.repo.head());
    let ticket = serde_json::json!({
        "statement": "ticket", "repository": "widget", "ref": "refs/heads/main", "old": old, "new": new,
        "policy": "p", "reason": { "why": "bootstrap" }, "expires": "2030-01-01T00:00:00.000Z", "nonce": "n",
    });
    let record = serde_json::json!({
        "v": 1, "at": "2026-01-01T00:00:00.000Z", "by": "ann", "event": { "type": "ticket" },
        "signed": { "text": ticket.to_string(), "signature": "s" },
    });
    fs::write(stage.dir.join("../event"), record.to_string()).unwrap();
    let blob = stage.repo.git(["hash-object", "-w", "../event"]);
    let entry = stage.repo.home().join("entry");
    fs::write(&entry, format!("100644 blob {blob}\tevent.json\n")).unwrap();
    let tree = stage.ok("sh", &["-c", &format!("git mktree <'{}'", entry.display())]);
    let commit = stage.repo.git(["commit-tree", tree.trim(), "-m", "ticket"]);
    stage.refused(&["push", "origin", "HEAD:main"]);
    stage.repo.git(["update-ref", "refs/shipway/landings", &commit]);
    stage.ok("git", &["push", "-q", "origin", "HEAD:main"]);
    stage.stage("a", "2\n").ok("git", &["commit", "-qm", "feat: b"]);
    stage.refused(&["push", "origin", "HEAD:main"]);
}

#[test]
fn what_any_remote_has_is_not_judged_again_when_it_goes_to_another_one() {
    let stage = Stage::bare();
    stage.repo.file("old", "1\n").commit("an old message");
    stage.repo.file(".shipway/policy.toml", "preset = 'github-flow'\n").commit("chore: set the policy");
    for name in ["bare", "fork"] {
        stage.ok("git", &["init", "-q", "--bare", &format!("../{name}.git")]);
        stage.ok("git", &["remote", "add", name, &format!("../{name}.git")]);
    }
    stage.ok("git", &["push", "-q", "bare", "main"]);
    stage.ok(SHIPWAY, &["guard", "install"]);
    stage.ok("git", &["switch", "-q", "-c", "feature/one"]);
    stage.stage("a", "1\n").ok("git", &["commit", "-qm", "feat: a"]);
    stage.ok("git", &["push", "fork", "feature/one"]);
    stage.ok("git", &["push", "../fork.git", "HEAD:refs/heads/feature/two"]);
    // What is new is judged, and the way to word it anew works also for the first commit of all.
    stage.ok("git", &["switch", "-q", "--orphan", "feature/three"]);
    stage.stage(".shipway/policy.toml", "preset = 'github-flow'\n");
    stage.ok("git", &["-c", "core.hooksPath=/dev/null", "commit", "-qm", "did things"]);
    let said = stage.refused(&["push", "fork", "feature/three"]);
    assert!(said.contains("git rebase -i --root"), "{said}");
}

#[test]
fn a_policy_that_is_staged_with_other_files_is_taken_apart_without_touching_what_is_there() {
    let stage = with("preset = 'gitflow'\n");
    stage.stage("a", "1\n").ok("git", &["commit", "-qm", "feat: innocent"]);
    stage.stage(".shipway/policy.toml", "preset = 'gitflow'\n[files]\nsize = '1MB'\n").stage("b", "1\n");
    let said = stage.refused(&["commit", "-m", "feat: both"]);
    let hint = said.lines().find_map(|line| line.split_once("split it: ")).unwrap().1;
    let before = stage.repo.head();
    stage.ok("sh", &["-c", &hint.replace("git commit", "git commit -m 'chore: smaller files'")]);
    assert_eq!(stage.repo.rev("HEAD~1"), Some(before));
    assert_eq!(stage.ok("git", &["show", "--format=", "--name-only", "HEAD"]), ".shipway/policy.toml\n");
}
