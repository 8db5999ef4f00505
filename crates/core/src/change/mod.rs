//! Change requests: what is asked to land on a branch, without a forge.
//!
//! A change request is a list of events, kept by the guard of a repository under `refs/shipway/changes/N/log`, each a
//! commit with the event as JSON; every pushed version stays under `refs/shipway/changes/N/VERSION`. What it is now is
//! a fold over its events.

mod event;
mod state;
pub mod text;

pub use event::{Event, Record, Version};
pub use state::{ChangeRequest, Comment, Given, State, fold};

/// Where change requests are kept.
pub const CHANGES: &str = "refs/shipway/changes";
/// Where the tickets of landings are kept: one log for a repository.
pub const LANDINGS: &str = "refs/shipway/landings";
/// What is pushed to, to ask that something lands on a branch: `refs/for/main`.
pub const FOR: &str = "refs/for";
/// What is pushed to, to add a signed event to a log: `refs/events/changes/7`, `refs/events/landings`.
pub const EVENTS: &str = "refs/events";
/// The file in a commit of a log.
pub const FILE: &str = crate::policy::RECORD;
