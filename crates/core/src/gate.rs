//! Gates: steps that pass only when their needs are met. Looking is I/O and lives in checks; deciding is here.

use std::fmt;

use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::action::{Cx, Fault};
use crate::id::Digest;
use crate::problem::Problem;

/// A look at the world that yields findings.
pub trait Check: fmt::Debug + Send + Sync {
    /// Looks, and returns what it saw; no findings means that all is well.
    fn look(&self, cx: &Cx<'_>) -> Result<Vec<Finding>, Fault>;
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
    },
}

impl Need {
    /// Returns the name of the need.
    pub fn name(&self) -> &str {
        match self {
            Self::Check { name, .. } => name,
        }
    }
}

/// How much a finding weighs.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Severity {
    /// The gate stays shut.
    Blocks,
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

/// What a gate says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// All needs are met.
    Pass,
    /// These needs have no evidence yet.
    Look(Vec<Need>),
    /// At least one need cannot be met.
    Refuse(Vec<Problem>),
}

/// Decides a gate from the evidence so far. Evidence about another subject is passed over.
pub fn decide(gate: &Gate, evidence: &[Evidence]) -> Verdict {
    let about =
        |need: &Need| evidence.iter().rev().find(|e| e.need == need.name() && e.subject == gate.subject);
    let missing: Vec<Need> = gate.needs.iter().filter(|need| about(need).is_none()).cloned().collect();
    if !missing.is_empty() {
        return Verdict::Look(missing);
    }
    let blocking: Vec<Problem> = gate
        .needs
        .iter()
        .filter_map(about)
        .flat_map(|evidence| &evidence.findings)
        .filter(|finding| finding.severity == Severity::Blocks)
        .map(|finding| finding.problem.clone())
        .collect();
    if blocking.is_empty() { Verdict::Pass } else { Verdict::Refuse(blocking) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::problem::Code;

    fn gate() -> Gate {
        let need = |name: &str| Need::Check {
            name: name.into(),
            kind: "command".into(),
            args: Value::Null,
            timeout_ms: 1,
        };
        Gate { needs: vec![need("test"), need("lint")], subject: Digest::of(b"tree"), at_once: 2 }
    }

    fn evidence(need: &str, subject: &[u8], severity: Option<Severity>) -> Evidence {
        let problem = Problem::new(Code::CheckFailed, need);
        let findings = severity.map(|severity| Finding { severity, problem }).into_iter().collect();
        Evidence { need: need.into(), subject: Digest::of(subject), findings, took_ms: 0 }
    }

    #[test]
    fn a_gate_asks_for_what_is_missing_and_passes_over_other_subjects() {
        let stale = evidence("lint", b"another tree", None);
        let verdict = decide(&gate(), &[evidence("test", b"tree", None), stale]);
        assert_eq!(verdict, Verdict::Look(vec![gate().needs[1].clone()]));
    }

    #[test]
    fn advice_opens_a_gate_and_a_blocking_finding_shuts_it() {
        let test = evidence("test", b"tree", None);
        let advice = evidence("lint", b"tree", Some(Severity::Advice));
        assert_eq!(decide(&gate(), &[test.clone(), advice]), Verdict::Pass);
        let blocked = decide(&gate(), &[test, evidence("lint", b"tree", Some(Severity::Blocks))]);
        assert!(matches!(blocked, Verdict::Refuse(problems) if problems.len() == 1));
    }
}
