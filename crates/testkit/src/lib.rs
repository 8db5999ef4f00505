//! What tests of every crate share: real repositories and remotes, doubles of the ports, and suites that hold code to
//! its contract. Not part of the product.

pub mod contract;
pub mod crash;
mod diff;
pub mod hermetic;
pub mod remote;
pub mod repo;
mod samples;
pub mod snapshot;
pub mod state;
pub mod world;
