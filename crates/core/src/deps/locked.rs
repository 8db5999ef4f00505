//! Locked sets of Python as requirements that pip installs with hashes: from `pylock.toml`, `uv.lock` and `poetry.lock`.

use std::collections::BTreeSet;
use std::fmt::Write as _;

use toml::{Table, Value};

use super::Declaration;
use super::python::{name, poetry_lock, pylock, read, tables, text_of, uv_lock};

/// Lock files that stand for `requirements.txt` where that is not there, in the order in which one is taken.
pub const LOCKS: [&str; 3] = ["pylock.toml", "uv.lock", "poetry.lock"];

/// What pip knows a hash by. Weaker ones prove nothing.
const HASHES: [&str; 3] = ["sha256", "sha384", "sha512"];

/// Returns the requirements that a lock file stands for, each with its hashes, or why there are none; nothing if the
/// file is not one of [`LOCKS`] by its name.
pub fn locked_requirements(path: &str, text: &str) -> Option<Result<String, String>> {
    let file = path.rsplit('/').next().unwrap_or(path);
    // PEP 751: `pylock.toml`, or `pylock.NAME.toml`.
    let middle = file.strip_prefix("pylock").and_then(|rest| rest.strip_suffix(".toml"));
    let named = middle.is_some_and(|name| name.is_empty() || name.starts_with('.'));
    let read = match file {
        "uv.lock" => uv_lock,
        "poetry.lock" => poetry_lock,
        _ if named => pylock,
        _ => return None,
    };
    Some(read(path, text).and_then(|declared| requirements(path, text, &declared)))
}

fn requirements(path: &str, text: &str, declared: &Declaration) -> Result<String, String> {
    let file = read(path, text)?;
    let packages: Vec<&Table> = tables(file.get("packages").or_else(|| file.get("package"))).collect();
    if path.ends_with("poetry.lock") && packages.iter().any(|package| !package.contains_key("groups")) {
        return Err(format!("{path} is of a Poetry before 2, which does not say what is for development"));
    }
    let mut out = String::new();
    for one in declared.packages.iter().filter(|one| !one.optional) {
        let pinned = format!("{}{}", one.name, one.want);
        // Which groups and extras are wanted is a question that pip cannot be asked.
        if ["dependency_groups", "extra"].iter().any(|word| one.marker.contains(word)) {
            return Err(format!("{pinned} of {path} belongs to a group or an extra"));
        }
        let hashes: BTreeSet<String> = packages
            .iter()
            .filter(|package| {
                name(package) == one.name && format!("=={}", text_of(package, "version")) == one.want
            })
            .flat_map(|package| hashes(package))
            .collect();
        if hashes.is_empty() {
            return Err(format!(
                "{pinned} of {path} has no hash, as what comes from a directory or from git"
            ));
        }
        let marker = if one.marker.is_empty() { String::new() } else { format!(" ; {}", one.marker) };
        let _ = write!(out, "{pinned}{marker}");
        for hash in hashes {
            let _ = write!(out, " --hash={hash}");
        }
        out.push('\n');
    }
    Ok(out)
}

/// Returns the hashes of all files of a package, as pip writes them.
fn hashes(package: &Table) -> Vec<String> {
    let listed = ["wheels", "files"].into_iter().flat_map(|key| tables(package.get(key)));
    let alone = ["sdist", "archive"].into_iter().filter_map(|key| package.get(key)?.as_table());
    listed.chain(alone).flat_map(of_file).collect()
}

fn of_file(file: &Table) -> Vec<String> {
    let strong = |kind: &str, hash: &str| {
        let well =
            HASHES.contains(&kind) && !hash.is_empty() && hash.bytes().all(|byte| byte.is_ascii_hexdigit());
        well.then(|| format!("{kind}:{hash}"))
    };
    let one = text_of(file, "hash").split_once(':').and_then(|(kind, hash)| strong(kind, hash));
    let many = file.get("hashes").and_then(Value::as_table).into_iter().flatten();
    one.into_iter().chain(many.filter_map(|(kind, hash)| strong(kind, hash.as_str()?))).collect()
}
