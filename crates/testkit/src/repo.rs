//! A real git repository in a directory of its own.

use std::ffi::OsStr;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};
use std::sync::atomic::{AtomicU64, Ordering};

use tempfile::TempDir;

use crate::hermetic;
use crate::state::Snapshot;

/// 2026-01-01T00:00:00Z, in seconds since 1970: the date of the first commit.
pub const EPOCH: u64 = 1_767_225_600;

/// Who makes all commits of the kit.
pub const IDENTITY: &str = "Ann Author <ann@example.org>";

/// The settings of a new repository, beside those of git itself.
const SETTINGS: &str = "[user]\n\tname = Ann Author\n\temail = ann@example.org\n\
                        [gc]\n\tauto = 0\n[maintenance]\n\tauto = false\n";

/// Subcommands that put a date into an object.
const DATED: [&str; 6] = ["commit", "merge", "tag", "revert", "cherry-pick", "rebase"];

/// A git repository with a work tree, in a directory named `widget`, on the branch `main`.
///
/// Settings of the user and the machine do not reach it, the same calls give the same object ids everywhere, and each
/// commit is a minute younger than the one before. What sets the stage runs no hooks and signs nothing; what is called
/// through [`Repo::git`] does what git does.
#[derive(Debug)]
pub struct Repo {
    path: PathBuf,
    home: PathBuf,
    minutes: AtomicU64,
    _dir: TempDir,
}

impl Default for Repo {
    fn default() -> Self {
        Self::new()
    }
}

impl Repo {
    /// Returns a repository without a commit.
    pub fn new() -> Self {
        let dir = tempfile::tempdir().expect("a temporary directory can be made");
        let root = dir.path().canonicalize().expect("the directory was just made");
        let (path, home) = (root.join("widget"), root.join("home"));
        for dir in [&path, &home] {
            fs::create_dir(dir).expect("a directory can be made in the test's own directory");
        }
        let repo = Self { path, home, minutes: AtomicU64::new(0), _dir: dir };
        repo.git(["init", "--quiet", "--initial-branch=main", "--template="]);
        let config = repo.read(".git/config") + SETTINGS;
        repo.file(".git/config", config);
        repo
    }

    /// Returns the work tree.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Returns a directory outside of the work tree that serves as the home of whoever works in it.
    pub fn home(&self) -> &Path {
        &self.home
    }

    /// Returns a hermetic command in the work tree, such as the program under test. It has a home of its own, and no
    /// author or date but those of the repository's own settings.
    pub fn command(&self, program: impl AsRef<OsStr>) -> Command {
        let mut command = hermetic::command(program, &self.path);
        command.env("HOME", &self.home).env("XDG_CONFIG_HOME", self.home.join(".config"));
        command
    }

    /// Writes a file, with the directories above it.
    pub fn file(&self, path: impl AsRef<Path>, text: impl AsRef<[u8]>) -> &Self {
        let path = self.path.join(path);
        fs::create_dir_all(path.parent().expect("a file is in a directory"))
            .expect("a directory can be made");
        fs::write(path, text).expect("a file can be written in the test's own directory");
        self
    }

    /// Returns the text of a file.
    pub fn read(&self, path: impl AsRef<Path>) -> String {
        let path = self.path.join(path);
        fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
    }

    /// Commits all that has changed, even nothing, and returns the object id.
    #[track_caller]
    pub fn commit(&self, message: &str) -> String {
        let end = if message.ends_with('\n') { "" } else { "\n" };
        self.commit_bytes(format!("{message}{end}").as_bytes())
    }

    /// Commits with exactly these bytes as message, which need not be UTF-8, and returns the object id.
    #[track_caller]
    pub fn commit_bytes(&self, message: &[u8]) -> String {
        self.stage_git(&["add", "--all"], b"");
        let tree = self.stage_git(&["write-tree"], b"");
        let parent = self.rev("HEAD").map_or(String::new(), |parent| format!("parent {parent}\n"));
        let date = format!("{IDENTITY} {} +0000", self.tick());
        // `git commit` would turn a message that is not UTF-8 into one that is.
        let head = format!("tree {tree}\n{parent}author {date}\ncommitter {date}\n\n");
        let object = [head.as_bytes(), message].concat();
        let id = self.stage_git(&["hash-object", "-t", "commit", "-w", "--stdin"], &object);
        self.stage_git(&["update-ref", "-m", "commit", "HEAD", &id], b"");
        id
    }

    /// Makes commits that change no file, a hundred thousand in a few seconds, and returns the last object id.
    #[track_caller]
    pub fn commits<M: AsRef<str>>(&self, messages: &[M]) -> String {
        let branch = self.branch();
        let mut parent = self.rev("HEAD").map_or(String::new(), |parent| format!("from {parent}\n"));
        let mut stream = String::new();
        for message in messages {
            let (message, date) = (message.as_ref(), format!("{IDENTITY} {} +0000", self.tick()));
            let length = message.len() + 1;
            stream += "commit refs/heads/";
            for part in
                [&branch, "\nauthor ", &date, "\ncommitter ", &date, "\ndata ", &length.to_string(), "\n"]
            {
                stream += part;
            }
            for part in [message, "\n\n", &std::mem::take(&mut parent)] {
                stream += part;
            }
        }
        self.stage_git(&["fast-import", "--quiet"], stream.as_bytes());
        self.head()
    }

    /// Makes a lightweight tag at HEAD.
    #[track_caller]
    pub fn tag(&self, name: &str) -> &Self {
        self.stage_git(&["tag", "--no-sign", name], b"");
        self
    }

    /// Makes an annotated tag at HEAD, with its name as message, and returns the object id of the tag.
    #[track_caller]
    pub fn annotated(&self, name: &str) -> String {
        self.tick();
        self.stage_git(&["tag", "--no-sign", "--annotate", "--message", name, name], b"");
        self.git(["rev-parse", &format!("refs/tags/{name}")])
    }

    /// Runs git in the work tree and returns its standard output without the last line feed. Panics if git fails.
    #[track_caller]
    pub fn git<S: AsRef<OsStr>>(&self, args: impl IntoIterator<Item = S>) -> String {
        let mut command = self.dated_git(args);
        let output = hermetic::run(&mut command, b"");
        hermetic::text(&command, &output)
    }

    /// Runs git in the work tree and returns what it did.
    pub fn try_git<S: AsRef<OsStr>>(&self, args: impl IntoIterator<Item = S>) -> Output {
        hermetic::run(&mut self.dated_git(args), b"")
    }

    /// Returns the branch that HEAD is on. Panics if it is on none.
    #[track_caller]
    pub fn branch(&self) -> String {
        self.git(["symbolic-ref", "--short", "HEAD"])
    }

    /// Returns the object id of the commit at HEAD.
    #[track_caller]
    pub fn head(&self) -> String {
        self.git(["rev-parse", "--verify", "HEAD"])
    }

    /// Returns the object id of a revision, if there is one.
    pub fn rev(&self, revision: &str) -> Option<String> {
        let output = self.try_git(["rev-parse", "--verify", "--quiet", revision]);
        output.status.success().then(|| String::from_utf8_lossy(&output.stdout).trim_end().to_owned())
    }

    /// Sets a hook. A script without a first line of its own is one for `sh`.
    pub fn hook(&self, name: &str, script: &str) -> &Self {
        hermetic::write_program(&self.path.join(".git/hooks").join(name), script);
        self
    }

    /// Sets a setting of this repository.
    #[track_caller]
    pub fn config(&self, key: &str, value: &str) -> &Self {
        self.git(["config", "--local", key, value]);
        self
    }

    /// Returns what the repository is, byte for byte, reflogs aside.
    pub fn state(&self) -> Snapshot {
        Snapshot::of(&self.path)
    }

    /// Runs git to set the stage: without hooks.
    #[track_caller]
    fn stage_git(&self, args: &[&str], input: &[u8]) -> String {
        let mut command = self.git_at_this_minute();
        command.args(["-c", "core.hooksPath=/dev/null"]).args(args);
        let output = hermetic::run(&mut command, input);
        hermetic::text(&command, &output)
    }

    fn dated_git<S: AsRef<OsStr>>(&self, args: impl IntoIterator<Item = S>) -> Command {
        let args: Vec<_> = args.into_iter().map(|arg| arg.as_ref().to_owned()).collect();
        if args.first().is_some_and(|first| DATED.iter().any(|dated| first == dated)) {
            self.tick();
        }
        let mut command = self.git_at_this_minute();
        command.args(args);
        command
    }

    fn git_at_this_minute(&self) -> Command {
        let date = format!("@{} +0000", EPOCH + 60 * self.minutes.load(Ordering::SeqCst));
        let mut command = self.command("git");
        command.env("GIT_AUTHOR_NAME", "Ann Author").env("GIT_AUTHOR_EMAIL", "ann@example.org");
        command.env("GIT_COMMITTER_NAME", "Ann Author").env("GIT_COMMITTER_EMAIL", "ann@example.org");
        command.env("GIT_AUTHOR_DATE", &date).env("GIT_COMMITTER_DATE", date);
        command
    }

    /// Lets a minute pass and returns the time in seconds since 1970.
    fn tick(&self) -> u64 {
        EPOCH + 60 * (self.minutes.fetch_add(1, Ordering::SeqCst) + 1)
    }
}

#[cfg(test)]
mod tests;
