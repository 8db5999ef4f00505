//! What tests of every crate share: suites that hold an implementation to its port, doubles, and harnesses.

pub mod contract;
pub mod crash;
mod diff;
pub mod hermetic;
pub mod host;
pub mod journal;
pub mod load;
pub mod program;
pub mod remote;
pub mod repo;
mod samples;
pub mod skip;
pub mod snapshot;
pub mod state;
pub mod world;
