//! What the journal keeps when the power is cut, when the disk is full, and when nothing can be written.
//!
//! These tests mount file systems of their own, so they need root on Linux; elsewhere they say so and pass.

#![expect(clippy::unwrap_used, clippy::print_stdout, reason = "helpers of tests are tests")]

use std::fs;
use std::io::{BufRead, BufReader, ErrorKind, Write as _};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

use shipway_core::id::{Fence, RunId, Seq};
use shipway_core::journal::{Error, Journal};
use shipway_testkit::journal::draft;
use shipway_world::store::{Options, SqliteJournal};
use tempfile::TempDir;

/// A file system in a file or in memory, mounted until it is dropped.
struct Disk {
    home: TempDir,
    mounted: bool,
}

impl Disk {
    /// Returns an ext4 file system of some MiB, or nothing with a message where that is not possible.
    fn ext4(mib: u64) -> Option<Self> {
        let mut disk = Self { home: TempDir::new().unwrap(), mounted: false };
        fs::create_dir(disk.root()).unwrap();
        fs::File::create(disk.image()).unwrap().set_len(mib << 20).unwrap();
        let made = run(Command::new("mkfs.ext4").args(["-q", "-F", "-m", "0"]).arg(disk.image()));
        let mounted = made.and_then(|()| disk.attach());
        disk.usable(mounted)
    }

    /// Returns a file system in memory of one MiB, or nothing with a message where that is not possible.
    fn tmpfs() -> Option<Self> {
        let mut disk = Self { home: TempDir::new().unwrap(), mounted: false };
        fs::create_dir(disk.root()).unwrap();
        let mounted =
            run(Command::new("mount").args(["-t", "tmpfs", "-o", "size=1m", "tmpfs"]).arg(disk.root()));
        disk.mounted = mounted.is_ok();
        disk.usable(mounted)
    }

    fn usable(self, made: Result<(), String>) -> Option<Self> {
        match made {
            Ok(()) => Some(self),
            Err(why) => {
                println!("skipped: no file system can be mounted here ({why})");
                None
            }
        }
    }

    fn image(&self) -> PathBuf {
        self.home.path().join("image")
    }

    fn root(&self) -> PathBuf {
        self.home.path().join("root")
    }

    fn journal(&self) -> PathBuf {
        self.root().join("shipway")
    }

    fn open(&self) -> SqliteJournal {
        SqliteJournal::open(&self.journal(), Options::default()).unwrap()
    }

    fn attach(&mut self) -> Result<(), String> {
        run(Command::new("mount").args(["-o", "loop"]).args([self.image(), self.root()]))?;
        self.mounted = true;
        Ok(())
    }

    fn detach(&mut self) {
        patiently(Command::new("umount").arg(self.root()));
        self.mounted = false;
    }

    fn make_read_only(&self) {
        patiently(Command::new("mount").args(["-o", "remount,ro"]).arg(self.root()));
    }

    /// Stops the file system at once: what is not on the disk yet never gets there (`EXT4_IOC_SHUTDOWN`, no flush).
    fn cut(&self) -> Result<(), String> {
        let call = "import fcntl,os,struct,sys; \
                    fcntl.ioctl(os.open(sys.argv[1], os.O_RDONLY), 0x8004587D, struct.pack('I', 2))";
        run(Command::new("python3").args(["-c", call]).arg(self.root()))
    }

    /// Waits until room that was given back can be had: ext4 writes its own journal first.
    fn settle(&self) {
        run(Command::new("sync").arg("-f").arg(self.root())).unwrap();
    }

    /// Writes until nothing fits any more, and returns the file that takes the space.
    fn fill(&self) -> PathBuf {
        let path = self.root().join("ballast");
        let mut ballast = fs::File::create(&path).unwrap();
        for size in [1 << 16, 1 << 12, 1] {
            let error =
                std::iter::repeat_with(|| ballast.write_all(&vec![0; size])).find_map(Result::err).unwrap();
            assert_eq!(error.kind(), ErrorKind::StorageFull);
        }
        path
    }
}

impl Drop for Disk {
    fn drop(&mut self) {
        if self.mounted {
            let _ = run(Command::new("umount").arg("-l").arg(self.root()));
        }
    }
}

fn run(command: &mut Command) -> Result<(), String> {
    let output = command.stdin(Stdio::null()).output().map_err(|error| format!("{command:?}: {error}"))?;
    let said = String::from_utf8_lossy(&output.stderr).trim().to_owned();
    if output.status.success() { Ok(()) } else { Err(said) }
}

/// Repeats a command: a child that another test just starts holds copies of all descriptors until it executes.
fn patiently(command: &mut Command) {
    let mut tries = std::iter::repeat_with(|| {
        run(command).inspect_err(|_| std::thread::sleep(std::time::Duration::from_millis(20)))
    });
    let last = tries.by_ref().take(250).find(Result::is_ok);
    last.or_else(|| tries.next()).expect("a command is tried without end").unwrap();
}

fn name() -> RunId {
    RunId::new("7f3a9c21")
}

fn appender(disk: &Disk) -> Child {
    Command::new(env!("CARGO_BIN_EXE_journal-appender"))
        .arg(disk.journal())
        .arg(name().as_str())
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .unwrap()
}

/// The last entries that were acknowledged.
struct Acknowledged {
    before: u64,
    during: u64,
}

/// Lets a process append and cuts the power behind its acknowledgement number `at`.
fn cut_while_appending(disk: &Disk, at: usize) -> Result<Acknowledged, String> {
    let mut child = appender(disk);
    let mut lines =
        BufReader::new(child.stdout.take().unwrap()).lines().map(|line| line.unwrap().parse().unwrap());
    let before = lines.by_ref().take(at).last().unwrap();
    let cut = disk.cut();
    if cut.is_err() {
        child.kill().unwrap();
    }
    let during = lines.last().unwrap_or(before);
    child.kill().unwrap();
    child.wait().unwrap();
    cut.map(|()| Acknowledged { before, during })
}

fn still_appends(journal: &SqliteJournal) -> u64 {
    let lease = journal.lease(&name()).unwrap();
    let entries = journal.append(&name(), lease.fence, lease.head, &[draft(1, "after the cut")]).unwrap();
    entries[0].seq.0
}

#[test]
fn no_acknowledged_entry_is_lost_when_the_power_is_cut() {
    const ROUNDS: usize = 10;
    let Some(mut disk) = Disk::ext4(64) else { return };
    let (mut kept, mut marks_lost, mut false_syncs) = (0, 0, 0);
    for round in 0..ROUNDS {
        let mark = disk.root().join(format!("mark{round}"));
        fs::write(&mark, "never synced").unwrap();
        let acknowledged = match cut_while_appending(&disk, 1 + round * round * 5) {
            Ok(acknowledged) => acknowledged,
            Err(why) => return println!("skipped: the power of a file system cannot be cut here ({why})"),
        };
        disk.detach();
        disk.attach().unwrap();
        marks_lost += usize::from(!fs::read(&mark).is_ok_and(|text| !text.is_empty()));
        let journal = disk.open();
        let entries = journal.read(&name(), None).unwrap();
        let last = entries.last().map_or(0, |entry| entry.seq.0);
        let Acknowledged { before, during } = acknowledged;
        assert!(last >= before, "round {round}: {before} were acknowledged, {last} are there");
        // The simulation is not quite a power cut: ext4 may let the one sync succeed that is under way in the moment
        // of its shutdown, although it keeps nothing of it. A machine without power acknowledges nothing any more.
        assert!(last + 1 >= during, "round {round}: {during} were acknowledged in the end, {last} are there");
        false_syncs += during.saturating_sub(last);
        assert_eq!(journal.verify().unwrap(), last);
        kept = still_appends(&journal);
        assert_eq!(kept, last + 1);
    }
    assert!(marks_lost > 0, "a cut that loses nothing proves nothing");
    println!("power cut: {ROUNDS} cuts, {kept} entries kept, 0 lost that were acknowledged before a cut");
    println!(
        "power cut: {marks_lost} unsynced files lost, {false_syncs} syncs told done when it was already down"
    );
}

/// Appends until the disk is full, then makes room and does the very same append again.
fn full_disk_keeps_what_it_has(disk: &Disk) {
    let journal = disk.open();
    let run = name();
    let fence = journal.lease(&run).unwrap().fence;
    let drafts = [draft(1, &"a".repeat(20_000)), draft(2, &"b".repeat(20_000))];
    journal.append(&run, fence, None, &drafts).unwrap();
    let ballast = disk.fill();
    let (head, error) = until_refused(&journal, fence, &drafts);
    assert!(matches!(error, Error::Full), "{error}");
    let mut after = Some(Seq(head));
    assert_eq!(journal.verify().unwrap(), head, "half a batch was written");
    assert!(matches!(journal.append(&run, fence, after, &drafts), Err(Error::Full)));
    let second = disk.root().join("second");
    assert!(matches!(SqliteJournal::open(&second, Options::default()).map(drop), Err(Error::Full)));

    fs::remove_file(ballast).unwrap();
    disk.settle();
    after = journal.append(&run, fence, after, &drafts).unwrap().last().map(|entry| entry.seq);
    assert_eq!(after, Some(Seq(head + 2)));
    drop(journal);
    assert_eq!(disk.open().verify().unwrap(), head + 2);
}

fn until_refused(
    journal: &SqliteJournal,
    fence: Fence,
    drafts: &[shipway_core::journal::Draft],
) -> (u64, Error) {
    let mut head = 2;
    loop {
        match journal.append(&name(), fence, Some(Seq(head)), drafts) {
            Ok(entries) => head += entries.len() as u64,
            Err(error) => return (head, error),
        }
    }
}

#[test]
fn a_full_disk_refuses_an_append_as_a_whole() {
    if let Some(disk) = Disk::ext4(8) {
        full_disk_keeps_what_it_has(&disk);
    }
}

#[test]
fn a_full_memory_disk_refuses_an_append_as_a_whole() {
    if let Some(disk) = Disk::tmpfs() {
        let durability = disk.open().durability();
        assert!(!durability.proven);
        assert_eq!(durability.how, "wal, synchronous full, tmpfs (memory)");
        full_disk_keeps_what_it_has(&disk);
    }
}

/// Leaves a journal on a read-only file system and expects to read all of it.
fn reads_where_nothing_can_be_written(leave: impl FnOnce(&Path)) {
    let Some(disk) = Disk::ext4(8) else { return };
    let home = disk.root().join("a b%?#");
    fs::create_dir(&home).unwrap();
    leave(&home);
    disk.make_read_only();
    let journal = SqliteJournal::open_read_only(&home).unwrap();
    assert_eq!(journal.read(&name(), None).unwrap().len(), 3);
    assert_eq!(journal.verify().unwrap(), 3);
    let refused = SqliteJournal::open(&home, Options::default()).map(drop);
    assert!(matches!(&refused, Err(Error::Store(why)) if why.contains("read-only")), "{refused:?}");
    let absent = SqliteJournal::open(&disk.journal(), Options::default()).map(drop);
    assert!(matches!(&absent, Err(Error::Store(why)) if why.contains("Read-only")), "{absent:?}");
}

fn three_entries(dir: &Path) -> SqliteJournal {
    let journal = SqliteJournal::open(dir, Options::default()).unwrap();
    let fence = journal.lease(&name()).unwrap().fence;
    journal.append(&name(), fence, None, &[draft(1, "one"), draft(2, "two"), draft(3, "three")]).unwrap();
    journal
}

#[test]
fn a_closed_journal_is_read_where_nothing_can_be_written() {
    reads_where_nothing_can_be_written(|home| drop(three_entries(home)));
}

#[test]
fn a_journal_of_a_killed_process_is_read_where_nothing_can_be_written() {
    reads_where_nothing_can_be_written(|home| {
        let elsewhere = TempDir::new().unwrap();
        let journal = three_entries(elsewhere.path());
        for name in ["journal.db", "journal.db-wal"] {
            fs::copy(elsewhere.path().join(name), home.join(name)).unwrap();
        }
        drop(journal);
    });
}

#[test]
fn a_journal_on_a_local_disk_is_proven() {
    let Some(disk) = Disk::ext4(8) else { return };
    let durability = disk.open().durability();
    assert!(durability.proven);
    assert_eq!(durability.how, "wal, synchronous full, ext4 (local)");
}
