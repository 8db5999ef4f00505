//! What the commands about change requests take.

use std::path::PathBuf;

use clap::{Args as ClapArgs, Subcommand};

/// What is done with change requests.
#[derive(Clone, Debug, Subcommand)]
pub enum Change {
    /// Ask that the commits of this branch land on another; a second time, push a new version
    #[command(
        after_help = "examples:\n  shipway change open\n  shipway change open --target develop --title 'feat: x'\n\n\
                            The branch is pushed first, because a policy may say where a target gets its changes\n\
                            from. Once more from the same branch, it is a version of the same change request.\n\n\
                            The same with plain git:\n  git push origin HEAD:refs/heads/BRANCH\n  \
                            git push origin HEAD:refs/for/main -o source=BRANCH"
    )]
    Open(Open),
    /// List the change requests
    List {
        /// Also those that have landed or were closed
        #[arg(long)]
        all: bool,
    },
    /// Show a change request, and what is missing until it may land
    Show {
        /// Its number
        number: u64,
    },
    /// Show what a change request changes
    Diff {
        /// Its number
        number: u64,
        /// The version; the newest if left out
        #[arg(long)]
        version: Option<u32>,
    },
    /// Say something about a change request
    Comment {
        /// Its number
        number: u64,
        /// What
        text: String,
        /// The file that it is about
        #[arg(long)]
        path: Option<String>,
        /// The line of that file
        #[arg(long, requires = "path")]
        line: Option<u32>,
    },
    /// Say yes to the newest version of a change request, with a signature
    #[command(
        after_help = "examples:\n  shipway change approve 7\n  shipway change approve 7 --key ~/.ssh/id_ed25519_sk\n\n\
                            The signature is over this version, its target and the policy: a pure rebase keeps it,\n\
                            anything else ends it."
    )]
    Approve {
        /// Its number
        number: u64,
        /// The key; without it the one that git signs with, else one of the usual files
        #[arg(long)]
        key: Option<PathBuf>,
    },
    /// Ask for changes, or take an earlier word back, with a signature
    Review {
        /// Its number
        number: u64,
        /// What has to change
        #[arg(long, value_name = "TEXT", conflicts_with = "withdraw", required_unless_present = "withdraw")]
        request_changes: Option<String>,
        /// Take an earlier word back
        #[arg(long)]
        withdraw: bool,
        /// The key
        #[arg(long)]
        key: Option<PathBuf>,
    },
    /// Let a change request land on another branch; every approval ends
    Retarget {
        /// Its number
        number: u64,
        /// The branch
        target: String,
    },
    /// Change the title or the description, or say whether it is a draft
    Edit {
        /// Its number
        number: u64,
        /// The title
        #[arg(long)]
        title: Option<String>,
        /// The description; at a terminal without any of these, the editor opens
        #[arg(long)]
        description: Option<String>,
        /// It is not to land yet
        #[arg(long, conflicts_with = "ready")]
        draft: bool,
        /// It is no draft any more
        #[arg(long)]
        ready: bool,
    },
    /// Open a change request again that was closed
    Reopen {
        /// Its number
        number: u64,
    },
    /// Close a change request that is not wanted any more
    Close {
        /// Its number
        number: u64,
        /// Why
        #[arg(long, default_value = "")]
        reason: String,
    },
    /// Run the checks of a change request whose runner you are on the exact commit that would land, and sign the results
    #[command(
        after_help = "examples:\n  shipway change check 7\n  shipway change check 7 --key /run/secrets/ci_key --json\n\n\
                            For a branch with runners = [\"ci\"]: a job of CI runs this in a clone, with the key of ci. The\n\
                            checks are those of the target, and a result is for one commit: when the target has moved, or\n\
                            for another --method, they are run again. Exit code 1: a check failed, which is signed too."
    )]
    Check(Check),
    /// Make the exact commit, run the required checks on it, sign its ticket, and move the branch
    #[command(after_help = "examples:\n  shipway change land 7\n  shipway change land 7 --method squash\n\n\
                            Exit code 3: somebody has to approve first; the message says who. 1: the policy says no.")]
    Land(Land),
}

/// What `change open` takes.
#[derive(Clone, Debug, ClapArgs)]
pub struct Open {
    /// The branch that it is to land on; the one that the policy is read from if left out
    #[arg(long)]
    pub target: Option<String>,
    /// The title; the first line of the last commit if left out
    #[arg(long)]
    pub title: Option<String>,
    /// The description; the template of the repository, else the rest of that message, if left out
    #[arg(long)]
    pub description: Option<String>,
    /// The number of the change request that gets a new version
    #[arg(long)]
    pub change: Option<u64>,
    /// It is not to land yet
    #[arg(long)]
    pub draft: bool,
}

/// What `change check` takes.
#[derive(Clone, Debug, ClapArgs)]
pub struct Check {
    /// Its number
    pub number: u64,
    /// How it is to land: merge, squash, rebase or fast-forward; what the policy prefers if left out
    #[arg(long)]
    pub method: Option<String>,
    /// The key of the runner; without it the one that git signs with, else one of the usual files
    #[arg(long)]
    pub key: Option<PathBuf>,
}

/// What `change land` takes.
#[derive(Clone, Debug, ClapArgs)]
pub struct Land {
    /// Its number
    pub number: u64,
    /// merge, squash, rebase or fast-forward; what the policy prefers if left out
    #[arg(long)]
    pub method: Option<String>,
    /// The key that signs the ticket
    #[arg(long)]
    pub key: Option<PathBuf>,
    /// Land past approvals and checks, and answer for it by name: why it cannot wait
    #[arg(long, value_name = "REASON")]
    pub break_glass: Option<String>,
    /// Where the exception is followed up, such as an issue; the change itself if left out, which is approved afterwards
    #[arg(long, value_name = "WHERE", requires = "break_glass")]
    pub follow_up: Option<String>,
    /// Leave what it owes to other branches for later: shipway flow back
    #[arg(long)]
    pub no_back: bool,
}

impl Land {
    /// Returns what lands a change request as the policy prefers it.
    pub fn of(number: u64) -> Self {
        Self { number, method: None, key: None, break_glass: None, follow_up: None, no_back: true }
    }
}

/// What `verify` takes.
#[derive(Clone, Debug, ClapArgs)]
pub struct Verify {
    /// The branch
    pub branch: String,
    /// Only what is in B and not in A
    #[arg(long, value_name = "A..B")]
    pub range: Option<String>,
    /// The remote
    #[arg(long, default_value = "origin")]
    pub remote: String,
}
