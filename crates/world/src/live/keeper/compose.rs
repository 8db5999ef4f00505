//! Compose files of the release. Whose the containers are is told by the file that they were made from.

use std::path::{Path, PathBuf};
use std::time::Duration;

use serde_json::Value;
use shipway_core::action::{Cmd, Output};
use shipway_core::problem::{Code, Problem};

use super::{Keep, State};
use crate::live::{Instance, files, wait};

/// How long images may take to come.
const PULL: Duration = Duration::from_mins(15);

/// The label with the name of the project, which docker and podman both set.
const PROJECT: &str = "com.docker.compose.project";

/// The label with the files.
const FILES: &str = "com.docker.compose.project.config_files";

/// A compose command and a file of the release.
pub(super) struct Compose<'a> {
    pub(super) command: &'a [String],
    pub(super) file: &'a str,
}

impl Compose<'_> {
    fn run(&self, instance: &Instance<'_>, args: &[&str]) -> Result<Output, Problem> {
        let file = self.path(instance);
        let name = instance.full_name().to_lowercase();
        let mut words = self.command.to_vec();
        words.extend(["--project-name".into(), name, "--file".into(), file.to_string_lossy().into_owned()]);
        words.extend(args.iter().map(|word| (*word).to_owned()));
        let limit = PULL + Duration::from_millis(instance.service.stop_ms);
        wait::run(instance.place, instance.command(&words)?.timeout(limit))
    }

    fn path(&self, instance: &Instance<'_>) -> PathBuf {
        instance.release().join(self.file)
    }

    fn is_podman(&self) -> bool {
        self.command.first().is_some_and(|word| word.contains("podman"))
    }

    /// Returns the engine below the compose command.
    fn engine(&self) -> &str {
        let at = self.command.iter().position(|word| word == "--podman-path");
        match at.and_then(|at| self.command.get(at + 1)) {
            Some(path) => path,
            None if self.is_podman() => "podman",
            None => "docker",
        }
    }

    fn must(&self, instance: &Instance<'_>, args: &[&str], what: &str) -> Result<Output, Problem> {
        let output = self.run(instance, args)?;
        if output.ok() { Ok(output) } else { Err(failed(instance, &output, what)) }
    }

    /// Asks the engine, which must answer.
    fn ask(&self, instance: &Instance<'_>, args: &[&str]) -> Result<Output, Problem> {
        let limit = Duration::from_millis(instance.service.stop_ms) + Duration::from_mins(3);
        wait::run(instance.place, Cmd::new(self.engine()).args(args).timeout(limit))
    }

    /// Returns the ids of the containers of the project, also of those that do not run.
    fn ids(&self, instance: &Instance<'_>) -> Result<Vec<String>, Problem> {
        let filter = format!("label={PROJECT}={}", instance.full_name().to_lowercase());
        let output = self.ask(instance, &["ps", "--all", "--quiet", "--filter", &filter])?;
        if output.ok() {
            return Ok(output.text().split_whitespace().map(str::to_owned).collect());
        }
        let problem = Problem::new(Code::ManagerMissing, format!("{} does not answer", self.engine()));
        Err(problem.details(wait::last_lines(&output)))
    }

    /// Returns what the engine says of the containers of the project.
    fn containers(&self, instance: &Instance<'_>) -> Result<Vec<Value>, Problem> {
        let ids = self.ids(instance)?;
        if ids.is_empty() {
            return Ok(vec![]);
        }
        let words: Vec<&str> =
            ["container", "inspect"].into_iter().chain(ids.iter().map(String::as_str)).collect();
        let output = self.ask(instance, &words)?;
        // One that has gone meanwhile is an error of the command, and all others are told.
        serde_json::from_slice(&output.stdout).map_err(|_| {
            let problem = Problem::new(Code::ManagerMissing, format!("{} does not answer", self.engine()));
            problem.details(wait::last_lines(&output))
        })
    }

    /// Removes every container of the project, of whatever file it was made.
    fn clear(&self, instance: &Instance<'_>) -> Result<(), Problem> {
        let ids = self.ids(instance)?;
        if ids.is_empty() {
            return Ok(());
        }
        let seconds = instance.service.stop_ms.div_ceil(1000).to_string();
        for words in [&["stop", "-t", &seconds][..], &["rm", "--force"]] {
            let words: Vec<&str> = words.iter().copied().chain(ids.iter().map(String::as_str)).collect();
            let output = self.ask(instance, &words)?;
            if !output.ok() {
                return Err(failed(instance, &output, "cannot be stopped"));
            }
        }
        Ok(())
    }
}

fn failed(instance: &Instance<'_>, output: &Output, what: &str) -> Problem {
    let problem = Problem::new(Code::ServiceFailed, format!("{} {what}", instance.name()));
    problem.found(format!("{:?}", output.ended)).details(wait::last_lines(output))
}

/// Returns where it is kept how the containers were last made.
fn told(instance: &Instance<'_>) -> PathBuf {
    instance.file("mark")
}

impl Keep for Compose<'_> {
    fn see(&self, instance: &Instance<'_>) -> Result<State, Problem> {
        let containers = self.containers(instance)?;
        let told = files::read(&told(instance))?;
        let is_told = told.is_some_and(|mark| mark == instance.mark().as_str());
        Ok(state(&containers, &self.path(instance), is_told))
    }

    fn start(&self, instance: &Instance<'_>) -> Result<(), Problem> {
        // docker makes those again that have changed, and leaves the rest alone. podman-compose starts whatever has the
        // name, of whatever release it is.
        if self.is_podman() {
            self.clear(instance)?;
        }
        let what = "cannot be started";
        let output = self.must(instance, &["up", "--detach", "--remove-orphans"], what)?;
        // podman-compose ends with 0 whatever has happened.
        if self.ids(instance)?.is_empty() {
            return Err(failed(instance, &output, what));
        }
        files::write(&told(instance), instance.mark().as_str(), 0o644).map(|_| ())
    }

    fn stop(&self, instance: &Instance<'_>) -> Result<(), Problem> {
        if self.path(instance).exists() {
            let seconds = instance.service.stop_ms.div_ceil(1000).to_string();
            let mut words = vec!["down", "--timeout", &seconds];
            if !self.is_podman() {
                words.push("--remove-orphans");
            }
            self.must(instance, &words, "cannot be stopped")?;
        }
        self.clear(instance)?;
        if self.is_podman() {
            // podman-compose leaves them. One that others have joined stays.
            let project = instance.full_name().to_lowercase();
            let filter = format!("label={PROJECT}={project}");
            let output = self.ask(instance, &["network", "ls", "--quiet", "--filter", &filter])?;
            for network in output.text().split_whitespace() {
                self.ask(instance, &["network", "rm", network])?;
            }
        }
        files::remove(&told(instance))
    }

    fn log(&self, instance: &Instance<'_>) -> Vec<String> {
        let lines = wait::LINES.to_string();
        let words = ["logs", "--tail", &lines, "--no-color"];
        let output = self.run(instance, if self.is_podman() { &words[..3] } else { &words });
        output.map(|output| wait::last_lines(&output)).unwrap_or_default()
    }
}

/// Reads what podman and docker say in the same words: whether each runs, and of which files it was made.
fn state(containers: &[Value], file: &Path, is_told: bool) -> State {
    if containers.is_empty() {
        return State::down("no containers");
    }
    let status = |of: &&Value| of.pointer("/State/Status").and_then(Value::as_str) == Some("running");
    let up = containers.iter().filter(status).count();
    let files = |of: &Value| {
        let labels = of.pointer("/Config/Labels");
        labels.and_then(|labels| labels.get(FILES)?.as_str()).unwrap_or_default().to_owned()
    };
    let is_of_file = |of: &Value| files(of).split(',').any(|own| Path::new(own) == file);
    let is_of_release = containers.iter().all(is_of_file);
    let detail = format!("{up} of {} containers run", containers.len());
    let detail = if is_of_release { detail } else { detail + ", of another release" };
    State { running: up == containers.len(), ours: is_of_release && is_told, detail, ..State::default() }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn all_containers_must_run_and_be_of_the_file_of_the_release() {
        let file = Path::new("/r/releases/d1/compose.yaml");
        let of = |status: &str, release: &str| {
            let labels = json!({ FILES: format!("/r/releases/{release}/compose.yaml") });
            json!({ "State": { "Status": status }, "Config": { "Labels": labels } })
        };
        let check = |containers: &[Value], running: bool, ours: bool| {
            let state = state(containers, file, true);
            assert_eq!((state.running, state.ours), (running, ours), "{containers:?}");
        };
        check(&[of("running", "d1"), of("running", "d1")], true, true);
        check(&[of("running", "d1"), of("exited", "d1")], false, true);
        check(&[of("running", "d0")], true, false);
        check(&[of("running", "d0"), of("running", "d1")], true, false);
        check(&[], false, false);
        assert!(!state(&[of("running", "d1")], file, false).ours);
    }

    #[test]
    fn the_engine_is_that_of_the_compose_command() {
        let check = |command: &str, engine: &str| {
            let command: Vec<String> = command.split(' ').map(str::to_owned).collect();
            assert_eq!(Compose { command: &command, file: "compose.yaml" }.engine(), engine);
        };
        check("podman-compose", "podman");
        check("podman-compose --podman-path /opt/podman", "/opt/podman");
        check("docker compose", "docker");
        check("docker-compose", "docker");
    }
}
