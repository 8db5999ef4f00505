//! A real repository with a real bare remote, and a plain shell to look at them with.

use std::ffi::OsString;
use std::fs;
use std::io::{self, Write as _};
use std::os::unix::fs::PermissionsExt as _;
use std::os::unix::process::ExitStatusExt as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::Mutex;
use std::thread;

use shipway_core::action::{Cmd, Ended, Output, Shell, Stop};
use shipway_core::facts::{Facts, RemoteRefs};
use shipway_core::problem::{Code, Problem};
use shipway_core::validate::{Wanted, validate};
use shipway_world::facts::{Git, Look, Repository, gather, repository};
use tempfile::TempDir;

/// Runs commands with variables of its own and remembers them.
#[derive(Default)]
pub(crate) struct Plain {
    /// Variables that every command is given.
    pub(crate) env: Vec<(OsString, OsString)>,
    /// A word; a command that has it among its arguments is reported as too late.
    pub(crate) late: Option<&'static str>,
    /// The commands so far, as lines.
    pub(crate) ran: Mutex<Vec<String>>,
}

impl Shell for Plain {
    fn run(&self, cmd: &Cmd, stop: &Stop) -> io::Result<Output> {
        let words: Vec<String> = cmd.argv.iter().map(|word| word.to_string_lossy().into_owned()).collect();
        self.ran.lock().unwrap().push(words.join(" "));
        let ended = if self.late.is_some_and(|late| words.iter().any(|word| word == late)) {
            Some(Ended::TimedOut)
        } else {
            (stop.urgency() == shipway_core::action::Urgency::Now).then_some(Ended::Stopped)
        };
        if let Some(ended) = ended {
            return Ok(Output { ended, stdout: vec![], stderr: vec![] });
        }
        let mut child = Command::new(&cmd.argv[0])
            .args(&cmd.argv[1..])
            .current_dir(&cmd.dir)
            .envs(self.env.iter().cloned())
            .envs(cmd.env.iter().cloned())
            .stdin(if cmd.stdin.is_some() { Stdio::piped() } else { Stdio::null() })
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()?;
        let (input, pipe) = (cmd.stdin.clone(), child.stdin.take());
        let writer =
            thread::spawn(move || pipe.zip(input).map_or(Ok(()), |(mut pipe, input)| pipe.write_all(&input)));
        let output = child.wait_with_output()?;
        writer.join().unwrap()?;
        let ended = match (output.status.code(), output.status.signal()) {
            (Some(code), _) => Ended::Exit(code),
            (None, signal) => Ended::Signal(signal.unwrap_or_default()),
        };
        Ok(Output { ended, stdout: output.stdout, stderr: output.stderr })
    }
}

/// A work tree `work` with one pushed commit on `main`, and its remote `remote.git`.
pub(crate) struct Site {
    pub(crate) root: TempDir,
    pub(crate) work: PathBuf,
    pub(crate) remote: PathBuf,
    pub(crate) shell: Plain,
    pub(crate) stop: Stop,
}

impl Site {
    /// Makes the site with one pushed commit.
    pub(crate) fn new() -> Self {
        let site = Self::empty();
        site.commit("feat: one");
        site.git(&["push", "--quiet", "--set-upstream", "origin", "main"]);
        site
    }

    /// Makes the site without a commit.
    pub(crate) fn empty() -> Self {
        let root = tempfile::tempdir().unwrap();
        let top = root.path().canonicalize().unwrap();
        let env = [
            ("GIT_CONFIG_GLOBAL", "/dev/null"),
            ("GIT_CONFIG_NOSYSTEM", "1"),
            ("GIT_AUTHOR_NAME", "Jane Doe"),
            ("GIT_AUTHOR_EMAIL", "jane@example.org"),
            ("GIT_COMMITTER_NAME", "Jane Doe"),
            ("GIT_COMMITTER_EMAIL", "jane@example.org"),
        ];
        let env = env.map(|(name, value)| (name.into(), value.into())).to_vec();
        let (work, remote) = (top.join("work"), top.join("remote.git"));
        let shell = Plain { env, ..Plain::default() };
        let site = Self { root, work, remote, shell, stop: Stop::default() };
        site.git_in(&top, &["init", "--quiet", "--bare", "--initial-branch=main", "remote.git"]);
        site.git_in(&top, &["init", "--quiet", "--initial-branch=main", "work"]);
        site.git(&["remote", "add", "origin", "../remote.git"]);
        site
    }

    /// Runs git in the work tree and returns what it said.
    pub(crate) fn git(&self, args: &[&str]) -> String {
        self.git_in(&self.work, args)
    }

    /// Runs git in a directory and returns what it said.
    pub(crate) fn git_in(&self, dir: &Path, args: &[&str]) -> String {
        let output = self.try_git(dir, args);
        assert!(output.ok(), "{args:?}: {}", output.error_text());
        output.text()
    }

    /// Runs git in a directory, whatever comes of it.
    pub(crate) fn try_git(&self, dir: &Path, args: &[&str]) -> Output {
        self.shell.run(&Cmd::new("git").args(args).dir(dir).env("LC_ALL", "C"), &self.stop).unwrap()
    }

    /// Makes a commit that adds a line to `log.txt`, and returns its id.
    pub(crate) fn commit(&self, message: &str) -> String {
        let path = self.work.join("log.txt");
        let text = fs::read_to_string(&path).unwrap_or_default();
        fs::write(path, format!("{text}{message}\n")).unwrap();
        self.git(&["add", "--all"]);
        self.git(&["commit", "--quiet", "--message", message]);
        self.git(&["rev-parse", "HEAD"])
    }

    /// Puts a commit on the branch of the remote that the work tree does not have, and returns its id.
    pub(crate) fn commit_elsewhere(&self) -> String {
        let tree = self.git_in(&self.remote, &["rev-parse", "main^{tree}"]);
        let commit = self.git_in(&self.remote, &["commit-tree", &tree, "-p", "main", "-m", "fix: elsewhere"]);
        self.git_in(&self.remote, &["update-ref", "refs/heads/main", &commit]);
        commit
    }

    /// Writes a file in the work tree.
    pub(crate) fn write(&self, path: &str, text: &str) {
        let path = self.work.join(path);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, text).unwrap();
    }

    /// Sets a variable for every further command.
    pub(crate) fn env(&mut self, name: &str, value: impl Into<OsString>) {
        self.shell.env.retain(|(other, _)| other != name);
        self.shell.env.push((name.into(), value.into()));
    }

    /// Returns the repository of the work tree.
    pub(crate) fn repository(&self) -> Repository {
        self.find(&self.work).unwrap()
    }

    /// Finds the repository of a directory.
    pub(crate) fn find(&self, dir: &Path) -> Result<Repository, Problem> {
        repository(dir, &self.shell, &self.stop)
    }

    /// Looks without the network.
    pub(crate) fn facts(&self) -> Facts {
        self.look(&Look::default())
    }

    /// Looks and asks the remote.
    pub(crate) fn asked(&self) -> Facts {
        self.look(&Look { network: true, ..Look::default() })
    }

    /// Looks.
    pub(crate) fn look(&self, ask: &Look) -> Facts {
        gather(&self.repository(), ask, &self.shell, &self.stop).unwrap()
    }

    /// Looks in vain and returns the codes of the problems.
    pub(crate) fn in_vain(&self) -> Vec<Code> {
        let problems = gather(&self.repository(), &Look::default(), &self.shell, &self.stop).unwrap_err();
        problems.iter().map(|problem| problem.code).collect()
    }

    /// Calls something with git in the work tree.
    pub(crate) fn with_git<T>(&self, call: impl FnOnce(Git<'_>) -> T) -> T {
        call(Git::new(&self.repository(), &self.shell, &self.stop))
    }
}

/// Lets a file be run.
pub(crate) fn make_executable(path: &Path) {
    fs::set_permissions(path, fs::Permissions::from_mode(0o755)).unwrap();
}

/// Returns the codes that a push would stop at.
pub(crate) fn codes(facts: &Facts) -> Vec<Code> {
    let ask = Wanted { branches: vec!["main".into()], remote: None, now_pushing: true };
    validate(facts, &ask).iter().map(|problem| problem.code).collect()
}

/// Returns the refs of the remote.
pub(crate) fn seen(facts: &Facts) -> RemoteRefs {
    facts.remote.clone().unwrap().seen.unwrap().unwrap()
}
