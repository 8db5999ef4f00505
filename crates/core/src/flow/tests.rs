use std::collections::BTreeMap;
use std::time::Duration;

use super::*;
use crate::policy::{Approvals, CommitRules, FileRules, Pair};

fn class(patterns: &[&str], pairs: &[(&[&str], &[Method])]) -> BranchClass {
    let texts = |texts: &[&str]| texts.iter().map(ToString::to_string).collect::<Vec<_>>();
    BranchClass {
        patterns: texts(patterns),
        pairs: pairs
            .iter()
            .map(|(from, methods)| Pair { from: texts(from), methods: methods.to_vec() })
            .collect(),
        protected: true,
        create: vec![],
        push: vec![],
        delete: vec![],
        force: vec![],
        land: vec![],
        checks: vec![],
        runners: vec![],
        approvals: Approvals::default(),
        linear: false,
        signed: false,
    }
}

fn policy(branches: &[(&str, BranchClass)]) -> Policy {
    Policy {
        people: BTreeMap::new(),
        groups: BTreeMap::new(),
        branches: branches.iter().map(|(name, class)| ((*name).to_owned(), class.clone())).collect(),
        tags: BTreeMap::new(),
        commits: CommitRules {
            conventional: true,
            types: vec![],
            issue: false,
            subject: 0,
            size: 0,
            parents: 2,
        },
        files: FileRules { size: 0, forbidden: vec![], secrets: true, restricted: vec![] },
        names: vec![],
        solo: false,
        ticket_expiry: Duration::ZERO,
        approval_expiry: Duration::ZERO,
        policy_owners: vec![],
    }
}

fn gitflow() -> Flow {
    let back: &[&str] = &["main", "master", "release/*", "hotfix/*"];
    let landing: &[&str] = &["develop", "release/*", "hotfix/*"];
    let work: &[&str] = &["feature/**", "bugfix/**"];
    let branches = policy(&[
        ("main", class(&["main", "master"], &[(landing, &[Method::Merge])])),
        (
            "develop",
            class(&["develop"], &[(work, &[Method::Squash, Method::Merge]), (back, &[Method::Merge])]),
        ),
        ("feature", class(work, &[])),
        ("release", class(&["release/*"], &[])),
        ("hotfix", class(&["hotfix/*"], &[])),
    ]);
    Flow::of(&branches, &["main".into(), "develop".into()])
}

#[test]
fn a_policy_says_where_branches_start_and_land() {
    let flow = gitflow();
    assert_eq!((flow.main.as_str(), flow.develop.as_deref()), ("main", Some("develop")));
    let check = |kind: &str, base: &str, target: &str, method: Method| {
        let kind = flow.kind(kind).unwrap();
        assert_eq!((kind.base.as_str(), kind.target.as_str()), (base, target), "{kind:?}");
        assert_eq!(kind.methods.first(), Some(&method));
    };
    check("feature", "develop", "develop", Method::Squash);
    check("bugfix", "develop", "develop", Method::Squash);
    check("release", "develop", "main", Method::Merge);
    check("hotfix", "main", "main", Method::Merge);
    assert_eq!(flow.target_of("develop"), Some("main"));
    assert_eq!(flow.target_of("feature/a/b"), Some("develop"));
    assert_eq!(flow.target_of("main"), None);
    assert_eq!(flow.kind("topic").unwrap_err().code, Code::FlowKind);
}

#[test]
fn with_one_branch_that_stays_all_lands_there_and_nothing_is_owed() {
    let one = |more: &[(&str, BranchClass)]| {
        let main = ("main", class(&["main", "master"], &[(&["*"], &[Method::Squash])]));
        Flow::of(&policy(&[&[main], more].concat()), &["master".into()])
    };
    assert_eq!(one(&[]).kind("feature").unwrap().target, "master");
    let flow = one(&[("topic", class(&["topic/*"], &[]))]);
    assert_eq!(flow.kind("topic").unwrap().target, "master");
    assert_eq!(flow.kind("feature").unwrap_err().code, Code::FlowKind);
    let landed = Landed { source: "topic/a", target: "master", commit: "c" };
    assert_eq!(owed(&flow, landed, &["master".into()]), []);
}

#[test]
fn what_did_not_come_from_develop_is_owed_to_it() {
    let flow = gitflow();
    let branches = ["main", "develop", "release/1.4", "feature/x"].map(str::to_owned);
    let into = |source: &str, target: &str| -> Vec<String> {
        let owed = owed(&flow, Landed { source, target, commit: "c" }, &branches);
        assert!(owed.iter().all(|owed| owed.from == "main" && owed.commit == "c"));
        owed.into_iter().map(|owed| owed.into).collect()
    };
    assert_eq!(into("hotfix/a", "main"), ["develop", "release/1.4"]);
    assert_eq!(into("", "main"), ["develop", "release/1.4"]);
    assert_eq!(into("release/1.4", "main"), ["develop"]);
    assert!(into("develop", "main").is_empty());
    assert!(into("feature/x", "develop").is_empty());
}

#[test]
fn an_obligation_gates_the_branch_that_is_owed_and_ends_when_the_commit_is_there() {
    let one = |into: &str| Owed { from: "main".into(), into: into.into(), commit: "c".into() };
    let all = [one("develop"), one("release/1.4"), one("release/gone"), one("develop")];
    let has = |branch: &str, _: &str| (branch != "release/gone").then_some(branch == "release/1.4");
    let open = open(&all, has);
    assert_eq!(open, [one("develop")]);
    assert_eq!(gates(&open, "develop", "main").len(), 1);
    assert!(gates(&open, "hotfix/b", "main").is_empty());
    assert!(gates(&open, "main", "develop").is_empty(), "what pays the debt does not wait for it");
    assert!(super::open(&all, |_, _| Some(true)).is_empty());
}

#[test]
fn without_a_policy_the_branches_that_are_there_decide() {
    let of = |branches: &[&str]| Flow::usual(&branches.iter().map(ToString::to_string).collect::<Vec<_>>());
    let two = of(&["main", "develop"]);
    let ends = |flow: &Flow, kind: &str| {
        let kind = flow.kind(kind).unwrap();
        (kind.base.clone(), kind.target.clone())
    };
    let pair = |base: &str, target: &str| (base.to_owned(), target.to_owned());
    assert_eq!(ends(&two, "feature"), pair("develop", "develop"));
    assert_eq!(ends(&two, "release"), pair("develop", "main"));
    assert_eq!(ends(&two, "hotfix"), pair("main", "main"));
    assert_eq!(ends(&of(&["master"]), "feature"), pair("master", "master"));
}
