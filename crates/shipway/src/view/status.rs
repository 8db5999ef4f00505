//! Where the runs stand: a list of all, and one in full.

use shipway_core::journal::{Entry, Event, RunHead};
use shipway_core::plan::{Plan, Verb};
use shipway_core::run::Run;
use shipway_core::time::Time;

use super::paint::{Ink, Paint};
use super::plan::title;
use super::state::{Situation, Standing};
use super::table::{Cell, Table};
use super::{HostRow, hosts, summary, text};

/// One run in a list.
#[derive(Clone, Debug)]
pub struct Row {
    /// Its first and last entry.
    pub head: RunHead,
    /// Whether a living process drives it.
    pub driven: bool,
    /// Whether a later run withdrew what it released.
    pub withdrawn: bool,
}

/// When something is shown, and what the hosts said then.
#[derive(Clone, Copy, Debug)]
pub struct Moment<'a> {
    /// The time to count from.
    pub now: Time,
    /// The hosts; nothing if they were not asked.
    pub hosts: Option<&'a [HostRow]>,
}

impl Moment<'_> {
    /// Returns the table of the hosts, apart from what stands above it; nothing if there is none.
    pub(super) fn table(&self, paint: Paint) -> String {
        self.hosts.map_or_else(String::new, |rows| format!("\n{}", hosts::render(rows, self.now, paint)))
    }
}

impl Row {
    /// Returns the plan that the run carries out, unless the journal is not ours to read.
    pub fn plan(&self) -> Option<&Plan> {
        match &self.head.opened.event {
            Event::Opened { plan, .. } => Some(plan),
            Event::Checked { .. }
            | Event::Approved { .. }
            | Event::Started { .. }
            | Event::Finished { .. }
            | Event::Faulted { .. }
            | Event::Probed { .. }
            | Event::Unseen { .. }
            | Event::TurnedBack { .. }
            | Event::UndoStarted { .. }
            | Event::Undone { .. }
            | Event::UndoFaulted { .. }
            | Event::Stuck { .. }
            | Event::Resumed {}
            | Event::Closed { .. }
            | Event::Unknown => None,
        }
    }

    /// Returns the command that comes next, if one does.
    pub fn next(&self) -> Option<String> {
        if self.withdrawn {
            return None;
        }
        // A list says the first command only, and going on is always the first of an open run.
        let situation = Situation {
            run: &self.head.run,
            standing: Standing::of_head(&self.head),
            plan: self.plan(),
            driven: self.driven,
            can_turn_back: false,
            unapproved: false,
            answered: false,
        };
        situation.next().into_iter().next().map(|(_, command)| command)
    }
}

/// Returns the list of runs in the order given, or that there are none.
pub fn list(rows: &[Row], now: Time, paint: Paint) -> String {
    if rows.is_empty() {
        return "no runs yet\n".into();
    }
    let mut table = Table::new(&[(0, 8), (2, 24), (2, 24), (2, 12), (2, 12), (2, 24), (2, 60)]);
    let names = ["run", "version", "release", "state", "since", "by", "next"];
    table.row(names.map(|name| Cell::new(Ink::Faint, name)));
    for row in rows {
        let release = row.plan().map(|plan| &plan.release);
        let standing = Standing::of_head(&row.head);
        let version = release.map_or(String::new(), |release| match release.verb {
            Verb::Push | Verb::Land | Verb::Unknown => release.to.clone(),
            Verb::Rollback => format!("withdraw {}", release.to),
            Verb::Deploy => {
                format!("{} in {}", release.to, release.environment.as_deref().unwrap_or_default())
            }
        });
        table.row([
            Cell::new(Ink::Strong, row.head.run.as_str()),
            Cell::plain(&version),
            Cell::plain(release.map_or("", |release| &release.project)),
            if row.withdrawn {
                Cell::new(Ink::Care, "withdrawn")
            } else {
                Cell::new(standing.ink(), standing.as_str())
            },
            Cell::plain(&ago(row.head.last.at, now)),
            Cell::plain(&text::actor(&row.head.opened.by)),
            Cell::new(Ink::Hint, &row.next().unwrap_or_default()),
        ]);
    }
    table.render(paint)
}

/// Returns one run in full: its state, every step, and the next command.
pub fn one(run: &Run, entries: &[Entry], driven: bool, now: Time, paint: Paint) -> String {
    let standing = Standing::of(run);
    let stands = match summary::waits_at(run) {
        at if standing == Standing::Waiting => format!("{} {at}", standing.as_str()),
        _ => standing.as_str().to_owned(),
    };
    let mut out = format!(
        "{}   {}   {}\n{}\n\n{}\n",
        paint.ink(Ink::Strong, &title(&run.plan.release)),
        paint.ink(standing.ink(), &stands),
        paint.ink(Ink::Faint, &format!("run {}   plan {}", run.id, run.digest.short())),
        paint.ink(Ink::Faint, &opened(run, now)),
        summary::steps(run, entries, paint),
    );
    for problem in summary::problems(run) {
        let line = format!("{}: {}", problem.code, problem.what);
        text::put(&mut out, format_args!("{}: {}\n", paint.ink(Ink::Bad, "because"), paint.plain(&line)));
    }
    for problem in run.waits().map_or_else(Vec::new, |(_, problems, _)| problems) {
        let wanted = problem.wanted.map_or_else(String::new, |wanted| format!(" (wanted: {wanted})"));
        let line = format!("{}: {}{wanted}", problem.code, problem.what);
        text::put(&mut out, format_args!("{}: {}\n", paint.ink(Ink::Care, "waits"), paint.plain(&line)));
        for hint in problem.hints.iter().filter(|hint| !hint.starts_with("shipway approve")) {
            text::put(&mut out, format_args!("{}: {}\n", paint.ink(Ink::Hint, "hint"), paint.plain(hint)));
        }
    }
    for (label, command) in Situation::of(run, driven).next() {
        text::put(&mut out, format_args!("{label}: {}\n", paint.ink(Ink::Hint, &command)));
    }
    out
}

fn opened(run: &Run, now: Time) -> String {
    let by = text::actor(&run.by);
    format!("opened {} by {by} on {}, last entry {}", ago(run.opened, now), run.by.host, ago(run.last, now))
}

pub(super) fn ago(then: Time, now: Time) -> String {
    match now.since(then) {
        short if short.as_secs() == 0 => "just now".into(),
        long => {
            let span = text::span(std::time::Duration::from_secs(long.as_secs()));
            let span = span.strip_suffix(".0s").map(|whole| format!("{whole}s")).unwrap_or(span);
            format!("{span} ago")
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::view::sample::{self, Story};

    pub(super) fn row(story: &Story, driven: bool) -> Row {
        let (opened, last) = (story.entries[0].clone(), story.entries.last().unwrap().clone());
        Row { head: RunHead { run: opened.run.clone(), opened, last }, driven, withdrawn: false }
    }

    #[test]
    fn the_list_says_where_each_run_stands_and_what_comes_next() {
        let mut withdrawal = sample::shipped();
        let Event::Opened { plan, .. } = &mut withdrawal.entries[0].event else { panic!("a story begins") };
        plan.release.verb = Verb::Rollback;
        let rows = [
            row(&sample::shipped(), false),
            Row { withdrawn: true, ..row(&sample::shipped(), false) },
            row(&withdrawal, false),
            row(&sample::stuck(), false),
            row(&sample::stopped(), true),
        ];
        let expect = "\
run       version         release  state      since       by        next
7f3a12cd  1.4.0           harbour  shipped    2m 46s ago  Jane Doe  shipway rollback 7f3a12cd
7f3a12cd  1.4.0           harbour  withdrawn  2m 46s ago  Jane Doe
7f3a12cd  withdraw 1.4.0  harbour  shipped    2m 46s ago  Jane Doe
7f3a12cd  1.4.0           harbour  stuck      2m 48s ago  Jane Doe  shipway resume 7f3a12cd
7f3a12cd  1.4.0           harbour  open       2m 54s ago  Jane Doe  shipway abort 7f3a12cd
";
        let now = Time(sample::NOON.0 + 180_000);
        assert_eq!(list(&rows, now, Paint::new(false)), expect);
        assert_eq!(list(&[], now, Paint::new(false)), "no runs yet\n");
    }

    #[test]
    fn one_run_that_waits_says_for_what() {
        let story = sample::waiting();
        let run = story.run();
        let text = one(&run, &story.entries, false, story.now, Paint::new(false));
        for part in [
            "waiting at checks, not before 2026-11-20T13:00:00.000Z   run 7f3a12cd",
            "waits: SW1072: no change window is open (wanted: a time from Monday)\n",
            "waits: SW1071: approval: the plan is not approved yet (wanted: a yes of kim@example.org)\n",
            "approve: shipway approve 7f3a12cd\ngo on when it opens: shipway wait 7f3a12cd\n",
        ] {
            assert!(text.contains(part), "{part}: {text}");
        }
        assert_eq!(text.matches("shipway approve").count(), 1, "{text}");
    }

    #[test]
    fn one_run_is_shown_in_full() {
        let story = sample::refused();
        let expect = "\
harbour 1.3.2 → 1.4.0   refused   run 7f3a12cd   plan DIGEST
opened 7s ago by Jane Doe on quay, last entry 1s ago

  ✗ checks   test                                 failed  12s
  ✓          lint                                         12s
  · commit   commit chore: release version 1.4.0  ready
  · push     origin main, v1.4.0 (atomic)         ready
  · publish  package harbour 1.4.0                ready

because: SW0501: check test failed
try again: shipway push
see it again: shipway log 7f3a12cd
";
        let run = story.run();
        let text = one(&run, &story.entries, false, story.now, Paint::new(false));
        assert_eq!(text, expect.replace("DIGEST", run.digest.short()));
    }
}
