//! Ways in that run no hook, or that nobody vouches for.

use std::fs::{self, Metadata};
use std::os::unix::fs::{MetadataExt as _, PermissionsExt as _};
use std::path::{Path, PathBuf};

use shipway_core::problem::{Code, Problem};

use super::in_force;
use crate::guard::Guard;
use crate::hooks::staged::InHook;

/// Settings that open a door: the value that does, or any, and what it does.
const OPEN: [(&str, &str, &str); 3] = [
    ("daemon.receivepack", "true", "git-daemon takes pushes of anybody"),
    ("http.receivepack", "true", "a web server may take pushes of anybody"),
    ("extensions.partialClone", "", "the repository fetches objects from elsewhere when it looks at them"),
];

/// Write access for the group and for all others.
const OTHERS: u32 = 0o022;
/// In such a directory everybody may only remove what is their own.
const STICKY: u32 = 0o1000;

fn finding(what: &str, fix: &str) -> Problem {
    Problem::new(Code::GuardInert, what.to_owned()).hint(fix.to_owned())
}

/// Looks for all of them.
pub(super) fn look(git: &InHook<'_>, guard: &Guard, found: &mut Vec<Problem>) -> Result<(), Problem> {
    let repo = guard.repository.display();
    for (key, bad, what) in OPEN {
        if in_force(git, key)?.iter().any(|value| bad.is_empty() || is_true(value)) {
            found.push(finding(what, &format!("git -C {repo} config --unset-all {key}")));
        }
    }
    let remotes = git.run(&git.git().arg("remote"))?.text();
    for remote in remotes.lines() {
        let what = format!("{remote} is a remote: what is fetched from it moves refs past every push");
        found.push(finding(&what, &format!("git -C {repo} remote remove {remote}")));
    }
    if guard.repository.join("DAV").exists() {
        let what = "there is a DAV directory: pushes over WebDAV run no hook";
        found.push(finding(what, &format!("rm -r {repo}/DAV")));
    }
    let alternates = guard.repository.join("objects/info/alternates");
    if alternates.exists() {
        let what = "the repository uses objects of another repository, which can take them away";
        found.push(finding(what, &format!("git -C {repo} repack -a -d && rm {}", alternates.display())));
    }
    owners(guard, found);
    Ok(())
}

/// What git takes for yes.
fn is_true(value: &str) -> bool {
    !matches!(value.to_ascii_lowercase().as_str(), "false" | "no" | "off" | "0")
}

/// Files that decide where refs are and which hooks run, in other hands than those of this account.
fn owners(guard: &Guard, found: &mut Vec<Problem>) {
    let repo = guard.repository.display();
    let account = rustix::process::getuid().as_raw();
    let mut paths = vec![guard.repository.clone()];
    for name in ["HEAD", "config", "packed-refs", "objects", "objects/info"] {
        paths.push(guard.repository.join(name));
    }
    below(&guard.repository.join("refs"), &mut paths);
    below(&guard.dir(), &mut paths);
    if let Some(parent) = guard.repository.parent()
        && fs::metadata(parent).is_ok_and(|data| is_open(&data) && data.permissions().mode() & STICKY == 0)
    {
        let what = format!(
            "{} can be written by other accounts, who can put another repository here",
            parent.display()
        );
        found.push(finding(&what, &format!("chmod go-w {}", parent.display())));
    }
    let seen = |path: &PathBuf| Some((path.clone(), fs::metadata(path).ok()?));
    let all: Vec<(PathBuf, Metadata)> = paths.iter().filter_map(seen).collect();
    if let Some((path, _)) = all.iter().find(|(_, data)| data.uid() != account) {
        let what = format!("{} belongs to another account", path.display());
        found.push(finding(&what, &format!("chown -R ACCOUNT {repo}")));
    }
    if let Some((path, _)) = all.iter().find(|(_, data)| is_open(data)) {
        let what = format!("{} can be written by other accounts, who need no push", path.display());
        found.push(finding(&what, &format!("chmod -R go-w {repo}")));
    }
}

fn is_open(data: &Metadata) -> bool {
    data.permissions().mode() & OTHERS != 0
}

/// Adds a directory and all directories and files below it; a link is not followed.
fn below(dir: &Path, paths: &mut Vec<PathBuf>) {
    paths.push(dir.to_owned());
    let Ok(entries) = fs::read_dir(dir) else { return };
    for entry in entries.flatten() {
        match entry.file_type() {
            Ok(kind) if kind.is_dir() => below(&entry.path(), paths),
            Ok(kind) if kind.is_file() => paths.push(entry.path()),
            Ok(_) | Err(_) => {}
        }
    }
}
