//! A world for tests: real commands, a clock that does as it is told, and addresses that answer from a table.

use std::collections::{BTreeMap, VecDeque};
use std::ffi::OsString;
use std::fmt;
use std::io::{self, Read, Write};
use std::os::unix::process::ExitStatusExt;
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use shipway_core::action::{Cmd, Ended, LogKey, LogSeal, Output, Shell, Stop, Urgency, World};
use shipway_core::time::Time;

use crate::hermetic;

/// The time in a new world: 2026-02-01T12:00:00Z, after the commits of small sample repositories.
pub const NOON: Time = Time(1_769_947_200_000);

/// How the clock moves whenever somebody looks at it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Pace {
    /// Looking does not move it; resting does.
    #[default]
    Still,
    /// Neither looking nor resting moves it.
    Stopped,
    /// Every look moves it on by this much.
    Forward(Duration),
    /// Every look moves it back by this much.
    Backward(Duration),
}

/// A world with a virtual clock over any shell. Clones share everything.
#[derive(Clone)]
pub struct TestWorld {
    shell: Arc<dyn Shell>,
    inside: Arc<Mutex<Inside>>,
}

#[derive(Debug, Default)]
struct Inside {
    now: Time,
    pace: Pace,
    rested: Duration,
    answers: BTreeMap<String, VecDeque<u16>>,
    texts: BTreeMap<String, String>,
    asked: Vec<String>,
}

impl fmt::Debug for TestWorld {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("TestWorld").field("inside", &self.inside()).finish_non_exhaustive()
    }
}

impl Default for TestWorld {
    fn default() -> Self {
        Self::new()
    }
}

impl TestWorld {
    /// Returns a world over a hermetic [`PlainShell`].
    pub fn new() -> Self {
        Self::over(PlainShell::hermetic())
    }

    /// Returns a world over a shell.
    pub fn over(shell: impl Shell + 'static) -> Self {
        let inside = Inside { now: NOON, ..Inside::default() };
        Self { shell: Arc::new(shell), inside: Arc::new(Mutex::new(inside)) }
    }

    /// Sets the clock.
    pub fn set(&self, now: Time) -> &Self {
        self.inside().now = now;
        self
    }

    /// Moves the clock on.
    pub fn forward(&self, span: Duration) -> &Self {
        let mut inside = self.inside();
        inside.now = inside.now.after(span);
        self
    }

    /// Moves the clock back.
    pub fn backward(&self, span: Duration) -> &Self {
        let mut inside = self.inside();
        inside.now = back(inside.now, span);
        self
    }

    /// Sets how the clock moves whenever somebody looks at it.
    pub fn pace(&self, pace: Pace) -> &Self {
        self.inside().pace = pace;
        self
    }

    /// Lets an address answer with these statuses, one after the other; the last is repeated.
    pub fn answer(&self, url: &str, statuses: &[u16]) -> &Self {
        self.inside().answers.insert(url.to_owned(), statuses.iter().copied().collect());
        self
    }

    /// Lets an address answer with this text from now on.
    pub fn answer_text(&self, url: &str, text: &str) -> &Self {
        self.inside().texts.insert(url.to_owned(), text.to_owned());
        self
    }

    /// Returns the addresses that were asked, in order.
    pub fn asked(&self) -> Vec<String> {
        self.inside().asked.clone()
    }

    /// Returns how long was rested in all; no real time passed.
    pub fn rested(&self) -> Duration {
        self.inside().rested
    }

    fn inside(&self) -> MutexGuard<'_, Inside> {
        self.inside.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn back(now: Time, span: Duration) -> Time {
    Time(now.0.saturating_sub(u64::try_from(span.as_millis()).unwrap_or(u64::MAX)))
}

impl World for TestWorld {
    fn shell(&self) -> &dyn Shell {
        &*self.shell
    }

    fn http_status(&self, url: &str, _timeout: Duration) -> io::Result<u16> {
        let mut inside = self.inside();
        inside.asked.push(url.to_owned());
        let refused = || io::Error::new(io::ErrorKind::ConnectionRefused, format!("nobody listens at {url}"));
        let answers = inside.answers.get_mut(url).ok_or_else(refused)?;
        let first = *answers.front().ok_or_else(refused)?;
        if answers.len() > 1 {
            answers.pop_front();
        }
        Ok(first)
    }

    fn http_text(&self, url: &str, timeout: Duration) -> io::Result<String> {
        let text = self.inside().texts.get(url).cloned();
        match text {
            Some(text) => Ok(text),
            None => Err(io::Error::other(format!("status {}", self.http_status(url, timeout)?))),
        }
    }

    fn now(&self) -> Time {
        let mut inside = self.inside();
        let now = inside.now;
        inside.now = match inside.pace {
            Pace::Still | Pace::Stopped => now,
            Pace::Forward(span) => now.after(span),
            Pace::Backward(span) => back(now, span),
        };
        now
    }

    fn uptime(&self) -> Duration {
        self.inside().rested
    }

    fn rest(&self, time: Duration, stop: &Stop) {
        if stop.urgency() > Urgency::None {
            return;
        }
        let mut inside = self.inside();
        inside.rested += time;
        if inside.pace != Pace::Stopped {
            inside.now = inside.now.after(time);
        }
    }

    fn mask(&self, text: &str) -> String {
        text.to_owned()
    }

    fn seal(&self, _key: &LogKey) -> Option<LogSeal> {
        None
    }
}

/// Runs commands and nothing more: no logs, no process groups. What a killed command started lives on.
#[derive(Clone, Debug, Default)]
pub struct PlainShell {
    set: Vec<(OsString, OsString)>,
    unset: Vec<OsString>,
}

impl PlainShell {
    /// Returns a shell whose commands inherit all variables.
    pub fn new() -> Self {
        Self::default()
    }

    /// Returns a shell whose commands are hermetic.
    pub fn hermetic() -> Self {
        Self { set: hermetic::variables(), unset: hermetic::inherited() }
    }

    /// Sets a variable of all commands; a command may set it otherwise.
    #[must_use]
    pub fn env(mut self, name: impl Into<OsString>, value: impl Into<OsString>) -> Self {
        self.set.push((name.into(), value.into()));
        self
    }

    fn command(&self, cmd: &Cmd) -> io::Result<Command> {
        let (program, args) = cmd.argv.split_first().ok_or(io::ErrorKind::InvalidInput)?;
        let mut command = Command::new(program);
        command.args(args).stdout(Stdio::piped()).stderr(Stdio::piped());
        command.stdin(if cmd.stdin.is_some() { Stdio::piped() } else { Stdio::null() });
        if !cmd.dir.as_os_str().is_empty() {
            command.current_dir(&cmd.dir);
        }
        for name in &self.unset {
            command.env_remove(name);
        }
        command.envs(self.set.iter().map(|(name, value)| (name, value)));
        for name in &cmd.unset {
            command.env_remove(name);
        }
        command.envs(cmd.env.iter().map(|(name, value)| (name, value)));
        Ok(command)
    }
}

impl Shell for PlainShell {
    fn run(&self, cmd: &Cmd, stop: &Stop) -> io::Result<Output> {
        let mut child = self.command(cmd)?.spawn()?;
        if let (Some(mut pipe), Some(input)) = (child.stdin.take(), cmd.stdin.clone()) {
            // A command that does not read its input is not in the wrong.
            thread::spawn(move || drop(pipe.write_all(&input)));
        }
        let stdout = Stream::collect(child.stdout.take());
        let stderr = Stream::collect(child.stderr.take());
        let ended = wait(&mut child, cmd.timeout, stop)?;
        let whole = matches!(ended, Ended::Exit(_) | Ended::Signal(_));
        Ok(Output { ended, stdout: stdout.bytes(whole), stderr: stderr.bytes(whole) })
    }
}

/// Waits for a child, and kills it when its time is over or the run is to stop now.
fn wait(child: &mut Child, timeout: Option<Duration>, stop: &Stop) -> io::Result<Ended> {
    let begun = Instant::now();
    let mut pause = Duration::from_micros(200);
    loop {
        if let Some(status) = child.try_wait()? {
            return Ok(ended(status));
        }
        let late = timeout.is_some_and(|timeout| begun.elapsed() >= timeout);
        if late || stop.urgency() == Urgency::Now {
            child.kill()?;
            child.wait()?;
            return Ok(if late { Ended::TimedOut } else { Ended::Stopped });
        }
        thread::sleep(pause);
        pause = (pause * 2).min(Duration::from_millis(10));
    }
}

fn ended(status: ExitStatus) -> Ended {
    match (status.code(), status.signal()) {
        (Some(code), _) => Ended::Exit(code),
        (None, signal) => Ended::Signal(signal.unwrap_or_default()),
    }
}

/// What a command writes, collected while it runs.
struct Stream {
    bytes: Arc<Mutex<Vec<u8>>>,
    reader: JoinHandle<()>,
}

impl Stream {
    fn collect(pipe: Option<impl Read + Send + 'static>) -> Self {
        let bytes = Arc::new(Mutex::new(vec![]));
        let kept = Arc::clone(&bytes);
        let reader = thread::spawn(move || {
            let mut pipe = pipe.expect("both streams are pipes");
            let mut chunk = [0; 8192];
            while let Ok(length @ 1..) = pipe.read(&mut chunk) {
                kept.lock().unwrap_or_else(PoisonError::into_inner).extend(&chunk[..length]);
            }
        });
        Self { bytes, reader }
    }

    /// Returns what was written: all of it, or as much as there is when a killed command may have left children that
    /// hold the stream open.
    fn bytes(self, whole: bool) -> Vec<u8> {
        if whole {
            self.reader.join().expect("reading a pipe does not panic");
        }
        std::mem::take(&mut *self.bytes.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

#[cfg(test)]
mod tests;
