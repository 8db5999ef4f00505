//! What `init` takes.

use clap::{Args as ClapArgs, ValueEnum};

/// What `init` takes.
#[derive(Clone, Debug, ClapArgs)]
pub struct Init {
    /// Set up how changes land: the policy, and all that goes with it
    #[arg(long, value_name = "gitflow|github-flow|trunk", hide_possible_values = true)]
    pub flow: Option<Preset>,
    /// Show what would be written, and write nothing
    #[arg(long, conflicts_with = "yes")]
    pub dry_run: bool,
    /// Write it without asking
    #[arg(long)]
    pub yes: bool,
}

/// How branches come and go.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Preset {
    /// Two branches that stay: develop and main.
    Gitflow,
    /// One branch, and short-lived ones that are merged into it.
    GithubFlow,
    /// One branch without merges.
    Trunk,
}

impl Preset {
    /// Returns the name in the policy.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Gitflow => "gitflow",
            Self::GithubFlow => "github-flow",
            Self::Trunk => "trunk",
        }
    }
}
