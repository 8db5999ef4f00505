//! The files of a directory that declare dependencies, and where what they declare is installed.

#[cfg(test)]
mod tests;

use std::fs;
use std::path::Path;

use shipway_core::deps::{self, Declaration, Place};

/// Lock files of Python in the order in which one is taken, each with its reader.
type Reader = fn(&str, &str) -> Result<Declaration, String>;
const PYTHON: [(&str, Reader); 3] =
    [("pylock.toml", deps::pylock), ("uv.lock", deps::uv_lock), ("poetry.lock", deps::poetry_lock)];

/// The directories that a virtual environment is looked for in.
const VENVS: [&str; 2] = [".venv", "venv"];

/// Something that is declared in a directory.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Found {
    /// What.
    pub declaration: Declaration,
    /// Where it should be installed.
    pub place: Place,
}

/// Returns what a directory declares; `venv` is the virtual environment, if it is not one that the directory has.
///
/// A file that cannot be read is told in the notes of its declaration, never passed over.
pub fn find(dir: &Path, venv: Option<&str>) -> Vec<Found> {
    let mut found = vec![];
    if let Some(declaration) = python(dir) {
        let own = || VENVS.into_iter().find(|name| dir.join(name).join("pyvenv.cfg").is_file());
        let venv = venv.map_or_else(|| shown(dir, own().unwrap_or(VENVS[0])), ToOwned::to_owned);
        found.push(Found { declaration, place: Place::Pip { venv } });
    }
    found.extend(npm(dir));
    found
}

/// Returns what a directory asks of Python: by a lock file, else by requirements, else by the project itself.
pub fn python(dir: &Path) -> Option<Declaration> {
    for (name, reader) in PYTHON {
        if let Some(text) = read(dir, name) {
            let mut found = declared(name, text.and_then(|text| reader(name, &text)));
            if found.own.is_none() {
                found.own = project(dir).and_then(|project| project.own);
            }
            return Some(found);
        }
    }
    if dir.join("requirements.txt").exists() {
        let mut read = |path: &str| fs::read(dir.join(path)).map_err(|error| error.to_string()).map(lossy);
        let mut found = deps::requirements("requirements.txt", &mut read);
        if let Some(project) = project(dir) {
            (found.own, found.python) = (project.own, project.python);
        }
        return Some(found);
    }
    // A project without dependencies of its own may still say which Python it needs.
    project(dir).filter(|found| found.own.is_some() || !found.notes.is_empty())
}

fn project(dir: &Path) -> Option<Declaration> {
    let text = read(dir, "pyproject.toml")?;
    Some(declared("pyproject.toml", text.and_then(|text| deps::pyproject("pyproject.toml", &text))))
}

fn npm(dir: &Path) -> Option<Found> {
    let place = |workspaces| Place::Npm { dir: shown(dir, ""), workspaces };
    for name in ["npm-shrinkwrap.json", "package-lock.json"] {
        if let Some(text) = read(dir, name) {
            let (declaration, workspaces) = match text.and_then(|text| deps::npm_lock(name, &text)) {
                Ok(found) => found,
                Err(why) => (declared(name, Err(why)), vec![]),
            };
            return Some(Found { declaration, place: place(workspaces) });
        }
    }
    let text = read(dir, "package.json")?;
    let declaration =
        declared("package.json", text.and_then(|text| deps::npm_manifest("package.json", &text)));
    Some(Found { declaration, place: place(vec![]) })
}

/// Returns a path below a directory as a command that is pasted there may name it.
fn shown(dir: &Path, name: &str) -> String {
    let path = if name.is_empty() { dir.to_owned() } else { dir.join(name) };
    let text = path.to_string_lossy().into_owned();
    match text.strip_prefix("./") {
        Some(rest) if !rest.is_empty() => rest.to_owned(),
        _ => text,
    }
}

fn declared(source: &str, found: Result<Declaration, String>) -> Declaration {
    found.unwrap_or_else(|why| {
        let mut found = Declaration::new(source);
        // Nothing is known of it, so nothing is too much.
        found.notes.push(if why.starts_with(source) { why } else { format!("{source}: {why}") });
        found
    })
}

/// Returns the text of a file, or why it cannot be read; none if it is not there.
fn read(dir: &Path, name: &str) -> Option<Result<String, String>> {
    match fs::read(dir.join(name)) {
        Ok(bytes) => Some(Ok(lossy(bytes))),
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => None,
        Err(error) => Some(Err(error.to_string())),
    }
}

fn lossy(bytes: Vec<u8>) -> String {
    String::from_utf8(bytes).unwrap_or_else(|error| String::from_utf8_lossy(error.as_bytes()).into_owned())
}
