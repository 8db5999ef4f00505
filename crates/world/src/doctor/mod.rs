//! Whether everything is set up and in force: one line for each thing that was looked at.
//!
//! Looking changes nothing. Trying is elsewhere: [`crate::guard::prove`].

mod keys;
mod local;
mod machine;
mod rules;
mod server;
mod subject;

use shipway_core::problem::Problem;

pub use subject::{Server, Subject};

/// How something stands.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum State {
    /// As it should: what was found.
    Ok(String),
    /// Worth knowing; nothing fails for it.
    Warning(Problem),
    /// Not as it should.
    Wrong(Problem),
    /// Not looked at: why.
    Unseen(String),
}

/// One thing that was looked at.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Line {
    /// What, in a few words.
    pub what: &'static str,
    /// How it stands.
    pub state: State,
}

impl Line {
    /// Returns a line.
    pub fn new(what: &'static str, state: State) -> Self {
        Self { what, state }
    }

    /// Returns a line for each problem, or one that all is well.
    pub fn all(what: &'static str, wrong: Vec<Problem>, well: &str) -> Vec<Self> {
        if wrong.is_empty() {
            return vec![Self::new(what, State::Ok(well.to_owned()))];
        }
        wrong.into_iter().map(|problem| Self::new(what, State::Wrong(problem))).collect()
    }
}

/// What looks at one part of a subject.
pub type Section = fn(&Subject<'_>) -> Vec<Line>;

/// All of them, in the order in which they are shown. A new one is one line here.
pub const SECTIONS: &[(&str, Section)] = &[
    ("machine", machine::look),
    ("local hooks", local::look),
    ("policy", rules::look),
    ("guard", server::look),
    ("keys", keys::look),
    ("environments", machine::environments),
];

/// Looks at everything.
pub fn look(subject: &Subject<'_>) -> Vec<(&'static str, Vec<Line>)> {
    let sections = SECTIONS.iter().map(|(name, section)| (*name, section(subject)));
    sections.filter(|(_, lines)| !lines.is_empty()).collect()
}
