//! Gates: steps that pass only when their needs are met. Looking is I/O and lives in checks; deciding is here.

mod approval;
mod signed;
#[cfg(test)]
mod tests;

use std::fmt;

use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::action::{Cx, Fault};
use crate::id::{Digest, Fence, RunId, Seq};
use crate::problem::Problem;
use crate::time::Time;

pub use approval::{Approval, may_approve, may_sign, missing, person, unsatisfiable};
pub use signed::{Standing, Vouched, Who, Yes};

/// A look at the world that yields findings.
pub trait Check: fmt::Debug + Send + Sync {
    /// Looks, and returns what it saw; no findings means that all is well.
    fn look(&self, cx: &Cx<'_>) -> Result<Vec<Finding>, Fault>;
    /// Looks again at what was first looked at then. Only a check that counts time from its first look needs to know.
    fn look_again(&self, cx: &Cx<'_>, first: Time) -> Result<Vec<Finding>, Fault> {
        let _ = first;
        self.look(cx)
    }
}

/// A step that passes only when all its needs are met.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Gate {
    /// The needs; they may be looked at at once.
    pub needs: Vec<Need>,
    /// What the evidence is about: evidence for another subject does not count.
    pub subject: Digest,
    /// How many needs may be looked at at once.
    pub at_once: usize,
}

/// One condition of a gate.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Need {
    /// A check must find nothing that blocks.
    Check {
        /// The name, unique in its gate, such as `test`.
        name: String,
        /// The kind in the catalog.
        kind: String,
        /// What the kind needs to know.
        args: Value,
        /// How long the look may take, in milliseconds.
        timeout_ms: u64,
        /// How old the evidence may be when the gate opens after a wait, in milliseconds; without it, any age will do.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        fresh_ms: Option<u64>,
    },
    /// People must say yes to this very plan.
    Approval {
        /// The name, unique in its gate, such as `approval`.
        name: String,
        /// Who may: names or addresses; empty for any person.
        from: Vec<String>,
        /// How many different people are needed.
        at_least: u32,
        /// Who may not, such as the author.
        not_by: Vec<String>,
        /// The weakest grade that counts; see [`Approval::grade`].
        grade: u8,
    },
}

impl Need {
    /// Returns the name of the need.
    pub fn name(&self) -> &str {
        match self {
            Self::Check { name, .. } | Self::Approval { name, .. } => name,
        }
    }
}

/// How much a finding weighs.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Severity {
    /// The gate stays shut.
    Blocks,
    /// The gate is not open yet: it may open by itself, or by what somebody does elsewhere.
    Waits,
    /// Worth knowing; the gate opens all the same.
    Advice,
}

/// One thing that a check saw.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Finding {
    /// Whether it blocks.
    pub severity: Severity,
    /// What it is, and what to do about it.
    pub problem: Problem,
    /// When it will be over, where that is known of something that waits.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub until: Option<Time>,
}

/// The stored result of a check, bound to what it looked at.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Evidence {
    /// The need it answers.
    pub need: String,
    /// What was looked at.
    pub subject: Digest,
    /// What was seen.
    pub findings: Vec<Finding>,
    /// How long the look took, in milliseconds.
    pub took_ms: u64,
}

/// Evidence, and where it stands in the journal.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Seen {
    /// Its entry.
    pub seq: Seq,
    /// When it was written.
    pub at: Time,
    /// Under which lease: every drive of a run has one of its own.
    pub fence: Fence,
    /// What was seen.
    pub evidence: Evidence,
}

/// What is known when a gate is decided.
#[derive(Clone, Copy, Debug)]
pub struct Known<'a> {
    /// The run.
    pub run: &'a RunId,
    /// The lease of its last entry.
    pub fence: Fence,
    /// What was seen at the gate.
    pub seen: &'a [Seen],
    /// Who said yes to the plan.
    pub approvals: &'a [Approval],
}

/// What a gate says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// All needs are met.
    Pass,
    /// These needs have no evidence that counts.
    Look(Vec<Need>),
    /// Nothing blocks, but it is not open yet, and will not be before that time where one is known.
    Wait(Vec<Problem>, Option<Time>),
    /// At least one need cannot be met.
    Refuse(Vec<Problem>),
}

/// Decides a gate from what is known. Evidence about another subject is passed over, and of each need the last counts.
///
/// Evidence that waited until a time that has come since counts no more, so the check is looked at again. Evidence
/// that is too old counts no more either, but only at the moment the gate would open, and only when a later drive
/// would open it: what is seen in one drive is fresh, however long the looks take, so looking comes to an end.
pub fn decide(gate: &Gate, known: Known<'_>, now: Time) -> Verdict {
    let last: Vec<(&Need, Option<&Seen>)> =
        checks(gate).map(|need| (need, last(gate, known.seen, need))).collect();
    let over = |seen: &Seen| waits(seen).any(|finding| passed(finding, seen.at, now));
    let looks = |counts: &dyn Fn(&Need, &Seen) -> bool| -> Vec<Need> {
        let open = last.iter().filter(|(need, seen)| !seen.is_some_and(|seen| counts(need, seen)));
        open.map(|(need, _)| (*need).clone()).collect()
    };
    let missing = looks(&|_, seen| !over(seen));
    if !missing.is_empty() {
        return Verdict::Look(missing);
    }
    let found = |severity| {
        let findings = last.iter().filter_map(|(_, seen)| *seen).flat_map(|seen| &seen.evidence.findings);
        findings.filter(move |finding| finding.severity == severity)
    };
    let blocking: Vec<Problem> = found(Severity::Blocks).map(|finding| finding.problem.clone()).collect();
    if !blocking.is_empty() {
        return Verdict::Refuse(blocking);
    }
    let unapproved = gate.needs.iter().filter_map(|need| approval::missing(need, known, now));
    let waiting: Vec<Problem> =
        found(Severity::Waits).map(|finding| finding.problem.clone()).chain(unapproved).collect();
    if !waiting.is_empty() {
        return Verdict::Wait(waiting, found(Severity::Waits).filter_map(|finding| finding.until).max());
    }
    let stale = looks(&|need, seen| !too_old(need, seen, known.fence, now));
    if stale.is_empty() { Verdict::Pass } else { Verdict::Look(stale) }
}

/// Returns the checks of a gate whose last evidence waits, each with the entry of that evidence.
pub fn waiting<'a>(gate: &'a Gate, seen: &'a [Seen]) -> impl Iterator<Item = (&'a Need, &'a Seen)> {
    checks(gate)
        .filter_map(move |need| Some((need, last(gate, seen, need)?)))
        .filter(|(_, seen)| waits(seen).next().is_some())
}

/// Returns when a need was first looked at.
pub fn first_look(gate: &Gate, seen: &[Seen], need: &Need) -> Option<Time> {
    seen.iter().find(|seen| answers(gate, seen, need)).map(|seen| seen.at)
}

fn checks(gate: &Gate) -> impl Iterator<Item = &Need> {
    gate.needs.iter().filter(|need| matches!(need, Need::Check { .. }))
}

fn last<'a>(gate: &Gate, seen: &'a [Seen], need: &Need) -> Option<&'a Seen> {
    seen.iter().rev().find(|seen| answers(gate, seen, need))
}

fn answers(gate: &Gate, seen: &Seen, need: &Need) -> bool {
    seen.evidence.need == need.name() && seen.evidence.subject == gate.subject
}

fn waits(seen: &Seen) -> impl Iterator<Item = &Finding> {
    seen.evidence.findings.iter().filter(|finding| finding.severity == Severity::Waits)
}

/// Tells whether a finding is over since it was written down. A time that had come before that moves nothing: the
/// check has seen it and waits all the same, as when the clock was set back.
fn passed(finding: &Finding, written: Time, now: Time) -> bool {
    finding.until.is_some_and(|until| written < until && until <= now)
}

fn too_old(need: &Need, seen: &Seen, fence: Fence, now: Time) -> bool {
    let Need::Check { fresh_ms: Some(fresh_ms), .. } = need else { return false };
    seen.fence < fence && now.since(seen.at).as_millis() > u128::from(*fresh_ms)
}
