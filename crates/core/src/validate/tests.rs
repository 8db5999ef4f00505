use super::*;
use crate::facts::{RemoteRefs, Signing};
use crate::id::RunId;

const HEAD: &str = "1111111111111111111111111111111111111111";
const OTHER: &str = "2222222222222222222222222222222222222222";

fn at(object: &str) -> TagAt {
    TagAt { object: object.into(), commit: object.into() }
}

fn refs(relation: Relation) -> RemoteRefs {
    RemoteRefs { tip: Some(OTHER.into()), relation, tags: BTreeMap::from([("v1.0.0".into(), at(HEAD))]) }
}

fn origin() -> RemoteFacts {
    RemoteFacts {
        name: "origin".into(),
        branch: "main".into(),
        default_branch: None,
        tracked: None,
        seen: Some(Ok(refs(Relation::Ahead))),
        permission: Permission::Allowed,
    }
}

fn facts() -> Facts {
    Facts {
        directory: "project".into(),
        head: Head::Branch { branch: "main".into(), commit: HEAD.into() },
        tree: OTHER.into(),
        shallow: false,
        operation: None,
        changed: vec![],
        untracked: vec!["notes.txt".into()],
        remotes: BTreeMap::from([("origin".into(), "https://example.org/project".into())]),
        upstream: Some(("origin".into(), "main".into())),
        remote: Some(origin()),
        tags: BTreeMap::from([("v1.0.0".into(), at(HEAD)), ("latest".into(), at(HEAD))]),
        identity: Ok("Jane Doe <jane@example.org>".into()),
        signing: Signing { commits: false, tags: false, tried: None },
        open_run: None,
    }
}

fn wanted() -> Wanted {
    Wanted { branches: vec!["release/*".into(), "main".into()], remote: None, now_pushing: true }
}

/// Checks that one change of sound facts gives one problem, whole and with the hint.
fn check(change: impl FnOnce(&mut Facts, &mut Wanted), code: Code, hint: &str) -> Problem {
    let (mut facts, mut ask) = (facts(), wanted());
    change(&mut facts, &mut ask);
    let problems = validate(&facts, &ask);
    assert_eq!(problems.iter().map(|problem| problem.code).collect::<Vec<_>>(), [code], "{problems:?}");
    let problem = problems.into_iter().next().unwrap();
    assert!(problem.found.is_some() && problem.wanted.is_some(), "{problem:?}");
    assert!(problem.hints.iter().any(|line| line == hint), "{problem:?}");
    problem
}

fn told(code: Code) -> Problem {
    Problem::new(code, "told by the world").found("a").wanted("b").hint("do it")
}

#[test]
fn a_sound_repository_has_no_problem() {
    assert_eq!(validate(&facts(), &wanted()), []);
    for relation in [Relation::Same, Relation::Ahead, Relation::New] {
        let mut facts = facts();
        facts.remote = Some(RemoteFacts { seen: Some(Ok(refs(relation))), ..origin() });
        assert_eq!(validate(&facts, &wanted()), []);
    }
}

#[test]
fn a_branch_needs_a_commit() {
    let unborn = |facts: &mut Facts, _: &mut Wanted| {
        facts.head = Head::Unborn { branch: "main".into() };
    };
    check(unborn, Code::NoCommits, "git add --all");
}

#[test]
fn a_detached_head_is_sent_to_a_branch() {
    let detached = |facts: &mut Facts, _: &mut Wanted| {
        facts.head = Head::Detached { commit: HEAD.into() };
    };
    let problem = check(detached, Code::DetachedHead, "git switch main");
    assert_eq!(problem.what, "HEAD is detached at 1111111");
}

#[test]
fn a_rebase_is_told_once_though_it_detaches_head() {
    let rebase = |facts: &mut Facts, _: &mut Wanted| {
        facts.head = Head::Detached { commit: HEAD.into() };
        facts.operation = Some(Operation::Rebase);
    };
    check(rebase, Code::OperationInProgress, "git rebase --continue");
}

#[test]
fn every_operation_can_be_ended() {
    let cases = [
        (Operation::Rebase, "git rebase --abort"),
        (Operation::Am, "git am --abort"),
        (Operation::Merge, "git merge --abort"),
        (Operation::CherryPick, "git cherry-pick --continue"),
        (Operation::Revert, "git revert --abort"),
        (Operation::Bisect, "git bisect reset"),
    ];
    for (operation, hint) in cases {
        check(|facts, _| facts.operation = Some(operation), Code::OperationInProgress, hint);
    }
}

#[test]
fn a_shallow_clone_is_told_how_to_fetch_the_rest() {
    check(|facts, _| facts.shallow = true, Code::ShallowClone, "git fetch --unshallow --tags");
}

#[test]
fn a_dirty_tree_lists_ten_files() {
    let dirty = |facts: &mut Facts, _: &mut Wanted| {
        facts.changed = (0..14).map(|n| format!("src/{n}.rs")).collect();
    };
    let problem = check(dirty, Code::DirtyTree, "git stash");
    assert_eq!(problem.what, "14 tracked files differ from HEAD");
    assert_eq!((problem.details.len(), problem.details[10].as_str()), (11, "and 4 more"));
}

#[test]
fn a_secret_blocks_and_the_rest_is_a_note() {
    let secret = |facts: &mut Facts, _: &mut Wanted| {
        facts.untracked.extend(["conf/.env".to_owned(), ".env.example".to_owned()]);
    };
    let problem = check(secret, Code::SecretLookingFile, "printf '%s\\n' /conf/.env >> .gitignore");
    assert_eq!(problem.details, ["conf/.env"]);
    let (mut facts, mut ask) = (facts(), wanted());
    secret(&mut facts, &mut ask);
    assert_eq!(notes(&facts), ["untracked and left alone: notes.txt, .env.example"]);
}

#[test]
fn a_wrong_branch_is_sent_to_a_right_one() {
    let topic = |facts: &mut Facts, _: &mut Wanted| {
        facts.head = Head::Branch { branch: "topic".into(), commit: HEAD.into() };
    };
    let problem = check(topic, Code::WrongBranch, "git switch main");
    assert_eq!(problem.wanted.as_deref(), Some("release/*, main"));
    let only_globs = |facts: &mut Facts, ask: &mut Wanted| {
        topic(facts, ask);
        ask.branches = vec!["release/*".into()];
    };
    check(only_globs, Code::WrongBranch, "[release] branches = [\"topic\"]");
}

#[test]
fn every_branch_will_do_when_none_is_named() {
    let ask = Wanted { branches: vec![], ..wanted() };
    let head = Head::Branch { branch: "topic".into(), commit: HEAD.into() };
    assert_eq!(validate(&Facts { head, ..facts() }, &ask), []);
}

#[test]
fn a_missing_remote_can_be_added() {
    let none = |facts: &mut Facts, _: &mut Wanted| {
        facts.remotes.clear();
        facts.remote = None;
    };
    check(none, Code::NoRemote, "git remote add origin ADDRESS");
    let named = |facts: &mut Facts, ask: &mut Wanted| {
        facts.remote = None;
        ask.remote = Some("upstream".into());
    };
    let problem = check(named, Code::NoRemote, "git remote add upstream ADDRESS");
    assert_eq!(problem.found.as_deref(), Some("origin"));
}

#[test]
fn several_remotes_need_a_choice() {
    let two = |facts: &mut Facts, _: &mut Wanted| {
        facts.remotes.insert("fork".into(), String::new());
        facts.remote = None;
    };
    let problem = check(two, Code::ManyRemotes, "[release] remote = \"origin\"");
    assert_eq!(problem.hints[1], "git branch --set-upstream-to origin/main");
    assert_eq!(problem.found.as_deref(), Some("fork, origin"));
}

fn stands(relation: Relation) -> impl FnOnce(&mut Facts, &mut Wanted) {
    move |facts, _| facts.remote = Some(RemoteFacts { seen: Some(Ok(refs(relation))), ..origin() })
}

#[test]
fn a_branch_that_lacks_commits_of_the_remote_is_told_apart() {
    check(stands(Relation::Behind), Code::BehindRemote, "git pull --ff-only origin main");
    check(stands(Relation::Diverged), Code::DivergedFromRemote, "git pull --rebase origin main");
}

#[test]
fn what_was_last_fetched_counts_only_when_nobody_asked_the_remote() {
    let fetched = |facts: &mut Facts, _: &mut Wanted| {
        facts.remote = Some(RemoteFacts { seen: None, tracked: Some(Relation::Behind), ..origin() });
    };
    check(fetched, Code::BehindRemote, "git pull --ff-only origin main");
    let remote = Some(RemoteFacts { tracked: Some(Relation::Behind), ..origin() });
    assert_eq!(validate(&Facts { remote, ..facts() }, &wanted()), []);
}

#[test]
fn an_unseen_remote_stops_a_push_and_not_a_plan() {
    for code in [Code::RemoteUnreachable, Code::AuthenticationFailed, Code::Network] {
        let remote = Some(RemoteFacts { seen: Some(Err(told(code))), ..origin() });
        check(|facts, _| facts.remote = remote.clone(), code, "do it");
        let facts = Facts { remote, untracked: vec![], ..facts() };
        assert_eq!(validate(&facts, &Wanted { now_pushing: false, ..wanted() }), []);
        assert_eq!(notes(&facts), ["origin was not seen: told by the world"]);
    }
}

#[test]
fn a_denied_push_is_a_problem_and_said_once() {
    let denied = RemoteFacts { permission: Permission::Denied(told(Code::PushDenied)), ..origin() };
    check(|facts, _| facts.remote = Some(denied), Code::PushDenied, "do it");
    let problem = told(Code::AuthenticationFailed);
    let both =
        RemoteFacts { seen: Some(Err(problem.clone())), permission: Permission::Denied(problem), ..origin() };
    check(|facts, _| facts.remote = Some(both), Code::AuthenticationFailed, "do it");
}

#[test]
fn identity_and_signing_are_passed_on() {
    let missing = told(Code::IdentityMissing);
    check(|facts, _| facts.identity = Err(missing), Code::IdentityMissing, "do it");
    let unusable = |facts: &mut Facts, _: &mut Wanted| {
        facts.signing = Signing { commits: true, tags: true, tried: Some(Err(told(Code::SigningUnusable))) };
    };
    check(unusable, Code::SigningUnusable, "do it");
}

#[test]
fn an_open_run_stops_a_push_and_not_a_plan() {
    let open = |facts: &mut Facts, _: &mut Wanted| facts.open_run = Some(RunId::new("0a1b2c3d"));
    check(open, Code::OpenRun, "shipway resume");
    let facts = Facts { open_run: Some(RunId::new("0a1b2c3d")), untracked: vec![], ..facts() };
    assert_eq!(validate(&facts, &Wanted { now_pushing: false, ..wanted() }), []);
    assert_eq!(notes(&facts), ["run 0a1b2c3d is still open"]);
}

#[test]
fn a_version_tag_means_the_same_object_in_both_places() {
    let moved = |facts: &mut Facts, _: &mut Wanted| {
        // A tag that is no version, such as `latest`, may move.
        facts.tags = BTreeMap::from([("v1.0.0".into(), at(OTHER)), ("latest".into(), at(OTHER))]);
        let mut there = refs(Relation::Same);
        there.tags.insert("latest".into(), at(HEAD));
        facts.remote = Some(RemoteFacts { seen: Some(Ok(there)), ..origin() });
    };
    let hint = "git fetch origin +refs/tags/v1.0.0:refs/tags/v1.0.0";
    let problem = check(moved, Code::TagElsewhere, hint);
    assert_eq!(problem.what, "tag v1.0.0 points elsewhere on origin than here");
    assert_eq!(problem.details, ["v1.0.0: 2222222 here, 1111111 on origin"]);
}

#[test]
fn all_problems_come_at_once_and_in_order() {
    let mut facts = facts();
    facts.head = Head::Branch { branch: "topic".into(), commit: HEAD.into() };
    facts.shallow = true;
    facts.changed = vec!["a".into()];
    facts.untracked = vec![".env".into()];
    facts.operation = Some(Operation::Merge);
    facts.remote = Some(RemoteFacts { seen: Some(Ok(refs(Relation::Diverged))), ..origin() });
    facts.identity = Err(told(Code::IdentityMissing));
    facts.open_run = Some(RunId::new("0a1b2c3d"));
    let codes: Vec<&str> = validate(&facts, &wanted()).iter().map(|problem| problem.code.as_str()).collect();
    assert_eq!(
        codes,
        ["SW0105", "SW0106", "SW0107", "SW0108", "SW0109", "SW0113", "SW0117", "SW0122"],
        "in the order of the codes"
    );
}
