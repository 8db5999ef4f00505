//! A repository, its remote, and the program under test between them.

use std::path::PathBuf;
use std::process::{Command, Stdio};

use shipway_core::problem::Code;
use shipway_testkit::remote::Remote;
use shipway_testkit::repo::Repo;
use shipway_testkit::state::Snapshot;

/// The program under test.
pub(crate) const SHIPWAY: &str = env!("CARGO_BIN_EXE_shipway");

/// A repository with a remote.
pub(crate) struct Stage {
    /// Where the program runs.
    pub(crate) repo: Repo,
    /// Where it pushes to.
    pub(crate) remote: Remote,
}

/// What the program said and how it ended.
#[derive(Debug)]
pub(crate) struct Told {
    /// The exit code; that of `timeout` if it hung.
    pub(crate) exit: i32,
    /// The standard output.
    pub(crate) out: Vec<u8>,
    /// The standard error.
    pub(crate) err: Vec<u8>,
}

impl Told {
    /// Runs a command that a test prepared, with nobody to answer.
    pub(crate) fn of(command: &mut Command) -> Self {
        let output = command.stdin(Stdio::null()).output().unwrap();
        Self { exit: output.status.code().unwrap_or(-1), out: output.stdout, err: output.stderr }
    }

    /// Returns both streams as text.
    pub(crate) fn text(&self) -> String {
        format!("{}{}", String::from_utf8_lossy(&self.out), String::from_utf8_lossy(&self.err))
    }

    /// Panics unless the program ended well.
    #[track_caller]
    pub(crate) fn ok(&self) -> &Self {
        assert_eq!(self.exit, 0, "{}", self.text());
        self
    }

    /// Panics unless the program told of a problem with this code, with a hint, and with these words.
    #[track_caller]
    pub(crate) fn tells(&self, code: Code, words: &[&str]) -> &Self {
        let text = self.text();
        assert!(text.contains(&format!("error[{code}]")), "no {code} in {}: {text}", self.exit);
        assert!(text.contains("hint: "), "no hint: {text}");
        for word in words {
            assert!(text.contains(word), "no `{word}`: {text}");
        }
        self
    }

    /// Panics unless the program ended with this exit code.
    #[track_caller]
    pub(crate) fn exits(&self, exit: u8) -> &Self {
        assert_eq!(self.exit, i32::from(exit), "{}", self.text());
        self
    }
}

impl Stage {
    /// Returns a plain project at 1.0.0 with a feature and a fix since, and a remote that has all of it.
    pub(crate) fn new() -> Self {
        Self::of(Repo::plain("1.0.0"))
    }

    /// Returns a repository with a remote that has all of it.
    pub(crate) fn of(repo: Repo) -> Self {
        let remote = Remote::of(&repo);
        Self { repo, remote }
    }

    /// Returns the plain project with a configuration, committed and pushed.
    pub(crate) fn configured(config: &str) -> Self {
        let repo = Repo::plain("1.0.0");
        repo.file("shipway.toml", config);
        repo.commit("chore: configure releases");
        Self::of(repo)
    }

    /// Commits and pushes what has changed.
    pub(crate) fn publish(&self, message: &str) -> &Self {
        self.repo.commit(message);
        self.repo.git(["push", "--quiet", "--no-verify", "origin", "HEAD"]);
        self
    }

    /// Returns the program under test with arguments; it is killed after two minutes.
    pub(crate) fn command(&self, args: &[&str]) -> Command {
        command(&self.repo, args)
    }

    /// Runs the program.
    pub(crate) fn run(&self, args: &[&str]) -> Told {
        Told::of(&mut self.command(args))
    }

    /// Returns the repository and the remote as they are.
    pub(crate) fn state(&self) -> (Snapshot, Snapshot) {
        (self.repo.state(), self.remote.snapshot())
    }

    /// Panics unless a command of the program is refused with this code, a hint and these words, and changes nothing.
    #[track_caller]
    pub(crate) fn refuses(&self, args: &[&str], code: Code, words: &[&str]) {
        self.refuses_by(&mut self.command(args), code.kind().exit_code(), (code, words));
    }

    /// Panics unless a prepared command ends with this exit code, this code, a hint, these words, and changes nothing.
    #[track_caller]
    pub(crate) fn refuses_by(&self, command: &mut Command, exit: u8, (code, words): (Code, &[&str])) {
        let before = self.state();
        Told::of(command).tells(code, words).exits(exit);
        self.unchanged(&before);
    }

    /// Panics unless repository and remote are as they were.
    #[track_caller]
    pub(crate) fn unchanged(&self, before: &(Snapshot, Snapshot)) {
        before.0.assert_same(&self.repo.state());
        before.1.assert_same(&self.remote.snapshot());
    }

    /// Panics unless a version was released once and completely: one commit, one tag, here and there.
    #[track_caller]
    pub(crate) fn released(&self, version: &str) {
        let tag = format!("v{version}");
        let subject = format!("chore: release version {version}");
        assert_eq!(self.repo.read("VERSION").trim(), version);
        assert_eq!(self.remote.tip("main"), Some(self.repo.head()));
        assert_eq!(self.remote.tag_object(&tag), self.repo.rev(&format!("refs/tags/{tag}")));
        assert_eq!(self.repo.rev(&format!("{tag}^{{commit}}")), Some(self.repo.head()));
        let subjects = self.repo.git(["log", "--format=%s"]);
        assert_eq!(subjects.lines().filter(|line| *line == subject).count(), 1, "{subjects}");
        assert_eq!(self.repo.git(["status", "--porcelain", "--untracked-files=no"]), "");
        assert_eq!(self.repo.git(["for-each-ref", "refs/shipway"]), "");
        let changelog = self.repo.read("CHANGELOG.md");
        assert_eq!(changelog.matches(&format!("## [{version}]")).count(), 1, "{changelog}");
    }

    /// Returns a directory beside the work tree with a program in it, to be put on the search path.
    pub(crate) fn program(&self, name: &str, script: &str) -> PathBuf {
        program(&self.repo, name, script)
    }
}

/// Returns the program under test in a repository; it is killed after two minutes.
pub(crate) fn command(repo: &Repo, args: &[&str]) -> Command {
    let mut command = repo.command("timeout");
    command.args(["--kill-after=5", "120", SHIPWAY]).args(args).env("NO_PROXY", "*");
    command
}

/// Runs the program in a repository without a remote of the kit.
pub(crate) fn run(repo: &Repo, args: &[&str]) -> Told {
    Told::of(&mut command(repo, args))
}

/// Writes a program into a directory beside the work tree and returns that directory.
pub(crate) fn program(repo: &Repo, name: &str, script: &str) -> PathBuf {
    let dir = repo.home().join("bin");
    let path = dir.join(name);
    let mut write = repo.command("/bin/sh");
    let text = "mkdir -p \"$1\" && printf '#!/bin/sh\\n%s\\n' \"$3\" >\"$2\" && chmod 755 \"$2\"";
    write.args(["-c", text, "sh"]).arg(&dir).arg(&path).arg(script);
    assert!(write.status().unwrap().success());
    dir
}

/// Returns the search path with a directory before it.
pub(crate) fn path_with(dir: &std::path::Path) -> std::ffi::OsString {
    let rest = std::env::var_os("PATH").unwrap_or_default();
    std::env::join_paths([dir.to_owned()].into_iter().chain(std::env::split_paths(&rest))).unwrap()
}
