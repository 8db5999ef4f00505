//! Manifests: an artifact file by file. The digest of the manifest is the name of the artifact.

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};

use crate::id::Digest;

/// An artifact, file by file, sorted by path.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Manifest {
    /// The files.
    pub files: Vec<File>,
}

/// One file of an artifact.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct File {
    /// The path, relative and with `/` between its parts; UTF-8.
    pub path: String,
    /// Whether it may be executed. Nothing else of its mode is kept.
    #[serde(default, skip_serializing_if = "is_false")]
    pub executable: bool,
    /// The size in bytes.
    pub size: u64,
    /// The BLAKE3 hash of the content in 64 lower-case hexadecimal digits.
    pub blake3: String,
    /// Where it leads, if it is a symbolic link; the content is then this text.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub link: Option<String>,
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde hands over a reference")]
fn is_false(value: &bool) -> bool {
    !value
}

impl Manifest {
    /// Returns a manifest of some files, sorted.
    pub fn new(mut files: Vec<File>) -> Self {
        files.sort();
        Self { files }
    }

    /// Returns the name of the artifact.
    pub fn digest(&self) -> Digest {
        Digest::of_json(self)
    }

    /// Returns how many bytes all files have together.
    pub fn bytes(&self) -> u64 {
        self.files.iter().map(|file| file.size).sum()
    }

    /// Returns why the manifest must not be written to a disk: a path that leaves the release, or stands twice.
    pub fn unsafe_path(&self) -> Option<&str> {
        let leaves = |path: &str| {
            path.is_empty()
                || path.starts_with('/')
                || path.contains('\0')
                || path.split('/').any(|part| matches!(part, "" | "." | ".."))
        };
        let twice = self.files.windows(2).find(|pair| pair[0].path >= pair[1].path);
        // A file cannot stand where another one wants a directory, nor anything be reached through a link.
        let dirs = self.directories();
        let bad = |file: &&File| leaves(&file.path) || dirs.contains(file.path.as_str());
        let bad = self.files.iter().find(bad);
        bad.or(twice.map(|pair| &pair[1])).map(|file| file.path.as_str())
    }

    /// Returns the directories below the release that its files are in, each behind the one that it is in.
    pub fn directories(&self) -> BTreeSet<&str> {
        directories(self.files.iter().map(|file| file.path.as_str()))
    }
}

/// Returns the directories that lead to some paths, without the one that these are relative to.
///
/// Most paths share theirs with the one before, so this compares text and not part by part.
pub fn directories<'a>(paths: impl IntoIterator<Item = &'a str>) -> BTreeSet<&'a str> {
    let mut dirs = BTreeSet::new();
    for mut path in paths {
        while let Some((dir, _)) = path.rsplit_once('/')
            && dirs.insert(dir)
        {
            path = dir;
        }
    }
    dirs
}

#[cfg(test)]
mod tests {
    use super::*;

    fn manifest(paths: &[&str]) -> Manifest {
        let file = |path: &&str| File {
            path: (*path).into(),
            executable: false,
            size: 1,
            blake3: String::new(),
            link: None,
        };
        Manifest { files: paths.iter().map(file).collect() }
    }

    #[test]
    fn paths_that_leave_the_release_or_clash_are_found() {
        assert_eq!(manifest(&["a", "a-b", "b/c"]).unsafe_path(), None);
        for paths in [
            &["/etc/passwd"][..],
            &["a/../b"],
            &[""],
            &["a", "a"],
            &["b", "a"],
            &["a", "a/b"],
            &["a", "a-b", "a/b"],
            &["a//b"],
        ] {
            assert!(manifest(paths).unsafe_path().is_some(), "{paths:?}");
        }
    }

    #[test]
    fn every_directory_stands_once_and_behind_the_one_that_it_is_in() {
        let manifest = manifest(&["a", "b/c", "b/d", "b/e/f/g", "b/e/h"]);
        assert_eq!(Vec::from_iter(manifest.directories()), ["b", "b/e", "b/e/f"]);
    }

    #[test]
    fn the_name_of_an_artifact_does_not_depend_on_the_order_of_its_files() {
        let two = manifest(&["b", "a"]);
        assert_eq!(Manifest::new(two.files).digest(), manifest(&["a", "b"]).digest());
    }
}
