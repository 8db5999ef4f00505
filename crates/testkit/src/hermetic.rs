//! The surroundings of every command of the kit: the same on every machine, and never a question.

use std::env;
use std::ffi::{OsStr, OsString};
use std::io::Write;
use std::path::Path;
use std::process::{Command, Output, Stdio};

/// Settings of the user and of the machine are not read, the language is English, the time zone UTC, and nobody is
/// asked anything.
const VARIABLES: [(&str, &str); 15] = [
    ("GIT_CONFIG_GLOBAL", "/dev/null"),
    ("GIT_CONFIG_SYSTEM", "/dev/null"),
    ("GIT_CONFIG_NOSYSTEM", "1"),
    ("GIT_ATTR_NOSYSTEM", "1"),
    // Ignored names and attributes are looked up here even without a global configuration.
    ("XDG_CONFIG_HOME", "/nonexistent"),
    ("LC_ALL", "C"),
    ("LANGUAGE", ""),
    ("TZ", "UTC"),
    ("GIT_TERMINAL_PROMPT", "0"),
    ("GIT_ASKPASS", ""),
    ("SSH_ASKPASS", ""),
    ("SSH_ASKPASS_REQUIRE", "never"),
    ("GIT_EDITOR", "true"),
    ("GIT_PAGER", "cat"),
    ("GIT_MERGE_AUTOEDIT", "no"),
];

/// Returns the variables to set for a hermetic command.
pub fn variables() -> Vec<(OsString, OsString)> {
    VARIABLES.iter().map(|(name, value)| (name.into(), value.into())).collect()
}

/// What makes shipway take the user for a machine, or a file for a terminal, and what shells heed.
const STEERS_OTHERS: [&str; 6] = ["CI", "SHIPWAY_ACTOR", "NO_COLOR", "CLICOLOR_FORCE", "CDPATH", "BASH_ENV"];

/// Returns the inherited variables to take away: all that steer git, shipway or a shell, as inside a hook, in
/// continuous integration, or on a developer's machine.
pub fn inherited() -> Vec<OsString> {
    let steers = |name: &str| name.starts_with("GIT_") || STEERS_OTHERS.contains(&name);
    env::vars_os().map(|(name, _)| name).filter(|name| name.to_str().is_some_and(steers)).collect()
}

/// Returns a hermetic command in a directory, without arguments.
pub fn command(program: impl AsRef<OsStr>, dir: &Path) -> Command {
    let mut command = Command::new(program);
    for name in inherited() {
        command.env_remove(name);
    }
    command.envs(variables()).current_dir(dir);
    command
}

/// Lets everybody read a directory and all below it, whatever the umask was when it was made.
///
/// # Panics
///
/// Panics if it cannot be.
pub fn open_to_all(dir: &Path) {
    let mut open = Command::new("chmod");
    let status = open.args(["-R", "a+rX"]).arg(dir).status();
    assert!(status.is_ok_and(|status| status.success()), "{} cannot be opened to all", dir.display());
}

/// Runs a command that reads `input`, and returns what it did.
pub(crate) fn run(command: &mut Command, input: &[u8]) -> Output {
    command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut child = command.spawn().unwrap_or_else(|error| panic!("{command:?}: {error}"));
    // A command that does not read is not in the wrong; what it says about that is in its output.
    let _ = child.stdin.take().expect("the standard input is a pipe").write_all(input);
    child.wait_with_output().expect("a child can be waited for")
}

/// Returns the standard output of a command that did well, without the last line feed.
#[track_caller]
pub(crate) fn text(command: &Command, output: &Output) -> String {
    let errors = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{command:?} ended with {}: {errors}", output.status);
    String::from_utf8_lossy(&output.stdout).trim_end_matches('\n').to_owned()
}

/// Writes a program through a child: one that this process wrote itself could be busy when it is started, because a
/// child that another test starts meanwhile inherits the open file.
pub(crate) fn write_program(path: &Path, script: &str) {
    let dir = path.parent().expect("a program is in a directory");
    std::fs::create_dir_all(dir).expect("a directory can be made in the test's own directory");
    let script = if script.starts_with("#!") { script.to_owned() } else { format!("#!/bin/sh\n{script}\n") };
    let mut write = command("/bin/sh", dir);
    write.args(["-c", r#"cat >"$1" && chmod 755 "$1""#, "sh"]).arg(path);
    let output = run(&mut write, script.as_bytes());
    text(&write, &output);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_steers_git_is_set_or_taken_away() {
        let dir = tempfile::tempdir().unwrap();
        let mut env = command("env", dir.path());
        let output = run(&mut env, b"");
        let seen = text(&env, &output);
        let wanted: Vec<String> = VARIABLES.iter().map(|(name, value)| format!("{name}={value}")).collect();
        for line in seen.lines().filter(|line| line.starts_with("GIT_")) {
            assert!(wanted.iter().any(|wanted| wanted == line), "{line}");
        }
        assert!(wanted.iter().all(|wanted| seen.lines().any(|line| line == wanted)), "{seen}");
    }

    #[test]
    fn a_program_can_be_run_once_it_is_written() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("bin/greet");
        write_program(&path, "read name; echo hello $name");
        let mut greet = command(&path, dir.path());
        let output = run(&mut greet, b"you\n");
        assert_eq!(text(&greet, &output), "hello you");
    }
}
