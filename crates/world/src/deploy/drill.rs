//! A way back was gone for practice, and not too long ago.

use std::time::Duration;

use shipway_core::action::{Cx, Fault};
use shipway_core::config::duration_text;
use shipway_core::gate::{Check, Finding};
use shipway_core::journal::Journal as _;
use shipway_core::kinds::deploy as kinds;
use shipway_core::planner::drill;
use shipway_core::problem::{Code, Problem};

use crate::check::blocks;
use crate::git::repository::Repository;
use crate::store::SqliteJournal;

/// The check.
#[derive(Debug)]
pub struct Drill {
    /// Where the journal is.
    pub repository: Repository,
    /// What.
    pub args: kinds::Drill,
}

impl Check for Drill {
    fn look(&self, cx: &Cx<'_>) -> Result<Vec<Finding>, Fault> {
        let unreadable = |error: shipway_core::journal::Error| {
            Fault::clean(Problem::new(Code::JournalUnreadable, error.to_string()))
        };
        let journal = SqliteJournal::open_read_only(&self.repository.state_dir()).map_err(unreadable)?;
        let heads = journal.runs().map_err(unreadable)?;
        let drills = self.args.environments.iter().filter_map(|name| drill::last(&heads, name));
        let within = Duration::from_millis(self.args.within_ms);
        let found = match drills.max_by_key(|drill| drill.at) {
            Some(drill) if cx.world.now().since(drill.at) <= within => return Ok(vec![]),
            Some(drill) => format!("the last one ended at {}", drill.at),
            None => "there was none".into(),
        };
        let first = self.args.environments.first().map_or("NAME", String::as_str);
        let hint = match self.args.marked.as_str() {
            "" => format!("mark an environment for it in shipway.toml: [environment.{first}] drill = true"),
            marked => format!("practise it: shipway drill rollback {marked}"),
        };
        let problem = Problem::new(Code::DrillMissing, "no rollback was practised lately").found(found);
        let wanted = format!("a drill within {}", duration_text(within));
        Ok(blocks(problem.wanted(wanted).hint(hint)))
    }
}
