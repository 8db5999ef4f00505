//! A repository with hooks, and git in it as a user has it: with its own hooks.

use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use shipway_testkit::repo::Repo;

pub(crate) const SHIPWAY: &str = env!("CARGO_BIN_EXE_shipway");

/// A repository, and where in it commands run.
pub(crate) struct Stage {
    pub(crate) repo: Repo,
    pub(crate) dir: PathBuf,
}

impl Stage {
    /// Returns a repository with one commit and no hooks.
    pub(crate) fn bare() -> Self {
        let repo = Repo::new();
        repo.file("README.md", "hello\n").commit("chore: begin");
        let dir = repo.path().to_owned();
        Self { repo, dir }
    }

    /// Returns a repository with one commit and hooks of ours.
    #[track_caller]
    pub(crate) fn new() -> Self {
        let stage = Self::bare();
        stage.ok(SHIPWAY, &["guard", "install"]);
        stage
    }

    pub(crate) fn command(&self, program: &str, args: &[&str]) -> Command {
        let mut command = self.repo.command(program);
        command.current_dir(&self.dir).args(args);
        command
    }

    pub(crate) fn run(&self, program: &str, args: &[&str]) -> Output {
        self.command(program, args).output().unwrap()
    }

    /// Runs a command that must do well, and returns all that it said.
    #[track_caller]
    pub(crate) fn ok(&self, program: &str, args: &[&str]) -> String {
        let output = self.run(program, args);
        let text = said(&output);
        assert!(output.status.success(), "{program} {args:?}: {text}");
        text
    }

    /// Runs git, which must refuse, and returns all that it said.
    #[track_caller]
    pub(crate) fn refused(&self, args: &[&str]) -> String {
        let (before, output) = (self.repo.rev("HEAD"), self.run("git", args));
        let text = said(&output);
        assert!(!output.status.success(), "{args:?}: {text}");
        assert_eq!(self.repo.rev("HEAD"), before, "{text}");
        text
    }

    /// Stages a change of a file.
    #[track_caller]
    pub(crate) fn stage(&self, path: &str, text: &str) -> &Self {
        let file = self.dir.join(path);
        fs::create_dir_all(file.parent().unwrap()).unwrap();
        fs::write(file, text).unwrap();
        self.ok("git", &["add", "--", path]);
        self
    }

    /// Returns the notes of the repository, a line each.
    pub(crate) fn notes(&self) -> Vec<String> {
        let text = fs::read_to_string(self.repo.path().join(".git/shipway/notes.jsonl")).unwrap_or_default();
        text.lines().map(str::to_owned).collect()
    }

    /// Writes a program that git or a hook may run.
    pub(crate) fn program(&self, path: &str, script: &str) {
        let path = self.dir.join(path);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(&path, format!("#!/bin/sh\n{script}\n")).unwrap();
        fs::set_permissions(&path, fs::Permissions::from_mode(0o755)).unwrap();
    }

    pub(crate) fn read(&self, path: impl AsRef<Path>) -> String {
        fs::read_to_string(self.dir.join(path)).unwrap_or_default()
    }
}

pub(crate) fn said(output: &Output) -> String {
    let [out, err] =
        [&output.stdout, &output.stderr].map(|bytes| String::from_utf8_lossy(bytes).into_owned());
    out + &err
}
