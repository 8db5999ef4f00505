//! Runs commands on this machine.

use std::ffi::OsStr;
use std::fmt;
use std::io;
use std::os::fd::OwnedFd;
use std::os::unix::fs::PermissionsExt;
use std::os::unix::process::CommandExt;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Instant;

use rustix::io::{FdFlags, fcntl_setfd};
use shipway_core::action::{Cmd, Ended, Output, Shell, Stop, Urgency};

use super::feed::Feed;
use super::group::Group;
use super::keep::Kept;
use super::log::Logs;
use super::mask::Masks;
use super::watch::{Ending, Watch};

/// How much of a stream of a step is kept in memory; the whole of it goes to the log.
const KEEP_LOGGED: usize = 64 << 20;

/// How much of a stream may be an answer; half an answer would be a wrong one, so more is an error.
const KEEP_ANSWER: usize = 512 << 20;

/// Puts the shell into a control group before it becomes the command; without the group it just becomes the command.
const ENTER_GROUP: &str = r#"{ echo 0 > "$1/cgroup.procs"; } 2>/dev/null; shift; exec "$@""#;

/// Looks for a program on the search path, which only the shell knows: it is a variable of the command.
const LOOK: &str = r#"command -v "$1""#;

/// Opens the descriptor that every child inherits, so that a lock lives as long as the last of them.
pub type Descriptor = Arc<dyn Fn() -> io::Result<OwnedFd> + Send + Sync>;

/// Runs commands, each in a process group of its own.
#[derive(Default)]
pub struct LocalShell {
    logs: Option<Arc<Logs>>,
    masks: Masks,
    inherited: Option<Descriptor>,
    groups: AtomicU64,
}

impl fmt::Debug for LocalShell {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("LocalShell").field("logs", &self.logs).finish_non_exhaustive()
    }
}

impl LocalShell {
    /// Returns a shell that logs nothing and whose children inherit nothing.
    pub fn new() -> Self {
        Self::default()
    }

    /// Sets where the output of steps goes.
    #[must_use]
    pub fn logs(mut self, logs: Arc<Logs>) -> Self {
        self.logs = Some(logs);
        self
    }

    /// Returns a text with what is masked in logs masked.
    pub fn mask(&self, text: &str) -> String {
        self.masks.mask_text(text)
    }

    /// Sets what is masked in logs. The output that is returned is not masked: programs read it.
    #[must_use]
    pub fn masks(mut self, masks: Masks) -> Self {
        self.masks = masks;
        self
    }

    /// Sets the descriptor that every child inherits: as its standard input or, if it reads bytes, beside it.
    #[must_use]
    pub fn inherited(mut self, descriptor: Descriptor) -> Self {
        self.inherited = Some(descriptor);
        self
    }

    fn start(&self, cmd: &Cmd, group: Option<&Group>) -> io::Result<Child> {
        let mut command = command(cmd, group)?;
        let inherited = self.inherited.as_ref().map(|open| open()).transpose()?;
        // Kept until the child has it.
        let mut beside = None;
        match (&cmd.stdin, inherited) {
            (None, None) => command.stdin(Stdio::null()),
            (None, Some(descriptor)) => command.stdin(Stdio::from(descriptor)),
            (Some(_), None) => command.stdin(Stdio::piped()),
            (Some(_), Some(descriptor)) => {
                // Not closed when the child is started. Children that are started meanwhile get it too, and may.
                fcntl_setfd(&descriptor, FdFlags::empty())?;
                beside = Some(descriptor);
                command.stdin(Stdio::piped())
            }
        };
        let child = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn();
        drop(beside);
        child.map_err(|error| why_not(cmd, &error))
    }

    fn feed(&self, cmd: &Cmd) -> io::Result<Option<Feed>> {
        let (Some(logs), Some(key)) = (&self.logs, &cmd.log) else { return Ok(None) };
        Ok(Some(Feed::new(Arc::clone(logs), key.clone(), &self.masks.and_env(&cmd.env)?)))
    }
}

impl Shell for LocalShell {
    fn run(&self, cmd: &Cmd, stop: &Stop) -> io::Result<Output> {
        if stop.urgency() == Urgency::Now {
            return Ok(Output { ended: Ended::Stopped, stdout: vec![], stderr: vec![] });
        }
        let feed = self.feed(cmd)?;
        let keep = if cmd.log.is_some() { KEEP_LOGGED } else { KEEP_ANSWER };
        let number = self.groups.fetch_add(u64::from(cmd.contain), Ordering::Relaxed);
        let group = if cmd.contain { Group::create(number) } else { None };
        let deadline = cmd.timeout.and_then(|limit| Instant::now().checked_add(limit));
        let child = self.start(cmd, group.as_ref())?;
        let ending = Ending { stop, deadline, group: group.as_ref() };
        let mut watch = Watch::new(child, cmd.stdin.as_deref().unwrap_or_default(), ending)?;
        let kept = [Kept::new(keep), Kept::new(keep)];
        let (ended, [stdout, stderr]) = watch.run(kept, feed)?;
        if cmd.log.is_none() && stdout.left_out() > 0 {
            let text = format!("`{}` answers more than {} MiB", program(cmd), KEEP_ANSWER >> 20);
            return Err(io::Error::new(io::ErrorKind::FileTooLarge, text));
        }
        Ok(Output { ended, stdout: stdout.into_bytes(), stderr: stderr.into_bytes() })
    }
}

/// Returns the command with everything but its streams.
fn command(cmd: &Cmd, group: Option<&Group>) -> io::Result<Command> {
    let Some((name, args)) = cmd.argv.split_first() else {
        return Err(io::Error::new(io::ErrorKind::InvalidInput, "the command is empty"));
    };
    let mut command = if let Some(group) = group {
        // The shell in between must not be what reports a missing program.
        if !is_installed(name, cmd) {
            return Err(why_not(cmd, &io::ErrorKind::NotFound.into()));
        }
        let mut command = Command::new("/bin/sh");
        command.args(["-c", ENTER_GROUP, "sh"]).arg(group.dir()).arg(name);
        command
    } else {
        Command::new(name)
    };
    command.args(args).process_group(0);
    surround(&mut command, cmd);
    Ok(command)
}

/// Gives a command its directory and its variables.
fn surround(command: &mut Command, cmd: &Cmd) {
    if !cmd.dir.as_os_str().is_empty() {
        command.current_dir(&cmd.dir);
    }
    for name in &cmd.unset {
        command.env_remove(name);
    }
    command.envs(cmd.env.iter().map(|(name, value)| (name, value)));
}

/// Tells whether exec would find a program: a name with a slash as it is, another one on the search path.
fn is_installed(name: &OsStr, cmd: &Cmd) -> bool {
    if name.as_encoded_bytes().contains(&b'/') {
        return is_executable(&cmd.dir.join(name));
    }
    let mut look = Command::new("/bin/sh");
    look.args(["-c", LOOK, "sh"]).arg(name);
    surround(&mut look, cmd);
    look.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
    look.status().is_ok_and(|status| status.success())
}

fn is_executable(path: &Path) -> bool {
    path.metadata().is_ok_and(|file| file.is_file() && file.permissions().mode() & 0o111 != 0)
}

/// Returns why a command could not be started, with its names.
fn why_not(cmd: &Cmd, error: &io::Error) -> io::Error {
    let program = program(cmd);
    if error.kind() != io::ErrorKind::NotFound {
        return io::Error::new(error.kind(), format!("`{program}` cannot be started: {error}"));
    }
    if !cmd.dir.as_os_str().is_empty() && !cmd.dir.is_dir() {
        let text = format!("the directory {} to run `{program}` in is missing", cmd.dir.display());
        return io::Error::new(io::ErrorKind::NotADirectory, text);
    }
    let text = if cmd.argv.first().is_some_and(|name| is_installed(name, cmd)) {
        format!("`{program}` names an interpreter that is not installed")
    } else {
        format!("`{program}` is not installed")
    };
    io::Error::new(io::ErrorKind::NotFound, text)
}

fn program(cmd: &Cmd) -> String {
    cmd.argv.first().map_or_else(String::new, |name| name.to_string_lossy().into_owned())
}
