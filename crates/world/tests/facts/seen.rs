//! Every fact of the repository itself, and the problems that follow.

use std::fs;
use std::os::unix::ffi::OsStrExt as _;

use crate::site::{Site, codes, make_executable, seen};
use shipway_core::facts::{Facts, Head, Operation, Permission, Relation};
use shipway_core::id::RunId;
use shipway_core::problem::Code;
use shipway_world::facts::{Look, TrySigning, gather};

#[test]
fn a_sound_repository_is_seen_whole_and_has_no_problem() {
    let site = Site::new();
    site.git(&["tag", "v0.1.0"]);
    site.git(&["tag", "--annotate", "--message", "two", "v0.2.0"]);
    site.git(&["remote", "set-head", "origin", "main"]);
    site.write("notes.txt", "");
    let all = Look {
        network: true,
        try_push: true,
        try_signing: TrySigning::AsConfigured,
        remote: None,
        open_run: Some(RunId::new("0a1b2c3d")),
    };
    let facts = site.look(&all);
    let commit = site.git(&["rev-parse", "HEAD"]);
    assert_eq!(facts.directory, "work");
    assert_eq!(facts.head, Head::Branch { branch: "main".into(), commit: commit.clone() });
    assert_eq!(facts.tree, site.git(&["rev-parse", "HEAD^{tree}"]));
    assert_eq!((facts.shallow, facts.operation), (false, None));
    assert_eq!((facts.changed.len(), facts.untracked.as_slice()), (0, &["notes.txt".to_owned()][..]));
    assert_eq!(facts.remotes["origin"], "../remote.git");
    assert_eq!(facts.upstream, Some(("origin".into(), "main".into())));
    assert_eq!(facts.identity, Ok("Jane Doe <jane@example.org>".into()));
    assert_eq!(
        (facts.signing.commits, facts.signing.tags, facts.signing.tried.is_some()),
        (false, false, false)
    );
    assert_eq!((&facts.tags["v0.1.0"].object, &facts.tags["v0.1.0"].commit), (&commit, &commit));
    assert_eq!(facts.tags["v0.2.0"].object, site.git(&["rev-parse", "v0.2.0"]));
    assert_eq!(facts.tags["v0.2.0"].commit, commit);
    let remote = facts.remote.clone().unwrap();
    assert_eq!((remote.name.as_str(), remote.branch.as_str()), ("origin", "main"));
    assert_eq!(remote.default_branch.as_deref(), Some("main"));
    assert_eq!(remote.permission, Permission::Allowed);
    assert_eq!((seen(&facts).tip, seen(&facts).relation), (Some(commit), Relation::Same));
    assert_eq!(codes(&facts), [Code::OpenRun]);
    assert_eq!(codes(&Facts { open_run: None, ..facts }), []);
}

#[test]
fn a_look_changes_nothing() {
    let site = Site::new();
    let state = || {
        let index = fs::metadata(site.work.join(".git/index")).unwrap().modified().unwrap();
        (index, site.git(&["for-each-ref"]), site.git_in(&site.remote, &["for-each-ref"]))
    };
    // A pre-push hook that would be run by a trial push.
    site.write(".git/hooks/pre-push", "#!/bin/sh\ntouch ran\n");
    make_executable(&site.work.join(".git/hooks/pre-push"));
    let before = state();
    site.commit("fix: two");
    site.git(&["update-ref", "refs/heads/main", "HEAD~1"]);
    site.git(&["reset", "--quiet", "--hard"]);
    let index = fs::metadata(site.work.join(".git/index")).unwrap().modified().unwrap();
    site.look(&Look { network: true, try_push: true, ..Look::default() });
    assert_eq!(state(), (index, before.1, before.2));
    assert!(!site.work.join("ran").exists());
}

#[test]
fn a_plan_needs_few_processes() {
    let site = Site::new();
    site.commit("fix: two");
    let count = |ask: &Look| {
        site.shell.ran.lock().unwrap().clear();
        site.look(ask);
        site.shell.ran.lock().unwrap().len()
    };
    site.git(&["config", "user.name", "Jane Doe"]);
    site.git(&["config", "user.email", "jane@example.org"]);
    assert_eq!(count(&Look::default()), 5);
    assert_eq!(count(&Look { network: true, ..Look::default() }), 7);
    assert_eq!(count(&Look { network: true, try_push: true, ..Look::default() }), 8);
}

#[test]
fn an_unborn_branch_has_no_commits() {
    let site = Site::empty();
    let facts = site.asked();
    assert_eq!((facts.head.clone(), facts.tree.as_str()), (Head::Unborn { branch: "main".into() }, ""));
    assert_eq!(seen(&facts).relation, Relation::New);
    assert_eq!(codes(&facts), [Code::NoCommits]);
}

#[test]
fn a_detached_head_is_seen() {
    let site = Site::new();
    site.git(&["checkout", "--quiet", "--detach"]);
    let facts = site.asked();
    assert_eq!(facts.head, Head::Detached { commit: site.git(&["rev-parse", "HEAD"]) });
    assert_eq!(codes(&facts), [Code::DetachedHead]);
}

#[test]
fn a_shallow_clone_is_seen() {
    let site = Site::new();
    site.commit("fix: two");
    site.git(&["push", "--quiet"]);
    let address = format!("file://{}", site.remote.display());
    site.git_in(site.root.path(), &["clone", "--quiet", "--depth=1", &address, "shallow"]);
    let repo = site.find(&site.root.path().join("shallow")).unwrap();
    let facts = gather(&repo, &Look::default(), &site.shell, &site.stop).unwrap();
    assert!(facts.shallow);
    assert_eq!(codes(&facts), [Code::ShallowClone]);
}

#[test]
fn changes_in_the_index_and_in_the_work_tree_are_seen() {
    let site = Site::new();
    site.write("staged.txt", "");
    site.git(&["add", "staged.txt"]);
    site.write("log.txt", "changed");
    let facts = site.facts();
    assert_eq!(facts.changed, ["log.txt", "staged.txt"]);
    assert_eq!(codes(&facts), [Code::DirtyTree]);
}

#[test]
fn a_secret_in_an_untracked_directory_is_seen() {
    let site = Site::new();
    site.write("conf/deep/.env", "TOKEN=1");
    site.write(".gitignore", "ignored/\n");
    site.write("ignored/id_rsa", "");
    let facts = site.facts();
    assert_eq!(facts.untracked, [".gitignore", "conf/deep/.env"]);
    assert_eq!(codes(&facts), [Code::SecretLookingFile]);
}

#[test]
fn paths_that_are_not_text_are_shown_all_the_same() {
    let site = Site::new();
    let name = std::ffi::OsStr::from_bytes(b"caf\xe9\x1b[31m.txt");
    fs::write(site.work.join(name), "").unwrap();
    assert_eq!(site.facts().untracked, ["caf\u{fffd}\u{fffd}[31m.txt"]);
}

#[test]
fn every_operation_in_progress_is_seen() {
    let begin: [(&[&str], Operation); 5] = [
        (&["merge", "topic"], Operation::Merge),
        (&["rebase", "topic"], Operation::Rebase),
        (&["cherry-pick", "topic"], Operation::CherryPick),
        (&["revert", "--no-edit", "HEAD~1"], Operation::Revert),
        (&["bisect", "start"], Operation::Bisect),
    ];
    for (args, operation) in begin {
        let site = conflicting();
        site.try_git(&site.work, args);
        assert_eq!(site.facts().operation, Some(operation), "{args:?}");
        assert!(codes(&site.facts()).contains(&Code::OperationInProgress), "{args:?}");
    }
    let site = conflicting();
    let patch = site.git(&["format-patch", "-1", "topic"]);
    site.try_git(&site.work, &["am", &patch]);
    assert_eq!(site.facts().operation, Some(Operation::Am));
}

#[test]
fn a_cherry_pick_between_two_commits_is_seen() {
    let site = conflicting();
    site.try_git(&site.work, &["cherry-pick", "topic~1", "topic"]);
    site.git(&["checkout", "--theirs", "log.txt"]);
    site.git(&["add", "log.txt"]);
    site.git(&["commit", "--quiet", "--message", "settled"]);
    assert!(!site.work.join(".git/CHERRY_PICK_HEAD").exists());
    assert_eq!(site.facts().operation, Some(Operation::CherryPick));
}

/// Returns a site whose branch `topic` conflicts with `main`.
fn conflicting() -> Site {
    let site = Site::new();
    site.git(&["switch", "--quiet", "--create", "topic"]);
    site.commit("feat: mine");
    site.commit("feat: mine too");
    site.git(&["switch", "--quiet", "main"]);
    site.commit("feat: theirs");
    site.commit("feat: more");
    site
}

#[test]
fn a_missing_identity_is_seen() {
    let mut site = Site::new();
    site.shell.env.retain(|(name, _)| !name.to_string_lossy().ends_with("_EMAIL"));
    site.git(&["config", "user.useConfigOnly", "true"]);
    let facts = site.facts();
    assert_eq!(facts.identity.as_ref().unwrap_err().hints[1], "git config user.email YOU@EXAMPLE.ORG");
    assert_eq!(codes(&facts), [Code::IdentityMissing]);
    // Half an identity is none.
    site.env("GIT_COMMITTER_EMAIL", "jane@example.org");
    assert_eq!(codes(&site.facts()), [Code::IdentityMissing]);
    site.env("GIT_AUTHOR_EMAIL", "jane@example.org");
    assert_eq!(codes(&site.facts()), []);
}

#[test]
fn a_signature_is_tried_and_leaves_no_ref() {
    let mut site = Site::new();
    let key = site.root.path().join("key");
    let made = std::process::Command::new("ssh-keygen")
        .args(["-q", "-t", "ed25519", "-N", "", "-f"])
        .arg(&key)
        .status()
        .unwrap();
    assert!(made.success());
    site.git(&["config", "gpg.format", "ssh"]);
    site.git(&["config", "user.signingKey", key.to_str().unwrap()]);
    site.git(&["config", "tag.gpgSign", "true"]);
    let ask = Look { try_signing: TrySigning::AsConfigured, ..Look::default() };
    let refs = site.git(&["for-each-ref"]);
    let facts = site.look(&ask);
    assert_eq!((facts.signing.commits, facts.signing.tags), (false, true));
    assert_eq!(facts.signing.tried, Some(Ok(())));
    assert_eq!(site.git(&["for-each-ref"]), refs);
    fs::remove_file(&key).unwrap();
    assert_eq!(codes(&site.look(&ask)), [Code::SigningUnusable]);
    // A key that waits for its passphrase.
    site.shell.late = Some("commit-tree");
    let problem = site.look(&ask).signing.tried.unwrap().unwrap_err();
    assert_eq!(problem.found.as_deref(), Some("no signature in 20 seconds"));
    assert_eq!(problem.hints[0], "ssh-add");
}

#[test]
fn a_branch_whose_name_is_not_text_is_refused() {
    let site = Site::new();
    let name = std::ffi::OsStr::from_bytes(b"refs/heads/caf\xe9");
    fs::write(site.work.join(".git/HEAD"), [b"ref: ", name.as_bytes(), b"\n"].concat()).unwrap();
    assert_eq!(site.in_vain(), [Code::WrongBranch]);
}

#[test]
fn git_that_is_missing_too_old_or_distrustful_says_so() {
    let mut site = Site::new();
    site.env("GIT_TEST_ASSUME_DIFFERENT_OWNER", "1");
    let problems = gather(&site.repository(), &Look::default(), &site.shell, &site.stop).unwrap_err();
    assert_eq!((problems.len(), problems[0].code), (1, Code::GitFailed));
    assert_eq!(
        problems[0].hints,
        [format!("git config --global --add safe.directory {}", site.work.display())]
    );
    site.env("PATH", "/nonexistent");
    assert_eq!(site.in_vain(), [Code::GitMissing]);
    fs::create_dir(site.root.path().join("old")).unwrap();
    let old = "#!/bin/sh\ncase \"$*\" in *' version') echo git version 2.20.1.windows; exit;; esac\n\
               echo unknown option >&2\nexit 129\n";
    site.write("../old/git", old);
    make_executable(&site.work.join("../old/git"));
    site.env("PATH", format!("{}:/usr/bin:/bin", site.root.path().join("old").display()));
    assert_eq!(site.in_vain(), [Code::GitTooOld]);
}

#[test]
fn a_look_that_is_stopped_says_so() {
    let site = Site::new();
    site.stop.ask();
    site.stop.ask();
    assert_eq!(site.in_vain(), [Code::Stopped]);
}
