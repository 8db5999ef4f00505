//! The policy: who may do what to which ref, and what must be true of a landing.
//!
//! It is read from `.shipway/policy.toml` of one pinned protected ref, never from what is being pushed. There is one
//! evaluator, [`evaluate`], for local hooks, the guard of a server, landings, CI and `policy test`. Where several rules
//! apply, all of them must be met.

pub mod cases;
mod content;
mod evaluate;
mod facts;
pub(crate) mod glob;
mod keys;
mod landing;
mod look;
mod message;
mod names;
pub mod owners;
mod people;
mod presets;
mod pushed;
mod read;
mod refs;
mod rules;
mod secret;
#[cfg(test)]
mod tests;
mod ticket;
mod verdict;

use std::collections::BTreeMap;
use std::time::Duration;

use serde::{Deserialize, Serialize};

pub use evaluate::evaluate;
pub use facts::{
    Commit, Facts, FileChange, Identity, Landing, ObjectKind, Purpose, Signature, TicketSeen, Update,
    UpdateKind,
};
pub use glob::fits;
pub use pushed::{Pushed, parse_updates};
pub use read::{read, reference, schema};
pub use secret::looks_secret;
pub use verdict::{Rule, Verdict};

/// The file in a commit that stands for a record, such as a review or a ticket.
pub const RECORD: &str = "event.json";
/// Where the policy stands in a repository.
pub const PATH: &str = ".shipway/policy.toml";
/// Where the keys of people stand in a repository, in the form of ssh-keygen(1), ALLOWED SIGNERS.
pub const SIGNERS: &str = ".shipway/allowed_signers";
/// Where owners may stand in a repository; the first file that is there counts.
pub const OWNERS: &[&str] = &[".github/CODEOWNERS", "CODEOWNERS", "docs/CODEOWNERS", ".gitlab/CODEOWNERS"];

/// Everything a policy says, with the defaults filled in. Its digest is that of its JSON form.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Policy {
    /// The preset that it began with.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub preset: Option<String>,
    /// `[person.NAME]` and `[agent.NAME]`, by name.
    pub people: BTreeMap<String, Person>,
    /// `[group.NAME]`: names of people.
    pub groups: BTreeMap<String, Vec<String>>,
    /// `[branch.NAME]`, by name; a branch that fits several classes must meet all of them.
    pub branches: BTreeMap<String, BranchClass>,
    /// `[tag.NAME]`, by name.
    pub tags: BTreeMap<String, TagClass>,
    /// `[commits]`.
    pub commits: CommitRules,
    /// `[files]`.
    pub files: FileRules,
    /// Patterns of branches that may be made at all; empty for any name that is not foul.
    pub names: Vec<String>,
    /// Whether one person is all there is: then authors may approve their own changes, and everything says so.
    pub solo: bool,
    /// How long a landing ticket is good for.
    pub ticket_expiry: Duration,
    /// How long an approval is good for.
    pub approval_expiry: Duration,
    /// Paths that only `policy_owners` may approve: the policy itself, the keys and the owners.
    pub policy_owners: Vec<String>,
}

/// A person or an agent, and all names that it goes by.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Person {
    /// Whether it is a program. Agents never count towards approvals.
    pub agent: bool,
    /// Addresses in commits, in lower case.
    pub emails: Vec<String>,
    /// Names that a transport vouches for; without any, the name itself.
    pub logins: Vec<String>,
}

/// How a branch was merged into another.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Method {
    /// A commit with two parents.
    Merge,
    /// One new commit with the tree of the merge.
    Squash,
    /// The commits again, on top of the target.
    Rebase,
    /// The target moves to the head of the change.
    FastForward,
}

/// What may be merged into a class of branches, and how: a (source, target, method) triple.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Pair {
    /// Patterns of source branches; a change that names no source fits only `*`.
    pub from: Vec<String>,
    /// The methods that are allowed; the first is the default.
    pub methods: Vec<Method>,
    /// Whether what comes from a protected branch needs no approvals again: it had them when it landed there.
    #[serde(default, skip_serializing_if = "is_false")]
    pub approved: bool,
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde hands over a reference")]
fn is_false(value: &bool) -> bool {
    !value
}

/// Rules for a class of branches.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[expect(clippy::struct_excessive_bools, reason = "each is a key of its own that a policy sets or leaves")]
pub struct BranchClass {
    /// Patterns of branches, without `refs/heads/`; `*` does not cross a `/`, `**` does.
    pub patterns: Vec<String>,
    /// Whether only landings move it. Whoever may push does not matter then.
    pub protected: bool,
    /// Who may make such a branch: people, groups, or `*` for whoever is known.
    pub create: Vec<String>,
    /// Who may push to it directly, where it is not protected.
    pub push: Vec<String>,
    /// Who may delete it; a protected branch is never deleted.
    pub delete: Vec<String>,
    /// Who may move it to something that is not ahead of it, where it is not protected.
    pub force: Vec<String>,
    /// What may be merged into it; empty for any source by any method.
    pub pairs: Vec<Pair>,
    /// Who may land; empty for every person that is known.
    pub land: Vec<String>,
    /// Who may land the commit of a release without a change request.
    pub release: Vec<String>,
    /// Who may land by exception, past approvals and checks: see break-glass.
    pub break_glass: Vec<String>,
    /// Names of checks of `shipway.toml` that must have passed on the very commit that lands.
    pub checks: Vec<String>,
    /// Whose signature counts for checks; empty for whoever lands.
    pub runners: Vec<String>,
    /// The approvals that a change needs.
    pub approvals: Approvals,
    /// Whether it may hold no merge commits of its own.
    pub linear: bool,
    /// Whether its commits must be signed by a key of the allowed signers.
    pub signed: bool,
    /// Whether a protected branch is held in work trees too: it moves there only to what a remote has.
    #[serde(default)]
    pub local: bool,
}

/// How many people must approve.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Approvals {
    /// How many; 0 for none.
    pub count: u32,
    /// People and groups that count; empty for any person of the policy.
    pub from: Vec<String>,
    /// Whether each changed path that has owners needs one of them.
    pub owners: bool,
    /// The least grade, 0 to 3.
    pub grade: u8,
}

/// Rules for a class of tags.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct TagClass {
    /// Patterns of tags, without `refs/tags/`.
    pub patterns: Vec<String>,
    /// Who may make one.
    pub create: Vec<String>,
    /// Whether it never moves and is never deleted.
    pub immutable: bool,
    /// Whether it must be an annotated tag with a good signature.
    pub signed: bool,
    /// Whether it must name a commit of a protected branch.
    pub landed: bool,
}

/// Rules for commits on their way into a branch.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct CommitRules {
    /// Whether messages must follow Conventional Commits, by the parser that decides versions.
    pub conventional: bool,
    /// Further types that are accepted, in lower case.
    pub types: Vec<String>,
    /// Whether a message must name an issue, such as `#123`.
    pub issue: bool,
    /// How many bytes the first line may have; 0 for any number.
    pub subject: u32,
    /// How many bytes a message may have.
    pub size: u64,
    /// How many parents a commit may have.
    pub parents: u32,
}

/// Rules for files that are added or changed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct FileRules {
    /// How many bytes a file may have.
    pub size: u64,
    /// Patterns of paths that are refused.
    pub forbidden: Vec<String>,
    /// Whether files and lines that look like secrets are refused.
    pub secrets: bool,
    /// Patterns of paths that may hold what looks like a secret, such as keys of tests.
    pub harmless: Vec<String>,
    /// Whether content that Git LFS keeps must be in the guarded repository.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub lfs: bool,
    /// Restricted paths: a pattern and who may change what fits it.
    pub restricted: Vec<(String, Vec<String>)>,
}
