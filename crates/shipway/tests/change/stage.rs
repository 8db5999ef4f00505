//! A guarded repository with people, keys and clones. Each person is a login, as a forced command would say it.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Output;

use shipway_testkit::hermetic;
use tempfile::TempDir;

const SHIPWAY: &str = env!("CARGO_BIN_EXE_shipway");

/// The policy of all tests here.
pub(crate) const POLICY: &str = r#"
schema = 1
[person.ann]
email = ["ann@example.org"]
[person.ben]
email = ["ben@example.org"]
[person.cat]
email = ["cat@example.org"]
[agent.bot]
email = ["bot@example.org"]

[branch.main]
protected = true
approvals = 1
owners = true
checks = ["test"]
release = ["ann"]
break-glass = ["ann"]
[branch.develop]
protected = true
approvals = 1
"#;

/// A guarded repository.
pub(crate) struct Stage {
    dir: TempDir,
}

impl Stage {
    /// Returns a repository whose main holds a policy, keys and a check, and then got its guard.
    pub(crate) fn new() -> Self {
        let stage = Self { dir: tempfile::tempdir().unwrap() };
        let begin = stage.path("begin");
        fs::create_dir_all(begin.join(".shipway")).unwrap();
        let mut signers = String::new();
        for name in ["ann", "ben", "cat", "bot", "eve"] {
            let key = stage.path(name);
            stage.run(
                "ssh-keygen",
                "ann",
                &["-q", "-t", "ed25519", "-N", "", "-f", &key.display().to_string()],
            );
            if name != "eve" {
                let line = fs::read_to_string(key.with_extension("pub")).unwrap();
                signers.push_str(&format!("{name} {line}"));
            }
        }
        fs::write(begin.join(".shipway/policy.toml"), POLICY).unwrap();
        fs::write(begin.join(".shipway/allowed_signers"), signers).unwrap();
        fs::write(
            begin.join("shipway.toml"),
            "schema = 1\n[[check]]\nname = \"test\"\nrun = [\"sh\", \"test.sh\"]\n",
        )
        .unwrap();
        fs::write(begin.join("test.sh"), "test ! -e broken\n").unwrap();
        stage.git(&begin, "ann", &["init", "-q", "-b", "main"]);
        stage.git(&begin, "ann", &["add", "."]);
        stage.git(&begin, "ann", &["commit", "-qm", "chore: begin"]);
        stage.git(&begin, "ann", &["branch", "develop"]);
        stage.git(&begin, "ann", &["clone", "-q", "--bare", ".", "../app.git"]);
        stage.git(&stage.server(), "ann", &["remote", "remove", "origin"]);
        stage.ship(&begin, "ann", &["guard", "install", "--server", "../app.git"]);
        stage
    }

    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.dir.path().join(name)
    }

    pub(crate) fn server(&self) -> PathBuf {
        self.path("app.git")
    }

    /// Returns a new clone of a person.
    pub(crate) fn clone_of(&self, who: &str, name: &str) -> PathBuf {
        let clone = self.path(name);
        self.git(self.dir.path(), who, &["clone", "-q", "app.git", name]);
        clone
    }

    fn run_in(&self, dir: &Path, program: &str, who: &str, args: &[&str]) -> Output {
        let mut command = hermetic::command(program, dir);
        let address = format!("{who}@example.org");
        for (name, value) in [("NAME", who), ("EMAIL", address.as_str())] {
            command.env(format!("GIT_AUTHOR_{name}"), value).env(format!("GIT_COMMITTER_{name}"), value);
        }
        command.env("SHIPWAY_LOGIN", who).env("HOME", self.dir.path()).env_remove("SSH_AUTH_SOCK");
        command.args(args).output().unwrap()
    }

    fn run(&self, program: &str, who: &str, args: &[&str]) -> Output {
        self.run_in(self.dir.path(), program, who, args)
    }

    /// Runs git, which must do well, and returns all that it said.
    #[track_caller]
    pub(crate) fn git(&self, dir: &Path, who: &str, args: &[&str]) -> String {
        let output = self.run_in(dir, "git", who, args);
        assert!(output.status.success(), "git {args:?}: {}", said(&output));
        said(&output)
    }

    /// Runs git, which must be refused, and returns all that it said.
    #[track_caller]
    pub(crate) fn refused(&self, dir: &Path, who: &str, args: &[&str]) -> String {
        let output = self.run_in(dir, "git", who, args);
        assert!(!output.status.success(), "git {args:?}: {}", said(&output));
        said(&output)
    }

    /// Runs shipway, which must do well, and returns all that it said.
    #[track_caller]
    pub(crate) fn ship(&self, dir: &Path, who: &str, args: &[&str]) -> String {
        self.code(dir, who, 0, args)
    }

    /// Runs shipway, which must end with a code, and returns all that it said.
    #[track_caller]
    pub(crate) fn code(&self, dir: &Path, who: &str, code: i32, args: &[&str]) -> String {
        let output = self.run_in(dir, SHIPWAY, who, args);
        assert_eq!(output.status.code(), Some(code), "shipway {args:?}: {}", said(&output));
        said(&output)
    }

    /// Returns the option that names a person's key.
    pub(crate) fn key(&self, who: &str) -> String {
        format!("--key={}", self.path(who).display())
    }

    /// Commits a file of a clone and proposes the head for a branch, as a person; returns what the guard said.
    #[track_caller]
    pub(crate) fn propose(&self, dir: &Path, who: &str, file: &str, options: &[&str]) -> String {
        fs::write(dir.join(file), format!("{file} of {who}\n")).unwrap();
        self.git(dir, who, &["add", "."]);
        self.git(dir, who, &["commit", "-qm", &format!("feat: {file}")]);
        let mut args = vec!["push", "origin", "HEAD:refs/for/main"];
        args.extend(options.iter().flat_map(|option| ["-o", *option]));
        self.git(dir, who, &args)
    }

    /// Approves a change as a person.
    #[track_caller]
    pub(crate) fn approve(&self, dir: &Path, who: &str, number: &str) -> String {
        self.ship(dir, who, &["change", "approve", number, &self.key(who)])
    }

    /// Returns what a branch of the server is at.
    pub(crate) fn tip(&self, branch: &str) -> String {
        self.git(&self.server(), "ann", &["rev-parse", &format!("refs/heads/{branch}")]).trim().to_owned()
    }
}

pub(crate) fn said(output: &Output) -> String {
    let [out, err] =
        [&output.stdout, &output.stderr].map(|bytes| String::from_utf8_lossy(bytes).into_owned());
    out + &err
}
