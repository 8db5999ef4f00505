//! The plan of a release.

use std::collections::BTreeSet;
use std::time::Duration;

use serde::Serialize;

use crate::action::{Catalog, Reversal};
use crate::edit::Edit;
use crate::gate::Need;
use crate::id::{Digest, StepId};
use crate::kinds::{self, Signing};
use crate::plan::{Plan, Release, Step};
use crate::planner::deploy::{self, Material, Way};
use crate::planner::{Draft, SETTLE_MS, need};
use crate::problem::Problem;
use crate::version;

/// All that decides the plan of a release, decided already: what remains is to write it down in order.
#[derive(Clone, Debug)]
pub struct Input {
    /// What is released.
    pub release: Release,
    /// Where it is released from.
    pub from: From,
    /// Where it goes.
    pub to: To,
    /// The message of the release commit.
    pub message: String,
    /// What happens to which file; without any, the release is only a tag.
    pub edits: Vec<Edit>,
    /// The path of the changelog, if one is written.
    pub changelog: Option<String>,
    /// What must pass before anything is changed.
    pub checks: Vec<Need>,
    /// How many checks may run at once.
    pub at_once: usize,
    /// The addresses that must be well afterwards, and within what time.
    pub health: Vec<String>,
    /// Within what time the addresses must be well.
    pub within: Duration,
    /// Whether to sign.
    pub sign: Signing,
    /// How long the commit and the push may take, with the hooks of the repository.
    pub step_timeout: Option<Duration>,
    /// What is signed for the release commit, where a guard wants a ticket for it.
    pub ticket: Option<kinds::land::Ticket>,
    /// Whether a pushed tag is the publication itself, so that it cannot be taken back.
    pub tag_publishes: bool,
    /// What a reader must know besides.
    pub notes: Vec<String>,
    /// How long the run should take.
    pub target: Duration,
    /// What is built, and the environments that it is brought to, in order.
    pub onward: Option<(Material, Vec<Way>)>,
}

/// Where a release is made from.
#[derive(Clone, Debug, Serialize)]
pub struct From {
    /// The branch, without `refs/heads/`.
    pub branch: String,
    /// The object id of its commit.
    pub commit: String,
    /// The object id of the tree of that commit.
    pub tree: String,
    /// The tags of the repository.
    pub tags: BTreeSet<String>,
}

/// Where a release goes.
#[derive(Clone, Debug, Serialize)]
pub struct To {
    /// The name of the remote.
    pub remote: String,
    /// The branch there, without `refs/heads/`.
    pub branch: String,
    /// The object id of that branch; empty if it is not there.
    pub tip: String,
}

/// Returns the plan of a release: checks, then what can be taken back exactly, then what others may see.
///
/// The user's own branch moves last, although that can be taken back exactly: it follows the remote.
pub fn plan(input: Input, catalog: &dyn Catalog) -> Result<Plan, Problem> {
    let subject = Digest::of_json(&input.from.tree);
    let facts = match &input.onward {
        None => Digest::of_json(&(&input.from, &input.to)),
        Some(onward) => Digest::of_json(&(&input.from, &input.to, onward)),
    };
    let mut draft = Draft::new(catalog);
    before(&mut draft, &input, &subject)?;
    changes(&mut draft, &input)?;
    after(&mut draft, &input, &subject)?;
    let target_ms = u64::try_from(input.target.as_millis()).unwrap_or(u64::MAX);
    Ok(Plan { v: 1, release: input.release, stages: draft.stages, facts, notes: input.notes, target_ms })
}

fn before(draft: &mut Draft<'_>, input: &Input, subject: &Digest) -> Result<(), Problem> {
    draft.gate("checks", input.checks.clone(), subject, input.at_once);
    let tree = kinds::Tree { commit: input.from.commit.clone() };
    draft.gate("tree", vec![need("unchanged", kinds::TREE, &tree, 60_000)?], subject, 1);
    Ok(())
}

fn changes(draft: &mut Draft<'_>, input: &Input) -> Result<(), Problem> {
    let tag_only = input.edits.is_empty();
    let limit = |step: &mut Step| {
        if let Some(limit) = input.step_timeout {
            step.timeout_ms = u64::try_from(limit.as_millis()).unwrap_or(u64::MAX);
        }
    };
    let commit = tag_only.then(|| input.from.commit.clone());
    let published_by = Some(StepId::new("push"));
    if !tag_only {
        let commit = kinds::Commit {
            base: input.from.commit.clone(),
            message: onward(&input.message, input),
            edits: input.edits.clone(),
            sign: input.sign,
        };
        let step = draft.act("commit", kinds::COMMIT, &commit, 10)?;
        limit(step);
        step.published_by.clone_from(&published_by);
    }
    let tag = kinds::Tag {
        tag: input.release.tag.clone(),
        message: onward(&format!("Release version {}", input.release.to), input),
        commit: commit.clone(),
        sign: input.sign,
    };
    draft.act("tag", kinds::TAG, &tag, 2)?.published_by = published_by;
    if let Some(ticket) = &input.ticket {
        draft.act("ticket", kinds::land::TICKET, ticket, 10)?.settle_ms = SETTLE_MS;
    }
    let push = kinds::Push {
        remote: input.to.remote.clone(),
        branch: input.to.branch.clone(),
        old: input.to.tip.clone(),
        commit,
        tag: input.release.tag.clone(),
        reversal: if input.tag_publishes { Reversal::Never } else { Reversal::Visible },
        // Where the tag is all there is of the release, taking the release back is taking the tag back.
        withdraw: kinds::Withdrawal {
            version: input.release.to.clone(),
            changelog: input.changelog.clone(),
            delete_tag: tag_only,
            ticket: input.ticket.clone().map(Box::new),
        },
    };
    let step = draft.act("push", kinds::PUSH, &push, 15)?;
    limit(step);
    step.settle_ms = SETTLE_MS;
    Ok(())
}

/// Returns a message that says where the run goes on to, so that whoever is pushed to does not go there as well.
fn onward(message: &str, input: &Input) -> String {
    let ways = input.onward.iter().flat_map(|(_, ways)| ways);
    version::onward(message, ways.map(|way| way.environment.as_str()))
}

fn after(draft: &mut Draft<'_>, input: &Input, subject: &Digest) -> Result<(), Problem> {
    let remote = kinds::Remote {
        remote: input.to.remote.clone(),
        branch: input.to.branch.clone(),
        tag: input.release.tag.clone(),
    };
    let mut needs = vec![need("remote", kinds::REMOTE, &remote, 120_000)?];
    let within_ms = u64::try_from(input.within.as_millis()).unwrap_or(u64::MAX);
    for url in &input.health {
        let health = kinds::Health { url: url.clone(), within_ms };
        needs.push(need(url, kinds::HEALTH, &health, within_ms)?);
    }
    draft.gate("verify", needs, subject, 4);
    if let Some((material, ways)) = &input.onward {
        deploy::build(draft, material)?;
        ways.iter().try_for_each(|way| deploy::add(draft, material, way))?;
    }
    if !input.edits.is_empty() {
        let settle = kinds::Settle { branch: input.from.branch.clone(), old: input.from.commit.clone() };
        draft.act("settle", kinds::SETTLE, &settle, 5)?.follows = true;
    }
    Ok(())
}
