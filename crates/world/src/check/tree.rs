//! The work tree is still as the plan saw it: on its commit, and without changes to tracked files.

use shipway_core::action::{Cx, Fault};
use shipway_core::gate::{Check, Finding};
use shipway_core::kinds;
use shipway_core::problem::{Code, Problem};

use super::blocks;
use crate::git::hand::Hand;
use crate::git::repository::Repository;

/// The check.
#[derive(Debug)]
pub struct Tree {
    /// Where.
    pub repository: Repository,
    /// What.
    pub args: kinds::Tree,
}

impl Check for Tree {
    fn look(&self, cx: &Cx<'_>) -> Result<Vec<Finding>, Fault> {
        let hand = Hand::new(cx, &self.repository);
        let head = hand.resolve("HEAD")?.unwrap_or_default();
        if head != self.args.commit {
            let problem = Problem::new(Code::LocalMoved, "HEAD moved since the plan was made");
            return Ok(blocks(problem.wanted(&self.args.commit).found(head).hint("shipway plan")));
        }
        let status = ["status", "--porcelain=v1", "-z", "--untracked-files=no", "--ignore-submodules"];
        let changed = hand.expect(hand.git().args(status))?.stdout;
        let changed = String::from_utf8_lossy(&changed);
        let paths: Vec<&str> =
            changed.split_terminator('\0').filter_map(|line| line.get(3..)).take(10).collect();
        if paths.is_empty() {
            return Ok(vec![]);
        }
        let problem = Problem::new(Code::CheckChangedFiles, "tracked files changed while the checks ran");
        Ok(blocks(problem.found(paths.join(", ")).wanted("a clean work tree").hint("git diff")))
    }
}
