//! Whether acknowledged means on disk: the settings read back from `SQLite`, and what kind of file system is below.

use std::fs;
use std::path::Path;

use rusqlite::Connection;
use shipway_core::journal::Durability;

/// What a file system is good for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Place {
    Local,
    Network,
    Memory,
    Unknown,
}

impl Place {
    fn as_str(self) -> &'static str {
        match self {
            Self::Local => "local",
            Self::Network => "network",
            Self::Memory => "memory",
            Self::Unknown => "unknown",
        }
    }
}

/// States the durability of an open journal. Only WAL with full syncs on a known local file system is proven.
pub(super) fn of_file(connection: &Connection, dir: &Path) -> Durability {
    let mode: String = connection
        .query_one("PRAGMA journal_mode", (), |row| row.get(0))
        .unwrap_or_else(|_| "an unknown journal mode".to_owned());
    let level: i64 = connection.query_one("PRAGMA synchronous", (), |row| row.get(0)).unwrap_or(-1);
    let synchronous = match level {
        0 => "off",
        1 => "normal",
        2 => "full",
        3 => "extra",
        _ => "unknown",
    };
    let (name, place, careless) = below(dir);
    let kept = mode == "wal" && level >= 2;
    let mut how = format!("{mode}, synchronous {synchronous}, {name} ({})", place.as_str());
    if let Some(option) = &careless {
        how = format!("{how}, mounted with {option}");
    }
    Durability { proven: kept && place == Place::Local && careless.is_none(), how }
}

/// States the durability of a journal that is not there yet: nothing can be read back, so nothing is proven.
pub(super) fn of_nothing(dir: &Path) -> Durability {
    let nearest = dir.ancestors().find(|dir| dir.is_dir()).unwrap_or(dir);
    let (name, place, _) = below(nearest);
    Durability { proven: false, how: format!("no journal yet, {name} ({})", place.as_str()) }
}

/// Returns the name and the kind of the file system of a directory, and the mount option that makes its syncs void.
fn below(dir: &Path) -> (String, Place, Option<String>) {
    let (name, place) = file_system(dir);
    let mounts = fs::read_to_string("/proc/self/mountinfo").unwrap_or_default();
    let careless = fs::canonicalize(dir).ok().and_then(|dir| careless_option(&mounts, &dir));
    (name, place, careless)
}

#[cfg(target_os = "linux")]
fn file_system(dir: &Path) -> (String, Place) {
    match rustix::fs::statfs(dir) {
        // The magic number is 32 bits wide; some architectures keep it in a signed word.
        #[expect(
            clippy::cast_sign_loss,
            clippy::cast_possible_truncation,
            reason = "only 32 bits mean something"
        )]
        Ok(stat) => named(stat.f_type as u32),
        Err(error) => (format!("a file system that does not answer ({error})"), Place::Unknown),
    }
}

#[cfg(not(target_os = "linux"))]
fn file_system(_dir: &Path) -> (String, Place) {
    (format!("a file system of {}", std::env::consts::OS), Place::Unknown)
}

/// Returns the name and the kind behind a magic number (Linux, `statfs(2)` and `linux/magic.h`).
fn named(magic: u32) -> (String, Place) {
    use Place::{Local, Memory, Network, Unknown};
    let (name, place) = match magic {
        0x0000_EF53 => ("ext4", Local),
        0x5846_5342 => ("xfs", Local),
        0x9123_683E => ("btrfs", Local),
        0x794C_7630 => ("overlay", Local),
        0x2FC1_2FC1 => ("zfs", Local),
        0xF2F5_2010 => ("f2fs", Local),
        0xCA45_1A4E => ("bcachefs", Local),
        0x3153_464A => ("jfs", Local),
        0x0000_6969 => ("nfs", Network),
        0xFF53_4D42 => ("cifs", Network),
        0xFE53_4D42 => ("smb2", Network),
        0x0000_517B => ("smb", Network),
        0x0102_1997 => ("9p", Network),
        0x00C3_6400 => ("ceph", Network),
        0x5346_414F => ("afs", Network),
        0x7461_636F => ("ocfs2", Network),
        0x0116_1970 => ("gfs2", Network),
        0x0BD0_0BD0 => ("lustre", Network),
        0x0102_1994 => ("tmpfs", Memory),
        0x8584_58F6 => ("ramfs", Memory),
        0x6573_5546 => ("fuse", Unknown),
        0x0000_4D44 => ("fat", Unknown),
        0x2011_BAB0 => ("exfat", Unknown),
        other => return (format!("file system {other:#x}"), Unknown),
    };
    (name.to_owned(), place)
}

/// Returns the option with which a sync on the mount of `dir` promises nothing (`proc_pid_mountinfo(5)`).
fn careless_option(mounts: &str, dir: &Path) -> Option<String> {
    let mounted = |line: &str| {
        let (mount, system) = line.split_once(" - ")?;
        let point = mount.split(' ').nth(4)?.replace("\\040", " ");
        dir.starts_with(&point).then(|| (point.len(), system.split(' ').nth(2).unwrap_or("").to_owned()))
    };
    // Of two mounts on the same point, the later one covers the other.
    let (_, options) = mounts.lines().filter_map(mounted).max_by_key(|(depth, _)| *depth)?;
    let careless = ["nobarrier", "barrier=0", "volatile", "fsync=volatile"];
    options.split(',').find(|option| careless.contains(option)).map(str::to_owned)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn file_systems_are_told_apart() {
        let check = |magic, name: &str, place| assert_eq!(named(magic), (name.to_owned(), place));
        check(0xEF53, "ext4", Place::Local);
        check(0x9123_683E, "btrfs", Place::Local);
        check(0x6969, "nfs", Place::Network);
        check(0xFF53_4D42, "cifs", Place::Network);
        check(0x0102_1994, "tmpfs", Place::Memory);
        check(0x6573_5546, "fuse", Place::Unknown);
        check(0x1234, "file system 0x1234", Place::Unknown);
    }

    #[test]
    fn a_mount_without_barriers_is_found() {
        let mounts = "\
22 1 254:0 / / rw,relatime - ext4 /dev/vda rw
30 22 7:0 / /fast\\040disk rw - ext4 /dev/loop0 rw,nobarrier
31 22 0:40 / /box rw - overlay overlay rw,lowerdir=/a,upperdir=/b,volatile
32 22 7:1 / /twice rw - ext4 /dev/loop1 rw,nobarrier
33 22 7:2 / /twice rw - ext4 /dev/loop2 rw
";
        let check = |dir: &str, option: Option<&str>| {
            assert_eq!(careless_option(mounts, Path::new(dir)).as_deref(), option, "{dir}");
        };
        check("/elsewhere", None);
        check("/fast disk/repo", Some("nobarrier"));
        check("/box/repo", Some("volatile"));
        check("/boxes", None);
        check("/twice", None);
    }
}
