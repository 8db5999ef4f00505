//! What is about to be committed, as the index says that git has named: that of the work tree, or another one for
//! `git commit -- path`.

use std::ffi::{OsStr, OsString};
use std::os::unix::ffi::OsStrExt as _;
use std::path::{Path, PathBuf};

use shipway_core::action::{Cmd, Output, Shell, Stop};
use shipway_core::policy::{Commit, FileChange, ObjectKind};
use shipway_core::problem::{Code, Problem};

use crate::git::cmd::git;

/// Variables by which git tells its hooks which repository and which index it works on.
const KEPT: [&str; 5] = [
    "GIT_DIR",
    "GIT_WORK_TREE",
    "GIT_INDEX_FILE",
    "GIT_OBJECT_DIRECTORY",
    "GIT_ALTERNATE_OBJECT_DIRECTORIES",
];

/// Git inside of a hook: on the repository and the index that the git around it works on.
pub struct InHook<'a> {
    /// The top of the work tree, where git starts hooks.
    pub top: PathBuf,
    /// What git has set for its hooks.
    pub variables: Vec<(OsString, OsString)>,
    /// The hands.
    pub shell: &'a dyn Shell,
    /// The switch.
    pub stop: &'a Stop,
}

/// A file of the index: its mode, object id, and path.
pub type Entry = (String, String, Vec<u8>);

impl<'a> InHook<'a> {
    /// Returns git as a hook in this directory has it, from all variables of the process.
    pub fn new(
        top: &Path,
        variables: &[(OsString, OsString)],
        (shell, stop): (&'a dyn Shell, &'a Stop),
    ) -> Self {
        let kept = variables.iter().filter(|(name, _)| KEPT.iter().any(|kept| name == kept));
        // A relative one counts from here, wherever the command runs.
        let kept = kept.map(|(name, value)| (name.clone(), absolute(top, name, value)));
        Self { top: top.to_owned(), variables: kept.collect(), shell, stop }
    }

    /// Returns a git command.
    pub fn git(&self) -> Cmd {
        self.variables.iter().fold(git(&self.top), |cmd, (name, value)| cmd.env(name, value))
    }

    /// Runs a command and returns its output, also if it failed.
    pub fn run(&self, cmd: &Cmd) -> Result<Output, Problem> {
        let unstarted = |error| Problem::new(Code::Io, format!("git could not be started: {error}"));
        self.shell.run(cmd, self.stop).map_err(unstarted)
    }

    /// Runs a command that must succeed.
    pub fn expect(&self, cmd: &Cmd) -> Result<Output, Problem> {
        let output = self.run(cmd)?;
        if output.ok() {
            return Ok(output);
        }
        Err(Problem::new(Code::GitFailed, "git failed in a hook")
            .details(output.error_text().lines().take(20)))
    }

    fn text(&self, args: &[&str]) -> Result<String, Problem> {
        self.expect(&self.git().args(args)).map(|output| output.text())
    }

    /// Returns the object id of the tree that is about to be committed.
    pub fn tree(&self) -> Result<String, Problem> {
        self.text(&["write-tree"])
    }

    /// Returns the object id of HEAD, unless the branch has no commit yet.
    pub fn head(&self) -> Option<String> {
        self.text(&["rev-parse", "--verify", "--quiet", "HEAD"]).ok()
    }

    /// Returns the files that a tree adds, changes or removes against another one, or against none.
    pub fn changes(&self, from: Option<&str>, tree: &str) -> Result<Vec<FileChange>, Problem> {
        let empty;
        let from = if let Some(from) = from {
            from
        } else {
            // The empty tree has another name in a repository with SHA-256.
            empty = self.expect(&self.git().args(["hash-object", "-t", "tree", "--stdin"]).stdin(""))?.text();
            &empty
        };
        let args = ["diff-tree", "-r", "-z", "--raw", "--no-renames", "--no-commit-id", from, tree];
        let output = self.expect(&self.git().args(args))?;
        Ok(raw(&output.stdout))
    }

    /// Fills in the sizes of files that are added or changed.
    pub fn sizes(&self, files: &mut [FileChange]) -> Result<(), Problem> {
        let wanted = |file: &&mut FileChange| !file.blob.is_empty() && file.mode != GITLINK;
        let ask: Vec<String> = files.iter_mut().filter(wanted).map(|file| file.blob.clone()).collect();
        if ask.is_empty() {
            return Ok(());
        }
        let ask = ask.join("\n") + "\n";
        let cmd = self.git().args(["cat-file", "--batch-check=%(objectsize)"]).stdin(ask);
        let answer = self.expect(&cmd)?.text();
        for (file, size) in files.iter_mut().filter(wanted).zip(answer.lines()) {
            file.size = size.parse().ok();
        }
        Ok(())
    }

    /// Returns the content of some blobs, in the order asked for.
    pub fn contents(&self, blobs: &[&str]) -> Result<Vec<Vec<u8>>, Problem> {
        if blobs.is_empty() {
            return Ok(vec![]);
        }
        let ask = blobs.join("\n") + "\n";
        let output = self.expect(&self.git().args(["cat-file", "--batch=%(objectsize)"]).stdin(ask))?;
        let (mut rest, mut found) = (&output.stdout[..], vec![]);
        for _ in blobs {
            let end = rest.iter().position(|byte| *byte == b'\n').unwrap_or(rest.len());
            let size = std::str::from_utf8(&rest[..end]).ok().and_then(|text| text.parse::<usize>().ok());
            let from = (end + 1).min(rest.len());
            let Some(size) = size else {
                // What is missing has a line that says so, and no content.
                found.push(vec![]);
                rest = &rest[from..];
                continue;
            };
            let to = (from + size).min(rest.len());
            found.push(rest[from..to].to_vec());
            rest = rest.get(to + 1..).unwrap_or_default();
        }
        Ok(found)
    }

    /// Tells whether a commit is in the history of another one. One that is not here is not.
    pub fn is_ancestor(&self, commit: &str, of: &str) -> Result<bool, Problem> {
        self.answers(&self.git().args(["merge-base", "--is-ancestor", commit, of]))
    }

    /// Tells whether some branch of a remote, as it was last seen, has a commit.
    pub fn is_on_remote(&self, commit: &str) -> Result<bool, Problem> {
        let args =
            ["for-each-ref", "--count=1", "--format=%(refname)", "--contains", commit, "refs/remotes/"];
        Ok(!self.expect(&self.git().args(args))?.text().is_empty())
    }

    /// Tells what an object is.
    pub fn kind(&self, id: &str) -> ObjectKind {
        match self.text(&["cat-file", "-t", id]).as_deref() {
            Ok("commit") => ObjectKind::Commit,
            Ok("tag") => ObjectKind::Tag,
            Ok(_) | Err(_) => ObjectKind::Other,
        }
    }

    /// Returns the commits that one has and what is known has not, with messages and parents, the newest first.
    pub fn commits<'k>(
        &self,
        from: &str,
        known: impl IntoIterator<Item = &'k str>,
        most: usize,
    ) -> Result<Vec<Commit>, Problem> {
        let count = format!("--max-count={most}");
        let args = ["log", "-z", "--format=%H%n%P%n%B", &count, from, "--not"];
        let output = self.expect(&self.git().args(args).args(known))?;
        let records = output.stdout.split(|byte| *byte == 0).filter(|record| !record.is_empty());
        Ok(records.filter_map(record).collect())
    }

    fn answers(&self, cmd: &Cmd) -> Result<bool, Problem> {
        let output = self.shell.run(cmd, self.stop);
        output
            .map(|output| output.ok())
            .map_err(|error| Problem::new(Code::Io, format!("git could not be started: {error}")))
    }

    /// Returns all files of the index.
    pub fn entries(&self) -> Result<Vec<Entry>, Problem> {
        let output = self.expect(&self.git().args(["ls-files", "--stage", "-z"]))?;
        let lines = output.stdout.split(|byte| *byte == 0).filter(|line| !line.is_empty());
        Ok(lines.filter_map(entry).collect())
    }

    /// Writes files of the index below a directory.
    pub fn export(&self, dir: &Path, paths: &[&[u8]]) -> Result<(), Problem> {
        let mut prefix = dir.as_os_str().to_owned();
        prefix.push("/");
        let mut option = OsString::from("--prefix=");
        option.push(prefix);
        let list: Vec<u8> = paths.iter().flat_map(|path| path.iter().copied().chain([0])).collect();
        let cmd = self.git().args(["checkout-index", "--quiet", "-z", "--stdin"]).arg(option).stdin(list);
        self.expect(&cmd).map(|_| ())
    }
}

/// The mode of a submodule.
const GITLINK: u32 = 0o160_000;

fn absolute(top: &Path, name: &OsStr, value: &OsStr) -> OsString {
    // A list of directories is left as git has written it.
    if name == "GIT_ALTERNATE_OBJECT_DIRECTORIES" {
        value.to_owned()
    } else {
        top.join(value).into_os_string()
    }
}

/// Reads a commit of a log: object id, parents, message.
fn record(bytes: &[u8]) -> Option<Commit> {
    let mut parts = bytes.splitn(3, |byte| *byte == b'\n');
    let (id, parents, message) = (parts.next()?, parts.next()?, parts.next()?);
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    let parents = text(parents).split(' ').filter(|id| !id.is_empty()).map(str::to_owned).collect();
    Some(Commit { id: text(id), parents, message: message.to_vec(), ..Commit::default() })
}

fn entry(line: &[u8]) -> Option<Entry> {
    let tab = line.iter().position(|byte| *byte == b'\t')?;
    let head = std::str::from_utf8(&line[..tab]).ok()?;
    let mut words = head.split(' ');
    let (mode, blob) = (words.next()?, words.next()?);
    (words.next() == Some("0")).then(|| (mode.to_owned(), blob.to_owned(), line[tab + 1..].to_vec()))
}

/// Reads what `diff-tree --raw -z` prints: `:mode mode id id status`, NUL, path, NUL.
pub(crate) fn raw(bytes: &[u8]) -> Vec<FileChange> {
    let mut parts = bytes.split(|byte| *byte == 0);
    let mut files = vec![];
    while let (Some(head), Some(path)) = (parts.next(), parts.next()) {
        let head = OsStr::from_bytes(head).to_string_lossy();
        let words: Vec<&str> = head.trim_start_matches(':').split(' ').collect();
        let [_, mode, _, blob, _] = words[..] else { break };
        let mode = u32::from_str_radix(mode, 8).unwrap_or_default();
        let blob = if mode == 0 { String::new() } else { blob.to_owned() };
        files.push(FileChange { path: path.to_vec(), mode, blob, ..FileChange::default() });
    }
    files
}
