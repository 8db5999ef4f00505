//! What is installed: packages of Python, npm, Cargo and Debian.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

use serde_json::Value;
use shipway_core::action::Cmd;
use shipway_core::deps::{self, Installed, Inventory, Markers, Place, normal};
use shipway_core::preflight::Seen;

use super::{Eyes, failed, python, unread};

/// How deep packages of npm may lie inside one another.
const DEEPEST: usize = 50;

/// The fields that dpkg is asked for, with tabs between them.
const FIELDS: &str = "${Package}\\t${Version}\\t${db:Status-Status}\\n";

pub(super) fn inventory(eyes: &Eyes<'_>, place: &Place) -> Result<Inventory, Seen> {
    match place {
        Place::Pip { venv } => pip(eyes, &eyes.path(venv)?),
        Place::Npm { dir, workspaces } => Ok(only(npm(&eyes.path(dir)?, workspaces))),
        Place::Cargo { root } => cargo(eyes, root),
        Place::Debian { names } => {
            let output = eyes.run(Cmd::new("dpkg-query").args(["-W", "-f", FIELDS, "--"]).args(names))?;
            // One name that is not known ends it with code 1; the others are told all the same.
            Ok(only(deps::packages(&output.text())))
        }
        Place::Unknown => Err(Seen::Unknown),
    }
}

fn only(packages: Vec<Installed>) -> Inventory {
    Inventory { packages, markers: Markers::new() }
}

/// Reads the metadata in every directory that the interpreter of a virtual environment searches.
fn pip(eyes: &Eyes<'_>, venv: &Path) -> Result<Inventory, Seen> {
    let python = python::ask(eyes, venv.join("bin/python")).map_err(|seen| match seen {
        Seen::Missing { .. } => {
            Seen::Missing { what: format!("{} is no virtual environment", venv.display()) }
        }
        seen => seen,
    })?;
    let mut packages = vec![];
    let mut seen = BTreeSet::new();
    for dir in &python.path {
        let mut found: Vec<PathBuf> =
            fs::read_dir(dir).into_iter().flatten().flatten().map(|entry| entry.path()).collect();
        found.sort();
        for path in found {
            let file = match path.extension().and_then(|extension| extension.to_str()) {
                Some("dist-info") => path.join("METADATA"),
                Some("egg-info") if path.is_file() => path,
                Some("egg-info") => path.join("PKG-INFO"),
                _ => continue,
            };
            let Ok(bytes) = fs::read(file) else { continue };
            let Some(mut one) = deps::metadata(&String::from_utf8_lossy(&bytes)) else { continue };
            one.inherited = !dir.starts_with(&python.prefix);
            // As Python does, the first directory wins.
            if seen.insert(normal(&one.name)) {
                packages.push(one);
            }
        }
    }
    Ok(Inventory { packages, markers: python.markers })
}

fn npm(dir: &Path, workspaces: &[String]) -> Vec<Installed> {
    let mut found = vec![];
    for below in [""].into_iter().chain(workspaces.iter().map(String::as_str)) {
        let prefix = if below.is_empty() { String::new() } else { format!("{below}/") };
        modules(&dir.join(below), &prefix, DEEPEST, &mut found);
    }
    found
}

/// Reads the packages below the `node_modules` of a directory, and those below them.
fn modules(dir: &Path, prefix: &str, depth: usize, found: &mut Vec<Installed>) {
    let Some(depth) = depth.checked_sub(1) else { return };
    for (name, path) in entries(&dir.join("node_modules")) {
        if name.starts_with('@') {
            for (inner, path) in entries(&path) {
                package(&path, &format!("{prefix}node_modules/{name}/{inner}"), depth, found);
            }
        } else {
            package(&path, &format!("{prefix}node_modules/{name}"), depth, found);
        }
    }
}

fn package(path: &Path, name: &str, depth: usize, found: &mut Vec<Installed>) {
    let Ok(bytes) = fs::read(path.join("package.json")) else { return };
    let manifest: Value = serde_json::from_slice(&bytes).unwrap_or_default();
    let version = manifest.get("version").and_then(Value::as_str).unwrap_or_default().to_owned();
    found.push(Installed { name: name.to_owned(), version, ..Installed::default() });
    // A link leads to a workspace, which is read by itself, or out of the project.
    if !path.is_symlink() {
        modules(path, &format!("{name}/"), depth, found);
    }
}

fn entries(dir: &Path) -> Vec<(String, PathBuf)> {
    let found = fs::read_dir(dir).into_iter().flatten().flatten();
    let named = found.filter_map(|entry| Some((entry.file_name().into_string().ok()?, entry.path())));
    let mut found: Vec<_> = named.filter(|(name, _)| !name.starts_with('.')).collect();
    found.sort();
    found
}

fn cargo(eyes: &Eyes<'_>, root: &str) -> Result<Inventory, Seen> {
    let root = if root.is_empty() {
        let variable = |name: &str| Ok::<_, Seen>(eyes.environment()?.get(name).cloned());
        match variable("CARGO_INSTALL_ROOT")?.or(variable("CARGO_HOME")?) {
            Some(root) => PathBuf::from(root),
            None => eyes.path("~/.cargo")?,
        }
    } else {
        eyes.path(root)?
    };
    match fs::read_to_string(root.join(".crates2.json")) {
        Ok(text) => deps::crates(&text).map(only).map_err(failed),
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(Inventory::default()),
        Err(error) => Err(unread(&error)),
    }
}
