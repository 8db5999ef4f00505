//! Plans of releases and withdrawals, with a catalog that words every change line the same.

mod deploy;

use serde_json::Value;

use super::push::{self, From, Input, To};
use super::rollback;
use crate::action::{Action, Catalog, Change, Cx, Fault, Observed, Receipt, Reversal, Sign};
use crate::edit::Edit;
use crate::gate::Check;
use crate::id::{Actor, ActorKind, Digest, Fence, RunId, Seq, StepId};
use crate::journal::{Entry, Event, GENESIS, Outcome};
use crate::kinds::{self, Signing};
use crate::plan::{Plan, Release, Verb, Work};
use crate::problem::{Code, Problem};
use crate::run::Run;
use crate::time::Time;

#[derive(Debug)]
struct Worded(Reversal);

impl Action for Worded {
    fn describe(&self) -> Change {
        Change {
            sign: Sign::Create,
            thing: "thing".into(),
            summary: String::new(),
            reversal: self.0,
            undo: String::new(),
            parts: vec![],
        }
    }

    fn probe(&self, _: &Cx<'_>) -> Result<Observed, Fault> {
        unreachable!("a planner looks at nothing")
    }

    fn apply(&self, _: &Cx<'_>) -> Result<Receipt, Fault> {
        unreachable!("a planner changes nothing")
    }

    fn undo(&self, _: &Cx<'_>, _: &Receipt) -> Result<(), Fault> {
        unreachable!("a planner changes nothing")
    }
}

struct Words;

impl Catalog for Words {
    fn action(&self, kind: &str, args: &Value) -> Result<Box<dyn Action>, Problem> {
        let no_undo = kind == kinds::deploy::MIGRATE && args["undo"] == Value::Array(vec![]);
        let never = kind == kinds::WITHDRAW || args["reversal"] == "never" || no_undo;
        let reversal = if kind == kinds::PUSH { Reversal::Visible } else { Reversal::Exact };
        Ok(Box::new(Worded(if never { Reversal::Never } else { reversal })))
    }

    fn check(&self, _: &str, _: &Value) -> Result<Box<dyn Check>, Problem> {
        unreachable!("a planner checks nothing")
    }

    fn kinds(&self) -> &'static [&'static str] {
        &[]
    }
}

fn input() -> Input {
    let edit =
        Edit::between("VERSION", Some(b"1.0.0\n"), b"1.1.0\n", "version 1.0.0 → 1.1.0").unwrap().unwrap();
    let release = Release {
        verb: Verb::Push,
        project: "api".into(),
        from: Some("1.0.0".into()),
        to: "1.1.0".into(),
        tag: "v1.1.0".into(),
        environment: None,
        why: "minor: 1 feat".into(),
    };
    let from = From {
        branch: "main".into(),
        commit: "c1".into(),
        tree: "t1".into(),
        tags: ["v1.0.0".into()].into(),
    };
    Input {
        release,
        from,
        to: To { remote: "origin".into(), branch: "main".into(), tip: "c1".into() },
        message: "chore: release version 1.1.0".into(),
        edits: vec![edit],
        changelog: Some("CHANGELOG.md".into()),
        checks: vec![super::need("test", kinds::COMMAND, &Value::Null, 1).unwrap()],
        at_once: 2,
        health: vec!["http://localhost/health".into()],
        within: std::time::Duration::from_secs(1),
        sign: Signing::Auto,
        step_timeout: None,
        ticket: None,
        tag_publishes: false,
        notes: vec![],
        target: std::time::Duration::from_mins(5),
        onward: None,
    }
}

fn plan(input: Input) -> Plan {
    push::plan(input, &Words).unwrap()
}

fn names(plan: &Plan) -> Vec<&str> {
    plan.stages.iter().map(|stage| stage.name.as_str()).collect()
}

#[test]
fn a_release_is_checked_then_made_then_pushed_then_verified() {
    let plan = plan(input());
    assert_eq!(names(&plan), ["checks", "tree", "commit", "tag", "push", "verify", "settle"]);
    let Work::Gate(verify) = &plan.step(&StepId::new("verify")).unwrap().work else {
        panic!("verify is a gate")
    };
    let needs: Vec<&str> = verify.needs.iter().map(crate::gate::Need::name).collect();
    assert_eq!(needs, ["remote", "http://localhost/health"]);
}

#[test]
fn what_can_be_taken_back_exactly_comes_before_what_others_see() {
    // The user's own branch follows the remote, so it is the one exact change behind the visible one.
    for tag_publishes in [false, true] {
        let plan = plan(Input { tag_publishes, ..input() });
        let reversals: Vec<Reversal> = plan
            .steps()
            .filter(|step| matches!(step.work, Work::Act { .. }) && step.id.as_str() != "settle")
            .map(|step| step.work.reversal())
            .collect();
        assert!(reversals.is_sorted(), "{reversals:?}");
        assert_eq!(plan.point_of_no_return().is_some(), tag_publishes);
    }
}

#[test]
fn commit_and_tag_are_answered_for_by_the_push_that_published_them() {
    let plan = plan(input());
    let by = |id: &str| plan.step(&StepId::new(id)).unwrap().published_by.clone();
    assert_eq!(by("commit"), Some(StepId::new("push")));
    assert_eq!(by("tag"), Some(StepId::new("push")));
    assert_eq!(by("settle"), None);
}

#[test]
fn a_branch_that_cannot_follow_is_no_reason_to_withdraw_a_release() {
    let plan = plan(input());
    let following: Vec<&str> =
        plan.steps().filter(|step| step.follows).map(|step| step.id.as_str()).collect();
    assert_eq!(following, ["settle"]);
}

#[test]
fn a_request_to_a_remote_gets_time_to_settle_and_a_local_step_does_not() {
    let plan = plan(input());
    for step in plan.steps() {
        assert_eq!(step.settle_ms > 0, step.id.as_str() == "push", "{}", step.id);
    }
}

#[test]
fn without_edits_a_release_is_a_tag_that_is_taken_back_by_deleting_it() {
    let plan = plan(Input { edits: vec![], ..input() });
    assert_eq!(names(&plan), ["checks", "tree", "tag", "push", "verify"]);
    let Work::Act { args, .. } = &plan.step(&StepId::new("push")).unwrap().work else {
        panic!("push is an action")
    };
    let push: kinds::Push = serde_json::from_value(args.clone()).unwrap();
    assert_eq!(push.commit.as_deref(), Some("c1"));
    assert!(push.withdraw.delete_tag);
}

#[test]
fn equal_facts_give_the_same_plan_and_a_moved_remote_gives_another() {
    let to = To { tip: "c0".into(), ..input().to };
    assert_eq!(plan(input()).digest(), plan(input()).digest());
    let moved = plan(Input { to, ..input() });
    assert_ne!(moved.facts, plan(input()).facts);
    assert_ne!(moved.digest(), plan(input()).digest());
}

#[test]
fn a_plan_survives_the_journal() {
    let plan = plan(input());
    let text = serde_json::to_string(&plan).unwrap();
    let read: Plan = serde_json::from_str(&text).unwrap();
    assert_eq!(read.digest(), plan.digest());
}

/// Returns a run that was shipped, or one that never came to its push.
fn run(plan: Plan, pushed: bool) -> Run {
    let by = Actor { kind: ActorKind::Human, name: "jane".into(), host: "here".into() };
    let receipt = serde_json::json!({ "commit": "c2", "base": "c1", "tag": "t" });
    let mut events = vec![Event::Opened { digest: plan.digest(), plan: Box::new(plan) }];
    if pushed {
        let step = StepId::new("push");
        events.push(Event::Finished { step, receipt: Receipt(receipt), log: None });
    }
    events.push(Event::Closed { outcome: Outcome::Shipped });
    let entry = |(at, event)| Entry {
        run: RunId::new("r"),
        seq: Seq(at),
        at: Time(at),
        by: by.clone(),
        attempt: 0,
        fence: Fence(1),
        prev: Digest::new(GENESIS),
        event,
    };
    Run::fold(&(1..).zip(events).map(entry).collect::<Vec<_>>()).unwrap()
}

fn withdrawal(run: &Run, delete_tag: bool) -> Result<Plan, Problem> {
    let local = Some(("main".into(), "c2".into()));
    rollback::plan(run, (delete_tag, None), local, (std::time::Duration::from_mins(2), &Words))
}

#[test]
fn a_withdrawal_answers_what_the_release_published() {
    let run = run(plan(input()), true);
    let plan = withdrawal(&run, false).unwrap();
    assert_eq!(names(&plan), ["withdraw", "settle"]);
    assert_eq!(plan.release.why, rollback::withdraws(&run.id));
    let Work::Act { args, .. } = &plan.stages[0].steps[0].work else { panic!("withdraw is an action") };
    let withdraw: kinds::Withdraw = serde_json::from_value(args.clone()).unwrap();
    assert_eq!((withdraw.published.commit.as_str(), withdraw.how.delete_tag), ("c2", false));
}

#[test]
fn a_run_that_published_nothing_cannot_be_withdrawn() {
    let error = withdrawal(&run(plan(input()), false), false).unwrap_err();
    assert_eq!(error.code, Code::NothingToRollBack);
}
