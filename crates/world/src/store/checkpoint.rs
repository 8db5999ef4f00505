//! The list of all entries in the order in which they came, and the Merkle tree over it.

use std::collections::{BTreeMap, BTreeSet};

use rusqlite::Connection;
use shipway_core::id::{Digest, RunId};
use shipway_core::journal::Error;
use shipway_core::merkle::Tree;

use super::chain::broken;
use super::migrate;
use super::sqlite::{SqliteJournal, count};

/// The form from which on there is a list.
const LISTED: u32 = 3;

impl SqliteJournal {
    /// Returns how many entries there are, and the root over them (RFC 6962, section 2.1).
    ///
    /// A journal of an older form, which was opened for reading only, has no list yet: 0 entries.
    pub fn root(&self) -> Result<(u64, Digest), Error> {
        let tree = self.tree(&mut |_| {})?;
        Ok((tree.size(), tree.root()))
    }

    /// Returns how many entries there are, and the roots at those of some sizes that the journal reaches.
    pub fn roots(&self, sizes: impl IntoIterator<Item = u64>) -> Result<(u64, BTreeMap<u64, Digest>), Error> {
        let sizes: BTreeSet<u64> = sizes.into_iter().collect();
        let mut roots = BTreeMap::new();
        let mut look = |tree: &Tree| {
            if sizes.contains(&tree.size()) {
                roots.insert(tree.size(), tree.root());
            }
        };
        let tree = self.tree(&mut look)?;
        Ok((tree.size(), roots))
    }

    fn tree(&self, each: &mut dyn FnMut(&Tree)) -> Result<Tree, Error> {
        let mut connection = self.lock();
        let transaction = self.look(&mut connection)?;
        let mut tree = Tree::default();
        each(&tree);
        if migrate::form(&transaction).map_err(|error| self.fault(error))? < LISTED {
            return Ok(tree);
        }
        let mut select = transaction
            .prepare_cached(
                "SELECT leaf.n, leaf.run, leaf.seq, entry.body FROM leaf
                 LEFT JOIN entry ON entry.run = leaf.run AND entry.seq = leaf.seq ORDER BY leaf.n",
            )
            .map_err(|error| self.fault(error))?;
        let mut rows = select.query(()).map_err(|error| self.fault(error))?;
        while let Some(row) = rows.next().map_err(|error| self.fault(error))? {
            let place = (row.get::<_, i64>(0), row.get::<_, String>(1), row.get::<_, i64>(2));
            let (Ok(n), Ok(run), Ok(seq)) = place else {
                return Err(broken(&RunId::new("?"), tree.size() + 1, "its place in the list was changed"));
            };
            let (run, seq) = (RunId::new(run), count(seq));
            if count(n) != tree.size() + 1 {
                return Err(broken(&run, seq, "the list of all entries misses one in front of it"));
            }
            let body = row.get_ref(3).map_err(|error| self.fault(error))?;
            tree.push(body.as_bytes().map_err(|_| broken(&run, seq, "it is missing"))?);
            each(&tree);
        }
        Ok(tree)
    }
}

/// Refuses entries that are not in the list.
pub(super) fn refuse_unlisted(journal: &SqliteJournal, connection: &Connection) -> Result<(), Error> {
    let unlisted = || -> rusqlite::Result<Option<(String, i64)>> {
        if migrate::form(connection)? < LISTED {
            return Ok(None);
        }
        let mut select = connection.prepare(
            "SELECT entry.run, entry.seq FROM entry
             LEFT JOIN leaf ON leaf.run = entry.run AND leaf.seq = entry.seq
             WHERE leaf.n IS NULL ORDER BY entry.run, entry.seq LIMIT 1",
        )?;
        let mut rows = select.query(())?;
        rows.next()?.map(|row| Ok((row.get(0)?, row.get(1)?))).transpose()
    };
    match unlisted().map_err(|error| journal.fault(error))? {
        Some((run, seq)) => Err(broken(&RunId::new(run), count(seq), "it is not in the list of all entries")),
        None => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use shipway_core::anchor::{self, Anchor, Checkpoint};
    use shipway_core::journal::{Draft, Entry, Journal as _};
    use shipway_core::time::Time;
    use tempfile::TempDir;

    use super::super::sample;
    use super::*;

    #[test]
    fn the_root_is_over_all_runs_in_the_order_in_which_their_entries_came() {
        let dir = TempDir::new().unwrap();
        let journal = sample::open(dir.path());
        assert_eq!(journal.root().unwrap(), (0, Digest::of(b"")));
        sample::fill(&journal, "b", 2);
        let before = journal.root().unwrap();
        sample::fill(&journal, "a", 3);
        let (size, root) = journal.root().unwrap();
        assert_eq!((before.0, size), (2, 5));
        let (_, roots) = journal.roots([2, 5, 9]).unwrap();
        assert_eq!(roots, BTreeMap::from([(2, before.1), (5, root)]));
    }

    #[test]
    fn an_entry_that_is_not_listed_is_named() {
        let dir = TempDir::new().unwrap();
        let journal = sample::open(dir.path());
        sample::fill(&journal, "a", 3);
        sample::raw(dir.path()).execute_batch("DELETE FROM leaf WHERE n = 3").unwrap();
        assert!(
            matches!(journal.verify(), Err(Error::Corrupt { why, .. }) if why.contains("not in the list"))
        );
    }

    /// Tells what proving a journal against an anchor over all of its entries finds.
    fn found(journal: &SqliteJournal, anchor: &Anchor) -> bool {
        let Ok((entries, roots)) = journal.roots([anchor.checkpoint.size]) else { return true };
        journal.verify().is_err()
            || anchor::judge(entries, &roots, std::slice::from_ref(anchor)).trouble.is_some()
    }

    /// Returns a journal of two runs, and the anchor over all of it.
    fn anchored(dir: &TempDir) -> (SqliteJournal, Anchor) {
        let journal = sample::open(dir.path());
        sample::fill(&journal, "a", 4);
        sample::fill(&journal, "b", 3);
        let (size, root) = journal.root().unwrap();
        let checkpoint = Checkpoint { origin: String::new(), size, root, at: Time(1) };
        (journal, Anchor { place: "tag v1".into(), checkpoint })
    }

    #[test]
    fn every_changed_byte_below_an_anchor_is_found() {
        let dir = TempDir::new().unwrap();
        let (journal, anchor) = anchored(&dir);
        assert!(!found(&journal, &anchor));
        let raw = sample::raw(dir.path());
        let rows: Vec<(String, i64, Vec<u8>)> = raw
            .prepare("SELECT run, seq, CAST(body AS BLOB) FROM entry")
            .unwrap()
            .query_map((), |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?)))
            .unwrap()
            .map(Result::unwrap)
            .collect();
        let write = "UPDATE entry SET body = CAST(?1 AS TEXT) WHERE run = ?2 AND seq = ?3";
        for (run, seq, body) in rows {
            for at in 0..body.len() {
                let mut changed = body.clone();
                changed[at] ^= 1;
                raw.execute(write, rusqlite::params![changed, run, seq]).unwrap();
                assert!(found(&journal, &anchor), "{run} {seq} {at}");
            }
            raw.execute(write, rusqlite::params![body, run, seq]).unwrap();
        }
        assert!(!found(&journal, &anchor));
    }

    #[test]
    fn every_drop_swap_and_cut_below_an_anchor_is_found_also_in_a_journal_that_proves_by_itself() {
        let dir = TempDir::new().unwrap();
        let (journal, anchor) = anchored(&dir);
        let drafts = |run: &str| {
            let entries = journal.read(&RunId::new(run), None).unwrap().into_iter();
            entries
                .map(|Entry { at, by, attempt, event, .. }| Draft { at, by, attempt, event })
                .collect::<Vec<_>>()
        };
        let list: Vec<(&str, Draft)> = ["a", "b"]
            .into_iter()
            .flat_map(|run| drafts(run).into_iter().map(move |draft| (run, draft)))
            .collect();
        // Whoever forges a journal writes it anew with all its hashes, so that its own chain proves.
        let forged = |list: &[(&str, Draft)]| {
            let dir = TempDir::new().unwrap();
            let journal = sample::open(dir.path());
            let leases = ["a", "b"].map(|run| (run, journal.lease(&RunId::new(run)).unwrap().fence));
            for (run, draft) in list {
                let fence = leases.iter().find(|(of, _)| of == run).unwrap().1;
                let run = RunId::new(*run);
                let after = journal.read(&run, None).unwrap().last().map(|entry| entry.seq);
                journal.append(&run, fence, after, std::slice::from_ref(draft)).unwrap();
            }
            journal.verify().unwrap();
            found(&journal, &anchor)
        };
        assert!(!forged(&list));
        for at in 0..list.len() {
            assert!(forged(&list[..at]), "cut at {at}");
            assert!(forged(&[&list[..at], &list[at + 1..]].concat()), "drop {at}");
            for other in at + 1..list.len() {
                let mut swapped = list.clone();
                swapped.swap(at, other);
                assert!(forged(&swapped), "swap {at} {other}");
            }
        }
    }
}
