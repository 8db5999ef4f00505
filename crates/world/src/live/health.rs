//! Whether a service is well: often enough in a row, over a time, without being started again meanwhile.

use std::net::{TcpStream, ToSocketAddrs};
use std::time::{Duration, Instant};

use shipway_core::deployment::{Health, Probe};
use shipway_core::problem::{Code, Problem};

use super::keeper::{self, State};
use super::{Instance, http, wait};

/// The pause after a question whose answer was not good.
const AGAIN: Duration = Duration::from_millis(100);

/// Returns what is asked of a service that says nothing of its health: that it listens, if it has a port, and runs.
fn usual(instance: &Instance<'_>) -> Health {
    let probe = match instance.port() {
        Some(_) => Probe::Tcp("127.0.0.1:{port}".into()),
        None => Probe::Service,
    };
    Health {
        probe,
        expect: None,
        status: None,
        slowest_ms: 5000,
        passes: 3,
        over_ms: 1000,
        within_ms: 60_000,
    }
}

/// Waits until a copy of a service is well.
pub(super) fn wait(instance: &Instance<'_>) -> Result<(), Problem> {
    let health = instance.service.health.clone().unwrap_or_else(|| usual(instance));
    let begun = Instant::now();
    let keeper = keeper::of(instance)?;
    let mut series = Series::new(&health);
    loop {
        let state = keeper.see(instance)?;
        let verdict = if state.is_as_wanted() { ask(instance, &health) } else { Err(state.detail.clone()) };
        let next = series.add(state, verdict);
        let late = begun.elapsed() >= Duration::from_millis(health.within_ms);
        match next {
            // The process must still be the same one after the last answer.
            Next::Done if series.stands(&keeper.see(instance)?) => {
                instance.say("is well");
                return Ok(());
            }
            Next::GiveUp => return Err(unwell(instance, &health, &series)),
            Next::Done | Next::After(_) if late => return Err(unwell(instance, &health, &series)),
            Next::Done => wait::rest(instance.place, AGAIN)?,
            Next::After(pause) => wait::rest(instance.place, pause)?,
        }
    }
}

/// What to do after an answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Next {
    /// It was well often enough.
    Done,
    /// Ask again after this time.
    After(Duration),
    /// Its manager has given up on it.
    GiveUp,
}

/// Good answers in a row, all of one process.
#[derive(Debug)]
struct Series {
    wanted: u32,
    pause: Duration,
    passes: u32,
    first: Option<State>,
    last: String,
    broken: u32,
}

impl Series {
    fn new(health: &Health) -> Self {
        let wanted = health.passes.max(1);
        let gaps = u64::from(wanted - 1).max(1);
        let pause = Duration::from_millis(health.over_ms.div_ceil(gaps));
        Self { wanted, pause, passes: 0, first: None, last: String::new(), broken: 0 }
    }

    /// Takes an answer, and the state in which it was given.
    fn add(&mut self, state: State, verdict: Result<(), String>) -> Next {
        let verdict = match verdict {
            Ok(()) if self.first.is_some() && !self.stands(&state) => Err("was started again".into()),
            other => other,
        };
        if let Err(why) = verdict {
            self.broken += u32::from(self.passes > 0);
            self.passes = 0;
            self.first = None;
            self.last = why;
            return if state.given_up { Next::GiveUp } else { Next::After(self.pause.min(AGAIN)) };
        }
        self.first.get_or_insert(state);
        self.passes += 1;
        if self.passes >= self.wanted { Next::Done } else { Next::After(self.pause) }
    }

    /// Tells whether a state is still that of the first good answer.
    fn stands(&self, state: &State) -> bool {
        let of = |state: &State| (state.pid, state.restarts, state.running && state.ours);
        self.first.as_ref().is_some_and(|first| of(first) == of(state))
    }
}

/// Asks once, and returns what is wrong.
fn ask(instance: &Instance<'_>, health: &Health) -> Result<(), String> {
    let limit = Duration::from_millis(health.slowest_ms);
    let answer = match &health.probe {
        Probe::Http(url) => {
            let answer = http::ask(&instance.fill(url), limit)?;
            let good =
                health.status.map_or((200..300).contains(&answer.status), |want| want == answer.status);
            if !good {
                return Err(format!("status {}", answer.status));
            }
            if answer.took > limit {
                return Err(format!("took {} ms", answer.took.as_millis()));
            }
            answer.body
        }
        Probe::Tcp(address) => {
            let address = instance.fill(address);
            connect(&address, limit).map_err(|error| format!("{address}: {error}"))?;
            return Ok(());
        }
        Probe::Command(words) => {
            let output = instance.run(words).map_err(|problem| problem.what)?;
            if !output.ok() {
                let said = wait::last_lines(&output).join("; ");
                return Err(format!("ended with {:?}: {said}", output.ended));
            }
            format!("{}\n{}", output.text(), output.error_text())
        }
        Probe::Service => return Ok(()),
        Probe::Unknown => return Err("a probe of a newer shipway".into()),
    };
    match health.expect.as_ref().map(|expect| instance.fill(expect)) {
        Some(expect) if !answer.contains(&expect) => {
            let said: String = answer.trim().chars().take(200).collect();
            Err(format!("answers `{said}`, without `{expect}`"))
        }
        Some(_) | None => Ok(()),
    }
}

fn connect(address: &str, limit: Duration) -> std::io::Result<()> {
    let mut last = std::io::Error::from(std::io::ErrorKind::NotFound);
    for address in address.to_socket_addrs()? {
        match TcpStream::connect_timeout(&address, limit.max(Duration::from_millis(1))) {
            Ok(_) => return Ok(()),
            Err(error) => last = error,
        }
    }
    Err(last)
}

fn unwell(instance: &Instance<'_>, health: &Health, series: &Series) -> Problem {
    let Health { passes, over_ms, within_ms, .. } = health;
    let wanted = format!("well {passes} times in a row over {over_ms} ms, within {within_ms} ms");
    let broken =
        if series.broken > 0 { format!(" (well at times: {})", series.broken) } else { String::new() };
    let found = instance.mask([format!("{}{broken}", series.last)]).concat();
    let problem = Problem::new(Code::ServiceUnhealthy, format!("{} is not well", instance.name()));
    keeper::with_log(instance, problem.found(found).wanted(wanted))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn state(pid: u32, restarts: u64) -> State {
        State { running: true, ours: true, pid: Some(pid), restarts: Some(restarts), ..State::default() }
    }

    fn series() -> Series {
        Series::new(&Health {
            probe: Probe::Service,
            expect: None,
            status: None,
            slowest_ms: 1,
            passes: 3,
            over_ms: 1000,
            within_ms: 1,
        })
    }

    /// Gives a series some answers, and returns what is to be done after the last.
    fn check(answers: &[(State, bool)], next: Next) {
        let mut series = series();
        let mut last = None;
        for (state, good) in answers {
            last = Some(series.add(state.clone(), if *good { Ok(()) } else { Err("bad".into()) }));
        }
        assert_eq!(last, Some(next), "{answers:?}");
    }

    #[test]
    fn only_good_answers_in_a_row_from_one_process_count() {
        let one = || state(7, 0);
        let pause = Next::After(Duration::from_millis(500));
        check(&[(one(), true)], pause);
        check(&[(one(), true), (one(), true), (one(), true)], Next::Done);
        check(&[(one(), true), (one(), true), (one(), false)], Next::After(AGAIN));
        check(&[(one(), true), (one(), false), (one(), true), (one(), true)], pause);
        // Another process, and the same number after a restart.
        check(&[(one(), true), (one(), true), (state(8, 0), true)], Next::After(AGAIN));
        check(&[(one(), true), (one(), true), (state(7, 1), true)], Next::After(AGAIN));
        let gone = State { given_up: true, ..State::down("failed") };
        check(&[(one(), true), (gone, false)], Next::GiveUp);
    }

    #[test]
    fn the_last_look_must_see_the_first_process() {
        let mut series = series();
        series.add(state(7, 0), Ok(()));
        assert!(series.stands(&state(7, 0)));
        assert!(!series.stands(&state(7, 1)));
        assert!(!series.stands(&State::down("gone")));
    }
}
