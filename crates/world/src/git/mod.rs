//! Git, through the git binary: one action a file, its contract test in the test kit.

pub mod checkpoint;
pub mod cmd;
pub mod commit;
pub(crate) mod hand;
pub mod push;
pub(crate) mod remote;
pub mod remote_error;
pub mod repository;
pub mod settle;
pub mod tag;
pub mod withdraw;
