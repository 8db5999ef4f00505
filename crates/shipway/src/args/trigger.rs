//! What `trigger` takes.

use clap::Args as ClapArgs;

/// What `trigger` takes.
#[derive(Clone, Debug, ClapArgs)]
pub struct Trigger {
    /// commit, release, change:BRANCH, tag:NAME or schedule:NAME
    #[arg(value_name = "EVENT", required_unless_present = "received")]
    pub event: Option<String>,
    /// The commit; HEAD if left out, for a tag the tag, for a branch its tip
    #[arg(long, value_name = "COMMIT", conflicts_with = "received")]
    pub commit: Option<String>,
    /// Read what a post-receive hook is given from the standard input, and run what it asks for
    #[arg(long, conflicts_with = "event")]
    pub received: bool,
    /// Show what would run, and run nothing
    #[arg(long)]
    pub dry_run: bool,
}
