//! Copies of programs that a test starts at once.

use std::path::Path;
use std::process::Command;

/// Copies a program, in a process of its own.
///
/// A process that is started meanwhile by another test of this one would hold the copy open for writing until it runs its
/// own program, and the kernel starts no program that somebody writes (`ETXTBSY`).
///
/// # Panics
///
/// If it cannot be copied.
pub fn copy(from: impl AsRef<Path>, to: impl AsRef<Path>) {
    let mut command = Command::new("cp");
    let copied = command.arg("--").args([from.as_ref(), to.as_ref()]).output().expect("cp can be started");
    assert!(copied.status.success(), "{}", String::from_utf8_lossy(&copied.stderr));
}
