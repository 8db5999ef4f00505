//! Clocks of a host: one that never jumps, and one for people.

use std::fmt::Debug;
use std::fs;

use rustix::time::{ClockId, clock_gettime};
use shipway_core::time::Time;

/// The clocks of a host.
pub trait Clock: Debug + Send + Sync {
    /// Returns milliseconds since the host was started; sleep counts, and nobody can set it.
    fn uptime_ms(&self) -> u64;
    /// Returns what tells this start of the host from every other.
    fn boot(&self) -> String;
    /// Returns the time for people.
    fn now(&self) -> Time;
}

/// The clocks of this machine.
#[derive(Clone, Copy, Debug, Default)]
pub struct RealClock;

impl Clock for RealClock {
    fn uptime_ms(&self) -> u64 {
        #[cfg(target_os = "linux")]
        let time = clock_gettime(ClockId::Boottime);
        #[cfg(not(target_os = "linux"))]
        let time = clock_gettime(ClockId::Monotonic);
        let (seconds, nanos) = (u64::try_from(time.tv_sec), u64::try_from(time.tv_nsec));
        seconds.unwrap_or(0) * 1000 + nanos.unwrap_or(0) / 1_000_000
    }

    fn boot(&self) -> String {
        fs::read_to_string("/proc/sys/kernel/random/boot_id").unwrap_or_default().trim().to_owned()
    }

    fn now(&self) -> Time {
        crate::shell::now()
    }
}
