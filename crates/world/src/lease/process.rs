//! Whether a process is still there.

use std::fs;

/// Returns the host name of this machine, as a holder carries it.
pub fn this_host() -> String {
    rustix::system::uname().nodename().to_string_lossy().into_owned()
}

struct Process {
    ended: bool,
    born: Option<u64>,
}

/// Tells whether the process of this number that began then is still there.
pub(super) fn is_there(pid: u32, born: Option<u64>) -> bool {
    let Some(process) = process(pid) else { return false };
    // Another process may have been given the number since.
    let same = match (born, process.born) {
        (Some(then), Some(now)) => then == now,
        (None, _) | (_, None) => true,
    };
    same && !process.ended
}

/// Returns what the system knows of a process, or nothing when there is none.
fn process(pid: u32) -> Option<Process> {
    if let Ok(stat) = fs::read_to_string(format!("/proc/{pid}/stat")) {
        return Some(from_stat(&stat));
    }
    let pid = rustix::process::Pid::from_raw(i32::try_from(pid).ok()?)?;
    match rustix::process::test_kill_process(pid) {
        Err(rustix::io::Errno::SRCH) => None,
        // Anything else means that there is one, even if it is not ours.
        Ok(()) | Err(_) => Some(Process { ended: false, born: None }),
    }
}

/// Reads state and start time (`proc_pid_stat(5)`, fields 3 and 22), which stand behind the name in brackets.
fn from_stat(stat: &str) -> Process {
    let mut fields = stat.rsplit(')').next().unwrap_or("").split_ascii_whitespace();
    // A process that has ended stays in the list until its parent asks for it.
    let ended = matches!(fields.next(), Some("Z" | "X"));
    Process { ended, born: fields.nth(18).and_then(|field| field.parse().ok()) }
}

/// Returns when a process began, in the clock of its machine, where the system tells it.
pub(super) fn born(pid: u32) -> Option<u64> {
    process(pid)?.born
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_process_is_told_from_a_later_one_of_the_same_number() {
        let stat = "42 (a ) b) S 1 42 42 0 -1 4194560 1 0 0 0 0 0 0 0 20 0 1 0 777 9 9";
        let process = from_stat(stat);
        assert!(!process.ended && process.born == Some(777));
        assert!(from_stat(&stat.replace(" S ", " Z ")).ended);
        let pid = std::process::id();
        assert_eq!(born(pid).is_some(), cfg!(target_os = "linux"));
        assert!(is_there(pid, born(pid)) && is_there(pid, None));
        assert!(!is_there(pid, Some(1)) || born(pid).is_none());
    }
}
