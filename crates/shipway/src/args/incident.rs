//! What `incident` takes.

use clap::{Args, ValueEnum};

/// A verb, and what is broken.
#[derive(Clone, Debug, Args)]
pub struct Incident {
    /// open, close or list
    #[arg(value_name = "open|close|list", default_value = "list")]
    #[arg(hide_default_value = true, hide_possible_values = true)]
    pub what: IncidentVerb,
    /// What is broken, or the incident that is over
    pub text: Option<String>,
    /// Where it is broken; everywhere if left out
    #[arg(long, value_name = "ENV")]
    pub env: Option<String>,
}

/// What is done with an incident.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum IncidentVerb {
    /// Say that something is broken.
    Open,
    /// Say that it is no longer.
    Close,
    /// Show those that are open.
    List,
}
