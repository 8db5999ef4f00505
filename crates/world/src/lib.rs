//! The outside: every hand that a release has on this machine and beyond it.

pub mod changelog;
pub mod git;
pub mod package;
pub mod readme;
pub mod shell;
pub mod stop;
pub mod world;
