//! The events of a change request.

use serde::{Deserialize, Serialize};

use crate::id::Digest;
use crate::statement::Signed;
use crate::time::Time;

/// One line of the log of a change request, or of the log of landings.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Record {
    /// The version of this form: 1.
    pub v: u32,
    /// When the guard took it.
    pub at: Time,
    /// Who brought it, as the transport says.
    pub by: String,
    /// What happened.
    pub event: Event,
    /// The signed statement, for an event that needs one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub signed: Option<Signed>,
}

/// What happened. A variant is never changed or removed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "type", rename_all = "kebab-case")]
pub enum Event {
    /// Somebody asks that something lands.
    Opened {
        /// The target branch, without `refs/heads/`.
        target: String,
        /// The source branch, if one was named.
        #[serde(default)]
        source: String,
        /// The title.
        title: String,
        /// The description, from the template.
        #[serde(default)]
        description: String,
        /// Whether it is not to land yet.
        #[serde(default, skip_serializing_if = "is_false")]
        draft: bool,
    },
    /// It is a draft from now on, or is none any more.
    Marked {
        /// Whether it is not to land yet.
        draft: bool,
    },
    /// A version was pushed.
    Pushed(Version),
    /// The title or the description is another.
    Edited {
        /// The title.
        title: String,
        /// The description.
        #[serde(default)]
        description: String,
    },
    /// It is to land on another branch; every approval ends.
    Retargeted {
        /// The target branch.
        target: String,
    },
    /// Somebody says something.
    Commented {
        /// What.
        text: String,
        /// The file that it is about.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        path: Option<String>,
        /// The line of the newest version that it is about.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        line: Option<u32>,
    },
    /// A reviewer's word; it is in the signed statement.
    Reviewed {},
    /// The result of a check; it is in the signed statement.
    Checked {},
    /// A local rule was skipped, with a reason.
    Skipped {
        /// The rule.
        rule: String,
        /// The reason.
        reason: String,
        /// The commit.
        commit: String,
    },
    /// A landing ticket, in the log of landings; it is in the signed statement.
    Ticket {},
    /// It has landed.
    Landed {
        /// The commit that the target has since.
        commit: String,
        /// The name of the ticket.
        ticket: Digest,
        /// Why it has landed past approvals and checks, if it has.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        exception: Option<String>,
        /// Whose ticket it was.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        lander: Option<String>,
    },
    /// It is not wanted any more.
    Closed {
        /// Why.
        #[serde(default)]
        reason: String,
    },
    /// It is wanted after all.
    Reopened {},
    /// Something must follow a landing, such as a back-merge.
    Owed {
        /// The branch that must go into the other, such as `main`.
        from: String,
        /// The branch that must get it, such as `develop`.
        into: String,
        /// The commit that must arrive.
        commit: String,
    },
    /// An event of a newer shipway.
    #[serde(other)]
    Unknown,
}

/// One version of a change.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Version {
    /// The number, from 1.
    pub version: u32,
    /// The object id of its head.
    pub head: String,
    /// The object id of where it left the target.
    pub base: String,
    /// The patch id of `base...head`.
    pub patch: String,
    /// Addresses of its authors and committers.
    #[serde(default)]
    pub contributors: Vec<String>,
    /// The branch of the repository that has it as its tip; empty for none, and nothing where it was not looked for.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub source: Option<String>,
    /// The issues that its commits name, each with whether it is closed by them.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub issues: Vec<(String, bool)>,
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde hands over a reference")]
fn is_false(value: &bool) -> bool {
    !value
}
