//! Everything that is done with git, through the git binary.

pub mod cmd;
