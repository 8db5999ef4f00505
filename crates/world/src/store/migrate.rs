//! The forms of the journal on disk, and the way from an older one to the newest.
//!
//! A form that was released is never edited: a change is a further form. The texts of the entries are not touched by
//! any form, because the chain is over them.

use std::path::Path;

use rusqlite::{Connection, TransactionBehavior};
use shipway_core::journal::Error;

use super::fault;

/// The newest form this shipway knows.
pub const FORM: u32 = {
    assert!(STEPS.len() == 3);
    3
};

/// What leads to each form from the one before it.
const STEPS: &[&str] = &[
    // 1: the runs and their entries.
    "CREATE TABLE run (
         id        TEXT NOT NULL PRIMARY KEY,
         head      INTEGER NOT NULL,
         head_hash TEXT NOT NULL,
         fence     INTEGER NOT NULL
     ) STRICT, WITHOUT ROWID;
     CREATE TABLE entry (
         run  TEXT NOT NULL REFERENCES run (id),
         seq  INTEGER NOT NULL,
         hash TEXT NOT NULL,
         body TEXT NOT NULL,
         PRIMARY KEY (run, seq)
     ) STRICT, WITHOUT ROWID;",
    // 2: the file itself refuses what no shipway does, so that a stray statement cannot break the chain.
    "CREATE TRIGGER entry_not_changed BEFORE UPDATE ON entry
         BEGIN SELECT RAISE(ABORT, 'the journal is only appended to'); END;
     CREATE TRIGGER entry_not_removed BEFORE DELETE ON entry
         BEGIN SELECT RAISE(ABORT, 'the journal is only appended to'); END;
     CREATE TRIGGER run_not_removed BEFORE DELETE ON run
         BEGIN SELECT RAISE(ABORT, 'the journal is only appended to'); END;
     CREATE TRIGGER run_not_cut BEFORE UPDATE ON run
         WHEN new.id <> old.id OR new.head < old.head OR new.fence < old.fence
         BEGIN SELECT RAISE(ABORT, 'the journal is only appended to'); END;",
    // 3: the order in which the entries of all runs came, so that there is one list for checkpoints to be about. What
    // came before this form is put in some order once and for ever.
    "CREATE TABLE leaf (
         n   INTEGER NOT NULL PRIMARY KEY,
         run TEXT NOT NULL,
         seq INTEGER NOT NULL,
         UNIQUE (run, seq)
     ) STRICT;
     INSERT INTO leaf (run, seq) SELECT run, seq FROM entry ORDER BY run, seq;
     CREATE TRIGGER entry_has_leaf AFTER INSERT ON entry
         BEGIN INSERT INTO leaf (run, seq) VALUES (new.run, new.seq); END;
     CREATE TRIGGER leaf_not_changed BEFORE UPDATE ON leaf
         BEGIN SELECT RAISE(ABORT, 'the journal is only appended to'); END;
     CREATE TRIGGER leaf_not_removed BEFORE DELETE ON leaf
         BEGIN SELECT RAISE(ABORT, 'the journal is only appended to'); END;",
];

/// Returns the form of an open journal; 0 for an empty file.
pub(super) fn form(connection: &Connection) -> rusqlite::Result<u32> {
    connection.query_one("PRAGMA user_version", (), |row| row.get(0))
}

/// Refuses a form that only a newer shipway knows.
pub(super) fn refuse_newer(found: u32) -> Result<(), Error> {
    if found > FORM { Err(Error::Newer { found, known: FORM }) } else { Ok(()) }
}

/// Brings a journal of any known form to the newest one, as one unit.
pub(super) fn migrate(dir: &Path, connection: &mut Connection) -> Result<(), Error> {
    if form(connection).map_err(|error| fault::sqlite(dir, error))? == FORM {
        return Ok(());
    }
    let fault = |error| fault::sqlite(dir, error);
    let transaction = connection.transaction_with_behavior(TransactionBehavior::Immediate).map_err(fault)?;
    // Another process may have migrated while this one waited for the lock.
    let found = form(&transaction).map_err(fault)?;
    refuse_newer(found)?;
    for step in STEPS.iter().skip(found as usize) {
        transaction.execute_batch(step).map_err(fault)?;
    }
    transaction.pragma_update(None, "user_version", FORM).map_err(fault)?;
    transaction.commit().map_err(fault)
}

/// Makes a journal of an older form.
#[cfg(test)]
pub(super) fn make(connection: &Connection, form: u32) {
    for step in &STEPS[..form as usize] {
        connection.execute_batch(step).unwrap();
    }
    connection.pragma_update(None, "user_version", form).unwrap();
}
