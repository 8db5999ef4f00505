//! A release on disk: links to the bytes of its files in a directory that has its name only when it is whole.

use std::fs::{self, File};
use std::io;
use std::os::unix::fs::symlink;
use std::path::Path;

use shipway_core::deployment::{File as Listed, Manifest};
use shipway_core::id::Digest;
use shipway_core::problem::{Code, Problem};

use super::blobs;
use super::root::{Root, problem, replace};
use crate::artifact::changed;

/// Puts a release into a directory beside its place, whose name is hidden; returns it.
///
/// Its files are in the store. Nothing is synced yet.
pub(super) fn lay_out(
    root: &Root,
    artifact: &Digest,
    manifest: &Manifest,
) -> Result<std::path::PathBuf, Problem> {
    let dir = root.dir.join("releases").join(format!(".new-{artifact}"));
    remove_tree(&dir)?;
    fs::create_dir(&dir).map_err(|error| problem(&dir, &error))?;
    for inner in manifest.directories() {
        let inner = dir.join(inner);
        fs::create_dir(&inner).map_err(|error| problem(&inner, &error))?;
    }
    let (shelf, release) =
        (blobs::Shelf::open(root)?, File::open(&dir).map_err(|error| problem(&dir, &error))?);
    for file in &manifest.files {
        let path = dir.join(&file.path);
        let made = match &file.link {
            Some(link) => symlink(link, &path),
            None => shelf.link(file, &release).or_else(|_| blobs::link(root, file, &path)),
        };
        made.map_err(|error| not_made(file, &path, &error))?;
    }
    Ok(dir)
}

/// Returns the problem of a file that has no place in a release.
fn not_made(file: &Listed, path: &Path, error: &io::Error) -> Problem {
    // Directories were made, so it is the bytes that are missing.
    if error.kind() == io::ErrorKind::NotFound && file.link.is_none() {
        return Problem::new(Code::ArtifactMissing, format!("`{}` was not sent", file.path));
    }
    problem(path, error)
}

/// Removes half releases, which nobody goes on with.
pub(super) fn clear_half(root: &Root) -> Result<(), Problem> {
    let dir = root.dir.join("releases");
    for entry in fs::read_dir(&dir).map_err(|error| problem(&dir, &error))?.flatten() {
        let name = entry.file_name();
        if name.to_str().is_some_and(|name| name.starts_with(".new-") || name.starts_with(".old-")) {
            remove_tree(&entry.path())?;
        }
    }
    Ok(())
}

/// Gives a release that is on disk its name.
pub(super) fn put_in_place(root: &Root, artifact: &Digest, dir: &Path) -> Result<(), Problem> {
    let place = root.release(artifact);
    let renamed = fs::rename(dir, &place).and_then(|()| File::open(root.dir.join("releases"))?.sync_all());
    renamed.map_err(|error| problem(&place, &error))
}

/// Keeps the manifest of a release.
pub(super) fn keep_manifest(root: &Root, artifact: &Digest, manifest: &Manifest) -> Result<(), Problem> {
    let text = serde_json::to_vec(manifest).expect("our own types have string keys");
    replace(&root.manifest(artifact), &text, 0o644)
}

/// Returns the manifest of a release, if it is there and is the one that its name says.
pub(super) fn manifest(root: &Root, artifact: &Digest) -> Result<Manifest, Problem> {
    let path = root.manifest(artifact);
    let text = fs::read(&path).map_err(|error| match error.kind() {
        io::ErrorKind::NotFound => missing(artifact),
        _ => problem(&path, &error),
    })?;
    let manifest = serde_json::from_slice::<Manifest>(&text).ok();
    manifest.filter(|manifest| manifest.digest() == *artifact).ok_or_else(|| {
        Problem::new(
            Code::ArtifactChanged,
            format!("the manifest of release {} has changed", artifact.short()),
        )
        .at(path.display().to_string())
    })
}

/// Returns what of a release is not as its manifest says, byte by byte.
pub(super) fn drift(root: &Root, artifact: &Digest) -> Result<Vec<String>, Problem> {
    let dir = root.release(artifact);
    if !dir.is_dir() {
        return Err(missing(artifact));
    }
    Ok(changed(&dir, &manifest(root, artifact)?))
}

/// Proves that a release is as its manifest says, byte by byte.
pub(super) fn prove(root: &Root, artifact: &Digest) -> Result<(), Problem> {
    let changed = drift(root, artifact)?;
    if changed.is_empty() {
        return Ok(());
    }
    let what = format!("{} files of release {} were changed on the host", changed.len(), artifact.short());
    let problem = Problem::new(Code::HostDrift, what).at(root.release(artifact).display().to_string());
    Err(problem.details(changed.into_iter().take(10)))
}

/// Puts files of a release that were changed in order, each at once; their bytes are in the store.
pub(super) fn mend(
    root: &Root,
    artifact: &Digest,
    manifest: &Manifest,
    paths: &[String],
) -> Result<(), Problem> {
    let dir = root.release(artifact);
    let new = root.dir.join("store/new").join(format!("{}-mend", std::process::id()));
    for file in manifest.files.iter().filter(|file| paths.contains(&file.path)) {
        let path = dir.join(&file.path);
        super::root::remove(&new)?;
        let made = match &file.link {
            Some(link) => symlink(link, &new),
            None => blobs::link(root, file, &new),
        };
        made.map_err(|error| not_made(file, &new, &error))?;
        if path.symlink_metadata().is_ok_and(|found| found.is_dir()) {
            remove_tree(&path)?;
        }
        if let Some(parent) = path.parent() {
            fs::create_dir_all(parent).map_err(|error| problem(parent, &error))?;
        }
        fs::rename(&new, &path).map_err(|error| problem(&path, &error))?;
        // Two names of one file are not renamed onto each other.
        super::root::remove(&new)?;
    }
    Ok(())
}

/// Removes a release; half of it is never under its name.
pub(super) fn remove_release(root: &Root, artifact: &Digest) -> Result<(), Problem> {
    let (dir, gone) = (root.release(artifact), root.dir.join("releases").join(format!(".old-{artifact}")));
    remove_tree(&gone)?;
    match fs::rename(&dir, &gone) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => {}
        other => other.map_err(|error| problem(&dir, &error))?,
    }
    remove_tree(&gone)
}

/// Removes a directory and all that is in it, if it is there.
pub(super) fn remove_tree(dir: &Path) -> Result<(), Problem> {
    match fs::remove_dir_all(dir) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => Err(problem(dir, &error)),
        Ok(()) | Err(_) => Ok(()),
    }
}

fn missing(artifact: &Digest) -> Problem {
    Problem::new(Code::ArtifactMissing, format!("release {} is not on the host", artifact.short()))
}
