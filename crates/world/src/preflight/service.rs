//! Services, by what watches over them.

use std::fs;

use shipway_core::action::Cmd;
use shipway_core::preflight::{Keeper, Seen};

use super::{Eyes, failed, first_line, missing, unread};

pub(super) fn service(eyes: &Eyes<'_>, keeper: Keeper, name: &str) -> Result<Seen, Seen> {
    match keeper {
        Keeper::Systemd => systemd(eyes, &["--system"], name),
        Keeper::SystemdUser => systemd(eyes, &["--user"], name),
        Keeper::S6 => line(eyes, Cmd::new("s6-svstat").arg("--").arg(eyes.path(name)?), "up "),
        Keeper::Runit => line(eyes, Cmd::new("sv").arg("status").arg(eyes.path(name)?), "run: "),
        Keeper::PidFile => {
            let text = fs::read_to_string(eyes.path(name)?).map_err(|error| unread(&error))?;
            let pid: u32 =
                text.trim().parse().map_err(|_| Seen::Broken { why: "it holds no number".into() })?;
            Ok(process(alive(pid).then_some(pid)))
        }
        Keeper::Process => Ok(process(find(name)?)),
        Keeper::Unknown => Ok(Seen::Unknown),
    }
}

fn systemd(eyes: &Eyes<'_>, whose: &[&str], name: &str) -> Result<Seen, Seen> {
    let cmd = Cmd::new("systemctl").args(whose).args([
        "show",
        "--property=LoadState,ActiveState,SubState",
        "--",
        name,
    ]);
    let output = eyes.run(cmd)?;
    unit(&output.text()).ok_or_else(|| failed(first_line(&output.error_text())))
}

/// Reads what systemd says of a unit; none if it says nothing of it.
fn unit(text: &str) -> Option<Seen> {
    let value = |key: &str| text.lines().find_map(|line| line.strip_prefix(key)?.strip_prefix('='));
    let (active, sub) = (value("ActiveState")?, value("SubState").unwrap_or_default());
    if value("LoadState") == Some("not-found") {
        return Some(missing("there is no such unit"));
    }
    let running = matches!(active, "active" | "reloading");
    Some(Seen::Service { running, state: format!("{active} ({sub})") })
}

/// Asks a keeper that answers in one line.
fn line(eyes: &Eyes<'_>, cmd: Cmd, up: &str) -> Result<Seen, Seen> {
    let output = eyes.run(cmd)?;
    let text = first_line(&output.text());
    if text.is_empty() {
        return Err(failed(first_line(&output.error_text())));
    }
    Ok(Seen::Service { running: text.starts_with(up), state: text })
}

fn process(pid: Option<u32>) -> Seen {
    let state = pid.map_or_else(|| "no such process".to_owned(), |pid| format!("runs (pid {pid})"));
    Seen::Service { running: pid.is_some(), state }
}

/// Returns the first process by the name of its program.
fn find(name: &str) -> Result<Option<u32>, Seen> {
    let entries = fs::read_dir("/proc").map_err(|error| failed(format!("/proc: {error}")))?;
    let mut pids: Vec<u32> =
        entries.flatten().filter_map(|entry| entry.file_name().to_str()?.parse().ok()).collect();
    pids.sort_unstable();
    Ok(pids.into_iter().find(|pid| is(*pid, name) && alive(*pid)))
}

fn is(pid: u32, name: &str) -> bool {
    // The kernel keeps the first 15 bytes of a name; the command line has all of it, and may have been changed.
    let read = |file: &str| fs::read(format!("/proc/{pid}/{file}")).unwrap_or_default();
    let comm = read("comm");
    let comm = String::from_utf8_lossy(&comm);
    let line = read("cmdline");
    let first =
        String::from_utf8_lossy(line.split(|byte| *byte == 0).next().unwrap_or_default()).into_owned();
    comm.trim_end() == name || first.rsplit('/').next() == Some(name)
}

/// Tells whether a process runs; one that has ended and is not waited for does not.
fn alive(pid: u32) -> bool {
    let stat = fs::read(format!("/proc/{pid}/stat")).unwrap_or_default();
    let text = String::from_utf8_lossy(&stat);
    let state = text.rsplit_once(") ").and_then(|(_, rest)| rest.chars().next());
    state.is_some_and(|state| !matches!(state, 'Z' | 'X'))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn units_of_systemd_run_or_do_not_or_are_not_there() {
        let check = |text: &str, expect: Option<Seen>| assert_eq!(unit(text), expect, "{text}");
        let service = |running, state: &str| Some(Seen::Service { running, state: state.into() });
        check("LoadState=loaded\nActiveState=active\nSubState=running", service(true, "active (running)"));
        check("LoadState=loaded\nActiveState=failed\nSubState=failed", service(false, "failed (failed)"));
        check(
            "LoadState=loaded\nActiveState=activating\nSubState=auto-restart",
            service(false, "activating (auto-restart)"),
        );
        check(
            "LoadState=not-found\nActiveState=inactive\nSubState=dead",
            Some(missing("there is no such unit")),
        );
        check("", None);
    }
}
