//! The watchdog: a host that hears nothing between switch and confirmation puts itself back.
//!
//! It is a process of its own that outlives the connection, and it only ever does what a revert does, under the same
//! lock. Its deadline stands in a file, in a clock that nobody can set; whoever hears of the run moves it. A host that
//! was started anew since goes back at once: by the unit that systemd starts, or when the next agent comes.
//!
//! A watchdog that is a process may be killed as any other, and systemd is not there to start it again. It holds a lock
//! for as long as it lives, so an agent that hears of the run sees that it is dead, and starts another one.

use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::thread;
use std::time::Duration;

use serde::{Deserialize, Serialize};
use shipway_core::id::{Digest, RunId};
use shipway_core::problem::{Code, Problem};

use super::clock::Clock;
use super::protocol::{Armed, Standing};
use super::root::{Root, problem, read_json, remove, replace, replace_json};
use super::setup::{Agent, Setup};
use super::switch::revert_locked;

/// Why a host goes back when nobody says so.
pub(super) const UNHEARD: &str = "the host heard nothing from the run in time";
/// Why it goes back after a new start.
const RESTARTED: &str = "the host was started anew before the release was confirmed";
/// How often the deadline is looked at; it is never missed by more.
const TICK: Duration = Duration::from_millis(200);
/// How long to wait before going back is tried again.
const AGAIN: Duration = Duration::from_secs(10);
/// How often going back is tried.
const TRIES: u32 = 360;

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
struct Watchdog {
    run: RunId,
    boot: String,
    within_ms: u64,
    deadline_ms: u64,
    kept_by: String,
    /// How often it was found dead; nothing where it does not hold the lock that tells.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    died: Option<u32>,
}

impl Watchdog {
    /// Returns why the host has to go back, if it has to.
    fn over(&self, clock: &dyn Clock) -> Option<&'static str> {
        if self.boot != clock.boot() {
            Some(RESTARTED)
        } else if self.deadline_ms <= clock.uptime_ms() {
            Some(UNHEARD)
        } else {
            None
        }
    }
}

fn path(root: &Root) -> PathBuf {
    root.dir.join("watchdog.json")
}

fn read(root: &Root) -> Result<Option<Watchdog>, Problem> {
    read_json(&path(root))
}

/// Returns the watchdog that is armed.
pub(super) fn look(root: &Root, clock: &dyn Clock) -> Result<Option<Armed>, Problem> {
    Ok(read(root)?.map(|watchdog| Armed {
        died: watchdog
            .died
            .map_or(0, |died| died + u32::from(watchdog.over(clock).is_none() && root.unwatched())),
        left_ms: match watchdog.over(clock) {
            None => watchdog.deadline_ms.saturating_sub(clock.uptime_ms()),
            Some(_) => 0,
        },
        run: watchdog.run,
        kept_by: watchdog.kept_by,
    }))
}

/// Returns what keeps the watchdog that is armed.
pub(super) fn kept_by(root: &Root) -> Result<Option<String>, Problem> {
    Ok(read(root)?.map(|watchdog| watchdog.kept_by))
}

/// Arms the watchdog for a run. The caller holds the lock.
pub(super) fn arm(agent: &Agent, run: &RunId, within_ms: u64) -> Result<String, Problem> {
    let clock = &*agent.setup.clock;
    let kept_by = choose(agent);
    // Before anybody can see that there is one, so that it never looks dead while it is being started.
    let held = if user_of(kept_by).is_none() && !agent.setup.watchdog.is_empty() {
        Some(agent.root.hold_watchdog()?)
    } else {
        None
    };
    {
        let _brief = agent.root.lock_lease()?;
        let deadline_ms = clock.uptime_ms().saturating_add(within_ms);
        let watchdog = Watchdog {
            run: run.clone(),
            boot: clock.boot(),
            within_ms,
            deadline_ms,
            kept_by: kept_by.into(),
            died: held.is_some().then_some(0),
        };
        replace_json(&path(&agent.root), &watchdog)?;
    }
    match held {
        Some(held) => start_process(agent, held)?,
        None => start_unit(agent, kept_by)?,
    }
    Ok(kept_by.to_owned())
}

/// Puts the watchdog off that is armed for a run already, and arms one where there is none. The caller holds the lock.
pub(super) fn keep(agent: &Agent, run: &RunId, within_ms: u64) -> Result<String, Problem> {
    let clock = &*agent.setup.clock;
    // A process of its own would only get a second one beside it; whether a unit was ever started is not known.
    let armed = |watchdog: &Watchdog| {
        watchdog.run == *run && watchdog.died.is_some() && watchdog.over(clock).is_none()
    };
    {
        let _brief = agent.root.lock_lease()?;
        if let Some(watchdog) = read(&agent.root)?.filter(armed) {
            put_off(&agent.root, run, clock)?;
            return Ok(watchdog.kept_by);
        }
    }
    arm(agent, run, within_ms)
}

/// Starts a watchdog again that is dead before its time. The caller holds the lock of the lease.
pub(super) fn revive(agent: &Agent) -> Result<(), Problem> {
    let Some(watchdog) = read(&agent.root)? else { return Ok(()) };
    let Some(died) = watchdog.died else { return Ok(()) };
    if watchdog.over(&*agent.setup.clock).is_some() || !agent.root.unwatched() {
        return Ok(());
    }
    let held = agent.root.hold_watchdog()?;
    replace_json(&path(&agent.root), &Watchdog { died: Some(died.saturating_add(1)), ..watchdog })?;
    start_process(agent, held)
}

/// Moves the deadline of a run. The caller holds the lock of the lease.
pub(super) fn put_off(root: &Root, run: &RunId, clock: &dyn Clock) -> Result<(), Problem> {
    match read(root)? {
        // Once it is over it stays so: it may be firing.
        Some(watchdog) if watchdog.run == *run && watchdog.over(clock).is_none() => {
            let deadline_ms = clock.uptime_ms().saturating_add(watchdog.within_ms);
            replace_json(&path(root), &Watchdog { deadline_ms, ..watchdog })
        }
        Some(_) | None => Ok(()),
    }
}

/// Tells whether the time of a run's watchdog is over.
pub(super) fn is_over(agent: &Agent, run: &RunId) -> Result<bool, Problem> {
    let watchdog = read(&agent.root)?.filter(|watchdog| watchdog.run == *run);
    Ok(watchdog.is_some_and(|watchdog| watchdog.over(&*agent.setup.clock).is_some()))
}

/// Disarms the watchdog of a run. The caller holds the lock.
pub(super) fn disarm(agent: &Agent, run: &RunId) -> Result<(), Problem> {
    let _brief = agent.root.lock_lease()?;
    let Some(watchdog) = read(&agent.root)?.filter(|watchdog| watchdog.run == *run) else { return Ok(()) };
    remove(&path(&agent.root))?;
    // A process of its own ends by itself when it finds nothing to watch, and so does a unit; it only stays enabled.
    if let Some(user) = user_of(&watchdog.kept_by) {
        let _ = systemctl(user, &["disable", &unit(&agent.root)]);
        let _ = fs::remove_file(unit_path(user, &agent.root));
    }
    Ok(())
}

/// Goes back if the time of the watchdog that is armed is over; returns whether there still is one.
///
/// An agent does this first of all, so that a host whose watchdog died with it is put right by whoever comes next.
pub(super) fn settle(agent: &Agent) -> Result<bool, Problem> {
    let over = |watchdog: &Watchdog| watchdog.over(&*agent.setup.clock);
    let Some(watchdog) = read(&agent.root)? else { return Ok(false) };
    if over(&watchdog).is_none() {
        return Ok(true);
    }
    let _lock = agent.root.lock()?;
    // Meanwhile it may have been put off, disarmed, or armed for another run.
    let Some(watchdog) = read(&agent.root)? else { return Ok(false) };
    let Some(why) = over(&watchdog) else { return Ok(true) };
    let journal = agent.journal()?;
    // A run that was confirmed and cut off before the watchdog was disarmed stays.
    let confirmed =
        journal.history.of(&watchdog.run).is_some_and(|known| known.standing == Standing::Confirmed);
    if !confirmed {
        revert_locked(agent, &watchdog.run, why)?;
    }
    disarm(agent, &watchdog.run)?;
    Ok(false)
}

/// How a watchdog ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Ended {
    /// There is nothing to watch any more.
    Disarmed,
    /// Going back failed again and again; the next agent tries it once more.
    GaveUp,
}

/// Watches over a directory until there is nothing to watch any more. This is the life of a watchdog process.
pub fn watch(dir: &Path, setup: Setup) -> Ended {
    // In a session of its own it survives the connection in which it was started; a leader of one has it already.
    let _ = rustix::process::setsid();
    let agent = Agent::new(Root::new(dir), setup);
    let mut failed = 0;
    while failed < TRIES {
        match settle(&agent) {
            Ok(false) => return Ended::Disarmed,
            Ok(true) => thread::sleep(TICK),
            Err(_) => {
                failed += 1;
                thread::sleep(AGAIN);
            }
        }
    }
    Ended::GaveUp
}

const PROCESS: &str = "a process, which a new start of the host ends; the next agent goes back then";
const SYSTEM: &str = "systemd, also after a new start of the host";
const USER: &str = "systemd of the user, also after a new start of the host";

/// Returns what can keep a watchdog here.
fn choose(agent: &Agent) -> &'static str {
    if !agent.setup.systemd || !Path::new("/run/systemd/system").is_dir() {
        return PROCESS;
    }
    if rustix::process::geteuid().is_root() {
        return SYSTEM;
    }
    // Without linger the user's services end with the connection and do not come back after a new start.
    let lingers = || {
        let uid = rustix::process::geteuid().as_raw().to_string();
        let shown = Command::new("loginctl")
            .args(["show-user", &uid, "--property=Linger", "--value"])
            .stdin(Stdio::null())
            .stderr(Stdio::null())
            .output();
        shown.is_ok_and(|output| output.stdout.trim_ascii() == b"yes")
    };
    if lingers() { USER } else { PROCESS }
}

/// Tells which systemd keeps a watchdog, if any does: that of the user or not.
fn user_of(kept_by: &str) -> Option<bool> {
    match kept_by {
        SYSTEM => Some(false),
        USER => Some(true),
        _ => None,
    }
}

/// Lets systemd start the watchdog, and again whenever it dies.
fn start_unit(agent: &Agent, kept_by: &str) -> Result<(), Problem> {
    let Some(user) = user_of(kept_by) else { return Ok(()) };
    let path = unit_path(user, &agent.root);
    if let Some(dir) = path.parent() {
        fs::create_dir_all(dir).map_err(|error| problem(dir, &error))?;
    }
    replace(&path, unit_text(agent, user).as_bytes(), 0o644)?;
    systemctl(user, &["daemon-reload"])?;
    let name = unit(&agent.root);
    systemctl(user, &["enable", &name])?;
    systemctl(user, &["restart", &name])
}

/// Starts the watchdog as a process, which inherits the lock that it holds as its input.
fn start_process(agent: &Agent, held: File) -> Result<(), Problem> {
    let Some((program, args)) = agent.setup.watchdog.split_first() else { return Ok(()) };
    let mut command = Command::new(program);
    command.args(args).arg(&agent.root.dir).current_dir("/");
    command.stdin(held).stdout(Stdio::null()).stderr(Stdio::null());
    let child = command.spawn().map_err(|error| {
        Problem::new(Code::AgentUnusable, format!("the watchdog cannot be started: {error}"))
    })?;
    reap(child);
    Ok(())
}

/// Waits for a child, so that it does not stay in the list of processes for as long as the agent lives.
fn reap(mut child: std::process::Child) {
    let _ = thread::Builder::new().name("watchdog".into()).spawn(move || child.wait());
}

/// Returns the name of the unit; each directory has its own.
fn unit(root: &Root) -> String {
    let digest = Digest::of(root.dir.as_os_str().as_encoded_bytes());
    format!("shipway-watchdog-{}.service", digest.short())
}

fn unit_path(user: bool, root: &Root) -> PathBuf {
    let dir = if user {
        std::env::home_dir().unwrap_or_default().join(".config/systemd/user")
    } else {
        PathBuf::from("/etc/systemd/system")
    };
    dir.join(unit(root))
}

/// Returns the text of the unit. systemd itself would read `%` and `$` in a word, so they are doubled.
fn unit_text(agent: &Agent, user: bool) -> String {
    let word = |word: &std::ffi::OsStr| {
        let text = word.to_string_lossy().replace('\\', "\\\\").replace('"', "\\\"");
        format!("\"{}\"", text.replace('%', "%%").replace('$', "$$"))
    };
    let mut words: Vec<String> = agent.setup.watchdog.iter().map(|part| word(part)).collect();
    words.push(word(agent.root.dir.as_os_str()));
    let wanted = if user { "default.target" } else { "multi-user.target" };
    format!(
        "[Unit]\nDescription=goes back to the last confirmed release unless the new one is confirmed\n\
         RequiresMountsFor={}\n\n[Service]\nExecStart={}\nRestart=on-failure\nRestartSec=1\nKillMode=process\n\n\
         [Install]\nWantedBy={wanted}\n",
        word(agent.root.dir.as_os_str()),
        words.join(" "),
    )
}

fn systemctl(user: bool, args: &[&str]) -> Result<(), Problem> {
    let mut command = Command::new("systemctl");
    if user {
        command.arg("--user");
        let uid = rustix::process::geteuid().as_raw();
        // A login without a session of systemd, as with a plain sshd, does not know where its manager listens.
        command.env("XDG_RUNTIME_DIR", format!("/run/user/{uid}"));
    }
    let output = command.args(args).stdin(Stdio::null()).output();
    let failed =
        |why: String| {
            Problem::new(Code::AgentUnusable, format!("systemd does not keep the watchdog: {why}"))
                .hint(format!("systemctl {} {}", if user { "--user" } else { "" }, args.join(" ")))
        };
    match output {
        Ok(output) if output.status.success() => Ok(()),
        Ok(output) => Err(failed(String::from_utf8_lossy(&output.stderr).trim().to_owned())),
        Err(error) => Err(failed(error.to_string())),
    }
}
