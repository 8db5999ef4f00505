//! supervisord: a program section of ours in its directory of included files.

use std::path::{Path, PathBuf};
use std::time::Duration;

use shipway_core::action::{Cmd, Output};
use shipway_core::problem::{Code, Problem};

use super::{Keep, State, script};
use crate::live::instance::MARK;
use crate::live::{Instance, files, wait};

/// supervisord with its directory of included files and its configuration.
pub(super) struct Supervisor<'a> {
    pub(super) include: &'a str,
    pub(super) config: &'a str,
}

impl Supervisor<'_> {
    fn section(&self, instance: &Instance<'_>) -> PathBuf {
        Path::new(self.include).join(format!("{}.conf", instance.full_name()))
    }

    fn ctl(&self, instance: &Instance<'_>, args: &[&str]) -> Result<Output, Problem> {
        let limit = Duration::from_millis(instance.service.stop_ms) + Duration::from_mins(1);
        let cmd = Cmd::new("supervisorctl").arg("-c").arg(self.config).args(args).timeout(limit);
        let output = wait::run(instance.place, cmd)?;
        let text = output.text() + &output.error_text();
        if ["no such file", "refused connection", "SHUTDOWN_STATE"].iter().any(|away| text.contains(away)) {
            let problem = Problem::new(Code::ManagerMissing, "supervisord does not answer");
            return Err(problem
                .details(wait::last_lines(&output))
                .hint(format!("supervisord -c {}", self.config)));
        }
        Ok(output)
    }
}

impl Keep for Supervisor<'_> {
    fn see(&self, instance: &Instance<'_>) -> Result<State, Problem> {
        let text = self.ctl(instance, &["status", &instance.full_name()])?.text();
        Ok(match status(&text) {
            ("RUNNING", Some(pid)) => State::of_process(instance, pid),
            ("FATAL" | "EXITED", _) => State { given_up: true, ..State::down(text) },
            _ => State::down(text),
        })
    }

    fn start(&self, instance: &Instance<'_>) -> Result<(), Problem> {
        let run = instance.file("run");
        script::write(instance, &run)?;
        files::write(&self.section(instance), &section(instance, &run), 0o644)?;
        let name = instance.full_name();
        let reread = self.ctl(instance, &["reread"])?;
        // Restarts it when its section has changed since it was started, and says nothing otherwise.
        let updated = self.ctl(instance, &["update", &name])?;
        if !reread.ok() || !updated.ok() {
            let problem = Problem::new(Code::ServiceFailed, format!("supervisord does not take {name} up"));
            let lines = wait::last_lines(&reread).into_iter().chain(wait::last_lines(&updated));
            return Err(problem.details(lines));
        }
        let has_changed = updated.text().contains(&name);
        if !has_changed {
            self.ctl(instance, &["restart", &name])?;
        }
        Ok(())
    }

    fn stop(&self, instance: &Instance<'_>) -> Result<(), Problem> {
        let name = instance.full_name();
        files::remove(&self.section(instance))?;
        self.ctl(instance, &["reread"])?;
        self.ctl(instance, &["update", &name])?;
        let text = self.ctl(instance, &["status", &name])?.text();
        if !matches!(status(&text).0, "ERROR" | "") {
            let problem = Problem::new(Code::ServiceFailed, format!("{name} cannot be stopped"));
            return Err(problem.found(text));
        }
        files::remove(&instance.file("run"))
    }

    fn log(&self, instance: &Instance<'_>) -> Vec<String> {
        files::tail(&instance.file("log"), wait::LINES)
    }
}

/// Returns the program section of a copy. It names the mark, so that supervisord sees a change.
fn section(instance: &Instance<'_>, run: &Path) -> String {
    // supervisord expands `%` and splits as a shell does.
    let path = |path: &Path| path.to_string_lossy().replace('%', "%%");
    format!(
        "[program:{name}]\ncommand=/bin/sh \"{run}\"\nenvironment={MARK}=\"{mark}\"\nautostart=true\n\
         autorestart=true\nstartsecs=1\nstopwaitsecs={stop}\nstopasgroup=true\nkillasgroup=true\n\
         redirect_stderr=true\nstdout_logfile={log}\nstdout_logfile_maxbytes=1MB\nstdout_logfile_backups=1\n",
        name = instance.full_name(),
        run = path(run),
        mark = instance.mark(),
        stop = instance.service.stop_ms.div_ceil(1000).max(1),
        log = path(&instance.file("log")),
    )
}

/// Returns the state and the process in what `supervisorctl status` says, such as `web RUNNING pid 42, uptime 0:00:07`.
fn status(text: &str) -> (&str, Option<u32>) {
    let mut words = text.split_ascii_whitespace().skip(1);
    let state = words.next().unwrap_or_default();
    let pid = words.nth(1).and_then(|pid| pid.trim_end_matches(',').parse().ok());
    (state, pid)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_supervisorctl_says_is_understood() {
        assert_eq!(status("web                  RUNNING   pid 42, uptime 0:00:07"), ("RUNNING", Some(42)));
        assert_eq!(status("web FATAL     Exited too quickly (process log may have details)").0, "FATAL");
        assert_eq!(status("web: ERROR (no such process)"), ("ERROR", None));
        assert_eq!(status(""), ("", None));
    }
}
