//! Looks at this host and says what is there. Nothing is changed, nothing needs root, and every look has a time limit.
//!
//! What is wanted and whether it will do is decided in `shipway_core::preflight`.

mod data;
mod machine;
mod network;
mod packages;
mod python;
mod service;
mod software;

#[cfg(test)]
mod tests;

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Mutex, OnceLock, PoisonError, mpsc};
use std::thread;
use std::time::Duration;

use shipway_core::action::{Cmd, Ended, Output, Shell, Stop, Urgency};
use shipway_core::preflight::{Seen, Want};

/// How long one look may take.
const LIMIT: Duration = Duration::from_secs(10);

/// How many looks are made at once.
const AT_ONCE: usize = 8;

/// Looks at this host; the answers are in the order of the wants.
pub fn look(wants: &[Want], shell: &dyn Shell, stop: &Stop) -> Vec<Seen> {
    let eyes = Eyes { shell, stop, environment: OnceLock::new() };
    let next = AtomicUsize::new(0);
    let found: Vec<Mutex<Option<Seen>>> = wants.iter().map(|_| Mutex::new(None)).collect();
    let work = || {
        while let Some(index) =
            Some(next.fetch_add(1, Ordering::Relaxed)).filter(|index| *index < wants.len())
        {
            let seen = eyes.see(&wants[index]);
            *found[index].lock().unwrap_or_else(PoisonError::into_inner) = Some(seen);
        }
    };
    thread::scope(|scope| {
        for _ in 1..AT_ONCE.min(wants.len()) {
            scope.spawn(work);
        }
        work();
    });
    let taken = |one: Mutex<Option<Seen>>| one.into_inner().unwrap_or_else(PoisonError::into_inner);
    found.into_iter().map(|one| taken(one).unwrap_or(Seen::Unknown)).collect()
}

/// What looks are made with.
struct Eyes<'a> {
    shell: &'a dyn Shell,
    stop: &'a Stop,
    /// The variables that commands see; read once.
    environment: OnceLock<Result<BTreeMap<String, String>, Seen>>,
}

impl Eyes<'_> {
    fn see(&self, want: &Want) -> Seen {
        if self.stop.urgency() > Urgency::None {
            return failed("it was asked to stop");
        }
        let seen = match want {
            Want::Os { .. } => Ok(machine::os()),
            Want::User { .. } => machine::user(self),
            Want::Sudo { command } => machine::sudo(self, command),
            Want::Clock { .. } => Ok(Seen::Clock { at: crate::shell::now() }),
            Want::Disk { path, .. } => self.path(path).map(|path| machine::disk(&path)),
            Want::Memory { .. } => Ok(machine::memory()),
            Want::PortFree { port } => Ok(network::listening(*port)),
            Want::PortOpen { address } => Ok(network::open(address)),
            Want::Dns { name } => Ok(network::addresses(name)),
            Want::Certificate { place, .. } => network::certificate(self, place),
            Want::Service { keeper, name } => service::service(self, *keeper, name),
            Want::Python { interpreter, .. } => software::python(self, interpreter),
            Want::Venv { path, .. } => self.path(path).and_then(|path| software::venv(self, &path)),
            Want::Import { interpreter, module } => software::import(self, interpreter, module),
            Want::Command { name, wanted } => software::command(self, name, !wanted.is_empty()),
            Want::Variable { name, file, .. } => data::variable(self, name, file.as_deref()),
            Want::File { path, .. } => self.path(path).map(|path| data::file(&path)),
            Want::Backup { dir, .. } => self.path(dir).map(|dir| data::backup(&dir)),
            Want::Packages { place, .. } => packages::inventory(self, place).map(Seen::Packages),
            Want::Unknown => Ok(Seen::Unknown),
        };
        seen.unwrap_or_else(|seen| seen)
    }

    /// Runs a command that only looks. One that cannot be started or does not end in time is the answer.
    fn run(&self, cmd: Cmd) -> Result<Output, Seen> {
        let name = cmd.argv.first().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
        let mut cmd = cmd.env("LC_ALL", "C").env("PYTHONDONTWRITEBYTECODE", "1");
        cmd.timeout.get_or_insert(LIMIT);
        match self.shell.run(&cmd, self.stop) {
            Ok(output) => match output.ended {
                Ended::Exit(_) => Ok(output),
                Ended::Signal(signal) => Err(failed(format!("`{name}` was ended by signal {signal}"))),
                Ended::TimedOut => Err(failed(format!("`{name}` took longer than {} s", LIMIT.as_secs()))),
                Ended::Stopped => Err(failed("it was asked to stop")),
            },
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => Err(missing("not installed")),
            Err(error) => Err(failed(error.to_string())),
        }
    }

    /// Returns the variables that commands are given. No value goes into an answer.
    fn environment(&self) -> Result<&BTreeMap<String, String>, Seen> {
        let read = || {
            let output = self.run(Cmd::new("env").arg("-0"))?;
            let text = String::from_utf8_lossy(&output.stdout);
            let pairs = text.split('\0').filter_map(|pair| pair.split_once('='));
            Ok(pairs.map(|(name, value)| (name.to_owned(), value.to_owned())).collect())
        };
        self.environment.get_or_init(read).as_ref().map_err(Clone::clone)
    }

    /// Returns a path in which `~/` stands for the home directory.
    fn path(&self, path: &str) -> Result<PathBuf, Seen> {
        let Some(rest) = path.strip_prefix("~/") else { return Ok(path.into()) };
        let home =
            self.environment()?.get("HOME").ok_or_else(|| failed("the home directory is not known"))?;
        Ok(PathBuf::from(home).join(rest))
    }
}

fn failed(why: impl Into<String>) -> Seen {
    Seen::Failed { why: why.into() }
}

fn missing(what: impl Into<String>) -> Seen {
    Seen::Missing { what: what.into() }
}

/// Returns what a file that cannot be read is told as.
fn unread(error: &std::io::Error) -> Seen {
    match error.kind() {
        std::io::ErrorKind::NotFound => missing("not there"),
        std::io::ErrorKind::PermissionDenied => failed("this user may not look at it"),
        _ => failed(error.to_string()),
    }
}

/// Returns the first line of a text that says something, cut to what fits a table.
fn first_line(text: &str) -> String {
    text.lines().map(str::trim).find(|line| !line.is_empty()).unwrap_or_default().chars().take(200).collect()
}

/// Does something that the system may take any time for, and gives up after the limit.
fn within_limit<T: Send + 'static>(work: impl FnOnce() -> T + Send + 'static) -> Option<T> {
    let (done, answer) = mpsc::channel();
    let thread = thread::Builder::new().name("look".into()).spawn(move || {
        // Whoever asked may have given up.
        let _ = done.send(work());
    });
    thread.ok()?;
    answer.recv_timeout(LIMIT).ok()
}
