//! What is noted of a commit that did not go through all hooks.

use serde::{Deserialize, Serialize};

use crate::time::Time;

/// One line of the notes of a repository.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Note {
    /// When.
    pub at: Time,
    /// What happened.
    pub what: Kind,
    /// The rule or the check.
    pub rule: String,
    /// The reason that was given, or what was found.
    pub reason: String,
    /// The object id of the commit; empty for a push.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub commit: String,
    /// The branch that it was made on or pushed to, if there was one.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub branch: String,
}

/// What happened.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Kind {
    /// A rule was skipped, with a reason.
    Skipped,
    /// The hooks before the commit did not run.
    Unverified,
    /// Something of a newer shipway.
    #[serde(other)]
    Unknown,
}

impl Note {
    /// Returns the note in one line, for people.
    pub fn text(&self) -> String {
        let Self { rule, reason, .. } = self;
        match self.what {
            Kind::Skipped => format!("skipped {rule}: {reason}"),
            Kind::Unverified => format!("not checked here ({rule}): {reason}"),
            Kind::Unknown => format!("{rule}: {reason}"),
        }
    }
}
