//! The actions of a release on real repositories and real remotes: each by itself, and all of them under an engine
//! that is killed at every call.

#![expect(clippy::unwrap_used, reason = "a helper of a test that meets an error has found a defect")]

mod contract;
mod crash;
mod place;
mod scene;
mod settle;
