//! The guard of a bare repository, against everything that is known to get past one: real git, the real program.

#![expect(clippy::unwrap_used, reason = "helpers of tests are tests")]

mod content;
mod doctor;
mod doors;
mod lfs;
mod many;
mod past;
mod refs;
mod shell;
mod stage;
mod table;
