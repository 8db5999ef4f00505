//! runit: a service directory of ours, linked into the directory that `runsvdir` watches.

use std::path::{Path, PathBuf};
use std::time::Duration;

use shipway_core::action::{Cmd, Output};
use shipway_core::problem::{Code, Problem};

use super::s6::link;
use super::{Keep, State, script};
use crate::live::{Instance, files, wait};

/// How long `runsvdir` may take to see what changed; it looks every five seconds.
const NOTICE: Duration = Duration::from_mins(1);

/// runit with the directory that is watched.
pub(super) struct Runit<'a> {
    pub(super) scan: &'a str,
}

impl Runit<'_> {
    fn link(&self, instance: &Instance<'_>) -> PathBuf {
        Path::new(self.scan).join(instance.full_name())
    }
}

impl Keep for Runit<'_> {
    fn see(&self, instance: &Instance<'_>) -> Result<State, Problem> {
        let text = sv(instance, "status")?.text();
        Ok(match pid(&text) {
            Some(pid) => State::of_process(instance, pid),
            None => State::down(text),
        })
    }

    fn start(&self, instance: &Instance<'_>) -> Result<(), Problem> {
        let dir = dir(instance);
        script::write(instance, &dir.join("run"))?;
        files::directory(&logs(instance))?;
        let log = format!("#!/bin/sh\nexec svlogd {}\n", script::quoted(&logs(instance).to_string_lossy()));
        files::write(&dir.join("log/run"), &log, 0o700)?;
        let is_new = link(&dir, &self.link(instance))?;
        let seen = || Ok(sv(instance, "status")?.ok().then_some(()));
        if wait::until(instance.place, NOTICE, seen)?.is_none() {
            let what = format!("runsvdir does not take {} up", self.link(instance).display());
            return Err(Problem::new(Code::ManagerMissing, what).hint(format!("runsvdir {}", self.scan)));
        }
        if is_new {
            return Ok(());
        }
        // Comes up whatever it was before, and is killed when its time to stop is over.
        let output = sv(instance, "force-restart")?;
        if output.ok() || pid(&output.text()).is_some() {
            return Ok(());
        }
        let problem = Problem::new(Code::ServiceFailed, format!("{} cannot be restarted", instance.name()));
        Err(problem.details(wait::last_lines(&output)))
    }

    fn stop(&self, instance: &Instance<'_>) -> Result<(), Problem> {
        let link = self.link(instance);
        if link.is_symlink() {
            // First, or it would be taken up again.
            files::remove(&link)?;
        }
        if sv(instance, "status")?.ok() {
            sv(instance, "force-shutdown")?;
            let gone = || Ok((!sv(instance, "status")?.ok()).then_some(()));
            wait::until(instance.place, NOTICE, gone)?.ok_or_else(|| {
                Problem::new(Code::ServiceFailed, format!("{} cannot be stopped", instance.name()))
            })?;
        }
        files::remove_all(&dir(instance))
    }

    fn log(&self, instance: &Instance<'_>) -> Vec<String> {
        files::tail(&logs(instance).join("current"), wait::LINES)
    }
}

/// Returns the service directory of a copy.
fn dir(instance: &Instance<'_>) -> PathBuf {
    instance.file("runit")
}

/// Returns the directory of a copy's log.
fn logs(instance: &Instance<'_>) -> PathBuf {
    instance.file("logs")
}

fn sv(instance: &Instance<'_>, what: &str) -> Result<Output, Problem> {
    let seconds = instance.service.stop_ms.div_ceil(1000).max(1);
    let limit = Duration::from_secs(seconds) + Duration::from_mins(1);
    let cmd = Cmd::new("sv").args(["-w", &seconds.to_string(), what]).arg(dir(instance));
    wait::run(instance.place, cmd.timeout(limit))
}

/// Returns the process in what `sv status` says, such as `run: /etc/service/web: (pid 42) 7s; run: log: (pid 41) 7s`.
fn pid(status: &str) -> Option<u32> {
    let service = status.split(';').next()?;
    service.strip_prefix("run: ").or(service.strip_prefix("ok: run: "))?;
    let (_, rest) = service.rsplit_once("(pid ")?;
    rest.split(')').next()?.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_process_is_that_of_the_service_not_of_its_log() {
        for (status, expected) in [
            ("run: /s/web: (pid 42) 7s; run: log: (pid 41) 7s", Some(42)),
            ("ok: run: /s/web: (pid 42) 0s", Some(42)),
            ("down: /s/web: 1s, normally up; run: log: (pid 41) 7s", None),
            ("fail: /s/web: unable to open supervise/ok: file does not exist", None),
            ("run: /s/(pid 1) x: (pid 42) 7s", Some(42)),
        ] {
            assert_eq!(pid(status), expected, "{status}");
        }
    }
}
