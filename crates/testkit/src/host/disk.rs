//! Small disks, and directories that cannot be written.

use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::process::Command;

use tempfile::TempDir;

use super::process::AtEnd;
use super::{Unable, is_root, program, quote};

/// A file system in memory of an exact size. It can be the disk of a host: see [`Wanted::disk`](super::Wanted::disk).
#[derive(Debug)]
pub struct Tmpfs {
    #[expect(dead_code, reason = "it unmounts the disk, before the directory is removed")]
    mounted: AtEnd,
    at: PathBuf,
    home: Option<TempDir>,
}

impl Tmpfs {
    /// Mounts one of so many bytes, which are rounded up to whole pages.
    pub fn new(bytes: u64) -> Result<Self, Unable> {
        let home = mount_point()?;
        let mut disk = Self::on(home.path().join("disk"), bytes)?;
        disk.home = Some(home);
        Ok(disk)
    }

    /// Mounts one over a directory.
    pub(super) fn on(at: PathBuf, bytes: u64) -> Result<Self, Unable> {
        if !is_root() {
            return Err("mounting needs root".to_owned());
        }
        let size = format!("size={bytes},mode=755");
        run(Command::new("mount").args(["-t", "tmpfs", "-o", &size, "shipway-test"]).arg(&at))?;
        Ok(Self { mounted: unmount(&at), at, home: None })
    }

    /// Returns where it is mounted.
    pub fn path(&self) -> &Path {
        &self.at
    }
}

/// An ext4 file system in a file, of an exact size.
#[derive(Debug)]
pub struct LoopDisk {
    #[expect(dead_code, reason = "it unmounts the disk, before the directory is removed")]
    mounted: AtEnd,
    at: PathBuf,
    #[expect(dead_code, reason = "it removes the directory")]
    home: TempDir,
}

impl LoopDisk {
    /// Makes and mounts one of so many bytes, with room for so many files.
    pub fn new(bytes: u64, files: u32) -> Result<Self, Unable> {
        let home = mount_point()?;
        let (image, at) = (home.path().join("image"), home.path().join("disk"));
        let made = fs::File::create(&image).and_then(|file| file.set_len(bytes));
        made.map_err(|error| format!("no image of a disk can be made: {error}"))?;
        let files = files.to_string();
        run(Command::new(program("mkfs.ext4")?).args(["-q", "-F", "-m", "0", "-N", &files]).arg(&image))?;
        run(Command::new("mount").args(["-o", "loop"]).args([&image, &at]))?;
        Ok(Self { mounted: unmount(&at), at, home })
    }

    /// Returns where it is mounted.
    pub fn path(&self) -> &Path {
        &self.at
    }

    /// Lets it be read only from now on, or written again.
    pub fn read_only(&self, yes: bool) -> Result<(), Unable> {
        let how = if yes { "remount,ro" } else { "remount,rw" };
        run(Command::new("mount").args(["-o", how]).arg(&self.at))
    }
}

/// Runs something while a directory cannot be written, and makes it writable again even after a panic. Root writes
/// everywhere but on a mount that is read-only, so for root it is one, which takes in all below it.
pub fn read_only<T>(dir: &Path, run_it: impl FnOnce() -> T) -> Result<T, Unable> {
    if is_root() {
        run(Command::new("mount").arg("--bind").args([dir, dir]))?;
        let mounted = unmount(dir);
        run(Command::new("mount").args(["-o", "remount,bind,ro"]).arg(dir))?;
        let answer = run_it();
        drop(mounted);
        return Ok(answer);
    }
    let before = fs::metadata(dir).map_err(|error| format!("{}: {error}", dir.display()))?.permissions();
    let shut = fs::Permissions::from_mode(before.mode() & !0o222);
    fs::set_permissions(dir, shut).map_err(|error| format!("{}: {error}", dir.display()))?;
    let _again = Again(dir, before);
    Ok(run_it())
}

struct Again<'a>(&'a Path, fs::Permissions);

impl Drop for Again<'_> {
    fn drop(&mut self) {
        // The closure may have removed the directory.
        let _ = fs::set_permissions(self.0, self.1.clone());
    }
}

fn mount_point() -> Result<TempDir, Unable> {
    if !is_root() {
        return Err("mounting needs root".to_owned());
    }
    let home = TempDir::new().map_err(|error| error.to_string())?;
    fs::create_dir(home.path().join("disk")).map_err(|error| error.to_string())?;
    Ok(home)
}

/// Unmounts at the end. What still has files open there does not hinder it: a lazy unmount takes them along.
pub(super) fn unmount(at: &Path) -> AtEnd {
    AtEnd::run(&format!("umount {at} || umount -l {at}", at = quote(at)))
}

/// Runs a command that prepares something; how it fails is the reason why a test cannot run.
pub(super) fn run(command: &mut Command) -> Result<(), Unable> {
    let output = command.output().map_err(|error| format!("{command:?}: {error}"))?;
    let errors = String::from_utf8_lossy(&output.stderr);
    if output.status.success() { Ok(()) } else { Err(format!("{command:?}: {}", errors.trim())) }
}
