//! Local hooks: what git runs in a work tree when a commit or a push is made.
//!
//! They tell early. What decides is the guard of the repository that is pushed to, because a hook here can be left out,
//! and several git commands run none at all.

pub mod chain;
pub mod check;
pub mod desk;
pub mod install;
pub mod place;
pub mod search;
pub mod staged;
pub mod status;
pub mod wrapper;

use shipway_core::policy;

/// A hook that shipway has something to say in.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Hook {
    /// Before a commit: what is staged.
    PreCommit,
    /// Before the commit of a merge: the same.
    PreMergeCommit,
    /// Before the editor opens: the template of the message.
    PrepareCommitMsg,
    /// After it: the message.
    CommitMsg,
    /// After a commit: whether the hooks before it ran.
    PostCommit,
    /// After a merge: the same.
    PostMerge,
    /// Before a push: the names and the commits.
    PrePush,
    /// Whenever refs move: protected branches, if the policy asks for it.
    ReferenceTransaction,
}

impl Hook {
    /// The hooks that are always installed.
    pub const USUAL: [Self; 7] = [
        Self::PreCommit,
        Self::PreMergeCommit,
        Self::PrepareCommitMsg,
        Self::CommitMsg,
        Self::PostCommit,
        Self::PostMerge,
        Self::PrePush,
    ];

    /// Returns the name that git knows it by (githooks(5)).
    pub fn name(self) -> &'static str {
        match self {
            Self::PreCommit => "pre-commit",
            Self::PreMergeCommit => "pre-merge-commit",
            Self::PrepareCommitMsg => "prepare-commit-msg",
            Self::CommitMsg => "commit-msg",
            Self::PostCommit => "post-commit",
            Self::PostMerge => "post-merge",
            Self::PrePush => "pre-push",
            Self::ReferenceTransaction => "reference-transaction",
        }
    }

    /// Returns the hook of a name.
    pub fn of(name: &str) -> Option<Self> {
        let all = Self::USUAL.into_iter().chain([Self::ReferenceTransaction]);
        all.into_iter().find(|hook| hook.name() == name)
    }

    /// Tells whether the hook can refuse. One that cannot only tells when our program is missing.
    pub(crate) fn decides(self) -> bool {
        match self {
            Self::PreCommit
            | Self::PreMergeCommit
            | Self::CommitMsg
            | Self::PrePush
            | Self::ReferenceTransaction => true,
            Self::PrepareCommitMsg | Self::PostCommit | Self::PostMerge => false,
        }
    }
}

/// Returns the hooks that a work tree wants: the usual ones, and one more where its policy holds branches there too.
pub fn wanted(top: &std::path::Path) -> Vec<Hook> {
    let mut hooks = Hook::USUAL.to_vec();
    // A policy that cannot be read is told where it is used, and must not keep its hooks from being installed.
    let text = std::fs::read_to_string(top.join(policy::PATH)).unwrap_or_default();
    let holds = |policy: policy::Policy| policy.branches.values().any(|class| class.protected && class.local);
    if policy::read(&text, policy::PATH).is_ok_and(holds) {
        hooks.push(Hook::ReferenceTransaction);
    }
    hooks
}
