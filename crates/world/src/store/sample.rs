//! Journals to test with.

use std::path::Path;

use rusqlite::Connection;
use shipway_core::id::{Actor, ActorKind, RunId, StepId};
use shipway_core::journal::{Draft, Entry, Event, Journal};
use shipway_core::time::Time;

use super::{FILE, Options, SqliteJournal};

/// Returns a draft that carries a word to be found again.
pub(super) fn draft(at: u64, word: &str) -> Draft {
    Draft {
        at: Time(at),
        by: Actor { kind: ActorKind::Human, name: "Jane Doe".into(), host: "desk".into() },
        attempt: 1,
        event: Event::Started { step: StepId::new(word) },
    }
}

/// Appends `count` entries, one at a time, whose steps are `RUN/1`, `RUN/2` and so on.
pub(super) fn fill(journal: &dyn Journal, run: &str, count: u64) -> Vec<Entry> {
    let run = RunId::new(run);
    let lease = journal.lease(&run).unwrap();
    let mut after = lease.head;
    let mut entries = vec![];
    for number in 1..=count {
        let draft = draft(1_000_000 + number, &format!("{run}/{number}"));
        entries.extend(journal.append(&run, lease.fence, after, &[draft]).unwrap());
        after = entries.last().map(|entry| entry.seq);
    }
    entries
}

/// Opens the journal in a directory.
pub(super) fn open(dir: &Path) -> SqliteJournal {
    SqliteJournal::open(dir, Options::default()).unwrap()
}

/// Opens the file of a journal past all its safeguards.
pub(super) fn raw(dir: &Path) -> Connection {
    let connection = Connection::open(dir.join(FILE)).unwrap();
    connection
        .execute_batch(
            "PRAGMA foreign_keys = OFF;
             DROP TRIGGER IF EXISTS entry_not_changed; DROP TRIGGER IF EXISTS entry_not_removed;
             DROP TRIGGER IF EXISTS run_not_removed; DROP TRIGGER IF EXISTS run_not_cut;
             DROP TRIGGER IF EXISTS leaf_not_changed; DROP TRIGGER IF EXISTS leaf_not_removed;",
        )
        .unwrap();
    connection
}
