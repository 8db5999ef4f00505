//! What the entries of a run say, one line for each that means something to a reader.
//!
//! The same lines are shown while a run goes on and when its log is printed.

use std::collections::BTreeMap;
use std::time::Duration;

use shipway_core::action::{Effect, Observed};
use shipway_core::gate::{Evidence, Severity};
use shipway_core::grade;
use shipway_core::id::StepId;
use shipway_core::journal::{Entry, Event};
use shipway_core::plan::{Plan, Work};
use shipway_core::problem::Problem;
use shipway_core::run::{Run, State};
use shipway_core::time::Time;

use super::paint::{Ink, Paint};
use super::plan::{needs, title};
use super::text;

/// Wider texts push the time of their own line only.
const TEXT_CAP: usize = 56;

/// What one entry says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Line {
    /// The symbol, with its colour.
    pub(super) mark: (char, Ink),
    /// The step; empty for what is said of the run.
    pub(super) name: String,
    /// What happened.
    pub(super) text: String,
    /// How long it took.
    pub(super) took: Option<Duration>,
    /// Whether the line only says that something begins, which a status line says better.
    pub(super) begins: bool,
    /// The log in which the step wrote what it saw, where something failed.
    pub(super) failed: Option<String>,
}

/// A fold of entries that tells each in a line.
#[derive(Clone, Debug, Default)]
pub(super) struct Lines {
    began: BTreeMap<StepId, Time>,
    name_width: usize,
    text_width: usize,
}

impl Lines {
    /// Returns the fold of a plan's runs; the plan decides the columns.
    pub(super) fn new(plan: &Plan) -> Self {
        let names = plan.steps().map(|step| text::width(&text::clean(step.id.as_str())));
        let texts = plan.steps().map(|step| text::width(&subject(&step.work)).min(TEXT_CAP));
        Self {
            began: BTreeMap::new(),
            name_width: names.max().unwrap_or(0),
            text_width: texts.max().unwrap_or(0),
        }
    }

    /// Returns what an entry says, if it says something. `run` has folded the entry already.
    pub(super) fn entry(&mut self, run: &Run, entry: &Entry) -> Option<Line> {
        if let Event::Started { step } | Event::UndoStarted { step } = &entry.event {
            self.began.insert(step.clone(), entry.at);
        }
        let mut line = tell(run, entry)?;
        if let Event::Finished { step, .. } | Event::Faulted { step, .. } | Event::Undone { step } =
            &entry.event
        {
            line.took = self.began.remove(step).map(|began| entry.at.since(began));
        }
        Some(line)
    }

    /// Returns the line in its columns, without a line feed.
    pub(super) fn render(&self, line: &Line, paint: Paint) -> String {
        let (mark, ink) = line.mark;
        let mut out = paint.ink(ink, &mark.to_string());
        if !line.name.is_empty() {
            let name = text::clean(&line.name);
            let space = " ".repeat(self.name_width.saturating_sub(text::width(&name)));
            text::put(&mut out, format_args!(" {}{space} ", paint.ink(Ink::Strong, &name)));
        }
        text::put(&mut out, format_args!(" {}", paint.plain(&line.text)));
        if let Some(took) = line.took {
            let space = self.text_width.saturating_sub(text::width(&text::clean(&line.text)));
            let took = format!("{:>6}", text::span(took));
            text::put(&mut out, format_args!("{}  {}", " ".repeat(space), paint.ink(Ink::Faint, &took)));
        }
        out
    }
}

/// Returns what a step is about, such as `tag v1.4.0 at that commit` or `test, lint`.
pub(super) fn subject(work: &Work) -> String {
    match work {
        Work::Act { change, .. } => text::clean(&format!("{} {}", change.thing, change.summary)).into_owned(),
        Work::Gate(gate) => text::clean(&needs(gate)).into_owned(),
    }
}

fn tell(run: &Run, entry: &Entry) -> Option<Line> {
    let again = |step: &StepId| match run.progress(step).map(|progress| progress.state) {
        Some(State::Ready) => "; it will be tried again",
        Some(State::InDoubt | State::Done | State::Undoing) => "; it will be looked at again",
        Some(State::Started | State::Failed | State::Undone) | None => "",
    };
    Some(match &entry.event {
        Event::Opened { plan, digest } => {
            let what = format!("{}   run {}   plan {}", title(&plan.release), entry.run, digest.short());
            line('·', Ink::Plain, "", what)
        }
        Event::Checked { step, evidence, .. } => checked(step, evidence),
        Event::Approved { step, plan, signed: Some(signed), .. } => {
            let proof = format!("{}: {}", grade::name(signed.grade), signed.why);
            let what = format!("plan {} approved by {} with a key, {proof}", plan.short(), signed.person);
            line('✓', Ink::Good, step.as_ref().map_or("", StepId::as_str), what)
        }
        Event::Approved { step, plan, signed: None, .. } => {
            let (by, proof) = (text::actor(&entry.by), "typed at a terminal (P0, the weakest grade)");
            let what = format!("plan {} approved by {by}, {proof}", plan.short());
            line('✓', Ink::Good, step.as_ref().map_or("", StepId::as_str), what)
        }
        Event::Started { step } => {
            let attempt =
                if entry.attempt > 1 { format!(", attempt {}", entry.attempt) } else { String::new() };
            Line { begins: true, ..line('·', Ink::Faint, step.as_str(), format!("started{attempt}")) }
        }
        Event::Finished { step, .. } => {
            let about = run.plan.step(step).map_or_else(String::new, |step| subject(&step.work));
            line('✓', Ink::Good, step.as_str(), about)
        }
        Event::Faulted { step, effect, problem, .. } => faulted(step, *effect, problem, again(step)),
        Event::Probed { step, observed } => probed(step, observed, again(step)),
        Event::Unseen { step, problem, retry_after_ms } => {
            let again = retry_after_ms.map_or("", |_| "; it will be looked at again");
            line('?', Ink::Care, step.as_str(), format!("cannot be looked at: {}{again}", problem.what))
        }
        Event::TurnedBack { problem } => line('↶', Ink::Care, "", format!("going back: {}", problem.what)),
        Event::UndoStarted { step } => {
            Line { begins: true, ..line('·', Ink::Faint, step.as_str(), "being undone".into()) }
        }
        Event::Undone { step } => line('↶', Ink::Care, step.as_str(), "undone".into()),
        Event::UndoFaulted { step, problem, retry_after_ms } => {
            let again = retry_after_ms.map_or("", |_| "; it will be tried again");
            let what = format!("not undone: {}{again}", problem.what);
            Line { failed: failed(problem, step.as_str()), ..line('!', Ink::Bad, step.as_str(), what) }
        }
        Event::Stuck { step, problem } => {
            line('!', Ink::Bad, step.as_str(), format!("stuck: {}", problem.what))
        }
        Event::Resumed {} => line('·', Ink::Plain, "", format!("resumed by {}", text::actor(&entry.by))),
        // The report says how a run ended.
        Event::Closed { .. } => return None,
        Event::Unknown => line('?', Ink::Care, "", "something that only a newer shipway knows".into()),
    })
}

fn line(mark: char, ink: Ink, name: &str, text: String) -> Line {
    Line { mark: (mark, ink), name: name.into(), text, took: None, begins: false, failed: None }
}

/// Returns the log to quote, unless the problem brings its own lines.
fn failed(problem: &Problem, log: &str) -> Option<String> {
    problem.details.is_empty().then(|| log.to_owned())
}

fn checked(step: &StepId, evidence: &Evidence) -> Line {
    let of = |severity| evidence.findings.iter().filter(move |finding| finding.severity == severity);
    let (blocking, waiting) = (of(Severity::Blocks).next(), of(Severity::Waits).next());
    let text = match (blocking, of(Severity::Advice).count()) {
        (Some(finding), _) => format!("{} ✗ {}", evidence.need, finding.problem.what),
        (None, _) if waiting.is_some() => waiting.map_or_else(String::new, |finding| {
            let until = finding.until.map_or_else(String::new, |until| format!(", until {until}"));
            format!("{} waits: {}{until}", evidence.need, finding.problem.what)
        }),
        (None, 0) => format!("{} ✓", evidence.need),
        (None, advice) => format!("{} ✓ {}", evidence.need, text::count(advice, "warning")),
    };
    let log = format!("{step}/{}", evidence.need);
    let ink = match (blocking, waiting) {
        (Some(_), _) => Ink::Bad,
        (None, Some(_)) => Ink::Care,
        (None, None) => Ink::Gate,
    };
    Line {
        took: Some(Duration::from_millis(evidence.took_ms)),
        failed: blocking.and_then(|finding| failed(&finding.problem, &log)),
        ..line('◆', ink, step.as_str(), text)
    }
}

fn faulted(step: &StepId, effect: Effect, problem: &Problem, again: &str) -> Line {
    let (mark, ink, text) = match effect {
        Effect::None => ('✗', Ink::Bad, format!("{}{again}", problem.what)),
        Effect::Unknown => ('?', Ink::Care, format!("in doubt: {}", problem.what)),
    };
    Line { failed: failed(problem, step.as_str()), ..line(mark, ink, step.as_str(), text) }
}

fn probed(step: &StepId, observed: &Observed, again: &str) -> Line {
    let (mark, ink, text) = match observed {
        Observed::Present(_) => ('✓', Ink::Good, "found in place".into()),
        Observed::Absent => ('?', Ink::Care, format!("found absent{again}")),
        Observed::Foreign(found) => ('✗', Ink::Bad, format!("found something else in its place: {found}")),
    };
    line(mark, ink, step.as_str(), text)
}

/// Returns what is going on right now, for a status line: a fold of the run, like everything else.
pub(super) fn doing(run: &Run, now: Time) -> Vec<String> {
    use shipway_core::run::Next;
    let busy = |step: &StepId| {
        let state = run.progress(step).map(|progress| progress.state);
        matches!(state, Some(State::Started | State::Undoing))
    };
    let steps: Vec<String> =
        run.plan.steps().filter(|step| busy(&step.id)).map(|step| step.id.to_string()).collect();
    match run.next(now) {
        Next::Check(gate, needs) => {
            let at_once = match run.plan.step(&gate).map(|step| &step.work) {
                Some(Work::Gate(gate)) => gate.at_once.max(1),
                Some(Work::Act { .. }) | None => 1,
            };
            needs.iter().take(at_once).map(|need| format!("{gate} {}", need.name())).collect()
        }
        Next::Rest(_) => vec!["waiting".into()],
        Next::Wait(gate, ..) => vec![format!("waiting at {gate}")],
        // A step that has just begun reads as one to probe, because only its end will tell.
        Next::Probe(step) if !busy(&step) => vec![format!("looking at {step}")],
        Next::Apply(_)
        | Next::Probe(_)
        | Next::Undo(_)
        | Next::TurnBack(_)
        | Next::Stick(..)
        | Next::Close(_)
        | Next::Nothing => steps,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::view::sample::{self, Story};

    fn check(story: &Story, expect: &str) {
        let mut run = Run::begin(&story.entries[0]).unwrap();
        let mut lines = Lines::new(&run.plan);
        let mut out = String::new();
        for (index, entry) in story.entries.iter().enumerate() {
            if index > 0 {
                run.add(entry).unwrap();
            }
            if let Some(line) = lines.entry(&run, entry) {
                out.push_str(&lines.render(&line, Paint::new(false)));
                out.push('\n');
            }
        }
        assert_eq!(out, expect.replace("DIGEST", run.digest.short()));
    }

    #[test]
    fn a_run_that_ships_is_told_step_by_step() {
        let expect = "\
· harbour 1.3.2 → 1.4.0   run 7f3a12cd   plan DIGEST
◆ checks   test ✓                                  12s
◆ checks   lint ✓ 1 warning                        12s
· commit   started
✓ commit   commit chore: release version 1.4.0    1.5s
· push     started
✓ push     origin main, v1.4.0 (atomic)           1.5s
· publish  started
✓ publish  package harbour 1.4.0                  1.5s
";
        check(&sample::shipped(), expect);
    }

    #[test]
    fn a_run_that_goes_back_says_why_and_what_was_undone() {
        let expect = "\
· harbour 1.3.2 → 1.4.0   run 7f3a12cd   plan DIGEST
◆ checks   test ✓                                  12s
◆ checks   lint ✓ 1 warning                        12s
· commit   started
✓ commit   commit chore: release version 1.4.0    1.5s
· push     started
✗ push     origin does not answer; it will be tried again    1.5s
· push     started, attempt 2
✗ push     origin does not answer                 1.5s
↶ going back: origin does not answer
· commit   being undone
↶ commit   undone                                 1.5s
";
        check(&sample::rolled_back(), expect);
    }

    #[test]
    fn doubt_and_stuck_are_said() {
        let expect = "\
· harbour 1.3.2 → 1.4.0   run 7f3a12cd   plan DIGEST
◆ checks   test ✓                                  12s
◆ checks   lint ✓ 1 warning                        12s
· commit   started
✓ commit   commit chore: release version 1.4.0    1.5s
· push     started
? push     in doubt: origin does not answer       1.5s
? push     cannot be looked at: origin does not answer
! push     stuck: step push: it is not known whether it happened
";
        check(&sample::stuck(), expect);
    }

    #[test]
    fn what_waits_and_who_approves_are_said() {
        let mut story = sample::waiting();
        let yes = sample::approved(&story);
        story.tell(yes);
        let yes = sample::signed(&story);
        story.tell(yes);
        let expect = "\
· harbour 1.3.2 → 1.4.0   run 7f3a12cd   plan DIGEST
◆ checks   test ✓                                                12s
◆ checks   lint waits: no change window is open, until 2026-11-20T13:00:00.000Z    0.1s
✓ checks   plan DIGEST approved by Jane Doe, typed at a terminal (P0, the weakest grade)
✓ checks   plan DIGEST approved by kim with a key, P2: a device was touched, which is proven
";
        check(&story, expect);
    }

    #[test]
    fn the_status_names_what_is_going_on() {
        let check = |story: &Story, expect: &[&str]| assert_eq!(doing(&story.run(), story.now), expect);
        let mut story = Story::new();
        check(&story, &["checks test", "checks lint"]);
        check(story.checked("lint", None), &["checks test"]);
        check(story.checked("test", None), &[]);
        check(story.started("commit"), &["commit"]);
        check(story.fault("commit", Effect::Unknown, None), &["looking at commit"]);
        check(&sample::stuck(), &[]);
        check(&sample::waiting(), &["waiting at checks"]);
    }
}
