//! What the commands about hooks take.

use std::ffi::OsString;
use std::path::PathBuf;

use clap::{Args as ClapArgs, Subcommand};

/// What is done with a guard.
#[derive(Clone, Debug, Subcommand)]
pub enum Guard {
    /// Put hooks where git looks for them, in front of those that are there
    #[command(
        after_help = "examples:\n  shipway guard install --dry-run   what would change\n  shipway guard install\n  \
                      shipway guard install --server app.git --admin ann=ann.pub\n\n\
                      The hooks of this work tree tell early; what decides is the guard of the repository that is\n\
                      pushed to. Hooks that are there already, of husky, lefthook, pre-commit or your own, run after\n\
                      ours, and their exit codes count."
    )]
    Install(GuardInstall),
    /// Take the hooks out again; those that were there before are put back
    #[command(after_help = "examples:\n  shipway guard uninstall --dry-run\n  shipway guard uninstall")]
    Uninstall {
        /// Show what would change, and change nothing
        #[arg(long)]
        dry_run: bool,
        /// The bare repository whose guard is taken out
        #[arg(long, value_name = "REPO.git", conflicts_with = "dry_run")]
        server: Option<PathBuf>,
    },
    /// Look whether the guard of a bare repository is in force, and whether a branch was moved past it
    #[command(
        after_help = "examples:\n  shipway guard audit /srv/git/app.git\n  shipway guard audit app.git --json | jq .\n\n\
                            Exit code 0: in force. 1: something is wrong; each finding has its fix."
    )]
    Audit {
        /// The bare repository
        #[arg(value_name = "REPO.git", default_value = ".")]
        repository: PathBuf,
    },
    /// Serve git, and nothing else, to a key that is bound to this command
    #[command(
        after_help = "examples:\n  shipway guard shell --print-key ann ann.pub --root /srv/git >>~git/.ssh/authorized_keys\n  \
                      shipway guard shell --as ann --root /srv/git   what that line starts, through sshd\n\n\
                      The key can push to and fetch from repositories below the directory, as this login. It gets no\n\
                      shell, no other command, and nothing of the client's environment but git's protocol version."
    )]
    Shell(GuardShell),
    /// Show whether the hooks are in force in every work tree, and what was committed past them
    #[command(after_help = "examples:\n  shipway guard status\n  shipway guard status --json | jq .")]
    Status,
}

/// What `guard install` takes.
#[derive(Clone, Debug, ClapArgs)]
pub struct GuardInstall {
    /// Show what would change, and change nothing
    #[arg(long)]
    pub dry_run: bool,
    /// Guard this bare repository, instead of installing hooks in this work tree
    #[arg(long, value_name = "REPO.git")]
    pub server: Option<PathBuf>,
    /// Somebody who may land and release until the repository has a policy of its own, and a file with the public key
    #[arg(long, value_name = "NAME=KEY.pub", requires = "server")]
    pub admin: Vec<String>,
    /// The name of the repository in everything that is signed for it [default: that of its directory]
    #[arg(long, requires = "server")]
    pub name: Option<String>,
}

/// What `guard-hook` takes.
#[derive(Clone, Debug, ClapArgs)]
pub struct GuardHook {
    /// The name of the hook
    pub name: String,
    /// The hook that runs afterwards
    #[arg(long)]
    pub next: Option<PathBuf>,
    /// What git gives to the hook
    #[arg(last = true)]
    pub args: Vec<OsString>,
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

/// What `guard shell` takes.
#[derive(Clone, Debug, ClapArgs)]
pub struct GuardShell {
    /// The login that the key stands for
    #[arg(long = "as", value_name = "NAME", required_unless_present = "print_key")]
    pub login: Option<String>,
    /// The directory that repositories are looked for in
    #[arg(long, value_name = "DIR")]
    pub root: PathBuf,
    /// Print the line that binds the key in a file to a login, for a file of authorized keys
    #[arg(long, num_args = 2, value_names = ["NAME", "KEY.pub"], conflicts_with = "login")]
    pub print_key: Vec<String>,
}
