//! A guarded bare repository, a clone of it, and people with keys.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};

use serde_json::Value;
use shipway_testkit::repo::Repo;
use shipway_testkit::skip::skip;

pub(crate) const SHIPWAY: &str = env!("CARGO_BIN_EXE_shipway");

/// Who there is: three people, and a program that works for one of them.
pub(crate) const PEOPLE: [&str; 4] = ["ann", "ben", "cem", "bot"];

/// The policy of every repository here: two branches that only landings move, one approval for main.
pub(crate) const POLICY: &str = r#"schema = 1
[person.ann]
email = ["ann@example.org"]
[person.ben]
email = ["ben@example.org"]
[person.cem]
email = ["cem@example.org"]
[agent.bot]
email = ["bot@example.org"]
[branch.main]
patterns = ["main"]
protected = true
checks = ["whole"]
approvals = 1
break-glass = ["ann"]
[[branch.main.merge]]
from = ["*"]
method = ["merge", "squash", "rebase", "fast-forward"]
[branch.develop]
patterns = ["develop"]
protected = true
approvals = 1
"#;

/// A check that fails on a tree with a file called `broken`, and writes down which commit it has seen.
pub(crate) const CONFIG: &str = r#"[[check]]
name = "whole"
run = ["sh", "-c", "test ! -e broken && git rev-parse HEAD >>\"$SEEN\""]
"#;

/// A clone, and the guarded repository that it came from.
pub(crate) struct Stage {
    pub(crate) repo: Repo,
    pub(crate) bare: PathBuf,
}

impl Stage {
    /// Returns a guarded repository with a main and a develop branch; nothing where there is no `ssh-keygen`.
    #[track_caller]
    pub(crate) fn new() -> Option<Self> {
        Self::with(POLICY)
    }

    /// The same with another policy.
    #[track_caller]
    pub(crate) fn with(policy: &str) -> Option<Self> {
        let stage = Self::empty()?;
        stage.begin(policy);
        stage.install(&[]);
        Some(stage)
    }

    /// Returns two repositories without a commit, and keys for everybody.
    #[track_caller]
    pub(crate) fn empty() -> Option<Self> {
        let found = Command::new("ssh-keygen").arg("-?").stdin(Stdio::null()).output();
        if found.is_err() {
            skip("there is no ssh-keygen");
            return None;
        }
        let repo = Repo::new();
        let bare = repo.path().with_file_name("app.git");
        let stage = Self { repo, bare };
        let path = stage.bare.display().to_string();
        stage.ok(&["init", "-q", "--bare", "--template=", "--initial-branch=main", &path]);
        stage.ok(&["remote", "add", "origin", &path]);
        for name in PEOPLE {
            let key = stage.key(name).display().to_string();
            let args = ["-q", "-t", "ed25519", "-N", "", "-C", name, "-f", &key];
            assert!(stage.run("ssh-keygen", &args).status.success());
        }
        Some(stage)
    }

    /// Pushes the first commit, with the policy, the keys and the checks in it.
    #[track_caller]
    pub(crate) fn begin(&self, policy: &str) {
        self.repo.file("README.md", "hello\n").file("shipway.toml", CONFIG);
        self.repo.file(".shipway/policy.toml", policy).file(".shipway/allowed_signers", self.signers());
        self.repo.commit("chore: begin");
        self.ok(&["push", "-q", "origin", "main", "main:develop"]);
    }

    /// Returns the file of allowed signers, with everybody in it.
    pub(crate) fn signers(&self) -> String {
        let line = |name: &str| {
            let text = fs::read_to_string(self.key(name).with_extension("pub")).unwrap();
            let mut words = text.split(' ');
            format!("{name} {} {}\n", words.next().unwrap(), words.next().unwrap())
        };
        PEOPLE.map(line).concat()
    }

    #[track_caller]
    pub(crate) fn install(&self, more: &[&str]) {
        let path = self.bare.display().to_string();
        let output = self.run(SHIPWAY, &[&["guard", "install", "--server", &path], more].concat());
        assert!(output.status.success(), "{}", said(&output));
    }

    /// Returns the private key of somebody.
    pub(crate) fn key(&self, name: &str) -> PathBuf {
        self.repo.home().join(format!("key-{name}"))
    }

    /// Returns the file in which the checks write down what they have seen.
    pub(crate) fn seen(&self) -> PathBuf {
        self.repo.home().join("seen")
    }

    /// Returns a command by somebody, in the clone; the transport vouches for the name.
    pub(crate) fn command(&self, who: &str, program: &str, args: &[&str]) -> Command {
        let mut command = self.repo.command(program);
        command.args(args).env("SHIPWAY_LOGIN", who).env("SEEN", self.seen()).stdin(Stdio::null());
        command.env("GIT_AUTHOR_EMAIL", format!("{who}@example.org"));
        command.env("GIT_COMMITTER_EMAIL", format!("{who}@example.org"));
        command
    }

    pub(crate) fn run(&self, program: &str, args: &[&str]) -> Output {
        self.command("ann", program, args).output().unwrap()
    }

    /// Runs shipway as somebody, with that person's key.
    pub(crate) fn shipway(&self, who: &str, args: &[&str]) -> Output {
        self.shipway_in(&self.repo.path().display().to_string(), who, args)
    }

    /// The same in another clone.
    pub(crate) fn shipway_in(&self, dir: &str, who: &str, args: &[&str]) -> Output {
        let mut command = self.command(who, SHIPWAY, args);
        command.current_dir(dir);
        command.env("GIT_CONFIG_COUNT", "2");
        command.env("GIT_CONFIG_KEY_0", "user.signingKey").env("GIT_CONFIG_VALUE_0", self.key(who));
        command.env("GIT_CONFIG_KEY_1", "gpg.format").env("GIT_CONFIG_VALUE_1", "ssh");
        command.output().unwrap()
    }

    /// The same for what must do well; returns everything that was said.
    #[track_caller]
    pub(crate) fn did(&self, who: &str, args: &[&str]) -> String {
        let output = self.shipway(who, args);
        assert!(output.status.success(), "{who} {args:?}: {}", said(&output));
        said(&output)
    }

    /// The same for what must be refused, with an exit code; returns everything that was said.
    #[track_caller]
    pub(crate) fn refused(&self, who: &str, args: &[&str], code: i32) -> String {
        let output = self.shipway(who, args);
        assert_eq!(output.status.code(), Some(code), "{who} {args:?}: {}", said(&output));
        said(&output)
    }

    /// Returns what shipway answers as JSON.
    #[track_caller]
    pub(crate) fn json(&self, who: &str, args: &[&str]) -> Value {
        let output = self.shipway(who, &[args, &["--json"]].concat());
        assert!(output.status.success(), "{who} {args:?}: {}", said(&output));
        serde_json::from_slice(&output.stdout).unwrap_or_else(|error| panic!("{error}: {}", said(&output)))
    }

    /// Runs git in the clone.
    #[track_caller]
    pub(crate) fn ok(&self, args: &[&str]) -> String {
        self.repo.git(args)
    }

    /// Pushes as somebody.
    pub(crate) fn push(&self, who: &str, args: &[&str]) -> Output {
        self.command(who, "git", &[&["push", "origin"], args].concat()).output().unwrap()
    }

    /// Proposes what HEAD is, and returns what the guard has said.
    #[track_caller]
    pub(crate) fn propose(&self, who: &str, target: &str, options: &[&str]) -> String {
        let spec = format!("HEAD:refs/for/{target}");
        let mut args = vec![];
        for option in options {
            args.extend(["-o", option]);
        }
        let output = self.push(who, &[&args[..], &[&spec]].concat());
        assert!(output.status.success(), "{}", said(&output));
        said(&output)
    }

    /// Makes a branch from main as it is on the remote, with a commit of somebody that writes a file.
    #[track_caller]
    pub(crate) fn work(&self, who: &str, branch: &str, file: &str) -> String {
        self.ok(&["fetch", "-q", "origin"]);
        self.ok(&["checkout", "-q", "-B", branch, "origin/main"]);
        self.commit(who, file, &format!("feat: {file}"))
    }

    /// Commits a file as somebody.
    #[track_caller]
    pub(crate) fn commit(&self, who: &str, file: &str, message: &str) -> String {
        self.repo.file(file, format!("{file}\n{message}\n"));
        self.ok(&["add", "--all"]);
        let output = self.command(who, "git", &["commit", "-q", "-m", message]).output().unwrap();
        assert!(output.status.success(), "{}", said(&output));
        self.repo.head()
    }

    /// Returns what a name means in the guarded repository.
    pub(crate) fn tip(&self, name: &str) -> String {
        self.there(&["rev-parse", "--verify", name])
    }

    /// Runs git in the guarded repository, past its hooks.
    #[track_caller]
    pub(crate) fn there(&self, args: &[&str]) -> String {
        let mut command = self.command("ann", "git", &[&["-c", "core.hooksPath=/dev/null"], args].concat());
        let output = command.current_dir(&self.bare).output().unwrap();
        assert!(output.status.success(), "{args:?}: {}", said(&output));
        String::from_utf8_lossy(&output.stdout).trim().to_owned()
    }

    /// Returns the events of a change request, in order.
    pub(crate) fn events(&self, log: &str) -> Vec<Value> {
        let ids = self.there(&["rev-list", "--reverse", "--first-parent", log]);
        ids.lines()
            .map(|id| {
                serde_json::from_str(&self.there(&["cat-file", "-p", &format!("{id}:event.json")])).unwrap()
            })
            .collect()
    }
}

/// Returns everything that a program has said.
pub(crate) fn said(output: &Output) -> String {
    [&output.stdout[..], &output.stderr].map(|bytes| String::from_utf8_lossy(bytes).into_owned()).concat()
}

/// Returns the lines of a file; none where there is no file.
pub(crate) fn lines(path: &Path) -> Vec<String> {
    fs::read_to_string(path).unwrap_or_default().lines().map(str::to_owned).collect()
}
