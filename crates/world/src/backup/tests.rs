//! Backups of real things, with the real programs.

mod encrypted;
mod files;
mod kept;
mod postgresql;
mod rows;

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use shipway_core::action::{Cmd, Output, Shell, Stop};
use shipway_core::backup::{Made, Spec, Verified, What};
use shipway_core::problem::{Code, Problem};
use tempfile::TempDir;

use super::*;
use crate::shell::LocalShell;

/// A directory with something to save, and a shell.
struct Site {
    dir: TempDir,
    shell: Box<dyn Shell>,
    stop: Stop,
}

impl Site {
    fn new() -> Self {
        Self { dir: tempfile::tempdir().unwrap(), shell: Box::new(LocalShell::new()), stop: Stop::default() }
    }

    fn with(shell: impl Shell + 'static) -> Self {
        Self { shell: Box::new(shell), ..Self::new() }
    }

    fn place(&self) -> Place<'_> {
        Place { dir: self.dir.path(), shell: &*self.shell, stop: &self.stop, say: &|_| () }
    }

    fn path(&self, name: &str) -> PathBuf {
        self.dir.path().join(name)
    }

    fn file(&self, name: &str, text: impl AsRef<[u8]>) {
        let path = self.path(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, text).unwrap();
    }

    fn make(&self, spec: &Spec) -> Result<Made, Problem> {
        make(spec, &self.place())
    }

    fn verify(&self, spec: &Spec, made: &Made) -> Result<Verified, Problem> {
        verify(spec, made, &self.place())
    }

    fn restore(&self, spec: &Spec, made: &Made, into: &str) -> Result<(), Problem> {
        restore(spec, made, into, &self.place())
    }

    fn list(&self) -> Vec<Made> {
        list(None, &self.place()).unwrap()
    }

    /// Returns all names in the directory of the backups.
    fn names(&self) -> Vec<String> {
        let Ok(entries) = fs::read_dir(self.path("backups")) else { return vec![] };
        let mut names: Vec<_> =
            entries.map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
        names.sort();
        names
    }
}

fn spec(what: What) -> Spec {
    Spec {
        name: "it".into(),
        what,
        verify: vec![],
        to: None,
        keep: 7,
        recipients: vec![],
        identity: None,
        timeout_ms: 600_000,
    }
}

fn directory(path: &str) -> Spec {
    spec(What::Directory { path: path.into() })
}

fn sh(script: &str) -> Vec<String> {
    ["sh", "-c", script].map(Into::into).to_vec()
}

fn code<T>(result: Result<T, Problem>) -> Code {
    result.map(drop).unwrap_err().code
}

/// Runs a command and returns what it printed.
fn output(cmd: &Cmd) -> String {
    let output = LocalShell::new().run(cmd, &Stop::default()).unwrap();
    assert!(output.ok(), "{cmd:?}: {}", output.error_text());
    output.text()
}

/// A shell that does something after every command.
struct After<F>(LocalShell, F);

impl<F: Fn() + Send + Sync> Shell for After<F> {
    fn run(&self, cmd: &Cmd, stop: &Stop) -> io::Result<Output> {
        let output = self.0.run(cmd, stop);
        (self.1)();
        output
    }
}

/// A shell on a machine without any program.
struct Bare;

impl Shell for Bare {
    fn run(&self, cmd: &Cmd, stop: &Stop) -> io::Result<Output> {
        LocalShell::new().run(&cmd.clone().env("PATH", "/nonexistent"), stop)
    }
}
