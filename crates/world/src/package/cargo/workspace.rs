//! The packages of a Cargo workspace and the versions they state.

use std::collections::BTreeSet;

use semver::Version;
use shipway_core::problem::Problem;
use toml_edit::{Item, TableLike};

use super::super::place::{join, matches, missing, normal, tracked};
use super::super::toml::Toml;
use super::super::{Files, disagree};

const DEPENDENCIES: [&str; 5] =
    ["dependencies", "dev-dependencies", "build-dependencies", "dev_dependencies", "build_dependencies"];

/// A root manifest and its members; a package without a workspace is its own only member.
#[derive(Debug)]
pub(super) struct Workspace {
    pub(super) root: Toml,
    /// The root package, if there is one, then the others by path.
    pub(super) members: Vec<Member>,
    /// What members can inherit.
    version: Option<Version>,
}

/// A package.
#[derive(Debug)]
pub(super) struct Member {
    pub(super) dir: String,
    pub(super) toml: Toml,
    pub(super) name: String,
    /// The version that it states or inherits.
    pub(super) version: Option<Version>,
    private: bool,
}

impl Member {
    /// Tells whether the package has this version.
    pub(super) fn has(&self, version: &Version) -> bool {
        self.version.as_ref() == Some(version)
    }
}

impl Workspace {
    /// Returns the workspace whose manifest is at the root, or none if there is no manifest.
    pub(super) fn read(files: &dyn Files) -> Result<Option<Self>, Problem> {
        let Some(root) = Toml::read(files, "Cargo.toml")? else { return Ok(None) };
        let item = root.get(&["workspace", "package", "version"]);
        let version = item.map(|item| root.version("workspace.package.version", item)).transpose()?;
        let mut members = vec![];
        for dir in directories(files, &root)? {
            let path = join(&dir, "Cargo.toml");
            if let Some(toml) = Toml::read(files, &path)? {
                members.extend(member(dir, toml, version.as_ref())?);
            }
        }
        Ok(Some(Self { root, members, version }))
    }

    /// Returns the version of the project and the file that states it, or none if no file does.
    ///
    /// It is the version of the root package, else the one to inherit, else the one that all members agree on, where
    /// members that are never published do not count.
    pub(super) fn stated(&self) -> Result<Option<(String, Version)>, Problem> {
        let root = self.members.iter().find(|member| member.dir.is_empty());
        if let Some(version) = root.and_then(|root| root.version.as_ref()).or(self.version.as_ref()) {
            return Ok(Some((self.root.path.clone(), version.clone())));
        }
        let stated = |private: bool| {
            let members = self.members.iter().filter(move |member| !member.private || private);
            members.filter_map(|member| Some((member.toml.path.as_str(), member.version.as_ref()?)))
        };
        let Some((file, version)) = stated(false).next().or_else(|| stated(true).next()) else {
            return Ok(None);
        };
        let counts_private = stated(false).next().is_none();
        match stated(counts_private).find(|(_, other)| *other != version) {
            None => Ok(Some((file.to_owned(), version.clone()))),
            Some(other) => Err(disagree((file, version), other).hint(
                "state one version for all in [workspace.package] and inherit it: version.workspace = true",
            )),
        }
    }
}

/// Returns the package of a manifest, or none if it has none.
fn member(dir: String, toml: Toml, inherited: Option<&Version>) -> Result<Option<Member>, Problem> {
    let Some(package) = toml.get(&["package"]) else { return Ok(None) };
    let Some(name) = toml.text(&["package", "name"]).map(ToOwned::to_owned) else {
        return Err(toml.unreadable(package, format!("{} has no package.name", toml.path)));
    };
    let version = match toml.get(&["package", "version"]) {
        None => None,
        Some(item) if item.as_table_like().is_some() => {
            let what = "the version is inherited, but [workspace.package] of Cargo.toml has none";
            Some(inherited.ok_or_else(|| toml.unreadable(item, what))?.clone())
        }
        Some(item) => Some(toml.version("package.version", item)?),
    };
    let private = toml.get(&["package", "publish"]).is_some_and(|publish| {
        publish.as_bool() == Some(false) || publish.as_array().is_some_and(toml_edit::Array::is_empty)
    });
    Ok(Some(Member { dir, toml, name, version, private }))
}

/// Returns the directories of all members: the root, those that the patterns name, and those that path dependencies
/// lead to, as Cargo finds them.
fn directories(files: &dyn Files, root: &Toml) -> Result<BTreeSet<String>, Problem> {
    let mut found = BTreeSet::from([String::new()]);
    if root.get(&["workspace"]).is_none() {
        return Ok(found);
    }
    let patterns = root.texts(&["workspace", "members"]);
    let manifests = files.paths().iter().filter_map(|path| path.strip_suffix("/Cargo.toml"));
    let excluded: Vec<String> =
        root.texts(&["workspace", "exclude"]).into_iter().filter_map(normal).collect();
    let is_excluded = |dir: &str| {
        excluded.iter().any(|one| {
            dir.strip_prefix(one.as_str()).is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
        })
    };
    for dir in manifests.filter(|dir| !is_excluded(dir)) {
        if patterns.iter().any(|pattern| matches(pattern, dir)) {
            found.insert(dir.to_owned());
        }
    }
    for pattern in patterns.iter().filter(|pattern| !pattern.contains(['*', '?', '['])) {
        let path = normal(pattern).map(|dir| join(&dir, "Cargo.toml")).unwrap_or_default();
        if !tracked(files, &path) {
            return Err(missing(&path, "the workspace members of Cargo.toml"));
        }
    }
    let mut open: Vec<String> = found.iter().cloned().collect();
    while let Some(dir) = open.pop() {
        let Some(toml) = Toml::read(files, &join(&dir, "Cargo.toml"))? else { continue };
        if !dir.is_empty() && toml.get(&["workspace"]).is_some() {
            found.remove(&dir);
            continue;
        }
        for (_, entry) in dependencies(toml.root()) {
            let path = entry.get("path").and_then(Item::as_str);
            let Some(to) = path.and_then(|path| normal(&join(&dir, path))) else { continue };
            if !is_excluded(&to) && tracked(files, &join(&to, "Cargo.toml")) && found.insert(to.clone()) {
                open.push(to);
            }
        }
    }
    Ok(found)
}

/// Returns the names and tables of all dependencies of a manifest that are written as tables.
pub(super) fn dependencies(root: &dyn TableLike) -> Vec<(&str, &dyn TableLike)> {
    let workspace = root.get("workspace").and_then(Item::as_table_like);
    let targets = root.get("target").and_then(Item::as_table_like);
    let targets = targets.into_iter().flat_map(TableLike::iter).filter_map(|(_, item)| item.as_table_like());
    let mut all = vec![];
    for place in [Some(root), workspace].into_iter().flatten().chain(targets) {
        for name in DEPENDENCIES {
            let Some(list) = place.get(name).and_then(Item::as_table_like) else { continue };
            for (key, item) in list.iter() {
                let Some(entry) = item.as_table_like() else { continue };
                all.push((entry.get("package").and_then(Item::as_str).unwrap_or(key), entry));
            }
        }
    }
    all
}
