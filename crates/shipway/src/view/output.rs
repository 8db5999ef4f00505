//! What steps write while they work: whole lines at once, and the last of them for when a step fails.

use std::collections::{BTreeMap, VecDeque};

use shipway_core::action::LogKey;

use super::text;

/// How many lines are shown of a step that failed.
const TAIL: usize = 15;
/// A line that does not end is shown in pieces of about this many bytes.
const LINE: usize = 4096;

/// The output of the steps at work.
#[derive(Debug, Default)]
pub(super) struct Outputs(BTreeMap<String, Written>);

#[derive(Debug, Default)]
struct Written {
    partial: String,
    tail: VecDeque<String>,
}

impl Outputs {
    /// Adds what a step wrote and returns the lines that are whole now, harmless.
    pub(super) fn add(&mut self, key: &LogKey, written: &str) -> Vec<String> {
        let output = self.0.entry(key.step.to_string()).or_default();
        output.partial.push_str(written);
        let whole = match output.partial.rfind('\n') {
            Some(end) => output.partial.drain(..=end).collect::<String>(),
            None if output.partial.len() > LINE => std::mem::take(&mut output.partial),
            None => return vec![],
        };
        let lines: Vec<String> = text::lines(&whole).collect();
        output.keep(&lines);
        lines
    }

    /// Returns the last line that a step wrote, if it has no end and so has not come out yet.
    pub(super) fn rest(&mut self, step: &str) -> Vec<String> {
        let Some(output) = self.0.get_mut(step) else { return vec![] };
        let lines: Vec<String> = text::lines(&std::mem::take(&mut output.partial)).collect();
        output.keep(&lines);
        lines
    }

    /// Returns the last lines that a step wrote and forgets them.
    pub(super) fn take(&mut self, step: &str) -> Vec<String> {
        let Some(mut output) = self.0.remove(step) else { return vec![] };
        let rest: Vec<String> = text::lines(&output.partial).collect();
        output.keep(&rest);
        output.tail.into()
    }
}

impl Written {
    fn keep(&mut self, lines: &[String]) {
        self.tail.extend(lines.iter().cloned());
        self.tail.drain(..self.tail.len().saturating_sub(TAIL));
    }
}

#[cfg(test)]
mod tests {
    use shipway_core::id::{RunId, StepId};

    use super::*;

    fn key(step: &str) -> LogKey {
        LogKey { run: RunId::new("7f3a12cd"), step: StepId::new(step), attempt: 1 }
    }

    #[test]
    fn only_whole_lines_come_out_and_steps_do_not_mix() {
        let mut outputs = Outputs::default();
        assert!(outputs.add(&key("a"), "one\x1b[2J t").is_empty());
        assert!(outputs.add(&key("b"), "other").is_empty());
        assert_eq!(outputs.add(&key("a"), "wo\nthree\nfo"), ["one␛[2J two", "three"]);
        assert_eq!(outputs.take("a"), ["one␛[2J two", "three", "fo"]);
        assert_eq!(outputs.take("b"), ["other"]);
        assert!(outputs.take("a").is_empty());
    }

    #[test]
    fn a_last_line_without_an_end_comes_out_once() {
        let mut outputs = Outputs::default();
        assert_eq!(outputs.add(&key("a"), "one\ntwo"), ["one"]);
        assert_eq!(outputs.rest("a"), ["two"]);
        assert!(outputs.rest("a").is_empty() && outputs.rest("b").is_empty());
        assert_eq!(outputs.take("a"), ["one", "two"]);
    }

    #[test]
    fn the_tail_is_bounded_and_so_is_a_line_without_an_end() {
        let mut outputs = Outputs::default();
        let many = (0..100).map(|n| n.to_string()).collect::<Vec<_>>().join("\n") + "\n";
        assert_eq!(outputs.add(&key("a"), &many).len(), 100);
        let tail = outputs.take("a");
        assert_eq!((tail.len(), tail[0].as_str(), tail[14].as_str()), (15, "85", "99"));
        assert_eq!(outputs.add(&key("a"), &"x".repeat(5000)).len(), 1);
    }
}
