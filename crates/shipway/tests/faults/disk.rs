//! Disks that are full, cannot be written, or cannot promise anything. They are mounted over the work tree, which needs
//! root on Linux; elsewhere these tests say so and are counted as skipped.

use std::fs;
use std::io::Write as _;
use std::os::unix::fs::lchown;
use std::path::{Path, PathBuf};
use std::process::Command;

use shipway_core::problem::Code;
use shipway_testkit::{hermetic, program, skip};

use crate::stage::{SHIPWAY, Stage, Told};

/// A file system that is mounted over the work tree of a stage until it is dropped.
struct Disk {
    root: PathBuf,
}

impl Disk {
    /// Moves a work tree to a file system of its own, or says why that is not possible here.
    fn below(stage: &Stage, kind: &str, mib: u64) -> Option<Self> {
        let root = stage.repo.path().to_owned();
        let aside = root.with_extension("aside");
        fs::rename(&root, &aside).unwrap();
        fs::create_dir(&root).unwrap();
        let mounted = if kind == "tmpfs" { Self::memory(&root, mib) } else { Self::image(&root, mib) };
        let disk = mounted.then_some(Self { root: root.clone() });
        if disk.is_none() {
            skip::skip("no file system can be mounted here");
        }
        let dot = aside.join(".");
        run(Command::new("cp").arg("-a").args([&dot, &root])).unwrap();
        fs::remove_dir_all(&aside).unwrap();
        disk
    }

    fn memory(root: &Path, mib: u64) -> bool {
        let size = format!("size={mib}m");
        run(Command::new("mount").args(["-t", "tmpfs", "-o", &size, "tmpfs"]).arg(root)).is_ok()
    }

    fn image(root: &Path, mib: u64) -> bool {
        let image = root.with_extension("image");
        fs::File::create(&image).unwrap().set_len(mib << 20).unwrap();
        // `SQLite` reserves its shared memory page by page of 4 KiB; with smaller blocks a full disk ends it by SIGBUS.
        let make = ["-q", "-F", "-m", "0", "-b", "4096", "-O", "^has_journal", "-N", "4096"];
        run(Command::new("mkfs.ext4").args(make).arg(&image)).is_ok()
            && run(Command::new("mount").args(["-o", "loop"]).args([&image, root])).is_ok()
    }

    fn remount(&self, how: &str) {
        run(Command::new("mount").args(["-o", &format!("remount,{how}")]).arg(&self.root)).unwrap();
    }

    /// Takes all space but some KiB, outside of the work tree's tracked files.
    fn fill(&self, free_kib: u64) {
        let mut ballast = fs::File::create(self.ballast()).unwrap();
        for size in [1 << 16, 1 << 10] {
            while ballast.write_all(&vec![1; size]).is_ok() {}
        }
        let full = ballast.metadata().unwrap().len();
        ballast.set_len(full.saturating_sub(free_kib << 10)).unwrap();
        ballast.sync_all().unwrap();
    }

    fn free(&self) {
        fs::remove_file(self.ballast()).unwrap();
    }

    fn ballast(&self) -> PathBuf {
        self.root.join(".git/ballast")
    }
}

impl Drop for Disk {
    fn drop(&mut self) {
        let _ = run(Command::new("umount").arg("-l").arg(&self.root));
    }
}

fn run(command: &mut Command) -> Result<(), String> {
    let output = command.output().map_err(|error| error.to_string())?;
    if output.status.success() { Ok(()) } else { Err(String::from_utf8_lossy(&output.stderr).into_owned()) }
}

#[test]
fn a_store_in_memory_is_refused_unless_the_loss_is_accepted() {
    let stage = Stage::new();
    let Some(_disk) = Disk::below(&stage, "tmpfs", 16) else { return };
    stage.refuses(&["push"], Code::JournalUnsafe, &["tmpfs", "accept-loss = true"]);
    stage.repo.file("shipway.toml", "[journal]\naccept-loss = true\n");
    stage.publish("chore: accept the loss");
    let plan = stage.run(&["plan"]);
    assert!(plan.ok().text().contains("the journal may lose its last entries"), "{}", plan.text());
    stage.run(&["push"]).ok();
    stage.released("1.1.0");
}

#[test]
fn a_repository_that_cannot_be_written() {
    let stage = Stage::new();
    let Some(disk) = Disk::below(&stage, "ext4", 16) else { return };
    disk.remount("ro");
    let mut push = stage.command(&["push"]);
    let told = Told::of(&mut push);
    disk.remount("rw");
    told.tells(Code::NotWritable, &[]).exits(1);
    stage.run(&["push"]).ok();
    stage.released("1.1.0");
}

#[test]
fn a_repository_that_this_user_may_not_write() {
    let stage = Stage::new();
    let parent = stage.repo.path().parent().unwrap();
    let program = parent.join("shipway");
    program::copy(SHIPWAY, &program);
    for path in [parent, stage.remote.path().parent().unwrap()] {
        hermetic::open_to_all(path);
    }
    if lchown(stage.repo.home(), Some(65534), Some(65534)).is_err() {
        return skip::skip("another user can be played by root only");
    }
    let run = |trusted: bool| {
        let mut push = stage.repo.command("setpriv");
        push.args(["--reuid=65534", "--regid=65534", "--clear-groups"]).arg(&program).arg("push");
        if trusted {
            push.env("GIT_CONFIG_COUNT", "1")
                .env("GIT_CONFIG_KEY_0", "safe.directory")
                .env("GIT_CONFIG_VALUE_0", "*");
        }
        push
    };
    let before = stage.state();
    let told = Told::of(&mut run(true));
    told.tells(Code::NotWritable, &[]).exits(1);
    let told = Told::of(&mut run(false));
    assert_eq!(told.exit, 1, "{}", told.text());
    stage.unchanged(&before);
}

/// Panics unless a failed run left everything as it was, or open to be resumed.
fn judge(
    stage: &Stage,
    told: &Told,
    before: &(shipway_testkit::state::Snapshot, shipway_testkit::state::Snapshot),
) {
    let text = told.text();
    assert!([0, 1, 3, 4, 5].contains(&told.exit), "exit {}: {text}", told.exit);
    if told.exit != 0 {
        assert!(text.contains("error[SW"), "no code: {text}");
    }
    if matches!(told.exit, 1 | 4) && !text.contains("shipway resume") {
        before.0.assert_same(&stage.repo.state());
        before.1.assert_same(&stage.remote.snapshot());
    }
}

#[test]
fn a_disk_that_is_full_at_any_write_loses_nothing() {
    let stage = Stage::new();
    let Some(disk) = Disk::below(&stage, "ext4", 16) else { return };
    let mut endings = std::collections::BTreeMap::<(i32, String), u32>::new();
    let spaces = (0..40).step_by(4).chain((40..200).step_by(8)).chain((200..500).step_by(25));
    for (count, free) in spaces.enumerate() {
        let version = format!("1.1.{count}");
        if count > 0 {
            stage.publish(&format!("fix: mend {count}"));
        }
        disk.fill(free);
        let before = stage.state();
        let told = stage.run(&["push"]);
        let before = (before.0.without("lock"), before.1);
        disk.free();
        judge(&stage, &told, &before);
        if told.exit != 0 {
            let status = stage.run(&["resume"]);
            if !matches!(status.exit, 0 | 4) {
                status.tells(Code::NothingToResume, &[]).exits(10);
            }
            if status.exit != 0 {
                stage.run(&["push"]).ok();
            }
        }
        assert_eq!(
            stage.repo.rev(&format!("refs/tags/v{version}")),
            stage.remote.tag_object(&format!("v{version}")),
            "{free} KiB: {}",
            told.text()
        );
        stage.released(&version);
        let text = told.text();
        let code = text.split("error[").nth(1).and_then(|rest| rest.get(..6)).unwrap_or("-").to_owned();
        *endings.entry((told.exit, code)).or_default() += 1;
    }
    stage.repo.git(["fsck", "--no-dangling"]);
    // Lines of a step's output that found no room are told as missing; no entry of the journal is.
    let verify = stage.run(&["log", "--verify"]).text();
    assert!(!verify.contains(Code::JournalCorrupt.as_str()), "{verify}");
    println!("full disk: {endings:?}");
    assert!(endings.len() > 1, "the space was never short: {endings:?}");
}
