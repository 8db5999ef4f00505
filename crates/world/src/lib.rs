//! The outside: everything that looks at the world or changes it.

pub mod facts;
pub mod git;
