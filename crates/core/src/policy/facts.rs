//! What the evaluator is told: what was seen of a push, a landing or a commit that is being made. Names and paths are
//! bytes, because git's are.

use serde::{Deserialize, Serialize};

use crate::policy::Method;
use crate::time::Time;

/// All that is judged at once. One refusal refuses all of it.
#[derive(Clone, Debug, Default)]
pub struct Facts {
    /// Who asks, as the transport or a signature says; nothing for nobody that is known.
    pub by: Option<Identity>,
    /// When.
    pub now: Time,
    /// The digest of the policy in force.
    pub policy: String,
    /// The refs that are there already, in full, for names that differ only in case or look alike.
    pub refs: Vec<Vec<u8>>,
    /// What is to change, in the order of the request.
    pub updates: Vec<Update>,
}

/// Who asks.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Identity {
    /// The name, as the transport gives it.
    pub login: String,
    /// How it is known, such as `forced command`, `push certificate` or `account`.
    pub how: String,
}

/// One ref that is to change.
#[derive(Clone, Debug, Default)]
pub struct Update {
    /// The full name, as asked for.
    pub name: Vec<u8>,
    /// The ref that it stands for, if it is a symbolic one.
    pub target: Option<Vec<u8>>,
    /// The object id that the request says it has; empty for none.
    pub old: String,
    /// The object id that it is to have; empty for none.
    pub new: String,
    /// The object id that it really has; empty for none.
    pub current: String,
    /// What the new object is.
    pub object: ObjectKind,
    /// Whether the new commit is ahead of the current one.
    pub kind: UpdateKind,
    /// The commits of `current..new`, the newest first: those that this ref gets, whether or not others have them.
    pub commits: Vec<Commit>,
    /// The files that differ between the current and the new tree, without looking for renames.
    pub total: Vec<FileChange>,
    /// For a tag: whether what it names is on a protected branch. For a branch that begins: whether all of it is on one,
    /// or none is there yet.
    pub on_protected: bool,
    /// The signature of a tag.
    pub signature: Option<Signature>,
    /// A landing ticket for this very ref, old and new, if there is one.
    pub ticket: Option<TicketSeen>,
    /// What is known of the change that lands, where a landing is judged.
    pub landing: Option<Landing>,
}

/// What an object is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum ObjectKind {
    /// A commit.
    #[default]
    Commit,
    /// An annotated tag.
    Tag,
    /// A tree, a blob, or nothing that is known.
    Other,
}

/// How a ref moves.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum UpdateKind {
    /// It is made.
    Create,
    /// It moves to something that is ahead of it.
    #[default]
    Forward,
    /// It moves anywhere else.
    Rewind,
    /// It is removed.
    Delete,
}

/// A commit, read raw: no mail map, no replacement, no notes.
#[derive(Clone, Debug, Default)]
pub struct Commit {
    /// The object id; empty for one that is being made.
    pub id: String,
    /// The object id of its tree.
    pub tree: String,
    /// The object ids of its parents.
    pub parents: Vec<String>,
    /// The address of the author.
    pub author: Vec<u8>,
    /// The address of the committer.
    pub committer: Vec<u8>,
    /// The message.
    pub message: Vec<u8>,
    /// Its signature, where that was looked at.
    pub signature: Option<Signature>,
    /// The files that it changes against each of its parents.
    pub files: Vec<FileChange>,
    /// For a merge: whether its tree is what merging its parents gives; `None` where that was not looked at.
    pub clean_merge: Option<bool>,
    /// Whether a protected branch has it already, so that its wording was judged before.
    pub landed: bool,
}

/// What is known of a signature.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Signature {
    /// Good, by this person of the allowed signers.
    Good(String),
    /// There is none.
    None,
    /// There is one that does not count, and why.
    Bad(String),
}

/// A file that is added, changed or removed.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct FileChange {
    /// The path.
    pub path: Vec<u8>,
    /// The mode, such as `0o100644`; 0 if it is removed.
    pub mode: u32,
    /// The object id of the new content; empty if it is removed.
    pub blob: String,
    /// The size of the new content in bytes, where that was looked at.
    pub size: Option<u64>,
    /// Lines that look like secrets, as `line: what`.
    pub secrets: Vec<String>,
    /// If it stands for content that Git LFS keeps: what is kept instead of that, where that was looked at.
    pub unkept: Option<String>,
}

/// What was seen of a landing ticket.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct TicketSeen {
    /// Who signed it, if the signature is good.
    pub by: Option<String>,
    /// The digest of the policy that it was written under.
    pub policy: String,
    /// When it expires.
    pub expires: Time,
    /// Why it does not count, if so, such as a broken signature.
    pub flaw: Option<String>,
    /// Whether it is an exception, with its reason: see break-glass.
    pub exception: Option<String>,
    /// What it is for, unless it is an exception.
    pub purpose: Purpose,
}

/// What a landing ticket is for.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Purpose {
    /// A change lands; [`Update::landing`] must then be told.
    #[default]
    Change,
    /// The one commit of a release, made by a run.
    Release,
    /// The first commit of a protected branch.
    Bootstrap,
}

/// What is known of a change that is to land.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Landing {
    /// The number of the change request; 0 for none.
    pub change: u64,
    /// The source branch as the change request names it; empty for none.
    pub source: String,
    /// The target branch, without `refs/heads/`.
    pub target: String,
    /// The head of the newest version.
    pub head: String,
    /// How it is merged.
    pub method: Option<Method>,
    /// The names of all that contributed to any version: logins and addresses.
    pub contributors: Vec<String>,
    /// Who opened it, by login.
    pub author: String,
    /// The approvals that hold for the newest version: name of the person and grade.
    pub approvals: Vec<(String, u8)>,
    /// Who asks for changes and has not approved since.
    pub objections: Vec<String>,
    /// Checks that passed on the very commit that lands: name and who vouches for it.
    pub checks: Vec<(String, String)>,
    /// Checks that did not pass on it, as somebody says who counts: name and what became of it.
    pub failed: Vec<(String, String)>,
    /// For each changed path that has owners, the owners: names of people, groups, and addresses. A path whose owners
    /// must approve twice stands there twice; see [`crate::policy::owners::Owners::required`].
    pub owners: Vec<(String, Vec<String>)>,
    /// Why the change request itself does not ask to land, such as being a draft, and the command that helps.
    pub unready: Option<(String, String)>,
    /// Obligations that gate this landing, such as a back-merge that is still open.
    pub obligations: Vec<String>,
    /// For a squash or a rebase: whether the new tree is what merging the head into the target gives, where that was
    /// computed again. For a merge, [`Commit::clean_merge`] of the new commit says it.
    pub replayed: Option<bool>,
}
