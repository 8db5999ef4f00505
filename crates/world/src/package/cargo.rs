//! Cargo packages and workspaces: `Cargo.toml` and `Cargo.lock`.
//!
//! Everything in the workspace that has the version of the project gets the new one; members with another version keep
//! theirs and are named in a note. Requirements that members state for one another follow.

mod requirement;
mod workspace;

use semver::Version;
use shipway_core::edit::{Edit, Replace};
use shipway_core::kinds;
use shipway_core::problem::{Code, Problem};
use toml_edit::{Item, TableLike};

use super::place::tracked;
use super::toml::Toml;
use super::{DetectedCheck, Files, Found, Package, ask, place, summary};
use workspace::{Member, Workspace, dependencies};

/// Cargo packages and workspaces whose manifest is at the root.
#[derive(Debug)]
pub(super) struct Cargo;

impl Package for Cargo {
    fn kind(&self) -> &'static str {
        "cargo"
    }

    fn find(&self, files: &dyn Files) -> Result<Option<Found>, Problem> {
        let Some(workspace) = Workspace::read(files)? else { return Ok(None) };
        let stated = workspace.stated()?;
        let mut notes = vec![];
        if let Some((_, version)) = &stated {
            for member in workspace.members.iter().filter(|member| !member.has(version)) {
                if let Some(own) = &member.version {
                    notes.push(format!("{} keeps its own version {own}", member.toml.path));
                }
            }
        }
        let bumped = |member: &&Member| stated.as_ref().is_none_or(|(_, version)| member.has(version));
        let names = workspace.members.iter().filter(bumped).map(|member| member.name.clone()).collect();
        let root = workspace.members.first().filter(|member| member.dir.is_empty());
        let (file, version) =
            stated.map_or_else(|| ("Cargo.toml".to_owned(), None), |(file, v)| (file, Some(v)));
        Ok(Some(Found {
            name: root.map(|member| member.name.clone()),
            names,
            version,
            file,
            is_root_only: false,
            notes,
        }))
    }

    fn edit(&self, files: &dyn Files, to: &Version) -> Result<Vec<Edit>, Problem> {
        let Some(workspace) = Workspace::read(files)? else { return Ok(vec![]) };
        let Some((_, from)) = workspace.stated()? else { return Ok(vec![]) };
        let bump = Bump {
            members: workspace.members.iter().filter(|member| member.has(&from)).collect(),
            from: &from,
            to,
        };
        let mut edits = vec![];
        if !workspace.members.iter().any(|member| member.dir.is_empty()) {
            edits.extend(bump.manifest(&workspace.root)?);
        }
        for member in &workspace.members {
            edits.extend(bump.manifest(&member.toml)?);
        }
        if let Some(lock) = Toml::read(files, "Cargo.lock")? {
            edits.extend(bump.lock(&lock)?);
        }
        edits.sort_by(|one, other| one.path.cmp(&other.path));
        Ok(edits)
    }

    fn checks(&self, files: &dyn Files) -> Result<Vec<DetectedCheck>, Problem> {
        let Some(root) = Toml::read(files, "Cargo.toml")? else { return Ok(vec![]) };
        let all = if root.get(&["workspace"]).is_some() { " --workspace" } else { "" };
        Ok(vec![
            DetectedCheck::new("build", &format!("cargo build{all}")).needs("cargo"),
            DetectedCheck::new("test", &format!("cargo test{all}")).needs("cargo"),
            DetectedCheck::new("lint", &format!("cargo clippy{all} --all-targets")).needs("cargo-clippy"),
        ])
    }

    fn outdated(&self, files: &dyn Files) -> Option<kinds::Outdated> {
        tracked(files, "Cargo.lock").then(|| ask("cargo update --dry-run", " -> ", "cargo update"))
    }
}

/// A change of version of some members.
struct Bump<'a> {
    members: Vec<&'a Member>,
    from: &'a Version,
    to: &'a Version,
}

impl Bump<'_> {
    fn has(&self, name: &str) -> bool {
        self.members.iter().any(|member| member.name == name)
    }

    /// Returns the edit of a manifest: its own version, the one that members inherit, and its requirements.
    fn manifest(&self, toml: &Toml) -> Result<Option<Edit>, Problem> {
        let mut replace = vec![];
        for keys in [&["package", "version"][..], &["workspace", "package", "version"]] {
            if let Some(item) = toml.get(keys)
                && item.as_str() == Some(&self.from.to_string())
            {
                replace.push(toml.replace(item, &self.to.to_string()));
            }
        }
        let has_version = !replace.is_empty();
        for (name, entry) in dependencies(toml.root()) {
            replace.extend(self.requirement(toml, name, entry)?);
        }
        let requirements = format!("requirements {} → {}", self.from, self.to);
        toml.edit(replace, if has_version { summary(self.from, self.to) } else { requirements }.as_str())
    }

    /// Returns the replacement of what one package requires of another one of the same repository.
    fn requirement(
        &self,
        toml: &Toml,
        name: &str,
        entry: &dyn TableLike,
    ) -> Result<Option<Replace>, Problem> {
        let Some(item) = entry.get("version") else { return Ok(None) };
        if entry.get("path").is_none() || !self.has(name) {
            return Ok(None);
        }
        let text = toml.must_be_text("version", item)?;
        if let Some(new) = requirement::follow(text, self.from, self.to) {
            return Ok((new != text).then(|| toml.replace(item, &new)));
        }
        let offset = item.span().map_or(0, |span| span.start);
        let what = format!("the requirement `{text}` of {name} does not allow {}", self.to);
        Err(Problem::new(Code::VersionsDisagree, what).at(place::place(&toml.path, toml.bytes(), offset)))
    }

    /// Returns the edit of the lock file: the entries of the members, and dependencies on them that state a version.
    fn lock(&self, lock: &Toml) -> Result<Option<Edit>, Problem> {
        let mut replace = vec![];
        let packages = lock.get(&["package"]).and_then(Item::as_array_of_tables);
        for package in packages.into_iter().flatten() {
            let ours = package.get("source").is_none()
                && package.get("name").and_then(Item::as_str).is_some_and(|name| self.has(name));
            if let Some(version) = package.get("version").filter(|_| ours) {
                replace.push(lock.replace(version, &self.to.to_string()));
            }
            let uses = package.get("dependencies").and_then(Item::as_array);
            for value in uses.into_iter().flatten() {
                // The version is there only where two packages of one name are locked, the source only where it
                // matters too.
                let Some((name, version)) = value.as_str().and_then(|text| text.split_once(' ')) else {
                    continue;
                };
                if self.has(name) && version == self.from.to_string() {
                    replace.push(lock.replace(&Item::Value(value.clone()), &format!("{name} {}", self.to)));
                }
            }
        }
        lock.edit(replace, &summary(self.from, self.to))
    }
}
