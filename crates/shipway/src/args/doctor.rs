//! What `doctor` takes.

use std::path::PathBuf;

use clap::Args as ClapArgs;

/// What `doctor` takes.
#[derive(Clone, Debug, ClapArgs)]
pub struct Doctor {
    /// Try to break each gate, on a copy, and tell what came of it
    #[arg(long)]
    pub prove: bool,
    /// A bare repository to look at; the repository of this directory and its remote if left out
    #[arg(value_name = "REPO.git")]
    pub repository: Option<PathBuf>,
}
