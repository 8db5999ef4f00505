//! Every kind of action keeps its contract, and says in a plan what it says by itself.

use std::collections::BTreeMap;
use std::rc::Rc;
use std::time::Duration;

use serde_json::Value;
use shipway_core::action::{Catalog as _, Cx, Reversal, Stop};
use shipway_core::id::StepId;
use shipway_core::kinds;
use shipway_core::plan::Work;
use shipway_core::planner::rollback;
use shipway_testkit::contract::{Contract, Site, Undo, every_kind_has_a_contract};
use shipway_testkit::world::{NOON, TestWorld};

use crate::place::{Place, RUN, TAG, anchor};
use crate::scene;

const CONTRACTS: [Contract; 9] = [
    Contract { kind: kinds::COMMIT, make: || commit(&[]) },
    Contract { kind: kinds::COMMIT, make: || commit(&["pre-commit", "commit-msg", "post-commit"]) },
    Contract { kind: kinds::TAG, make: tag },
    Contract { kind: kinds::PUSH, make: push },
    Contract { kind: kinds::SETTLE, make: settle },
    Contract { kind: kinds::SETTLE, make: settle_elsewhere },
    Contract { kind: kinds::WITHDRAW, make: || withdraw(false) },
    Contract { kind: kinds::WITHDRAW, make: || withdraw(true) },
    Contract { kind: kinds::deploy::BUILD, make: build },
];

/// Builds an action as a plan would, from data.
fn site(
    place: &Rc<Place>,
    (kind, args): (&str, Value),
    snapshot: impl Fn(&Place) -> String + 'static,
    there: impl Fn(&Place) -> bool + 'static,
) -> Site {
    let (seen, looked) = (Rc::clone(place), Rc::clone(place));
    Site {
        action: place.catalog().action(kind, &args).unwrap(),
        world: Box::new(TestWorld::new()),
        run: Place::run(),
        step: StepId::new("step"),
        opened: NOON,
        snapshot: Box::new(move || snapshot(&seen)),
        effect_is_there: Box::new(move || there(&looked)),
        make_foreign: None,
        undo: Undo::Exact,
        identity: &[],
    }
}

pub(crate) fn data(args: &impl serde::Serialize) -> Value {
    serde_json::to_value(args).unwrap()
}

/// Applies an action where the stage is set.
pub(crate) fn apply(place: &Place, kind: &str, args: &impl serde::Serialize) {
    let (world, run, step) = (TestWorld::new(), Place::run(), StepId::new("before"));
    let cx = Cx {
        run: &run,
        step: &step,
        attempt: 1,
        opened: NOON,
        timeout: Duration::from_mins(1),
        world: &world,
        stop: &Stop::default(),
    };
    place.catalog().action(kind, &data(args)).unwrap().apply(&cx).unwrap();
}

fn both(place: &Place) -> String {
    format!("{}\n{}", place.local(), place.there())
}

fn commit(hooks: &[&str]) -> Site {
    let place = Rc::new(Place::new());
    for hook in hooks {
        Place::program(&place.top().join(".git/hooks").join(hook), "exit 0");
    }
    let foreign = Rc::clone(&place);
    let args = data(&place.commit_args());
    site(&place, (kinds::COMMIT, args), both, |place| !place.rev(&anchor()).is_empty())
        .foreign(move || drop(foreign.git(&["update-ref", &anchor(), "HEAD"])))
        .identity(&["commit", "parent"])
}

fn tag() -> Site {
    let place = Rc::new(Place::new());
    apply(&place, kinds::COMMIT, &place.commit_args());
    let foreign = Rc::clone(&place);
    site(&place, (kinds::TAG, data(&Place::tag_args())), both, |place| {
        place.git(&["tag"]).lines().any(|tag| tag == TAG)
    })
    .foreign(move || drop(foreign.git(&["tag", "-a", "-m", "of somebody else", TAG, "HEAD"])))
    .identity(&["object", "commit"])
}

pub(crate) fn tagged() -> Rc<Place> {
    let place = Rc::new(Place::new());
    apply(&place, kinds::COMMIT, &place.commit_args());
    apply(&place, kinds::TAG, &Place::tag_args());
    place
}

fn push_args(place: &Place) -> kinds::Push {
    kinds::Push {
        remote: "origin".into(),
        branch: "main".into(),
        old: place.rev("main"),
        commit: None,
        tag: TAG.into(),
        reversal: Reversal::Visible,
        withdraw: Place::withdrawal(false),
    }
}

fn push() -> Site {
    let place = tagged();
    let (foreign, answered) = (Rc::clone(&place), Rc::clone(&place));
    // The ref that keeps the commit goes when the push is answered for good.
    let snapshot =
        |place: &Place| format!("{}\n{}", place.local().without("ref refs/shipway/"), place.there());
    site(&place, (kinds::PUSH, data(&push_args(&place))), snapshot, |place| {
        place.remote_rev(&format!("refs/tags/{TAG}")) == place.rev(&format!("refs/tags/{TAG}"))
    })
    .foreign(move || drop(foreign.remote(&["tag", TAG, "main"])))
    .identity(&["commit", "base", "tag"])
    .undo(Undo::Answered(Box::new(move || scene::answered(&answered, true))))
}

fn settle() -> Site {
    let place = tagged();
    let args = kinds::Settle { branch: "main".into(), old: place.rev("main") };
    site(&place, (kinds::SETTLE, data(&args)), both, |place| {
        place.rev(&anchor()).is_empty() && place.rev("main") == place.rev(&format!("{TAG}^{{commit}}"))
    })
    .identity(&["branch", "commit"])
}

/// The user has gone to another branch meanwhile.
fn settle_elsewhere() -> Site {
    let place = tagged();
    let args = kinds::Settle { branch: "main".into(), old: place.rev("main") };
    place.git(&["checkout", "--quiet", "-b", "other"]);
    site(&place, (kinds::SETTLE, data(&args)), both, |place| {
        place.rev(&anchor()).is_empty() && place.rev("main") == place.rev(&format!("{TAG}^{{commit}}"))
    })
    .identity(&["branch", "commit"])
}

fn withdraw(delete_tag: bool) -> Site {
    let place = tagged();
    apply(&place, kinds::PUSH, &push_args(&place));
    apply(&place, kinds::SETTLE, &kinds::Settle { branch: "main".into(), old: place.rev("main") });
    let args = kinds::Withdraw { published: place.published(), how: Place::withdrawal(delete_tag) };
    site(&place, (kinds::WITHDRAW, data(&args)), both, move |place| {
        scene::answered(place, !delete_tag).is_ok()
    })
    .identity(&["tip"])
    .undo(Undo::Never)
}

fn build() -> Site {
    let place = Rc::new(Place::new());
    let args = kinds::deploy::Build {
        commit: Some(place.rev("HEAD")),
        version: "1.0.0".into(),
        argv: ["sh", "-c", "mkdir dist && cp VERSION dist/"].map(str::to_owned).into(),
        env: BTreeMap::new(),
        dir: "dist".into(),
        include: vec![],
        exclude: vec![],
        timeout_ms: 60_000,
    };
    // What is kept is named by its content and harms nobody, so it stays; that the run made it is what is undone.
    site(&place, (kinds::deploy::BUILD, data(&args)), both, |place| {
        place.catalog().hands.store.artifact_of_run(&Place::run()).is_some()
    })
    .identity(&["artifact"])
}

/// Returns the kinds that need neither a host nor a guard. The others need the binary, and are held to theirs in the tests
/// of the test kit and of the binary.
fn ours(kinds: &'static [&'static str]) -> Vec<&'static str> {
    let elsewhere = |kind: &str| kind.starts_with("host.") || kind.starts_with("land.");
    kinds.iter().filter(|kind| !elsewhere(kind)).copied().collect()
}

#[test]
fn every_kind_of_the_catalog_has_a_contract() {
    let kinds = ours(Place::new().catalog().kinds());
    every_kind_has_a_contract(&kinds, &CONTRACTS);
}

#[test]
fn a_commit_keeps_its_contract() {
    CONTRACTS[0].assert_kept();
}

#[test]
fn a_commit_with_hooks_keeps_its_contract() {
    CONTRACTS[1].assert_kept();
}

#[test]
fn a_tag_keeps_its_contract() {
    CONTRACTS[2].assert_kept();
}

#[test]
fn a_push_keeps_its_contract() {
    CONTRACTS[3].assert_kept();
}

#[test]
fn a_settled_branch_keeps_its_contract() {
    CONTRACTS[4].assert_kept();
}

#[test]
fn a_settled_branch_that_is_not_checked_out_keeps_its_contract() {
    CONTRACTS[5].assert_kept();
}

#[test]
fn a_withdrawal_keeps_its_contract() {
    CONTRACTS[6].assert_kept();
}

#[test]
fn a_withdrawal_with_its_tag_keeps_its_contract() {
    CONTRACTS[7].assert_kept();
}

#[test]
fn a_build_keeps_its_contract() {
    CONTRACTS[8].assert_kept();
}

#[test]
fn a_plan_shows_what_its_actions_say() {
    let place = Place::new();
    let catalog = place.catalog();
    let push = scene::push_plan(&place, &[]);
    let shipped = scene::shipped(&place);
    let local = Some(("main".to_owned(), place.rev("main")));
    let back = rollback::plan(&shipped, (true, None), local, (Duration::from_mins(2), &catalog)).unwrap();
    let mut seen = vec![];
    for step in push.steps().chain(back.steps()) {
        let Work::Act { kind, args, change } = &step.work else { continue };
        assert_eq!(catalog.action(kind, args).unwrap().describe(), *change, "{kind} of run {RUN}");
        seen.push(kind.as_str());
    }
    // What is built is built for an environment, and these plans have none.
    let shown = |kind: &&str| *kind == kinds::deploy::BUILD || seen.contains(kind);
    assert!(ours(catalog.kinds()).iter().all(shown), "{seen:?}");
}
