//! Signals that ask a run to stop.

use std::io;
use std::thread;

use shipway_core::action::Stop;
use signal_hook::consts::{SIGHUP, SIGINT, SIGTERM};
use signal_hook::iterator::Signals;

/// Returns the switch that SIGINT, SIGTERM and SIGHUP ask: the first to stop soon, every further one to stop now.
///
/// A signal that this process was started to ignore, as by `nohup`, stays ignored.
pub fn signals() -> io::Result<Stop> {
    let ignored = ignored();
    let heard = [SIGINT, SIGTERM, SIGHUP].into_iter().filter(|signal| ignored >> (signal - 1) & 1 == 0);
    let mut signals = Signals::new(heard)?;
    let stop = Stop::default();
    let asked = stop.clone();
    thread::Builder::new().name("signals".into()).spawn(move || {
        for _ in signals.forever() {
            asked.ask();
        }
    })?;
    Ok(stop)
}

/// Returns the set of ignored signals as proc(5) gives it, or the empty set where there is no such file.
fn ignored() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let set = status.lines().find_map(|line| line.strip_prefix("SigIgn:"));
    set.and_then(|set| u64::from_str_radix(set.trim(), 16).ok()).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use std::time::{Duration, Instant};

    use rustix::process::{Signal, getpid, kill_process};
    use shipway_core::action::Urgency;

    use super::*;

    fn wait_for(stop: &Stop, urgency: Urgency) {
        let end = Instant::now() + Duration::from_secs(20);
        while stop.urgency() != urgency {
            assert!(Instant::now() < end, "{:?} is not {urgency:?}", stop.urgency());
            thread::sleep(Duration::from_millis(1));
        }
    }

    #[test]
    fn the_first_signal_means_soon_and_the_second_now() {
        let stop = signals().unwrap();
        assert_eq!(stop.urgency(), Urgency::None);
        kill_process(getpid(), Signal::TERM).unwrap();
        wait_for(&stop, Urgency::Soon);
        kill_process(getpid(), Signal::INT).unwrap();
        wait_for(&stop, Urgency::Now);
    }
}
