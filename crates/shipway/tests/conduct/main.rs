//! How a run behaves beside other processes: signals, locks, logs, secrets, modes, output. The real binary, with real
//! repositories, remotes and hooks.

mod checks;
mod fence;
mod logs;
mod modes;
mod output;
mod retry;
mod signal;
mod stage;
mod two;
