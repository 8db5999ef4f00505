//! Files of `SQLite`.

use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::thread;

use rusqlite::Connection;

use super::*;

fn sqlite(file: &str) -> Spec {
    spec(What::Sqlite { file: file.into() })
}

fn database(site: &Site, journal: &str) -> Connection {
    let connection = Connection::open(site.path("app.db")).unwrap();
    connection.busy_timeout(std::time::Duration::from_mins(1)).unwrap();
    connection.query_row(&format!("PRAGMA journal_mode = {journal}"), [], |_| Ok(())).unwrap();
    let tables = "PRAGMA synchronous = off; CREATE TABLE debit (n); CREATE TABLE credit (n, text);
                  CREATE TABLE \"odd \"\" name\" (x); INSERT INTO \"odd \"\" name\" VALUES (1), (2);
                  CREATE VIRTUAL TABLE words USING fts5(word); INSERT INTO words VALUES ('harbour');
                  CREATE INDEX by_text ON credit (text);";
    connection.execute_batch(tables).unwrap();
    connection
}

fn rows(path: &Path, table: &str) -> u64 {
    let connection = Connection::open(path).unwrap();
    let count =
        connection.query_row(&format!("SELECT count(*) FROM {table}"), [], |row| row.get::<_, i64>(0));
    count.unwrap().unsigned_abs()
}

/// Saves a database while a thread writes to two tables in one transaction each time.
fn check_in_use(journal: &str) {
    let site = Site::new();
    let connection = database(&site, journal);
    let (done, written) = (AtomicBool::new(false), AtomicU64::new(0));
    let write = || {
        connection
            .execute_batch(
                "BEGIN IMMEDIATE; INSERT INTO debit VALUES (1);
                 INSERT INTO credit VALUES (1, hex(randomblob(2000))); COMMIT",
            )
            .unwrap();
        written.fetch_add(1, Ordering::SeqCst);
    };
    for _ in 0..200 {
        write();
    }
    let spec = sqlite("app.db");
    let (site, spec, written, done) = (&site, &spec, &written, &done);
    let made: Vec<Made> = thread::scope(|scope| {
        let saver = scope.spawn(move || {
            let made = (0..5).map(|_| {
                let before = written.load(Ordering::SeqCst);
                let made = site.make(spec);
                while written.load(Ordering::SeqCst) == before {
                    thread::yield_now();
                }
                made
            });
            let made = made.collect::<Result<_, _>>();
            done.store(true, Ordering::SeqCst);
            made.unwrap()
        });
        while !done.load(Ordering::SeqCst) {
            write();
        }
        saver.join().unwrap()
    });
    for (at, made) in made.iter().enumerate() {
        assert_eq!(made.content.counts["debit"], made.content.counts["credit"], "one state, not two");
        assert_eq!(made.content.counts["odd \" name"], 2);
        site.verify(spec, made).unwrap();
        let into = format!("again{at}.db");
        site.restore(spec, made, &into).unwrap();
        assert_eq!(rows(&site.path(&into), "debit"), made.content.counts["debit"]);
        assert_eq!(rows(&site.path(&into), "words"), 1);
    }
    let first = made[0].content.counts["debit"];
    assert!((200..made[4].content.counts["debit"]).contains(&first), "it was in use all the time");
    assert_eq!(code(site.restore(spec, &made[0], "app.db")), Code::BackupInPlace);
    assert_eq!(code(site.restore(spec, &made[0], "again0.db")), Code::BackupInPlace);
}

#[test]
fn a_database_in_use_is_saved_in_one_state() {
    check_in_use("wal");
    check_in_use("delete");
}

#[test]
fn rows_that_are_missing_are_seen() {
    let site = Site::new();
    database(&site, "wal").execute_batch("INSERT INTO debit VALUES (1), (2)").unwrap();
    let spec = sqlite("app.db");
    let mut made = site.make(&spec).unwrap();
    assert_eq!(site.verify(&spec, &made).unwrap().what, "8 tables, 11 rows");
    made.content.counts.insert("debit".into(), 3);
    let problem = site.verify(&spec, &made).unwrap_err();
    assert_eq!((problem.code, problem.details), (Code::BackupBroken, vec!["debit: 3 → 2".to_owned()]));
}

#[test]
fn a_database_that_was_broken_when_it_was_saved_is_seen() {
    let site = Site::new();
    let connection = database(&site, "delete");
    let fill = "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 500)
                INSERT INTO credit SELECT i, hex(randomblob(20)) FROM n";
    connection.execute_batch(fill).unwrap();
    // The index says what the table does not: SQLite counts rows in either, and only a check compares them.
    let broken = "PRAGMA writable_schema = on; CREATE TABLE other (n, text); CREATE INDEX of_other ON other (text);
                  UPDATE sqlite_schema SET rootpage = (SELECT rootpage FROM sqlite_schema WHERE name = 'of_other')
                  WHERE name = 'by_text';
                  UPDATE sqlite_schema SET rootpage = 0, sql = NULL, name = 'gone', type = 'gone' WHERE name = 'of_other';
                  DELETE FROM sqlite_schema WHERE name = 'gone'; PRAGMA writable_schema = off";
    connection.execute_batch(broken).unwrap();
    drop(connection);
    let spec = sqlite("app.db");
    match site.make(&spec) {
        Err(problem) => assert_eq!(problem.code, Code::BackupFailed),
        Ok(made) => assert_eq!(code(site.verify(&spec, &made)), Code::BackupBroken),
    }
    site.file("no.db", vec![b'x'; 9000]);
    assert_eq!(code(site.make(&sqlite("no.db"))), Code::BackupFailed);
    assert_eq!(code(site.make(&sqlite("missing.db"))), Code::BackupFailed);
    assert!(!site.path("missing.db").exists(), "looking makes no database");
}

#[test]
fn a_verify_command_sees_the_restored_file() {
    let site = Site::new();
    database(&site, "wal").execute_batch("INSERT INTO debit VALUES (1)").unwrap();
    let mut spec = sqlite("app.db");
    let made = site.make(&spec).unwrap();
    spec.verify = [sh("head -c 15 \"$0\" | grep -q 'SQLite format 3'"), vec!["{scratch}".into()]].concat();
    site.verify(&spec, &made).unwrap();
    spec.verify = sh("echo the balance is wrong; exit 1");
    let problem = site.verify(&spec, &made).unwrap_err();
    assert_eq!(
        (problem.code, &*problem.details),
        (Code::BackupRefused, &["the balance is wrong".to_owned()][..])
    );
    assert_eq!(site.names().len(), 2, "nothing of the scratch place is left");
}
