//! The command line of shipway: arguments in, one command, words out.
//!
//! What a release is lives in `shipway-core`; every hand outside lives in `shipway-world`; only [`view`] prints.

use std::process::ExitCode;

pub mod view;

/// Runs the command line of this process and returns its exit code.
pub fn main() -> ExitCode {
    ExitCode::SUCCESS
}
