//! What is listed, what is kept, and what is seen of a backup that was damaged.

use std::thread;

use rustix::process::geteuid;
use shipway_testkit::skip::skip;

use super::*;

#[test]
fn every_flipped_byte_is_seen() {
    let site = Site::new();
    site.file("data/one", (0..9_000_u32).flat_map(u32::to_le_bytes).collect::<Vec<u8>>());
    let spec = directory("data");
    let made = site.make(&spec).unwrap();
    site.verify(&spec, &made).unwrap();
    let path = site.path("backups").join(&made.file);
    let whole = fs::read(&path).unwrap();
    // Every part of the file: headers of the archive, contents, and the padding at its end.
    for at in (0..whole.len()).step_by(whole.len() / 97).chain([whole.len() - 1]) {
        let mut bytes = whole.clone();
        bytes[at] ^= 1 << (at % 8);
        fs::write(&path, bytes).unwrap();
        let problem = site.verify(&spec, &made).unwrap_err();
        assert_eq!(problem.code, Code::BackupBroken, "byte {at}");
        assert!(site.list()[0].verified.is_none() && site.list()[0].broken.is_some(), "byte {at}");
        assert_eq!(code(site.restore(&spec, &made, "again")), Code::BackupBroken);
    }
    assert!(!site.path("again").exists());
    fs::write(&path, whole).unwrap();
    site.verify(&spec, &made).unwrap();
    assert!(site.list()[0].verified.is_some() && site.list()[0].broken.is_none());
}

#[test]
fn a_truncated_or_missing_file_is_seen_at_a_glance() {
    let site = Site::new();
    site.file("data/one", "1");
    let spec = directory("data");
    let made = site.make(&spec).unwrap();
    site.verify(&spec, &made).unwrap();
    let path = site.path("backups").join(&made.file);
    fs::OpenOptions::new().write(true).open(&path).unwrap().set_len(100).unwrap();
    let listed = &site.list()[0];
    let expect = format!("the file has 100 bytes, and had {}", made.bytes);
    assert_eq!((&listed.verified, listed.broken.as_ref()), (&None, Some(&expect)));
    assert_eq!(code(site.verify(&spec, &made)), Code::BackupBroken);
    fs::remove_file(&path).unwrap();
    assert!(site.list()[0].broken.is_some());
    assert_eq!(code(site.verify(&spec, &made)), Code::BackupBroken);
}

#[test]
fn making_verifies_and_removes_what_is_not_kept() {
    let site = Site::new();
    site.file("data/one", "1");
    let spec = Spec { keep: 2, ..directory("data") };
    let other = Spec { name: "other".into(), ..spec.clone() };
    let kept = answer(&Ask::Make, &other, &site.place()).unwrap();
    let mut made = vec![];
    for n in 0..4 {
        site.file("data/one", format!("{n}"));
        made.extend(answer(&Ask::Make, &spec, &site.place()).unwrap());
    }
    assert!(made.iter().all(|made| made.verified.is_some()));
    assert_eq!(answer(&Ask::List, &spec, &site.place()).unwrap(), made[2..]);
    assert_eq!(answer(&Ask::List, &other, &site.place()).unwrap(), kept);
    assert_eq!(site.names().len(), 6);
    let ask = Ask::Restore { file: Some(made[2].file.clone()), into: "again".into() };
    assert_eq!(answer(&ask, &spec, &site.place()).unwrap(), made[2..3]);
    assert_eq!(fs::read_to_string(site.path("again/one")).unwrap(), "2");
    let ask = Ask::Verify { file: None };
    assert_eq!(answer(&ask, &spec, &site.place()).unwrap()[0].file, made[3].file);
    let gone = Ask::Verify { file: Some(made[0].file.clone()) };
    assert_eq!(code(answer(&gone, &spec, &site.place())), Code::BackupUnknown);
    let never = Spec { name: "never".into(), ..spec };
    assert_eq!(code(answer(&ask, &never, &site.place())), Code::BackupUnknown);
}

#[test]
fn a_backup_that_cannot_be_verified_removes_nothing() {
    let site = Site::new();
    site.file("data/one", "1");
    let spec = Spec { keep: 1, ..directory("data") };
    let good = answer(&Ask::Make, &spec, &site.place()).unwrap();
    let bad = Spec { verify: sh("exit 1"), ..spec };
    for _ in 0..3 {
        assert_eq!(code(answer(&Ask::Make, &bad, &site.place())), Code::BackupRefused);
    }
    assert_eq!(site.list().len(), 4);
    prune(&bad, &site.place()).unwrap();
    let left = site.list();
    assert_eq!((left.len(), &left[0]), (2, &good[0]), "the newest, and the newest that is verified");
}

#[test]
fn what_dead_processes_left_behind_is_not_listed_and_goes() {
    let site = Site::new();
    site.file("data/one", "1");
    site.file("backups/.work-1-2-3/lock", "");
    site.file("backups/.work-1-2-3/plain", "half a backup");
    site.file("backups/.work-record-1", "half a record");
    site.file("backups/it-20261120T124308123Z-e3b0c442.tar", "without its record");
    site.file("backups/somebody-elses.tar", "not ours");
    site.file("backups/somebody-elses.json", "{}");
    assert!(site.list().is_empty());
    let made = site.make(&directory("data")).unwrap();
    assert_eq!(site.list(), std::slice::from_ref(&made));
    let mut expect =
        [made.file.clone(), made.file + ".json", "somebody-elses.json".into(), "somebody-elses.tar".into()];
    expect.sort();
    assert_eq!(site.names(), expect);
}

#[test]
fn a_living_process_keeps_its_place() {
    let site = Site::new();
    site.file("data/one", "1");
    fs::create_dir(site.path("gate")).unwrap();
    let script = "echo whole >\"$0\"; : >gate/begun; while [ ! -e gate/open ]; do sleep 0.01; done";
    let slow = spec(What::Command {
        run: [sh(script), vec!["{file}".into()]].concat(),
        restore: [sh("cp \"$0\" \"$1\""), vec!["{file}".into(), "{scratch}".into()]].concat(),
    });
    thread::scope(|scope| {
        let first = scope.spawn(|| site.make(&slow));
        while !site.path("gate/begun").exists() {
            thread::yield_now();
        }
        site.make(&directory("data")).unwrap();
        assert_eq!(site.list().len(), 1, "the other one is not whole yet");
        site.file("gate/open", "");
        let made = first.join().unwrap().unwrap();
        site.verify(&slow, &made).unwrap();
    });
    assert_eq!(site.list().len(), 2);
}

#[test]
fn a_backup_that_is_stopped_leaves_nothing() {
    let site = Site::new();
    let script = "echo half >\"$0\"; : >begun; exec sleep 600";
    let slow = spec(What::Command { run: [sh(script), vec!["{file}".into()]].concat(), restore: sh("true") });
    thread::scope(|scope| {
        let made = scope.spawn(|| site.make(&slow));
        while !site.path("begun").exists() {
            thread::yield_now();
        }
        site.stop.ask();
        site.stop.ask();
        assert_eq!(code(made.join().unwrap()), Code::Stopped);
    });
    assert!(site.names().is_empty());
}

#[test]
fn a_missing_program_is_named() {
    let site = Site::with(Bare);
    site.file("data/one", "1");
    let problem = site.make(&directory("data")).unwrap_err();
    assert_eq!((problem.code, &*problem.what), (Code::BackupProgram, "`tar` is not installed"));
    let database = spec(What::Postgresql { database: "app".into() });
    assert_eq!(code(site.make(&database)), Code::BackupProgram);
    assert!(site.names().is_empty());
}

/// A small file system; nothing where this user may not mount.
struct Small(PathBuf);

impl Small {
    fn new(path: PathBuf) -> Option<Self> {
        fs::create_dir(&path).unwrap();
        let mount = Cmd::new("mount").args(["-t", "tmpfs", "-o", "size=2m", "tmpfs"]).arg(&path);
        let mounted = geteuid().is_root()
            && LocalShell::new().run(&mount, &Stop::default()).is_ok_and(|mounted| mounted.ok());
        if !mounted {
            skip("a small file system cannot be mounted");
        }
        mounted.then_some(Self(path))
    }
}

impl Drop for Small {
    fn drop(&mut self) {
        let _ = LocalShell::new().run(&Cmd::new("umount").arg("-l").arg(&self.0), &Stop::default());
    }
}

#[test]
fn a_full_disk_is_told_and_leaves_nothing() {
    let site = Site::new();
    let Some(_small) = Small::new(site.path("backups")) else { return };
    site.file("data/small", vec![1; 100_000]);
    let spec = directory("data");
    let good = site.make(&spec).unwrap();
    site.verify(&spec, &good).unwrap();
    site.file("data/large", vec![7; 4 << 20]);
    let left = site.names();
    assert_eq!(code(site.make(&spec)), Code::DiskFull);
    let script = "head -c 4000000 /dev/zero >\"$0\"";
    let run = [sh(script), vec!["{file}".into()]].concat();
    assert_eq!(code(site.make(&super::spec(What::Command { run, restore: sh("true") }))), Code::DiskFull);
    let rows = rusqlite::Connection::open(site.path("app.db")).unwrap();
    rows.execute_batch("CREATE TABLE t (x); INSERT INTO t VALUES (randomblob(3000000))").unwrap();
    assert_eq!(code(site.make(&super::spec(What::Sqlite { file: "app.db".into() }))), Code::DiskFull);
    assert_eq!(site.names(), left, "only the good one is there");
    // There is room for the backup, but none to restore it in.
    fs::remove_file(site.path("data/large")).unwrap();
    site.file("data/half", vec![7; 1_100_000]);
    let tight = site.make(&spec).unwrap();
    assert_eq!(code(site.verify(&spec, &tight)), Code::DiskFull);
    assert!(site.list()[1].broken.is_none(), "a full disk says nothing about the backup");
    site.verify(&spec, &good).unwrap();
}
