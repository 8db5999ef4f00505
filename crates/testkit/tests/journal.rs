//! Both stores against the conformance suite, and the journals of every released version.

#![expect(clippy::unwrap_used, reason = "helpers of tests are tests")]

use std::cell::RefCell;
use std::fs;
use std::path::Path;

use shipway_core::journal::{Event, Journal};
use shipway_testkit::journal::{conformance, draft, transfer_conformance};
use shipway_world::store::{MemoryJournal, Options, SqliteJournal, Transfer};
use tempfile::TempDir;

fn sqlite(dirs: &RefCell<Vec<TempDir>>) -> SqliteJournal {
    let dir = TempDir::new().unwrap();
    let journal = SqliteJournal::open(dir.path(), Options::default()).unwrap();
    dirs.borrow_mut().push(dir);
    journal
}

#[test]
fn the_journal_in_memory_conforms() {
    let cases = conformance(&|| Box::new(MemoryJournal::new()));
    let transfers = transfer_conformance(&|| Box::new(MemoryJournal::new()));
    println!("journal conformance, memory: {} cases", cases + transfers);
    assert!(!MemoryJournal::new().durability().proven);
}

#[test]
fn the_journal_on_disk_conforms() {
    let dirs = RefCell::default();
    let cases = conformance(&|| Box::new(sqlite(&dirs)));
    let transfers = transfer_conformance(&|| Box::new(sqlite(&dirs)));
    println!("journal conformance, sqlite: {} cases", cases + transfers);
    assert_eq!(dirs.borrow().len(), cases + 2 * transfers);
}

#[test]
fn a_run_moves_between_memory_and_disk() {
    let dirs = RefCell::default();
    let (memory, disk) = (MemoryJournal::new(), sqlite(&dirs));
    let run = shipway_core::id::RunId::new("7f3a9c21");
    let fence = memory.lease(&run).unwrap().fence;
    memory.append(&run, fence, None, &[draft(1, "one"), draft(2, "two")]).unwrap();
    disk.import(&memory.export(&run).unwrap()).unwrap();
    assert_eq!(disk.read(&run, None).unwrap(), memory.read(&run, None).unwrap());
}

#[test]
fn processes_with_their_own_connections_take_turns() {
    let dir = TempDir::new().unwrap();
    let run = shipway_core::id::RunId::new("7f3a9c21");
    let open = || SqliteJournal::open(dir.path(), Options::default()).unwrap();
    let fence = open().lease(&run).unwrap().fence;
    let append = || {
        let journal = open();
        for _ in 0..20 {
            // Whoever loses looks again and goes on behind the winner.
            while {
                let after = journal.read(&run, None).unwrap().last().map(|entry| entry.seq);
                journal.append(&run, fence, after, &[draft(1, "x")]).is_err()
            } {}
        }
    };
    std::thread::scope(|scope| (0..4).for_each(|_| drop(scope.spawn(append))));
    assert_eq!(open().verify().unwrap(), 80);
}

#[test]
fn journals_of_every_version_are_read_for_ever() {
    let home = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../tests/journals");
    let paths =
        |dir: &Path| fs::read_dir(dir).unwrap().map(|found| found.unwrap().path()).collect::<Vec<_>>();
    let versions: Vec<_> = paths(&home).into_iter().filter(|path| path.is_dir()).collect();
    assert!(
        versions.iter().any(|path| path.ends_with(env!("CARGO_PKG_VERSION"))),
        "this version has no directory"
    );
    for file in versions.iter().flat_map(|version| paths(version)) {
        if file.extension().is_some_and(|extension| extension == "jsonl") {
            reads(&file);
        }
    }
}

fn reads(file: &Path) {
    let lines = fs::read_to_string(file).unwrap();
    let dirs = RefCell::default();
    let journals: [Box<dyn Transfer>; 2] = [Box::new(MemoryJournal::new()), Box::new(sqlite(&dirs))];
    for journal in journals {
        let runs = journal.import(&lines).unwrap_or_else(|error| panic!("{}: {error}", file.display()));
        assert_eq!(journal.verify().unwrap(), lines.lines().count() as u64);
        for run in runs {
            let entries = journal.read(&run, None).unwrap();
            assert!(matches!(entries[0].event, Event::Opened { .. }), "{}", file.display());
            assert!(entries.iter().all(|entry| entry.event != Event::Unknown), "{}", file.display());
        }
    }
}
