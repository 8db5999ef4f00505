//! The hash chain, without any store: how drafts become texts, and how texts are proven.

use serde::Deserialize;
use shipway_core::id::{Digest, Fence, RunId, Seq};
use shipway_core::journal::{Draft, Entry, Error, GENESIS, link};
use shipway_core::time::Time;

/// The end of a run to which drafts are chained.
pub(super) struct Tip {
    /// The position of the last entry; 0 for a run without entries.
    pub(super) head: u64,
    /// The hash of the last entry.
    pub(super) hash: Digest,
    /// The time of the last entry.
    pub(super) at: Time,
}

impl Tip {
    /// Returns the end of a run that has no entries.
    pub(super) fn genesis() -> Self {
        Self { head: 0, hash: Digest::new(GENESIS), at: Time::default() }
    }
}

/// An entry together with what a store keeps of it.
pub(super) struct Sealed {
    /// The entry.
    pub(super) entry: Entry,
    /// The text that is stored and hashed.
    pub(super) body: String,
    /// The hash of the text.
    pub(super) hash: Digest,
}

/// Returns drafts as entries behind a tip, and moves the tip to the last of them. Times never go back.
pub(super) fn seal(run: &RunId, fence: Fence, tip: &mut Tip, drafts: &[Draft]) -> Result<Vec<Sealed>, Error> {
    drafts.iter().map(|draft| seal_one(run, fence, tip, draft)).collect()
}

fn seal_one(run: &RunId, fence: Fence, tip: &mut Tip, draft: &Draft) -> Result<Sealed, Error> {
    let entry = Entry {
        run: run.clone(),
        seq: Seq(tip.head + 1),
        at: draft.at.max(tip.at),
        by: draft.by.clone(),
        attempt: draft.attempt,
        fence,
        prev: tip.hash.clone(),
        event: draft.event.clone(),
    };
    let body = serde_json::to_string(&entry)
        .map_err(|error| Error::Store(format!("the entry has no JSON form: {error}")))?;
    let hash = link(&body);
    *tip = Tip { head: entry.seq.0, hash: hash.clone(), at: entry.at };
    Ok(Sealed { entry, body, hash })
}

/// Returns why an append is refused, or nothing when it may go on.
pub(super) fn refusal(
    run: &RunId,
    ours: Fence,
    theirs: Fence,
    after: Option<Seq>,
    head: u64,
) -> Option<Error> {
    if ours != theirs {
        return Some(Error::Fenced { run: run.clone(), ours, theirs });
    }
    (after.map_or(0, |seq| seq.0) != head).then(|| Error::Conflict { run: run.clone() })
}

/// Returns the time that a stored text carries.
pub(super) fn time_of(run: &RunId, seq: u64, body: &[u8]) -> Result<Time, Error> {
    #[derive(Deserialize)]
    struct Stamp {
        at: Time,
    }
    serde_json::from_slice::<Stamp>(body)
        .map(|stamp| stamp.at)
        .map_err(|error| broken(run, seq, format!("its text is no entry: {error}")))
}

/// Returns the error that names a broken entry.
pub(super) fn broken(run: &RunId, seq: u64, why: impl Into<String>) -> Error {
    Error::Corrupt { run: run.clone(), seq: Seq(seq), why: why.into() }
}

/// A walk along the stored texts of one run that stops at the first broken one.
pub(super) struct Walk<'a> {
    run: &'a RunId,
    seq: u64,
    // Not known to a walk that begins in the middle.
    hash: Option<Digest>,
    at: Time,
    fence: Fence,
}

impl<'a> Walk<'a> {
    /// Returns a walk whose next entry is the one behind `after`.
    pub(super) fn behind(run: &'a RunId, after: Option<Seq>) -> Self {
        let seq = after.map_or(0, |seq| seq.0);
        let hash = (seq == 0).then(|| Digest::new(GENESIS));
        Self { run, seq, hash, at: Time::default(), fence: Fence(0) }
    }

    /// Returns the run.
    pub(super) fn run(&self) -> &'a RunId {
        self.run
    }

    /// Returns the position of the entry that comes next.
    pub(super) fn next(&self) -> u64 {
        self.seq.saturating_add(1)
    }

    /// Proves the next stored text and returns its entry.
    pub(super) fn step(&mut self, seq: u64, hash: &[u8], body: &[u8]) -> Result<Entry, Error> {
        let next = self.next();
        let fail = |why: &str| Err(broken(self.run, next, why));
        if seq != next {
            return fail("it is missing");
        }
        let Ok(body) = std::str::from_utf8(body) else {
            return fail("its text was changed: it is not UTF-8");
        };
        let proven = link(body);
        if proven.as_str().as_bytes() != hash {
            return fail("its text was changed: its hash is another");
        }
        let entry: Entry = serde_json::from_str(body)
            .map_err(|error| broken(self.run, next, format!("its text is no entry: {error}")))?;
        if entry.run != *self.run || entry.seq.0 != next {
            return fail(&format!("it was moved here: it is entry {} of run {}", entry.seq.0, entry.run));
        }
        if self.hash.as_ref().is_some_and(|hash| *hash != entry.prev) {
            return fail("it does not continue the entry in front of it");
        }
        if entry.at < self.at {
            return fail("it is older than the entry in front of it");
        }
        if entry.fence < self.fence {
            return fail("it was written under a lease that was over");
        }
        (self.seq, self.hash, self.at, self.fence) = (next, Some(proven), entry.at, entry.fence);
        Ok(entry)
    }

    /// Proves that the run ends here, as its row in the store says.
    pub(super) fn finish(&self, head: u64, head_hash: &[u8], lease: Fence) -> Result<(), Error> {
        if self.seq < head {
            return Err(broken(self.run, self.next(), "it is missing"));
        }
        if self.seq > head {
            return Err(broken(self.run, head.saturating_add(1), "it is behind the end of its run"));
        }
        if self.hash.as_ref().is_some_and(|hash| hash.as_str().as_bytes() != head_hash) {
            return Err(broken(self.run, head, "the hash at the end of its run is another"));
        }
        if self.fence > lease {
            return Err(broken(self.run, head, "it was written under a lease that was never given"));
        }
        Ok(())
    }
}
