//! How commands are run: their process groups, time limits and logs.
//!
//! A command is an argument vector. What it may do to the world is not decided here.

mod feed;
mod forms;
mod group;
mod keep;
pub mod local;
pub mod log;
pub mod mask;
mod watch;

#[cfg(test)]
mod tests;

use std::time::{SystemTime, UNIX_EPOCH};

use shipway_core::time::Time;

pub use self::local::{Descriptor, LocalShell};
pub use self::log::{Chunk, Listener, Logs, Stream};
pub use self::mask::{Masking, Masks};

/// Returns the time of this machine's clock, or 1970 if the clock stands before it.
pub fn now() -> Time {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    Time(u64::try_from(since.as_millis()).unwrap_or(u64::MAX))
}
