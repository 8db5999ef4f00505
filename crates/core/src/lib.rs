//! What a release is and what may happen next: the model and the rules, without any I/O.
//!
//! Facts become a plan, a plan becomes entries, entries become everything else. The modules stand in import order: one
//! may use only those above it (action and gate are one thought in two files and may use each other).

pub mod id;
pub mod secrets;
pub mod lfs;
pub mod time;
pub mod problem;
pub mod window;
pub mod version;
pub mod say;
pub mod deployment;
pub mod proxy;
pub mod deps;
pub mod preflight;
pub mod config;
pub mod policy;
pub mod statement;
pub mod signers;
pub mod grade;
pub mod change;
pub mod merkle;
pub mod anchor;
pub mod flow;
pub mod backup;
pub mod facts;
pub mod validate;
pub mod local;
pub mod action;
pub mod gate;
pub mod plan;
pub mod edit;
pub mod kinds;
pub mod journal;
pub mod run;
pub mod drive;
pub mod planner;
