//! The kinds of a landing: checks on the very commit, its ticket, and the move of the branch.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::id::Digest;
use crate::statement::Reason;

/// The kind of [`Check`].
pub const CHECK: &str = "land.check";
/// The kind of [`Ticket`].
pub const TICKET: &str = "land.ticket";
/// The kind of [`Land`].
pub const LAND: &str = "land.push";

/// Runs a command on a clean checkout of a commit.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Check {
    /// The object id of the commit.
    pub commit: String,
    /// The program and its arguments.
    pub run: Vec<String>,
    /// Variables to set on top of the inherited ones.
    #[serde(default)]
    pub env: BTreeMap<String, String>,
}

/// Signs a landing ticket and brings it to the guard.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Ticket {
    /// The remote with the guard.
    pub remote: String,
    /// The name of the repository, as its guard gives it.
    pub repository: String,
    /// The full name of the ref.
    pub reference: String,
    /// The object id that it has; empty if it is made.
    pub old: String,
    /// The object id that it is to have; empty for the commit that the run has made.
    pub new: String,
    /// The digest of the policy in force.
    pub policy: String,
    /// Why it may move.
    pub reason: Reason,
    /// The approvals that it rests on: digests of their statements.
    pub approvals: Vec<Digest>,
    /// The checks that pass before it is signed.
    pub checks: Vec<String>,
    /// How long it is good for, in milliseconds.
    pub good_for_ms: u64,
    /// The key that signs, such as `ssh-ed25519 AAAA…`.
    pub key: String,
    /// The file that is named to ssh-keygen; empty where there is none.
    pub key_file: String,
    /// The agent that has the key, where it is needed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub agent: Option<String>,
}

/// Moves a branch by its ticket.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Land {
    /// The remote with the guard.
    pub remote: String,
    /// The branch, without `refs/heads/`.
    pub branch: String,
    /// The object id that it has; empty if it is made.
    pub old: String,
    /// The object id that it is to have.
    pub new: String,
    /// How it was merged, for people.
    pub how: String,
}
