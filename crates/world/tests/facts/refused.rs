//! What a real git says when a real remote refuses, and what that is taken for.

use std::fs;

use crate::site::{Site, make_executable};
use shipway_core::problem::Code;
use shipway_world::git::remote_error::{RemoteError, classify, remote_lines};

/// Pushes as told and returns all that git wrote.
fn push(site: &Site, args: &[&str]) -> String {
    let args = [&["push", "--atomic", "--porcelain"], args].concat();
    let output = site.try_git(&site.work, &args);
    assert!(!output.ok(), "{args:?} was not refused");
    format!("{}\n{}", output.text(), output.error_text())
}

fn check(text: &str, code: Code, no_effect: bool) {
    let RemoteError { code: found, no_effect: certain, .. } = classify(text);
    assert_eq!((found, certain), (code, no_effect), "{text}");
}

fn hook(site: &Site, name: &str, script: &str) {
    fs::create_dir_all(site.remote.join("hooks")).unwrap();
    let path = site.remote.join("hooks").join(name);
    fs::write(&path, format!("#!/bin/sh\n{script}\n")).unwrap();
    make_executable(&path);
}

const MAIN: &str = "HEAD:refs/heads/main";

#[test]
fn hooks_of_the_remote_are_heard() {
    for name in ["pre-receive", "update"] {
        let site = Site::new();
        site.commit("fix: two");
        hook(&site, name, "echo 'not today'; echo 'ask jane' >&2; exit 1");
        let text = push(&site, &["origin", MAIN]);
        check(&text, Code::HookRefused, true);
        assert_eq!(remote_lines(&text)[..2], ["not today", "ask jane"]);
    }
}

#[test]
fn a_hook_of_this_repository_is_told_from_the_remote() {
    let site = Site::new();
    site.commit("fix: two");
    site.write(".git/hooks/pre-push", "#!/bin/sh\necho tests fail >&2\nexit 1\n");
    make_executable(&site.work.join(".git/hooks/pre-push"));
    check(&push(&site, &["origin", MAIN]), Code::HookRefused, true);
}

#[test]
fn a_remote_that_moved_is_seen_by_git_and_by_the_remote() {
    let site = Site::new();
    site.commit_elsewhere();
    site.commit("fix: two");
    check(&push(&site, &["origin", MAIN]), Code::RemoteMoved, true);
    let lease = format!("--force-with-lease=refs/heads/main:{}", site.git(&["rev-parse", "HEAD"]));
    check(&push(&site, &[&lease, "origin", MAIN]), Code::RemoteMoved, true);
    site.git_in(&site.remote, &["config", "receive.denyNonFastForwards", "true"]);
    check(&push(&site, &["--force", "origin", MAIN]), Code::RemoteMoved, true);
}

#[test]
fn a_tag_that_exists_is_not_moved() {
    let site = Site::new();
    site.git(&["tag", "v1.0.0"]);
    site.git(&["push", "--quiet", "origin", "v1.0.0"]);
    site.commit("fix: two");
    site.git(&["tag", "--force", "v1.0.0"]);
    check(&push(&site, &["origin", MAIN, "refs/tags/v1.0.0"]), Code::TagTakenRemote, true);
    assert_eq!(site.git_in(&site.remote, &["rev-parse", "main"]), site.git(&["rev-parse", "HEAD~1"]));
}

#[test]
fn refs_that_the_remote_keeps_to_itself_are_denied() {
    let site = Site::new();
    site.git_in(&site.remote, &["config", "transfer.hideRefs", "refs/tags"]);
    check(&push(&site, &["origin", "HEAD:refs/tags/v1"]), Code::PushDenied, true);
    site.git_in(&site.remote, &["config", "receive.denyDeletes", "true"]);
    check(&push(&site, &["origin", ":refs/heads/main"]), Code::PushDenied, true);
    site.git(&["clone", "--quiet", "../remote.git", "../other"]);
    site.commit("fix: two");
    check(&push(&site, &["../other", MAIN]), Code::PushDenied, true);
}

#[test]
fn a_ref_that_is_locked_is_worth_another_attempt() {
    let site = Site::new();
    site.commit("fix: two");
    fs::write(site.remote.join("refs/heads/main.lock"), "").unwrap();
    let error = classify(&push(&site, &["origin", MAIN]));
    assert_eq!(error, RemoteError { code: Code::GitFailed, no_effect: true, transient: true });
}

#[test]
fn a_remote_that_dies_after_the_push_leaves_doubt() {
    let site = Site::new();
    let commit = site.commit("fix: two");
    hook(&site, "post-receive", "echo 'permission denied to nobody'; kill -9 $PPID");
    check(&push(&site, &["origin", MAIN]), Code::Network, false);
    // The doubt is right: the effect is there.
    assert_eq!(site.git_in(&site.remote, &["rev-parse", "main"]), commit);
}

#[test]
fn addresses_that_lead_nowhere_are_unreachable() {
    let site = Site::new();
    let addresses = [
        "../nowhere.git",
        "git://127.0.0.1:1/x",
        "http://127.0.0.1:1/x",
        "ssh://127.0.0.1:1/x",
        "nothing://x",
    ];
    for address in addresses {
        check(&push(&site, &[address, MAIN]), Code::RemoteUnreachable, true);
    }
}

#[test]
fn a_push_of_nothing_had_no_effect() {
    let site = Site::new();
    check(&push(&site, &["origin", "none:refs/heads/main"]), Code::GitFailed, true);
}
