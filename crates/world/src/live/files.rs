//! Files that are whole or not there, also after a power cut.

use std::fs::{self, File, OpenOptions, Permissions};
use std::io::{self, Write};
use std::os::unix::fs::{OpenOptionsExt, PermissionsExt};
use std::path::Path;

use shipway_core::problem::{Code, Problem};

/// Returns the problem that a file or directory could not be read or written.
pub(super) fn problem(path: &Path, error: &io::Error) -> Problem {
    let full = error.kind() == io::ErrorKind::StorageFull;
    let code = if full { Code::DiskFull } else { Code::Io };
    Problem::new(code, format!("{} cannot be read or written", path.display())).found(error.to_string())
}

/// Makes a directory and those above it.
pub(super) fn directory(path: &Path) -> Result<(), Problem> {
    fs::create_dir_all(path).map_err(|error| problem(path, &error))
}

/// Makes a file hold some text with a mode, and tells whether it had to be written.
pub(super) fn write(path: &Path, text: &str, mode: u32) -> Result<bool, Problem> {
    write_file(path, text, mode).map_err(|error| problem(path, &error))
}

fn write_file(path: &Path, text: &str, mode: u32) -> io::Result<bool> {
    let same_mode = |file: &fs::Metadata| file.permissions().mode() & 0o7777 == mode;
    if fs::symlink_metadata(path).is_ok_and(|file| file.is_file() && same_mode(&file))
        && fs::read(path)? == text.as_bytes()
    {
        return Ok(false);
    }
    let dir = path.parent().ok_or(io::ErrorKind::InvalidInput)?;
    fs::create_dir_all(dir)?;
    let mut name = path.file_name().ok_or(io::ErrorKind::InvalidInput)?.to_owned();
    name.push(".shipway-new");
    let new = dir.join(name);
    // One that an earlier attempt left behind may have another mode.
    let _ = fs::remove_file(&new);
    let mut file = OpenOptions::new().write(true).create_new(true).mode(mode).open(&new)?;
    file.set_permissions(Permissions::from_mode(mode))?;
    file.write_all(text.as_bytes())?;
    file.sync_all()?;
    fs::rename(&new, path)?;
    sync(dir)?;
    Ok(true)
}

/// Removes a file, if it is there.
pub(super) fn remove(path: &Path) -> Result<(), Problem> {
    match fs::remove_file(path) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => Err(problem(path, &error)),
        Ok(()) | Err(_) => Ok(()),
    }
}

/// Removes a directory with all that is in it, if it is there.
pub(super) fn remove_all(path: &Path) -> Result<(), Problem> {
    match fs::remove_dir_all(path) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => Err(problem(path, &error)),
        Ok(()) | Err(_) => Ok(()),
    }
}

/// Returns the text of a file, or nothing when it is not there.
pub(super) fn read(path: &Path) -> Result<Option<String>, Problem> {
    match fs::read_to_string(path) {
        Ok(text) => Ok(Some(text)),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(problem(path, &error)),
    }
}

/// Makes sure that the names in a directory survive a power cut.
pub(super) fn sync(dir: &Path) -> io::Result<()> {
    File::open(dir)?.sync_all()
}

/// Returns the last lines of a file, without reading all of a long one.
pub(super) fn tail(path: &Path, lines: usize) -> Vec<String> {
    use std::io::{Read, Seek, SeekFrom};
    let read = || -> io::Result<Vec<u8>> {
        let mut file = File::open(path)?;
        let from = file.metadata()?.len().saturating_sub(64 * 1024);
        file.seek(SeekFrom::Start(from))?;
        let mut bytes = vec![];
        file.take(64 * 1024).read_to_end(&mut bytes)?;
        Ok(bytes)
    };
    let bytes = read().unwrap_or_default();
    let text = String::from_utf8_lossy(&bytes);
    let all: Vec<_> = text.lines().collect();
    all[all.len().saturating_sub(lines)..].iter().map(|line| (*line).to_owned()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_is_written_only_when_it_differs() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("a/b");
        assert!(write(&path, "one", 0o600).unwrap());
        assert!(!write(&path, "one", 0o600).unwrap());
        assert!(write(&path, "one", 0o644).unwrap());
        assert!(write(&path, "two", 0o644).unwrap());
        assert_eq!(read(&path).unwrap().as_deref(), Some("two"));
        assert_eq!(fs::read_dir(dir.path().join("a")).unwrap().count(), 1);
        remove(&path).unwrap();
        remove(&path).unwrap();
        assert_eq!(read(&path).unwrap(), None);
    }

    #[test]
    fn the_last_lines_of_a_long_file_are_found() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("log");
        let lines: Vec<_> = (0..50_000).map(|line| format!("line {line}")).collect();
        fs::write(&path, lines.join("\n")).unwrap();
        assert_eq!(tail(&path, 2), ["line 49998", "line 49999"]);
        assert_eq!(tail(&dir.path().join("none"), 2), Vec::<String>::new());
    }
}
