//! Clean checkouts for checks that an event asks for: of one commit, beside every work tree, gone afterwards. The
//! repository may be bare, as it is for a hook of a server.

mod aside;

use std::collections::BTreeMap;
use std::fs::{self, File};
use std::os::unix::fs::DirBuilderExt as _;
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::sync::Mutex;
use std::thread;
use std::time::{Duration, Instant};

use shipway_core::action::{Cmd, Ended, Output, Shell, Stop};
use shipway_core::change::CHANGES;
use shipway_core::config::{Check, Trigger};
use shipway_core::problem::{Code, Problem};
use shipway_core::version;

use crate::facts;
use crate::git::cmd::git;
use crate::shell::LocalShell;

/// How many of the last lines of a failing check are shown.
const LINES: usize = 20;

/// A repository, bare or not, of which commits are looked at.
#[derive(Clone, Copy)]
pub struct Source<'a> {
    /// The directory of a work tree, or of the bare repository.
    pub dir: &'a Path,
    /// The hands.
    pub shell: &'a dyn Shell,
    /// The switch.
    pub stop: &'a Stop,
}

/// What became of a check.
#[derive(Clone, Debug)]
pub struct Ran {
    /// The name.
    pub name: String,
    /// How long it took.
    pub took: Duration,
    /// What is wrong, if it did not pass.
    pub problem: Option<Problem>,
    /// All that it has said.
    pub log: String,
}

impl Source<'_> {
    fn run(&self, cmd: &Cmd) -> Result<Output, Problem> {
        self.shell
            .run(cmd, self.stop)
            .map_err(|error| Problem::new(Code::Io, format!("git could not be started: {error}")))
    }

    fn expect(&self, cmd: &Cmd) -> Result<Output, Problem> {
        let output = self.run(cmd)?;
        if output.ok() {
            return Ok(output);
        }
        let lines: Vec<String> = output.error_text().lines().take(20).map(str::to_owned).collect();
        Err(Problem::new(Code::GitFailed, "git failed while a trigger looked at the repository")
            .details(lines))
    }

    /// Returns the object id of a commit.
    pub fn commit(&self, name: &str) -> Result<String, Problem> {
        let wanted = format!("{name}^{{commit}}");
        let ask = git(self.dir).args(["rev-parse", "--verify", "--quiet", "--end-of-options", &wanted]);
        let output = self.run(&ask)?;
        if output.ok() {
            return Ok(output.text());
        }
        Err(Problem::new(Code::TriggerUnknown, format!("there is no commit {name} here")).hint("git fetch"))
    }

    /// Tells whether a commit is on a branch, here or as a remote was last seen to have it. What somebody only asks to
    /// land is not.
    pub fn is_on(&self, commit: &str, branch: &str) -> Result<bool, Problem> {
        let heads = format!("refs/heads/{branch}");
        let there = format!("refs/remotes/*/{branch}");
        let ask = git(self.dir).args(["for-each-ref", "--format=%(refname)", "--contains", commit]);
        let output = self.expect(&ask.args([heads.as_str(), there.as_str()]))?;
        // A pattern also names what is below it.
        Ok(output.text().lines().any(|name| name == heads || name.ends_with(&format!("/{branch}"))))
    }

    /// Returns the environments to which somebody's run brings a commit by itself, each with that run: of a release
    /// its own, as its message or that of its tag says, and of a commit that withdraws a release the one of that.
    pub fn bound(&self, commit: &str) -> Result<BTreeMap<String, String>, Problem> {
        let commit = self.commit(commit)?;
        let own = self.messages(&commit)?;
        let releases = own.iter().flat_map(|message| version::withdrawn(message)).map(|(_, commit)| commit);
        let mut messages = vec![];
        for release in releases {
            // One that is not here is none of this repository, whatever the message says.
            if let Ok(release) = self.commit(release) {
                messages.extend(self.messages(&release)?);
            }
        }
        let bound = own.iter().chain(&messages).filter_map(|message| version::bound(message));
        Ok(bound
            .flat_map(|bound| bound.to.into_iter().map(move |name| (name.to_owned(), bound.run.to_owned())))
            .collect())
    }

    /// Returns the message of a commit and those of the tags that name it.
    fn messages(&self, commit: &str) -> Result<Vec<String>, Problem> {
        let of_commit = git(self.dir).args(["log", "-1", "--no-show-signature", "--format=%B", commit]);
        let at = format!("--points-at={commit}");
        let of_tags = git(self.dir).args(["for-each-ref", "--format=%(contents)%00", &at, "refs/tags"]);
        let tags = self.expect(&of_tags)?.text();
        let mut messages: Vec<String> = tags.split('\0').map(str::to_owned).collect();
        messages.push(self.expect(&of_commit)?.text());
        Ok(messages)
    }

    /// Returns the name of the directory that the repository is in.
    fn name(&self) -> String {
        let dir = fs::canonicalize(self.dir).unwrap_or_default();
        let top = dir.ancestors().find(|dir| dir.join(".git").exists()).unwrap_or(&dir);
        let name = top.file_name().unwrap_or_default().to_string_lossy().into_owned();
        let name = name.strip_suffix(".git").unwrap_or(&name);
        if name.is_empty() { "checkout".to_owned() } else { name.to_owned() }
    }

    /// Returns a file of a commit, if it has it.
    pub fn file(&self, commit: &str, path: &str) -> Result<Option<Vec<u8>>, Problem> {
        let output = self.run(&git(self.dir).args(["cat-file", "blob", &format!("{commit}:{path}")]))?;
        Ok(output.ok().then_some(output.stdout))
    }

    /// Checks a commit out in a directory of its own among those that are there for a while only.
    pub fn check_out_aside(&self, commit: &str) -> Result<Checkout, Problem> {
        let repository = facts::repository(self.dir, self.shell, self.stop).ok();
        let repository = repository.or_else(|| facts::bare_repository(self.dir));
        aside::sweep(repository.as_ref().map(|repository| repository.common_dir.as_path()));
        let (dir, held) = aside::make(commit).map_err(|error| {
            let place = std::env::temp_dir();
            Problem::new(Code::Io, format!("no checkout can be made in {}: {error}", place.display()))
        })?;
        self.fill(commit, &dir, Some(held))
    }

    /// Checks a commit out beside every work tree.
    pub fn check_out(&self, commit: &str, dir: &Path) -> Result<Checkout, Problem> {
        fs::DirBuilder::new()
            .mode(0o700)
            .create(dir)
            .map_err(|error| Problem::new(Code::Io, format!("{} cannot be made: {error}", dir.display())))?;
        self.fill(commit, dir, None)
    }

    fn fill(&self, commit: &str, dir: &Path, held: Option<File>) -> Result<Checkout, Problem> {
        // A project without a name in its files is called like its directory, wherever it is checked out.
        let from = fs::canonicalize(self.dir).unwrap_or_else(|_| self.dir.to_owned());
        let checkout = Checkout { from, dir: dir.to_owned(), held, tree: dir.join(self.name()) };
        // The user's hooks are for the user's work trees.
        let add =
            git(self.dir).args(["-c", "core.hooksPath=/dev/null", "worktree", "add", "--quiet", "--detach"]);
        self.expect(&add.arg(&checkout.tree).arg(commit))?;
        Ok(checkout)
    }
}

/// A clean checkout, which is removed when it is dropped.
#[derive(Debug)]
pub struct Checkout {
    from: PathBuf,
    dir: PathBuf,
    held: Option<File>,
    /// The top of the checkout.
    pub tree: PathBuf,
}

impl Checkout {
    /// Returns what keeps the checkout from being swept, for a program that works in it: an empty file to read from.
    pub fn share(&self) -> Stdio {
        let held = self.held.as_ref().and_then(|held| held.try_clone().ok());
        held.map_or_else(Stdio::null, Stdio::from)
    }

    /// Runs checks with the hands of a source, some at once, and returns what became of each, in their order.
    pub fn run(
        &self,
        source: &Source<'_>,
        checks: &[&Check],
        (parallel, timeout): (usize, Duration),
    ) -> Vec<Ran> {
        let queue = Mutex::new(checks.iter().enumerate());
        let ran = Mutex::new(vec![]);
        let work = || {
            loop {
                let next = queue.lock().unwrap_or_else(std::sync::PoisonError::into_inner).next();
                let Some((index, check)) = next else { return };
                let begun = Instant::now();
                let (problem, log) = self.one(source, check, check.timeout.unwrap_or(timeout));
                let one = Ran { name: check.name.clone(), took: begun.elapsed(), problem, log };
                ran.lock().unwrap_or_else(std::sync::PoisonError::into_inner).push((index, one));
            }
        };
        thread::scope(|scope| {
            for _ in 0..parallel.clamp(1, checks.len().max(1)) {
                scope.spawn(work);
            }
        });
        let mut ran = ran.into_inner().unwrap_or_else(std::sync::PoisonError::into_inner);
        ran.sort_by_key(|(index, _)| *index);
        ran.into_iter().map(|(_, ran)| ran).collect()
    }

    fn one(&self, source: &Source<'_>, check: &Check, limit: Duration) -> (Option<Problem>, String) {
        let cmd = Cmd::default().args(&check.run).dir(&self.tree).timeout(limit).contain();
        // As inside of a hook of a server, these would lead to the repository instead of the checkout.
        let cmd = ["GIT_DIR", "GIT_WORK_TREE", "GIT_INDEX_FILE", "GIT_QUARANTINE_PATH"]
            .into_iter()
            .fold(cmd, Cmd::unset);
        let cmd = check.env.iter().fold(cmd, |cmd, (name, value)| cmd.env(name, value));
        let (how, code, text) = match source.shell.run(&cmd, source.stop) {
            Err(error) => (error.to_string(), Code::CheckFailed, String::new()),
            Ok(output) => {
                let text = format!("{}\n{}", output.text(), output.error_text());
                match output.ended {
                    Ended::Exit(0) => return (None, text),
                    Ended::Exit(exit) => (format!("ended with code {exit}"), Code::CheckFailed, text),
                    Ended::Signal(signal) => {
                        (format!("was ended by signal {signal}"), Code::CheckFailed, text)
                    }
                    Ended::Stopped => ("was stopped".into(), Code::CheckFailed, text),
                    Ended::TimedOut => (
                        format!("took more than {} s and was ended", limit.as_secs()),
                        Code::CheckTimedOut,
                        text,
                    ),
                }
            }
        };
        let lines: Vec<&str> = text.lines().filter(|line| !line.trim().is_empty()).collect();
        let last = lines[lines.len().saturating_sub(LINES)..].iter().copied();
        let what = format!("`{}` {how}", check.run.join(" "));
        let problem = Problem::new(code, what).at(format!("check {}", check.name)).details(last);
        (Some(problem), text)
    }
}

impl Drop for Checkout {
    fn drop(&mut self) {
        let remove = git(&self.from).args(["worktree", "remove", "--force", "--force"]).arg(&self.tree);
        // What is left then is a directory of ours in a place for such.
        let _ = LocalShell::new().run(&remove, &Stop::default());
        let _ = fs::remove_dir_all(&self.dir);
    }
}

/// What a `post-receive` hook reads.
#[derive(Debug, Default)]
pub struct Received {
    /// The events, each with its commit. A ref that was deleted is none.
    pub events: Vec<(Trigger, String)>,
    /// The numbers of change requests that a guard has taken.
    pub proposed: Vec<u64>,
    /// The lines that are not UTF-8, as far as they can be shown.
    pub unreadable: Vec<String>,
}

/// Reads lines of old object id, new object id, and ref.
pub fn received(lines: &[u8]) -> Received {
    let mut received = Received::default();
    for line in lines.split(|byte| *byte == b'\n') {
        let Ok(line) = str::from_utf8(line) else {
            received.unreadable.push(line.escape_ascii().to_string());
            continue;
        };
        let [_, new, name] = line.splitn(3, ' ').collect::<Vec<_>>()[..] else { continue };
        let gone = new.bytes().all(|byte| byte == b'0');
        received.events.extend(Trigger::of_ref(name).filter(|_| !gone).map(|event| (event, new.to_owned())));
        let version = name.strip_prefix(CHANGES).and_then(|rest| rest.strip_prefix('/')?.split_once('/'));
        received.proposed.extend(
            version
                .filter(|(_, version)| *version != "log")
                .and_then(|(number, _)| number.parse::<u64>().ok()),
        );
    }
    received
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_of_a_hook_are_events() {
        let text = b"0000 aaaa refs/heads/develop\naaaa 0000 refs/heads/gone\n0000 bbbb refs/tags/v1\n\
                     0000 cccc refs/notes/x\n0000 ffff refs/shipway/changes/7/2\n\
                     0000 ffff refs/shipway/changes/7/log\n0000 eeee refs/heads/d\xe9j\xe0\n0000 dddd refs/for/main\nnonsense\n";
        let Received { events, proposed, unreadable } = received(text);
        let events: Vec<(String, String)> =
            events.into_iter().map(|(event, id)| (event.text(), id)).collect();
        let expected = [("change:develop", "aaaa"), ("tag:v1", "bbbb"), ("change:main", "dddd")];
        assert_eq!(events, expected.map(|(event, id)| (event.to_owned(), id.to_owned())));
        assert_eq!(proposed, [7]);
        assert_eq!(unreadable, [r"0000 eeee refs/heads/d\xe9j\xe0"]);
    }
}
