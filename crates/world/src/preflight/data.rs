//! Variables, files and backups. Values and contents are read here and go no further.

use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;
use std::time::UNIX_EPOCH;

use shipway_core::preflight::Seen;
use shipway_core::time::Time;

use super::{Eyes, failed, missing, unread};

/// How many directories deep backups may lie.
const DEEPEST: usize = 2;

pub(super) fn variable(eyes: &Eyes<'_>, name: &str, file: Option<&str>) -> Result<Seen, Seen> {
    let Some(file) = file else {
        let value = eyes.environment()?.get(name);
        return Ok(Seen::Variable { set: value.is_some(), empty: value.is_some_and(String::is_empty) });
    };
    let bytes = fs::read(eyes.path(file)?).map_err(|error| match unread(&error) {
        Seen::Missing { .. } => missing(format!("{file} is not there")),
        seen => seen,
    })?;
    let empty = is_empty(&String::from_utf8_lossy(&bytes), name);
    Ok(Seen::Variable { set: empty.is_some(), empty: empty == Some(true) })
}

/// Tells whether a file with variables sets one to nothing; none if it does not set it.
fn is_empty(text: &str, name: &str) -> Option<bool> {
    let mut found = None;
    for line in text.lines().map(str::trim) {
        let line = line.strip_prefix("export ").unwrap_or(line).trim_start();
        let Some((key, value)) = line.split_once('=') else { continue };
        if key.trim_end() == name {
            let value = value.trim();
            found = Some(matches!(value, "" | "\"\"" | "''"));
        }
    }
    found
}

pub(super) fn file(path: &Path) -> Seen {
    let found = match fs::metadata(path) {
        Ok(found) => found,
        Err(error) => return unread(&error),
    };
    let what = if found.is_file() {
        "file"
    } else if found.is_dir() {
        "directory"
    } else {
        "other"
    };
    let mode = found.permissions().mode() & 0o7777;
    Seen::File { what: what.into(), mode, empty: found.is_file() && found.len() == 0 }
}

pub(super) fn backup(dir: &Path) -> Seen {
    if dir.as_os_str().is_empty() {
        return failed("where backups lie is not configured");
    }
    if let Err(error) = fs::read_dir(dir) {
        return unread(&error);
    }
    let mut newest: Option<(Time, String, u64)> = None;
    collect(dir, DEEPEST, &mut newest);
    newest.map_or_else(
        || missing("there is no backup"),
        |(newest, name, bytes)| Seen::Backup { newest, name, bytes },
    )
}

fn collect(dir: &Path, depth: usize, newest: &mut Option<(Time, String, u64)>) {
    for entry in fs::read_dir(dir).into_iter().flatten().flatten() {
        let name = entry.file_name().to_string_lossy().into_owned();
        let Ok(found) = entry.metadata() else { continue };
        // Hidden files are half written, or no backups.
        if name.starts_with('.') {
            continue;
        }
        if found.is_dir() && depth > 0 {
            collect(&entry.path(), depth - 1, newest);
        }
        let since = found.modified().ok().and_then(|time| time.duration_since(UNIX_EPOCH).ok());
        let at = Time(since.and_then(|since| u64::try_from(since.as_millis()).ok()).unwrap_or(0));
        if found.is_file() && newest.as_ref().is_none_or(|(newest, ..)| at > *newest) {
            *newest = Some((at, name, found.len()));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_sets_a_variable_or_sets_it_to_nothing_or_does_not_set_it() {
        let text = "# KEY=x\nexport KEY=\"secret\"\nNONE=\nQUOTED=''\nKEYS=1\nLATER=1\nLATER=\n = 3\nBARE\n";
        for (name, expect) in [
            ("KEY", Some(false)),
            ("NONE", Some(true)),
            ("QUOTED", Some(true)),
            ("LATER", Some(true)),
            ("KE", None),
            ("BARE", None),
        ] {
            assert_eq!(is_empty(text, name), expect, "{name}");
        }
    }
}
