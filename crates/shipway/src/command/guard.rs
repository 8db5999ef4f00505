//! `guard`: hooks that keep the policy.

use super::{End, local_hooks};
use crate::args::Guard;
use crate::session::Session;

/// Carries out what is asked of the guard.
pub fn run(session: &Session<'_>, what: &Guard) -> End {
    match what {
        Guard::Install { dry_run } => local_hooks::install(session, *dry_run),
        Guard::Uninstall { dry_run } => local_hooks::uninstall(session, *dry_run),
        Guard::Status => local_hooks::status(session),
    }
}
