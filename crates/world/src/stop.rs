//! Signals that ask a run to stop.

use std::fmt;
use std::io;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread;

use shipway_core::action::{Stop, Urgency};
use signal_hook::consts::{SIGHUP, SIGINT, SIGTERM};
use signal_hook::iterator::Signals;
use signal_hook::low_level::emulate_default_handler;

/// Is told how soon the run has to stop, when a signal came.
type Told = Box<dyn Fn(Urgency) + Send>;

/// What signals ask: a look to end at once, a run to come to a safe point first.
#[derive(Clone)]
pub struct Switches {
    /// The switch of looks, which change nothing: every signal means now.
    pub look: Stop,
    /// The switch of a run: the first signal means soon, every further one now.
    pub run: Stop,
    told: Arc<Mutex<Option<Told>>>,
}

impl fmt::Debug for Switches {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Switches").field("look", &self.look).field("run", &self.run).finish_non_exhaustive()
    }
}

impl Switches {
    /// Says that a run is driven from here on, and who is told of signals. It decides itself when it ends.
    pub fn drive(&self, told: impl Fn(Urgency) + Send + 'static) {
        *self.told() = Some(Box::new(told));
    }

    fn told(&self) -> MutexGuard<'_, Option<Told>> {
        self.told.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Hears one signal. Without a run, the second one ends the process, as if nobody had listened.
    fn hear(&self, signal: i32) {
        self.run.ask();
        self.look.ask();
        self.look.ask();
        match (&*self.told(), self.run.urgency()) {
            (Some(told), urgency) => told(urgency),
            (None, Urgency::Now) => {
                // There is no other way to end if this fails, and the children were killed by the first signal.
                let _ = emulate_default_handler(signal);
            }
            (None, Urgency::None | Urgency::Soon) => {}
        }
    }
}

/// Returns the switches that SIGINT, SIGTERM and SIGHUP ask.
///
/// A signal that this process was started to ignore, as by `nohup`, stays ignored.
pub fn signals() -> io::Result<Switches> {
    let ignored = ignored();
    listen([SIGINT, SIGTERM, SIGHUP].into_iter().filter(|signal| ignored >> (signal - 1) & 1 == 0))
}

fn listen(heard: impl Iterator<Item = i32>) -> io::Result<Switches> {
    let mut signals = Signals::new(heard)?;
    let switches = Switches { look: Stop::default(), run: Stop::default(), told: Arc::default() };
    let asked = switches.clone();
    thread::Builder::new().name("signals".into()).spawn(move || {
        for signal in signals.forever() {
            asked.hear(signal);
        }
    })?;
    Ok(switches)
}

/// Returns the set of ignored signals as proc(5) gives it, or the empty set where there is no such file.
fn ignored() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let set = status.lines().find_map(|line| line.strip_prefix("SigIgn:"));
    set.and_then(|set| u64::from_str_radix(set.trim(), 16).ok()).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use std::sync::mpsc;
    use std::time::Duration;

    use rustix::process::{Signal, getpid, kill_process};
    use signal_hook::consts::{SIGUSR1, SIGUSR2};

    use super::*;

    // Not the real signals: whoever starts the tests may ignore SIGINT, as a shell does for a job in the background.
    #[test]
    fn the_first_signal_means_soon_and_the_second_now() {
        let switches = listen([SIGUSR1, SIGUSR2].into_iter()).unwrap();
        let (told, heard) = mpsc::channel();
        switches.drive(move |urgency| told.send(urgency).unwrap());
        assert_eq!((switches.look.urgency(), switches.run.urgency()), (Urgency::None, Urgency::None));
        for (signal, urgency) in [(Signal::USR1, Urgency::Soon), (Signal::USR2, Urgency::Now)] {
            kill_process(getpid(), signal).unwrap();
            assert_eq!(heard.recv_timeout(Duration::from_mins(1)), Ok(urgency));
            assert_eq!((switches.look.urgency(), switches.run.urgency()), (Urgency::Now, urgency));
        }
    }
}
