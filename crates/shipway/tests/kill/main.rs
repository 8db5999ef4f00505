//! `kill -9` of the real binary at random moments of a release with slow hooks, here and on the remote.
//!
//! Only shipway itself is killed: the `git push` that it started lives on, and whoever takes up the run at once must
//! wait for it.

#![expect(clippy::print_stdout, reason = "the counts and the seed are part of what the tests show")]

use std::collections::BTreeMap;
use std::env;
use std::process::{Command, Output, Stdio};
use std::thread::sleep;
use std::time::{Duration, Instant};

use shipway_testkit::remote::Remote;
use shipway_testkit::repo::Repo;
use shipway_testkit::state::Snapshot;

/// How long the remote takes over a push, in seconds.
const SLOW: f64 = 0.4;
/// How long is waited afterwards for a push that nobody may have left behind: longer than the remote takes.
const LATE: Duration = Duration::from_millis(600);
const TAG: &str = "v1.1.0";

/// Numbers that are the same for the same seed.
struct Dice(u64);

impl Dice {
    /// Returns a duration up to a longest one.
    fn up_to(&mut self, longest: Duration) -> Duration {
        // The generator is that of Knuth's MMIX; its upper bits are the good ones.
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        let part = u32::try_from(self.0 >> 48).expect("sixteen bits are left");
        longest * part / (1 << 16)
    }
}

/// A project and its remote, both slow.
struct Site {
    repo: Repo,
    remote: Remote,
    here: Snapshot,
    there: Snapshot,
}

impl Site {
    fn new() -> Self {
        let repo = Repo::plain("1.0.0");
        repo.file("shipway.toml", "[checks]\ndetect = false\n");
        repo.commit("chore: configure the release");
        let remote = Remote::of(&repo);
        remote.slow(SLOW);
        repo.hook("pre-commit", "sleep 0.1").hook("pre-push", "sleep 0.1");
        let (here, there) = (local(&repo), remote.snapshot());
        Self { repo, remote, here, there }
    }

    fn command(&self, verb: &str) -> Command {
        let mut command = self.repo.command(env!("CARGO_BIN_EXE_shipway"));
        command.arg(verb).stdin(Stdio::null());
        command
    }

    fn run(&self, verb: &str) -> Output {
        self.command(verb).output().expect("the binary was built with this test")
    }

    /// Starts shipway and kills it after a time, if it still lives.
    fn killed(&self, verb: &str, after: Duration) {
        let mut command = self.command(verb);
        let child = command.stdout(Stdio::null()).stderr(Stdio::null()).spawn();
        let mut child = child.expect("the binary was built with this test");
        sleep(after);
        child.kill().expect("a child that was not waited for can be killed");
        child.wait().expect("a child can be waited for");
    }

    /// Returns the word for how it ended, or what is wrong.
    fn judge(&self, last: &Output) -> Result<&'static str, String> {
        let (here, there) = (local(&self.repo), self.remote.snapshot());
        let subjects = self.repo.try_git(["log", "--format=%s", "-3", "refs/remotes/origin/main"]);
        let subjects = String::from_utf8_lossy(&subjects.stdout).into_owned();
        sleep(LATE);
        let require = |kept: bool, seen: &str| if kept { Ok(()) } else { Err(seen.to_owned()) };
        require(self.remote.snapshot() == there, "a push landed after the end")?;
        require(self.repo.git(["for-each-ref", "refs/shipway"]).is_empty(), "a ref is left behind")?;
        require(self.repo.git(["worktree", "list"]).lines().count() == 1, "a work tree is left behind")?;
        require(self.repo.git(["status", "--porcelain"]).is_empty(), "the work tree is not clean")?;
        if there == self.there {
            require(here == self.here, &format!("not as it was:\n{}", self.here.diff(&here)))?;
            return Ok("clean");
        }
        let tag = self.remote.tag_object(TAG).ok_or("the remote has no tag")?;
        require(self.repo.rev(&format!("refs/tags/{TAG}")) == Some(tag), "the tag here is another one")?;
        let tip = self.remote.tip("main").ok_or("the remote has no branch")?;
        if !last.status.success() {
            return Err(format!("the last command ended with {}", last.status));
        }
        let release = self.repo.rev(&format!("{TAG}^{{commit}}")).ok_or("the tag names no commit")?;
        if tip == release {
            require(self.repo.head() == tip, "the branch here is elsewhere")?;
            return Ok("shipped once");
        }
        let log = ["log", "--format=%s", "-2"].map(str::to_owned);
        let log = self.repo.git(log.into_iter().chain([tip.clone()]));
        let wanted = "revert: release version 1.1.0\nchore: release version 1.1.0";
        require(log == wanted, &format!("the remote holds:\n{log}\nknown: {subjects}"))?;
        if self.repo.head() == tip {
            return Ok("withdrawn");
        }
        let but_tag = here.without(&format!("ref refs/tags/{TAG}"));
        require(but_tag == self.here, &format!("not as it was:\n{}", self.here.diff(&but_tag)))?;
        Ok("answered")
    }
}

/// Returns what the project is, without what a push tells of the remote.
fn local(repo: &Repo) -> Snapshot {
    repo.state().without("ref refs/remotes/")
}

/// Returns how long a release takes that nobody kills.
fn whole() -> Duration {
    let (site, begun) = (Site::new(), Instant::now());
    let output = site.run("push");
    let took = begun.elapsed();
    assert_eq!(site.judge(&output), Ok("shipped once"), "{}", String::from_utf8_lossy(&output.stderr));
    took
}

/// Kills a release at random moments, the later half of the trials once more in the second life, and lets `verb` end it.
fn check(verb: &str, seed: u64, allowed: &[&str]) {
    let full = env::var_os("SHIPWAY_TEST_FULL").is_some_and(|value| value == "1");
    let trials = if full { 100 } else { 10 };
    let longest = whole();
    let (mut dice, mut ends) = (Dice(seed), BTreeMap::new());
    for trial in 0..trials {
        let site = Site::new();
        let (first, second) = (dice.up_to(longest), dice.up_to(longest));
        site.killed("push", first);
        let twice = trial >= trials / 2;
        if twice {
            site.killed(verb, second);
        }
        let output = site.run(verb);
        // After a release that was whole before the kill, nothing is left to resume.
        let told = String::from_utf8_lossy(&output.stderr).into_owned();
        let nothing = told.contains("no run is open");
        let output = if nothing { site.run("status") } else { output };
        let deaths = if twice { format!("{first:?} and {second:?}") } else { format!("{first:?}") };
        let place = format!("seed {seed}, trial {trial}, killed after {deaths}, then {verb}");
        match site.judge(&output) {
            // A run that was opened and not taken back on request ships.
            Ok("clean") if verb == "resume" && !nothing => panic!("{place}: it did not ship\n{told}"),
            Ok(end) if allowed.contains(&end) => *ends.entry(end).or_insert(0) += 1,
            Ok(end) => panic!("{place}: {end}"),
            Err(wrong) => panic!("{place}: {wrong}\n{told}"),
        }
    }
    println!("kill -9, then {verb}: {trials} trials, seed {seed}, ends {ends:?}");
}

#[test]
fn a_release_that_is_killed_at_random_and_resumed_ships_once_or_never_began() {
    check("resume", 7, &["shipped once", "clean"]);
}

#[test]
fn a_release_that_is_killed_at_random_and_taken_back_is_clean_or_answered() {
    check("rollback", 11, &["clean", "answered", "withdrawn"]);
}
