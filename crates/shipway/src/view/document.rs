//! The documents for programs. Their fields are a promise: `schema/` describes them, and a change needs a new `v`.

use serde::Serialize;
use serde_json::{Map, Value};
use shipway_core::gate::Approval;
use shipway_core::id::{Actor, Digest, Fence, RunId, Seq, StepId};
use shipway_core::journal::{Entry, Event};
use shipway_core::plan::{Plan, Release, Work};
use shipway_core::problem::Problem;
use shipway_core::run::Run;
use shipway_core::time::Time;

use super::problem::Level;
use super::state::{Situation, Standing};
use super::{Document, Moment, Row, Why, hosts, plan, summary};

/// The version of all documents.
pub(super) const V: u32 = 1;

/// Returns the document of an answer from its fields.
pub(super) fn answer(kind: Document, fields: &Value) -> Map<String, Value> {
    let mut document = fields.as_object().cloned().unwrap_or_default();
    document.insert("v".into(), V.into());
    document.insert("kind".into(), kind.as_str().into());
    document
}

#[derive(Serialize)]
struct PlanDocument<'a> {
    v: u32,
    kind: &'static str,
    digest: Digest,
    command: String,
    changes: usize,
    gates: usize,
    point_of_no_return: Option<&'a StepId>,
    plan: &'a Plan,
}

#[derive(Serialize)]
struct ProblemDocument<'a> {
    v: u32,
    kind: &'static str,
    level: &'static str,
    title: &'static str,
    exit_code: u8,
    problem: &'a Problem,
}

#[derive(Serialize)]
struct EntryDocument<'a> {
    v: u32,
    kind: &'static str,
    run: &'a RunId,
    state: &'static str,
    seq: Seq,
    at: Time,
    by: &'a Actor,
    attempt: u32,
    fence: Fence,
    prev: &'a Digest,
    event: &'a Event,
}

#[derive(Serialize)]
struct SummaryDocument<'a> {
    v: u32,
    kind: &'static str,
    #[serde(rename = "run")]
    id: &'a RunId,
    state: &'static str,
    release: &'a Release,
    took_ms: u64,
    target_ms: u64,
    steps: Vec<StepDocument<'a>>,
    problems: Vec<Problem>,
    #[serde(skip_serializing_if = "Option::is_none")]
    waits: Option<WaitDocument>,
    warnings: Vec<Problem>,
    next: Vec<String>,
}

#[derive(Serialize)]
struct WaitDocument {
    gate: StepId,
    #[serde(skip_serializing_if = "Option::is_none")]
    until: Option<Time>,
    problems: Vec<Problem>,
}

#[derive(Serialize)]
struct StepDocument<'a> {
    step: &'a StepId,
    gate: bool,
    state: &'static str,
    attempts: u32,
    took_ms: u64,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    approvals: Vec<ApprovalDocument<'a>>,
}

#[derive(Serialize)]
struct ApprovalDocument<'a> {
    by: &'a str,
    at: Time,
    grade: u8,
    why: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    key: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    expires: Option<Time>,
    #[serde(skip_serializing_if = "Option::is_none")]
    flaw: Option<&'a Problem>,
}

#[derive(Serialize)]
struct StatusDocument<'a> {
    v: u32,
    kind: &'static str,
    runs: Vec<RowDocument<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    hosts: Option<Vec<Value>>,
}

#[derive(Serialize)]
struct RowDocument<'a> {
    run: &'a RunId,
    release: Option<&'a Release>,
    state: &'static str,
    driven: bool,
    opened: Time,
    last: Time,
    by: &'a Actor,
    next: Option<String>,
}

#[derive(Serialize)]
struct RunDocument<'a> {
    v: u32,
    kind: &'static str,
    driven: bool,
    opened: Time,
    last: Time,
    by: &'a Actor,
    plan: &'a Digest,
    summary: SummaryDocument<'a>,
    #[serde(skip_serializing_if = "Option::is_none")]
    hosts: Option<Vec<Value>>,
}

#[derive(Serialize)]
struct WhyDocument<'a> {
    v: u32,
    kind: &'static str,
    why: &'a Why,
}

/// Returns the answer to `plan`.
pub(super) fn plan(plan: &Plan) -> impl Serialize {
    let (changes, gates) = plan::counts(plan);
    let digest = plan.digest();
    PlanDocument {
        v: V,
        kind: "plan",
        command: plan::command(plan, digest.as_str()),
        digest,
        changes,
        gates,
        point_of_no_return: plan.point_of_no_return().map(|step| &step.id),
        plan,
    }
}

/// Returns a problem or a warning.
pub(super) fn problem(level: Level, problem: &Problem) -> impl Serialize {
    let code = problem.code;
    ProblemDocument {
        v: V,
        kind: "problem",
        level: level.as_str(),
        title: code.title(),
        exit_code: code.kind().exit_code(),
        problem,
    }
}

/// Returns an entry with the state of its run after it.
pub(super) fn entry(run: &Run, entry: &Entry) -> impl Serialize {
    EntryDocument {
        v: V,
        kind: "entry",
        run: &entry.run,
        state: Standing::of(run).as_str(),
        seq: entry.seq,
        at: entry.at,
        by: &entry.by,
        attempt: entry.attempt,
        fence: entry.fence,
        prev: &entry.prev,
        event: &entry.event,
    }
}

/// Returns the report of a run.
pub(super) fn summary(run: &Run, entries: &[Entry], driven: bool) -> impl Serialize {
    report(run, entries, driven)
}

/// Returns the answer to `status`.
pub(super) fn status(rows: &[Row], moment: &Moment<'_>) -> impl Serialize {
    let hosts = moment.hosts.map(hosts::document);
    StatusDocument { v: V, kind: "status", runs: rows.iter().map(row).collect(), hosts }
}

/// Returns one run in full.
pub(super) fn run(run: &Run, entries: &[Entry], driven: bool, moment: &Moment<'_>) -> impl Serialize {
    RunDocument {
        v: V,
        kind: "run",
        driven,
        opened: run.opened,
        last: run.last,
        by: &run.by,
        plan: &run.digest,
        summary: report(run, entries, driven),
        hosts: moment.hosts.map(hosts::document),
    }
}

/// Returns the evidence of a version.
pub(super) fn why(why: &Why) -> impl Serialize {
    WhyDocument { v: V, kind: "why", why }
}

fn report<'a>(run: &'a Run, entries: &[Entry], driven: bool) -> SummaryDocument<'a> {
    let times = summary::times(entries);
    let steps = run.plan.steps().filter_map(|step| {
        let progress = run.progress(&step.id)?;
        let looks = run.evidence(&step.id).map(|evidence| evidence.took_ms).sum();
        let took = times.get(&step.id).map_or(looks, |took| ms(*took));
        let gate = matches!(step.work, Work::Gate(_));
        let (state, attempts) = (progress.state.as_str(), progress.attempts);
        let approvals = run.approvals(&step.id).iter().map(approval).collect();
        Some(StepDocument { step: &step.id, gate, state, attempts, took_ms: took, approvals })
    });
    SummaryDocument {
        v: V,
        kind: "summary",
        id: &run.id,
        state: Standing::of(run).as_str(),
        release: &run.plan.release,
        took_ms: ms(summary::total(entries)),
        target_ms: run.plan.target_ms,
        steps: steps.collect(),
        problems: summary::problems(run),
        waits: run.waits().map(|(gate, problems, until)| WaitDocument { gate, until, problems }),
        warnings: summary::advice(run),
        next: Situation::of(run, driven).next().into_iter().map(|(_, command)| command).collect(),
    }
}

fn row(row: &Row) -> RowDocument<'_> {
    RowDocument {
        run: &row.head.run,
        release: row.plan().map(|plan| &plan.release),
        state: Standing::of_head(&row.head).as_str(),
        driven: row.driven,
        opened: row.head.opened.at,
        last: row.head.last.at,
        by: &row.head.opened.by,
        next: row.next(),
    }
}

fn ms(time: std::time::Duration) -> u64 {
    u64::try_from(time.as_millis()).unwrap_or(u64::MAX)
}

fn approval(given: &Approval) -> ApprovalDocument<'_> {
    let signed = given.signed.as_deref();
    ApprovalDocument {
        by: &given.by.name,
        at: given.at,
        grade: given.grade,
        why: signed.map_or("typed at a terminal", |signed| &signed.why),
        key: signed.map(|signed| signed.key.as_str()),
        expires: signed.map(|signed| signed.expires),
        flaw: signed.and_then(|signed| signed.flaw.as_deref()),
    }
}
