//! The rules as tables.

mod channel;
mod decide;
mod golden;
mod lint;
mod near;
mod parse;
mod revert;
mod robust;
mod tag;

use semver::Version;

use super::*;
use crate::problem::{Code, Problem};

fn v(text: &str) -> Version {
    text.parse().unwrap()
}

/// Returns commits with the ids `…0001`, `…0002` and so on; the first message is the newest commit.
fn commits(messages: &[&str]) -> Vec<Commit> {
    let commit = |(at, message): (usize, &&str)| Commit { id: id(at + 1), message: (*message).to_owned() };
    messages.iter().enumerate().map(commit).collect()
}

fn id(number: usize) -> String {
    format!("{number:07x}{}", "0".repeat(33))
}

fn line(last: &str) -> Line {
    Line { last: Some(v(last)), taken: [v(last)].into(), ..Line::default() }
}

fn decided(ask: &Ask, line: &Line, messages: &[&str]) -> Result<Decision, Vec<Problem>> {
    decide(ask, line, &commits(messages), &Rules::default())
}

/// Returns the version, or the codes of the problems.
fn outcome(ask: &str, line: &Line, messages: &[&str]) -> String {
    let ask = if ask == "auto" { Ask::Auto } else { ask.parse().unwrap() };
    match decided(&ask, line, messages) {
        Ok(decision) => decision.to.to_string(),
        Err(problems) => codes(&problems),
    }
}

fn codes(problems: &[Problem]) -> String {
    problems.iter().map(|problem| format!("{:?}", problem.code)).collect::<Vec<_>>().join(" ")
}

fn hints(problems: &[Problem]) -> Vec<&str> {
    problems.iter().flat_map(|problem| &problem.hints).map(String::as_str).collect()
}
