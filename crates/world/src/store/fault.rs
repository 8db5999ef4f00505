//! From errors of `SQLite` and of the system to errors of the journal.

use std::io;
use std::path::Path;

use rusqlite::ErrorCode;
use shipway_core::journal::Error;

/// Returns the journal's error for an error of `SQLite` about the journal in `dir`.
#[expect(clippy::needless_pass_by_value, reason = "it is made for `map_err`")]
pub(super) fn sqlite(dir: &Path, error: rusqlite::Error) -> Error {
    let Some(code) = error.sqlite_error_code() else {
        return Error::Store(format!("{}: {error}", dir.display()));
    };
    let why = match code {
        ErrorCode::DiskFull => return Error::Full,
        // A sync or a mapping that finds no space is told as a mere failure of the disk.
        ErrorCode::SystemIoFailure | ErrorCode::CannotOpen if is_full(dir) => return Error::Full,
        ErrorCode::DatabaseCorrupt => "the file is damaged",
        ErrorCode::NotADatabase => "the file is not a journal",
        ErrorCode::ReadOnly => "the file or its file system is read-only",
        ErrorCode::CannotOpen if is_read_only(dir) => "its file system is read-only",
        ErrorCode::PermissionDenied => "the file belongs to somebody else",
        ErrorCode::CannotOpen => "the file cannot be opened",
        ErrorCode::SystemIoFailure => "the disk does not answer as it should",
        ErrorCode::DatabaseBusy | ErrorCode::DatabaseLocked => "another process keeps it locked",
        _ => return Error::Store(format!("{}: {error}", dir.display())),
    };
    Error::Store(format!("{}: {why} ({error})", dir.join(super::FILE).display()))
}

/// Returns the journal's error for an error of the system about `path`.
#[expect(clippy::needless_pass_by_value, reason = "it is made for `map_err`")]
pub(super) fn system(path: &Path, error: io::Error) -> Error {
    match error.kind() {
        io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded => Error::Full,
        _ => Error::Store(format!("{}: {error}", path.display())),
    }
}

/// Tells whether an error says that the file itself is damaged.
pub(super) fn is_damage(error: &rusqlite::Error) -> bool {
    matches!(error.sqlite_error_code(), Some(ErrorCode::DatabaseCorrupt | ErrorCode::NotADatabase))
}

fn is_full(dir: &Path) -> bool {
    // Eight blocks are less than what an append with its shared memory needs.
    rustix::fs::statvfs(dir).is_ok_and(|stat| stat.f_bavail < 8)
}

fn is_read_only(dir: &Path) -> bool {
    rustix::fs::statvfs(dir).is_ok_and(|stat| stat.f_flag.contains(rustix::fs::StatVfsMountFlags::RDONLY))
}
