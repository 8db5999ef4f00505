//! Whose the directory of a host is. Its journal remembers: the last release that was live there says so.

use std::fs;

use shipway_core::deployment::{Deployment, owner};
use shipway_core::deps::quote;
use shipway_core::problem::{Code, Problem};

use super::protocol::{Known, Standing, State};
use super::root::Root;

/// The file by which a person hands the directory over to another project or environment.
const FILE: &str = "owner";

/// Returns to whom the directory was handed over, in the words of the file.
pub(super) fn handed(root: &Root) -> Option<String> {
    let text = fs::read_to_string(root.dir.join(FILE)).ok()?;
    Some(text.trim().to_owned()).filter(|text| !text.is_empty())
}

/// Refuses a deployment of somebody else than the one whose releases are live there.
pub(super) fn prove(root: &Root, known: &[Known], new: &Deployment) -> Result<(), Problem> {
    let whose = (new.project.as_str(), new.environment.as_str(), new.home.as_deref());
    taken(&root.dir.display().to_string(), known, (handed(root).as_deref(), whose)).map_or(Ok(()), Err)
}

impl State {
    /// Returns the problem of a project and environment to which the directory does not belong.
    pub fn taken(&self, project: &str, environment: &str, home: Option<&str>) -> Option<Problem> {
        taken(&self.root, &self.deployments, (self.handed.as_deref(), (project, environment, home)))
    }
}

fn taken(
    root: &str,
    known: &[Known],
    (handed, (project, environment, home)): (Option<&str>, (&str, &str, Option<&str>)),
) -> Option<Problem> {
    let was_live = |known: &&Known| match known.standing {
        Standing::Switching | Standing::Live | Standing::Confirmed | Standing::Reverting => true,
        Standing::Staged | Standing::Discarded | Standing::Failed => false,
    };
    let theirs = &known.iter().rev().find(was_live)?.deployment;
    let ours = owner(project, environment);
    if theirs.is_of(project, environment, home) || handed == Some(&ours) {
        return None;
    }
    let name = |project: &str, environment: &str| format!("environment {environment} of project {project}");
    let file = quote(&format!("{root}/{FILE}"));
    let problem =
        Problem::new(Code::HostTaken, "the directory on the host belongs to somebody else").at(root);
    Some(
        problem
            .found(name(&theirs.project, &theirs.environment))
            .wanted(name(project, environment))
            .hint(format!("give it a directory of its own: [environment.{environment}] path = \"…\""))
            .hint(format!("where it was renamed, say so on the host: echo {} >{file}", quote(&ours))),
    )
}
