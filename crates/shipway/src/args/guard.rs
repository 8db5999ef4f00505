//! What the commands about hooks take.

use std::ffi::OsString;
use std::path::PathBuf;

use clap::{Args as ClapArgs, Subcommand};

/// What is done with a guard.
#[derive(Clone, Debug, Subcommand)]
pub enum Guard {
    /// Put hooks where git looks for them, in front of those that are there
    #[command(
        after_help = "examples:\n  shipway guard install --dry-run   what would change\n  shipway guard install\n\n\
                      The hooks of this work tree tell early; what decides is the guard of the repository that is\n\
                      pushed to. Hooks that are there already, of husky, lefthook, pre-commit or your own, run after\n\
                      ours, and their exit codes count."
    )]
    Install {
        /// Show what would change, and change nothing
        #[arg(long)]
        dry_run: bool,
    },
    /// Take the hooks out again; those that were there before are put back
    #[command(after_help = "examples:\n  shipway guard uninstall --dry-run\n  shipway guard uninstall")]
    Uninstall {
        /// Show what would change, and change nothing
        #[arg(long)]
        dry_run: bool,
    },
    /// Show whether the hooks are in force in every work tree, and what was committed past them
    #[command(after_help = "examples:\n  shipway guard status\n  shipway guard status --json | jq .")]
    Status,
}

/// What `hook` takes.
#[derive(Clone, Debug, ClapArgs)]
pub struct Hook {
    /// The name of the hook
    pub name: String,
    /// The hook that runs afterwards
    #[arg(long)]
    pub next: Option<PathBuf>,
    /// What git gives to the hook
    #[arg(last = true)]
    pub args: Vec<OsString>,
}
