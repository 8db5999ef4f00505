//! npm packages: `package.json` at the root, with `package-lock.json` or `npm-shrinkwrap.json`.
//!
//! Packages of workspaces keep their versions and are named in a note.

mod json;

use semver::Version;
use serde_json::Value;
use shipway_core::edit::Edit;
use shipway_core::kinds;
use shipway_core::problem::Problem;

use super::place::{matches, semantic, tracked, unreadable};
use super::{DetectedCheck, Files, Found, Package, ask, summary};
use json::Json;

const FILE: &str = "package.json";
const PNPM_WORKSPACE: &str = "pnpm-workspace.yaml";
const LOCKS: [&str; 2] = ["npm-shrinkwrap.json", "package-lock.json"];
/// Lock files of other package managers, and the program that runs scripts there.
const PROGRAMS: [(&str, &str); 4] =
    [("pnpm-lock.yaml", "pnpm"), ("yarn.lock", "yarn"), ("bun.lock", "bun"), ("bun.lockb", "bun")];

/// Packages of npm and of the managers that share its manifest.
#[derive(Debug)]
pub(super) struct Npm;

impl Package for Npm {
    fn kind(&self) -> &'static str {
        "npm"
    }

    fn find(&self, files: &dyn Files) -> Result<Option<Found>, Problem> {
        let Some(manifest) = Json::read(files, FILE)? else { return Ok(None) };
        let name = manifest.value.get("name").and_then(Value::as_str).map(ToOwned::to_owned);
        Ok(Some(Found {
            names: name.iter().cloned().collect(),
            name,
            version: stated(&manifest, is_workspace(files, &manifest))?,
            file: FILE.into(),
            is_root_only: is_private(&manifest) && is_workspace(files, &manifest),
            notes: notes(files, &manifest.value),
        }))
    }

    fn edit(&self, files: &dyn Files, to: &Version) -> Result<Vec<Edit>, Problem> {
        let Some(manifest) = Json::read(files, FILE)? else { return Ok(vec![]) };
        let Some(from) = stated(&manifest, is_workspace(files, &manifest))? else { return Ok(vec![]) };
        let mut edits: Vec<Edit> = manifest.set(&[&["version"]], &from, to)?.into_iter().collect();
        for path in LOCKS {
            if let Some(lock) = Json::read(files, path)? {
                edits.extend(lock.set(&[&["version"], &["packages", "", "version"]], &from, to)?);
            }
        }
        edits.sort_by(|one, other| one.path.cmp(&other.path));
        Ok(edits)
    }

    fn checks(&self, files: &dyn Files) -> Result<Vec<DetectedCheck>, Problem> {
        let Some(manifest) = Json::read(files, FILE)? else { return Ok(vec![]) };
        let manager = PROGRAMS.iter().find(|(lock, _)| tracked(files, lock)).map_or("npm", |(_, name)| name);
        let script = |name: &&&str| {
            let script = manifest.value.get("scripts").and_then(|scripts| scripts.get(**name)?.as_str());
            script.is_some_and(|script| !script.trim().is_empty() && !script.contains("no test specified"))
        };
        let check = |name: &&str| DetectedCheck::new(name, &format!("{manager} run {name}")).needs(manager);
        Ok(["build", "test", "lint"].iter().filter(script).map(check).collect())
    }

    fn outdated(&self, files: &dyn Files) -> Option<kinds::Outdated> {
        // Its parseable lines are PATH:WANTED:CURRENT:LATEST:DEPENDENT.
        tracked(files, "package-lock.json").then(|| ask("npm outdated --parseable", ":", "npm update"))
    }
}

impl Json {
    /// Returns the edit that sets the version wherever it is stated.
    fn set(&self, places: &[&[&str]], from: &Version, to: &Version) -> Result<Option<Edit>, Problem> {
        let replace = places.iter().filter_map(|keys| self.replace(keys, &to.to_string())).collect();
        Edit::of(&self.path, &self.bytes, replace, &summary(from, to))
    }
}

/// Returns the version that a manifest states, if it states one that means something.
fn stated(manifest: &Json, is_workspace: bool) -> Result<Option<Version>, Problem> {
    let Some(value) = manifest.value.get("version") else { return Ok(None) };
    let offset = manifest.span(&["version"]).map_or(0, |span| span.start);
    let Some(text) = value.as_str() else {
        return Err(unreadable(FILE, &manifest.bytes, offset, "the version is not text"));
    };
    let version = semantic(FILE, &manifest.bytes, offset, text)?;
    // The root of a workspace that is never published has to state some version for old clients.
    let is_placeholder = is_private(manifest) && is_workspace && version == Version::new(0, 0, 0);
    Ok(Some(version).filter(|_| !is_placeholder))
}

/// Tells whether the package is never published.
fn is_private(manifest: &Json) -> bool {
    manifest.value.get("private").and_then(Value::as_bool) == Some(true)
}

/// Tells whether the manifest is the root of a workspace of any manager.
fn is_workspace(files: &dyn Files, manifest: &Json) -> bool {
    manifest.value.get("workspaces").is_some()
        || tracked(files, PNPM_WORKSPACE)
        || tracked(files, "lerna.json")
}

/// Returns a note that names the packages of workspaces.
fn notes(files: &dyn Files, manifest: &Value) -> Vec<String> {
    let workspaces = manifest.get("workspaces");
    let list = workspaces.and_then(|item| item.as_array().or_else(|| item.get("packages")?.as_array()));
    let patterns: Vec<&str> = list.into_iter().flatten().filter_map(Value::as_str).collect();
    let packages: Vec<&str> = files
        .paths()
        .iter()
        .filter_map(|path| path.strip_suffix("/package.json"))
        .filter(|dir| !dir.split('/').any(|part| part == "node_modules"))
        .filter(|dir| patterns.iter().any(|pattern| matches(pattern, dir)))
        .collect();
    let mut notes = vec![];
    if !packages.is_empty() {
        notes.push(format!("packages of workspaces keep their versions: {}", packages.join(", ")));
    }
    if tracked(files, PNPM_WORKSPACE) {
        notes.push(format!("packages of {PNPM_WORKSPACE} keep their versions"));
    }
    notes
}
