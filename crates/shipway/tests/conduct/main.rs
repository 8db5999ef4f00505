//! How a run behaves beside other processes: signals, locks, logs, secrets, modes, output. The real binary, with real
//! repositories, remotes and hooks.

#![expect(clippy::unwrap_used, reason = "what goes wrong in a test is a failed test")]

mod anchored;
mod checks;
mod documents;
mod fence;
mod logs;
mod modes;
mod output;
mod preflight;
mod retry;
mod signal;
mod signed;
mod stage;
mod two;
mod waiting;
