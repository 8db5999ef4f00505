//! Change requests and landings, from plain git to a proven branch, on a real guarded repository.

#![expect(clippy::unwrap_used, reason = "helpers of tests are tests")]

mod land;
mod review;
mod stage;
