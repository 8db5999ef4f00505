//! What `approve` takes.

use std::path::PathBuf;

use clap::Args as ClapArgs;

/// What `approve` takes.
#[derive(Clone, Debug, Default, ClapArgs)]
pub struct Approve {
    /// The run; the open one if left out
    pub run: Option<String>,
    /// Sign with the key in this file, also where a yes that is typed would do
    #[arg(long, value_name = "FILE")]
    pub key: Option<PathBuf>,
    /// Print what is to be signed, with the plan, to be taken to another machine
    #[arg(long, conflicts_with_all = ["key", "sign", "import"])]
    pub export: bool,
    /// Sign what --export printed elsewhere, and print that, to be taken back
    #[arg(long, value_name = "FILE", conflicts_with_all = ["run", "import"])]
    pub sign: Option<PathBuf>,
    /// Take what --sign printed elsewhere
    #[arg(long, value_name = "FILE", conflicts_with = "key")]
    pub import: Option<PathBuf>,
}
