//! Every fact of the remote, and the problems that follow.

use crate::site::{Site, codes, make_executable, seen};
use shipway_core::facts::{Facts, Permission, Relation};
use shipway_core::problem::Code;
use shipway_world::facts::{Look, gather};

fn unseen(facts: &Facts) -> Code {
    facts.remote.clone().unwrap().seen.unwrap().unwrap_err().code
}

#[test]
fn no_remote_and_many_remotes_are_told_apart() {
    let site = Site::new();
    site.git(&["branch", "--unset-upstream"]);
    site.git(&["remote", "add", "fork", "https://bob:secret@127.0.0.1:1/fork"]);
    let facts = site.asked();
    assert!(facts.remote.is_none());
    assert_eq!(facts.remotes["fork"], "https://***@127.0.0.1:1/fork");
    assert_eq!(codes(&facts), [Code::ManyRemotes]);
    let named = site.look(&Look { remote: Some("origin".into()), network: true, ..Look::default() });
    assert_eq!((named.remote.clone().unwrap().name.as_str(), codes(&named)), ("origin", vec![]));
    site.git(&["remote", "remove", "fork"]);
    site.git(&["remote", "remove", "origin"]);
    assert_eq!(codes(&site.asked()), [Code::NoRemote]);
}

#[test]
fn the_branch_is_compared_with_the_real_tip_of_the_remote() {
    let check = |prepare: &dyn Fn(&Site), relation: Relation, expected: &[Code]| {
        let site = Site::new();
        prepare(&site);
        let facts = site.asked();
        assert_eq!((seen(&facts).relation, codes(&facts).as_slice()), (relation, expected));
    };
    let behind = [Code::BehindRemote];
    let diverged = [Code::DivergedFromRemote];
    check(&|_| {}, Relation::Same, &[]);
    check(&|site| drop(site.commit("fix: two")), Relation::Ahead, &[]);
    check(
        &|site| drop(site.git_in(&site.remote, &["update-ref", "-d", "refs/heads/main"])),
        Relation::New,
        &[],
    );
    // The tip is not here: only what was last fetched can tell.
    check(&|site| drop(site.commit_elsewhere()), Relation::Behind, &behind);
    let both = |site: &Site| {
        site.commit_elsewhere();
        site.commit("fix: two");
    };
    check(&both, Relation::Diverged, &diverged);
    // The tip is here.
    let fetched = |site: &Site| {
        site.commit_elsewhere();
        site.git(&["fetch", "--quiet"]);
    };
    check(&fetched, Relation::Behind, &behind);
    let both_fetched = |site: &Site| {
        fetched(site);
        site.commit("fix: two");
    };
    check(&both_fetched, Relation::Diverged, &diverged);
}

#[test]
fn without_the_network_the_last_fetch_counts() {
    let site = Site::new();
    site.commit_elsewhere();
    assert_eq!(site.facts().remote.unwrap().tracked, Some(Relation::Same));
    site.git(&["fetch", "--quiet"]);
    let facts = site.facts();
    let remote = facts.remote.clone().unwrap();
    assert_eq!((remote.tracked, remote.seen.is_none()), (Some(Relation::Behind), true));
    assert_eq!(codes(&facts), [Code::BehindRemote]);
}

#[test]
fn a_branch_that_follows_another_name_goes_there() {
    let site = Site::new();
    site.git(&["branch", "--move", "work"]);
    let facts = site.asked();
    assert_eq!(facts.remote.clone().unwrap().branch, "main");
    assert_eq!(seen(&facts).relation, Relation::Same);
    assert_eq!(codes(&facts), [Code::WrongBranch]);
}

#[test]
fn a_tag_that_points_elsewhere_is_seen() {
    let site = Site::new();
    site.git(&["tag", "v1.0.0"]);
    site.git(&["tag", "--annotate", "--message", "x", "team/v1"]);
    site.git(&["push", "--quiet", "--tags"]);
    assert_eq!(codes(&site.asked()), []);
    site.commit("fix: two");
    site.git(&["tag", "--force", "v1.0.0"]);
    let facts = site.asked();
    assert_ne!(seen(&facts).tags["v1.0.0"], facts.tags["v1.0.0"]);
    assert_eq!(seen(&facts).tags["team/v1"], facts.tags["team/v1"]);
    assert_eq!(codes(&facts), [Code::TagElsewhere]);
}

#[test]
fn a_remote_that_cannot_be_reached_is_part_of_the_facts() {
    let site = Site::new();
    let addresses = ["../nowhere.git", "git://127.0.0.1:1/x", "https://127.0.0.1:1/x", "ssh://127.0.0.1:1/x"];
    for address in addresses {
        site.git(&["remote", "set-url", "origin", address]);
        let facts = site.look(&Look { network: true, try_push: true, ..Look::default() });
        assert_eq!(unseen(&facts), Code::RemoteUnreachable, "{address}");
        assert_eq!(facts.remote.clone().unwrap().permission, Permission::Unknown, "{address}");
        assert_eq!(codes(&facts), [Code::RemoteUnreachable], "{address}");
    }
}

#[test]
fn a_remote_that_does_not_answer_is_given_up() {
    let mut site = Site::new();
    site.shell.late = Some("ls-remote");
    assert_eq!(unseen(&site.asked()), Code::RemoteUnreachable);
}

#[test]
fn a_remote_that_takes_no_credentials_or_no_push_says_so() {
    let check = |says: &str, code: Code| {
        let mut site = Site::new();
        // The far end of ssh, as git sees it.
        site.write(".git/far", &format!("#!/bin/sh\necho '{says}' >&2\nexit 128\n"));
        make_executable(&site.work.join(".git/far"));
        site.git(&["remote", "set-url", "--push", "origin", "ssh://far.invalid/x"]);
        site.env("GIT_SSH", site.work.join(".git/far"));
        site.env("GIT_SSH_VARIANT", "simple");
        let mut repository = site.repository();
        repository.reach.own_ssh = true;
        let ask = Look { network: true, try_push: true, ..Look::default() };
        let facts = gather(&repository, &ask, &site.shell, &site.stop).unwrap();
        assert_eq!(codes(&facts), [code], "{says}");
    };
    check("git@far: Permission denied (publickey).", Code::AuthenticationFailed);
    check("ERROR: Permission to a/b.git denied to bob.", Code::PushDenied);
}
