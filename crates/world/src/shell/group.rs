//! Control groups: the way to kill a child that has left its process group (cgroup v2 of Linux).

use std::cell::Cell;
use std::ffi::OsString;
use std::fs;
use std::io;
use std::os::unix::ffi::OsStringExt;
use std::path::{Path, PathBuf};
use std::thread;
use std::time::Duration;

use rustix::process::{Pid, Signal, kill_process};

/// How long to wait until killed processes have left their group, in steps of [`PAUSE`].
const PATIENCE: u32 = 200;
const PAUSE: Duration = Duration::from_millis(5);

/// A control group for one command; it is removed with this value.
#[derive(Debug)]
pub(super) struct Group {
    dir: PathBuf,
    killed: Cell<bool>,
}

impl Group {
    /// Makes a group below our own or at the root, or returns nothing where the machine does not let us.
    pub(super) fn create(number: u64) -> Option<Self> {
        let mounts = fs::read_to_string("/proc/self/mountinfo").ok()?;
        let own = fs::read_to_string("/proc/self/cgroup").ok()?;
        let bases = bases(&mounts, &own)?;
        bases.iter().find_map(|base| {
            sweep(base);
            let dir = base.join(format!("shipway-{}-{number}", std::process::id()));
            fs::create_dir(&dir).ok()?;
            Some(Self { dir, killed: Cell::new(false) })
        })
    }

    /// Returns the directory of the group.
    pub(super) fn dir(&self) -> &Path {
        &self.dir
    }

    /// Kills everything in the group.
    pub(super) fn kill(&self) {
        self.killed.set(true);
        if fs::write(self.dir.join("cgroup.kill"), "1").is_err() {
            // Linux before 5.14.
            for pid in self.members() {
                let _ = kill_process(pid, Signal::KILL);
            }
        }
    }

    fn members(&self) -> Vec<Pid> {
        let members = fs::read_to_string(self.dir.join("cgroup.procs")).unwrap_or_default();
        members.lines().filter_map(|pid| Pid::from_raw(pid.parse().ok()?)).collect()
    }

    /// Moves what a successful command has left running to where it would be without us.
    fn let_go(&self) {
        let Some(base) = self.dir.parent() else { return };
        for pid in self.members() {
            let _ = fs::write(base.join("cgroup.procs"), pid.as_raw_nonzero().to_string());
        }
    }
}

impl Drop for Group {
    fn drop(&mut self) {
        for _ in 0..PATIENCE {
            match fs::remove_dir(&self.dir) {
                Err(error) if error.kind() == io::ErrorKind::ResourceBusy => (),
                Ok(()) | Err(_) => return,
            }
            if self.killed.get() {
                thread::sleep(PAUSE);
            } else if self.members().is_empty() {
                // The command has made groups of its own.
                return;
            } else {
                self.let_go();
            }
        }
    }
}

/// Removes groups whose makers are gone; one that still has members stays.
fn sweep(base: &Path) {
    for entry in fs::read_dir(base).into_iter().flatten().flatten() {
        let name = entry.file_name();
        let maker = name.to_str().and_then(|name| name.strip_prefix("shipway-")?.split('-').next());
        if maker.is_some_and(|pid| !Path::new("/proc").join(pid).exists()) {
            let _ = fs::remove_dir(entry.path());
        }
    }
}

/// Returns the directories in which a group may be made, best first.
fn bases(mounts: &str, own: &str) -> Option<Vec<PathBuf>> {
    let (root, mount) = mounts.lines().find_map(cgroup2)?;
    let own = own.lines().find_map(|line| line.strip_prefix("0::"))?;
    let below = Path::new(own).strip_prefix(&root).ok().filter(|path| !path.starts_with(".."));
    let mut bases: Vec<_> = below.map(|path| mount.join(path)).into_iter().collect();
    if bases.first() != Some(&mount) {
        bases.push(mount);
    }
    Some(bases)
}

/// Returns root and mount point of a line of mountinfo (proc(5)), if it is a cgroup2 mount.
fn cgroup2(line: &str) -> Option<(PathBuf, PathBuf)> {
    let (mount, kind) = line.split_once(" - ")?;
    let mut fields = mount.split(' ').skip(3);
    (kind.split(' ').next() == Some("cgroup2")).then_some(())?;
    Some((unescape(fields.next()?), unescape(fields.next()?)))
}

/// Returns a path without the octal escapes of mountinfo.
fn unescape(text: &str) -> PathBuf {
    let mut bytes = vec![];
    let mut rest = text.as_bytes();
    while let Some((&first, after)) = rest.split_first() {
        let code = after.get(..3).and_then(|code| std::str::from_utf8(code).ok());
        match code.and_then(|code| u8::from_str_radix(code, 8).ok()) {
            Some(byte) if first == b'\\' => {
                bytes.push(byte);
                rest = &after[3..];
            }
            Some(_) | None => {
                bytes.push(first);
                rest = after;
            }
        }
    }
    PathBuf::from(OsString::from_vec(bytes))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(mounts: &str, own: &str, expect: &[&str]) {
        let bases = bases(mounts, own).unwrap_or_default();
        assert_eq!(bases, expect.iter().map(PathBuf::from).collect::<Vec<_>>());
    }

    #[test]
    fn the_cgroup2_mount_is_found() {
        let plain = "30 23 0:26 / /sys/fs/cgroup rw,relatime shared:9 - cgroup2 cgroup2 rw,nsdelegate";
        check(plain, "0::/user.slice/x", &["/sys/fs/cgroup/user.slice/x", "/sys/fs/cgroup"]);
        check(plain, "0::/", &["/sys/fs/cgroup/"]);
        check(plain, "0::/../x", &["/sys/fs/cgroup"]);
        check("32 31 0:29 / /sys/fs/cgroup/cpu rw - cgroup cgroup rw,cpu", "0::/", &[]);
        let odd = "30 23 0:26 /a /mnt/c\\040g rw - cgroup2 none rw";
        check(odd, "5:cpu:/q\n0::/a/b", &["/mnt/c g/b", "/mnt/c g"]);
    }
}
