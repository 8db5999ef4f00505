//! Compose files of the release. Whose the containers are is told by the file that they were made from.

use std::path::{Path, PathBuf};
use std::time::Duration;

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

    /// Returns the engine below the compose command.
    fn engine(&self) -> &'static str {
        let is_podman = self.command.iter().take(1).any(|word| word.contains("podman"));
        if is_podman { "podman" } else { "docker" }
    }

    fn must(&self, instance: &Instance<'_>, args: &[&str], what: &str) -> Result<(), Problem> {
        let output = self.run(instance, args)?;
        if output.ok() {
            return Ok(());
        }
        let problem = Problem::new(Code::ServiceFailed, format!("{} {what}", instance.name()));
        Err(problem.found(format!("{:?}", output.ended)).details(wait::last_lines(&output)))
    }
}

/// Returns where it is kept how the containers were last made.
fn told(instance: &Instance<'_>) -> PathBuf {
    instance.file("mark")
}

impl Keep for Compose<'_> {
    fn see(&self, instance: &Instance<'_>) -> Result<State, Problem> {
        let filter = format!("label={PROJECT}={}", instance.full_name().to_lowercase());
        let format = format!("{{{{.State}}}}\t{{{{.Label \"{FILES}\"}}}}");
        let cmd = Cmd::new(self.engine()).args(["ps", "--all", "--filter", &filter, "--format", &format]);
        let output = wait::run(instance.place, cmd)?;
        if !output.ok() {
            let problem = Problem::new(Code::ManagerMissing, format!("{} does not answer", self.engine()));
            return Err(problem.details(wait::last_lines(&output)));
        }
        let told = files::read(&told(instance))?;
        let is_told = told.is_some_and(|mark| mark == instance.mark().as_str());
        Ok(state(&output.text(), &self.path(instance), is_told))
    }

    fn start(&self, instance: &Instance<'_>) -> Result<(), Problem> {
        self.must(instance, &["up", "--detach", "--remove-orphans"], "cannot be started")?;
        files::write(&told(instance), instance.mark().as_str(), 0o644).map(|_| ())
    }

    fn stop(&self, instance: &Instance<'_>) -> Result<(), Problem> {
        if self.path(instance).exists() {
            let seconds = instance.service.stop_ms.div_ceil(1000).to_string();
            self.must(instance, &["down", "--timeout", &seconds, "--remove-orphans"], "cannot be stopped")?;
        }
        files::remove(&told(instance))
    }

    fn log(&self, instance: &Instance<'_>) -> Vec<String> {
        let lines = wait::LINES.to_string();
        let output = self.run(instance, &["logs", "--no-color", "--tail", &lines]);
        output.map(|output| wait::last_lines(&output)).unwrap_or_default()
    }
}

/// Reads lines of a state and the files that a container was made from.
fn state(text: &str, file: &Path, is_told: bool) -> State {
    let rows: Vec<_> = text.lines().filter_map(|line| line.split_once('\t')).collect();
    if rows.is_empty() {
        return State::down("no containers");
    }
    let up = rows.iter().filter(|(state, _)| *state == "running").count();
    let is_of_release = rows.iter().all(|(_, files)| files.split(',').any(|own| Path::new(own) == file));
    let detail = format!("{up} of {} containers run", rows.len());
    let detail = if is_of_release { detail } else { detail + ", of another release" };
    State { running: up == rows.len(), ours: is_of_release && is_told, detail, ..State::default() }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn all_containers_must_run_and_be_of_the_file_of_the_release() {
        let file = Path::new("/r/releases/d1/compose.yaml");
        let check = |text: &str, running: bool, ours: bool| {
            let state = state(text, file, true);
            assert_eq!((state.running, state.ours), (running, ours), "{text}");
        };
        check("running\t/r/releases/d1/compose.yaml\nrunning\t/r/releases/d1/compose.yaml", true, true);
        check("running\t/r/releases/d1/compose.yaml\nexited\t/r/releases/d1/compose.yaml", false, true);
        check("running\t/r/releases/d0/compose.yaml", true, false);
        check("", false, false);
        assert!(!super::state("running\t/r/releases/d1/compose.yaml", file, false).ours);
    }
}
