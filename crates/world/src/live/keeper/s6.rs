//! s6: a service directory of ours, linked into the scan directory.

use std::fs;
use std::io;
use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};
use std::time::Duration;

use shipway_core::action::{Cmd, Output};
use shipway_core::problem::{Code, Problem};

use super::{Keep, State, script};
use crate::live::{Instance, files, wait};

/// How long s6 may take to see what changed.
const NOTICE: Duration = Duration::from_secs(30);

/// s6 with its scan directory.
pub(super) struct S6<'a> {
    pub(super) scan: &'a str,
}

impl S6<'_> {
    fn link(&self, instance: &Instance<'_>) -> PathBuf {
        Path::new(self.scan).join(instance.full_name())
    }

    /// Lets the scan directory be read again; what is no longer in it is ended.
    fn rescan(&self, instance: &Instance<'_>) -> Result<(), Problem> {
        let cmd = Cmd::new("s6-svscanctl").arg("-an").arg(self.scan);
        let output = wait::run(instance.place, cmd)?;
        if output.ok() {
            return Ok(());
        }
        let problem = Problem::new(Code::ManagerMissing, format!("s6-svscan does not watch {}", self.scan));
        Err(problem.details(wait::last_lines(&output)).hint(format!("s6-svscan {}", self.scan)))
    }

    /// Brings the process down, politely first.
    fn down(instance: &Instance<'_>) -> Result<(), Problem> {
        let patience = instance.service.stop_ms.max(1).to_string();
        if !svc(instance, &["-wD", "-T", &patience, "-d"])?.ok() {
            instance.say("does not stop by itself and is killed");
            let output = svc(instance, &["-wD", "-T", "20000", "-k"])?;
            if !output.ok() {
                let problem =
                    Problem::new(Code::ServiceFailed, format!("{} cannot be stopped", instance.name()));
                return Err(problem.details(wait::last_lines(&output)));
            }
        }
        Ok(())
    }
}

impl Keep for S6<'_> {
    fn see(&self, instance: &Instance<'_>) -> Result<State, Problem> {
        if !is_supervised(instance)? {
            return Ok(State::down("s6 does not supervise it"));
        }
        let cmd = Cmd::new("s6-svstat").args(["-o", "up,pid,exitcode,signal"]).arg(dir(instance));
        let output = wait::run(instance.place, cmd)?;
        let deaths = wait::run(instance.place, Cmd::new("s6-svdt").arg(dir(instance)))?;
        let text = output.text();
        let fields: Vec<_> = text.split_ascii_whitespace().collect();
        let state = match fields[..] {
            ["true", pid, ..] => State::of_process(instance, pid.parse().unwrap_or_default()),
            ["false", _, code, signal] => State::down(format!("is down (code {code}, signal {signal})")),
            _ => State::down(output.error_text()),
        };
        let restarts = deaths.ok().then(|| deaths.text().lines().count() as u64);
        Ok(State { restarts, ..state })
    }

    fn start(&self, instance: &Instance<'_>) -> Result<(), Problem> {
        let dir = dir(instance);
        script::write(instance, &dir.join("run"))?;
        let log =
            format!("#!/bin/sh\nexec s6-log -b -- n2 s1000000 {}\n", script::quoted(&shown(&logs(instance))));
        files::directory(&logs(instance))?;
        files::write(&dir.join("log/run"), &log, 0o700)?;
        let is_new = link(&dir, &self.link(instance))?;
        self.rescan(instance)?;
        let seen = wait::until(instance.place, NOTICE, || Ok(is_supervised(instance)?.then_some(())))?;
        if seen.is_none() {
            let what = format!("s6-svscan does not take {} up", self.link(instance).display());
            return Err(Problem::new(Code::ManagerMissing, what));
        }
        if !is_new {
            Self::down(instance)?;
        }
        svc(instance, &["-u"]).map(|_| ())
    }

    fn stop(&self, instance: &Instance<'_>) -> Result<(), Problem> {
        let link = self.link(instance);
        let supervised = is_supervised(instance)?;
        if supervised {
            Self::down(instance)?;
        }
        if supervised || link.is_symlink() {
            files::remove(&link)?;
            self.rescan(instance)?;
            let dir = dir(instance);
            let gone = || Ok((!is_supervised(instance)? && !svok(instance, &dir.join("log"))?).then_some(()));
            wait::until(instance.place, NOTICE, gone)?;
        }
        // Who supervised it may write a last time.
        let mut removed = Ok(());
        wait::until(instance.place, NOTICE, || {
            removed = files::remove_all(&dir(instance));
            Ok(removed.is_ok().then_some(()))
        })?;
        removed
    }

    fn log(&self, instance: &Instance<'_>) -> Vec<String> {
        files::tail(&logs(instance).join("current"), wait::LINES)
    }
}

fn shown(path: &Path) -> String {
    path.to_string_lossy().into_owned()
}

/// Returns the service directory of a copy.
fn dir(instance: &Instance<'_>) -> PathBuf {
    instance.file("s6")
}

/// Returns the directory of a copy's log.
fn logs(instance: &Instance<'_>) -> PathBuf {
    instance.file("logs")
}

fn is_supervised(instance: &Instance<'_>) -> Result<bool, Problem> {
    svok(instance, &dir(instance))
}

fn svok(instance: &Instance<'_>, dir: &Path) -> Result<bool, Problem> {
    Ok(wait::run(instance.place, Cmd::new("s6-svok").arg(dir))?.ok())
}

fn svc(instance: &Instance<'_>, args: &[&str]) -> Result<Output, Problem> {
    let limit = Duration::from_millis(instance.service.stop_ms) + Duration::from_mins(1);
    wait::run(instance.place, Cmd::new("s6-svc").args(args).arg(dir(instance)).timeout(limit))
}

/// Links a service directory into a directory that is watched, and tells whether it was not there before.
pub(super) fn link(dir: &Path, link: &Path) -> Result<bool, Problem> {
    match fs::read_link(link) {
        Ok(target) if target == dir => return Ok(false),
        // One of another environment is not ours to replace.
        Ok(target) => {
            let problem = Problem::new(Code::ServiceFailed, format!("{} is taken", link.display()));
            return Err(problem.found(target.display().to_string()).wanted(dir.display().to_string()));
        }
        Err(error) if error.kind() == io::ErrorKind::NotFound => (),
        Err(error) => return Err(files::problem(link, &error)),
    }
    symlink(dir, link).map_err(|error| files::problem(link, &error))?;
    Ok(true)
}
