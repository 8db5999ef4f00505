//! The journal in memory, for tests and dry runs. It is gone with the process.

use std::collections::BTreeMap;
use std::sync::{Mutex, MutexGuard, PoisonError};

use shipway_core::id::{Digest, Fence, RunId, Seq};
use shipway_core::journal::{Draft, Durability, Entry, Error, Journal, Lease, RunHead};

use super::chain::{self, Sealed, Tip, Walk};

/// The journal without a disk. It keeps the same texts as the one on disk.
#[derive(Debug, Default)]
pub struct MemoryJournal {
    runs: Mutex<BTreeMap<RunId, Held>>,
}

#[derive(Debug, Default)]
pub(super) struct Held {
    pub(super) fence: u64,
    pub(super) rows: Vec<(Digest, String)>,
}

impl MemoryJournal {
    /// Returns an empty journal.
    pub fn new() -> Self {
        Self::default()
    }

    pub(super) fn lock(&self) -> MutexGuard<'_, BTreeMap<RunId, Held>> {
        // Every change of the map is one extension of one vector, which a panic cannot leave half done.
        self.runs.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Held {
    fn head(&self) -> u64 {
        self.rows.len() as u64
    }

    fn tip(&self, run: &RunId) -> Result<Tip, Error> {
        let Some((hash, body)) = self.rows.last() else { return Ok(Tip::genesis()) };
        let at = chain::time_of(run, self.head(), body.as_bytes())?;
        Ok(Tip { head: self.head(), hash: hash.clone(), at })
    }

    pub(super) fn keep(&mut self, sealed: Vec<Sealed>) -> Vec<Entry> {
        let keep = |Sealed { entry, body, hash }| {
            self.rows.push((hash, body));
            entry
        };
        sealed.into_iter().map(keep).collect()
    }

    fn read(&self, run: &RunId, after: Option<Seq>) -> Result<Vec<Entry>, Error> {
        let mut walk = Walk::behind(run, after);
        let skip = usize::try_from(after.map_or(0, |seq| seq.0)).unwrap_or(usize::MAX);
        let rows = (1..).zip(&self.rows).skip(skip);
        rows.map(|(seq, (hash, body))| walk.step(seq, hash.as_str().as_bytes(), body.as_bytes())).collect()
    }

    fn one(&self, run: &RunId, at: usize) -> Result<Entry, Error> {
        let (hash, body) = &self.rows[at];
        let mut walk = Walk::behind(run, (at > 0).then_some(Seq(at as u64)));
        walk.step(at as u64 + 1, hash.as_str().as_bytes(), body.as_bytes())
    }
}

impl Journal for MemoryJournal {
    fn lease(&self, run: &RunId) -> Result<Lease, Error> {
        let mut runs = self.lock();
        let held = runs.entry(run.clone()).or_default();
        held.fence += 1;
        let last = held.head();
        Ok(Lease { fence: Fence(held.fence), head: (last > 0).then_some(Seq(last)) })
    }

    fn append(
        &self,
        run: &RunId,
        fence: Fence,
        after: Option<Seq>,
        drafts: &[Draft],
    ) -> Result<Vec<Entry>, Error> {
        let mut runs = self.lock();
        let Some(held) = runs.get_mut(run) else {
            return Err(Error::Fenced { run: run.clone(), ours: fence, theirs: Fence(0) });
        };
        if let Some(refusal) = chain::refusal(run, fence, Fence(held.fence), after, held.head()) {
            return Err(refusal);
        }
        let sealed = chain::seal(run, fence, &mut held.tip(run)?, drafts)?;
        Ok(held.keep(sealed))
    }

    fn read(&self, run: &RunId, after: Option<Seq>) -> Result<Vec<Entry>, Error> {
        self.lock().get(run).map_or(Ok(vec![]), |held| held.read(run, after))
    }

    fn runs(&self) -> Result<Vec<RunHead>, Error> {
        let runs = self.lock();
        let opened = runs.iter().filter(|(_, held)| !held.rows.is_empty());
        let mut heads = opened
            .map(|(run, held)| {
                let (opened, last) = (held.one(run, 0)?, held.one(run, held.rows.len() - 1)?);
                Ok(RunHead { run: run.clone(), opened, last })
            })
            .collect::<Result<Vec<_>, Error>>()?;
        heads.sort_by(|a, b| (a.opened.at, &a.run).cmp(&(b.opened.at, &b.run)));
        Ok(heads)
    }

    fn verify(&self) -> Result<u64, Error> {
        let runs = self.lock();
        runs.iter().map(|(run, held)| Ok(held.read(run, None)?.len() as u64)).sum()
    }

    fn durability(&self) -> Durability {
        Durability { proven: false, how: "memory".to_owned() }
    }
}
