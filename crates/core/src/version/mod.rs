//! Versions: commits in, the next version out, with the evidence for it.
//!
//! The rules are Conventional Commits 1.0.0 and SemVer 2.0.0. One parser serves lint, decision and notes, so that they
//! cannot disagree. Reading commits and tags from git is not here.

mod bump;
mod commit;
mod decide;
mod detect;
mod evidence;
mod header;
mod lint;
mod mention;
mod near;
mod number;
mod refuse;
mod tag;
#[cfg(test)]
mod tests;
mod text;
mod trailer;
mod verify;

pub use bump::Bump;
pub use commit::{
    Conventional, Footer, NotConventional, Separator, first_line, parse, told, without_comments,
};
pub use decide::{Ask, Decision, LastPrerelease, Line, OnNearMiss, Rules, decide};
pub use detect::{Detected, detect};
pub use evidence::{Commit, Evidence, Rule, evidence};
pub use header::Flaw;
pub use lint::{lint, lint_with};
pub use mention::{Issue, Reverts, issues, reverts};
pub use near::{KINDS, NearMiss, Slip, near_misses};
pub use number::{Channel, belongs, is_taken, next_free};
pub use tag::{TagFormat, invalid_tag};
pub use text::{clean, clean_line, excerpt, short};
pub use trailer::{Bound, RUN_TRAILER, WITHDRAWS, bound, onward, stamped, withdrawn};
