//! Programs that `cargo install` installs.

use semver::{Version, VersionReq};
use serde_json::Value;

use super::{Declaration, Declared, Installed};

/// Returns what a list such as `ripgrep`, `cargo-deny@0.18.2` or `just@^1.36` asks for.
pub fn cargo(source: &str, list: &[String]) -> Declaration {
    let mut found = Declaration::new(source);
    for text in list {
        let (name, want) = text.split_once('@').unwrap_or((text, ""));
        let (name, want) = (name.trim().to_owned(), want.trim().to_owned());
        found.packages.push(Declared { name, want, from: source.into(), ..Declared::default() });
    }
    found
}

/// Tells whether a version is the wanted one; as for `cargo install`, three bare numbers are that version alone.
pub(super) fn satisfies(version: &str, want: &str) -> Option<bool> {
    let found = Version::parse(version).ok()?;
    if let Ok(exact) = Version::parse(want) {
        return Some(exact == found);
    }
    Some(VersionReq::parse(want).ok()?.matches(&found))
}

/// Returns the programs in the text of `.crates2.json`, or why it cannot be read.
pub fn crates(text: &str) -> Result<Vec<Installed>, String> {
    let file: Value = serde_json::from_str(text).map_err(|error| format!("it is not JSON: {error}"))?;
    let installs = file.get("installs").and_then(Value::as_object);
    // A key is `ripgrep 14.1.0 (registry+https://…)`.
    let one = |key: &String| {
        let (name, rest) = key.split_once(' ')?;
        let version = rest.split(' ').next()?;
        Some(Installed { name: name.into(), version: version.into(), ..Installed::default() })
    };
    Ok(installs.into_iter().flatten().filter_map(|(key, _)| one(key)).collect())
}
