//! Asks a built-in proxy on its control socket.

use std::io::{self, BufRead, BufReader, Write};
use std::os::unix::net::UnixStream;
use std::path::{Path, PathBuf};
use std::time::Duration;

use shipway_core::problem::{Code, Problem};
use shipway_core::proxy::{Answer, Ask, Counters, State, Upstream};

/// How long an answer may take beyond what was asked to be waited for.
const PATIENCE: Duration = Duration::from_secs(20);

/// Asks one proxy; every question is a connection of its own.
#[derive(Clone, Debug)]
pub struct Client {
    socket: PathBuf,
}

impl Client {
    /// Returns a client of the proxy with a control socket. Nothing is asked yet.
    pub fn new(socket: impl AsRef<Path>) -> Self {
        Self { socket: socket.as_ref().to_owned() }
    }

    /// Returns how the proxy stands.
    pub fn state(&self) -> Result<State, Problem> {
        self.stands(&Ask::State, Duration::ZERO)
    }

    /// Lets these get all new requests, and waits for at most `drain` until nothing is in flight to others. The state
    /// says whether something still is.
    pub fn switch(&self, upstreams: &[Upstream], drain: Duration) -> Result<State, Problem> {
        self.stands(&Ask::Switch { upstreams: upstreams.to_vec(), drain_ms: millis(drain) }, drain)
    }

    /// Holds new requests, each for at most `limit`.
    pub fn pause(&self, limit: Duration) -> Result<State, Problem> {
        self.stands(&Ask::Pause { limit_ms: millis(limit) }, Duration::ZERO)
    }

    /// Lets what is held go on.
    pub fn resume(&self) -> Result<State, Problem> {
        self.stands(&Ask::Resume, Duration::ZERO)
    }

    /// Lets the proxy end when what is in flight has ended.
    pub fn stop(&self) -> Result<State, Problem> {
        self.stands(&Ask::Stop, Duration::ZERO)
    }

    /// Returns what was counted for each upstream.
    pub fn counters(&self) -> Result<Vec<Counters>, Problem> {
        match self.ask(&Ask::Counters, Duration::ZERO)? {
            Answer::Counters { counters } => Ok(counters),
            other => Err(self.strange(&other)),
        }
    }

    /// Returns the counters as text for Prometheus.
    pub fn metrics(&self) -> Result<String, Problem> {
        match self.ask(&Ask::Metrics, Duration::ZERO)? {
            Answer::Metrics { text } => Ok(text),
            other => Err(self.strange(&other)),
        }
    }

    fn stands(&self, ask: &Ask, wait: Duration) -> Result<State, Problem> {
        match self.ask(ask, wait)? {
            Answer::State(state) => Ok(state),
            other => Err(self.strange(&other)),
        }
    }

    fn ask(&self, ask: &Ask, wait: Duration) -> Result<Answer, Problem> {
        match self.exchange(ask, wait) {
            Ok(Answer::Problem(problem)) => Err(problem),
            Ok(answer) => Ok(answer),
            Err(error) => Err(self.silent().found(error.to_string())),
        }
    }

    fn exchange(&self, ask: &Ask, wait: Duration) -> io::Result<Answer> {
        let mut stream = UnixStream::connect(&self.socket)?;
        stream.set_read_timeout(Some(PATIENCE.saturating_add(wait)))?;
        stream.set_write_timeout(Some(PATIENCE))?;
        stream.write_all(format!("{}\n", serde_json::to_string(ask)?).as_bytes())?;
        let mut line = String::new();
        if BufReader::new(stream).read_line(&mut line)? == 0 {
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
        Ok(serde_json::from_str(&line)?)
    }

    fn strange(&self, answer: &Answer) -> Problem {
        self.silent().found(format!("{answer:?}"))
    }

    fn silent(&self) -> Problem {
        Problem::new(Code::ProxySilent, "the proxy does not answer").at(self.socket.display().to_string())
    }
}

fn millis(duration: Duration) -> u64 {
    u64::try_from(duration.as_millis()).unwrap_or(u64::MAX)
}
