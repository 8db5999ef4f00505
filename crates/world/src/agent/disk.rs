//! How much room there is.

use std::path::Path;

use shipway_core::problem::{Code, Problem};

use super::root::problem;

/// Room on a file system.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Room {
    /// Bytes that this user may still write.
    pub(super) bytes: u64,
    /// Inodes, where the file system counts them.
    pub(super) inodes: Option<u64>,
    /// The unit in which files take room.
    pub(super) block: u64,
}

/// What stays free in any case, for the journal and the small files.
const SPARE: u64 = 512 << 10;

pub(super) fn room(dir: &Path) -> Result<Room, Problem> {
    let nearest = dir.ancestors().find(|dir| dir.is_dir()).unwrap_or(dir);
    let found = rustix::fs::statvfs(nearest).map_err(|error| problem(nearest, &error.into()))?;
    Ok(Room {
        bytes: found.f_bavail.saturating_mul(found.f_frsize),
        inodes: (found.f_files > 0).then_some(found.f_favail),
        block: found.f_frsize.max(512),
    })
}

/// Refuses when files of these sizes, and so many names beside them, have no room.
pub(super) fn prove(dir: &Path, sizes: impl Iterator<Item = u64>, names: u64) -> Result<(), Problem> {
    let room = room(dir)?;
    let (mut bytes, mut inodes) = (SPARE, names);
    for size in sizes {
        bytes += size.div_ceil(room.block) * room.block;
        inodes += 1;
    }
    let place = dir.display();
    if bytes > room.bytes {
        let problem =
            Problem::new(Code::HostDisk, format!("the release does not fit on the disk of {place}"))
                .found(format!("{} KiB free", room.bytes >> 10))
                .wanted(format!("{} KiB", bytes >> 10));
        return Err(problem.hint(format!("df -h {place}")));
    }
    if let Some(free) = room.inodes.filter(|free| *free < inodes) {
        let problem = Problem::new(Code::HostDisk, format!("the disk of {place} has too few free inodes"))
            .found(free.to_string())
            .wanted(inodes.to_string());
        return Err(problem.hint(format!("df -i {place}")));
    }
    Ok(())
}
