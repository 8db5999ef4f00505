//! Agents as processes: over pipes, over ssh, killed, stopped, and left alone.

#![expect(clippy::unwrap_used, reason = "helpers of tests are tests")]

mod kill;
mod local;
mod scene;
mod ssh;
