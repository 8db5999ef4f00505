//! Plans of steps that have no effect but a flag.

use serde_json::Value;
use shipway_core::action::{Change, Reversal, Sign};
use shipway_core::gate::{Gate, Need};
use shipway_core::id::{Actor, ActorKind, Digest, StepId};
use shipway_core::plan::{Plan, Release, Stage, Step, Verb, Work};
use shipway_core::problem::{Code, Problem};

pub(crate) fn person(name: &str) -> Actor {
    Actor { kind: ActorKind::Human, name: name.into(), host: "there".into() }
}

pub(crate) fn problem(what: &str) -> Problem {
    Problem::new(Code::GitFailed, what)
}

pub(crate) fn act(id: &str, reversal: Reversal, published_by: Option<&str>) -> Step {
    let change = Change {
        sign: Sign::Create,
        thing: id.into(),
        summary: String::new(),
        reversal,
        undo: String::new(),
        parts: vec![],
    };
    Step {
        id: StepId::new(id),
        work: Work::Act { kind: id.into(), args: Value::Null, change },
        attempts: 2,
        timeout_ms: 1,
        settle_ms: if reversal == Reversal::Exact { 0 } else { 10 },
        published_by: published_by.map(StepId::new),
        follows: id == "settle",
        apart: id.starts_with("host"),
        private: id == "build",
    }
}

pub(crate) fn gate(id: &str) -> Step {
    let need =
        Need::Check { name: "c".into(), kind: "c".into(), args: Value::Null, timeout_ms: 1, fresh_ms: None };
    gate_of(id, vec![need])
}

pub(crate) fn gate_of(id: &str, needs: Vec<Need>) -> Step {
    let work = Work::Gate(Gate { needs, subject: Digest::of(b""), at_once: 1 });
    Step { work, ..act(id, Reversal::Exact, None) }
}

/// A gate whose check may wait and grow old, and that asks a person.
pub(crate) fn slow_gate(id: &str) -> Step {
    let (name, kind) = ("window".into(), "c".into());
    let window = Need::Check { name, kind, args: Value::Null, timeout_ms: 1, fresh_ms: Some(100) };
    let approval =
        Need::Approval { name: "approval".into(), from: vec![], at_least: 1, not_by: vec![], grade: 0 };
    gate_of(id, vec![window, approval])
}

pub(crate) fn plan(stages: &[&[Step]]) -> Plan {
    let stages =
        stages.iter().map(|steps| Stage { name: steps[0].id.to_string(), steps: steps.to_vec() }).collect();
    let release = Release {
        verb: Verb::Push,
        project: "p".into(),
        from: None,
        to: "1.0.0".into(),
        tag: "v1.0.0".into(),
        environment: None,
        why: String::new(),
    };
    Plan { v: 1, release, stages, facts: Digest::of(b""), notes: vec![], target_ms: 1 }
}
