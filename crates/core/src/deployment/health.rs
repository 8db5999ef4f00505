//! What must be seen of a service before it counts as well.

use serde::{Deserialize, Serialize};

/// How a service shows that it is well.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Health {
    /// What is asked; placeholders are filled in.
    pub probe: Probe,
    /// A text that the answer must hold, such as `{version}`: the *new* release answers, not only somebody.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub expect: Option<String>,
    /// The status that HTTP must answer; any of 200 to 299 if not set.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub status: Option<u16>,
    /// How slow the answer may be, in milliseconds.
    pub slowest_ms: u64,
    /// How often in a row it must be well.
    pub passes: u32,
    /// Over what time these passes are spread, in milliseconds.
    pub over_ms: u64,
    /// Within what time all of this must be so, in milliseconds.
    pub within_ms: u64,
}

/// What is asked of a service.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Probe {
    /// An HTTP address, such as `http://127.0.0.1:{port}/health`. Redirects are not followed.
    Http(String),
    /// A TCP address, such as `127.0.0.1:{port}`, that must accept a connection.
    Tcp(String),
    /// A command that must end with code 0.
    Command(Vec<String>),
    /// The service manager must say that it runs, and that it was not started again meanwhile.
    Service,
    /// A probe of a newer shipway.
    #[serde(other)]
    Unknown,
}
