//! What the commands about environments take.

use std::path::PathBuf;

use clap::{Args as ClapArgs, Subcommand, ValueEnum};

/// What `deploy` takes.
#[derive(Clone, Debug, ClapArgs)]
pub struct Deploy {
    /// The environment
    #[arg(value_name = "ENV")]
    pub environment: String,
    /// A version, a tag, a commit, or the digest of a plan that was shown; if left out, what the environment before it
    /// has, else the last release
    #[arg(value_name = "WHAT")]
    pub what: Option<String>,
    /// Show the plan and what would stop it, and change nothing
    #[arg(long)]
    pub plan: bool,
    /// The database was restored to what it was for this release: believe that a migration without `undo` and `done` is
    /// gone
    #[arg(long)]
    pub restored: bool,
}

/// What `promote` takes.
#[derive(Clone, Debug, ClapArgs)]
pub struct Promote {
    /// The environment that is brought what the one before it has
    #[arg(value_name = "ENV")]
    pub environment: String,
    /// The digest of a plan that was shown
    #[arg(value_name = "PLAN")]
    pub digest: Option<String>,
    /// Show the plan and what would stop it, and change nothing
    #[arg(long)]
    pub plan: bool,
}

/// What `drill` takes.
#[derive(Clone, Debug, ClapArgs)]
pub struct Drill {
    /// What is practised
    #[arg(value_name = "rollback|restore", hide_possible_values = true)]
    pub kind: DrillKind,
    /// The environment
    #[arg(value_name = "ENV")]
    pub environment: String,
}

/// What is practised.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum DrillKind {
    /// The way back to the release before, and forward again.
    Rollback,
    /// Restoring the backups.
    Restore,
}

/// What is done with dependencies.
#[derive(Clone, Debug, Subcommand)]
pub enum Deps {
    /// Show what is missing, mismatched or extra, with the commands that set it right
    #[command(
        after_help = "examples:\n  shipway deps verify                   the files of this directory\n  \
                            shipway deps verify --env production  on its hosts\n  \
                            shipway deps verify --cargo just@1.36.0 --debian 'libpq5>=15'"
    )]
    Verify(DepsVerify),
}

/// What `deps verify` takes.
#[derive(Clone, Debug, Default, ClapArgs)]
pub struct DepsVerify {
    /// Look on the hosts of this environment
    #[arg(long, value_name = "ENV")]
    pub env: Option<String>,
    /// The virtual environment; .venv or venv if left out
    #[arg(long, value_name = "DIR", conflicts_with = "env")]
    pub venv: Option<String>,
    /// A program that cargo has installed, with its version behind @; may be repeated
    #[arg(long, value_name = "NAME[@VERSION]")]
    pub cargo: Vec<String>,
    /// A Debian package, with = or >= and a version; may be repeated
    #[arg(long, value_name = "NAME[=VERSION]")]
    pub debian: Vec<String>,
}

/// What is done with an environment.
#[derive(Clone, Debug, Subcommand)]
pub enum Env {
    /// Show whether its hosts are as a deployment needs them, with a command for each red line
    #[command(after_help = "examples:\n  shipway env verify production\n  \
                            shipway env verify production --doc docs/production.md\n  \
                            shipway env verify production --doc docs/production.md --check")]
    Verify(EnvVerify),
    /// Show which release is live on which host, since when, by which run, and whether it is still what was brought
    #[command(after_help = "examples:\n  shipway env status\n  shipway env status production --json")]
    Status(EnvStatus),
}

/// What `env verify` takes.
#[derive(Clone, Debug, Default, ClapArgs)]
pub struct EnvVerify {
    /// The environment; the only one if left out
    #[arg(value_name = "ENV")]
    pub environment: Option<String>,
    /// Only this host
    #[arg(long, value_name = "HOST")]
    pub host: Option<String>,
    /// Write the page of the environment to this file
    #[arg(long, value_name = "FILE")]
    pub doc: Option<PathBuf>,
    /// Write nothing, and tell whether the page is stale
    #[arg(long, requires = "doc")]
    pub check: bool,
    /// After how many days a page is stale
    #[arg(long, value_name = "DAYS", default_value_t = 30, requires = "check")]
    pub max_age: u64,
}

/// What `status` takes.
#[derive(Clone, Debug, Default, ClapArgs)]
pub struct Status {
    /// Ask no host; show only what the journal here knows
    #[arg(long)]
    pub no_hosts: bool,
}

/// What `env status` takes.
#[derive(Clone, Debug, Default, ClapArgs)]
pub struct EnvStatus {
    /// The environment; all if left out
    #[arg(value_name = "ENV")]
    pub environment: Option<String>,
    /// Only this host
    #[arg(long, value_name = "HOST")]
    pub host: Option<String>,
}

/// What `backup` takes.
#[derive(Clone, Debug, ClapArgs)]
#[command(args_conflicts_with_subcommands = true)]
pub struct Backup {
    /// The backup; all if left out
    #[arg(value_name = "NAME")]
    pub name: Option<String>,
    /// What is done besides making one
    #[command(subcommand)]
    pub verb: Option<BackupVerb>,
}

/// What is done with backups besides making them.
#[derive(Clone, Debug, Subcommand)]
pub enum BackupVerb {
    /// Show the backups that are there
    List {
        /// The backup; all if left out
        #[arg(value_name = "NAME")]
        name: Option<String>,
    },
    /// Restore a backup into a scratch place, and see that it is right
    Verify {
        /// The backup
        #[arg(value_name = "NAME")]
        name: String,
        /// Its file; the newest if left out
        #[arg(long, value_name = "FILE")]
        at: Option<String>,
    },
    /// Restore a backup into a new place, never over what is there
    Restore {
        /// The backup
        #[arg(value_name = "NAME")]
        name: String,
        /// The new directory, file or database
        #[arg(long, value_name = "PLACE")]
        into: String,
        /// Its file; the newest if left out
        #[arg(long, value_name = "FILE")]
        at: Option<String>,
    },
}

/// What `runbook` takes.
#[derive(Clone, Debug, Default, ClapArgs)]
pub struct Runbook {
    /// The version; decided from the commits, or what the environment would be brought, if left out
    #[arg(value_name = "VERSION")]
    pub version: Option<String>,
    /// A deployment to this environment
    #[arg(long, value_name = "ENV")]
    pub env: Option<String>,
}
