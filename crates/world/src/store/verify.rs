//! The proof of all chains in a file, and the walks that reading shares with it.

use rusqlite::{Connection, Row, params};
use shipway_core::id::{Fence, RunId, Seq};
use shipway_core::journal::{Entry, Error, RunHead};

use super::chain::{Walk, broken};
use super::sqlite::{SqliteJournal, Standing, count, int};
use super::{checkpoint, fault};

/// Proves every run and returns how many entries there are.
pub(super) fn all(journal: &SqliteJournal, connection: &Connection) -> Result<u64, Error> {
    let mut total = 0;
    for (run, standing) in standings(connection).map_err(|error| journal.fault(error))? {
        let mut walk = Walk::behind(&run, None);
        walk_on(journal, connection, &mut walk, &mut |_, _| total += 1)?;
        walk.finish(standing.head, standing.head_hash.as_bytes(), standing.fence)?;
    }
    refuse_strays(journal, connection)?;
    checkpoint::refuse_unlisted(journal, connection)?;
    Ok(total)
}

/// Proves the entries of a run from where a walk stands, and gives each with its stored text.
pub(super) fn walk_on(
    journal: &SqliteJournal,
    connection: &Connection,
    walk: &mut Walk<'_>,
    each: &mut dyn FnMut(Entry, &[u8]),
) -> Result<(), Error> {
    let run = walk.run();
    let fault = |next: u64, error: rusqlite::Error| {
        // Where the file is damaged, the entry that cannot be read is the broken one.
        if fault::is_damage(&error) {
            broken(run, next, format!("it cannot be read: {error}"))
        } else {
            journal.fault(error)
        }
    };
    let first = walk.next();
    let mut select = connection
        .prepare_cached("SELECT seq, hash, body FROM entry WHERE run = ?1 AND seq >= ?2 ORDER BY seq")
        .map_err(|error| fault(first, error))?;
    let mut rows = select.query(params![run.as_str(), int(first)]).map_err(|error| fault(first, error))?;
    loop {
        let next = walk.next();
        let Some(row) = rows.next().map_err(|error| fault(next, error))? else { return Ok(()) };
        let (seq, hash, body) = columns(row).map_err(|error| fault(next, error))?;
        let entry = walk.step(seq, hash, body)?;
        each(entry, body);
    }
}

fn columns<'row>(row: &'row Row<'_>) -> rusqlite::Result<(u64, &'row [u8], &'row [u8])> {
    Ok((count(row.get(0)?), row.get_ref(1)?.as_bytes()?, row.get_ref(2)?.as_bytes()?))
}

fn standings(connection: &Connection) -> rusqlite::Result<Vec<(RunId, Standing)>> {
    let mut select = connection.prepare("SELECT id, head, head_hash, fence FROM run ORDER BY id")?;
    let rows = select.query_map((), |row| {
        let id: String = row.get(0)?;
        let standing =
            Standing { head: count(row.get(1)?), head_hash: row.get(2)?, fence: Fence(count(row.get(3)?)) };
        Ok((RunId::new(id), standing))
    })?;
    rows.collect()
}

/// Refuses entries whose run is not there.
fn refuse_strays(journal: &SqliteJournal, connection: &Connection) -> Result<(), Error> {
    let strays = || {
        let mut select = connection.prepare(
            "SELECT run, seq FROM entry WHERE run NOT IN (SELECT id FROM run) ORDER BY run, seq LIMIT 1",
        )?;
        let mut rows = select.query(())?;
        rows.next()?.map(|row| Ok((row.get::<_, String>(0)?, count(row.get(1)?)))).transpose()
    };
    match strays().map_err(|error| journal.fault(error))? {
        Some((run, seq)) => Err(broken(&RunId::new(run), seq, "its run is not in the list of runs")),
        None => Ok(()),
    }
}

/// Returns the first and the last entry of every run that has entries.
pub(super) fn heads(journal: &SqliteJournal, connection: &Connection) -> Result<Vec<RunHead>, Error> {
    let fault = |error| journal.fault(error);
    let mut select = connection
        .prepare_cached(
            "SELECT run.id, run.head, opened.body, last.body FROM run
             LEFT JOIN entry AS opened ON opened.run = run.id AND opened.seq = 1
             LEFT JOIN entry AS last ON last.run = run.id AND last.seq = run.head
             WHERE run.head > 0",
        )
        .map_err(fault)?;
    let mut rows = select.query(()).map_err(fault)?;
    let mut heads = vec![];
    while let Some(row) = rows.next().map_err(fault)? {
        let run = RunId::new(row.get::<_, String>(0).map_err(fault)?);
        let head = count(row.get(1).map_err(fault)?);
        let opened = entry(journal, row, 2, &run, 1)?;
        let last = if head == 1 { opened.clone() } else { entry(journal, row, 3, &run, head)? };
        heads.push(RunHead { run, opened, last });
    }
    Ok(heads)
}

fn entry(
    journal: &SqliteJournal,
    row: &Row<'_>,
    column: usize,
    run: &RunId,
    seq: u64,
) -> Result<Entry, Error> {
    let stored = row.get_ref(column).map_err(|error| journal.fault(error))?;
    let body = stored.as_bytes().map_err(|_| broken(run, seq, "it is missing"))?;
    let entry: Entry = serde_json::from_slice(body)
        .map_err(|error| broken(run, seq, format!("its text is no entry: {error}")))?;
    if entry.run != *run || entry.seq != Seq(seq) {
        return Err(broken(run, seq, "it was moved here"));
    }
    Ok(entry)
}

#[cfg(test)]
mod tests {
    use std::fs;

    use shipway_core::journal::Journal;
    use tempfile::TempDir;

    use super::super::{FILE, sample};
    use super::*;

    /// Breaks a journal of a healthy run `b` and of a run `a` with five entries, and expects the broken entry of `a`.
    fn check(sql: &str, seq: u64, why: &str) {
        let dir = TempDir::new().unwrap();
        let journal = sample::open(dir.path());
        sample::fill(&journal, "a", 5);
        sample::fill(&journal, "b", 3);
        assert_eq!(journal.verify().unwrap(), 8);
        sample::raw(dir.path()).execute_batch(sql).unwrap();
        refuses(&journal, seq, why);
        refuses(&sample::open(dir.path()), seq, why);
    }

    fn refuses(journal: &SqliteJournal, seq: u64, why: &str) {
        match journal.verify() {
            Err(Error::Corrupt { run, seq: found, why: text }) => {
                assert_eq!((run.as_str(), found.0), ("a", seq), "{text}");
                assert!(text.contains(why), "{text}");
            }
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn a_changed_text_is_named() {
        let hash = "its text was changed: its hash";
        check("UPDATE entry SET body = replace(body, 'a/3', 'a/x') WHERE run = 'a' AND seq = 3", 3, hash);
        check("UPDATE entry SET body = replace(body, 'T00:', 'T01:') WHERE run = 'a' AND seq = 2", 2, hash);
        check("UPDATE entry SET body = body || ' ' WHERE run = 'a' AND seq = 1", 1, hash);
        check(
            "UPDATE entry SET hash = replace(hash, substr(hash, 1, 1), 'z') WHERE run = 'a' AND seq = 4",
            4,
            hash,
        );
        check("UPDATE entry SET body = CAST(x'ff' AS TEXT) WHERE run = 'a' AND seq = 5", 5, "not UTF-8");
    }

    #[test]
    fn a_missing_entry_is_named() {
        check("DELETE FROM entry WHERE run = 'a' AND seq = 3", 3, "it is missing");
        check("DELETE FROM entry WHERE run = 'a' AND seq = 1", 1, "it is missing");
        check("DELETE FROM entry WHERE run = 'a' AND seq >= 4", 4, "it is missing");
        check("DELETE FROM entry WHERE run = 'a'", 1, "it is missing");
    }

    #[test]
    fn a_moved_entry_is_named() {
        let swap = "UPDATE entry SET seq = 99 WHERE run = 'a' AND seq = 2;
                    UPDATE entry SET seq = 2 WHERE run = 'a' AND seq = 3;
                    UPDATE entry SET seq = 3 WHERE run = 'a' AND seq = 99;";
        check(swap, 2, "it was moved here: it is entry 3 of run a");
        let graft =
            "UPDATE entry SET (hash, body) = (SELECT hash, body FROM entry WHERE run = 'b' AND seq = 2)
                     WHERE run = 'a' AND seq = 2";
        check(graft, 2, "it is entry 2 of run b");
    }

    #[test]
    fn a_run_that_ends_elsewhere_is_named() {
        check("UPDATE run SET head = 4 WHERE id = 'a'", 5, "behind the end of its run");
        check("UPDATE run SET head_hash = 'x' WHERE id = 'a'", 5, "hash at the end");
        check("UPDATE run SET fence = 0 WHERE id = 'a'", 5, "lease that was never given");
        check("DELETE FROM run WHERE id = 'a'", 1, "its run is not in the list");
        let cut = "DELETE FROM entry WHERE run = 'a' AND seq = 5; UPDATE run SET head = 4 WHERE id = 'a'";
        check(cut, 4, "hash at the end");
    }

    #[test]
    fn a_forged_text_with_its_own_hash_breaks_the_entry_behind_it() {
        let dir = TempDir::new().unwrap();
        let journal = sample::open(dir.path());
        sample::fill(&journal, "a", 5);
        let raw = sample::raw(dir.path());
        let select = "SELECT body FROM entry WHERE seq = 2";
        let forged: String = raw.query_one(select, (), |row| row.get(0)).unwrap();
        let forged = forged.replace("a/2", "a/9");
        let hash = shipway_core::journal::link(&forged);
        raw.execute("UPDATE entry SET body = ?1, hash = ?2 WHERE seq = 2", [&forged, hash.as_str()]).unwrap();
        refuses(&journal, 3, "does not continue the entry in front of it");
        assert!(matches!(journal.read(&RunId::new("a"), None), Err(Error::Corrupt { seq: Seq(3), .. })));
    }

    #[test]
    fn one_flipped_bit_on_disk_is_named() {
        let dir = TempDir::new().unwrap();
        sample::fill(&sample::open(dir.path()), "a", 5);
        let file = dir.path().join(FILE);
        let mut bytes = fs::read(&file).unwrap();
        let at = bytes.windows(5).position(|window| window == b"\"a/4\"").unwrap();
        bytes[at + 3] ^= 1;
        fs::write(&file, bytes).unwrap();
        refuses(&sample::open(dir.path()), 4, "its text was changed");
    }
}
