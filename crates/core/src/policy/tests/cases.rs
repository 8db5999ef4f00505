//! The cases that users write.

use super::super::cases;
use super::super::owners::Owners;
use super::*;

const CASES: &str = r#"
[[case]]
name = "nobody pushes to main"
by = "boris"
ref = "main"
expect = "push-restricted"

[[case]]
name = "develop lands with all that is wanted"
by = "anna"
ref = "main"
land = "anna"
from = "develop"
author = "bot"
approvals = ["carla:1"]
checks = ["test:ci"]
expect = "allow"

[[case]]
name = "authors do not approve"
by = "anna"
ref = "refs/heads/main"
land = "anna"
from = "develop"
contributors = ["carla"]
approvals = ["carla"]
checks = ["test:ci"]
expect = "approvals"

[[case]]
name = "tags stay"
by = "anna"
ref = "refs/tags/v1"
kind = "delete"
expect = "tag-immutable"

[[case]]
name = "a release"
by = "anna"
ref = "main"
land = "carla"
ticket = "release"
message = "chore(release): 1.0.0"
expect = "allow"
"#;

#[test]
fn cases_are_put_to_the_evaluator() {
    let policy = policy(TEAM);
    let cases = cases::read(CASES, "t.toml").unwrap();
    assert_eq!(cases.len(), 5);
    for case in &cases {
        let decided = case.decide(&policy, None);
        assert!(decided.problem.is_none(), "{decided:?}");
    }
    assert_eq!(cases[1].place, "t.toml:8:1");
}

#[test]
fn what_is_decided_otherwise_is_told() {
    let cases = cases::read(&CASES.replace("push-restricted", "allow"), "t.toml").unwrap();
    let problem = cases[0].decide(&policy(TEAM), None).problem.unwrap();
    assert_eq!(problem.code, crate::problem::Code::PolicyCase);
    assert_eq!(
        (problem.found.as_deref(), problem.wanted.as_deref()),
        (Some("push-restricted"), Some("allow"))
    );
    // A rule that does not refuse is as wrong as one that refuses what it should not.
    let other = cases::read(&CASES.replace("tag-immutable", "delete"), "t.toml").unwrap();
    assert!(other[3].decide(&policy(TEAM), None).problem.is_some());
    // Another policy decides otherwise.
    assert!(cases[1].decide(&Policy::default(), None).problem.is_some());
}

#[test]
fn owners_are_those_of_the_repository() {
    let policy = policy(&TEAM.replace("approvals = 1", "approvals = 1\nowners = true"));
    let text =
        CASES.replace("approvals = [\"carla:1\"]", "approvals = [\"carla:1\"]\nfiles = [\"src/a.rs\"]");
    let cases = cases::read(&text, "t.toml").unwrap();
    let decide = |owners: &str| cases[1].decide(&policy, Some(&Owners::read(owners, "CODEOWNERS")));
    assert!(decide("src/ @carla").problem.is_none());
    assert!(decide("src/ @anna").verdicts.iter().all(|verdict| verdict.rule == Rule::Owners));
    assert!(decide("src/ @anna").problem.is_some());
}

#[test]
fn a_case_that_cannot_be_meant_is_no_case() {
    let problem = |text: &str| cases::read(text, "t.toml").unwrap_err().remove(0);
    let bad = problem("[[case]]\nname = 'a'\nref = 'main'\nexpect = 'push-restrictd'\n");
    assert_eq!(bad.hints, ["did you mean `push-restricted`?"]);
    assert_eq!(bad.place.as_deref(), Some("t.toml:4:10"));
    assert_eq!(problem("[[case]]\nname = 'a'\nref = 'main'\n").what, "`case[0]` has no `expect`");
    let grade =
        problem("[[case]]\nname = 'a'\nref = 'main'\nland = 'x'\napprovals = ['anna:4']\nexpect = 'allow'\n");
    assert_eq!(grade.place.as_deref(), Some("t.toml:5:13"));
    let slip = "[[case]]\nname = 'a'\nref = 'main'\nexpect = 'allow'\nfrmo = 'x'\n";
    assert_eq!(problem(slip).hints, ["did you mean `from`?"]);
}

#[test]
fn every_rule_may_be_expected() {
    for rule in Rule::ALL {
        let text = format!("[[case]]\nname = 'a'\nref = 'main'\nexpect = '{}'\n", rule.as_str());
        assert_eq!(cases::read(&text, "t.toml").unwrap()[0].expect, Some(*rule));
    }
}
