//! Gates that wait: for a person at a real terminal, for the end of an incident, and until somebody has had enough.

use std::io::{Read as _, Write as _};
use std::process::{Command, Stdio};

use rustix::process::Signal;
use serde_json::Value;
use shipway_core::drive::Halt;
use shipway_core::gate::{Gate, Need};
use shipway_core::id::{Digest, RunId, StepId};
use shipway_core::kinds::{self, Signing};
use shipway_core::plan::{Plan, Release, Stage as PlanStage, Step, Verb, Work};
use shipway_core::planner::gates::{self, People};
use shipway_testkit::skip::skip;

use crate::fence::with_engine;
use crate::stage::{Done, QUIET, Stage};

pub(crate) const RUN: &str = "0123abcd";
/// The person who types in these tests.
const ANN: &str = "ann@example.org";

fn approval(from: &[&str], at_least: u32, not_by: &[&str]) -> Need {
    let names = |names: &[&str]| names.iter().map(|&name| name.into()).collect();
    gates::approval("approval", People { from: names(from), at_least, not_by: names(not_by), grade: 0 })
        .unwrap()
}

fn incident() -> Need {
    gates::incident(Some("production")).unwrap()
}

/// Opens a run that makes a tag behind a gate, drives it to that gate, and returns the digest of its plan.
pub(crate) fn waiting(stage: &Stage, needs: Vec<Need>) -> Digest {
    let mut digest = None;
    with_engine(stage, |engine| {
        let args = kinds::Tag {
            tag: "behind".into(),
            message: "behind the gate".into(),
            commit: Some(stage.repo.head()),
            sign: Signing::Never,
        };
        let args = serde_json::to_value(args).unwrap();
        let change = engine.catalog.action(kinds::TAG, &args).unwrap().describe();
        let gate = Work::Gate(Gate { needs, subject: Digest::of(b"it"), at_once: 2 });
        let step = |id: &str, work: Work| {
            let (id, name) = (StepId::new(id), id.to_owned());
            let step = Step {
                id,
                work,
                attempts: 1,
                timeout_ms: 60_000,
                settle_ms: 0,
                published_by: None,
                follows: false,
                apart: false,
                private: false,
            };
            PlanStage { name, steps: vec![step] }
        };
        let stages =
            vec![step("production", gate), step("tag", Work::Act { kind: kinds::TAG.into(), args, change })];
        let release = Release {
            verb: Verb::Push,
            project: "widget".into(),
            from: None,
            to: "1.1.0".into(),
            tag: "behind".into(),
            environment: None,
            why: String::new(),
        };
        let plan = Plan { v: 1, release, stages, facts: Digest::of(b""), notes: vec![], target_ms: 300_000 };
        let mut held = engine.open(&RunId::new(RUN), plan).unwrap();
        assert!(matches!(engine.drive(&mut held).unwrap(), Halt::Waiting(..)));
        digest = Some(held.run.digest);
    });
    digest.unwrap()
}

pub(crate) fn entries(stage: &Stage) -> usize {
    let mut count = 0;
    with_engine(stage, |engine| count = engine.journal.read(&RunId::new(RUN), None).unwrap().len());
    count
}

pub(crate) fn passed(stage: &Stage) -> bool {
    stage.repo.rev("behind").is_some()
}

/// Calls `approve` at a terminal, and types an answer once it is asked for.
fn type_answer(stage: &Stage, person: &str, answer: &str) -> Done {
    let line = format!("exec '{}' approve {RUN}", env!("CARGO_BIN_EXE_shipway"));
    let mut command = stage.repo.command("script");
    command.args(["-qec", &line, "/dev/null"]).stdin(Stdio::piped()).stdout(Stdio::piped());
    command.env("SHELL", "/bin/sh").env("GIT_COMMITTER_EMAIL", person);
    let mut child = command.spawn().unwrap();
    let (mut keys, mut screen) = (child.stdin.take(), child.stdout.take().unwrap());
    let (mut shown, mut byte) = (vec![], [0]);
    while screen.read(&mut byte).unwrap() == 1 {
        shown.push(byte[0]);
        if shown.ends_with(b"or nothing:") {
            writeln!(keys.as_mut().unwrap(), "{answer}").unwrap();
        }
    }
    let status = child.wait().unwrap();
    Done { status, out: String::from_utf8_lossy(&shown).into_owned(), err: String::new() }
}

pub(crate) fn has_script() -> bool {
    let there = Command::new("script").arg("--version").output().is_ok_and(|output| output.status.success());
    if !there {
        skip("script, which makes a terminal, is not installed");
    }
    there
}

#[test]
fn a_yes_typed_at_a_terminal_opens_the_gate() {
    let stage = Stage::new(QUIET);
    let digest = waiting(&stage, vec![approval(&[], 1, &["somebody@else.org"])]);
    let told = stage.code(3, &["resume"]);
    told.says(&[
        "waiting[SW1071]",
        "any person, but not somebody@else.org",
        &format!("shipway approve {RUN}"),
    ]);
    stage.code(0, &["status"]).says(&["waiting at production", &format!("approve: shipway approve {RUN}")]);
    let before = entries(&stage);
    stage.code(3, &["resume"]);
    assert_eq!(entries(&stage), before, "nothing was looked at, so nothing is written");
    if !has_script() {
        return;
    }
    let done = type_answer(&stage, ANN, "00000000");
    done.assert_code(1).says(&["SW1080", "weakest grade", "tag  tag behind"]);
    assert_eq!(entries(&stage), before);
    let done = type_answer(&stage, ANN, &digest.short().to_uppercase());
    done.assert_code(0).says(&[digest.as_str(), &format!("shipway resume {RUN}")]);
    assert!(!passed(&stage), "an approval does not go on by itself");
    stage.code(0, &["resume"]).says(&["shipped"]);
    assert!(passed(&stage));
    stage.code(0, &["log", RUN]).says(&["approved by Ann Author, typed at a terminal"]);
    stage.code(0, &["log", "--verify"]);
}

#[test]
fn nobody_approves_who_may_not_or_is_not_at_a_terminal() {
    let stage = Stage::new(QUIET);
    let digest = waiting(&stage, vec![approval(&["kim@example.org", "lee@example.org"], 2, &[])]);
    let before = entries(&stage);
    stage.code(1, &["approve", RUN]).says(&["SW1077", "ann@example.org is none of kim@example.org"]);
    let as_actor = |actor: &str| {
        let mut command = stage.command(&["approve"]);
        crate::stage::finish(command.env("SHIPWAY_ACTOR", actor))
    };
    as_actor("agent:kim@example.org").assert_code(1).says(&["SW1078"]);
    as_actor("machine:kim@example.org").assert_code(1).says(&["SW1078"]);
    as_actor("human:kim@example.org").assert_code(1).says(&["SW1079", "shipway explain SW1079"]);
    // A yes in a pipe is none, whoever the pipe says it is.
    let mut piped = stage.command(&["approve"]);
    piped.env("SHIPWAY_ACTOR", "human:kim@example.org").stdin(Stdio::piped()).stderr(Stdio::piped());
    let mut piped = piped.spawn().unwrap();
    let _ = writeln!(piped.stdin.take().unwrap(), "{digest}");
    let piped = piped.wait_with_output().unwrap();
    assert!(piped.status.code() == Some(1) && String::from_utf8_lossy(&piped.stderr).contains("SW1079"));
    assert_eq!(entries(&stage), before);
    if !has_script() {
        return;
    }
    let first = type_answer(&stage, "kim@example.org", digest.short());
    first.assert_code(0).says(&["others are needed too"]);
    type_answer(&stage, "KIM@example.org", digest.short()).assert_code(1).says(&["has approved already"]);
    stage.code(3, &["resume"]).says(&["1 of 2 people"]);
    assert!(!passed(&stage));
    type_answer(&stage, "lee@example.org", digest.short()).assert_code(0).says(&["nobody else is needed"]);
    stage.code(0, &["resume"]);
    assert!(passed(&stage));
    stage.code(10, &["approve", RUN]).says(&["SW0807"]);
}

#[test]
fn who_follows_a_run_goes_on_by_itself_when_somebody_approves() {
    let stage = Stage::new(QUIET);
    let digest = waiting(&stage, vec![approval(&[], 1, &[])]);
    let follower = stage.start(&["wait", RUN]);
    follower.said("goes on by itself");
    if has_script() {
        type_answer(&stage, ANN, digest.short()).assert_code(0);
        follower.end().assert_code(0).says(&["shipped"]);
        assert!(passed(&stage));
    }
}

#[test]
fn who_no_longer_follows_a_run_leaves_it_waiting() {
    let stage = Stage::new(QUIET);
    waiting(&stage, vec![approval(&[], 1, &[])]);
    let before = entries(&stage);
    let follower = stage.start(&["wait"]);
    follower.said("goes on by itself");
    follower.signal(Signal::INT);
    follower.end().assert_code(3).says(&[&format!("shipway wait {RUN}")]);
    assert_eq!(entries(&stage), before);
    stage.code(0, &["rollback", RUN]);
    assert!(!passed(&stage));
}

#[test]
fn a_run_waits_for_the_end_of_an_incident() {
    let stage = Stage::new(QUIET);
    stage.code(0, &["incident"]).says(&["no incident is open"]);
    stage.code(0, &["incident", "open", "the queue stands", "--env", "production"]);
    stage.code(0, &["incident", "open", "another place", "--env", "staging"]);
    let listed: Value = serde_json::from_str(&stage.code(0, &["incident", "list", "--json"]).out).unwrap();
    let id = listed["incidents"][0]["id"].as_str().unwrap().to_owned();
    assert_eq!(listed["incidents"][0]["text"], "the queue stands");
    waiting(&stage, vec![incident()]);
    let before = entries(&stage);
    let close = format!("shipway incident close {id}");
    for looks in 1..=2 {
        stage.code(3, &["resume"]).says(&["waiting[SW1074]", "the queue stands", &close]);
        assert_eq!(entries(&stage), before + looks, "one entry a look");
    }
    stage.code(2, &["incident", "close", "zzzz"]).says(&["SW1082"]);
    let mut agent = stage.command(&["incident", "close", &id]);
    crate::stage::finish(agent.env("SHIPWAY_ACTOR", "agent:bot")).assert_code(1).says(&["SW1078"]);
    let follower = stage.start(&["wait"]);
    follower.said("goes on by itself");
    stage.code(0, &["incident", "close", &id]);
    follower.end().assert_code(0).says(&["shipped"]);
    assert!(passed(&stage));
}
