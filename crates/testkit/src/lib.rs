//! What tests of every crate share: suites that hold an implementation to its port, doubles, and harnesses.

pub mod journal;
pub mod skip;
