//! What `log` takes.

use clap::Args;

/// A run of the journal, or the proof of it.
#[derive(Clone, Debug, Args)]
pub struct Log {
    /// The run; the last one if left out
    pub run: Option<String>,
    /// The step whose output is shown
    pub step: Option<String>,
    /// Prove that no entry is missing or changed, by the chain and by the checkpoints in release tags
    #[arg(long)]
    pub verify: bool,
    /// Fetch the checkpoints that the remote has, and prove the journal by these too
    #[arg(long, requires = "verify", value_name = "REMOTE", num_args = 0..=1, default_missing_value = "origin")]
    pub remote: Option<String>,
}
