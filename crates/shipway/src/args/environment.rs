//! The environment of the process. The only place that reads it, so that nothing else depends on it unseen.

use std::ffi::{OsStr, OsString};
use std::path::Path;

use shipway_world::keys::Choice;

/// What the environment says.
#[derive(Clone, Debug, Default)]
pub struct Environment {
    /// All variables: their values may have to be masked.
    pub variables: Vec<(OsString, OsString)>,
}

impl Environment {
    /// Reads the environment of the process.
    pub fn read() -> Self {
        Self { variables: std::env::vars_os().collect() }
    }

    /// Returns the search path for programs.
    pub fn path(&self) -> &OsStr {
        self.variables.iter().find(|(key, _)| key == "PATH").map_or(OsStr::new(""), |(_, value)| value)
    }

    /// Returns a variable, if it is set and is text.
    pub fn get(&self, name: &str) -> Option<&str> {
        self.variables.iter().find(|(key, _)| key == name).and_then(|(_, value)| value.to_str())
    }

    /// Returns where keys to sign with are looked for, besides the one that is named.
    pub fn keys(&self, named: Option<&Path>) -> Choice {
        let value = |name: &str| self.get(name).filter(|value| !value.is_empty());
        Choice {
            named: named.map(Path::to_owned),
            home: value("HOME").map(Into::into),
            agent: value("SSH_AUTH_SOCK").map(Into::into),
        }
    }
}
