//! Files of `SQLite`, copied while others write to them.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;
use std::thread;
use std::time::Duration;

use rusqlite::backup::{Backup, StepResult};
use rusqlite::{Connection, ErrorCode, OpenFlags};
use shipway_core::backup::{Content, Made};
use shipway_core::problem::{Code, Problem};

use super::directory::compare;
use super::hand::{self, Hand};
use super::work::Work;

/// How many pages are copied between two looks at the clock.
const PAGES: i32 = 2048;
/// How long a writer is waited for at once.
const PATIENCE: Duration = Duration::from_secs(5);
/// What is counted: not the tables of `SQLite` itself, and not those that need a module that may not be here.
const TABLES: &str = "SELECT name FROM sqlite_schema WHERE type = 'table' AND name NOT LIKE 'sqlite\\_%' ESCAPE '\\' \
                      AND sql NOT LIKE 'CREATE VIRTUAL%' ORDER BY name";

/// Copies the file. Rows are counted in the very state that is copied: both happen in one read transaction.
pub(super) fn save(hand: &Hand<'_>, source: &Path, file: &Path) -> Result<Content, Problem> {
    if !source.is_file() {
        let what = format!("{} is not a file", source.display());
        return Err(Problem::new(Code::BackupFailed, what).at(format!("[backup.{}]", hand.spec.name)));
    }
    let copy = || -> Result<Result<Content, Problem>, rusqlite::Error> {
        let from = open(source)?;
        from.execute_batch("BEGIN")?;
        let counts = count(&from)?;
        let mut to = Connection::open(file)?;
        let backup = Backup::new(&from, &mut to)?;
        loop {
            if let Err(problem) = hand.check() {
                return Ok(Err(problem));
            }
            match backup.step(PAGES)? {
                StepResult::Done => break,
                StepResult::Busy | StepResult::Locked => thread::sleep(Duration::from_millis(10)),
                // More pages, or something that a newer SQLite says while it goes on.
                _ => {}
            }
        }
        Ok(Ok(Content { counts, ..Content::default() }))
    };
    copy().map_err(|error| problem(hand, &error, source, Code::BackupFailed))?
}

/// Restores a copy, lets `SQLite` check every page of it, compares the rows, and lets the project look at it.
pub(super) fn prove(hand: &Hand<'_>, file: &Path, work: &Work, made: &Made) -> Result<String, Problem> {
    let scratch = work.path("scratch.sqlite");
    restore(hand, file, &scratch, made)?;
    hand::verify(hand, &scratch.to_string_lossy(), &[])?;
    Ok(words(&made.content.counts))
}

/// Restores a copy and checks it.
pub(super) fn restore(hand: &Hand<'_>, file: &Path, to: &Path, made: &Made) -> Result<(), Problem> {
    fs::copy(file, to).map_err(|error| hand.io(&error, to))?;
    let look = || -> Result<(String, BTreeMap<String, u64>), rusqlite::Error> {
        let copy = Connection::open_with_flags(to, OpenFlags::SQLITE_OPEN_READ_WRITE)?;
        let sound = copy.query_row("PRAGMA integrity_check", [], |row| row.get(0))?;
        Ok((sound, count(&copy)?))
    };
    let (sound, counts) = look().map_err(|error| problem(hand, &error, to, Code::BackupBroken))?;
    if sound != "ok" {
        let what = format!("{} is not a sound database", made.file);
        return Err(Problem::new(Code::BackupBroken, what).found(sound));
    }
    compare(made, &Content { counts, ..Content::default() })
}

fn open(source: &Path) -> Result<Connection, rusqlite::Error> {
    let flags = OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let connection = Connection::open_with_flags(source, flags)?;
    connection.busy_timeout(PATIENCE)?;
    Ok(connection)
}

fn count(connection: &Connection) -> Result<BTreeMap<String, u64>, rusqlite::Error> {
    let mut tables = connection.prepare(TABLES)?;
    let names: Vec<String> = tables.query_map([], |row| row.get(0))?.collect::<Result<_, _>>()?;
    let of = |name: String| {
        let quoted = name.replace('"', "\"\"");
        let rows = connection
            .query_row(&format!("SELECT count(*) FROM \"{quoted}\""), [], |row| row.get::<_, i64>(0))?;
        Ok((name, rows.unsigned_abs()))
    };
    names.into_iter().map(of).collect()
}

/// Returns counts in words, such as `3 tables, 1200 rows`.
pub(super) fn words(counts: &BTreeMap<String, u64>) -> String {
    let plural = |count: u64, noun: &str| format!("{count} {noun}{}", if count == 1 { "" } else { "s" });
    format!("{}, {}", plural(counts.len() as u64, "table"), plural(counts.values().sum(), "row"))
}

fn problem(hand: &Hand<'_>, error: &rusqlite::Error, path: &Path, code: Code) -> Problem {
    let code = match error.sqlite_error_code() {
        Some(ErrorCode::DiskFull) => Code::DiskFull,
        _ => code,
    };
    Problem::new(code, format!("{}: {error}", path.display())).at(format!("backup {}", hand.spec.name))
}
