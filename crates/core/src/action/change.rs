//! What a change is, and what was seen of it.

use serde::{Deserialize, Serialize};
use serde_json::Value;

/// What becomes of the thing that a change line names.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Sign {
    /// It is created: `+`.
    Create,
    /// It is changed: `~`.
    Change,
    /// It is removed: `-`.
    Remove,
}

impl Sign {
    /// Returns the fixed symbol on screen.
    pub fn symbol(self) -> char {
        match self {
            Self::Create => '+',
            Self::Change => '~',
            Self::Remove => '-',
        }
    }
}

/// A change line: what will happen, and whether it can be taken back.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Change {
    /// Create, change or remove.
    pub sign: Sign,
    /// The thing, such as `tag v1.4.0` or `Cargo.toml`.
    pub thing: String,
    /// What happens to it, such as `version 1.3.2 → 1.4.0`.
    pub summary: String,
    /// Whether the change can be taken back.
    pub reversal: Reversal,
    /// How it is taken back, in a few words for the plan, such as `delete the tag`.
    pub undo: String,
    /// Parts of this change that deserve a line of their own, such as the files of a commit.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub parts: Vec<Part>,
}

/// One line under a change line.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Part {
    /// Create, change or remove.
    pub sign: Sign,
    /// The thing, such as a path.
    pub thing: String,
    /// What happens to it.
    pub summary: String,
}

/// Whether a change can be taken back. A plan orders exact before visible before never.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Reversal {
    /// Undo leaves no trace.
    Exact,
    /// Others may have seen it; undo answers it with a further change.
    Visible,
    /// There is no way back.
    Never,
}

impl Reversal {
    /// Returns the word on screen.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Exact => "exact",
            Self::Visible => "visible",
            Self::Never => "never",
        }
    }
}

/// Proof of a change, and all that undo needs.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Receipt(pub Value);

impl Receipt {
    /// Returns what undo is given for a step that began and has no effect.
    pub fn none() -> Self {
        Self(Value::Null)
    }

    /// Tells whether there is no effect to take back.
    pub fn is_none(&self) -> bool {
        self.0.is_null()
    }

    /// Returns a text field of the receipt, or the empty text.
    pub fn text(&self, field: &str) -> &str {
        self.0.get(field).and_then(Value::as_str).unwrap_or_default()
    }
}

/// What a probe saw.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Observed {
    /// The effect is not there.
    Absent,
    /// Our very effect is there: its digest or object id is the planned one, or it carries our run and step.
    Present(Receipt),
    /// Something else is in its place and ours is certainly not there; the text says what.
    Foreign(String),
}
