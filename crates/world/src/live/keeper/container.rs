//! Containers that podman or docker runs. Labels say whose they are.

use std::time::Duration;

use serde_json::Value;
use shipway_core::action::{Cmd, Output};
use shipway_core::problem::{Code, Problem};

use super::{Keep, State, image};
use crate::live::{Instance, wait};

/// The label with the digest of all that decides how it runs.
pub(super) const LABEL_MARK: &str = "shipway.mark";

/// The label with the release.
pub(super) const LABEL_RELEASE: &str = "shipway.release";

/// The label with the run that started it.
pub(super) const LABEL_RUN: &str = "shipway.run";

/// podman or docker, with an image.
pub(super) struct Container<'a> {
    pub(super) engine: &'a str,
    pub(super) image: &'a str,
    pub(super) args: &'a [String],
}

impl Container<'_> {
    fn engine(&self, instance: &Instance<'_>, args: &[&str]) -> Result<Output, Problem> {
        let limit = Duration::from_millis(instance.service.stop_ms) + Duration::from_mins(3);
        wait::run(instance.place, Cmd::new(self.engine).args(args).timeout(limit))
    }

    fn must(&self, instance: &Instance<'_>, args: &[&str], what: &str) -> Result<(), Problem> {
        let output = self.engine(instance, args)?;
        if output.ok() {
            return Ok(());
        }
        let problem = Problem::new(Code::ServiceFailed, format!("{} {what}", instance.name()));
        Err(problem.details(wait::last_lines(&output)))
    }

    /// Returns the command that starts it. The values of variables are not in its arguments, where everybody could see
    /// them: the engine takes them from its own variables.
    fn run(&self, instance: &Instance<'_>) -> Result<Cmd, Problem> {
        let mut cmd = Cmd::new(self.engine).args(["run", "--detach", "--name", &instance.full_name()]);
        cmd = cmd.arg("--restart=unless-stopped");
        for (label, value) in [
            (LABEL_MARK, instance.mark().as_str()),
            (LABEL_RELEASE, instance.deployment.artifact.as_str()),
            (LABEL_RUN, instance.deployment.run.as_str()),
        ] {
            cmd = cmd.arg("--label").arg(format!("{label}={value}"));
        }
        for (name, value) in instance.env()? {
            cmd = cmd.arg("--env").arg(&name).env(name, value);
        }
        cmd = cmd.args(instance.fill_all(self.args)).arg(image::name(instance, self.image)?);
        Ok(cmd.args(instance.fill_all(&instance.service.run)).timeout(image::PULL))
    }

    /// Returns what is wrong with the image that a container was made of. A name that can be moved proves nothing, and
    /// what is not on the host cannot be compared: then the labels have to do.
    fn wrong_image(&self, instance: &Instance<'_>, seen: &Value) -> Result<Option<String>, Problem> {
        // Before its release is on the host, nothing can be said about it.
        let Ok(wanted) = image::name(instance, self.image) else { return Ok(None) };
        if !image::is_fixed(&wanted) {
            return Ok(None);
        }
        let has = seen.get("Image").and_then(Value::as_str).map(image::plain);
        let wants = image::id(instance, self.engine, &wanted)?;
        let differs = has.zip(wants.as_deref()).is_some_and(|(has, wants)| has != wants);
        Ok(differs.then(|| format!("runs an image that is not {wanted}")))
    }
}

impl Keep for Container<'_> {
    fn see(&self, instance: &Instance<'_>) -> Result<State, Problem> {
        let Some(seen) = inspect(instance, self.engine, &instance.full_name())? else {
            return Ok(State::down("no such container"));
        };
        let state = state(&seen, instance.mark().as_str());
        match state.is_as_wanted().then(|| self.wrong_image(instance, &seen)).transpose()?.flatten() {
            Some(detail) => Ok(State { ours: false, detail, ..state }),
            None => Ok(state),
        }
    }

    fn prepare(&self, instance: &Instance<'_>) -> Result<(), Problem> {
        image::bring(instance, self.engine, self.image, self.args)
    }

    fn start(&self, instance: &Instance<'_>) -> Result<(), Problem> {
        // A container that was stopped is made again too: it may have been left half started.
        self.stop(instance)?;
        let output = wait::run(instance.place, self.run(instance)?)?;
        if output.ok() {
            return Ok(());
        }
        let problem = Problem::new(Code::ServiceFailed, format!("{} cannot be started", instance.name()));
        Err(problem.found(format!("{:?}", output.ended)).details(wait::last_lines(&output)))
    }

    fn stop(&self, instance: &Instance<'_>) -> Result<(), Problem> {
        let name = instance.full_name();
        if inspect(instance, self.engine, &name)?.is_none() {
            return Ok(());
        }
        let seconds = instance.service.stop_ms.div_ceil(1000).to_string();
        self.must(instance, &["stop", "-t", &seconds, &name], "cannot be stopped")?;
        self.must(instance, &["rm", "--force", &name], "cannot be removed")
    }

    fn log(&self, instance: &Instance<'_>) -> Vec<String> {
        let lines = wait::LINES.to_string();
        let output = self.engine(instance, &["logs", "--tail", &lines, &instance.full_name()]);
        output.map(|output| wait::last_lines(&output)).unwrap_or_default()
    }
}

/// Looks at a container.
pub(super) fn see(instance: &Instance<'_>, engine: &str, name: &str) -> Result<State, Problem> {
    let Some(seen) = inspect(instance, engine, name)? else { return Ok(State::down("no such container")) };
    Ok(state(&seen, instance.mark().as_str()))
}

/// Returns what an engine says of a container, or nothing when there is none.
fn inspect(instance: &Instance<'_>, engine: &str, name: &str) -> Result<Option<Value>, Problem> {
    let cmd = Cmd::new(engine).args(["container", "inspect", name]);
    let output = wait::run(instance.place, cmd)?;
    let said = output.error_text();
    if !output.ok() {
        if said.to_lowercase().contains("no such") {
            return Ok(None);
        }
        let problem = Problem::new(Code::ManagerMissing, format!("{engine} does not answer"));
        return Err(problem.details(wait::last_lines(&output)));
    }
    let list: Value = serde_json::from_slice(&output.stdout).unwrap_or_default();
    Ok(list.get(0).cloned())
}

/// Reads what podman and docker say in the same words.
fn state(seen: &Value, mark: &str) -> State {
    let status = seen.pointer("/State/Status").and_then(Value::as_str).unwrap_or("unknown");
    let running = seen.pointer("/State/Running").and_then(Value::as_bool).unwrap_or_default();
    let label = |name: &str| seen.pointer("/Config/Labels").and_then(|labels| labels.get(name)?.as_str());
    let pid = seen.pointer("/State/Pid").and_then(Value::as_u64).and_then(|pid| u32::try_from(pid).ok());
    let pid = pid.filter(|pid| *pid != 0);
    let ours = label(LABEL_MARK) == Some(mark);
    let of = label(LABEL_RELEASE).and_then(|release| release.get(..8)).unwrap_or("unknown");
    let code = seen.pointer("/State/ExitCode").and_then(Value::as_i64).unwrap_or_default();
    let detail = match (running, ours) {
        (true, true) => status.to_owned(),
        (true, false) => format!("{status}, of release {of}"),
        (false, _) => format!("{status}, code {code}"),
    };
    let since = pid.and_then(super::Process::find).and_then(|process| process.since());
    let restarts = seen.get("RestartCount").and_then(Value::as_u64);
    State { running, ours, given_up: false, pid, since, restarts, detail }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_container_is_told_by_its_labels() {
        let seen = json!({
            "State": { "Status": "running", "Running": true, "Pid": 42, "ExitCode": 0 },
            "Config": { "Labels": { "shipway.mark": "m", "shipway.release": "0123456789" } },
            "RestartCount": 2,
        });
        let ours = state(&seen, "m");
        assert!(ours.running && ours.ours);
        assert_eq!((ours.pid, ours.restarts), (Some(42), Some(2)));
        let other = state(&seen, "n");
        assert!(other.running && !other.ours);
        assert_eq!(other.detail, "running, of release 01234567");
        let dead = json!({ "State": { "Status": "exited", "Running": false, "Pid": 0, "ExitCode": 137 } });
        let dead = state(&dead, "m");
        assert!(!dead.running && !dead.ours);
        assert_eq!((dead.pid, &*dead.detail), (None, "exited, code 137"));
    }
}
