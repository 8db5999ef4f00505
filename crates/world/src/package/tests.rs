//! Files before and after, per ecosystem.

mod cargo;
mod detect;
mod npm;
mod python;

use std::collections::BTreeMap;

use semver::Version;
use shipway_core::problem::{Code, Problem};

use super::{Files, Projects};

/// A commit in memory.
#[derive(Default)]
pub(super) struct Tree {
    files: BTreeMap<String, Vec<u8>>,
    paths: Vec<String>,
}

impl Files for Tree {
    fn paths(&self) -> &[String] {
        &self.paths
    }

    fn read(&self, path: &str) -> Result<Option<Vec<u8>>, Problem> {
        Ok(self.files.get(path).cloned())
    }
}

pub(super) fn tree<B: AsRef<[u8]>>(files: &[(&str, B)]) -> Tree {
    let files: BTreeMap<_, _> =
        files.iter().map(|(path, bytes)| ((*path).to_owned(), bytes.as_ref().to_vec())).collect();
    let paths = files.keys().cloned().collect();
    Tree { files, paths }
}

/// Carries out the bump from 1.2.3, and asserts that exactly the files change that are named, to these texts.
pub(super) fn bump(to: &str, before: &[(&str, &str)], after: &[(&str, &str)]) {
    bump_from("1.2.3", to, before, after);
}

pub(super) fn bump_from(from: &str, to: &str, before: &[(&str, &str)], after: &[(&str, &str)]) {
    let files = tree(before);
    let projects = Projects::detect(&files, None).unwrap();
    assert_eq!(projects.version().unwrap(), Some(&Version::parse(from).unwrap()));
    let edits = projects.edits(&files, &Version::parse(to).unwrap()).unwrap();
    let changed: Vec<(String, String)> = edits
        .iter()
        .map(|edit| {
            let new = edit.apply(files.read(&edit.path).unwrap().as_deref()).unwrap();
            (edit.path.clone(), String::from_utf8(new).unwrap())
        })
        .collect();
    let changed: Vec<(&str, &str)> =
        changed.iter().map(|(path, text)| (path.as_str(), text.as_str())).collect();
    assert_eq!(changed, after);
}

/// Asserts that reading one file is refused at a place.
pub(super) fn refused(path: &str, text: impl AsRef<[u8]>, place: &str) {
    let problems = Projects::detect(&tree(&[(path, text)]), None).unwrap_err();
    assert_eq!(problems.len(), 1, "{problems:?}");
    assert_eq!((problems[0].code, problems[0].place.as_deref()), (Code::VersionFileUnreadable, Some(place)));
}

/// Asserts what the checks are.
pub(super) fn checks(files: &[(&str, &str)], expect: &[(&str, &str)]) {
    let files = tree(files);
    let found = Projects::detect(&files, None).unwrap().checks(&files).unwrap();
    let found: Vec<_> = found.iter().map(|check| (check.name.clone(), check.argv.join(" "))).collect();
    let expect: Vec<_> = expect.iter().map(|(name, argv)| ((*name).to_owned(), (*argv).to_owned())).collect();
    assert_eq!(found, expect);
}
