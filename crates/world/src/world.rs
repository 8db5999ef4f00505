//! The real world: this machine's shell, clock and network.

use std::io;
use std::path::PathBuf;
use std::sync::Arc;
use std::thread;
use std::time::{Duration, Instant};

use shipway_core::action::{LogKey, LogSeal, Shell, Stop, Urgency, World};
use shipway_core::anchor::Seal;
use shipway_core::time::Time;
use ureq::Agent;

use crate::agent::clock::{Clock as _, RealClock};
use crate::shell::{self, LocalShell, Logs};
use crate::store::{Sealer, SqliteJournal};

/// How often the switch is looked at.
const TICK: Duration = Duration::from_millis(50);

/// The world as it is.
#[derive(Debug)]
pub struct RealWorld {
    shell: LocalShell,
    logs: Arc<Logs>,
    agent: Agent,
    journal: Option<PathBuf>,
}

impl RealWorld {
    /// Returns the world with a shell and the logs that this shell writes.
    pub fn new(shell: LocalShell, logs: Arc<Logs>) -> Self {
        let config = Agent::config_builder()
            .http_status_as_error(false)
            // An address is healthy by its own answer, not by that of the login page it points to.
            .max_redirects(0)
            .max_redirects_will_error(false)
            .user_agent(concat!("shipway/", env!("CARGO_PKG_VERSION")));
        Self { shell: shell.logs(Arc::clone(&logs)), logs, agent: config.build().into(), journal: None }
    }

    /// Names the directory of the journal that checkpoints are about.
    #[must_use]
    pub fn journal(mut self, dir: PathBuf) -> Self {
        self.journal = Some(dir);
        self
    }

    /// Returns the logs of steps.
    pub fn logs(&self) -> &Logs {
        &self.logs
    }
}

impl World for RealWorld {
    fn shell(&self) -> &dyn Shell {
        &self.shell
    }

    fn http_status(&self, url: &str, timeout: Duration) -> io::Result<u16> {
        let request = self.agent.get(url).config().timeout_global(Some(timeout)).build();
        match request.call() {
            Ok(response) => Ok(response.status().as_u16()),
            Err(error @ ureq::Error::Timeout(_)) => {
                Err(io::Error::new(io::ErrorKind::TimedOut, error.to_string()))
            }
            Err(error) => Err(error.into_io()),
        }
    }

    fn http_text(&self, url: &str, timeout: Duration) -> io::Result<String> {
        let request = self.agent.get(url).config().timeout_global(Some(timeout)).build();
        let mut response = request.call().map_err(ureq::Error::into_io)?;
        let text = response.body_mut().read_to_string().map_err(ureq::Error::into_io)?;
        if response.status().is_success() {
            return Ok(text);
        }
        Err(io::Error::other(format!("status {}", response.status().as_u16())))
    }

    fn now(&self) -> Time {
        shell::now()
    }

    fn uptime(&self) -> Duration {
        Duration::from_millis(RealClock.uptime_ms())
    }

    fn rest(&self, time: Duration, stop: &Stop) {
        let begun = Instant::now();
        while stop.urgency() == Urgency::None {
            let Some(left) = time.checked_sub(begun.elapsed()).filter(|left| !left.is_zero()) else { return };
            thread::sleep(left.min(TICK));
        }
    }

    fn mask(&self, text: &str) -> String {
        self.shell.mask(text)
    }

    fn seal(&self, key: &LogKey) -> Option<LogSeal> {
        self.logs.seal(key)
    }

    fn checkpoint(&self) -> Option<Seal> {
        let dir = self.journal.as_deref()?;
        // A release is not to fail for want of an anchor: verifying says what is unanchored.
        let (size, root) = SqliteJournal::open_read_only(dir).ok()?.root().ok()?;
        Some(Sealer::open(dir).ok()?.seal(size, root, shell::now()))
    }
}

#[cfg(test)]
mod tests {
    use std::io::{BufRead, BufReader, Write};
    use std::net::TcpListener;

    use super::*;

    fn world(dir: &tempfile::TempDir) -> RealWorld {
        RealWorld::new(LocalShell::new(), Arc::new(Logs::new(dir.path())))
    }

    /// Answers one request and returns the address for it.
    fn answering(answer: &'static str) -> String {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = format!("http://{}/health", listener.local_addr().unwrap());
        thread::spawn(move || {
            let (mut stream, _) = listener.accept().unwrap();
            let mut lines = BufReader::new(stream.try_clone().unwrap()).lines();
            while lines.next().is_some_and(|line| !line.unwrap().is_empty()) {}
            stream.write_all(answer.as_bytes()).unwrap();
        });
        address
    }

    #[test]
    fn the_status_of_an_address_is_its_own() {
        let dir = tempfile::tempdir().unwrap();
        for (answer, status) in [
            ("HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nok", 200),
            ("HTTP/1.1 302 Found\r\nlocation: /login\r\ncontent-length: 0\r\n\r\n", 302),
            ("HTTP/1.1 503 Service Unavailable\r\ncontent-length: 0\r\n\r\n", 503),
        ] {
            let found = world(&dir).http_status(&answering(answer), Duration::from_secs(20));
            assert_eq!(found.unwrap(), status);
        }
    }

    #[test]
    fn an_address_that_does_not_answer_is_an_error() {
        let dir = tempfile::tempdir().unwrap();
        let silent = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = format!("http://{}/", silent.local_addr().unwrap());
        let error = world(&dir).http_status(&address, Duration::from_millis(50)).unwrap_err();
        assert_eq!(error.kind(), io::ErrorKind::TimedOut);
    }

    #[test]
    fn rest_ends_early_when_the_run_is_to_stop() {
        let dir = tempfile::tempdir().unwrap();
        let stop = Stop::default();
        let begun = Instant::now();
        world(&dir).rest(Duration::from_millis(20), &stop);
        assert!(begun.elapsed() >= Duration::from_millis(20));
        stop.ask();
        world(&dir).rest(Duration::from_hours(1), &stop);
        assert!(begun.elapsed() < Duration::from_hours(1));
    }
}
