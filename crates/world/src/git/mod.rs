//! Git, through the git binary: one action a file, its contract test in the test kit.

pub mod cmd;
pub mod remote_error;
