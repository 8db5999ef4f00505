//! Files of Python that are TOML: `pyproject.toml` and the lock files `pylock.toml`, `poetry.lock` and `uv.lock`.

use std::collections::BTreeSet;

use toml::{Table, Value};

use super::pep508;
use super::reach::{Reach, join};
use super::{Declaration, Declared, Installed, normal};

/// Returns what `[project]` of a `pyproject.toml` asks for (PEP 621), or why it cannot be read.
pub fn pyproject(path: &str, text: &str) -> Result<Declaration, String> {
    let file = read(path, text)?;
    let mut found = Declaration::new(path);
    let Some(project) = file.get("project").and_then(Value::as_table) else { return Ok(found) };
    found.own = project.get("name").and_then(Value::as_str).map(normal);
    text_of(project, "requires-python").clone_into(&mut found.python);
    for line in texts(project.get("dependencies")) {
        match pep508::parse(line) {
            Some(one) => found.packages.push(Declared {
                name: one.name,
                want: one.specifiers,
                marker: one.marker,
                extras: one.extras,
                from: path.into(),
                optional: false,
            }),
            None => found.notes.push(format!("{path}: `{line}` is no requirement")),
        }
    }
    Ok(found)
}

/// Returns what a `pylock.toml` asks for (PEP 751), or why it cannot be read.
pub fn pylock(path: &str, text: &str) -> Result<Declaration, String> {
    let file = read(path, text)?;
    let mut found = Declaration { whole: true, ..Declaration::new(path) };
    text_of(&file, "requires-python").clone_into(&mut found.python);
    for package in tables(file.get("packages")) {
        let marker = text_of(package, "marker").to_owned();
        found.packages.push(Declared { marker, ..locked(path, package) });
    }
    Ok(found)
}

/// Returns what a `poetry.lock` asks for, or why it cannot be read.
pub fn poetry_lock(path: &str, text: &str) -> Result<Declaration, String> {
    let file = read(path, text)?;
    let mut found = Declaration { whole: true, ..Declaration::new(path) };
    let metadata = file.get("metadata").and_then(Value::as_table);
    // The lock writes a range that `~` and `^` may stand in; those are Poetry's own.
    let python = metadata.map(|metadata| text_of(metadata, "python-versions")).unwrap_or_default();
    if super::pep440::satisfies("3", python).is_some() {
        python.clone_into(&mut found.python);
    }
    for package in tables(file.get("package")) {
        let groups = texts(package.get("groups"));
        let aside = !groups.is_empty() && !groups.contains(&"main") || text_of(package, "category") == "dev";
        // Older locks do not say which group asks, so that only optional ones are known.
        let optional = aside || package.get("optional").and_then(Value::as_bool) == Some(true);
        let marker = match package.get("markers") {
            Some(Value::Table(of_groups)) => text_of(of_groups, "main").to_owned(),
            markers => markers.and_then(Value::as_str).unwrap_or_default().to_owned(),
        };
        found.packages.push(Declared { marker, optional, ..locked(path, package) });
    }
    Ok(found)
}

/// Returns what a `uv.lock` asks for, or why it cannot be read.
///
/// What the project reaches through its dependencies is asked for; all else in the file, such as groups for
/// development, may be there.
pub fn uv_lock(path: &str, text: &str) -> Result<Declaration, String> {
    let file = read(path, text)?;
    let mut found = Declaration { whole: true, ..Declaration::new(path) };
    text_of(&file, "requires-python").clone_into(&mut found.python);
    let packages: Vec<&Table> = tables(file.get("package")).collect();
    let roots: BTreeSet<String> =
        packages.iter().filter(|package| is_own(package)).map(|one| name(one)).collect();
    found.own = roots.first().cloned();
    let reach = Reach::of(&packages, &roots);
    for package in packages.iter().filter(|package| !is_own(package)) {
        let asked = reach.marker(&name(package));
        let optional = asked.is_none();
        let mut marker = asked.unwrap_or_default();
        let forks = texts(package.get("resolution-markers"));
        if !forks.is_empty() {
            let fork = join(forks.into_iter(), " or ");
            marker = if marker.is_empty() { fork } else { format!("({marker}) and ({fork})") };
        }
        found.packages.push(Declared { marker, optional, ..locked(path, package) });
    }
    Ok(found)
}

/// Returns the package that its `METADATA` or `PKG-INFO` describes, or none if it has no name or version.
pub fn metadata(text: &str) -> Option<Installed> {
    let mut found = Installed::default();
    // The description follows after an empty line, and a line that goes on begins with a space.
    for line in text.lines().take_while(|line| !line.trim().is_empty()) {
        let Some((key, value)) = line.split_once(':').filter(|_| !line.starts_with([' ', '\t'])) else {
            continue;
        };
        let value = value.trim();
        match key.to_ascii_lowercase().as_str() {
            "name" => value.clone_into(&mut found.name),
            "version" => value.clone_into(&mut found.version),
            "requires-dist" => found.requires.push(value.to_owned()),
            _ => {}
        }
    }
    (!found.name.is_empty() && !found.version.is_empty()).then_some(found)
}

fn is_own(package: &Table) -> bool {
    let source = package.get("source").and_then(Value::as_table);
    source.is_some_and(|source| source.contains_key("virtual") || source.contains_key("editable"))
}

fn locked(path: &str, package: &Table) -> Declared {
    let version = text_of(package, "version");
    let want = if version.is_empty() { String::new() } else { format!("=={version}") };
    Declared { name: name(package), want, from: path.into(), ..Declared::default() }
}

pub(super) fn name(table: &Table) -> String {
    normal(text_of(table, "name"))
}

pub(super) fn read(path: &str, text: &str) -> Result<Table, String> {
    text.parse::<Table>().map_err(|error| format!("{path} is not TOML: {}", error.message()))
}

pub(super) fn text_of<'a>(table: &'a Table, key: &str) -> &'a str {
    table.get(key).and_then(Value::as_str).unwrap_or_default()
}

pub(super) fn texts(value: Option<&Value>) -> Vec<&str> {
    value.and_then(Value::as_array).into_iter().flatten().filter_map(Value::as_str).collect()
}

pub(super) fn tables(value: Option<&Value>) -> impl Iterator<Item = &Table> {
    value.and_then(Value::as_array).into_iter().flatten().filter_map(Value::as_table)
}
