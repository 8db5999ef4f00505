//! What the evaluator says.

use serde::{Deserialize, Serialize};

use crate::problem::{Code, Problem};

macro_rules! rules {
    ($($name:ident = $text:literal, $doc:literal;)*) => {
        /// The rules that a policy and the guard itself know. The names are stable.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
        #[serde(rename_all = "kebab-case")]
        pub enum Rule {
            $(#[doc = $doc] $name,)*
        }

        impl Rule {
            /// Every rule, in order.
            pub const ALL: &'static [Self] = &[$(Self::$name),*];

            /// Returns the name as printed, such as `push-restricted`.
            pub fn as_str(self) -> &'static str {
                match self { $(Self::$name => $text),* }
            }

            /// Returns what the rule wants, in one sentence.
            pub fn doc(self) -> &'static str {
                match self { $(Self::$name => $doc),* }
            }
        }
    };
}

rules! {
    NoIdentity = "no-identity", "Whoever pushes must be known.";
    PushRestricted = "push-restricted", "A protected branch is moved by landings only, others by those who may.";
    CreateRestricted = "create-restricted", "Only those who may make such a ref.";
    Delete = "delete", "A protected branch is never deleted, others only by those who may.";
    NonFastForward = "non-fast-forward", "A branch moves only to what is ahead of it, unless somebody may force it.";
    TagImmutable = "tag-immutable", "A protected tag never moves and is never deleted.";
    TagUnlanded = "tag-unlanded", "A protected tag names a commit of a protected branch.";
    RefNamespace = "ref-namespace", "Only branches, tags and change requests are pushed.";
    ReservedName = "reserved-name", "A branch is not called like one of git's own names.";
    NameInvalid = "name-invalid", "A name is one that git accepts, in UTF-8.";
    NameDash = "name-dash", "A name does not begin with a dash.";
    NamePattern = "name-pattern", "The name of a branch fits the patterns of the policy.";
    CaseAlias = "case-alias", "A name differs from others in more than case.";
    Confusable = "confusable", "A name does not look like a protected one, and has no invisible characters.";
    TagLikeBranch = "tag-like-branch", "A tag is not called like a branch.";
    Symref = "symref", "A symbolic ref does not stand for a protected branch.";
    DuplicateRef = "duplicate-ref", "A push names each ref once.";
    StaleOld = "stale-old", "The old value of a push is the one that the repository has.";
    TicketInvalid = "ticket-invalid", "A landing ticket is signed, in time, under this policy, and for this triple.";
    SourceBranch = "source-branch", "A branch is merged only into those that the policy pairs it with.";
    MergeMethod = "merge-method", "A pair is merged only by its methods.";
    EvilMerge = "evil-merge", "A merge holds what merging its parents gives.";
    SecondParent = "second-parent", "A merge merges the approved head.";
    Approvals = "approvals", "A change has the approvals that the policy wants.";
    Owners = "owners", "Each changed path that has owners is approved by one of them.";
    Objection = "objection", "Nobody's request for changes is open.";
    Checks = "checks", "Required checks have passed on the very commit that lands.";
    Obligation = "obligation", "What an earlier landing still asks for comes first, and a draft does not land.";
    Linear = "linear", "A linear branch holds no merges.";
    Signed = "signed", "Commits and tags are signed by a key of the allowed signers.";
    Message = "message", "A commit message follows the rules of the policy.";
    CommitShape = "commit-shape", "A commit has not too many parents, and its message is not too long.";
    FileSize = "file-size", "A file is not larger than the policy allows.";
    FilePath = "file-path", "A path is one that may be in the repository.";
    PathRestricted = "path-restricted", "A restricted path is changed by those who may.";
    Secret = "secret", "Nothing that looks like a secret is pushed.";
    LfsObject = "lfs-object", "What Git LFS keeps for a file is there, and is what the file says.";
    ObjectKind = "object-kind", "A branch names a commit.";
    Budget = "budget", "A push is small enough to be judged in time.";
}

/// One refusal, with its reason, the evidence, and the way to do it right.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Verdict {
    /// The rule.
    pub rule: Rule,
    /// The full name of the ref, for people.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reference: Option<String>,
    /// The object id of the commit.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub commit: Option<String>,
    /// A lower-case fragment that says what is wrong.
    pub what: String,
    /// What was found.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub found: Option<String>,
    /// What was wanted.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub wanted: Option<String>,
    /// What to do; where there is a command, it can be pasted.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub hints: Vec<String>,
    /// Whether somebody has only to do something first, such as approve.
    #[serde(default)]
    pub waits: bool,
}

impl Verdict {
    /// Returns a refusal with nothing but its rule and its fragment.
    pub fn new(rule: Rule, what: impl Into<String>) -> Self {
        Self {
            rule,
            reference: None,
            commit: None,
            what: what.into(),
            found: None,
            wanted: None,
            hints: vec![],
            waits: false,
        }
    }

    /// Adds the commit that it is about.
    #[must_use]
    pub fn of(mut self, commit: &str) -> Self {
        self.commit = (!commit.is_empty()).then(|| commit.to_owned());
        self
    }

    /// Adds what was found.
    #[must_use]
    pub fn found(mut self, found: impl Into<String>) -> Self {
        self.found = Some(found.into());
        self
    }

    /// Adds what was wanted.
    #[must_use]
    pub fn wanted(mut self, wanted: impl Into<String>) -> Self {
        self.wanted = Some(wanted.into());
        self
    }

    /// Adds what to do.
    #[must_use]
    pub fn hint(mut self, hint: impl Into<String>) -> Self {
        self.hints.push(hint.into());
        self
    }

    /// Says that somebody has only to do something first.
    #[must_use]
    pub fn waits(mut self) -> Self {
        self.waits = true;
        self
    }

    /// Returns what a user is told.
    pub fn problem(&self) -> Problem {
        let code = if self.waits { Code::PolicyWaits } else { Code::PolicyDenied };
        let mut place = vec![];
        place.extend(self.reference.clone());
        place.extend(self.commit.as_ref().map(|id| format!("commit {}", id.get(..12).unwrap_or(id))));
        let mut problem = Problem::new(code, format!("{}: {}", self.rule.as_str(), self.what));
        problem.place = (!place.is_empty()).then(|| place.join(", "));
        problem.found.clone_from(&self.found);
        problem.wanted.clone_from(&self.wanted);
        problem.hints.clone_from(&self.hints);
        problem
    }
}
