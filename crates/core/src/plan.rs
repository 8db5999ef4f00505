//! Plans: the full list of what will happen, as data. A plan leaves nothing to decide at run time.

use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::action::{Change, Reversal};
use crate::gate::Gate;
use crate::id::{Digest, StepId};

/// What will happen, in full. Its digest is its name; a changed plan is another plan.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Plan {
    /// The version of this form: 1.
    pub v: u32,
    /// What is released.
    pub release: Release,
    /// The stages, carried out in order.
    pub stages: Vec<Stage>,
    /// The digest of the facts it was made from; when they change, the plan is stale.
    pub facts: Digest,
    /// What a reader must know besides, such as warnings that did not stop the planner.
    pub notes: Vec<String>,
    /// How long the run should take, in milliseconds; the report compares.
    pub target_ms: u64,
}

/// What a plan is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Verb {
    /// A release.
    Push,
    /// The withdrawal of a release.
    Rollback,
    /// A release brought to an environment, or an older one put back there.
    Deploy,
    /// A change that lands on a protected branch.
    Land,
    /// Something that a newer shipway does.
    #[serde(other)]
    Unknown,
}

/// A version of a project on its way to its users, or on its way back.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Release {
    /// Release or withdrawal.
    pub verb: Verb,
    /// The name of the project.
    pub project: String,
    /// The version before, if there was one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub from: Option<String>,
    /// The version.
    pub to: String,
    /// The tag.
    pub tag: String,
    /// The environment that it is brought to, if it is.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub environment: Option<String>,
    /// Why this version, in one line, such as `minor: 3 feat, 5 fix`.
    pub why: String,
}

/// Steps that may run at once.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Stage {
    /// The name.
    pub name: String,
    /// The steps.
    pub steps: Vec<Step>,
}

/// One line of a plan.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Step {
    /// The name, unique in the plan.
    pub id: StepId,
    /// An action or a gate.
    pub work: Work,
    /// How many attempts it may take at most.
    pub attempts: u32,
    /// How long one attempt may take, in milliseconds.
    pub timeout_ms: u64,
    /// How long a request may still be on its way after its sender died, in milliseconds.
    ///
    /// A step in doubt counts as absent only after two looks, this long apart.
    pub settle_ms: u64,
    /// The later step that makes this one public.
    ///
    /// Once that step has been done, undoing it answers for this one too: what others may have seen stays.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub published_by: Option<StepId>,
    /// Whether the step only follows what is done already: when it fails, that is no reason to take everything back.
    #[serde(default, skip_serializing_if = "is_false")]
    pub follows: bool,
    /// Whether the step stands apart: what became of it, and its undo, hold up no other step of this kind.
    ///
    /// A host that cannot be reached must not keep the others on a release that is not wanted any more.
    #[serde(default, skip_serializing_if = "is_false")]
    pub apart: bool,
    /// Whether nobody but the run ever sees what the step did: a run that has done nothing else, and has taken that
    /// back, was refused.
    #[serde(default, skip_serializing_if = "is_false")]
    pub private: bool,
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde hands over a reference")]
fn is_false(value: &bool) -> bool {
    !value
}

/// What a step does.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Work {
    /// A change.
    Act {
        /// The kind in the catalog.
        kind: String,
        /// What the kind needs to know.
        args: Value,
        /// The change line.
        change: Change,
    },
    /// A gate.
    Gate(Gate),
}

impl Work {
    /// Returns whether the work can be taken back; a gate changes nothing.
    pub fn reversal(&self) -> Reversal {
        match self {
            Self::Act { change, .. } => change.reversal,
            Self::Gate(_) => Reversal::Exact,
        }
    }
}

impl Plan {
    /// Returns the name of the plan: the digest of its JSON form.
    pub fn digest(&self) -> Digest {
        Digest::of_json(self)
    }

    /// Returns all steps in order.
    pub fn steps(&self) -> impl Iterator<Item = &Step> {
        self.stages.iter().flat_map(|stage| &stage.steps)
    }

    /// Returns the step of a name.
    pub fn step(&self, id: &StepId) -> Option<&Step> {
        self.steps().find(|step| step.id == *id)
    }

    /// Returns the first step that cannot be taken back.
    pub fn point_of_no_return(&self) -> Option<&Step> {
        self.steps().find(|step| step.work.reversal() == Reversal::Never)
    }
}

/// Returns where two plans differ, one line for each place, such as `release.to: "1.1.0" → "1.2.0"`; at most 20.
pub fn differences(old: &Plan, new: &Plan) -> Vec<String> {
    let mut lines = vec![];
    let value = |plan| serde_json::to_value(plan).unwrap_or_default();
    differ("", &value(old), &value(new), &mut lines);
    lines.truncate(20);
    lines
}

fn differ(place: &str, old: &Value, new: &Value, lines: &mut Vec<String>) {
    let below =
        |name: &dyn std::fmt::Display| format!("{place}{}{name}", if place.is_empty() { "" } else { "." });
    match (old, new) {
        (Value::Object(old), Value::Object(new)) => {
            let names: std::collections::BTreeSet<&String> = old.keys().chain(new.keys()).collect();
            for name in names {
                let of = |map: &serde_json::Map<String, Value>| map.get(name).cloned().unwrap_or_default();
                differ(&below(name), &of(old), &of(new), lines);
            }
        }
        (Value::Array(old), Value::Array(new)) => {
            for at in 0..old.len().max(new.len()) {
                let of = |list: &[Value]| list.get(at).cloned().unwrap_or_default();
                differ(&below(&at), &of(old), &of(new), lines);
            }
        }
        _ if old == new => {}
        _ => lines.push(format!("{place}: {} → {}", shown(old), shown(new))),
    }
}

/// Returns a value as a short text.
fn shown(value: &Value) -> String {
    let text = value.to_string();
    if text.chars().count() <= 80 { text } else { text.chars().take(79).chain(['…']).collect() }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn plan(to: &str, notes: &[&str]) -> Plan {
        let release = Release {
            verb: Verb::Push,
            project: "api".into(),
            from: None,
            to: to.into(),
            tag: format!("v{to}"),
            environment: None,
            why: String::new(),
        };
        let notes = notes.iter().map(|&note| note.into()).collect();
        Plan { v: 1, release, stages: vec![], facts: Digest::of(b""), notes, target_ms: 1 }
    }

    #[test]
    fn a_changed_plan_is_another_plan_and_says_where() {
        let (old, new) = (plan("1.1.0", &[]), plan("1.2.0", &["mind this"]));
        assert_ne!(old.digest(), new.digest());
        assert_eq!(old.digest(), plan("1.1.0", &[]).digest());
        let lines = differences(&old, &new);
        let wanted = [
            r#"notes.0: null → "mind this""#,
            r#"release.tag: "v1.1.0" → "v1.2.0""#,
            r#"release.to: "1.1.0" → "1.2.0""#,
        ];
        assert_eq!(lines, wanted);
    }
}
