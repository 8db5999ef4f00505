//! Opening journals of every age, mode and state.

use std::collections::BTreeMap;

use shipway_core::id::RunId;
use shipway_core::journal::Journal;
use tempfile::TempDir;

use super::super::{FORM, SqliteJournal, sample};
use super::*;

fn mode(path: &Path) -> u32 {
    fs::metadata(path).unwrap().permissions().mode() & 0o777
}

fn files(dir: &Path) -> BTreeMap<PathBuf, Vec<u8>> {
    let files = fs::read_dir(dir).unwrap().map(|file| file.unwrap().path());
    // The shared memory of the processes is an index that any of them makes anew.
    let kept = files.filter(|path| !path.to_string_lossy().ends_with("-shm"));
    kept.map(|path| (path.clone(), fs::read(path).unwrap())).filter(|(_, bytes)| !bytes.is_empty()).collect()
}

#[test]
fn a_journal_belongs_to_its_owner_only() {
    let dir = TempDir::new().unwrap();
    let home = dir.path().join("git/shipway");
    let journal = sample::open(&home);
    sample::fill(&journal, "a", 1);
    assert_eq!(mode(&home), 0o700);
    for name in ["journal.db", "journal.db-wal", "journal.db-shm"] {
        assert_eq!(mode(&home.join(name)), 0o600, "{name}");
    }
    drop(journal);
    fs::set_permissions(home.join(FILE), Permissions::from_mode(0o644)).unwrap();
    sample::open(&home);
    assert_eq!(mode(&home.join(FILE)), 0o600);
}

#[test]
fn entries_outlive_the_process_and_another_connection_sees_them() {
    let dir = TempDir::new().unwrap();
    let journal = sample::open(dir.path());
    let mut entries = sample::fill(&journal, "a", 3);
    let run = RunId::new("a");
    assert_eq!(SqliteJournal::open_read_only(dir.path()).unwrap().read(&run, None).unwrap(), entries);
    drop(journal);
    let journal = sample::open(dir.path());
    entries.extend(sample::fill(&journal, "a", 2));
    assert_eq!(journal.read(&run, None).unwrap(), entries);
    assert_eq!(journal.verify().unwrap(), 5);
}

#[test]
fn a_missing_journal_reads_as_empty_and_is_not_made() {
    let dir = TempDir::new().unwrap();
    let home = dir.path().join("shipway");
    let journal = SqliteJournal::open_read_only(&home).unwrap();
    assert!(journal.runs().unwrap().is_empty());
    assert!(journal.read(&RunId::new("a"), None).unwrap().is_empty());
    assert_eq!(journal.verify().unwrap(), 0);
    assert!(!journal.durability().proven);
    assert!(
        matches!(journal.lease(&RunId::new("a")), Err(Error::Store(why)) if why.contains("reading only"))
    );
    assert!(!home.exists());
}

#[test]
fn a_newer_journal_is_refused_and_stays_as_it_is() {
    let dir = TempDir::new().unwrap();
    sample::fill(&sample::open(dir.path()), "a", 3);
    let refused = |what: &str| {
        let before = files(dir.path());
        let newer = |result| matches!(result, Err(Error::Newer { found: 99, known: FORM }));
        assert!(newer(SqliteJournal::open(dir.path(), Options::default()).map(drop)), "{what}");
        assert!(newer(SqliteJournal::open_read_only(dir.path()).map(drop)), "{what}");
        assert_eq!(files(dir.path()), before, "{what}");
    };
    let other = Connection::open(dir.path().join(FILE)).unwrap();
    other.set_db_config(DbConfig::SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, true).unwrap();
    other.pragma_update(None, "user_version", 99).unwrap();
    refused("while another process has it open");
    drop(other);
    refused("with the form in the write-ahead log");
    Connection::open(dir.path().join(FILE))
        .unwrap()
        .execute_batch("PRAGMA wal_checkpoint(TRUNCATE)")
        .unwrap();
    refused("with the form in the file");
}

#[test]
fn an_older_journal_is_migrated_and_keeps_its_entries() {
    for form in 0..FORM {
        let dir = TempDir::new().unwrap();
        let newest = TempDir::new().unwrap();
        let entries = sample::fill(&sample::open(newest.path()), "a", 4);
        migrate::make(&Connection::open(dir.path().join(FILE)).unwrap(), form);
        if form > 0 {
            let raw = Connection::open(dir.path().join(FILE)).unwrap();
            raw.execute("ATTACH ?1 AS newest", [newest.path().join(FILE).to_str().unwrap()]).unwrap();
            raw.execute_batch(
                "INSERT INTO run SELECT * FROM newest.run; INSERT INTO entry SELECT * FROM newest.entry",
            )
            .unwrap();
        }
        let expected = if form > 0 { entries } else { vec![] };
        let read = |journal: &SqliteJournal| journal.read(&RunId::new("a"), None).unwrap();
        assert_eq!(read(&SqliteJournal::open_read_only(dir.path()).unwrap()), expected);
        let journal = sample::open(dir.path());
        assert_eq!(migrate::form(&journal.lock()).unwrap(), FORM);
        assert_eq!(read(&journal), expected);
        assert_eq!(journal.verify().unwrap(), expected.len() as u64);
        sample::fill(&journal, "a", 1);
    }
}

#[test]
fn the_file_itself_refuses_to_forget() {
    let dir = TempDir::new().unwrap();
    sample::fill(&sample::open(dir.path()), "a", 2);
    let raw = Connection::open(dir.path().join(FILE)).unwrap();
    for sql in [
        "DELETE FROM entry",
        "UPDATE entry SET body = ''",
        "DELETE FROM run",
        "UPDATE run SET head = 1",
        "UPDATE run SET fence = 0",
    ] {
        let error = raw.execute(sql, ()).unwrap_err().to_string();
        assert!(error.contains("only appended to"), "{sql}: {error}");
    }
}

#[test]
fn many_may_open_a_new_journal_at_once() {
    let dir = TempDir::new().unwrap();
    std::thread::scope(|scope| {
        for number in 0..8 {
            let dir = dir.path();
            scope.spawn(move || sample::fill(&sample::open(dir), &format!("run{number}"), 3));
        }
    });
    assert_eq!(sample::open(dir.path()).verify().unwrap(), 24);
}

#[test]
fn what_is_no_journal_is_said_to_be_none() {
    let dir = TempDir::new().unwrap();
    fs::write(dir.path().join(FILE), [b'x'; 4096]).unwrap();
    let said = |result: Result<SqliteJournal, Error>| {
        assert!(matches!(result, Err(Error::Store(why)) if why.contains("not a journal")));
    };
    said(SqliteJournal::open(dir.path(), Options::default()));
    said(SqliteJournal::open_read_only(dir.path()));
    fs::write(dir.path().join("file"), "").unwrap();
    let inside = SqliteJournal::open(&dir.path().join("file/shipway"), Options::default());
    assert!(matches!(inside, Err(Error::Store(why)) if why.contains("file/shipway")));
}

#[test]
fn an_address_hides_nothing_of_a_path() {
    assert_eq!(immutable(Path::new("/a b/ü?#%/j.db")), "file:/a%20b/%C3%BC%3F%23%25/j.db?immutable=1");
}

#[test]
fn the_settings_are_read_back() {
    let dir = TempDir::new().unwrap();
    let how = sample::open(dir.path()).durability().how;
    assert!(how.starts_with("wal, synchronous full, "), "{how}");
}
