//! The directory that backups are kept in: files, and a record beside each.
//!
//! A backup is there when its record is. The record is written last and removed last, so that whoever finds one
//! without its file knows that it is gone.

use std::fs::{self, DirBuilder, File, OpenOptions, Permissions};
use std::io::{self, Read as _, Write as _};
use std::os::unix::fs::{DirBuilderExt as _, OpenOptionsExt as _, PermissionsExt as _};
use std::path::{Path, PathBuf};

use rustix::fs::{FlockOperation, flock};
use sha2::{Digest as _, Sha256};
use shipway_core::backup::{DIR, Made, Spec};
use shipway_core::id::Digest;
use shipway_core::problem::{Code, Problem};

use super::hand::Hand;
use super::work::{self, PREFIX, Work};
use super::{Place, code_of};

/// How the name of a record ends.
const RECORD: &str = ".json";

/// Such a directory.
pub(super) struct Keep {
    dir: PathBuf,
}

impl Keep {
    /// Opens the directory, and makes it where it is to be made.
    pub(super) fn open(to: Option<&str>, place: &Place<'_>, make: bool) -> Result<Self, Problem> {
        let keep = Self { dir: place.dir.join(to.unwrap_or(DIR)) };
        if make {
            let done = DirBuilder::new().recursive(true).mode(0o755).create(&keep.dir);
            done.map_err(|error| keep.refused(&error))?;
        }
        Ok(keep)
    }

    /// Returns the directory.
    pub(super) fn dir(&self) -> &Path {
        &self.dir
    }

    /// Returns a place to work in, after clearing away what dead processes left behind.
    pub(super) fn work(&self, hand: &Hand<'_>) -> Result<Work, Problem> {
        let _lock = self.lock()?;
        self.sweep(hand.spec).map_err(|error| hand.io(&error, &self.dir))?;
        let left = work::sweep(&self.dir, &hand.spec.name).map_err(|error| hand.io(&error, &self.dir))?;
        Work::new(&self.dir, left).map_err(|error| hand.io(&error, &self.dir))
    }

    /// Removes files of a backup whose record was never written.
    fn sweep(&self, spec: &Spec) -> io::Result<()> {
        let start = format!("{}-", spec.name);
        for entry in fs::read_dir(&self.dir)? {
            let path = entry?.path();
            let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
            let is_backup = name.strip_prefix(&start).is_some_and(|rest| is_stamp(rest.as_bytes()));
            if is_backup && !name.ends_with(RECORD) && !self.record_of(&name).exists() {
                fs::remove_file(&path)?;
            }
        }
        Ok(())
    }

    /// Gives a whole backup its name, and writes its record.
    pub(super) fn publish(&self, whole: &Path, made: &Made) -> Result<(), Problem> {
        let _lock = self.lock()?;
        let path = self.dir.join(&made.file);
        let placed = fs::rename(whole, &path).and_then(|()| sync_dir(&self.dir));
        placed.map_err(|error| self.refused(&error))?;
        self.write(made).inspect_err(|_| {
            // Without its record it is not there; the next one that comes along removes it if this does not.
            let _ = fs::remove_file(&path);
        })
    }

    /// Writes the record of a backup anew, unless it was removed meanwhile.
    pub(super) fn record(&self, made: &Made) -> Result<(), Problem> {
        let _lock = self.lock()?;
        if self.record_of(&made.file).exists() { self.write(made) } else { Ok(()) }
    }

    fn write(&self, made: &Made) -> Result<(), Problem> {
        let path = self.record_of(&made.file);
        let new = self.dir.join(format!("{PREFIX}record-{}", std::process::id()));
        let mut text = serde_json::to_string_pretty(made).expect("a record has string keys");
        text.push('\n');
        let write = || {
            let mut file =
                OpenOptions::new().write(true).create(true).truncate(true).mode(0o644).open(&new)?;
            file.write_all(text.as_bytes())?;
            file.sync_all()?;
            fs::rename(&new, &path)?;
            sync_dir(&self.dir)
        };
        write().map_err(|error| {
            let _ = fs::remove_file(&new);
            self.refused(&error)
        })
    }

    /// Returns all backups, the oldest first, as their records say and as far as a glance tells.
    pub(super) fn list(&self) -> Result<Vec<Made>, Problem> {
        let entries = match fs::read_dir(&self.dir) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(vec![]),
            entries => entries.map_err(|error| self.refused(&error))?,
        };
        let mut all = vec![];
        for entry in entries {
            let name = entry.map_err(|error| self.refused(&error))?.file_name();
            let name = name.to_string_lossy();
            let Some(file) = name.strip_suffix(RECORD).filter(|file| !file.starts_with('.')) else {
                continue;
            };
            all.extend(self.read(file)?);
        }
        all.sort_by(|a, b| (a.at, &a.file).cmp(&(b.at, &b.file)));
        Ok(all)
    }

    fn read(&self, file: &str) -> Result<Option<Made>, Problem> {
        let text = match fs::read(self.record_of(file)) {
            // Removed since the directory was read.
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
            text => text.map_err(|error| self.refused(&error))?,
        };
        // A file of somebody else, or of a newer shipway.
        let Some(made) = serde_json::from_slice::<Made>(&text).ok().filter(|made| made.file == file) else {
            return Ok(None);
        };
        let broken = match fs::metadata(self.dir.join(file)) {
            Ok(found) if found.len() == made.bytes => return Ok(Some(made)),
            Ok(found) => format!("the file has {} bytes, and had {}", found.len(), made.bytes),
            Err(error) => format!("the file cannot be seen: {error}"),
        };
        Ok(Some(Made { verified: None, broken: Some(broken), ..made }))
    }

    /// Removes the backups whose files a choice names, and returns them.
    pub(super) fn remove(&self, choose: impl Fn(&[Made]) -> Vec<String>) -> Result<Vec<String>, Problem> {
        let _lock = self.lock()?;
        let files = choose(&self.list()?);
        for file in &files {
            for path in [self.dir.join(file), self.record_of(file)] {
                match fs::remove_file(&path) {
                    Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(self.refused(&error)),
                    _ => {}
                }
            }
        }
        Ok(files)
    }

    /// Compares the bytes of a backup with its record, and returns where it is.
    pub(super) fn compare(&self, made: &Made) -> Result<PathBuf, Problem> {
        let path = self.dir.join(&made.file);
        let broken = |what: String| Problem::new(Code::BackupBroken, what).at(path.display().to_string());
        let (bytes, digest) = match digest(&path) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => {
                return Err(broken(format!("the file of backup {} is gone", made.file)));
            }
            found => found.map_err(|error| self.refused(&error))?,
        };
        if bytes != made.bytes {
            let problem = broken(format!("backup {} has another size than when it was made", made.file));
            return Err(problem.wanted(format!("{} bytes", made.bytes)).found(format!("{bytes} bytes")));
        }
        if digest != made.digest {
            let problem = broken(format!("backup {} has other bytes than when it was made", made.file));
            return Err(problem.wanted(made.digest.as_str()).found(digest.as_str()));
        }
        Ok(path)
    }

    fn record_of(&self, file: &str) -> PathBuf {
        self.dir.join(format!("{file}{RECORD}"))
    }

    /// Keeps others from changing the directory. The lock ends with the file.
    fn lock(&self) -> Result<File, Problem> {
        let lock = || {
            let dir = File::open(&self.dir)?;
            flock(&dir, FlockOperation::LockExclusive)?;
            Ok(dir)
        };
        lock().map_err(|error| self.refused(&error))
    }

    fn refused(&self, error: &io::Error) -> Problem {
        Problem::new(code_of(error, Code::Io), format!("{}: {error}", self.dir.display()))
    }
}

/// Tells whether a name goes on as that of a backup: a time such as `20261120T124308123Z-`.
fn is_stamp(rest: &[u8]) -> bool {
    rest.len() > 20
        && rest[..8].iter().chain(&rest[9..18]).all(u8::is_ascii_digit)
        && (rest[8], rest[18], rest[19]) == (b'T', b'Z', b'-')
}

/// Makes a file private and durable, and returns its size and digest.
pub(super) fn seal(path: &Path) -> io::Result<(u64, Digest)> {
    fs::set_permissions(path, Permissions::from_mode(0o600))?;
    let found = digest(path)?;
    File::open(path)?.sync_all()?;
    Ok(found)
}

/// Returns the size and the digest of a file.
pub(super) fn digest(path: &Path) -> io::Result<(u64, Digest)> {
    let mut file = File::open(path)?;
    let (mut hash, mut size, mut buffer) = (Sha256::new(), 0, vec![0; 1 << 17]);
    loop {
        let read = file.read(&mut buffer)?;
        if read == 0 {
            return Ok((size, hex(&hash.finalize())));
        }
        hash.update(&buffer[..read]);
        size += read as u64;
    }
}

/// Returns a digest as it is written.
pub(super) fn hex(bytes: &[u8]) -> Digest {
    Digest::new(bytes.iter().fold(String::new(), |text, byte| text + &format!("{byte:02x}")))
}

fn sync_dir(dir: &Path) -> io::Result<()> {
    File::open(dir)?.sync_all()
}
