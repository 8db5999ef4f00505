//! systemd: units of ours, of the system or of the user, written only when they change.

use std::path::{Path, PathBuf};
use std::time::Duration;

use shipway_core::action::{Cmd, Output};
use shipway_core::problem::{Code, Problem};

use super::{Keep, State, unit};
use crate::live::{Instance, files, wait};

/// What is asked of a unit.
const SHOWN: &str = "LoadState,ActiveState,SubState,Result,MainPID,NRestarts,NeedDaemonReload,ExecMainCode,\
                     ExecMainStatus,UnitFileState";

/// Finds the directory of the user's units; only the shell of the user knows it.
const USER_UNITS: &str = r#"printf %s "${XDG_CONFIG_HOME:-$HOME/.config}/systemd/user""#;

/// systemd, of the system or of the user.
#[derive(Clone, Copy)]
pub(super) struct Systemd<'a> {
    pub(super) unit: &'a str,
    pub(super) user: bool,
}

impl Systemd<'_> {
    /// Returns the name of the unit without its ending.
    fn name(&self, instance: &Instance<'_>) -> String {
        instance.suffixed(self.unit)
    }

    fn path(&self, instance: &Instance<'_>, ending: &str) -> Result<PathBuf, Problem> {
        let dir = if self.user {
            let output = wait::run(instance.place, Cmd::new("/bin/sh").args(["-c", USER_UNITS]))?;
            PathBuf::from(output.text())
        } else {
            PathBuf::from("/etc/systemd/system")
        };
        Ok(dir.join(format!("{}.{ending}", self.name(instance))))
    }

    pub(super) fn ctl(self, instance: &Instance<'_>, args: &[&str]) -> Result<Output, Problem> {
        let limit = Duration::from_millis(instance.service.stop_ms) + Duration::from_mins(5);
        let cmd = self.cmd("systemctl").args(["--no-pager", "--no-ask-password"]).args(args).timeout(limit);
        let output = wait::run(instance.place, cmd)?;
        let said = output.error_text();
        if ["Failed to connect to bus", "not been booted with systemd"].iter().any(|away| said.contains(away))
        {
            let problem = Problem::new(Code::ManagerMissing, "systemd does not answer").found(said);
            return Err(if self.user { problem.hint("loginctl enable-linger") } else { problem });
        }
        Ok(output)
    }

    fn cmd(self, program: &str) -> Cmd {
        let cmd = Cmd::new(program).env("LC_ALL", "C");
        if !self.user {
            return cmd;
        }
        // Outside of a session, such as in a timer, nobody has said where the user's systemd listens.
        let dir = format!("/run/user/{}", rustix::process::getuid().as_raw());
        let cmd = cmd.arg("--user");
        if Path::new(&dir).is_dir() { cmd.env("XDG_RUNTIME_DIR", dir) } else { cmd }
    }

    pub(super) fn must(self, instance: &Instance<'_>, args: &[&str]) -> Result<(), Problem> {
        let output = self.ctl(instance, args)?;
        if output.ok() {
            return Ok(());
        }
        let what = format!("systemctl {} failed for {}", args[0], instance.name());
        let problem = Problem::new(Code::ServiceFailed, what).found(format!("{:?}", output.ended));
        Err(problem.details(wait::last_lines(&output)))
    }

    pub(super) fn show(self, instance: &Instance<'_>, unit: &str) -> Result<Shown, Problem> {
        let output = self.ctl(instance, &["show", unit, "--property", SHOWN])?;
        Ok(Shown::parse(&output.text()))
    }

    pub(super) fn journal(self, instance: &Instance<'_>, unit: &str) -> Vec<String> {
        // It asks for the lines of units of the user by another argument.
        let of = if self.user { "--user-unit" } else { "--unit" };
        let cmd = Cmd::new("journalctl").args(["--no-pager", "--quiet", of, unit, "--lines"]);
        let output = wait::run(instance.place, cmd.arg(wait::LINES.to_string()).env("LC_ALL", "C"));
        output.map(|output| wait::last_lines(&output)).unwrap_or_default()
    }
}

impl Keep for Systemd<'_> {
    fn see(&self, instance: &Instance<'_>) -> Result<State, Problem> {
        let shown = self.show(instance, &format!("{}.service", self.name(instance)))?;
        Ok(shown.state(instance))
    }

    fn start(&self, instance: &Instance<'_>) -> Result<(), Problem> {
        let name = self.name(instance);
        let (service, socket) = (format!("{name}.service"), format!("{name}.socket"));
        files::write(&instance.file("env"), &unit::variables(instance)?, 0o600)?;
        files::write(&self.path(instance, "service")?, &unit::service(instance, &name), 0o644)?;
        let listens = unit::socket(instance);
        let mut socket_changed = false;
        match &listens {
            Some(text) => socket_changed = files::write(&self.path(instance, "socket")?, text, 0o644)?,
            None => files::remove(&self.path(instance, "socket")?)?,
        }
        // Also when a run that wrote them was killed before it could say so.
        self.must(instance, &["daemon-reload"])?;
        if listens.is_some() {
            let is_up = self.show(instance, &socket)?.is("ActiveState", "active");
            if socket_changed || !is_up {
                // A socket does not come up while its service runs without it.
                self.must(instance, &["stop", &service, &socket])?;
            }
            self.must(instance, &["enable", &socket])?;
            self.must(instance, &["start", &socket])?;
        }
        self.must(instance, &["enable", &service])?;
        // A unit that failed often enough would not be started again.
        self.ctl(instance, &["reset-failed", &service])?;
        self.must(instance, &["restart", &service])
    }

    fn stop(&self, instance: &Instance<'_>) -> Result<(), Problem> {
        let name = self.name(instance);
        let mut removed = false;
        for ending in ["socket", "service"] {
            let unit = format!("{name}.{ending}");
            let path = self.path(instance, ending)?;
            if !path.exists() && !self.show(instance, &unit)?.is_up() {
                continue;
            }
            self.must(instance, &["stop", &unit])?;
            // A unit whose file is gone already cannot be disabled, and need not be.
            self.ctl(instance, &["disable", &unit])?;
            files::remove(&path)?;
            removed = true;
        }
        if removed {
            self.must(instance, &["daemon-reload"])?;
            self.ctl(instance, &["reset-failed", &format!("{name}.service")])?;
        }
        files::remove(&instance.file("env"))
    }

    fn log(&self, instance: &Instance<'_>) -> Vec<String> {
        self.journal(instance, &format!("{}.service", self.name(instance)))
    }
}

/// What `systemctl show` says of a unit.
#[derive(Debug)]
pub(super) struct Shown(Vec<(String, String)>);

impl Shown {
    fn parse(text: &str) -> Self {
        let pair = |line: &str| line.split_once('=').map(|(name, value)| (name.into(), value.into()));
        Self(text.lines().filter_map(pair).collect())
    }

    fn get(&self, name: &str) -> &str {
        self.0.iter().find(|(own, _)| own == name).map_or("", |(_, value)| value)
    }

    fn is(&self, name: &str, value: &str) -> bool {
        self.get(name) == value
    }

    fn is_up(&self) -> bool {
        matches!(self.get("ActiveState"), "active" | "reloading" | "activating" | "deactivating")
    }

    /// Returns the process, if there is one.
    fn pid(&self) -> Option<u32> {
        self.get("MainPID").parse().ok().filter(|pid| *pid != 0)
    }

    /// Returns what a unit of ours says of its copy.
    pub(super) fn state(&self, instance: &Instance<'_>) -> State {
        let detail = self.detail();
        let state = match (self.is_up(), self.pid()) {
            (true, Some(pid)) => {
                let state = State::of_process(instance, pid);
                State { detail: format!("{detail}, {}", state.detail), ..state }
            }
            (true, None) | (false, _) => State::down(detail),
        };
        State {
            given_up: self.is("ActiveState", "failed"),
            restarts: self.get("NRestarts").parse().ok(),
            ..state
        }
    }

    pub(super) fn detail(&self) -> String {
        if self.is("LoadState", "not-found") {
            return "no such unit".into();
        }
        let mut text = format!("{} ({})", self.get("ActiveState"), self.get("SubState"));
        if !matches!(self.get("Result"), "" | "success") {
            text += &format!(", {} with status {}", self.get("Result"), self.get("ExecMainStatus"));
        }
        text
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const FAILED: &str = "MainPID=0\nNRestarts=5\nResult=exit-code\nExecMainCode=1\nExecMainStatus=203\n\
                          LoadState=loaded\nActiveState=failed\nSubState=failed\nNeedDaemonReload=no\n";

    #[test]
    fn what_systemctl_says_is_understood() {
        let failed = Shown::parse(FAILED);
        assert_eq!(failed.detail(), "failed (failed), exit-code with status 203");
        assert!(!failed.is_up() && failed.pid().is_none());
        let up =
            Shown::parse("ActiveState=active\nSubState=running\nMainPID=42\nResult=success\nNRestarts=0\n");
        assert_eq!((up.pid(), up.is_up(), &*up.detail()), (Some(42), true, "active (running)"));
        assert_eq!(Shown::parse("LoadState=not-found\nActiveState=inactive\n").detail(), "no such unit");
        assert_eq!(Shown::parse("").pid(), None);
    }
}
