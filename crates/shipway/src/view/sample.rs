//! A plan, runs and a brush for the tests of the views.

use serde_json::Value;
use shipway_core::action::{Change, Effect, Part, Receipt, Reversal, Sign};
use shipway_core::gate::{Evidence, Finding, Gate, Need, Severity, Vouched};
use shipway_core::id::{Actor, ActorKind, Digest, Fence, RunId, Seq, StepId};
use shipway_core::journal::{Entry, Event, GENESIS, Outcome};
use shipway_core::plan::{Plan, Release, Stage, Step, Verb, Work};
use shipway_core::problem::{Code, Problem};
use shipway_core::run::Run;
use shipway_core::statement::Signed;
use shipway_core::time::Time;

/// 2026-11-20T12:00:00Z.
pub(super) const NOON: Time = Time(1_795_176_000_000);

/// Returns the text without our colours.
pub(super) fn strip(text: &str) -> String {
    let mut out = String::new();
    let mut rest = text;
    while let Some((before, after)) = rest.split_once("\x1b[") {
        out.push_str(before);
        rest = after.split_once('m').map_or("", |(_, rest)| rest);
    }
    out + rest
}

/// Returns a plan of a gate and three changes, the last of which has no way back.
pub(super) fn plan() -> Plan {
    let part = |thing: &str, summary: &str| Part {
        sign: Sign::Change,
        thing: thing.into(),
        summary: summary.into(),
    };
    let commit = Change {
        parts: vec![part("Cargo.toml", "version 1.3.2 → 1.4.0"), part("CHANGELOG.md", "8 entries")],
        ..change(Sign::Create, "commit", "chore: release version 1.4.0", "move the branch back")
    };
    let push = change(Sign::Change, "origin", "main, v1.4.0 (atomic)", "push a revert");
    let publish = change(Sign::Create, "package", "harbour 1.4.0", "yank only");
    Plan {
        v: 1,
        release: Release {
            verb: Verb::Push,
            project: "harbour".into(),
            from: Some("1.3.2".into()),
            to: "1.4.0".into(),
            tag: "v1.4.0".into(),
            environment: None,
            why: "minor: 3 feat, 5 fix".into(),
        },
        stages: vec![
            stage("checks", Work::Gate(gate())),
            stage("commit", act(commit)),
            stage("push", act(Change { reversal: Reversal::Visible, ..push })),
            stage("publish", act(Change { reversal: Reversal::Never, ..publish })),
        ],
        facts: Digest::of(b"facts"),
        notes: vec!["2 untracked files are not part of the release".into()],
        target_ms: 300_000,
    }
}

fn gate() -> Gate {
    let need = |name: &str| Need::Check {
        name: name.into(),
        kind: "command".into(),
        args: Value::Null,
        timeout_ms: 60_000,
        fresh_ms: None,
    };
    Gate { needs: vec![need("test"), need("lint")], subject: Digest::of(b"tree"), at_once: 2 }
}

fn change(sign: Sign, thing: &str, summary: &str, undo: &str) -> Change {
    Change {
        sign,
        thing: thing.into(),
        summary: summary.into(),
        reversal: Reversal::Exact,
        undo: undo.into(),
        parts: vec![],
    }
}

fn act(change: Change) -> Work {
    Work::Act { kind: "flag".into(), args: Value::Null, change }
}

fn stage(name: &str, work: Work) -> Stage {
    let step = Step {
        id: StepId::new(name),
        work,
        attempts: 2,
        timeout_ms: 60_000,
        settle_ms: 0,
        published_by: None,
        follows: false,
        apart: false,
        private: false,
    };
    Stage { name: name.into(), steps: vec![step] }
}

/// Returns what a test suite says that is not green.
pub(super) fn red() -> Problem {
    Problem::new(Code::CheckFailed, "check test failed")
        .found("exit code 101")
        .wanted("exit code 0")
        .details(["test a_boat_floats ... FAILED"])
        .hint("see all of it: cargo test")
}

pub(super) fn no_network() -> Problem {
    Problem::new(Code::Network, "origin does not answer").found("connection timed out")
}

/// Entries in the making: each is a second and a half after the one before.
pub(super) struct Story {
    pub(super) entries: Vec<Entry>,
    pub(super) fence: u64,
    pub(super) now: Time,
}

impl Story {
    pub(super) fn new() -> Self {
        Self::of(plan())
    }

    /// Returns the story of another plan.
    pub(super) fn of(plan: Plan) -> Self {
        let digest = plan.digest();
        let mut story = Self { entries: vec![], fence: 1, now: NOON };
        story.tell(Event::Opened { plan: Box::new(plan), digest });
        story
    }

    pub(super) fn tell(&mut self, event: Event) -> &mut Self {
        let by =
            Actor { kind: ActorKind::Human, name: "Jane Doe <jane@example.org>".into(), host: "quay".into() };
        let seq = Seq(self.entries.len() as u64 + 1);
        let starts = self.entries.iter().filter(|entry| entry.event == event).count();
        let attempt =
            if matches!(event, Event::Started { .. }) { u32::try_from(starts).unwrap() + 1 } else { 0 };
        let (run, prev, fence) = (RunId::new("7f3a12cd"), Digest::new(GENESIS), Fence(self.fence));
        self.entries.push(Entry { run, seq, at: self.now, by, attempt, fence, prev, event });
        self.now.0 += 1_500;
        self
    }

    pub(super) fn checked(&mut self, need: &str, finding: Option<(Severity, Problem)>) -> &mut Self {
        let findings = finding
            .map(|(severity, problem)| Finding { severity, problem, until: None })
            .into_iter()
            .collect();
        let evidence =
            Evidence { need: need.into(), subject: Digest::of(b"tree"), findings, took_ms: 12_300 };
        self.tell(Event::Checked { step: StepId::new("checks"), evidence, log: None })
    }

    pub(super) fn green(&mut self) -> &mut Self {
        let advice = Problem::new(Code::CheckFailed, "3 dependencies are outdated");
        self.checked("test", None).checked("lint", Some((Severity::Advice, advice)))
    }

    pub(super) fn started(&mut self, step: &str) -> &mut Self {
        self.tell(Event::Started { step: StepId::new(step) })
    }

    pub(super) fn done(&mut self, step: &str) -> &mut Self {
        let receipt = Receipt(Value::Null);
        self.started(step).tell(Event::Finished { step: StepId::new(step), receipt, log: None })
    }

    pub(super) fn fault(&mut self, step: &str, effect: Effect, retry_after_ms: Option<u64>) -> &mut Self {
        let step = StepId::new(step);
        self.tell(Event::Faulted { step, effect, problem: no_network(), retry_after_ms, log: None })
    }

    pub(super) fn undone(&mut self, step: &str) -> &mut Self {
        let step = StepId::new(step);
        self.tell(Event::UndoStarted { step: step.clone() }).tell(Event::Undone { step })
    }

    pub(super) fn closed(&mut self, outcome: Outcome) -> &mut Self {
        self.tell(Event::Closed { outcome })
    }

    /// Returns the run that the entries add up to.
    pub(super) fn run(&self) -> Run {
        Run::fold(&self.entries).unwrap()
    }
}

pub(super) fn shipped() -> Story {
    let mut story = Story::new();
    story.green().done("commit").done("push").done("publish").closed(Outcome::Shipped);
    story
}

pub(super) fn refused() -> Story {
    let mut story = Story::new();
    story.checked("test", Some((Severity::Blocks, red()))).checked("lint", None);
    story.tell(Event::TurnedBack { problem: red() }).closed(Outcome::Refused);
    story
}

pub(super) fn rolled_back() -> Story {
    let mut story = Story::new();
    story.green().done("commit").started("push").fault("push", Effect::None, Some(2_000));
    story.started("push").fault("push", Effect::None, None);
    story.tell(Event::TurnedBack { problem: no_network() }).undone("commit").closed(Outcome::RolledBack);
    story
}

pub(super) fn stuck() -> Story {
    let mut story = Story::new();
    story.green().done("commit").started("push").fault("push", Effect::Unknown, None);
    let step = StepId::new("push");
    story.tell(Event::Unseen { step: step.clone(), problem: no_network(), retry_after_ms: None });
    let problem = Problem::new(Code::Stuck, "step push: it is not known whether it happened")
        .at("run 7f3a12cd")
        .hint("see what it did: shipway log 7f3a12cd push")
        .hint("when it is mended, go on: shipway resume 7f3a12cd");
    story.tell(Event::Stuck { step, problem });
    story
}

pub(super) fn stopped() -> Story {
    let mut story = Story::new();
    story.green().done("commit");
    story
}

/// Returns a run that waits for a window and for a person.
pub(super) fn waiting() -> Story {
    let mut plan = plan();
    let Work::Gate(gate) = &mut plan.stages[0].steps[0].work else {
        unreachable!("the plan begins with a gate")
    };
    let (name, from, not_by) = ("approval".into(), vec!["kim@example.org".into()], vec![]);
    gate.needs.push(Need::Approval { name, from, at_least: 1, not_by, grade: 0 });
    let mut story = Story::of(plan);
    let shut = Problem::new(Code::WindowShut, "no change window is open").wanted("a time from Monday");
    story.checked("test", None);
    let findings =
        vec![Finding { severity: Severity::Waits, problem: shut, until: Some(Time(NOON.0 + 3_600_000)) }];
    let evidence = Evidence { need: "lint".into(), subject: Digest::of(b"tree"), findings, took_ms: 100 };
    story.tell(Event::Checked { step: StepId::new("checks"), evidence, log: None });
    story
}

/// Returns the event of a person's yes.
pub(super) fn approved(story: &Story) -> Event {
    Event::Approved { step: Some(StepId::new("checks")), plan: story.run().digest, grade: 0, signed: None }
}

/// Returns the event of a yes that was signed.
pub(super) fn signed(story: &Story) -> Event {
    let vouched = Vouched {
        signed: Signed { text: "{}".into(), signature: "-----BEGIN SSH SIGNATURE-----".into() },
        person: "kim".into(),
        names: vec!["kim".into(), "kim@example.org".into()],
        key: "SHA256:Zf0E0XqjL7gJYcVqFqvGm5VhAt5DzYUYzvNo7kYdVOk".into(),
        gate: None,
        expires: NOON,
        grade: 2,
        why: "a device was touched, which is proven".into(),
        flaw: None,
    };
    let (step, plan) = (Some(StepId::new("checks")), story.run().digest);
    Event::Approved { step, plan, grade: 2, signed: Some(Box::new(vouched)) }
}

/// A stream that the test can read, and that can be made to fail.
#[derive(Clone, Default)]
pub(super) struct Shared(std::sync::Arc<std::sync::Mutex<(Vec<u8>, Option<std::io::ErrorKind>)>>);

impl Shared {
    /// Returns what was written since the last call.
    pub(super) fn take(&self) -> String {
        String::from_utf8(std::mem::take(&mut self.0.lock().unwrap().0)).unwrap()
    }

    /// Lets every further write fail.
    pub(super) fn fail(&self, kind: std::io::ErrorKind) {
        self.0.lock().unwrap().1 = Some(kind);
    }
}

impl std::io::Write for Shared {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        let mut inner = self.0.lock().unwrap();
        match inner.1 {
            Some(kind) => Err(kind.into()),
            None => inner.0.write(bytes),
        }
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}
