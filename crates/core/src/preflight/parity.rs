//! Parity: where two hosts differ that should be alike, such as staging and production.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::words::name;
use super::{Seen, Want};

/// What was wanted of a host and found on it.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct HostReport {
    /// The name of the host.
    pub host: String,
    /// Every want with what was found.
    pub seen: Vec<(Want, Seen)>,
}

/// One thing that is not alike.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Difference {
    /// What it is, such as `pip flask`.
    pub what: String,
    /// How it is on the first host; nothing if it is not there.
    pub one: Option<String>,
    /// How it is on the second one.
    pub other: Option<String>,
}

/// Returns where two hosts differ; what changes by itself, such as free space, is left out.
pub fn parity(one: &HostReport, other: &HostReport) -> Vec<Difference> {
    let (mut left, right) = (traits(one), traits(other));
    let mut found = vec![];
    for (what, there) in right {
        let here = left.remove(&what);
        if here.as_ref() != Some(&there) {
            found.push(Difference { what, one: here, other: Some(there) });
        }
    }
    found.extend(left.into_iter().map(|(what, here)| Difference { what, one: Some(here), other: None }));
    found.sort_by(|a, b| a.what.cmp(&b.what));
    found
}

/// Returns what should be alike, by name.
fn traits(report: &HostReport) -> BTreeMap<String, String> {
    let mut found = BTreeMap::new();
    for (want, seen) in &report.seen {
        let value = match (want, seen) {
            (Want::Os { .. }, Seen::Os { id, version, machine, .. }) => {
                format!("{id} {version}, {} {}", machine[0], machine[1])
            }
            (Want::Venv { .. }, Seen::Venv { version, .. }) => {
                found.insert("python of the venv".into(), version.clone());
                continue;
            }
            (Want::Python { .. }, Seen::Version { version, .. }) => {
                found.insert("python".into(), version.clone());
                continue;
            }
            (Want::Command { .. }, Seen::Version { version, .. }) if !version.is_empty() => version.clone(),
            (Want::Command { .. }, Seen::Version { .. }) => "installed".into(),
            (Want::Variable { .. }, Seen::Variable { set, empty }) => {
                if *set && !*empty {
                    "set".into()
                } else {
                    "not set".into()
                }
            }
            (Want::File { .. }, Seen::File { what, mode, .. }) => format!("{what}, mode {mode:04o}"),
            (Want::Service { .. }, Seen::Service { running, .. }) => {
                if *running {
                    "running".into()
                } else {
                    "not running".into()
                }
            }
            (Want::Packages { place, .. }, Seen::Packages(inventory)) => {
                for one in &inventory.packages {
                    let what = format!("{} {}", place.kind().as_str(), one.name);
                    found.insert(what, one.version.clone());
                }
                continue;
            }
            (
                Want::Os { .. }
                | Want::Venv { .. }
                | Want::Python { .. }
                | Want::Command { .. }
                | Want::File { .. }
                | Want::Service { .. },
                Seen::Missing { .. },
            ) => "missing".into(),
            // What could not be looked at differs in nothing that is known, and the rest is each host's own.
            _ => continue,
        };
        found.insert(name(want), value);
    }
    found
}
