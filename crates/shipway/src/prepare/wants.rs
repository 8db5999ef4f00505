//! What is wanted of hosts, as the preflight takes it.

use serde_json::Value;
use shipway_core::config::deploy::Require;
use shipway_core::problem::Problem;

/// Returns the wants of an environment.
pub fn of(_require: &Require) -> Result<Vec<Value>, Problem> {
    Ok(vec![])
}
