//! The report at the end of a run: what was released, how long each step took, and the next command.

use std::collections::BTreeMap;
use std::time::Duration;

use shipway_core::gate::{Approval, Evidence, Gate, Need, Severity};
use shipway_core::grade;
use shipway_core::id::{Fence, StepId};
use shipway_core::journal::{Entry, Event, Outcome};
use shipway_core::plan::{Verb, Work};
use shipway_core::planner::deploy::lost;
use shipway_core::problem::Problem;
use shipway_core::run::{Progress, Run, State};
use shipway_core::time::Time;

use super::lines::subject;
use super::paint::{Ink, Paint};
use super::plan::title;
use super::problem::{self, Level};
use super::state::{Situation, Standing};
use super::table::{Cell, Table};
use super::text;

/// Returns how long a run was driven: the time between entries of one lease, without the rest between two.
pub(super) fn total(entries: &[Entry]) -> Duration {
    let between = |pair: &[Entry]| match pair {
        [a, b] if a.fence == b.fence => b.at.since(a.at),
        _ => Duration::ZERO,
    };
    entries.windows(2).map(between).sum()
}

/// Returns how long the attempts and undos of each step took together.
pub(super) fn times(entries: &[Entry]) -> BTreeMap<StepId, Duration> {
    let mut began: BTreeMap<&StepId, (Time, Fence)> = BTreeMap::new();
    let mut times = BTreeMap::new();
    for entry in entries {
        match &entry.event {
            Event::Started { step } | Event::UndoStarted { step } => {
                began.insert(step, (entry.at, entry.fence));
            }
            Event::Finished { step, .. }
            | Event::Faulted { step, .. }
            | Event::Undone { step }
            | Event::UndoFaulted { step, .. } => {
                let start = began.remove(step).filter(|(_, fence)| *fence == entry.fence);
                let took = start.map_or(Duration::ZERO, |(at, _)| entry.at.since(at));
                *times.entry(step.clone()).or_insert(Duration::ZERO) += took;
            }
            Event::Opened { .. }
            | Event::Checked { .. }
            | Event::Approved { .. }
            | Event::Probed { .. }
            | Event::Unseen { .. }
            | Event::TurnedBack { .. }
            | Event::Stuck { .. }
            | Event::Resumed {}
            | Event::Closed { .. }
            | Event::Unknown => {}
        }
    }
    times
}

/// Returns what stopped a run: all findings that block, else why it went back, else why it is stuck.
pub(super) fn problems(run: &Run) -> Vec<Problem> {
    let gates = run.plan.steps().filter(|step| matches!(step.work, Work::Gate(_)));
    let findings = gates
        .flat_map(|step| latest(step, run))
        .flat_map(|evidence| &evidence.findings)
        .filter(|finding| finding.severity == Severity::Blocks)
        .map(|finding| finding.problem.clone());
    let findings: Vec<Problem> =
        if run.outcome == Some(Outcome::Shipped) { vec![] } else { findings.collect() };
    match (&run.stuck, &run.back) {
        (Some((_, stuck)), _) => vec![stuck.clone()],
        (None, _) if !findings.is_empty() => findings,
        (None, back) => back.iter().cloned().collect(),
    }
}

/// Returns the findings that advise, of what was seen last.
pub(super) fn advice(run: &Run) -> Vec<Problem> {
    let findings =
        run.plan.steps().flat_map(|step| latest(step, run)).flat_map(|evidence| &evidence.findings);
    let advice = findings.filter(|finding| finding.severity == Severity::Advice);
    advice.map(|finding| finding.problem.clone()).collect()
}

/// Returns the evidence of a gate that counts: the last of each need, about the subject of the plan.
fn latest<'a>(step: &'a shipway_core::plan::Step, run: &'a Run) -> Vec<&'a Evidence> {
    let Work::Gate(Gate { needs, subject, .. }) = &step.work else { return vec![] };
    let last = |name: &str| run.evidence(&step.id).rfind(|e| e.need == name && e.subject == *subject);
    needs.iter().filter_map(|need| last(need.name())).collect()
}

/// Returns the whole report; `driven` says whether a living process drives the run right now.
pub(super) fn render(run: &Run, entries: &[Entry], driven: bool, paint: Paint) -> String {
    let warnings = problem::list(Level::Warning, &advice(run), paint);
    let problems = problem::list(Level::Error, &problems(run), paint);
    let waits = run.waits().map_or_else(Vec::new, |(_, problems, _)| problems);
    let waits = problem::list(Level::Waiting, &waits, paint);
    let blocks = [warnings, problems, waits, headline(run, driven, paint) + "\n", steps(run, entries, paint)];
    let mut out = blocks.into_iter().filter(|block| !block.is_empty()).collect::<Vec<_>>().join("\n");
    text::put(&mut out, format_args!("\ntotal {}\n", against_target(run, entries, paint)));
    let hints: Vec<&String> = run.stuck.iter().flat_map(|(_, problem)| &problem.hints).collect();
    let waiting = run.waits().map_or_else(Vec::new, |(_, problems, _)| problems);
    let hints = hints.into_iter().chain(waiting.iter().flat_map(|problem| &problem.hints));
    let hints: Vec<&String> = hints.collect();
    for lost in lost(&run.plan).iter().filter(|_| run.outcome == Some(Outcome::Shipped)) {
        let versions = lost.versions.join(" and ");
        text::put(
            &mut out,
            format_args!(
                "no way back to {versions} in {}: it does not fit the database after {}\n",
                lost.environment, lost.step
            ),
        );
    }
    for (label, command) in Situation::of(run, driven).next() {
        if !hints.iter().any(|hint| hint.ends_with(&command)) {
            text::put(&mut out, format_args!("{label}: {}\n", paint.ink(Ink::Hint, &command)));
        }
    }
    out
}

fn headline(run: &Run, driven: bool, paint: Paint) -> String {
    let release = &run.plan.release;
    let standing = Standing::of(run);
    let what = title(release);
    let (word, rest) = match (standing, release.verb) {
        (Standing::Shipped, Verb::Rollback) => {
            ("withdrawn", format!("{} {}   tag {}", release.project, release.to, release.tag))
        }
        (Standing::Shipped, Verb::Deploy) => ("deployed", what),
        (Standing::Shipped, Verb::Land) => ("landed", what),
        (Standing::Shipped, Verb::Push | Verb::Unknown) => {
            ("shipped", format!("{what}   tag {}", release.tag))
        }
        (Standing::RolledBack, _) => ("rolled back", format!("{what}   everything was taken back")),
        (Standing::Refused, _) => ("refused", format!("{what}   nothing was changed")),
        (Standing::Stuck, _) => ("stuck", what),
        (Standing::Waiting, _) => ("waiting", format!("{what}   {}", waits_at(run))),
        (Standing::Open, _) if driven => ("open", format!("{what}   still going on")),
        (Standing::Open, _) => ("stopped", format!("{what}   nothing is lost")),
    };
    let run = paint.ink(Ink::Faint, &format!("run {}", run.id));
    format!("{} {}   {run}", paint.ink(standing.ink(), word), paint.plain(&rest))
}

/// Returns at which gate a run waits, and before when it will not open.
pub(super) fn waits_at(run: &Run) -> String {
    match run.waits() {
        Some((gate, _, Some(until))) => format!("at {gate}, not before {until}"),
        Some((gate, _, None)) => format!("at {gate}"),
        None => String::new(),
    }
}

fn against_target(run: &Run, entries: &[Entry], paint: Paint) -> String {
    let target = Duration::from_millis(run.plan.target_ms);
    let total = total(entries);
    match target {
        Duration::ZERO => text::span(total),
        target if total > target => {
            paint.ink(Ink::Care, &format!("{}, over the target of {}", text::span(total), text::span(target)))
        }
        target => format!("{} of {}", text::span(total), text::span(target)),
    }
}

/// Returns a line for every step and need that was touched, with how long it took.
pub(super) fn steps(run: &Run, entries: &[Entry], paint: Paint) -> String {
    let times = times(entries);
    let mut table = Table::new(&[(2, 1), (1, 24), (2, 56), (2, 24), (2, 12)]);
    for step in run.plan.steps() {
        let evidence = latest(step, run);
        let asked = approvals(step, run);
        let needs = evidence.len() + asked.len();
        let rows = evidence.into_iter().map(need_row).chain(asked);
        for (index, row) in rows.enumerate() {
            let [mark, name, rest @ ..] = row;
            let name = if index == 0 { Cell::plain(step.id.as_str()) } else { name };
            let [need, remark, took] = rest;
            table.row([mark, name, need, remark, took]);
        }
        let Some(progress) = run.progress(&step.id).filter(|_| needs == 0) else { continue };
        let (mark, ink) = mark(progress.state);
        let took = times.get(&step.id).map_or_else(String::new, |took| text::span(*took));
        table.row([
            Cell::new(ink, &mark.to_string()),
            Cell::plain(step.id.as_str()),
            Cell::plain(&subject(&step.work)),
            Cell::new(Ink::Faint, &remark(progress)),
            Cell::plain(&took).right(),
        ]);
    }
    table.render(paint)
}

/// Returns a row for each approval that a gate asks for, once the gate was reached or somebody has said yes.
fn approvals(step: &shipway_core::plan::Step, run: &Run) -> Vec<[Cell; 5]> {
    let Work::Gate(Gate { needs, .. }) = &step.work else { return vec![] };
    let here = run.waits().is_some_and(|(gate, ..)| gate == step.id);
    let given = run.approvals(&step.id);
    let asked =
        needs.iter().filter(|need| matches!(need, Need::Approval { .. }) && (here || !given.is_empty()));
    let row = |need: &Need| {
        let open = run.unapproved().is_some_and(|(gate, needs)| gate == step.id && needs.contains(&need));
        let by: Vec<String> = given.iter().map(given_by).collect();
        let (mark, ink) = if open { ('…', Ink::Care) } else { ('✓', Ink::Good) };
        let remark = if by.is_empty() { "waits".to_owned() } else { by.join(", ") };
        let (name, remark) = (Cell::plain(need.name()), Cell::new(Ink::Faint, &remark));
        [Cell::new(ink, &mark.to_string()), Cell::plain(""), name, remark, Cell::plain("")]
    };
    asked.map(row).collect()
}

/// Returns who said yes, and how much that proves; or why it does not count after all.
fn given_by(approval: &Approval) -> String {
    let by = text::actor(&approval.by);
    match approval.signed.as_ref().and_then(|signed| signed.flaw.as_ref()) {
        Some(flaw) => format!("{by} (does not count: {})", flaw.found.as_deref().unwrap_or(&flaw.what)),
        None => format!("{by} ({})", grade::name(approval.grade)),
    }
}

fn need_row(seen: &Evidence) -> [Cell; 5] {
    let has = |severity| seen.findings.iter().any(|finding| finding.severity == severity);
    let (mark, ink, remark) = match () {
        () if has(Severity::Blocks) => ('✗', Ink::Bad, "failed"),
        () if has(Severity::Waits) => ('…', Ink::Care, "waits"),
        () => ('✓', Ink::Good, ""),
    };
    [
        Cell::new(ink, &mark.to_string()),
        Cell::plain(""),
        Cell::plain(&seen.need),
        Cell::new(Ink::Faint, remark),
        Cell::plain(&text::span(Duration::from_millis(seen.took_ms))).right(),
    ]
}

/// Returns the word for a state that is not the good end, and how many attempts it took.
fn remark(progress: &Progress) -> String {
    let word = Some(progress.state.as_str()).filter(|_| progress.state != State::Done);
    let attempts = Some(progress.attempts as usize).filter(|n| *n > 1).map(|n| text::count(n, "attempt"));
    word.map(str::to_owned).into_iter().chain(attempts).collect::<Vec<_>>().join(", ")
}

fn mark(state: State) -> (char, Ink) {
    match state {
        State::Ready => ('·', Ink::Faint),
        State::Started | State::InDoubt | State::Undoing => ('?', Ink::Care),
        State::Done => ('✓', Ink::Good),
        State::Failed => ('✗', Ink::Bad),
        State::Undone => ('↶', Ink::Care),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::view::sample::{self, Story};

    fn check(story: &Story, expect: &str) {
        assert_eq!(render(&story.run(), &story.entries, false, Paint::new(false)), expect);
    }

    #[test]
    fn what_shipped_is_told_with_its_times_and_the_way_back() {
        let expect = "\
warning[SW0501]: 3 dependencies are outdated

shipped harbour 1.3.2 → 1.4.0   tag v1.4.0   run 7f3a12cd

  ✓ checks   test                                  12s
  ✓          lint                                  12s
  ✓ commit   commit chore: release version 1.4.0  1.5s
  ✓ push     origin main, v1.4.0 (atomic)         1.5s
  ✓ publish  package harbour 1.4.0                1.5s

total 13s of 5m
take it back: shipway rollback 7f3a12cd
";
        check(&sample::shipped(), expect);
    }

    #[test]
    fn what_was_refused_shows_the_findings_and_changed_nothing() {
        let expect = "\
error[SW0501]: check test failed
  ├ found   exit code 101
  └ wanted  exit code 0
    │ test a_boat_floats ... FAILED

hint: see all of it: cargo test

refused harbour 1.3.2 → 1.4.0   nothing was changed   run 7f3a12cd

  ✗ checks   test                                 failed  12s
  ✓          lint                                         12s
  · commit   commit chore: release version 1.4.0  ready
  · push     origin main, v1.4.0 (atomic)         ready
  · publish  package harbour 1.4.0                ready

total 6.0s of 5m
try again: shipway push
see it again: shipway log 7f3a12cd
";
        check(&sample::refused(), expect);
    }

    #[test]
    fn what_was_rolled_back_says_why() {
        let expect = "\
warning[SW0501]: 3 dependencies are outdated

error[SW0605]: origin does not answer
  └ found   connection timed out

hint: what it means and what to do: shipway explain SW0605

rolled back harbour 1.3.2 → 1.4.0   everything was taken back   run 7f3a12cd

  ✓ checks   test                                                      12s
  ✓          lint                                                      12s
  ↶ commit   commit chore: release version 1.4.0  undone              3.0s
  ✗ push     origin main, v1.4.0 (atomic)         failed, 2 attempts  3.0s
  · publish  package harbour 1.4.0                ready

total 18s of 5m
try again: shipway push
see it again: shipway log 7f3a12cd
";
        check(&sample::rolled_back(), expect);
    }

    #[test]
    fn a_run_that_waits_says_for_what_for_whom_and_until_when() {
        let expect = "\
waiting[SW1072]: no change window is open
  └ wanted  a time from Monday

waiting[SW1071]: approval: the plan is not approved yet
  ├ run     7f3a12cd
  └ wanted  a yes of kim@example.org

hint: shipway approve 7f3a12cd

2 reasons to wait

waiting harbour 1.3.2 → 1.4.0   at checks, not before 2026-11-20T13:00:00.000Z   run 7f3a12cd

  ✓ checks   test                                         12s
  …          lint                                 waits  0.1s
  …          approval                             waits
  · commit   commit chore: release version 1.4.0  ready
  · push     origin main, v1.4.0 (atomic)         ready
  · publish  package harbour 1.4.0                ready

total 3.0s of 5m
go on when it opens: shipway wait 7f3a12cd
look again: shipway resume 7f3a12cd
take it back: shipway rollback 7f3a12cd
";
        check(&sample::waiting(), expect);
        let mut given = sample::waiting();
        let mut yes = sample::approved(&given);
        given.tell(yes.clone());
        given.entries.last_mut().unwrap().by.name = "Kim <kim@example.org>".into();
        let text = render(&given.run(), &given.entries, false, Paint::new(false));
        assert!(text.contains("  ✓          approval                             Kim"), "{text}");
        assert!(!text.contains("shipway approve"), "{text}");
        if let Event::Approved { plan, .. } = &mut yes {
            *plan = shipway_core::id::Digest::of(b"another plan");
        }
        let mut other = sample::waiting();
        other.tell(yes);
        assert!(other.run().unapproved().is_some());
    }

    #[test]
    fn a_stuck_run_names_the_next_command_once() {
        let text = render(&sample::stuck().run(), &sample::stuck().entries, false, Paint::new(false));
        assert_eq!(text.matches("shipway resume 7f3a12cd").count(), 1, "{text}");
        assert!(text.ends_with("total 12s of 5m\ntake it back: shipway rollback 7f3a12cd\n"), "{text}");
        assert!(
            text.contains("  ? push     origin main, v1.4.0 (atomic)         in doubt  1.5s\n"),
            "{text}"
        );
    }

    #[test]
    fn a_stopped_run_can_be_resumed() {
        let text = render(&sample::stopped().run(), &sample::stopped().entries, false, Paint::new(false));
        assert!(text.contains("stopped harbour 1.3.2 → 1.4.0   nothing is lost   run 7f3a12cd"), "{text}");
        let end = "resume: shipway resume 7f3a12cd\ntake it back: shipway rollback 7f3a12cd\n";
        assert!(text.ends_with(end), "{text}");
        let text = render(&sample::stopped().run(), &sample::stopped().entries, true, Paint::new(false));
        assert!(text.contains("open harbour 1.3.2 → 1.4.0   still going on"), "{text}");
        assert!(text.ends_with("of 5m\nstop it: shipway abort 7f3a12cd\n"), "{text}");
    }

    #[test]
    fn the_time_between_two_leases_does_not_count() {
        let mut story = sample::stopped();
        story.started("push");
        let before = total(&story.entries);
        story.now.0 += 86_400_000;
        story.fence = 2;
        story.tell(Event::Resumed {}).closed(Outcome::Shipped);
        assert_eq!(total(&story.entries), before + Duration::from_millis(1_500));
    }

    #[test]
    fn a_run_over_its_target_says_so() {
        let mut story = sample::stopped();
        story.now.0 += 600_000;
        story.started("push");
        let text = render(&story.run(), &story.entries, false, Paint::new(false));
        assert!(text.contains("\ntotal 10m 7s, over the target of 5m\n"), "{text}");
    }
}
