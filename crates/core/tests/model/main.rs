//! Every sequence of outcomes, faults and kills up to a bound, on a world of flags.
//!
//! The driver is the loop of `drive` without threads: it asks [`Run::next`] and lets a script choose how each
//! step goes, including the death of the process before and after every effect and every append. All scripts up to
//! the budget are enumerated, so what this test does not find is not there, up to that bound.
#![expect(clippy::print_stdout, reason = "the counts are part of what the test shows")]

mod life;
mod plans;
mod script;

use std::collections::BTreeMap;
use std::time::Duration;

use shipway_core::action::Reversal;
use shipway_core::id::Seq;
use shipway_core::journal::Event;
use shipway_core::plan::Plan;
use shipway_core::time::Time;

use crate::life::{Life, Model};
use crate::plans::{act, gate, plan, slow_gate};
use crate::script::{Flags, Script};

/// Runs every script up to a budget of faults and returns how many there were and how they ended.
fn check(plan: &Plan, budget: usize) -> (u64, u64, BTreeMap<&'static str, u64>) {
    let (mut runs, mut lives, mut ends) = (0, 0, BTreeMap::new());
    let mut script = Script { budget, ..Script::default() };
    loop {
        let mut model = Model {
            script,
            flags: Flags::default(),
            entries: vec![],
            run: None,
            now: Time(1_000),
            lives: 0,
            since: Seq(0),
        };
        let opened = Event::Opened { plan: Box::new(plan.clone()), digest: plan.digest() };
        // A process that dies before the run is opened has done nothing, so the first append always succeeds here.
        let budget = std::mem::take(&mut model.script.budget);
        let Ok(()) = model.append(opened) else { unreachable!("the budget is zero") };
        model.script.budget = budget;
        while !matches!(model.live(), Ok(Life::Over | Life::Waiting)) {
            // The next life folds the run anew, so a wrong fold shows.
            model.now = model.now.after(Duration::from_millis(1));
        }
        *ends.entry(model.judge(plan)).or_default() += 1;
        (runs, lives) = (runs + 1, lives + model.lives);
        script = model.script;
        if !script.advance() {
            return (runs, lives, ends);
        }
    }
}

fn report(name: &str, result: &(u64, u64, BTreeMap<&'static str, u64>)) {
    println!("model {name}: {} runs, {} lives of the process, ends {:?}", result.0, result.1, result.2);
}

#[test]
fn a_push_ends_shipped_once_or_clean_whatever_happens() {
    let plan = plan(&[
        &[gate("checks")],
        &[act("commit", Reversal::Exact, Some("push"))],
        &[act("tag", Reversal::Exact, Some("push"))],
        &[act("push", Reversal::Visible, None)],
        &[gate("verify")],
        &[act("settle", Reversal::Exact, None)],
    ]);
    let result = check(&plan, 4);
    report("push", &result);
    assert!(result.0 > 50_000, "the enumeration is too small to mean anything");
    for end in ["shipped", "rolled back", "refused", "stuck"] {
        assert!(result.2.contains_key(end), "no run ended {end}");
    }
}

#[test]
fn steps_at_once_end_together_or_not_at_all() {
    let at_once = [act("a", Reversal::Exact, None), act("b", Reversal::Exact, None)];
    let result = check(&plan(&[&at_once, &[act("push", Reversal::Visible, None)]]), 3);
    report("at once", &result);
    assert!(result.0 > 5_000);
}

#[test]
fn a_gate_behind_what_only_the_run_sees_refuses_and_one_behind_more_rolls_back() {
    let build = act("build", Reversal::Exact, None);
    let result = check(&plan(&[std::slice::from_ref(&build), &[gate("gate")]]), 4);
    assert!(result.2.contains_key("refused") && !result.2.contains_key("rolled back"));
    let stage = act("stage", Reversal::Exact, None);
    let result = check(&plan(&[&[build], &[gate("gate")], &[stage], &[gate("well")]]), 4);
    report("private", &result);
    assert!(result.2.contains_key("refused") && result.2.contains_key("rolled back"));
}

#[test]
fn past_the_point_of_no_return_a_run_ships_or_is_stuck() {
    let plan = plan(&[
        &[act("tag", Reversal::Exact, None)],
        &[act("publish", Reversal::Never, None)],
        &[act("announce", Reversal::Visible, None)],
    ]);
    let result = check(&plan, 3);
    report("publish", &result);
    assert!(result.2.contains_key("stuck") && result.2.contains_key("shipped"));
}

#[test]
fn a_gate_that_waits_is_passed_only_when_it_is_open() {
    let result = check(
        &plan(&[
            &[act("stage", Reversal::Exact, None)],
            &[slow_gate("production")],
            &[act("deploy", Reversal::Visible, None)],
        ]),
        4,
    );
    report("waiting", &result);
    assert!(result.0 > 5_000, "the enumeration is too small to mean anything");
    for end in ["shipped", "rolled back", "stuck", "waiting"] {
        assert!(result.2.contains_key(end), "no run ended {end}");
    }
}

#[test]
fn steps_of_a_stage_are_taken_back_at_once_and_stages_one_after_the_other() {
    let hosts = |names: [&str; 2]| names.map(|name| act(name, Reversal::Exact, None));
    let result = check(&plan(&[&hosts(["a1", "a2"]), &hosts(["b1", "b2"]), &[gate("verify")]]), 3);
    report("undo at once", &result);
    assert!(result.0 > 5_000, "the enumeration is too small to mean anything");
    assert!(result.2.contains_key("rolled back"));
}

#[test]
fn a_host_that_is_lost_does_not_keep_the_others_from_going_back() {
    let host = |name| act(name, Reversal::Exact, None);
    let result = check(
        &plan(&[
            &[act("stage", Reversal::Exact, None)],
            &[host("host-1")],
            &[host("host-2")],
            &[gate("well")],
        ]),
        4,
    );
    report("apart", &result);
    assert!(result.0 > 5_000, "the enumeration is too small to mean anything");
    for end in ["shipped", "rolled back", "stuck"] {
        assert!(result.2.contains_key(end), "no run ended {end}");
    }
}
