//! What a repository is, byte for byte, so that "as it was before" is one assertion.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;

use shipway_core::id::Digest;

use crate::diff;
use crate::hermetic;

/// Files of a git directory that show settings or an operation in progress.
const MARKS: [&str; 10] = [
    "config",
    "hooks",
    "info",
    "MERGE_HEAD",
    "CHERRY_PICK_HEAD",
    "REVERT_HEAD",
    "BISECT_LOG",
    "rebase-merge",
    "rebase-apply",
    "sequencer",
];

/// Every ref, HEAD, the index, every file of the work tree with its mode, the status, the list of work trees, and of
/// the git directory its settings, hooks, locks and operations in progress. Reflogs and unreachable objects are not in
/// it. Each part has a name such as `ref refs/heads/main`, `file README.md` or `index README.md`.
#[derive(Clone, PartialEq, Eq)]
pub struct Snapshot(BTreeMap<String, Vec<u8>>);

impl Snapshot {
    /// Returns what a repository with a work tree is now. Looking changes nothing, not even the index.
    pub fn of(work_tree: &Path) -> Self {
        let mut parts = refs(&work_tree.join(".git"));
        index(work_tree, &mut parts);
        let status = ["status", "--porcelain=v1", "-z", "--untracked-files=all", "--ignored=matching"];
        for line in git(work_tree, &status).split('\0').filter(|line| !line.is_empty()) {
            parts.insert(format!("status {line}"), vec![]);
        }
        parts.insert("worktrees".into(), git(work_tree, &["worktree", "list", "--porcelain"]).into());
        files(work_tree, work_tree, "file", &|path| path != ".git", &mut parts);
        let dir = work_tree.join(".git");
        let marks =
            |path: &str| MARKS.iter().any(|mark| path == *mark || path.starts_with(&format!("{mark}/")));
        files(&dir, &dir, "git", &marks, &mut parts);
        locks(&dir, &dir, &mut parts);
        Self(parts)
    }

    /// Returns what a bare repository is now: its refs and its HEAD.
    pub fn of_bare(dir: &Path) -> Self {
        Self(refs(dir))
    }

    /// Returns it without the parts whose names begin with `prefix`, such as `ref refs/remotes/`.
    #[must_use]
    pub fn without(mut self, prefix: &str) -> Self {
        self.0.retain(|name, _| !name.starts_with(prefix));
        self
    }

    /// Returns a part as text, if it is there.
    pub fn part(&self, name: &str) -> Option<String> {
        self.0.get(name).map(|bytes| String::from_utf8_lossy(bytes).into_owned())
    }

    /// Returns what is different now, in lines to read; nothing if nothing is.
    pub fn diff(&self, now: &Self) -> String {
        let names: BTreeSet<&String> = self.0.keys().chain(now.0.keys()).collect();
        let mut shown = vec![];
        for name in names {
            match (self.0.get(name), now.0.get(name)) {
                (Some(before), Some(after)) if before == after => {}
                (Some(before), Some(after)) => {
                    shown.push(format!("~ {name}\n{}", indented(&diff::lines(&show(before), &show(after)))));
                }
                (Some(_), None) => shown.push(format!("- {name}\n")),
                (None, Some(after)) => shown.push(format!("+ {name}\n{}", indented(&show(after)))),
                (None, None) => {}
            }
        }
        shown.concat()
    }

    /// Panics with the difference unless `now` equals this.
    #[track_caller]
    pub fn assert_same(&self, now: &Self) {
        assert!(self == now, "the repository is not as it was:\n{}", self.diff(now));
    }
}

impl fmt::Display for Snapshot {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (name, bytes) in &self.0 {
            write!(f, "{name}\n{}", indented(&show(bytes)))?;
        }
        Ok(())
    }
}

impl fmt::Debug for Snapshot {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Snapshot:\n{self}")
    }
}

fn git(dir: &Path, args: &[&str]) -> String {
    let mut command = hermetic::command("git", dir);
    command.args(["--no-optional-locks", "-c", "core.quotepath=off"]).args(args);
    let output = hermetic::run(&mut command, b"");
    hermetic::text(&command, &output)
}

fn refs(git_dir: &Path) -> BTreeMap<String, Vec<u8>> {
    let mut parts = BTreeMap::new();
    for line in git(git_dir, &["for-each-ref", "--format=%(refname) %(objectname) %(symref)"]).lines() {
        let (name, value) = line.split_once(' ').expect("the format has a space behind the name");
        parts.insert(format!("ref {name}"), value.trim_end().into());
    }
    // The file tells a detached HEAD from a branch.
    let head = fs::read(git_dir.join("HEAD")).expect("every repository has a HEAD");
    parts.insert("HEAD".into(), head.trim_ascii_end().to_vec());
    parts
}

fn index(dir: &Path, parts: &mut BTreeMap<String, Vec<u8>>) {
    // With -v, a letter in front shows whether a path is assumed unchanged or skipped.
    for line in git(dir, &["ls-files", "--stage", "-v", "-z"]).split('\0').filter(|line| !line.is_empty()) {
        let (value, path) = line.split_once('\t').expect("git puts a tab before the path");
        let stage = value.rsplit(' ').next().unwrap_or_default();
        let name = if stage == "0" { format!("index {path}") } else { format!("index {path} {stage}") };
        parts.insert(name, value.into());
    }
}

/// Adds the files below `dir` whose path from `root` is wanted.
fn files(
    root: &Path,
    dir: &Path,
    kind: &str,
    wanted: &dyn Fn(&str) -> bool,
    parts: &mut BTreeMap<String, Vec<u8>>,
) {
    for entry in fs::read_dir(dir).expect("the directory can be read") {
        let path = entry.expect("the directory can be read").path();
        let name = relative(root, &path);
        if !wanted(&name) {
            continue;
        }
        let meta = fs::symlink_metadata(&path).expect("the file was just listed");
        if meta.is_symlink() {
            let target = fs::read_link(&path).expect("the link was just listed");
            parts.insert(format!("{kind} {name}"), format!("link to {}", target.display()).into());
            continue;
        }
        let mut value = format!("{:o}\n", meta.permissions().mode() & 0o7777).into_bytes();
        if meta.is_dir() {
            parts.insert(format!("{kind} {name}/"), value);
            files(root, &path, kind, wanted, parts);
        } else if meta.is_file() {
            value.extend(fs::read(&path).expect("the file was just listed"));
            parts.insert(format!("{kind} {name}"), value);
        } else {
            parts.insert(format!("{kind} {name}"), b"neither file nor directory".to_vec());
        }
    }
}

/// Adds the lock files of a git directory: one that a dead process left behind stops the next.
fn locks(root: &Path, dir: &Path, parts: &mut BTreeMap<String, Vec<u8>>) {
    for entry in fs::read_dir(dir).expect("the directory can be read") {
        let path = entry.expect("the directory can be read").path();
        let name = relative(root, &path);
        if path.is_dir() && !path.is_symlink() {
            // What shipway keeps for itself is no part of the repository.
            if !matches!(name.as_str(), "objects" | "shipway") {
                locks(root, &path, parts);
            }
        } else if path.extension().is_some_and(|extension| extension == "lock") {
            parts.insert(format!("lock {name}"), vec![]);
        }
    }
}

fn relative(root: &Path, path: &Path) -> String {
    path.strip_prefix(root).expect("the walk stays below its root").to_string_lossy().into_owned()
}

fn show(bytes: &[u8]) -> String {
    match std::str::from_utf8(bytes) {
        Ok(text) => text.to_owned(),
        Err(_) => format!("{} bytes, SHA-256 {}", bytes.len(), Digest::of(bytes)),
    }
}

fn indented(text: &str) -> String {
    let lines: Vec<String> = text.lines().map(|line| format!("    {line}\n")).collect();
    lines.concat()
}
