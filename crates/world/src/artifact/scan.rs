//! The manifest of a directory: which files belong to it, and the hash of each, on all cores.

use std::fs::{self, File};
use std::io::{self, Read as _};
use std::num::NonZero;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Component, Path};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;

use shipway_core::deployment::{File as Listed, Manifest};
use shipway_core::problem::{Code, Problem};

use super::glob;

/// Which files of a directory belong to an artifact.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Selection {
    /// Patterns of files that belong to it; all if empty.
    pub include: Vec<String>,
    /// Patterns of files that do not, whatever includes them.
    pub exclude: Vec<String>,
}

impl Selection {
    fn takes(&self, path: &str) -> bool {
        let any = |patterns: &[String]| patterns.iter().any(|pattern| glob::matches(pattern, path));
        (self.include.is_empty() || any(&self.include)) && !any(&self.exclude)
    }
}

/// Returns the manifest of the selected files of a directory. What git keeps in `.git` never belongs to it.
pub fn manifest(dir: &Path, selection: &Selection) -> Result<Manifest, Problem> {
    let mut files = vec![];
    walk(dir, "", selection, &mut files)?;
    let hashes = spread(files.len(), |index| {
        if let Some(text) = &files[index].link {
            return Ok(blake3::hash(text.as_bytes()).to_hex().to_string());
        }
        let path = dir.join(&files[index].path);
        hash_file(&path).map_err(|error| io_problem(&path, &error))
    });
    for (file, hash) in files.iter_mut().zip(hashes) {
        file.blake3 = hash?;
    }
    let manifest = Manifest::new(files);
    match manifest.unsafe_path() {
        Some(path) => Err(unusable(path, "clashes with another file")),
        None => Ok(manifest),
    }
}

/// Returns the paths of a directory that are not what a manifest says, sorted: changed, of another kind, or missing.
/// Files that the manifest does not name are not looked at.
pub fn changed(dir: &Path, manifest: &Manifest) -> Vec<String> {
    let same = spread(manifest.files.len(), |index| is_as_listed(dir, &manifest.files[index]));
    let files = manifest.files.iter().zip(same);
    files.filter(|(_, same)| !same).map(|(file, _)| file.path.clone()).collect()
}

fn is_as_listed(dir: &Path, file: &Listed) -> bool {
    let path = dir.join(&file.path);
    let Ok(found) = path.symlink_metadata() else { return false };
    if let Some(link) = &file.link {
        return fs::read_link(&path).is_ok_and(|to| to == Path::new(link));
    }
    let executable = found.permissions().mode() & 0o100 != 0;
    found.is_file()
        && found.len() == file.size
        && executable == file.executable
        && hash_file(&path).is_ok_and(|hash| hash == file.blake3)
}

/// Returns the BLAKE3 hash of a file in hexadecimal digits.
pub fn hash_file(path: &Path) -> io::Result<String> {
    let mut file = File::open(path)?;
    let mut hasher = blake3::Hasher::new();
    // Longer ones are mapped and given back for every file, which costs more than it saves.
    let mut buffer = vec![0; 64 << 10];
    loop {
        match file.read(&mut buffer)? {
            0 => return Ok(hasher.finalize().to_hex().to_string()),
            read => hasher.update(&buffer[..read]),
        };
    }
}

/// Does some work for each of `count` things on all cores; the answers are in their order.
pub(crate) fn spread<T: Send>(count: usize, work: impl Fn(usize) -> T + Sync) -> Vec<T> {
    let cores = thread::available_parallelism().map_or(1, NonZero::get).min(count.div_ceil(16));
    if cores < 2 {
        return (0..count).map(work).collect();
    }
    let next = AtomicUsize::new(0);
    let part = || {
        let mut done = vec![];
        loop {
            let index = next.fetch_add(1, Ordering::Relaxed);
            if index >= count {
                return done;
            }
            done.push((index, work(index)));
        }
    };
    let mut all: Vec<(usize, T)> = thread::scope(|scope| {
        let threads: Vec<_> = (0..cores).map(|_| scope.spawn(part)).collect();
        let joined = threads.into_iter().map(thread::ScopedJoinHandle::join);
        joined.flat_map(|part| part.expect("the work does not panic")).collect()
    });
    all.sort_by_key(|(index, _)| *index);
    all.into_iter().map(|(_, answer)| answer).collect()
}

fn walk(dir: &Path, inner: &str, selection: &Selection, files: &mut Vec<Listed>) -> Result<(), Problem> {
    let here = dir.join(inner);
    let entries = fs::read_dir(&here).map_err(|error| io_problem(&here, &error))?;
    for entry in entries {
        let entry = entry.map_err(|error| io_problem(&here, &error))?;
        let name = entry.file_name();
        let kind = entry.file_type().map_err(|error| io_problem(&entry.path(), &error))?;
        if inner.is_empty() && name == ".git" {
            continue;
        }
        let Some(name) = name.to_str() else {
            // Only a selected file can be in the way, and what has no text cannot be selected but by everything.
            if selection.takes(format!("{inner}/{}", name.to_string_lossy()).trim_start_matches('/')) {
                return Err(unusable(&entry.path().display().to_string(), "its name is not UTF-8"));
            }
            continue;
        };
        let path = if inner.is_empty() { name.to_owned() } else { format!("{inner}/{name}") };
        if kind.is_dir() {
            walk(dir, &path, selection, files)?;
        } else if selection.takes(&path) {
            files.push(listed(dir, path)?);
        }
    }
    Ok(())
}

/// Returns what a manifest says of a file, without its hash.
fn listed(dir: &Path, path: String) -> Result<Listed, Problem> {
    let full = dir.join(&path);
    let found = full.symlink_metadata().map_err(|error| io_problem(&full, &error))?;
    let (size, executable) = (found.len(), found.permissions().mode() & 0o100 != 0);
    if found.is_file() {
        return Ok(Listed { path, executable, size, blake3: String::new(), link: None });
    }
    if !found.is_symlink() {
        return Err(unusable(&path, "it is neither a file nor a link"));
    }
    let to = fs::read_link(&full).map_err(|error| io_problem(&full, &error))?;
    let Some(text) = to.to_str() else { return Err(unusable(&path, "its target is not UTF-8")) };
    if !stays_inside(dir, &path, &to) {
        return Err(unusable(&path, "it leads out of the artifact").found(text));
    }
    let size = text.len() as u64;
    Ok(Listed { path, executable: false, size, blake3: String::new(), link: Some(text.to_owned()) })
}

/// Tells whether a link stays inside, both by its text and, as far as it leads anywhere, by where it really leads.
fn stays_inside(dir: &Path, path: &str, to: &Path) -> bool {
    let mut depth = path.matches('/').count();
    for part in to.components() {
        match part {
            Component::RootDir | Component::Prefix(_) => return false,
            Component::CurDir => {}
            Component::Normal(_) => depth += 1,
            Component::ParentDir => match depth.checked_sub(1) {
                Some(less) => depth = less,
                None => return false,
            },
        }
    }
    match (fs::canonicalize(dir.join(path)), fs::canonicalize(dir)) {
        (Ok(end), Ok(dir)) => end.starts_with(dir),
        (Err(_), _) | (_, Err(_)) => true,
    }
}

fn unusable(path: &str, why: &str) -> Problem {
    Problem::new(Code::ArtifactUnusable, format!("`{path}` cannot be part of an artifact: {why}"))
}

/// Returns the problem of a file that cannot be read or written.
pub(crate) fn io_problem(path: &Path, error: &io::Error) -> Problem {
    let code = match error.kind() {
        io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded => Code::DiskFull,
        _ => Code::Io,
    };
    Problem::new(code, format!("{}: {error}", path.display()))
}
