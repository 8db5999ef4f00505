//! The machine: its operating system, user, rights, disks and memory.

use std::fs;
use std::path::Path;

use rustix::fs::statvfs;
use rustix::process::geteuid;
use rustix::system::uname;
use shipway_core::action::Cmd;
use shipway_core::preflight::Seen;

use super::{Eyes, failed, first_line};

pub(super) fn os() -> Seen {
    let read = |path| fs::read_to_string(path);
    let text = read("/etc/os-release").or_else(|_| read("/usr/lib/os-release")).unwrap_or_default();
    let value = |key: &str| {
        let line = text.lines().find_map(|line| line.strip_prefix(key)?.strip_prefix('='));
        line.unwrap_or_default().trim().trim_matches(['"', '\'']).to_owned()
    };
    let kernel = uname();
    let machine = [kernel.sysname(), kernel.machine()].map(|name| name.to_string_lossy().into_owned());
    let id = value("ID");
    // Systems without such a file are known by their kernel alone.
    let id = if id.is_empty() { machine[0].to_ascii_lowercase() } else { id };
    let like = value("ID_LIKE").split_whitespace().map(Into::into).collect();
    Seen::Os { id, like, version: value("VERSION_ID"), machine }
}

pub(super) fn user(eyes: &Eyes<'_>) -> Result<Seen, Seen> {
    let output = eyes.run(Cmd::new("id").arg("-un"))?;
    if output.ok() {
        Ok(Seen::User { name: output.text() })
    } else {
        Err(failed(first_line(&output.error_text())))
    }
}

pub(super) fn sudo(eyes: &Eyes<'_>, command: &[String]) -> Result<Seen, Seen> {
    if geteuid().is_root() {
        return Ok(Seen::Sudo { allowed: true, password: Some(false), why: String::new() });
    }
    let output = eyes.run(Cmd::new("sudo").args(["-n", "-l", "-l", "--"]).args(command))?;
    Ok(rights(output.ok(), &output.text(), &output.error_text()))
}

/// Reads what sudo says of a command: a rule without a password has the option `!authenticate`.
pub(super) fn rights(allowed: bool, text: &str, error: &str) -> Seen {
    if !allowed {
        return Seen::Sudo { allowed, password: None, why: first_line(error) };
    }
    let detailed = text.lines().any(|line| line.contains("RunAsUsers:") || line.contains("Options:"));
    let free = text.lines().any(|line| line.contains("Options:") && line.contains("!authenticate"));
    Seen::Sudo { allowed, password: detailed.then_some(!free), why: String::new() }
}

pub(super) fn disk(path: &Path) -> Seen {
    let mut path = path;
    // A directory that is not there yet will be on the disk of the one above it.
    loop {
        match statvfs(if path.as_os_str().is_empty() { Path::new(".") } else { path }) {
            Ok(found) => {
                return Seen::Disk {
                    bytes: found.f_bavail.saturating_mul(found.f_frsize),
                    inodes: (found.f_files > 0).then_some(found.f_favail),
                };
            }
            Err(rustix::io::Errno::NOENT | rustix::io::Errno::NOTDIR) => {
                let Some(above) = path.parent() else { return failed("there is no such path") };
                path = above;
            }
            Err(error) => return failed(std::io::Error::from(error).to_string()),
        }
    }
}

pub(super) fn memory() -> Seen {
    let text = match fs::read_to_string("/proc/meminfo") {
        Ok(text) => text,
        Err(error) => return failed(format!("/proc/meminfo: {error}")),
    };
    let line = text.lines().find_map(|line| line.strip_prefix("MemAvailable:"));
    let kib = line.and_then(|line| line.trim().strip_suffix("kB")?.trim().parse::<u64>().ok());
    kib.map_or_else(|| failed("/proc/meminfo does not say"), |kib| Seen::Memory { bytes: kib * 1024 })
}
