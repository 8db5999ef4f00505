//! Opening the journal on disk: its directory, its file, its settings, and the ways to read where nothing can be
//! written.
//!
//! Nothing here opens a file that exists other than through `SQLite`: closing it again would give up the locks that
//! this process holds on it (POSIX.1-2017, `fcntl`).

#[cfg(test)]
mod tests;

use std::ffi::OsStr;
use std::fmt::Write as _;
use std::fs::{self, DirBuilder, File, OpenOptions, Permissions};
use std::io;
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt, PermissionsExt};
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use rusqlite::config::DbConfig;
use rusqlite::{Connection, ErrorCode, OpenFlags};
use shipway_core::journal::Error;

use super::{FILE, fault, migrate};

/// How a journal is opened.
#[derive(Clone, Copy, Debug)]
pub struct Options {
    /// How long to wait for another process that is just writing.
    pub patience: Duration,
}

impl Default for Options {
    fn default() -> Self {
        Self { patience: Duration::from_secs(10) }
    }
}

/// Returns a connection to the journal in `dir`, which is created or migrated as needed. A newer journal is left alone.
pub(super) fn writable(dir: &Path, options: Options) -> Result<Connection, Error> {
    let file = dir.join(FILE);
    if !file.exists() {
        create(dir, &file)?;
    }
    let fault = |error| fault::sqlite(dir, error);
    let flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let mut connection = Connection::open_with_flags(&file, flags).map_err(fault)?;
    connection.busy_timeout(options.patience).map_err(fault)?;
    // The form may still be in the write-ahead log; until it is known, closing must not move the log into the file.
    connection.set_db_config(DbConfig::SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, true).map_err(fault)?;
    migrate::refuse_newer(migrate::form(&connection).map_err(fault)?)?;
    restrict(dir, &file)?;
    settle(&connection, options.patience).map_err(fault)?;
    migrate::migrate(dir, &mut connection)?;
    connection.set_db_config(DbConfig::SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, false).map_err(fault)?;
    Ok(connection)
}

/// Creates the directory and an empty file. `SQLite` gives its side files the mode of the file.
fn create(dir: &Path, file: &Path) -> Result<(), Error> {
    if !dir.is_dir() {
        let made = DirBuilder::new().mode(0o700).recursive(true).create(dir);
        made.map_err(|error| fault::system(dir, error))?;
        if let Some(parent) = dir.parent().filter(|parent| !parent.as_os_str().is_empty()) {
            // The name of the directory must be on disk before anything in it counts as durable.
            File::open(parent)
                .and_then(|dir| dir.sync_all())
                .map_err(|error| fault::system(parent, error))?;
        }
    }
    match OpenOptions::new().write(true).create_new(true).mode(0o600).open(file) {
        Ok(_) => Ok(()),
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists => Ok(()),
        Err(error) => Err(fault::system(file, error)),
    }
}

/// Takes from others what an older umask, a copy or a restored backup may have given them.
fn restrict(dir: &Path, file: &Path) -> Result<(), Error> {
    for (path, mode) in [(dir, 0o700), (file, 0o600)] {
        let found = fs::metadata(path).map_err(|error| fault::system(path, error))?;
        if found.permissions().mode() & 0o077 != 0 {
            fs::set_permissions(path, Permissions::from_mode(mode))
                .map_err(|error| fault::system(path, error))?;
        }
    }
    Ok(())
}

/// Sets what makes an acknowledged append durable.
fn settle(connection: &Connection, patience: Duration) -> rusqlite::Result<()> {
    let begun = Instant::now();
    // The change of the journal mode does not wait for others by itself.
    while let Err(error) = connection.pragma_update_and_check(None, "journal_mode", "wal", |_| Ok(())) {
        if error.sqlite_error_code() != Some(ErrorCode::DatabaseBusy) || begun.elapsed() > patience {
            return Err(error);
        }
        std::thread::sleep(Duration::from_millis(5));
    }
    connection.pragma_update(None, "synchronous", "full")?;
    connection.pragma_update(None, "foreign_keys", true)?;
    connection.pragma_update(None, "trusted_schema", false)?;
    // Without these two, macOS leaves acknowledged data in the cache of the drive; elsewhere they change nothing.
    connection.pragma_update(None, "fullfsync", true)?;
    connection.pragma_update(None, "checkpoint_fullfsync", true)
}

/// Returns a connection that only reads the journal in `dir`, or nothing where there is no journal.
///
/// Where not even the side files of a reader can be made, the file is read as it stands: with its write-ahead log if
/// there is one, and without regard to a writer, which a place that cannot be written does not have.
pub(super) fn readable(dir: &Path, options: Options) -> Result<Option<Connection>, Error> {
    let file = dir.join(FILE);
    match fs::metadata(&file) {
        Ok(found) if found.len() > 0 => {}
        Ok(_) => return Ok(None),
        Err(error) if matches!(error.kind(), io::ErrorKind::NotFound | io::ErrorKind::NotADirectory) => {
            return Ok(None);
        }
        Err(error) => return Err(fault::system(&file, error)),
    }
    let (connection, form) = look(&file, options.patience).map_err(|error| fault::sqlite(dir, error))?;
    migrate::refuse_newer(form)?;
    Ok((form > 0).then_some(connection))
}

fn look(file: &Path, patience: Duration) -> rusqlite::Result<(Connection, u32)> {
    let flags = OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let attempt = |connection: Connection| {
        connection.busy_timeout(patience)?;
        connection.pragma_update(None, "query_only", true)?;
        let form = migrate::form(&connection)?;
        Ok((connection, form))
    };
    let plain = Connection::open_with_flags(file, flags).and_then(attempt);
    let Err(error) = plain else { return plain };
    if !matches!(error.sqlite_error_code(), Some(ErrorCode::CannotOpen | ErrorCode::ReadOnly)) {
        return Err(error);
    }
    if fs::metadata(beside(file, "-wal")).is_ok_and(|log| log.len() > 0) {
        let connection = Connection::open_with_flags_and_vfs(file, flags, c"unix-none")?;
        connection.pragma_update_and_check(None, "locking_mode", "exclusive", |_| Ok(()))?;
        return attempt(connection);
    }
    Connection::open_with_flags(immutable(file), flags | OpenFlags::SQLITE_OPEN_URI).and_then(attempt)
}

/// Returns the path of a side file.
fn beside(file: &Path, suffix: &str) -> PathBuf {
    let mut name = file.as_os_str().to_owned();
    name.push(OsStr::new(suffix));
    name.into()
}

/// Returns the address of a file that nobody changes while it is read (RFC 3986 §2.1).
fn immutable(file: &Path) -> String {
    let mut address = String::from("file:");
    for byte in file.as_os_str().as_bytes() {
        match byte {
            b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'/' | b'-' | b'_' | b'.' => {
                address.push(*byte as char);
            }
            _ => write!(address, "%{byte:02X}").expect("a text takes every character"),
        }
    }
    address + "?immutable=1"
}
