//! Quadlet: a file of the release that podman's generator turns into a systemd unit.

use std::path::{Path, PathBuf};

use shipway_core::action::Cmd;
use shipway_core::problem::{Code, Problem};

use super::container::{LABEL_MARK, LABEL_RELEASE, LABEL_RUN};
use super::systemd::Systemd;
use super::{Keep, State};
use crate::live::{Instance, files, wait};

/// Finds the directory of the user's quadlet files; only the shell of the user knows it.
const USER_FILES: &str = r#"printf %s "${XDG_CONFIG_HOME:-$HOME/.config}/containers/systemd""#;

/// A quadlet file of the release.
pub(super) struct Quadlet<'a> {
    pub(super) file: &'a str,
    pub(super) user: bool,
}

impl Quadlet<'_> {
    fn systemd(&self) -> Systemd<'_> {
        Systemd { unit: "", user: self.user }
    }

    fn path(&self, instance: &Instance<'_>) -> Result<PathBuf, Problem> {
        let dir = if self.user {
            let output = wait::run(instance.place, Cmd::new("/bin/sh").args(["-c", USER_FILES]))?;
            PathBuf::from(output.text())
        } else {
            PathBuf::from("/etc/containers/systemd")
        };
        Ok(dir.join(format!("{}.container", instance.full_name())))
    }

    /// Returns the text that is written: that of the release with the placeholders filled in, and what shows whose it is.
    fn text(&self, instance: &Instance<'_>) -> Result<String, Problem> {
        let path = instance.release().join(self.file);
        let Some(text) = files::read(&path)? else {
            let problem = Problem::new(Code::ServiceFailed, format!("{} is not in the release", self.file));
            return Err(problem.at(path.display().to_string()));
        };
        Ok(marked(&instance.fill(&text), instance))
    }
}

/// Adds what shows whose a container is. A section may stand twice in a file; its lines are read as one.
fn marked(text: &str, instance: &Instance<'_>) -> String {
    format!(
        "{}\n\n# Added by shipway.\n[Container]\nContainerName={}\nLabel={LABEL_MARK}={}\nLabel={LABEL_RELEASE}={}\n\
         Label={LABEL_RUN}={}\nEnvironmentFile={}\n",
        text.trim_end(),
        instance.full_name(),
        instance.mark(),
        instance.deployment.artifact,
        instance.deployment.run,
        instance.file("env").display(),
    )
}

impl Keep for Quadlet<'_> {
    fn see(&self, instance: &Instance<'_>) -> Result<State, Problem> {
        let unit = format!("{}.service", instance.full_name());
        let shown = self.systemd().show(instance, &unit)?.state(instance);
        let container = super::container::see(instance, "podman", &instance.full_name())?;
        // The process of the unit is that of the engine; whose the container is, its labels say.
        let running = shown.running && container.running;
        Ok(State { running, ours: container.ours, detail: container.detail, pid: container.pid, ..shown })
    }

    fn start(&self, instance: &Instance<'_>) -> Result<(), Problem> {
        let path = self.path(instance)?;
        let (name, systemd) = (format!("{}.service", instance.full_name()), self.systemd());
        files::write(&instance.file("env"), &plain_variables(instance)?, 0o600)?;
        files::write(&path, &self.text(instance)?, 0o644)?;
        systemd.must(instance, &["daemon-reload"])?;
        if systemd.show(instance, &name)?.detail() == "no such unit" {
            let problem =
                Problem::new(Code::ManagerMissing, "podman's generator made no unit of the quadlet file");
            return Err(problem.at(path.display().to_string()).hint(generator(&path)));
        }
        systemd.ctl(instance, &["reset-failed", &name])?;
        systemd.must(instance, &["restart", &name])
    }

    fn stop(&self, instance: &Instance<'_>) -> Result<(), Problem> {
        let path = self.path(instance)?;
        if path.exists() {
            self.systemd().must(instance, &["stop", &format!("{}.service", instance.full_name())])?;
            files::remove(&path)?;
            self.systemd().must(instance, &["daemon-reload"])?;
        }
        files::remove(&instance.file("env"))
    }

    fn log(&self, instance: &Instance<'_>) -> Vec<String> {
        self.systemd().journal(instance, &format!("{}.service", instance.full_name()))
    }
}

fn generator(path: &Path) -> String {
    let dir = path.parent().unwrap_or(path).display();
    format!("QUADLET_UNIT_DIRS={dir} /usr/libexec/podman/quadlet -dryrun")
}

/// Returns the file of variables as podman reads it: the text behind the `=` as it is.
fn plain_variables(instance: &Instance<'_>) -> Result<String, Problem> {
    let line = |(name, text): (String, String)| format!("{name}={text}\n");
    Ok(instance.env()?.into_iter().map(line).collect())
}
