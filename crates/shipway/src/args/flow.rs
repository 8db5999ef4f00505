//! What `flow` takes.

use clap::Subcommand;

/// What is done with the flow of branches.
#[derive(Clone, Debug, Subcommand)]
pub enum Flow {
    /// Start a branch where the policy says that its kind starts, and switch to it
    #[command(
        after_help = "examples:\n  shipway flow start feature issue-123\n  shipway flow start feature 123 log in with a key\n  \
                      shipway flow start hotfix 1.4.1\n  shipway flow start release 1.5.0"
    )]
    Start {
        /// The kind, such as feature, release or hotfix
        kind: String,
        /// What it is about; words become one name
        #[arg(required = true)]
        name: Vec<String>,
        /// Do not ask the remote first
        #[arg(long)]
        offline: bool,
    },
    /// Ask that this branch lands: a change request, by a plain push to refs/for; nothing is merged here
    #[command(
        after_help = "examples:\n  shipway flow finish\n  shipway flow finish --title \"log in with a key\"\n  \
                      shipway flow finish --change 7        a further version of change request 7\n  \
                      shipway flow finish --dry-run         what would be pushed, with the notes\n\n\
                      On develop it asks that all of it lands on the branch that is released from, with notes made\n\
                      from the commits."
    )]
    Finish {
        /// The title; the subject of the only commit, else the name of the branch, if left out
        #[arg(long)]
        title: Option<String>,
        /// The change request that this is a further version of
        #[arg(long, value_name = "NUMBER")]
        change: Option<u64>,
        /// Show what would be pushed, and push nothing
        #[arg(long)]
        dry_run: bool,
    },
    /// Show the branches of the policy, how develop and main have drifted apart, and what is owed
    #[command(after_help = "examples:\n  shipway flow status\n  shipway flow status --offline --json")]
    Status {
        /// Do not ask the remote first
        #[arg(long)]
        offline: bool,
    },
    /// Bring back what is owed to other branches: a change request each, with the conflicts if there are any
    #[command(after_help = "examples:\n  shipway flow back\n  shipway flow back --dry-run")]
    Back {
        /// Show what is owed and whether it merges, and push nothing
        #[arg(long)]
        dry_run: bool,
    },
}
