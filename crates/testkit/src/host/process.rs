//! Processes that end with the value that stands for them, and also when the test program is killed.

use std::ffi::OsString;
use std::fs;
use std::io::{BufRead, BufReader};
use std::path::Path;
use std::process::{Child, Command, Stdio};

use rustix::process::{Pid, Signal, kill_process};

use super::until;

/// Starts a command, says its process id, waits for the end of its input, and ends the command. `inside` is for a
/// command that waits for a process namespace: its child goes first, and with it all that the namespace holds.
const GUARD: &str = r#"
how=$1 log=$2
shift 2
"$@" </dev/null >>"$log" 2>&1 &
pid=$!
echo $pid
exec >/dev/null 2>&1
read -r _
if [ "$how" = inside ]; then
  inner=$(cat /proc/$pid/task/$pid/children)
  kill -9 ${inner:-$pid}
else
  kill -9 $pid
fi
wait
"#;

/// A command under a guard: a shell that ends it when its own input ends.
#[derive(Debug)]
pub(super) struct Guarded {
    guard: Child,
    pid: i32,
}

impl Guarded {
    /// Starts a command; what it writes is appended to a log.
    pub(super) fn start(command: &[OsString], inside: bool, log: &Path) -> Self {
        let mut guard = shell(GUARD);
        guard.arg(if inside { "inside" } else { "alone" }).arg(log).args(command).stdout(Stdio::piped());
        let mut guard = guard.spawn().expect("a shell can be started");
        let mut line = String::new();
        let said = BufReader::new(guard.stdout.take().expect("the output is a pipe")).read_line(&mut line);
        said.expect("a pipe can be read");
        Self { guard, pid: line.trim().parse().expect("the guard says a process id") }
    }

    /// Returns the process id of the command.
    pub(super) fn pid(&self) -> i32 {
        self.pid
    }

    /// Says whether the command still runs.
    pub(super) fn is_alive(&self) -> bool {
        is_alive(self.pid)
    }
}

impl Drop for Guarded {
    fn drop(&mut self) {
        end(&mut self.guard);
    }
}

/// A script that is run when this is dropped, or when the test program has ended in whatever way.
#[derive(Debug)]
pub(super) struct AtEnd(Child);

impl AtEnd {
    pub(super) fn run(script: &str) -> Self {
        let script = format!("exec >/dev/null 2>&1\nread -r _\n{script}");
        Self(shell(&script).stdout(Stdio::null()).spawn().expect("a shell can be started"))
    }
}

impl Drop for AtEnd {
    fn drop(&mut self) {
        end(&mut self.0);
    }
}

/// A shell in a process group of its own: what a person types to end the tests reaches it as the end of its input.
fn shell(script: &str) -> Command {
    use std::os::unix::process::CommandExt as _;
    let mut command = Command::new("/bin/sh");
    command.args(["-c", script, "guard"]).stdin(Stdio::piped()).process_group(0);
    command
}

fn end(guard: &mut Child) {
    drop(guard.stdin.take());
    // Nothing can be done about a guard that somebody else has ended.
    let _ = guard.wait();
}

/// Says whether a process runs, and is not merely waited for.
pub(super) fn is_alive(pid: i32) -> bool {
    let stat = fs::read_to_string(format!("/proc/{pid}/stat")).unwrap_or_default();
    stat.rsplit_once(')').is_some_and(|(_, rest)| !rest.trim_start().starts_with('Z'))
}

/// Returns the children of a process.
pub(super) fn children(pid: i32) -> Vec<i32> {
    let list = fs::read_to_string(format!("/proc/{pid}/task/{pid}/children")).unwrap_or_default();
    list.split_whitespace().filter_map(|word| word.parse().ok()).collect()
}

/// Sends a signal to one process, which may have ended already.
pub(super) fn signal(pid: i32, signal: Signal) {
    if let Some(pid) = Pid::from_raw(pid) {
        let _ = kill_process(pid, signal);
    }
}

/// Ends every process that has a variable with a value in its surroundings: what a host has started, however far it
/// has gone away from it.
pub(super) fn end_marked(name: &str, value: &str) {
    let mark = format!("{name}={value}");
    until("what a host has started has ended", || {
        let marked = marked(&mark);
        for pid in &marked {
            signal(*pid, Signal::KILL);
        }
        marked.is_empty()
    });
}

fn marked(mark: &str) -> Vec<i32> {
    let entries = fs::read_dir("/proc").into_iter().flatten().flatten();
    let pids = entries.filter_map(|entry| entry.file_name().to_str()?.parse().ok());
    pids.filter(|pid| {
        let variables = fs::read(format!("/proc/{pid}/environ")).unwrap_or_default();
        variables.split(|byte| *byte == 0).any(|variable| variable == mark.as_bytes()) && is_alive(*pid)
    })
    .collect()
}
