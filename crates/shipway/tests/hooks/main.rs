//! Local hooks, driven by real git: in work trees, in front of what others have installed, and past them.

#![expect(clippy::unwrap_used, reason = "helpers of tests are tests")]

mod checks;
mod install;
mod message;
mod past;
mod policy;
mod stage;
