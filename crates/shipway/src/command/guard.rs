//! `guard`: hooks that keep the policy, in a work tree or in a bare repository.

use super::{End, guard_server, guard_shell, local_hooks};
use crate::args::{Environment, Guard};
use crate::session::Session;
use crate::view::View;

/// Carries out what is asked of the guard. A session in a work tree is opened only where it is needed.
pub fn run<'a>(
    what: &Guard,
    environment: &Environment,
    view: &dyn View,
    open: impl FnOnce() -> Result<Session<'a>, Vec<shipway_core::problem::Problem>>,
) -> End {
    match what {
        Guard::Install(asked) => match &asked.server {
            Some(repository) => guard_server::install(asked, repository, view),
            None => local_hooks::install(&open()?, asked.dry_run),
        },
        Guard::Uninstall { server: Some(repository), .. } => guard_server::uninstall(repository, view),
        Guard::Uninstall { dry_run, server: None } => local_hooks::uninstall(&open()?, *dry_run),
        Guard::Audit { repository } => guard_server::audit(repository, view),
        Guard::Shell(asked) => guard_shell::run(asked, environment, view),
        Guard::Status => local_hooks::status(&open()?),
    }
}
