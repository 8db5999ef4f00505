//! Python projects: `pyproject.toml` at the root, the files that a dynamic version comes from, and `uv.lock`.
//!
//! Versions are written as Python writes them (PEP 440) and read back as `SemVer` 2.0.0.

mod source;

use semver::Version;
use shipway_core::edit::{Edit, Replace};
use shipway_core::problem::Problem;
use toml_edit::Item;

use super::place::tracked;
use super::toml::Toml;
use super::{DetectedCheck, Files, Found, Package, disagree, pep440, summary};
use source::Source;

const FILE: &str = "pyproject.toml";

/// Python projects with metadata of PEP 621 or of Poetry.
#[derive(Debug)]
pub(super) struct Python;

impl Package for Python {
    fn kind(&self) -> &'static str {
        "python"
    }

    fn find(&self, files: &dyn Files) -> Result<Option<Found>, Problem> {
        let Some(project) = Project::read(files)? else { return Ok(None) };
        let mut found = Found {
            name: project.name().map(ToOwned::to_owned),
            names: project.name().map(ToOwned::to_owned).into_iter().collect(),
            version: None,
            file: FILE.into(),
            is_root_only: false,
            notes: vec![],
        };
        match project.sources.first() {
            Some(source) => {
                if let Some(other) = project.sources.iter().find(|other| other.version != source.version) {
                    return Err(disagree((&source.path, &source.version), (&other.path, &other.version)));
                }
                found.version = Some(source.version.clone());
                found.file.clone_from(&source.path);
            }
            None => found.notes.push(format!("{FILE} has no version of its own: it is taken from the tag")),
        }
        Ok(Some(found))
    }

    fn edit(&self, files: &dyn Files, to: &Version) -> Result<Vec<Edit>, Problem> {
        let Some(project) = Project::read(files)? else { return Ok(vec![]) };
        let Some(from) = project.sources.first().map(|source| &source.version) else { return Ok(vec![]) };
        let (text, summary) = (pep440::write(to)?, summary(from, to));
        let mut edits = vec![];
        let places: Vec<&Source> = project.sources.iter().chain(&project.copies).collect();
        for same in places.chunk_by(|one, other| one.path == other.path) {
            let replace = same.iter().map(|source| Replace::new(source.span.clone(), &text)).collect();
            edits.extend(Edit::of(&same[0].path, &same[0].bytes, replace, &summary)?);
        }
        if let Some(lock) = Toml::read(files, "uv.lock")? {
            let replace = own_entries(&lock, project.name().unwrap_or_default());
            let replace = replace.into_iter().map(|item| lock.replace(item, &text)).collect();
            edits.extend(lock.edit(replace, &summary)?);
        }
        edits.sort_by(|one, other| one.path.cmp(&other.path));
        Ok(edits)
    }

    fn checks(&self, files: &dyn Files) -> Result<Vec<DetectedCheck>, Problem> {
        let Some(toml) = Toml::read(files, FILE)? else { return Ok(vec![]) };
        if Project::read(files)?.is_none() || !has_pytest(files, &toml)? {
            return Ok(vec![]);
        }
        let (command, program) = if tracked(files, "uv.lock") {
            ("uv run pytest", "uv")
        } else if tracked(files, "poetry.lock") {
            ("poetry run pytest", "poetry")
        } else {
            ("python3 -m pytest", "python3")
        };
        Ok(vec![DetectedCheck::new("test", command).needs(program)])
    }
}

/// A project and where its version stands.
struct Project {
    toml: Toml,
    /// Where the version comes from; none if it comes from the tag.
    sources: Vec<Source>,
    /// Where it stands once more, as `__version__` does beside a static version.
    copies: Vec<Source>,
}

impl Project {
    /// Returns the project of the root, or none if `pyproject.toml` only configures tools.
    fn read(files: &dyn Files) -> Result<Option<Self>, Problem> {
        let Some(toml) = Toml::read(files, FILE)? else { return Ok(None) };
        if toml.get(&["project"]).is_none() && toml.get(&["tool", "poetry"]).is_none() {
            return Ok(None);
        }
        let mut project = Self { toml, sources: vec![], copies: vec![] };
        for keys in [["project", "version"].as_slice(), &["tool", "poetry", "version"]] {
            project.sources.extend(source::of_toml(&project.toml, keys)?);
        }
        let module = source::of_module(files, project.name().unwrap_or_default())?;
        if project.sources.is_empty() {
            project.sources.extend(source::dynamic(files, &project.toml, module)?);
        } else if let (Some(module), Some(stated)) = (module, project.sources.first()) {
            project.copies.extend(Some(module).filter(|module| module.version == stated.version));
        }
        Ok(Some(project))
    }

    fn name(&self) -> Option<&str> {
        self.toml.text(&["project", "name"]).or_else(|| self.toml.text(&["tool", "poetry", "name"]))
    }
}

/// Returns the versions of the project's own entries in a lock file of uv.
fn own_entries<'a>(lock: &'a Toml, name: &str) -> Vec<&'a Item> {
    let packages = lock.get(&["package"]).and_then(Item::as_array_of_tables);
    let own = |source: &Item| {
        let source = source.as_table_like();
        let path = |key| source.and_then(|source| source.get(key)).and_then(Item::as_str);
        ["editable", "virtual", "directory"].into_iter().any(|key| path(key) == Some("."))
    };
    packages
        .into_iter()
        .flatten()
        .filter(|package| package.get("source").is_some_and(own))
        .filter(|package| {
            let locked = package.get("name").and_then(Item::as_str).unwrap_or_default();
            source::normal(locked) == source::normal(name)
        })
        .filter_map(|package| package.get("version"))
        .collect()
}

/// Tells whether the project is tested with pytest: it is configured, or there are tests and it is a dependency.
fn has_pytest(files: &dyn Files, toml: &Toml) -> Result<bool, Problem> {
    if toml.get(&["tool", "pytest"]).is_some()
        || ["pytest.ini", ".pytest.ini"].iter().any(|path| tracked(files, path))
    {
        return Ok(true);
    }
    for (path, section) in [("tox.ini", "[pytest]"), ("setup.cfg", "[tool:pytest]")] {
        let bytes = files.read(path)?.unwrap_or_default();
        if String::from_utf8_lossy(&bytes).lines().any(|line| line.trim() == section) {
            return Ok(true);
        }
    }
    let has_tests = files.paths().iter().any(|path| path.starts_with("tests/") || path.starts_with("test/"));
    Ok(has_tests && requires_pytest(toml))
}

/// Tells whether any list of requirements or table of dependencies names pytest.
fn requires_pytest(toml: &Toml) -> bool {
    let places: [&[&str]; 5] = [
        &["project", "dependencies"],
        &["project", "optional-dependencies"],
        &["dependency-groups"],
        &["tool", "poetry"],
        &["tool", "uv", "dev-dependencies"],
    ];
    places.iter().filter_map(|keys| toml.get(keys)).any(names_pytest)
}

fn names_pytest(item: &Item) -> bool {
    let is_pytest = |requirement: &str| {
        let end = requirement.find(|c: char| !c.is_ascii_alphanumeric() && !"-_.".contains(c));
        source::normal(&requirement[..end.unwrap_or(requirement.len())]) == "pytest"
    };
    if let Some(list) = item.as_array() {
        return list.iter().filter_map(|value| value.as_str()).any(is_pytest);
    }
    let Some(table) = item.as_table_like() else { return false };
    table.iter().any(|(key, item)| is_pytest(key) || names_pytest(item))
}
