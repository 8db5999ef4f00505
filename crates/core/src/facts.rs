//! Facts: what was seen of a repository and its remote before a plan is made. Gathered in `world/facts`.

use std::collections::BTreeMap;

use serde::Serialize;

use crate::id::RunId;
use crate::problem::Problem;

/// What was seen of a repository. Looking changes nothing and needs no right to write.
#[derive(Clone, Debug, Serialize)]
pub struct Facts {
    /// The name of the directory, which names a project that nothing else names.
    pub directory: String,
    /// What HEAD points to.
    pub head: Head,
    /// The object id of the tree of HEAD; empty without a commit.
    pub tree: String,
    /// Whether history is cut off.
    pub shallow: bool,
    /// The git operation in progress.
    pub operation: Option<Operation>,
    /// Tracked paths that differ from HEAD, in the index or in the work tree.
    pub changed: Vec<String>,
    /// Untracked paths that are not ignored.
    pub untracked: Vec<String>,
    /// The remotes by name, with the address that a fetch uses; credentials in it are masked.
    pub remotes: BTreeMap<String, String>,
    /// The remote and branch that the current branch follows, if it follows one.
    pub upstream: Option<(String, String)>,
    /// The remote in question; nothing if there is none or none is chosen.
    pub remote: Option<RemoteFacts>,
    /// The tags of this repository.
    pub tags: BTreeMap<String, TagAt>,
    /// Who git says makes commits, or why it cannot say.
    pub identity: Result<String, Problem>,
    /// Whether commits and tags are signed, and whether that works.
    pub signing: Signing,
    /// The run that is not closed yet, if there is one.
    pub open_run: Option<RunId>,
}

impl Facts {
    /// Returns the facts of a repository of which nothing was seen but the name of its directory.
    pub fn unseen(directory: &str) -> Self {
        Self {
            directory: directory.to_owned(),
            head: Head::Unborn { branch: String::new() },
            tree: String::new(),
            shallow: false,
            operation: None,
            changed: vec![],
            untracked: vec![],
            remotes: BTreeMap::new(),
            upstream: None,
            remote: None,
            tags: BTreeMap::new(),
            identity: Ok(String::new()),
            signing: Signing { commits: false, tags: false, tried: None },
            open_run: None,
        }
    }
}

/// What HEAD points to.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Head {
    /// A branch without a commit.
    Unborn {
        /// The branch, without `refs/heads/`.
        branch: String,
    },
    /// A branch.
    Branch {
        /// The branch, without `refs/heads/`.
        branch: String,
        /// The object id of its commit.
        commit: String,
    },
    /// A commit, and no branch.
    Detached {
        /// Its object id.
        commit: String,
    },
}

impl Head {
    /// Returns the branch, if HEAD is on one.
    pub fn branch(&self) -> Option<&str> {
        match self {
            Self::Unborn { branch } | Self::Branch { branch, .. } => Some(branch),
            Self::Detached { .. } => None,
        }
    }

    /// Returns the object id of the commit; empty if there is none.
    pub fn commit(&self) -> &str {
        match self {
            Self::Unborn { .. } => "",
            Self::Branch { commit, .. } | Self::Detached { commit } => commit,
        }
    }
}

/// Where a tag points.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct TagAt {
    /// The object id of the tag object, or of the commit for a lightweight tag.
    pub object: String,
    /// The object id of the commit; for a tag of something else, the object id of that.
    pub commit: String,
}

/// A git operation that was begun and not ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Operation {
    /// `git rebase`.
    Rebase,
    /// `git am`.
    Am,
    /// `git merge`.
    Merge,
    /// `git cherry-pick`.
    CherryPick,
    /// `git revert`.
    Revert,
    /// `git bisect`.
    Bisect,
}

impl Operation {
    /// Returns the git command that began it.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Rebase => "rebase",
            Self::Am => "am",
            Self::Merge => "merge",
            Self::CherryPick => "cherry-pick",
            Self::Revert => "revert",
            Self::Bisect => "bisect",
        }
    }

    /// Tells whether git detaches HEAD while it lasts.
    pub fn detaches(self) -> bool {
        match self {
            Self::Rebase | Self::Bisect => true,
            Self::Am | Self::Merge | Self::CherryPick | Self::Revert => false,
        }
    }
}

/// What was seen of a remote.
#[derive(Clone, Debug, Serialize)]
pub struct RemoteFacts {
    /// Its name.
    pub name: String,
    /// The branch there that a release goes to; empty if HEAD is on no branch.
    pub branch: String,
    /// The branch there that a clone begins with, as last fetched.
    pub default_branch: Option<String>,
    /// How the local branch stands to the remote one as last fetched; nothing if that is not known.
    pub tracked: Option<Relation>,
    /// Its refs, or why they could not be read; nothing if nobody asked it.
    pub seen: Option<Result<RemoteRefs, Problem>>,
    /// Whether this user may push there, as far as could be told without pushing.
    pub permission: Permission,
}

/// The refs of a remote.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct RemoteRefs {
    /// The object id of the branch; nothing if the remote does not have it yet.
    pub tip: Option<String>,
    /// How the local branch stands to it.
    pub relation: Relation,
    /// Its tags.
    pub tags: BTreeMap<String, TagAt>,
}

/// How the local branch stands to the remote one.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Relation {
    /// They are equal.
    Same,
    /// The local branch has commits that the remote does not have.
    Ahead,
    /// The remote has commits that the local branch does not have.
    Behind,
    /// Both have commits that the other does not have.
    Diverged,
    /// The remote does not have the branch.
    New,
}

/// Whether a push is allowed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Permission {
    /// A trial push that changes nothing was accepted.
    Allowed,
    /// A trial push was refused.
    Denied(Problem),
    /// Nobody asked, or the answer does not tell.
    Unknown,
}

/// Whether git is configured to sign, and whether that works.
#[derive(Clone, Debug, Serialize)]
pub struct Signing {
    /// Whether commits are signed.
    pub commits: bool,
    /// Whether tags are signed.
    pub tags: bool,
    /// Whether a throw-away signature could be made; nothing if it was not tried.
    pub tried: Option<Result<(), Problem>>,
}
