//! The store of this machine: the bytes of all artifacts, each once, compressed as they are sent.

use std::collections::BTreeSet;
use std::fs::{self, DirBuilder, File};
use std::io::{self, Write};
use std::os::unix::fs::{DirBuilderExt as _, symlink};
use std::os::unix::fs::{OpenOptionsExt as _, PermissionsExt as _};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread;

use shipway_core::deployment::{File as Listed, Manifest};
use shipway_core::id::Digest;
use shipway_core::problem::{Code, Problem};

use super::scan::{io_problem, spread};

/// How hard blobs are compressed: as hard as a fast network still gains from.
const LEVEL: i32 = 3;

/// The store. What it says to have is on disk: bytes come first, then the names that lead to them.
#[derive(Debug)]
pub struct Store {
    pub(super) dir: PathBuf,
    /// Blobs that were written or found whole since the store was opened.
    verified: Mutex<BTreeSet<String>>,
}

static NUMBER: AtomicU64 = AtomicU64::new(0);

impl Store {
    /// Returns the store in a directory, which is made for its owner only when something is put into it.
    pub fn new(dir: impl Into<PathBuf>) -> Self {
        Self { dir: dir.into(), verified: Mutex::default() }
    }

    /// Opens the store in a directory, and makes it.
    pub fn open(dir: impl Into<PathBuf>) -> Result<Self, Problem> {
        let store = Self::new(dir);
        store.prepare()?;
        Ok(store)
    }

    pub(super) fn prepare(&self) -> Result<(), Problem> {
        for part in ["blobs", "manifests", "commits", "runs", "new"] {
            let path = self.dir.join(part);
            let made = DirBuilder::new().mode(0o700).recursive(true).create(&path);
            made.map_err(|error| io_problem(&path, &error))?;
        }
        Ok(())
    }

    /// Takes the files of a manifest from a directory. A file that is not what the manifest says is refused.
    ///
    /// When it returns, everything is on disk. A blob that is there already is not written again.
    pub fn put_dir(&self, dir: &Path, manifest: &Manifest) -> Result<Digest, Problem> {
        self.prepare()?;
        let mut seen = BTreeSet::new();
        let wanted: Vec<&Listed> = manifest
            .files
            .iter()
            .filter(|file| file.link.is_none() && !self.has(&file.blake3) && seen.insert(&file.blake3))
            .collect();
        let written = spread(wanted.len(), |index| self.write_blob(dir, wanted[index]));
        let written: Vec<(PathBuf, PathBuf)> = written.into_iter().collect::<Result<_, _>>()?;
        // They are on disk before any of them has its name.
        self.sync(written.iter().map(|(new, _)| new.as_path()))?;
        for (new, blob) in &written {
            fs::rename(new, blob).map_err(|error| io_problem(blob, &error))?;
        }
        // What was hashed on its way to the disk needs not be read back to be known.
        let mut verified = self.verified.lock().unwrap_or_else(PoisonError::into_inner);
        verified.extend(wanted.iter().map(|file| file.blake3.clone()));
        drop(verified);
        let dirs: BTreeSet<&Path> = written.iter().filter_map(|(_, blob)| blob.parent()).collect();
        self.sync(dirs.into_iter().chain([self.dir.join("blobs").as_path()]))?;
        let digest = manifest.digest();
        let text = serde_json::to_vec(manifest).expect("our own types have string keys");
        self.write(&self.manifest_path(&digest), &text)?;
        Ok(digest)
    }

    /// Tells whether there is a blob.
    pub fn has(&self, blake3: &str) -> bool {
        self.blob_path(blake3).is_file()
    }

    /// Tells whether there is a whole artifact.
    pub fn has_artifact(&self, digest: &Digest) -> bool {
        self.manifest(digest).is_ok_and(|manifest| {
            manifest.files.iter().all(|file| file.link.is_some() || self.has(&file.blake3))
        })
    }

    /// Returns a manifest by the digest that names it.
    pub fn manifest(&self, digest: &Digest) -> Result<Manifest, Problem> {
        let path = self.manifest_path(digest);
        let missing =
            || Problem::new(Code::ArtifactMissing, format!("artifact {} is missing", digest.short()));
        let text = fs::read(&path).map_err(|error| match error.kind() {
            io::ErrorKind::NotFound => missing(),
            _ => io_problem(&path, &error),
        })?;
        let manifest = serde_json::from_slice::<Manifest>(&text).ok();
        manifest.filter(|manifest| manifest.digest() == *digest).ok_or_else(|| {
            Problem::new(
                Code::ArtifactChanged,
                format!("the manifest of artifact {} changed", digest.short()),
            )
            .at(path.display().to_string())
        })
    }

    /// Returns the content of a blob, verified.
    pub fn get(&self, blake3: &str) -> Result<Vec<u8>, Problem> {
        let content = zstd::decode_all(&*self.read(blake3)?).map_err(|_| self.changed(blake3))?;
        if blake3::hash(&content).to_hex().as_str() == blake3 {
            Ok(content)
        } else {
            Err(self.changed(blake3))
        }
    }

    /// Opens a blob in the form in which it is sent: one zstd frame. It is verified once for each open store.
    pub fn encoded(&self, blake3: &str) -> Result<File, Problem> {
        let path = self.blob_path(blake3);
        let mut verified = self.verified.lock().unwrap_or_else(PoisonError::into_inner);
        if !verified.contains(blake3) {
            self.verify(blake3)?;
            verified.insert(blake3.to_owned());
        }
        drop(verified);
        File::open(&path).map_err(|error| io_problem(&path, &error))
    }

    /// Writes an artifact into a new directory.
    pub fn check_out(&self, manifest: &Manifest, dir: &Path) -> Result<(), Problem> {
        if let Some(path) = manifest.unsafe_path() {
            return Err(Problem::new(Code::ArtifactUnusable, format!("`{path}` leaves the artifact")));
        }
        for file in &manifest.files {
            let path = dir.join(&file.path);
            let parent = path.parent().unwrap_or(dir);
            fs::create_dir_all(parent).map_err(|error| io_problem(parent, &error))?;
            let written = match &file.link {
                Some(link) => symlink(link, &path),
                None => fs::write(&path, self.get(&file.blake3)?).and_then(|()| {
                    let mode = if file.executable { 0o755 } else { 0o644 };
                    fs::set_permissions(&path, fs::Permissions::from_mode(mode))
                }),
            };
            written.map_err(|error| io_problem(&path, &error))?;
        }
        Ok(())
    }

    pub(super) fn manifest_path(&self, digest: &Digest) -> PathBuf {
        self.dir.join("manifests").join(format!("{digest}.json"))
    }

    fn blob_path(&self, blake3: &str) -> PathBuf {
        let (first, rest) = blake3.split_at_checked(2).unwrap_or(("", blake3));
        self.dir.join("blobs").join(first).join(format!("{rest}.zst"))
    }

    fn read(&self, blake3: &str) -> Result<Vec<u8>, Problem> {
        let path = self.blob_path(blake3);
        fs::read(&path).map_err(|error| match error.kind() {
            io::ErrorKind::NotFound => {
                Problem::new(Code::ArtifactMissing, format!("blob {blake3} is missing"))
            }
            _ => io_problem(&path, &error),
        })
    }

    fn verify(&self, blake3: &str) -> Result<(), Problem> {
        let path = self.blob_path(blake3);
        let file = File::open(&path).map_err(|error| match error.kind() {
            io::ErrorKind::NotFound => {
                Problem::new(Code::ArtifactMissing, format!("blob {blake3} is missing"))
            }
            _ => io_problem(&path, &error),
        })?;
        let mut hasher = blake3::Hasher::new();
        zstd::stream::copy_decode(file, &mut hasher).map_err(|_| self.changed(blake3))?;
        if hasher.finalize().to_hex().as_str() == blake3 { Ok(()) } else { Err(self.changed(blake3)) }
    }

    fn changed(&self, blake3: &str) -> Problem {
        let path = self.blob_path(blake3).display().to_string();
        Problem::new(Code::ArtifactChanged, format!("blob {blake3} of the store has changed")).at(path)
    }

    /// Compresses one file beside its place, and returns both names.
    fn write_blob(&self, dir: &Path, file: &Listed) -> Result<(PathBuf, PathBuf), Problem> {
        let (from, blob, new) = (dir.join(&file.path), self.blob_path(&file.blake3), self.new_path());
        let parent = blob.parent().expect("a blob is in a directory");
        DirBuilder::new()
            .mode(0o700)
            .recursive(true)
            .create(parent)
            .map_err(|error| io_problem(parent, &error))?;
        let mut options = File::options();
        let out = options.write(true).create_new(true).mode(0o400).open(&new);
        let hash = out.and_then(|out| {
            let mut encoder = zstd::stream::write::Encoder::new(out, LEVEL)?;
            encoder.set_pledged_src_size(Some(file.size))?;
            encoder.include_contentsize(true)?;
            let mut both = Both { hasher: blake3::Hasher::new(), out: encoder };
            io::copy(&mut File::open(&from)?, &mut both)?;
            both.out.finish()?;
            Ok(both.hasher.finalize().to_hex().to_string())
        });
        // A file that changed its size meanwhile is an error of the encoder, too.
        match hash {
            Ok(hash) if hash == file.blake3 => Ok((new, blob)),
            Ok(_) => {
                let _ = fs::remove_file(&new);
                let what = format!("`{}` has changed since it was hashed", file.path);
                Err(Problem::new(Code::ArtifactChanged, what))
            }
            Err(error) => {
                let _ = fs::remove_file(&new);
                Err(io_problem(&from, &error))
            }
        }
    }

    /// Replaces a small file as a whole; it is on disk when this returns.
    pub(super) fn write(&self, path: &Path, text: &[u8]) -> Result<(), Problem> {
        let new = self.new_path();
        let write = || {
            let mut file = File::create_new(&new)?;
            file.write_all(text)?;
            file.sync_all()?;
            fs::rename(&new, path)?;
            File::open(path.parent().expect("a file is in a directory"))?.sync_all()
        };
        write().map_err(|error| io_problem(path, &error))
    }

    fn sync<'a>(&self, paths: impl IntoIterator<Item = &'a Path>) -> Result<(), Problem> {
        sync_all(&self.dir, paths).map_err(|error| io_problem(&self.dir, &error))
    }

    fn new_path(&self) -> PathBuf {
        let number = NUMBER.fetch_add(1, Ordering::Relaxed);
        self.dir.join("new").join(format!("{}-{number}", std::process::id()))
    }
}

/// How many files are synced one by one; more of them take longer than all that the file system has to write.
const ONE_BY_ONE: usize = 32;

/// Sees to it that some files and directories are on disk: a few one by one, so that nothing else is waited for, and
/// many with the whole file system that they are on, below a directory.
pub(crate) fn sync_all<'a>(dir: &Path, paths: impl IntoIterator<Item = &'a Path>) -> io::Result<()> {
    let paths: Vec<&Path> = paths.into_iter().collect();
    if paths.len() <= ONE_BY_ONE {
        return paths.into_iter().try_for_each(|path| File::open(path)?.sync_all());
    }
    #[cfg(target_os = "linux")]
    rustix::fs::syncfs(File::open(dir)?)?;
    #[cfg(not(target_os = "linux"))]
    rustix::fs::sync();
    Ok(())
}

/// Lets the disk begin while more is still coming: what is written is synced in the background, a part at a time, so
/// that little is left for the sync that is waited for.
#[derive(Debug, Default)]
pub(crate) struct EarlySync {
    written: u64,
    busy: Arc<AtomicBool>,
}

/// How much is written before the disk begins with it.
const PART: u64 = 8 << 20;

impl EarlySync {
    /// Takes note of bytes that were written below a directory.
    pub(crate) fn wrote(&mut self, dir: &Path, bytes: u64) {
        self.written += bytes;
        if self.written < PART || self.busy.swap(true, Ordering::SeqCst) {
            return;
        }
        self.written = 0;
        let (dir, busy) = (dir.to_owned(), Arc::clone(&self.busy));
        thread::spawn(move || {
            // Nothing counts on it: the sync that is waited for says what is wrong.
            #[cfg(target_os = "linux")]
            let _ = File::open(dir).and_then(|dir| Ok(rustix::fs::syncfs(dir)?));
            #[cfg(not(target_os = "linux"))]
            drop(dir);
            busy.store(false, Ordering::SeqCst);
        });
    }
}

/// Hashes what goes through.
struct Both<W> {
    hasher: blake3::Hasher,
    out: W,
}

impl<W: Write> Write for Both<W> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let written = self.out.write(bytes)?;
        self.hasher.update(&bytes[..written]);
        Ok(written)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.out.flush()
    }
}
