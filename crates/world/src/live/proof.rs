//! Whose a process is, as the system tells it (`proc(5)`).

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use shipway_core::time::Time;

use super::Instance;
use super::instance::{MARK, RELEASE};
use super::record;

/// What `/proc/PID/stat` says of a process.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Process {
    pub(super) pid: u32,
    /// When it began, in ticks since the machine started.
    pub(super) born: u64,
    /// Its process group.
    pub(super) group: u32,
    /// Whether it has ended and only waits to be asked for.
    pub(super) ended: bool,
}

impl Process {
    /// Reads a line (`proc_pid_stat(5)`, fields 1, 3, 5 and 22); the name in brackets may hold anything.
    pub(super) fn parse(stat: &str) -> Option<Self> {
        let pid = stat.split_ascii_whitespace().next()?.parse().ok()?;
        let fields: Vec<_> = stat.rsplit_once(')')?.1.split_ascii_whitespace().collect();
        let ended = matches!(*fields.first()?, "Z" | "X");
        Some(Self { pid, born: fields.get(19)?.parse().ok()?, group: fields.get(2)?.parse().ok()?, ended })
    }

    /// Returns the process of a number, if it has not ended.
    pub(super) fn find(pid: u32) -> Option<Self> {
        let stat = fs::read_to_string(format!("/proc/{pid}/stat")).ok()?;
        Self::parse(&stat).filter(|process| !process.ended)
    }

    /// Returns the processes of a group that have not ended.
    pub(super) fn of_group(group: u32) -> Vec<Self> {
        let Ok(entries) = fs::read_dir("/proc") else { return vec![] };
        let pids = entries.flatten().filter_map(|entry| entry.file_name().to_str()?.parse().ok());
        pids.filter_map(Self::find).filter(|process| process.group == group).collect()
    }

    /// Returns since when it runs.
    pub(super) fn since(&self) -> Option<Time> {
        // The system counts in hundredths of a second on every machine that runs Linux today (`time(7)`, USER_HZ).
        const TICK_MS: u64 = 10;
        let stat = fs::read_to_string("/proc/stat").ok()?;
        let boot: u64 = stat.lines().find_map(|line| line.strip_prefix("btime "))?.trim().parse().ok()?;
        Some(Time(boot * 1000 + self.born * TICK_MS))
    }

    /// Returns one of the variables that it was started with.
    pub(super) fn variable(&self, name: &str) -> io::Result<Option<String>> {
        let bytes = fs::read(format!("/proc/{}/environ", self.pid))?;
        let value = |pair: &[u8]| {
            let pair = String::from_utf8_lossy(pair).into_owned();
            pair.split_once('=').filter(|(key, _)| *key == name).map(|(_, value)| value.to_owned())
        };
        Ok(bytes.split(|&byte| byte == 0).find_map(value))
    }
}

/// Whose a process is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Proof {
    /// It is of the release, and runs as this deployment says.
    Ours,
    /// It is something else.
    Other(String),
}

/// Shows whose a process is: by the mark among its variables or, where it has overwritten them, by its program and its
/// directory.
pub(super) fn prove(instance: &Instance<'_>, pid: u32) -> Proof {
    let Some(process) = Process::find(pid) else { return Proof::Other(format!("process {pid} is gone")) };
    match process.variable(MARK) {
        Ok(Some(mark)) if mark == instance.mark().as_str() => Proof::Ours,
        Ok(Some(_)) => {
            let release = process.variable(RELEASE).ok().flatten().unwrap_or_default();
            let of = release.get(..8).unwrap_or("unknown").to_owned();
            if release == instance.deployment.artifact.as_str() {
                Proof::Other(format!("process {pid} is of the release, but not as configured"))
            } else {
                Proof::Other(format!("process {pid} is of release {of}"))
            }
        }
        Ok(None) => by_place(instance, pid),
        Err(error) if error.kind() == io::ErrorKind::PermissionDenied => {
            Proof::Other(format!("process {pid} may not be looked at by this user"))
        }
        Err(_) => Proof::Other(format!("process {pid} is gone")),
    }
}

fn by_place(instance: &Instance<'_>, pid: u32) -> Proof {
    let link = |name: &str| fs::read_link(format!("/proc/{pid}/{name}")).unwrap_or_default();
    let (program, dir) = (link("exe"), link("cwd"));
    let real = |path: PathBuf| fs::canonicalize(&path).unwrap_or(path);
    let homes = [real(instance.release()), real(instance.runtime())];
    let inside = |path: &Path| homes.iter().any(|home| path.starts_with(home));
    if !inside(&program) && !inside(&dir) {
        return Proof::Other(format!("process {pid} is {} in {}", program.display(), dir.display()));
    }
    // Its place does not tell how it was configured; what was last started under this name does.
    if record::mark(instance).is_some_and(|mark| mark == instance.mark()) {
        Proof::Ours
    } else {
        Proof::Other(format!("process {pid} is of the release, but not as configured"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_is_read_whatever_the_program_is_called() {
        let stat = "42 (a ) b) S 1 40 42 0 -1 4194560 1 0 0 0 0 0 0 0 20 0 1 0 777 9 9";
        let process = Process { pid: 42, born: 777, group: 40, ended: false };
        assert_eq!(Process::parse(stat), Some(process));
        assert_eq!(Process::parse(&stat.replace(" S ", " Z ")), Some(Process { ended: true, ..process }));
        assert_eq!(Process::parse("42 (half"), None);
    }

    #[test]
    fn this_process_is_found_with_its_time() {
        let process = Process::find(std::process::id()).unwrap();
        assert!(process.since().unwrap() > Time(1_577_836_800_000));
        assert!(Process::of_group(process.group).contains(&process));
    }
}
