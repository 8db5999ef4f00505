//! Handing over to the hook that was there before.

use std::ffi::OsString;
use std::io::{self, Write as _};
use std::os::unix::process::{CommandExt as _, ExitStatusExt as _};
use std::path::Path;
use std::process::{Command, Stdio};

use super::install::is_executable;

/// `ENOEXEC`: a script without a first line of its own, which git hands to a shell.
const NO_FORMAT: i32 = 8;

/// Runs a hook with these arguments, if it is there, and returns its exit code.
///
/// With `input` the hook reads these bytes; without, what this process would read. It then takes the place of this
/// process, so that signals and terminals are its own, and this returns only if that fails.
pub fn hand_over(next: &Path, args: &[OsString], input: Option<&[u8]>) -> io::Result<u8> {
    if !is_executable(next) {
        return Ok(0);
    }
    let plain = |program: &Path| {
        let mut command = Command::new(program);
        command.args(args);
        command
    };
    let mut shell = Command::new("/bin/sh");
    shell.arg(next).args(args);
    let Some(input) = input else {
        let error = plain(next).exec();
        return if error.raw_os_error() == Some(NO_FORMAT) { Err(shell.exec()) } else { Err(error) };
    };
    match feed(plain(next), input) {
        Err(error) if error.raw_os_error() == Some(NO_FORMAT) => feed(shell, input),
        result => result,
    }
}

fn feed(mut command: Command, input: &[u8]) -> io::Result<u8> {
    let mut child = command.stdin(Stdio::piped()).spawn()?;
    let mut stdin = child.stdin.take().expect("the standard input is a pipe");
    // A hook that does not read all is not in the wrong.
    let _ = stdin.write_all(input);
    drop(stdin);
    let status = child.wait()?;
    let code = status.code().unwrap_or_else(|| 128 + status.signal().unwrap_or(0));
    Ok(u8::try_from(code).unwrap_or(1))
}
