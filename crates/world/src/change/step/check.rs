//! A check on the very commit that lands, in a clean checkout beside every work tree.

use std::fs;

use shipway_core::action::{Cx, Fault};
use shipway_core::gate::{self, Finding};
use shipway_core::id::Digest;
use shipway_core::kinds;
use shipway_core::problem::{Code, Problem};

use super::looked;
use crate::check::command::Command;
use crate::git::repository::Repository;
use crate::trigger::Source;

/// The check.
#[derive(Debug)]
pub struct Check {
    /// Where.
    pub repository: Repository,
    /// What.
    pub args: kinds::land::Check,
}

impl gate::Check for Check {
    fn look(&self, cx: &Cx<'_>) -> Result<Vec<Finding>, Fault> {
        let state = self.repository.state_dir();
        let name = Digest::of(format!("{} {}", cx.run, cx.step).as_bytes());
        let dir = state.join(format!("landing-{}", name.short()));
        let unmade = |error| {
            looked(Problem::new(Code::Io, format!("no checkout can be made in {}: {error}", state.display())))
        };
        fs::create_dir_all(&state).map_err(unmade)?;
        // A look that was cut off may have left its checkout.
        if dir.exists() {
            fs::remove_dir_all(&dir).map_err(unmade)?;
        }
        let source = Source { dir: &self.repository.top, shell: cx.world.shell(), stop: cx.stop };
        let checkout = source.check_out(&self.args.commit, &dir).map_err(looked)?;
        let command = kinds::Command {
            argv: self.args.run.clone(),
            env: self.args.env.clone().into_iter().collect(),
            advice: false,
        };
        Command { dir: checkout.tree.clone(), args: command }.look(cx)
    }
}
