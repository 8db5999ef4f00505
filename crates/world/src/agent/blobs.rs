//! The bytes of all releases of a host, each once, as read-only files that releases link to.
//!
//! A file that may be executed is another one than one with the same bytes that may not, since links share the mode.

use std::fs::{self, File, Permissions};
use std::io::{self, Write};
use std::os::unix::fs::{MetadataExt as _, OpenOptionsExt as _, PermissionsExt as _};
use std::path::{Path, PathBuf};

use rustix::fs::{AtFlags, FileType};
use shipway_core::deployment::File as Listed;
use shipway_core::problem::{Code, Problem};

use super::root::{Root, make_dir, problem};

/// Returns where the bytes of a file are kept.
pub(super) fn path(root: &Root, file: &Listed) -> PathBuf {
    root.dir.join("store").join(inner(file))
}

/// Returns where they are in the store.
fn inner(file: &Listed) -> PathBuf {
    let (first, rest) = file.blake3.split_at_checked(2).unwrap_or(("", &file.blake3));
    Path::new(first).join(if file.executable { format!("{rest}.x") } else { rest.to_owned() })
}

/// The store, opened once for thousands of looks and links, which then need not walk the whole path each.
pub(super) struct Shelf(File);

impl Shelf {
    pub(super) fn open(root: &Root) -> Result<Self, Problem> {
        let dir = root.dir.join("store");
        File::open(&dir).map(Self).map_err(|error| problem(&dir, &error))
    }

    /// Tells whether a release links to the bytes of a file, if they are there as far as their size tells it.
    pub(super) fn linked(&self, file: &Listed) -> Option<bool> {
        let found = rustix::fs::statat(&self.0, inner(file), AtFlags::SYMLINK_NOFOLLOW).ok()?;
        let is_file = FileType::from_raw_mode(found.st_mode).is_file();
        (is_file && u64::try_from(found.st_size) == Ok(file.size)).then_some(found.st_nlink > 1)
    }

    /// Gives the bytes of a file their name in a release, where that needs nothing but a link.
    pub(super) fn link(&self, file: &Listed, release: &File) -> io::Result<()> {
        Ok(rustix::fs::linkat(&self.0, inner(file), release, &file.path, AtFlags::empty())?)
    }
}

/// Gives the bytes of a file a further name.
pub(super) fn link(root: &Root, file: &Listed, to: &Path) -> io::Result<()> {
    let from = path(root, file);
    match fs::hard_link(&from, to) {
        // A file system without links, or one more than it allows: a copy does as well.
        Err(error)
            if matches!(
                error.kind(),
                io::ErrorKind::TooManyLinks
                    | io::ErrorKind::PermissionDenied
                    | io::ErrorKind::Unsupported
                    | io::ErrorKind::CrossesDevices
            ) =>
        {
            fs::copy(&from, to).map(|_| ())
        }
        other => other,
    }
}

/// Removes the bytes that no release links to; returns how many there were.
pub(super) fn sweep(root: &Root) -> Result<u64, Problem> {
    let store = root.dir.join("store");
    let mut removed = 0;
    let entries = fs::read_dir(&store).map_err(|error| problem(&store, &error))?;
    for dir in entries.flatten().filter(|dir| dir.file_name().len() == 2) {
        let files = fs::read_dir(dir.path()).map_err(|error| problem(&dir.path(), &error))?;
        for file in files.flatten() {
            if file.metadata().is_ok_and(|found| found.nlink() == 1) {
                fs::remove_file(file.path()).map_err(|error| problem(&file.path(), &error))?;
                removed += 1;
            }
        }
        // Only an empty one goes.
        let _ = fs::remove_dir(dir.path());
    }
    let new = store.join("new");
    let _ = fs::remove_dir_all(&new);
    make_dir(&new, 0o700)?;
    Ok(removed)
}

/// A file that is coming in: it is hashed while it is written, and has its name only when it is whole.
pub(super) struct Incoming {
    file: Listed,
    new: PathBuf,
    blob: PathBuf,
    decoder: zstd::stream::write::Decoder<'static, Sink>,
}

impl Incoming {
    pub(super) fn begin(root: &Root, file: &Listed) -> Result<Self, Problem> {
        let blob = path(root, file);
        let new = new_path(root, file);
        let out = create(&new).map_err(|error| problem(&new, &error))?;
        let sink = Sink { hasher: blake3::Hasher::new(), out, left: file.size };
        let decoder = zstd::stream::write::Decoder::new(sink).map_err(|error| problem(&new, &error))?;
        Ok(Self { file: file.clone(), new, blob, decoder })
    }

    pub(super) fn push(&mut self, bytes: &[u8]) -> Result<(), Problem> {
        self.decoder.write_all(bytes).map_err(|error| self.failed(&error))
    }

    pub(super) fn end(mut self) -> Result<(), Problem> {
        self.decoder.flush().map_err(|error| self.failed(&error))?;
        let sink = self.decoder.into_inner();
        let whole = sink.left == 0 && sink.hasher.finalize().to_hex().as_str() == self.file.blake3;
        if !whole {
            let _ = fs::remove_file(&self.new);
            return Err(changed(&self.file));
        }
        place(&sink.out, &self.new, &self.blob, self.file.executable)
    }

    fn failed(&self, error: &io::Error) -> Problem {
        let _ = fs::remove_file(&self.new);
        match error.kind() {
            io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded => problem(&self.new, error),
            // What cannot be decoded, or is longer than it should be.
            _ => changed(&self.file).details([error.to_string()]),
        }
    }
}

/// Writes a file that came in one piece.
pub(super) fn put(
    root: &Root,
    file: &Listed,
    bytes: &[u8],
    decoder: &mut zstd::bulk::Decompressor<'_>,
) -> Result<(), Problem> {
    let size = usize::try_from(file.size).map_err(|_| changed(file))?;
    let content = decoder.decompress(bytes, size).map_err(|_| changed(file))?;
    if content.len() != size || blake3::hash(&content).to_hex().as_str() != file.blake3 {
        return Err(changed(file));
    }
    let blob = path(root, file);
    let new = new_path(root, file);
    let mut out = create(&new).map_err(|error| problem(&new, &error))?;
    if let Err(error) = out.write_all(&content) {
        let _ = fs::remove_file(&new);
        return Err(problem(&new, &error));
    }
    place(&out, &new, &blob, file.executable)
}

fn new_path(root: &Root, file: &Listed) -> PathBuf {
    root.dir.join("store/new").join(format!("{}-{}", std::process::id(), file.blake3))
}

/// Makes a new file, also where one that was cut off left another under its name.
fn create(new: &Path) -> io::Result<File> {
    let open = || File::options().write(true).create_new(true).mode(0o600).open(new);
    match open() {
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {
            fs::remove_file(new)?;
            open()
        }
        other => other,
    }
}

fn place(out: &File, new: &Path, blob: &Path, executable: bool) -> Result<(), Problem> {
    let mode = if executable { 0o555 } else { 0o444 };
    let parent = blob.parent().expect("a blob is in a directory");
    let placed =
        out.set_permissions(Permissions::from_mode(mode)).and_then(|()| match fs::rename(new, blob) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => {
                fs::create_dir_all(parent)?;
                fs::rename(new, blob)
            }
            other => other,
        });
    placed.map_err(|error| problem(blob, &error))
}

fn changed(file: &Listed) -> Problem {
    let what = format!("`{}` did not arrive as it was sent", file.path);
    Problem::new(Code::ArtifactChanged, what).wanted(format!("BLAKE3 {}", file.blake3))
}

struct Sink {
    hasher: blake3::Hasher,
    out: File,
    left: u64,
}

impl Write for Sink {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let written = self.out.write(bytes)?;
        self.left = self.left.checked_sub(written as u64).ok_or_else(|| {
            io::Error::new(io::ErrorKind::InvalidData, "it is longer than its manifest says")
        })?;
        self.hasher.update(&bytes[..written]);
        Ok(written)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}
