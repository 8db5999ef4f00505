//! The view for people.

use std::io;
use std::sync::Mutex;

use serde_json::Value;
use shipway_core::action::LogKey;
use shipway_core::journal::{Entry, Event};
use shipway_core::plan::Plan;
use shipway_core::problem::Problem;
use shipway_core::run::{Corrupt, Run};
use shipway_core::time::Time;

use super::data::Data;
use super::lines::{Lines, doing};
use super::output::Outputs;
use super::paint::{Ink, Paint};
use super::problem::{self, Level, quote};
use super::talk::{Columns, Talk, lock};
use super::{
    Document, HostRow, Moment, Row, Stream, View, Volume, Why, dependencies, hosts, log, plan, preflight,
    status, summary, text, why,
};

/// Speaks to people: data on the standard output, talk on the standard error.
pub struct Human {
    volume: Volume,
    data: Data,
    paint: Paint,
    columns: Columns,
    talk: Talk,
    talk_paint: Paint,
    /// Whether there is a status line, which makes lines that only say that something begins needless.
    live: bool,
    lines: Mutex<Option<Lines>>,
    outputs: Mutex<Outputs>,
}

impl Human {
    /// Returns the view on two streams.
    pub fn new(volume: Volume, data: Stream, talk: Stream) -> Self {
        Self {
            volume,
            data: Data::new(data.sink),
            paint: data.paint,
            columns: data.columns,
            live: (talk.columns)().is_some(),
            talk_paint: talk.paint,
            talk: Talk::new(talk.sink, talk.paint, talk.columns),
            lines: Mutex::new(None),
            outputs: Mutex::new(Outputs::default()),
        }
    }

    fn print(&self, text: &str) {
        self.talk.step_aside();
        self.data.write(text);
    }

    fn say(&self, text: &str) {
        if self.volume != Volume::Quiet {
            self.talk.say(text);
        }
    }

    /// Shows what a step wrote, in a verbose run.
    fn verbose(&self, step: &str, lines: &[String]) {
        if self.volume == Volume::Verbose && !lines.is_empty() {
            let line = |line: &String| self.talk_paint.ink(Ink::Faint, &format!("  {step} │ {line}")) + "\n";
            self.talk.say(&lines.iter().map(line).collect::<String>());
        }
    }

    /// Shows the last line of a step that has ended, if that line has no end.
    fn end_output(&self, entry: &Entry) {
        let step = match &entry.event {
            Event::Checked { step, evidence, .. } => format!("{step}/{}", evidence.need),
            Event::Finished { step, .. } | Event::Faulted { step, .. } | Event::Undone { step } => {
                step.to_string()
            }
            Event::Opened { .. }
            | Event::Approved { .. }
            | Event::Started { .. }
            | Event::Probed { .. }
            | Event::Unseen { .. }
            | Event::TurnedBack { .. }
            | Event::UndoStarted { .. }
            | Event::UndoFaulted { .. }
            | Event::Stuck { .. }
            | Event::Resumed {}
            | Event::Closed { .. }
            | Event::Unknown => return,
        };
        let rest = lock(&self.outputs).rest(&step);
        self.verbose(&step, &rest);
    }

    fn status_line(&self, run: &Run) {
        if self.volume != Volume::Quiet {
            self.talk.doing(doing(run, run.last));
        }
    }
}

impl View for Human {
    fn plan(&self, plan: &Plan) {
        self.print(&plan::render(plan, self.paint, (self.columns)()));
    }

    fn problems(&self, problems: &[Problem]) {
        self.talk.doing(vec![]);
        self.talk.say(&problem::list(Level::Error, problems, self.talk_paint));
    }

    fn warnings(&self, problems: &[Problem]) {
        if !problems.is_empty() {
            self.say(&(problem::list(Level::Warning, problems, self.talk_paint) + "\n"));
        }
    }

    fn note(&self, text: &str) {
        self.say(&format!("{}\n", self.talk_paint.ink(Ink::Faint, text)));
    }

    fn resume(&self, run: &Run) {
        *lock(&self.lines) = Some(Lines::new(&run.plan));
        self.say(&format!("· going on with run {}   {}\n", run.id, plan::title(&run.plan.release)));
        self.status_line(run);
    }

    fn entry(&self, run: &Run, entry: &Entry) {
        self.end_output(entry);
        if let Event::Finished { step, .. } = &entry.event {
            // What a good attempt wrote says nothing about a later fault.
            lock(&self.outputs).take(step.as_str());
        }
        let mut lines = lock(&self.lines);
        if matches!(entry.event, Event::Opened { .. }) {
            *lines = None;
        }
        let lines = lines.get_or_insert_with(|| Lines::new(&run.plan));
        let Some(line) = lines.entry(run, entry) else { return self.status_line(run) };
        let tail = |log: &String| lock(&self.outputs).take(log);
        let tail = line.failed.as_ref().map(tail).unwrap_or_default();
        let mut out = String::new();
        // Without a terminal a reader cannot see what is at work, so the beginnings are told.
        if !(line.begins && self.live) {
            out = lines.render(&line, self.talk_paint) + "\n";
        }
        // In a verbose run the output is on the screen already.
        if self.volume != Volume::Verbose {
            out.push_str(&quote(&tail, self.talk_paint));
        }
        self.say(&out);
        self.status_line(run);
    }

    fn output(&self, key: &LogKey, written: &str) {
        let lines = lock(&self.outputs).add(key, written);
        self.verbose(key.step.as_str(), &lines);
    }

    fn summary(&self, run: &Run, entries: &[Entry]) {
        self.talk.doing(vec![]);
        match self.volume {
            Volume::Quiet => {
                self.talk.say(&problem::list(Level::Error, &summary::problems(run), self.talk_paint));
            }
            Volume::Normal | Volume::Verbose => {
                self.talk.say(&format!("\n{}", summary::render(run, entries, false, self.talk_paint)));
            }
        }
    }

    fn log(&self, entries: &[Entry], driven: bool) -> Result<(), Corrupt> {
        self.print(&log::render(entries, driven, self.paint)?);
        Ok(())
    }

    fn status(&self, rows: &[Row], moment: &Moment<'_>) {
        self.print(&(status::list(rows, moment.now, self.paint) + &moment.table(self.paint)));
    }

    fn run(&self, run: &Run, entries: &[Entry], driven: bool, moment: &Moment<'_>) {
        let run = status::one(run, entries, driven, moment.now, self.paint);
        self.print(&(run + &moment.table(self.paint)));
    }

    fn hosts(&self, rows: &[HostRow], now: Time) {
        self.print(&hosts::render(rows, now, self.paint));
    }

    fn why(&self, why: &Why) {
        self.print(&why::render(why, self.paint));
    }

    fn preflight(&self, report: &preflight::Report) {
        self.print(&preflight::render(report, self.paint));
    }

    fn dependencies(&self, report: &dependencies::Report) {
        self.print(&dependencies::render(report, self.paint));
    }

    fn answer(&self, kind: Document, fields: &Value, text: &str) {
        // People see nothing of it; but so every test of a command proves what programs would be told.
        #[cfg(debug_assertions)]
        super::schema::prove(&super::document::answer(kind, fields));
        #[cfg(not(debug_assertions))]
        let _ = (kind, fields);
        let mut out = String::with_capacity(text.len() + 1);
        for line in text::lines(text) {
            out.push_str(&line);
            out.push('\n');
        }
        self.print(&out);
    }

    fn finish(&self) -> io::Result<()> {
        self.talk.doing(vec![]);
        self.data.finish()
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;
    use shipway_core::id::{RunId, StepId};

    use super::*;
    use crate::view::sample::{self, Shared, Story};

    struct Screen {
        view: Human,
        out: Shared,
        err: Shared,
    }

    fn screen(volume: Volume, columns: Columns) -> Screen {
        let (out, err) = (Shared::default(), Shared::default());
        let stream =
            |sink: &Shared| Stream { sink: Box::new(sink.clone()), paint: Paint::new(false), columns };
        let view = Human::new(volume, stream(&out), stream(&err));
        Screen { view, out, err }
    }

    impl Screen {
        fn play(&self, story: &Story) {
            log::replay(&story.entries, |run, entry| self.view.entry(run, entry)).unwrap();
            self.view.summary(&story.run(), &story.entries);
        }

        fn output(&self, step: &str, text: &str) {
            let key = LogKey { run: RunId::new("7f3a12cd"), step: StepId::new(step), attempt: 1 };
            self.view.output(&key, text);
        }
    }

    #[test]
    fn a_run_talks_on_stderr_and_leaves_stdout_alone() {
        let screen = screen(Volume::Normal, || None);
        screen.play(&sample::shipped());
        let err = screen.err.take();
        assert!(err.contains("· commit   started\n✓ commit   commit chore"), "{err}");
        assert!(
            err.contains("1.5s\n\nwarning[SW0501]: 3 dependencies are outdated\n\nshipped harbour"),
            "{err}"
        );
        assert_eq!(screen.out.take(), "");
    }

    #[test]
    fn a_terminal_does_not_need_the_beginnings() {
        let screen = screen(Volume::Normal, || Some(80));
        screen.play(&sample::shipped());
        let err = screen.err.take();
        assert!(!err.contains("started") && err.contains("✓ commit"), "{err}");
    }

    #[test]
    fn quiet_says_nothing_but_problems_and_data() {
        let screen = screen(Volume::Quiet, || Some(80));
        screen.play(&sample::shipped());
        screen.view.note("looking at origin");
        screen.view.warnings(&[sample::no_network()]);
        assert_eq!(screen.err.take(), "");
        screen.play(&sample::refused());
        assert!(screen.err.take().starts_with("error[SW0501]: check test failed\n"));
        screen.view.plan(&sample::plan());
        assert!(screen.out.take().starts_with("harbour 1.3.2 → 1.4.0"));
    }

    #[test]
    fn output_is_quoted_when_its_step_fails() {
        let screen = screen(Volume::Normal, || None);
        screen.output("push", "Everything\x07 is\n");
        screen.output("push", "unreachable\nstill");
        screen.play(&sample::rolled_back());
        let err = screen.err.take();
        let quoted = "tried again    1.5s\n    │ Everything␇ is\n    │ unreachable\n    │ still\n· push";
        assert!(err.contains(quoted), "{err}");
    }

    #[test]
    fn output_of_a_verbose_run_is_shown_once_and_in_whole_lines() {
        let screen = screen(Volume::Verbose, || None);
        screen.output("push", "half ");
        screen.output("tag", "other\n");
        screen.output("push", "a line\n");
        assert_eq!(screen.err.take(), "  tag │ other\n  push │ half a line\n");
        screen.play(&sample::rolled_back());
        assert!(!screen.err.take().contains("half a line"));
    }

    #[test]
    fn answers_are_data_and_harmless() {
        let screen = screen(Volume::Quiet, || None);
        screen.view.answer(Document::Changelog, &json!({ "text": "" }), "one\n\x1b[2Jtwo\n");
        assert_eq!(screen.out.take(), "one\n␛[2Jtwo\n");
    }

    #[test]
    fn a_resumed_run_keeps_its_columns() {
        let screen = screen(Volume::Normal, || None);
        let story = sample::stopped();
        screen.view.resume(&story.run());
        assert_eq!(screen.err.take(), "· going on with run 7f3a12cd   harbour 1.3.2 → 1.4.0\n");
    }
}
