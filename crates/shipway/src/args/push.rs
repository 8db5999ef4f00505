//! What a release and its way back take.

use clap::Args;

/// Which version is asked for.
#[derive(Clone, Debug, Default, Args)]
pub struct Ask {
    /// patch, minor, major or a version; decided from the commits if left out
    #[arg(value_name = "VERSION")]
    pub version: Option<String>,
    /// Bring the release on to this environment, through those before it
    #[arg(long, value_name = "ENV")]
    pub to: Option<String>,
}

/// What `push` takes.
#[derive(Clone, Debug, Default, Args)]
pub struct Push {
    /// Which version, or the digest of a plan that was shown
    #[command(flatten)]
    pub ask: Ask,
}

/// What `rollback` takes.
#[derive(Clone, Debug, Default, Args)]
pub struct Rollback {
    /// The run, or an environment; the open run, else the last release, if left out
    #[arg(value_name = "RUN|ENV")]
    pub run: Option<String>,
    /// The version that an environment goes back to; the one before if left out
    #[arg(long, value_name = "VERSION")]
    pub to: Option<String>,
    /// Delete the tag on the remote too, if it is still ours
    #[arg(long)]
    pub delete_tag: bool,
    /// Show the plan of a withdrawal, and change nothing
    #[arg(long)]
    pub plan: bool,
    /// The database of the environment was restored to what it was for that release: believe that a migration without
    /// `undo` and `done` is gone
    #[arg(long)]
    pub restored: bool,
}
