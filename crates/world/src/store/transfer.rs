//! Runs as text that leaves one journal and enters another: one line of JSON an entry, exactly as it is stored.

use rusqlite::params;
use shipway_core::id::{Fence, RunId};
use shipway_core::journal::{Entry, Error, Journal, link};

use super::chain::{Sealed, Walk};
use super::memory::{Held, MemoryJournal};
use super::sqlite::{SqliteJournal, insert, int, standing};
use super::verify;

/// A journal whose runs can be written as JSON lines and made again from them.
pub trait Transfer: Journal {
    /// Returns the stored texts of a run, each ended by a line feed; the empty text for a run that is not there.
    fn export(&self, run: &RunId) -> Result<String, Error>;
    /// Adds the runs of a text that was exported, as one unit, and returns their names in the order of the text.
    ///
    /// The chain of each run is proven first. A run that is there already is [`Error::Conflict`].
    fn import(&self, lines: &str) -> Result<Vec<RunId>, Error>;
}

/// A run that is ready to be added.
struct Parcel {
    run: RunId,
    fence: Fence,
    sealed: Vec<Sealed>,
}

fn unpack(lines: &str) -> Result<Vec<Parcel>, Error> {
    let mut parcels: Vec<Parcel> = vec![];
    for (number, body) in (1..).zip(lines.lines()).filter(|(_, line)| !line.is_empty()) {
        let entry: Entry = serde_json::from_str(body)
            .map_err(|error| Error::Store(format!("line {number} of the import is no entry: {error}")))?;
        let sealed = Sealed { hash: link(body), body: body.to_owned(), entry };
        let run = sealed.entry.run.clone();
        match parcels.iter_mut().find(|parcel| parcel.run == run) {
            Some(parcel) => parcel.sealed.push(sealed),
            None => parcels.push(Parcel { run, fence: Fence(0), sealed: vec![sealed] }),
        }
    }
    parcels.iter_mut().try_for_each(prove)?;
    Ok(parcels)
}

fn prove(parcel: &mut Parcel) -> Result<(), Error> {
    let mut walk = Walk::behind(&parcel.run, None);
    for Sealed { entry, body, hash } in &parcel.sealed {
        walk.step(entry.seq.0, hash.as_str().as_bytes(), body.as_bytes())?;
        parcel.fence = entry.fence;
    }
    Ok(())
}

fn names(parcels: Vec<Parcel>) -> Vec<RunId> {
    parcels.into_iter().map(|parcel| parcel.run).collect()
}

impl Transfer for SqliteJournal {
    fn export(&self, run: &RunId) -> Result<String, Error> {
        let mut connection = self.lock();
        let transaction = self.look(&mut connection)?;
        let mut lines = vec![];
        let mut walk = Walk::behind(run, None);
        verify::walk_on(self, &transaction, &mut walk, &mut |_, body| {
            lines.extend_from_slice(body);
            lines.push(b'\n');
        })?;
        Ok(String::from_utf8(lines).expect("the walk has read every text as UTF-8"))
    }

    fn import(&self, lines: &str) -> Result<Vec<RunId>, Error> {
        let parcels = unpack(lines)?;
        let mut connection = self.lock();
        let transaction = self.change(&mut connection)?;
        for parcel in &parcels {
            if standing(&transaction, &parcel.run).map_err(|error| self.fault(error))?.is_some() {
                return Err(Error::Conflict { run: parcel.run.clone() });
            }
            add(&transaction, parcel).map_err(|error| self.fault(error))?;
        }
        transaction.commit().map_err(|error| self.fault(error))?;
        Ok(names(parcels))
    }
}

fn add(transaction: &rusqlite::Transaction<'_>, parcel: &Parcel) -> rusqlite::Result<()> {
    let last = parcel.sealed.last().expect("a parcel is made for its first entry");
    let row = params![parcel.run.as_str(), int(last.entry.seq.0), last.hash.as_str(), int(parcel.fence.0),];
    transaction.execute("INSERT INTO run (id, head, head_hash, fence) VALUES (?1, ?2, ?3, ?4)", row)?;
    insert(transaction, &parcel.sealed)
}

impl Transfer for MemoryJournal {
    fn export(&self, run: &RunId) -> Result<String, Error> {
        let runs = self.lock();
        let rows = runs.get(run).map_or(&[][..], |held| &held.rows);
        Ok(rows.iter().flat_map(|(_, body)| [body.as_str(), "\n"]).collect())
    }

    fn import(&self, lines: &str) -> Result<Vec<RunId>, Error> {
        let parcels = unpack(lines)?;
        let mut runs = self.lock();
        if let Some(parcel) = parcels.iter().find(|parcel| runs.contains_key(&parcel.run)) {
            return Err(Error::Conflict { run: parcel.run.clone() });
        }
        let mut added = vec![];
        for Parcel { run, fence, sealed } in parcels {
            let mut held = Held { fence: fence.0, rows: vec![] };
            held.keep(sealed);
            runs.insert(run.clone(), held);
            added.push(run);
        }
        Ok(added)
    }
}
