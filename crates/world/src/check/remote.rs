//! The remote holds what the plan promised: the tag object is ours, and the branch is at the release or above it.

use std::time::Duration;

use shipway_core::action::{Cx, Fault};
use shipway_core::gate::{Check, Finding};
use shipway_core::kinds;
use shipway_core::problem::{Code, Problem};

use super::{advice, blocks};
use crate::git::hand::Hand;
use crate::git::remote;
use crate::git::repository::Repository;

/// The check.
#[derive(Debug)]
pub struct Remote {
    /// Where.
    pub repository: Repository,
    /// What.
    pub args: kinds::Remote,
}

/// How often a remote that does not answer is asked.
const LOOKS: u32 = 4;

impl Check for Remote {
    fn look(&self, cx: &Cx<'_>) -> Result<Vec<Finding>, Fault> {
        let hand = Hand::new(cx, &self.repository);
        let mut looks = 0;
        loop {
            looks += 1;
            match self.compare(&hand) {
                Err(fault) if looks < LOOKS && fault.retry_after_ms.is_some() => {
                    cx.world.rest(Duration::from_secs(1 << looks), cx.stop);
                }
                result => return result,
            }
        }
    }
}

impl Remote {
    fn compare(&self, hand: &Hand<'_>) -> Result<Vec<Finding>, Fault> {
        let kinds::Remote { remote: name, branch, tag } = &self.args;
        let refs = remote::look(hand, name, branch, tag)?;
        let ours = hand.resolve(&format!("refs/tags/{tag}"))?.unwrap_or_default();
        let commit = hand.resolve(&format!("refs/tags/{tag}^{{commit}}"))?.unwrap_or_default();
        let wrong = |what: String, wanted: &str, found: Option<String>| {
            let found = found.unwrap_or_else(|| "nothing".into());
            blocks(Problem::new(Code::NotVerified, what).wanted(wanted).found(found))
        };
        if refs.tag.as_deref() != Some(&ours) {
            return Ok(wrong(format!("tag {tag} on {name} is not the one of this release"), &ours, refs.tag));
        }
        let Some(tip) = refs.tip else {
            return Ok(wrong(format!("{name} has no branch {branch}"), &commit, None));
        };
        if tip == commit {
            return Ok(vec![]);
        }
        if hand.resolve(&format!("{tip}^{{commit}}"))?.is_none() {
            remote::fetch(hand, name, branch)?;
        }
        if hand.look(hand.git().args(["merge-base", "--is-ancestor", &commit, &tip]))?.ok() {
            let what = format!("others have pushed to {branch} on top of the release");
            return Ok(advice(Problem::new(Code::RemoteMoved, what).found(tip).hint("git pull")));
        }
        Ok(wrong(format!("{branch} on {name} does not hold the release"), &commit, Some(tip)))
    }
}
