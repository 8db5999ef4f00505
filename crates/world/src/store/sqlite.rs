//! The journal on disk: one `SQLite` file, an append is one durable transaction.

use std::path::{Path, PathBuf};
use std::sync::{Mutex, MutexGuard, PoisonError};

use rusqlite::{Connection, OptionalExtension, Transaction, TransactionBehavior, params};
use shipway_core::id::{Digest, Fence, RunId, Seq};
use shipway_core::journal::{Draft, Durability, Entry, Error, GENESIS, Journal, Lease, RunHead};

use super::chain::{self, Sealed, Tip, Walk};
use super::{Options, durability, fault, migrate, open, verify};

/// The journal in a file. Other processes may read and append at the same time.
#[derive(Debug)]
pub struct SqliteJournal {
    connection: Mutex<Connection>,
    dir: PathBuf,
    access: Access,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Access {
    Write,
    Read,
    // There is no file: the journal reads as empty.
    Absent,
}

/// What a store knows of a run besides its entries.
pub(super) struct Standing {
    pub(super) head: u64,
    pub(super) head_hash: String,
    pub(super) fence: Fence,
}

impl SqliteJournal {
    /// Opens the journal in a directory, which is created with it, for its owner only.
    ///
    /// An older form is migrated as one unit; a newer one is [`Error::Newer`] and stays as it is.
    pub fn open(dir: &Path, options: Options) -> Result<Self, Error> {
        let connection = open::writable(dir, options)?;
        Ok(Self::new(connection, dir, Access::Write))
    }

    /// Opens the journal in a directory for reading only; it may lie where nothing can be written.
    ///
    /// A journal that is not there reads as empty, and an older form is read without being migrated.
    pub fn open_read_only(dir: &Path) -> Result<Self, Error> {
        if let Some(connection) = open::readable(dir, Options::default())? {
            return Ok(Self::new(connection, dir, Access::Read));
        }
        let fault = |error| fault::sqlite(dir, error);
        let mut connection = Connection::open_in_memory().map_err(fault)?;
        migrate::migrate(dir, &mut connection)?;
        Ok(Self::new(connection, dir, Access::Absent))
    }

    fn new(connection: Connection, dir: &Path, access: Access) -> Self {
        Self { connection: Mutex::new(connection), dir: dir.to_owned(), access }
    }

    pub(super) fn lock(&self) -> MutexGuard<'_, Connection> {
        // A panic cannot leave half a transaction: it was rolled back when it was dropped.
        self.connection.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn fault(&self, error: rusqlite::Error) -> Error {
        fault::sqlite(&self.dir, error)
    }

    /// Begins a transaction that sees one state of the journal.
    pub(super) fn look<'a>(&self, connection: &'a mut Connection) -> Result<Transaction<'a>, Error> {
        connection.transaction_with_behavior(TransactionBehavior::Deferred).map_err(|e| self.fault(e))
    }

    /// Begins a transaction that nobody else can write beside.
    pub(super) fn change<'a>(&self, connection: &'a mut Connection) -> Result<Transaction<'a>, Error> {
        if self.access != Access::Write {
            return Err(Error::Store(format!("{}: it was opened for reading only", self.dir.display())));
        }
        connection.transaction_with_behavior(TransactionBehavior::Immediate).map_err(|e| self.fault(e))
    }

    fn tip(&self, connection: &Connection, run: &RunId, standing: &Standing) -> Result<Tip, Error> {
        if standing.head == 0 {
            return Ok(Tip::genesis());
        }
        let body = connection
            .prepare_cached("SELECT body FROM entry WHERE run = ?1 AND seq = ?2")
            .and_then(|mut select| {
                let row = params![run.as_str(), int(standing.head)];
                select
                    .query_one(row, |row| row.get_ref(0)?.as_bytes().map(<[u8]>::to_vec).map_err(Into::into))
                    .optional()
            })
            .map_err(|error| self.fault(error))?
            .ok_or_else(|| chain::broken(run, standing.head, "it is missing"))?;
        let at = chain::time_of(run, standing.head, &body)?;
        Ok(Tip { head: standing.head, hash: Digest::new(standing.head_hash.clone()), at })
    }
}

impl Journal for SqliteJournal {
    fn lease(&self, run: &RunId) -> Result<Lease, Error> {
        let mut connection = self.lock();
        let transaction = self.change(&mut connection)?;
        let lease = give_lease(&transaction, run).map_err(|error| self.fault(error))?;
        transaction.commit().map_err(|error| self.fault(error))?;
        Ok(lease)
    }

    fn append(
        &self,
        run: &RunId,
        fence: Fence,
        after: Option<Seq>,
        drafts: &[Draft],
    ) -> Result<Vec<Entry>, Error> {
        let mut connection = self.lock();
        let transaction = self.change(&mut connection)?;
        let standing = standing(&transaction, run).map_err(|error| self.fault(error))?;
        let standing = standing.unwrap_or_else(Standing::unknown);
        if let Some(refusal) = chain::refusal(run, fence, standing.fence, after, standing.head) {
            return Err(refusal);
        }
        let mut tip = self.tip(&transaction, run, &standing)?;
        let sealed = chain::seal(run, fence, &mut tip, drafts)?;
        let moved = advance(&transaction, run, &standing, &tip).map_err(|error| self.fault(error))?;
        if !moved {
            return Err(Error::Conflict { run: run.clone() });
        }
        insert(&transaction, &sealed).map_err(|error| self.fault(error))?;
        transaction.commit().map_err(|error| self.fault(error))?;
        Ok(sealed.into_iter().map(|sealed| sealed.entry).collect())
    }

    fn read(&self, run: &RunId, after: Option<Seq>) -> Result<Vec<Entry>, Error> {
        let mut connection = self.lock();
        let transaction = self.look(&mut connection)?;
        let Some(standing) = standing(&transaction, run).map_err(|error| self.fault(error))? else {
            return Ok(vec![]);
        };
        if after.is_some_and(|after| after.0 >= standing.head) {
            return Ok(vec![]);
        }
        let mut entries = vec![];
        let mut walk = Walk::behind(run, after);
        verify::walk_on(self, &transaction, &mut walk, &mut |entry, _| entries.push(entry))?;
        walk.finish(standing.head, standing.head_hash.as_bytes(), standing.fence)?;
        Ok(entries)
    }

    fn runs(&self) -> Result<Vec<RunHead>, Error> {
        let mut connection = self.lock();
        let transaction = self.look(&mut connection)?;
        let mut runs = verify::heads(self, &transaction)?;
        runs.sort_by(|a, b| (a.opened.at, &a.run).cmp(&(b.opened.at, &b.run)));
        Ok(runs)
    }

    fn verify(&self) -> Result<u64, Error> {
        let mut connection = self.lock();
        let transaction = self.look(&mut connection)?;
        verify::all(self, &transaction)
    }

    fn durability(&self) -> Durability {
        match self.access {
            Access::Absent => durability::of_nothing(&self.dir),
            Access::Write | Access::Read => durability::of_file(&self.lock(), &self.dir),
        }
    }
}

impl Standing {
    /// Returns the standing of a run that nobody took a lease of.
    fn unknown() -> Self {
        Self { head: 0, head_hash: GENESIS.to_owned(), fence: Fence(0) }
    }
}

/// Returns what is known of a run, if anything is.
pub(super) fn standing(connection: &Connection, run: &RunId) -> rusqlite::Result<Option<Standing>> {
    connection
        .prepare_cached("SELECT head, head_hash, fence FROM run WHERE id = ?1")?
        .query_one([run.as_str()], |row| {
            Ok(Standing {
                head: count(row.get(0)?),
                head_hash: row.get(1)?,
                fence: Fence(count(row.get(2)?)),
            })
        })
        .optional()
}

fn give_lease(transaction: &Transaction<'_>, run: &RunId) -> rusqlite::Result<Lease> {
    transaction
        .prepare_cached(
            "INSERT INTO run (id, head, head_hash, fence) VALUES (?1, 0, ?2, 1)
             ON CONFLICT (id) DO UPDATE SET fence = fence + 1 RETURNING fence, head",
        )?
        .query_one([run.as_str(), GENESIS], |row| {
            let (fence, head) = (count(row.get(0)?), count(row.get(1)?));
            Ok(Lease { fence: Fence(fence), head: (head > 0).then_some(Seq(head)) })
        })
}

/// Moves the end of a run, if it is still where it was and the lease is still in force.
fn advance(transaction: &Transaction<'_>, run: &RunId, from: &Standing, to: &Tip) -> rusqlite::Result<bool> {
    let moved = transaction
        .prepare_cached(
            "UPDATE run SET head = ?1, head_hash = ?2 WHERE id = ?3 AND head = ?4 AND fence = ?5",
        )?
        .execute(params![int(to.head), to.hash.as_str(), run.as_str(), int(from.head), int(from.fence.0)])?;
    Ok(moved == 1)
}

/// Writes sealed entries.
pub(super) fn insert(transaction: &Transaction<'_>, sealed: &[Sealed]) -> rusqlite::Result<()> {
    let mut insert =
        transaction.prepare_cached("INSERT INTO entry (run, seq, hash, body) VALUES (?1, ?2, ?3, ?4)")?;
    for Sealed { entry, body, hash } in sealed {
        insert.execute(params![entry.run.as_str(), int(entry.seq.0), hash.as_str(), body])?;
    }
    Ok(())
}

/// Returns a number as `SQLite` keeps it; one beyond its range equals no stored number.
pub(super) fn int(number: u64) -> i64 {
    i64::try_from(number).unwrap_or(i64::MAX)
}

/// Returns a stored number; only a damaged file holds one below zero.
pub(super) fn count(stored: i64) -> u64 {
    u64::try_from(stored).unwrap_or(0)
}
