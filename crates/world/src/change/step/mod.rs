//! The steps of a landing.

mod check;
mod land;
mod ticket;

pub use check::Check;
pub use land::Land;
pub use ticket::Ticket;
pub(crate) use ticket::for_revert;

use shipway_core::action::{Cx, Fault};
use shipway_core::problem::Problem;

use crate::git::repository::Repository;
use crate::hooks::staged::InHook;

/// Returns git as this attempt of a step has it.
fn git<'a>(cx: &'a Cx<'_>, repository: &Repository) -> InHook<'a> {
    InHook { top: repository.top.clone(), variables: vec![], shell: cx.world.shell(), stop: cx.stop }
}

/// Returns the fault of a look: whatever went wrong, nothing happened.
fn looked(problem: Problem) -> Fault {
    Fault::clean(problem)
}

fn short(id: &str) -> &str {
    if id.is_empty() { "nothing" } else { id.get(..8).unwrap_or(id) }
}
