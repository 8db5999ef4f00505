//! A guarded bare repository, and somebody who pushes to it.

use std::fs;
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};

use shipway_testkit::repo::Repo;

pub(crate) const SHIPWAY: &str = env!("CARGO_BIN_EXE_shipway");

/// Zeros: the object id of nothing.
pub(crate) const NONE: &str = "0000000000000000000000000000000000000000";

/// The policy of every repository here: two branches that only landings move, and versions that stay.
const POLICY: &str = r#"schema = 1
solo = true
[person.ann]
[branch.main]
patterns = ["main"]
protected = true
[branch.develop]
patterns = ["develop"]
protected = true
[branch.release]
patterns = ["release/*"]
protected = true
[tag.releases]
patterns = ["**"]
[commits]
conventional = true
size = "4kiB"
[files]
size = "64kiB"
forbidden = ["**/*.pem"]
lfs = true
"#;

/// A repository with a work tree, and the guarded one that it pushes to.
pub(crate) struct Stage {
    pub(crate) repo: Repo,
    pub(crate) bare: PathBuf,
}

impl Stage {
    /// Returns a guarded repository with a main branch, a develop branch and a tag.
    #[track_caller]
    pub(crate) fn new() -> Self {
        let stage = Self::open();
        stage.install();
        stage
    }

    /// Returns the same without a guard.
    #[track_caller]
    pub(crate) fn open() -> Self {
        let stage = Self::empty();
        stage.repo.file("README.md", "hello\n").commit("chore: begin");
        stage.repo.file(".shipway/policy.toml", POLICY).commit("chore: a policy");
        stage.repo.annotated("v1.0.0");
        stage.ok(&["push", "-q", "origin", "main", "main:develop", "v1.0.0"]);
        stage
    }

    /// Returns two repositories without a commit.
    #[track_caller]
    pub(crate) fn empty() -> Self {
        let repo = Repo::new();
        let bare = repo.path().with_file_name("app.git");
        let stage = Self { repo, bare };
        let path = stage.bare.display().to_string();
        stage.ok(&["init", "-q", "--bare", "--template=", "--initial-branch=main", &path]);
        stage.ok(&["remote", "add", "origin", &path]);
        stage
    }

    #[track_caller]
    pub(crate) fn install(&self) {
        let output = self.run(SHIPWAY, &["guard", "install", "--server", &self.bare.display().to_string()]);
        assert!(output.status.success(), "{}", said(&output));
    }

    pub(crate) fn command(&self, program: &str, args: &[&str]) -> Command {
        let mut command = self.repo.command(program);
        command.args(args);
        command
    }

    pub(crate) fn run(&self, program: &str, args: &[&str]) -> Output {
        self.command(program, args).stdin(Stdio::null()).output().unwrap()
    }

    /// Runs git in the work tree.
    pub(crate) fn git(&self, args: &[&str]) -> Output {
        self.repo.try_git(args)
    }

    #[track_caller]
    pub(crate) fn ok(&self, args: &[&str]) -> String {
        self.repo.git(args)
    }

    /// Runs git in the bare repository, as somebody with an account on the server does.
    pub(crate) fn there(&self, args: &[&str]) -> Output {
        self.there_with(args, "")
    }

    pub(crate) fn there_with(&self, args: &[&str], input: &str) -> Output {
        fed(self.command("git", args).current_dir(&self.bare), input.as_bytes())
    }

    /// Runs git there past all hooks, to set the stage.
    #[track_caller]
    pub(crate) fn force(&self, args: &[&str]) -> String {
        let output = self.there(&[&["-c", "core.hooksPath=/dev/null"], args].concat());
        assert!(output.status.success(), "{args:?}: {}", said(&output));
        String::from_utf8_lossy(&output.stdout).trim().to_owned()
    }

    /// Pushes with these arguments.
    pub(crate) fn push(&self, args: &[&str]) -> Output {
        self.git(&[&["push", "origin"], args].concat())
    }

    /// Talks with receive-pack as no git would: lines `old new name`, and no objects.
    pub(crate) fn raw(&self, lines: &[(&str, &str, &str)]) -> Output {
        let mut input = vec![];
        for (at, (old, new, name)) in lines.iter().enumerate() {
            let features = if at == 0 { "\0report-status" } else { "" };
            let line = format!("{old} {new} {name}{features}");
            input.extend_from_slice(format!("{:04x}{line}", line.len() + 4).as_bytes());
        }
        input.extend_from_slice(b"0000");
        let pack = fed(&mut self.command("git", &["pack-objects", "--stdout", "-q"]), b"");
        input.extend_from_slice(&pack.stdout);
        let path = self.bare.display().to_string();
        fed(&mut self.command("git", &["receive-pack", &path]), &input)
    }

    /// Returns all refs there, and what HEAD stands for.
    pub(crate) fn refs(&self) -> String {
        let refs = self.there(&["for-each-ref", "--format=%(refname) %(objectname) %(symref)"]);
        let head = fs::read_to_string(self.bare.join("HEAD")).unwrap_or_default();
        format!("{head}{}", String::from_utf8_lossy(&refs.stdout))
    }

    /// Returns what `guard audit` says, and whether it is content.
    pub(crate) fn audit(&self) -> (bool, String) {
        let output = self.run(SHIPWAY, &["guard", "audit", &self.bare.display().to_string()]);
        (output.status.success(), said(&output))
    }

    pub(crate) fn tip(&self, name: &str) -> String {
        self.force(&["rev-parse", name])
    }

    /// Commits a file in the work tree and returns the object id.
    pub(crate) fn commit(&self, message: &str) -> String {
        let count = self.ok(&["rev-list", "--count", "--all"]);
        self.repo.file(format!("file-{count}"), format!("{count}\n")).commit(message)
    }

    /// Writes a program through a child, since one that this process had open itself could be busy when it is started.
    pub(crate) fn program(&self, path: &Path, script: &str) {
        let mut write = self.command("/bin/sh", &["-c", r#"rm -f "$1"; cat >"$1" && chmod 755 "$1""#, "sh"]);
        let output = fed(write.arg(path), format!("#!/bin/sh\n{script}\n").as_bytes());
        assert!(output.status.success(), "{}", said(&output));
    }

    pub(crate) fn write_there(&self, path: impl AsRef<Path>, text: &str) {
        let path = self.bare.join(path);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, text).unwrap();
    }
}

/// Runs a command that reads `input`.
pub(crate) fn fed(command: &mut Command, input: &[u8]) -> Output {
    command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut child = command.spawn().unwrap();
    // One that has refused does not read to the end.
    let _ = child.stdin.take().unwrap().write_all(input);
    child.wait_with_output().unwrap()
}

pub(crate) fn said(output: &Output) -> String {
    [&output.stdout[..], &output.stderr].map(|bytes| String::from_utf8_lossy(bytes).into_owned()).concat()
}
