//! The beginning of every git command line: the same answers on every machine, and never a question.

use std::ffi::OsString;
use std::path::{Path, PathBuf};

use shipway_core::action::Cmd;

/// Settings for every command: names as they are, no housekeeping behind our back, no colours, no advice.
const SETTINGS: [&str; 5] = [
    "core.quotepath=off",
    "gc.auto=0",
    "maintenance.auto=false",
    "color.ui=false",
    "advice.detachedHead=false",
];

/// Variables for every command. An empty `GIT_ASKPASS` keeps git from asking any other helper.
const VARIABLES: [(&str, &str); 9] = [
    ("GIT_TERMINAL_PROMPT", "0"),
    ("SSH_ASKPASS", ""),
    ("SSH_ASKPASS_REQUIRE", "never"),
    ("GCM_INTERACTIVE", "never"),
    ("LC_ALL", "C"),
    ("GIT_EDITOR", "true"),
    ("GIT_SEQUENCE_EDITOR", "true"),
    ("GIT_PAGER", "cat"),
    ("GIT_MERGE_AUTOEDIT", "no"),
];

/// Variables that would make git look at another repository or answer in another form, as inside a hook.
const UNSET: [&str; 24] = [
    "LANGUAGE",
    "GIT_DIR",
    "GIT_WORK_TREE",
    "GIT_IMPLICIT_WORK_TREE",
    "GIT_COMMON_DIR",
    "GIT_INDEX_FILE",
    "GIT_OBJECT_DIRECTORY",
    "GIT_ALTERNATE_OBJECT_DIRECTORIES",
    "GIT_QUARANTINE_PATH",
    "GIT_NAMESPACE",
    "GIT_PREFIX",
    "GIT_INTERNAL_SUPER_PREFIX",
    "GIT_CONFIG",
    "GIT_GRAFT_FILE",
    "GIT_SHALLOW_FILE",
    "GIT_NO_REPLACE_OBJECTS",
    "GIT_REPLACE_REF_BASE",
    "GIT_REFLOG_ACTION",
    "GIT_LITERAL_PATHSPECS",
    "GIT_GLOB_PATHSPECS",
    "GIT_NOGLOB_PATHSPECS",
    "GIT_ICASE_PATHSPECS",
    "GIT_EXTERNAL_DIFF",
    "GIT_DIFF_OPTS",
];

/// How ssh is called where the user has not said it: it never asks, and does not wait for a dead host.
const BATCH_SSH: &str = "ssh -o BatchMode=yes -o ConnectTimeout=15";

/// How git reaches other machines.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Remote {
    /// Whether the user has an ssh command of their own, in `GIT_SSH_COMMAND`, `core.sshCommand` or `GIT_SSH`.
    pub own_ssh: bool,
    /// The program that answers for credentials, if the user has set `GIT_ASKPASS`.
    pub askpass: Option<OsString>,
}

/// Returns the beginning of a git command in a directory, for commands that reach no other machine.
pub fn git(dir: &Path) -> Cmd {
    let mut cmd = Cmd::new("git").dir(PathBuf::from(dir));
    for setting in SETTINGS {
        cmd = cmd.arg("-c").arg(setting);
    }
    cmd = cmd.arg("--no-optional-locks").env("GIT_ASKPASS", "");
    for (name, value) in VARIABLES {
        cmd = cmd.env(name, value);
    }
    UNSET.into_iter().fold(cmd, Cmd::unset)
}

/// Returns the beginning of a git command in a directory, for commands that reach another machine.
pub fn remote_git(dir: &Path, remote: &Remote) -> Cmd {
    let mut cmd = git(dir);
    if let Some(askpass) = &remote.askpass {
        cmd = cmd.env("GIT_ASKPASS", askpass);
    }
    if remote.own_ssh { cmd } else { cmd.env("GIT_SSH_COMMAND", BATCH_SSH) }
}

#[cfg(test)]
#[path = "cmd_tests.rs"]
mod tests;
