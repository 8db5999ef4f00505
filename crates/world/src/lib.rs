//! The outside: every hand that a release has on this machine and beyond it.
//!
//! What a release is and what may happen next is not decided here but in `shipway_core`.

pub mod lease;
pub mod store;
pub mod shell;
pub mod stop;
pub mod world;
pub mod incident;
pub mod changelog;
pub mod package;
pub mod readme;
pub mod git;
pub mod artifact;
pub mod facts;
pub mod keys;
pub mod backup;
pub mod check;
pub mod proxy;
pub mod live;
pub mod agent;
pub mod host;
pub mod deploy;
pub mod catalog;
pub mod deps;
pub mod hooks;
pub mod records;
pub mod policy;
pub mod guard;
pub mod change;
pub mod flow;
pub mod trigger;
pub mod preflight;
pub mod doctor;
