//! A repository with a remote, the real binary in it, and gates that hold a command until the test lets it go.

use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::thread::sleep;
use std::time::{Duration, Instant};

use rustix::process::{Pid, Signal, kill_process};
use shipway_testkit::remote::Remote;
use shipway_testkit::repo::Repo;

/// How long anything is waited for; only a failing test takes that long.
const PATIENCE: Duration = Duration::from_secs(90);

/// The configuration of most tests: nothing is detected, so nothing slow is run.
pub(crate) const QUIET: &str = "[checks]\ndetect = false\n";

/// A repository with a remote.
pub(crate) struct Stage {
    pub(crate) repo: Repo,
    pub(crate) remote: Remote,
}

/// What a command did.
#[derive(Debug)]
pub(crate) struct Done {
    pub(crate) status: ExitStatus,
    pub(crate) out: String,
    pub(crate) err: String,
}

/// A command that runs.
pub(crate) struct Running {
    pub(crate) child: Child,
    files: [PathBuf; 2],
}

impl Stage {
    /// Returns a plain project at 1.0.0 with this `shipway.toml`, pushed to its remote.
    pub(crate) fn new(config: &str) -> Self {
        Self::with(config, |_| ())
    }

    /// Returns the same with more set up before it is pushed.
    pub(crate) fn with(config: &str, more: impl FnOnce(&Repo)) -> Self {
        let repo = Repo::plain("1.0.0");
        repo.file("shipway.toml", config);
        more(&repo);
        repo.commit("chore: configure the release");
        let remote = Remote::of(&repo);
        Self { repo, remote }
    }

    /// Returns a stage with one check, a script for `sh`.
    pub(crate) fn check(script: &str) -> Self {
        Self::new(&check("test", script))
    }

    /// Returns a path beside the work tree.
    pub(crate) fn home(&self, name: &str) -> PathBuf {
        self.repo.home().join(name)
    }

    /// Returns a call of shipway.
    pub(crate) fn command(&self, args: &[&str]) -> Command {
        let mut command = self.repo.command(env!("CARGO_BIN_EXE_shipway"));
        command.args(args).stdin(Stdio::null());
        command
    }

    /// Runs shipway to its end.
    pub(crate) fn run(&self, args: &[&str]) -> Done {
        finish(&mut self.command(args))
    }

    /// Runs shipway to its end, which must be this exit code.
    #[track_caller]
    pub(crate) fn code(&self, code: i32, args: &[&str]) -> Done {
        let done = self.run(args);
        done.assert_code(code);
        done
    }

    /// Starts shipway.
    pub(crate) fn start(&self, args: &[&str]) -> Running {
        self.start_command(self.command(args))
    }

    /// Starts a command.
    pub(crate) fn start_command(&self, mut command: Command) -> Running {
        let dir = self.home("outputs");
        fs::create_dir_all(&dir).unwrap();
        let number = fs::read_dir(&dir).unwrap().count();
        let files = ["out", "err"].map(|name| dir.join(format!("{number}.{name}")));
        let [out, err] = files.each_ref().map(|path| File::create(path).unwrap());
        Running { child: command.stdout(out).stderr(err).spawn().unwrap(), files }
    }

    /// Waits until a gate is reached.
    #[track_caller]
    pub(crate) fn reached(&self, gate: &str) {
        wait_for(&format!("the gate {gate}"), || self.home(&format!("{gate}.in")).exists());
    }

    /// Lets whoever waits at a gate go, now and from now on.
    pub(crate) fn open(&self, gate: &str) {
        fs::write(self.home(&format!("{gate}.go")), "").unwrap();
    }

    /// Returns the run that is open or was the last one.
    #[track_caller]
    pub(crate) fn last_run(&self) -> String {
        let status = self.run(&["status", "--json"]);
        let value: serde_json::Value = serde_json::from_str(&status.out).unwrap();
        let run = value.pointer("/summary/run").or_else(|| value.pointer("/runs/0/run"));
        run.and_then(|run| run.as_str()).unwrap_or_else(|| panic!("{value}")).to_owned()
    }

    /// Asserts that the release of 1.1.0 is out, once, and all is clean.
    #[track_caller]
    pub(crate) fn assert_shipped(&self) {
        assert_eq!(self.remote.tags(), ["v1.0.0", "v1.1.0"]);
        assert_eq!(self.remote.tip("main"), Some(self.repo.head()));
        assert_eq!(self.repo.rev("v1.1.0^{commit}"), Some(self.repo.head()));
        assert_eq!(self.repo.git(["status", "--porcelain"]), "");
        assert_eq!(self.repo.read("VERSION"), "1.1.0\n");
        let took = self.remote.logs().iter().filter(|line| line.starts_with("took refs/tags/")).count();
        assert_eq!(took, 1, "{:?}", self.remote.logs());
    }

    /// Returns the directory of shipway.
    pub(crate) fn state(&self) -> PathBuf {
        self.repo.path().join(".git/shipway")
    }
}

impl Done {
    #[track_caller]
    pub(crate) fn assert_code(&self, code: i32) -> &Self {
        assert_eq!(self.status.code(), Some(code), "{}\n{}", self.out, self.err);
        self
    }

    /// Asserts that the talk has all of these.
    #[track_caller]
    pub(crate) fn says(&self, parts: &[&str]) -> &Self {
        for part in parts {
            assert!(self.all().contains(part), "no {part:?} in\n{}", self.all());
        }
        self
    }

    /// Returns all that was printed.
    pub(crate) fn all(&self) -> String {
        format!("{}{}", self.out, self.err)
    }
}

impl Running {
    pub(crate) fn pid(&self) -> Pid {
        Pid::from_child(&self.child)
    }

    /// Sends a signal; if the tests were started to ignore it, one that is heard and means the same.
    pub(crate) fn signal(&self, signal: Signal) -> &Self {
        let signal = if ignores(signal) { Signal::TERM } else { signal };
        kill_process(self.pid(), signal).unwrap();
        self
    }

    /// Waits for its end.
    #[track_caller]
    pub(crate) fn end(mut self) -> Done {
        let mut status = None;
        wait_for("the end of shipway", || {
            status = self.child.try_wait().unwrap();
            status.is_some()
        });
        let [out, err] = self.outputs();
        Done { status: status.unwrap(), out, err }
    }

    /// Returns what was printed so far.
    pub(crate) fn outputs(&self) -> [String; 2] {
        self.files.each_ref().map(|path| text(path))
    }

    /// Waits until something was said on standard error.
    #[track_caller]
    pub(crate) fn said(&self, part: &str) {
        wait_for(part, || self.outputs()[1].contains(part));
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        // A failed test must not leave anything behind.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Runs a command to its end.
pub(crate) fn finish(command: &mut Command) -> Done {
    let output = command.output().unwrap();
    let [out, err] =
        [&output.stdout, &output.stderr].map(|bytes| String::from_utf8_lossy(bytes).into_owned());
    Done { status: output.status, out, err }
}

/// Tells whether this process ignores a signal, and so whatever it starts: a shell may start its jobs like that.
pub(crate) fn ignores(signal: Signal) -> bool {
    let status = text(Path::new("/proc/self/status"));
    let set = status.lines().find_map(|line| line.strip_prefix("SigIgn:"));
    let set = set.and_then(|set| u64::from_str_radix(set.trim(), 16).ok()).unwrap_or_default();
    set >> (signal.as_raw() - 1) & 1 == 1
}

/// Waits until something holds.
#[track_caller]
pub(crate) fn wait_for(what: &str, mut holds: impl FnMut() -> bool) {
    let end = Instant::now() + PATIENCE;
    while !holds() {
        assert!(Instant::now() < end, "{what} does not come");
        sleep(Duration::from_millis(10));
    }
}

/// Returns the configuration of one check, a script for `sh`.
pub(crate) fn check(name: &str, script: &str) -> String {
    format!("[[check]]\nname = \"{name}\"\nrun = [\"sh\", \"-c\", '''{script}''']\n")
}

/// Returns a script that says that it is there, with its process id, and waits until the gate is opened.
///
/// It ends by itself after two minutes, so that a failed test leaves nothing behind.
pub(crate) fn gate(home: &Path, name: &str) -> String {
    let at = home.join(name).display().to_string();
    format!(
        "echo $$ >{at}.new; mv {at}.new {at}.in; n=0; \
         while ! test -e {at}.go && test $n -lt 2400; do sleep 0.05; n=$((n+1)); done"
    )
}

/// Returns a script as [`gate`] does, for a check or hook that knows its home.
pub(crate) fn home_gate(name: &str) -> String {
    gate(Path::new("$HOME"), name)
}

/// Returns the text of a file; empty if there is none.
pub(crate) fn text(path: &Path) -> String {
    String::from_utf8_lossy(&fs::read(path).unwrap_or_default()).into_owned()
}

/// Tells whether the process whose id a file holds is there.
pub(crate) fn lives(file: &Path) -> bool {
    let pid = text(file).trim().to_owned();
    let stat = text(&Path::new("/proc").join(pid).join("stat"));
    let state = stat.rsplit(')').next().unwrap_or_default().trim_start();
    !state.is_empty() && !state.starts_with(['Z', 'X'])
}
