//! Services without a manager: a session of their own, known by a file with the process and its start time.
//!
//! Such a process does not come back by itself, neither when it dies nor when the machine starts again. Its output goes
//! to a file, which is cut to its last part whenever the service is started.

use std::fs;
use std::os::unix::fs::OpenOptionsExt;
use std::path::Path;
use std::time::Duration;

use rustix::process::{Pid, Signal, kill_process, kill_process_group};
use shipway_core::action::Cmd;
use shipway_core::problem::{Code, Problem};

use super::{Keep, State};
use crate::live::instance::RELEASE;
use crate::live::{Instance, files, proof, wait};

/// Starts a session with the output in a file. The session is not waited for, and outlives the one that starts it.
const OUTSIDE: &str = r#"log=$1; shift; exec setsid /bin/sh -c "$@" </dev/null >>"$log" 2>&1 &"#;

/// Says who it is before it becomes the service; of two that were started at once, the second gives way.
const INSIDE: &str = r#"read -r me <"/proc/$$/stat" && echo "$me" >"$1.$$" && ln "$1.$$" "$1"
said=$?; rm -f "$1.$$"; [ "$said" = 0 ] || exit 1; shift; exec "$@""#;

/// How long a log may get before it is cut, and how much is kept of it.
const LONGEST: u64 = 16 << 20;
const KEPT: usize = 1 << 20;

/// No manager.
pub(super) struct Process;

impl Keep for Process {
    fn see(&self, instance: &Instance<'_>) -> Result<State, Problem> {
        match known(instance)? {
            Known::Nothing => Ok(State::down("was not started")),
            Known::Dead => Ok(State { given_up: true, ..State::down("has ended") }),
            Known::Alive(process) => Ok(State::of_process(instance, process.pid)),
        }
    }

    fn start(&self, instance: &Instance<'_>) -> Result<(), Problem> {
        end(instance)?;
        let log = instance.file("log");
        cut(&log).map_err(|error| files::problem(&log, &error))?;
        let pid = instance.file("pid");
        let service = instance.command(&instance.service.run)?;
        let mut cmd = Cmd::new("/bin/sh").args(["-c", OUTSIDE, "sh"]).arg(&log);
        cmd = cmd.args([INSIDE, "sh"]).arg(&pid).args(service.argv);
        cmd.dir = service.dir;
        cmd.env = service.env;
        wait::must(instance.place, cmd, &format!("{} cannot be started", instance.name()))?;
        let limit = Duration::from_secs(20);
        let said = wait::until(instance.place, limit, || Ok(pid.exists().then_some(())))?;
        said.ok_or_else(|| {
            Problem::new(Code::ServiceFailed, format!("{} cannot be started", instance.name()))
        })
    }

    fn stop(&self, instance: &Instance<'_>) -> Result<(), Problem> {
        end(instance)
    }

    fn log(&self, instance: &Instance<'_>) -> Vec<String> {
        files::tail(&instance.file("log"), wait::LINES)
    }
}

/// What is known of the process of a copy.
enum Known {
    Nothing,
    Dead,
    Alive(proof::Process),
}

fn known(instance: &Instance<'_>) -> Result<Known, Problem> {
    let Some(text) = files::read(&instance.file("pid"))? else { return Ok(Known::Nothing) };
    let Some(then) = proof::Process::parse(&text) else { return Ok(Known::Dead) };
    // The number may belong to another process by now.
    let now = proof::Process::find(then.pid).filter(|now| now.born == then.born);
    Ok(now.map_or(Known::Dead, Known::Alive))
}

/// Ends the process of a copy and what it left behind, and forgets it.
fn end(instance: &Instance<'_>) -> Result<(), Problem> {
    if let Known::Alive(process) = known(instance)? {
        let group = Pid::from_raw(i32::try_from(process.pid).unwrap_or_default());
        let group = group.expect("a process that was found has a number");
        let limit = Duration::from_millis(instance.service.stop_ms);
        let _ = kill_process_group(group, Signal::TERM);
        let gone =
            || Ok(proof::Process::find(process.pid).is_none_or(|now| now.born != process.born).then_some(()));
        if wait::until(instance.place, limit, gone)?.is_none() {
            instance.say("does not stop by itself and is killed");
            let _ = kill_process_group(group, Signal::KILL);
            wait::until(instance.place, Duration::from_secs(20), gone)?.ok_or_else(|| {
                let what = format!("{} cannot be killed", instance.name());
                Problem::new(Code::ServiceFailed, what).found(format!("process {}", process.pid))
            })?;
        }
        end_group(process.pid);
    }
    files::remove(&instance.file("pid"))
}

/// Kills what a process left behind in its group. The number of the group may be given away once it is empty, so only
/// what was started by us is touched.
fn end_group(group: u32) {
    for process in proof::Process::of_group(group) {
        let ours = process.variable(RELEASE).is_ok_and(|release| release.is_some());
        if let (true, Some(pid)) = (ours, i32::try_from(process.pid).ok().and_then(Pid::from_raw)) {
            let _ = kill_process(pid, Signal::KILL);
        }
    }
}

/// Cuts a log that got too long to its last part; what still writes to it goes on at its end.
fn cut(log: &Path) -> std::io::Result<()> {
    if let Some(dir) = log.parent() {
        fs::create_dir_all(dir)?;
    }
    // It may hold what users sent.
    fs::OpenOptions::new().create(true).append(true).mode(0o600).open(log)?;
    if fs::metadata(log)?.len() <= LONGEST {
        return Ok(());
    }
    let bytes = fs::read(log)?;
    fs::write(log, &bytes[bytes.len().saturating_sub(KEPT)..])
}
