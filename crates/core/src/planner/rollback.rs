//! The plan that withdraws a release which was shipped.
//!
//! A run that is not closed needs no plan to go back: it undoes its own steps.

use std::time::Duration;

use crate::action::Catalog;
use crate::id::{Digest, RunId, StepId};
use crate::kinds::{self, Published, Withdrawal, land};
use crate::plan::{Plan, Release, Verb, Work};
use crate::planner::{Draft, SETTLE_MS};
use crate::problem::{Code, Problem};
use crate::run::Run;

/// The reason of a plan that brings a release back into an environment.
pub const BACK: &str = "back to a release that was confirmed";
/// The same, where somebody says that the database was restored for it.
pub const RESTORED: &str = "back to a release that was confirmed, with a restored database";

/// Returns what a shipped run published and how it would be withdrawn, or why it cannot be.
pub fn published(run: &Run) -> Result<(Published, Withdrawal), Problem> {
    let nothing = || {
        Problem::new(
            Code::NothingToRollBack,
            format!("run {} has published nothing that can be withdrawn", run.id),
        )
    };
    let step = run.plan.step(&StepId::new("push")).ok_or_else(nothing)?;
    let receipt =
        run.progress(&step.id).and_then(|progress| progress.receipt.as_ref()).ok_or_else(nothing)?;
    let Work::Act { args, .. } = &step.work else { return Err(nothing()) };
    let push: kinds::Push = serde_json::from_value(args.clone()).map_err(|_| nothing())?;
    let published = Published {
        remote: push.remote,
        branch: push.branch,
        base: receipt.text("base").into(),
        commit: receipt.text("commit").into(),
        tag: push.tag,
        object: receipt.text("tag").into(),
    };
    Ok((published, push.withdraw))
}

/// Returns the plan that withdraws a release. `local` is the user's branch and the object id it has, if it is to move;
/// `ticket` is what whoever withdraws it signs, where a guard wants that.
pub fn plan(
    run: &Run,
    (delete_tag, ticket): (bool, Option<land::Ticket>),
    local: Option<(String, String)>,
    (target, catalog): (Duration, &dyn Catalog),
) -> Result<Plan, Problem> {
    let (published, how) = published(run)?;
    let how = Withdrawal { delete_tag, ticket: ticket.map(Box::new), ..how };
    let tag_only = published.commit == published.base;
    if tag_only && !delete_tag {
        let what = format!("release {} is only a tag, and tags are kept unless asked", how.version);
        return Err(Problem::new(Code::NothingToRollBack, what)
            .hint(format!("delete the tag: shipway rollback {} --delete-tag", run.id)));
    }
    let facts = Digest::of_json(&(&published, &local));
    let release = Release {
        verb: Verb::Rollback,
        from: None,
        to: how.version.clone(),
        tag: published.tag.clone(),
        project: run.plan.release.project.clone(),
        environment: None,
        why: withdraws(&run.id),
    };
    let mut draft = Draft::new(catalog);
    let withdraw = kinds::Withdraw { published, how };
    draft.act("withdraw", kinds::WITHDRAW, &withdraw, 15)?.settle_ms = SETTLE_MS;
    if let Some((branch, old)) = local.filter(|_| !tag_only) {
        draft.act("settle", kinds::SETTLE, &kinds::Settle { branch, old }, 5)?.follows = true;
    }
    let target_ms = u64::try_from(target.as_millis()).unwrap_or(u64::MAX);
    Ok(Plan { v: 1, release, stages: draft.stages, facts, notes: vec![], target_ms })
}

/// Returns the reason that a withdrawal carries, by which a later look finds the run it withdrew.
pub fn withdraws(run: &RunId) -> String {
    format!("{WITHDRAWS}{run}")
}

const WITHDRAWS: &str = "withdraws run ";

/// Returns the run that a plan withdraws, if it is a withdrawal.
pub fn withdrawn(plan: &Plan) -> Option<&str> {
    plan.release.why.strip_prefix(WITHDRAWS).filter(|_| plan.release.verb == Verb::Rollback)
}

/// Tells whether a withdrawal deletes the tag on the remote.
pub fn deletes_tag(plan: &Plan) -> bool {
    plan.steps().any(|step| match &step.work {
        Work::Act { kind, args, .. } => {
            kind == kinds::WITHDRAW
                && serde_json::from_value(args.clone())
                    .is_ok_and(|withdraw: kinds::Withdraw| withdraw.how.delete_tag)
        }
        Work::Gate(_) => false,
    })
}
