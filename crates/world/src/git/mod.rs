//! Git: what its answers mean.

pub mod remote_error;
