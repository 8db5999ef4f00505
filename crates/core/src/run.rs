//! Runs: what the entries add up to, and what may happen next.
//!
//! There is no recovery code here. A run that was killed and a run that was not are folded from their entries by the
//! same [`Run::fold`] and carried on by the same [`Run::next`].

use std::collections::BTreeMap;
use std::time::Duration;

use crate::action::{Effect, Observed, Receipt, Reversal};
use crate::gate::{self, Evidence, Need, Verdict};
use crate::id::{Actor, Digest, RunId, Seq, StepId};
use crate::journal::{Entry, Event, Outcome};
use crate::plan::{Plan, Stage, Step, Work};
use crate::problem::{Code, Problem};
use crate::time::Time;

/// How often an undo is tried before the run is stuck, counting those that were cut off.
const UNDO_ATTEMPTS: u32 = 8;
/// How often a look at a step in doubt may fail before the run is stuck.
const BLIND_LOOKS: u32 = 3;

/// One carrying-out of a plan, as far as its entries tell.
#[derive(Clone, Debug)]
pub struct Run {
    /// Its name.
    pub id: RunId,
    /// What it carries out.
    pub plan: Plan,
    /// The name of the plan.
    pub digest: Digest,
    /// When it was opened.
    pub opened: Time,
    /// Who opened it.
    pub by: Actor,
    /// Its last entry.
    pub head: Seq,
    /// When the last entry was written.
    pub last: Time,
    /// Why it goes back, if it does.
    pub back: Option<Problem>,
    /// Where and why it is stuck, if it is.
    pub stuck: Option<(StepId, Problem)>,
    /// How it ended, if it has.
    pub outcome: Option<Outcome>,
    steps: BTreeMap<StepId, Progress>,
    evidence: BTreeMap<StepId, Vec<Evidence>>,
}

/// How far a step is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum State {
    /// Not begun, or to be tried again.
    #[default]
    Ready,
    /// Begun, and not known to have ended.
    Started,
    /// It may have had its effect or not; a probe must tell.
    InDoubt,
    /// The effect is there.
    Done,
    /// It certainly had no effect, and will not be tried again.
    Failed,
    /// An undo has begun, and is not known to have ended.
    Undoing,
    /// The effect is gone, or answered for.
    Undone,
}

impl State {
    /// Returns the word on screen and in JSON.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Ready => "ready",
            Self::Started => "started",
            Self::InDoubt => "in doubt",
            Self::Done => "done",
            Self::Failed => "failed",
            Self::Undoing => "undoing",
            Self::Undone => "undone",
        }
    }
}

/// What the entries say of one step.
#[derive(Clone, Debug, Default)]
pub struct Progress {
    /// How far it is.
    pub state: State,
    /// How many attempts have begun.
    pub attempts: u32,
    /// The proof, once there is one.
    pub receipt: Option<Receipt>,
    /// What went wrong last.
    pub problem: Option<Problem>,
    /// When the first attempt began.
    pub began: Option<Time>,
    /// When it was last heard of.
    pub ended: Option<Time>,
    // The attempts that count against the cap.
    spent: u32,
    // Whether an attempt was cut off before its effect, so that it may have left something behind.
    traces: bool,
    undos: u32,
    looks: u32,
    blind: u32,
    not_before: Time,
}

/// The one thing that may happen next.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Next {
    /// Look at these needs of a gate.
    Check(StepId, Vec<Need>),
    /// Apply these steps, at once.
    Apply(Vec<StepId>),
    /// Look whether a step in doubt has had its effect.
    Probe(StepId),
    /// Take a step back.
    Undo(StepId),
    /// Wait until then; nothing may happen before.
    Rest(Time),
    /// Write down that the run goes back.
    TurnBack(Problem),
    /// Write down that the run is stuck.
    Stick(StepId, Problem),
    /// Write down how the run ended.
    Close(Outcome),
    /// The run is closed or stuck.
    Nothing,
}

/// The entries do not add up.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("run {run}, entry {seq}: {why}", seq = seq.0)]
pub struct Corrupt {
    /// The run.
    pub run: RunId,
    /// The entry that does not fit.
    pub seq: Seq,
    /// Why not.
    pub why: String,
}

impl Run {
    /// Returns what some entries add up to.
    pub fn fold(entries: &[Entry]) -> Result<Self, Corrupt> {
        let (first, rest) = entries.split_first().ok_or_else(|| Corrupt {
            run: RunId::new(""),
            seq: Seq(0),
            why: "a run has at least one entry".into(),
        })?;
        let mut run = Self::begin(first)?;
        for entry in rest {
            run.add(entry)?;
        }
        Ok(run)
    }

    /// Returns the run that its first entry begins.
    pub fn begin(entry: &Entry) -> Result<Self, Corrupt> {
        let Event::Opened { plan, digest } = &entry.event else {
            return Err(corrupt(entry, "the first entry of a run opens it"));
        };
        Ok(Self {
            id: entry.run.clone(),
            plan: (**plan).clone(),
            digest: digest.clone(),
            opened: entry.at,
            by: entry.by.clone(),
            head: entry.seq,
            last: entry.at,
            back: None,
            stuck: None,
            outcome: None,
            steps: plan.steps().map(|step| (step.id.clone(), Progress::default())).collect(),
            evidence: BTreeMap::new(),
        })
    }

    /// Adds one entry.
    pub fn add(&mut self, entry: &Entry) -> Result<(), Corrupt> {
        if self.outcome.is_some() {
            return Err(corrupt(entry, "the run was closed before this entry"));
        }
        match &entry.event {
            Event::Opened { .. } => return Err(corrupt(entry, "a run is opened once")),
            Event::Unknown => return Err(corrupt(entry, "this event is of a newer shipway")),
            Event::TurnedBack { problem } => self.back = Some(problem.clone()),
            Event::Stuck { step, problem } => self.stuck = Some((step.clone(), problem.clone())),
            Event::Closed { outcome } => self.outcome = Some(*outcome),
            Event::Resumed {} => self.resume(),
            Event::Checked { step, evidence, .. } => {
                self.evidence.entry(step.clone()).or_default().push(evidence.clone());
                self.judge(step, entry)?;
            }
            Event::Started { step }
            | Event::Finished { step, .. }
            | Event::Faulted { step, .. }
            | Event::Probed { step, .. }
            | Event::Unseen { step, .. }
            | Event::UndoStarted { step }
            | Event::Undone { step }
            | Event::UndoFaulted { step, .. } => self.move_step(&step.clone(), entry)?,
        }
        self.head = entry.seq;
        self.last = self.last.max(entry.at);
        Ok(())
    }

    /// Returns how far a step is; nothing for a step that is not in the plan.
    pub fn progress(&self, step: &StepId) -> Option<&Progress> {
        self.steps.get(step)
    }

    /// Returns what was seen at a gate.
    pub fn evidence(&self, gate: &StepId) -> &[Evidence] {
        self.evidence.get(gate).map_or(&[], Vec::as_slice)
    }

    /// Tells whether the run can still go back: nothing that cannot be taken back has been done.
    pub fn can_turn_back(&self) -> bool {
        self.past_return().is_none()
    }

    fn past_return(&self) -> Option<&Step> {
        let began = |step: &&Step| match self.state(step) {
            State::Started | State::InDoubt | State::Done => true,
            // Without a receipt only the traces of an attempt are cleared away.
            State::Undoing => self.steps.get(&step.id).is_some_and(|progress| progress.receipt.is_some()),
            State::Ready | State::Failed | State::Undone => false,
        };
        self.plan.steps().filter(|step| step.work.reversal() == Reversal::Never).find(began)
    }

    fn state(&self, step: &Step) -> State {
        self.steps.get(&step.id).map_or(State::Ready, |progress| progress.state)
    }

    /// Counts attempts anew, because a person has looked; what failed on the way forward is tried again.
    fn resume(&mut self) {
        self.stuck = None;
        for (id, progress) in &mut self.steps {
            (progress.spent, progress.undos, progress.blind) = (0, 0, 0);
            progress.not_before = Time::default();
            if self.back.is_none() && progress.state == State::Failed {
                progress.state = State::Ready;
                self.evidence.remove(id);
            }
        }
    }

    /// Moves a gate on once its evidence decides it.
    fn judge(&mut self, id: &StepId, entry: &Entry) -> Result<(), Corrupt> {
        let Some(Work::Gate(gate)) = self.plan.step(id).map(|step| &step.work) else {
            return Err(corrupt(entry, format!("the plan has no gate `{id}`")));
        };
        let verdict = gate::decide(gate, self.evidence(id));
        let progress = self.steps.get_mut(id).expect("every step of the plan has its progress");
        progress.began.get_or_insert(entry.at);
        progress.ended = Some(entry.at);
        match verdict {
            Verdict::Look(_) => {}
            Verdict::Pass => progress.state = State::Done,
            Verdict::Refuse(problems) => {
                progress.state = State::Failed;
                progress.problem = problems.into_iter().next();
            }
        }
        Ok(())
    }

    fn move_step(&mut self, id: &StepId, entry: &Entry) -> Result<(), Corrupt> {
        let back = self.back.is_some();
        let step =
            self.plan.step(id).ok_or_else(|| corrupt(entry, format!("the plan has no step `{id}`")))?;
        let (attempts, settles) = (step.attempts, step.settle_ms > 0);
        let progress = self.steps.get_mut(id).expect("every step of the plan has its progress");
        progress.ended = Some(entry.at);
        match &entry.event {
            Event::Started { .. } => progress.start(entry.at),
            Event::Finished { receipt, .. } | Event::Probed { observed: Observed::Present(receipt), .. } => {
                progress.done(receipt);
            }
            Event::Faulted { effect, problem, retry_after_ms, .. } => {
                progress.fault(problem, *effect);
                if *effect == Effect::None {
                    let again = retry_after_ms.filter(|_| progress.spent < attempts);
                    progress.state = if again.is_some() { State::Ready } else { State::Failed };
                    progress.wait(entry.at, again, progress.spent);
                }
            }
            Event::Probed { observed: Observed::Foreign(found), .. } => {
                progress.state = State::Failed;
                progress.traces = true;
                progress.problem = Some(foreign(id, found));
            }
            Event::Probed { observed: Observed::Absent, .. } => {
                progress.looks += 1;
                progress.traces = true;
                progress.state = match () {
                    () if settles && progress.looks < 2 => State::InDoubt,
                    () if !back && progress.spent < attempts => State::Ready,
                    () => State::Failed,
                };
                progress.wait(entry.at, (progress.state == State::InDoubt).then_some(step.settle_ms), 1);
            }
            Event::Unseen { problem, retry_after_ms, .. } => {
                progress.fault(problem, Effect::Unknown);
                // A look that cannot help when repeated makes the run stuck at once.
                progress.blind = retry_after_ms.map_or(BLIND_LOOKS, |_| progress.blind + 1);
                progress.wait(entry.at, *retry_after_ms, progress.blind);
            }
            Event::UndoStarted { .. } => progress.undo(),
            Event::Undone { .. } => progress.state = State::Undone,
            Event::UndoFaulted { problem, retry_after_ms, .. } => {
                progress.problem = Some(problem.clone());
                progress.undos = retry_after_ms.map_or(UNDO_ATTEMPTS, |_| progress.undos);
                progress.wait(entry.at, *retry_after_ms, progress.undos);
            }
            Event::Opened { .. }
            | Event::Checked { .. }
            | Event::TurnedBack { .. }
            | Event::Stuck { .. }
            | Event::Resumed {}
            | Event::Closed { .. }
            | Event::Unknown => {}
        }
        Ok(())
    }

    /// Returns the one thing that may happen next. `now` is only compared with what the entries say of waiting.
    pub fn next(&self, now: Time) -> Next {
        if self.outcome.is_some() || self.stuck.is_some() {
            return Next::Nothing;
        }
        // Nothing else happens while it is not known what has happened.
        if let Some(step) =
            self.plan.steps().find(|s| matches!(self.state(s), State::Started | State::InDoubt))
        {
            return self.settle(step, now);
        }
        if self.back.is_some() { self.backward(now) } else { self.forward(now) }
    }

    fn settle(&self, step: &Step, now: Time) -> Next {
        let progress = &self.steps[&step.id];
        if progress.blind >= BLIND_LOOKS {
            return Next::Stick(step.id.clone(), self.sticking(step, "it is not known whether it happened"));
        }
        progress.rest(now).unwrap_or_else(|| Next::Probe(step.id.clone()))
    }

    fn forward(&self, now: Time) -> Next {
        for stage in &self.plan.stages {
            if let Some(step) = stage.steps.iter().find(|step| self.state(step) == State::Failed) {
                return self.turn_back(step);
            }
            if let Some(next) = self.in_stage(stage, now) {
                return next;
            }
        }
        Next::Close(Outcome::Shipped)
    }

    fn turn_back(&self, step: &Step) -> Next {
        let problem = self.steps[&step.id].problem.clone();
        let problem = problem.unwrap_or_else(|| {
            Problem::new(Code::StepTimedOut, format!("step {} was cut off in every attempt", step.id))
        });
        if self.can_turn_back() { Next::TurnBack(problem) } else { Next::Stick(step.id.clone(), problem) }
    }

    /// Returns what to do in a stage, or nothing when all of it is done.
    fn in_stage(&self, stage: &Stage, now: Time) -> Option<Next> {
        let mut ready = vec![];
        for step in stage.steps.iter().filter(|step| self.state(step) != State::Done) {
            match &step.work {
                Work::Gate(gate) => match gate::decide(gate, self.evidence(&step.id)) {
                    Verdict::Look(needs) => return Some(Next::Check(step.id.clone(), needs)),
                    Verdict::Pass | Verdict::Refuse(_) => {}
                },
                Work::Act { .. } => ready.push(step),
            }
        }
        let rest = ready.iter().find_map(|step| self.steps[&step.id].rest(now));
        match rest {
            Some(rest) => Some(rest),
            None if ready.is_empty() => None,
            None => Some(Next::Apply(ready.into_iter().map(|step| step.id.clone()).collect())),
        }
    }

    fn backward(&self, now: Time) -> Next {
        let steps: Vec<&Step> = self.plan.steps().collect();
        let open = |step: &&&Step| {
            let acts = matches!(step.work, Work::Act { .. });
            acts && self.is_to_undo(step) && !self.answered_for(step)
        };
        let Some(step) = steps.iter().rev().find(open) else {
            let began = self.steps.values().any(|progress| progress.began.is_some() && progress.acted());
            return Next::Close(if began { Outcome::RolledBack } else { Outcome::Refused });
        };
        let progress = &self.steps[&step.id];
        if progress.undos >= UNDO_ATTEMPTS {
            return Next::Stick(step.id.clone(), self.sticking(step, "it could not be undone"));
        }
        progress.rest(now).unwrap_or_else(|| Next::Undo(step.id.clone()))
    }

    fn is_to_undo(&self, step: &Step) -> bool {
        match self.state(step) {
            State::Done | State::Undoing => true,
            State::Ready | State::Failed => self.steps[&step.id].traces,
            State::Started | State::InDoubt | State::Undone => false,
        }
    }

    /// Tells whether a step was made public by a later one whose undo has answered for both.
    fn answered_for(&self, step: &Step) -> bool {
        let publisher = step.published_by.as_ref().and_then(|id| self.steps.get(id));
        publisher.is_some_and(|progress| progress.state == State::Undone && progress.receipt.is_some())
    }

    fn sticking(&self, step: &Step, why: &str) -> Problem {
        let cause = self.steps[&step.id].problem.clone();
        let mut problem = Problem::new(Code::Stuck, format!("step {}: {why}", step.id))
            .at(format!("run {}", self.id))
            .wanted(match &step.work {
                Work::Act { change, .. } => format!("{} {}", change.thing, change.summary),
                Work::Gate(_) => "an open gate".into(),
            });
        if let Some(cause) = cause {
            problem.found = Some(cause.found.unwrap_or(cause.what));
            problem.details = cause.details;
            problem.hints = cause.hints;
        }
        problem
            .hint(format!("see what it did: shipway log {} {}", self.id, step.id))
            .hint(format!("when it is mended, go on: shipway resume {}", self.id))
    }
}

impl Progress {
    fn start(&mut self, at: Time) {
        self.state = State::Started;
        self.attempts += 1;
        self.spent += 1;
        (self.looks, self.blind) = (0, 0);
        self.began.get_or_insert(at);
    }

    fn done(&mut self, receipt: &Receipt) {
        self.state = State::Done;
        self.receipt = Some(receipt.clone());
        self.problem = None;
    }

    fn fault(&mut self, problem: &Problem, effect: Effect) {
        self.problem = Some(problem.clone());
        if effect == Effect::Unknown {
            self.state = State::InDoubt;
        }
    }

    fn undo(&mut self) {
        self.state = State::Undoing;
        self.undos += 1;
    }

    /// Sets the time before which nothing happens, doubled for every attempt after the first.
    fn wait(&mut self, at: Time, base_ms: Option<u64>, attempt: u32) {
        let doubled = |ms: u64| ms.saturating_mul(1 << attempt.saturating_sub(1).min(10));
        self.not_before = base_ms.map_or(Time::default(), |ms| at.after(Duration::from_millis(doubled(ms))));
    }

    fn rest(&self, now: Time) -> Option<Next> {
        (now < self.not_before).then_some(Next::Rest(self.not_before))
    }

    /// Tells whether an action of this step may have changed the world at some time.
    fn acted(&self) -> bool {
        self.attempts > 0 || self.receipt.is_some()
    }
}

fn corrupt(entry: &Entry, why: impl Into<String>) -> Corrupt {
    Corrupt { run: entry.run.clone(), seq: entry.seq, why: why.into() }
}

fn foreign(step: &StepId, found: &str) -> Problem {
    Problem::new(Code::NotVerified, format!("step {step} found something else in its place")).found(found)
}
