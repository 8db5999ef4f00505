//! Bad input and faults against the real program: each has its own code, a hint, and leaves everything as it was.

#![expect(clippy::unwrap_used, clippy::print_stdout, reason = "helpers of tests are tests")]

mod clock;
mod disk;
mod files;
mod history;
mod moved;
mod programs;
mod remotes;
mod repository;
mod settings;
mod signing;
mod six;
mod stage;
mod text;
