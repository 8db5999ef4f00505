//! What is signed: short statements, each with a namespace of its own, so that a signature for one purpose is none for
//! another. The signed bytes are the JSON text of the statement, kept as it was signed.

use serde::{Deserialize, Serialize};

use crate::id::Digest;
use crate::time::Time;

/// Something that somebody has signed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "statement", rename_all = "kebab-case")]
pub enum Statement {
    /// A yes or a no to a version of a change request.
    Review(Review),
    /// A yes to the plan of a run.
    Plan(PlanApproval),
    /// The right to move one ref once.
    Ticket(Ticket),
    /// What became of a check on a commit.
    Check(CheckResult),
    /// A key that counts no more.
    Revocation(Revocation),
}

/// A reviewer's word on one version of a change.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Review {
    /// The name of the repository, as its guard gives it.
    pub repository: String,
    /// The number of the change request.
    pub change: u64,
    /// The version, from 1.
    pub version: u32,
    /// The object id of its head.
    pub head: String,
    /// The patch id of `base...head`, by which a pure rebase is known.
    pub patch: String,
    /// The target branch, without `refs/heads/`.
    pub target: String,
    /// The digest of the policy under which it was given.
    pub policy: String,
    /// What the reviewer says.
    pub word: Word,
    /// What else, for people.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub text: String,
    /// When it ends.
    pub expires: Time,
    /// A text that makes this statement unlike any other.
    pub nonce: String,
    /// How the key was used, as the signer says; see [`Use`].
    #[serde(default)]
    pub key_use: Use,
}

/// What a reviewer says.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Word {
    /// Yes.
    Approve,
    /// Not like this.
    RequestChanges,
    /// An earlier word counts no more.
    Withdraw,
}

/// How a key was used, which a signature alone does not show, except for a key on a device.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Use {
    /// Not known, or an agent that asks nobody: the weakest grade.
    #[default]
    Agent,
    /// An agent that asks its owner each time.
    ConfirmedAgent,
    /// A file without a passphrase.
    File,
    /// A file with a passphrase that was typed at a terminal.
    Passphrase,
    /// A device that was touched.
    Device,
}

impl Use {
    /// Returns how the key was used, in a few words.
    pub fn words(self) -> &'static str {
        match self {
            Self::Agent => "by an unlocked agent, which proves little",
            Self::ConfirmedAgent => "by an agent that asks",
            Self::File => "with a key without a passphrase, which proves little",
            Self::Passphrase => "with a key and its passphrase",
            Self::Device => "with a device",
        }
    }
}

/// A yes to the plan of a run.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct PlanApproval {
    /// The project.
    pub project: String,
    /// The run.
    pub run: String,
    /// The digest of the plan.
    pub plan: Digest,
    /// The gate, if it is for one only.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub gate: Option<String>,
    /// The name of the machine on which it is signed, as the signer says.
    #[serde(default)]
    pub host: String,
    /// When it ends.
    pub expires: Time,
    /// A text that makes this statement unlike any other.
    pub nonce: String,
    /// How the key was used.
    #[serde(default)]
    pub key_use: Use,
}

/// The right to move one ref of one repository from one object to another, once.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Ticket {
    /// The name of the repository, as its guard gives it.
    pub repository: String,
    /// The full name of the ref.
    #[serde(rename = "ref")]
    pub reference: String,
    /// The object id that it has; empty if it is made.
    pub old: String,
    /// The object id that it is to have.
    pub new: String,
    /// The digest of the policy under which it was written.
    pub policy: String,
    /// Why it may move.
    pub reason: Reason,
    /// The approvals that it rests on: digests of their statements.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub approvals: Vec<Digest>,
    /// The checks that passed on `new`.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub checks: Vec<String>,
    /// When it ends.
    pub expires: Time,
    /// A text that makes this statement unlike any other.
    pub nonce: String,
}

/// Why a ref may move.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "why", rename_all = "kebab-case")]
pub enum Reason {
    /// A change request lands.
    Change {
        /// Its number.
        change: u64,
        /// The version that lands, from 1.
        version: u32,
        /// How it is merged.
        method: crate::policy::Method,
    },
    /// A release commit, made by a run.
    Release {
        /// The run, with its plan in the journal.
        run: String,
        /// The version that is released.
        version: String,
    },
    /// The first commit of a protected branch.
    Bootstrap,
    /// An exception: somebody answers for it by name, and something must follow.
    BreakGlass {
        /// The number of the change request that lands; 0 for none.
        #[serde(default, skip_serializing_if = "is_zero")]
        change: u64,
        /// Why it cannot wait.
        reason: String,
        /// The change request or issue in which it is followed up.
        follow_up: String,
    },
}

impl Reason {
    /// Returns the number of the change request that lands, if one does.
    pub fn change(&self) -> Option<u64> {
        match self {
            Self::Change { change, .. } => Some(*change),
            Self::BreakGlass { change, .. } => (*change > 0).then_some(*change),
            Self::Release { .. } | Self::Bootstrap => None,
        }
    }
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde hands over a reference")]
fn is_zero(value: &u64) -> bool {
    *value == 0
}

/// What became of a check on a commit.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct CheckResult {
    /// The name of the repository.
    pub repository: String,
    /// The object id of the commit that was checked.
    pub commit: String,
    /// The name of the check.
    pub check: String,
    /// Whether it passed. Skipped is not passed.
    pub passed: bool,
    /// The digest of its log.
    pub log: Digest,
    /// When it ended.
    pub at: Time,
}

/// A key that counts no more from a time on.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Revocation {
    /// The fingerprint, such as `SHA256:…`.
    pub key: String,
    /// From when on what it signed does not count.
    pub from: Time,
    /// Why.
    pub reason: String,
}

impl Statement {
    /// Returns the namespace of the signature (ssh-keygen(1), `-n`).
    pub fn namespace(&self) -> &'static str {
        match self {
            Self::Review(_) => "review@shipway",
            Self::Plan(_) => "plan@shipway",
            Self::Ticket(_) => "ticket@shipway",
            Self::Check(_) => "check@shipway",
            Self::Revocation(_) => "revocation@shipway",
        }
    }

    /// Returns the statement with how the key is used, where that is part of it.
    #[must_use]
    pub fn with_use(mut self, key_use: Use) -> Self {
        match &mut self {
            Self::Review(review) => review.key_use = key_use,
            Self::Plan(approval) => approval.key_use = key_use,
            Self::Ticket(_) | Self::Check(_) | Self::Revocation(_) => {}
        }
        self
    }

    /// Returns the bytes that are signed.
    pub fn text(&self) -> String {
        serde_json::to_string(self).expect("our own types have string keys and no failing serializer")
    }
}

/// A statement as it was signed, and its signature.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Signed {
    /// The bytes that were signed.
    pub text: String,
    /// The signature in OpenSSH's armour (PROTOCOL.sshsig).
    pub signature: String,
}

impl Signed {
    /// Returns the ticket, if the bytes are one.
    pub fn ticket(&self) -> Option<Ticket> {
        if let Some(Statement::Ticket(ticket)) = self.read() { Some(ticket) } else { None }
    }

    /// Returns the statement, if its bytes are one.
    pub fn read(&self) -> Option<Statement> {
        serde_json::from_str(&self.text).ok()
    }

    /// Returns the name of the statement.
    pub fn digest(&self) -> Digest {
        Digest::of(self.text.as_bytes())
    }
}

/// Who has signed, as a key of the allowed signers says.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Signer {
    /// The name of the person.
    pub person: String,
    /// The fingerprint of the key, such as `SHA256:…`.
    pub key: String,
    /// The kind of the key, such as `ssh-ed25519`.
    pub kind: String,
    /// Whether the key is on a device, and the device says that it was touched.
    pub touched: bool,
    /// Whether the device says that its owner has shown to be there, such as by a PIN.
    pub verified: bool,
}
