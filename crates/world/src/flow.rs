//! Branches as they are, here and on the remote: where they stand to each other, and how they are started and brought
//! forward. What is owed to whom is decided in `shipway_core::flow`.

use std::collections::BTreeMap;

use shipway_core::action::{Cmd, Ended, Output, Shell, Stop};
use shipway_core::change::{LANDINGS, Record};
use shipway_core::problem::{Code, Problem};
use shipway_core::validate::quoted;

use crate::git::cmd::{git, remote_git};
use crate::git::remote_error;
use crate::git::repository::Repository;
use crate::hooks::staged::InHook;
use crate::records;

/// Git in a repository, for branches.
#[derive(Clone, Copy)]
pub struct Branches<'a> {
    /// Where.
    pub repository: &'a Repository,
    /// The name of the remote.
    pub remote: Option<&'a str>,
    /// The hands.
    pub shell: &'a dyn Shell,
    /// The switch.
    pub stop: &'a Stop,
}

/// The tips of branches: as the remote was last seen to have them, else as they are here.
pub type Tips = BTreeMap<String, String>;

impl Branches<'_> {
    fn git(&self) -> Cmd {
        git(&self.repository.top)
    }

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
        Err(Problem::new(Code::GitFailed, "git failed while it looked at branches").details(lines))
    }

    fn text(&self, args: &[&str]) -> Result<String, Problem> {
        self.expect(&self.git().args(args)).map(|output| output.text())
    }

    /// Returns the remote to use: the one that the configuration names, else `origin`, else the only one.
    pub fn chosen(&self, configured: Option<&str>) -> Result<Option<String>, Problem> {
        if let Some(name) = configured {
            return Ok(Some(name.to_owned()));
        }
        let text = self.text(&["remote"])?;
        let names: Vec<&str> = text.lines().collect();
        let only = (names.len() == 1).then(|| names[0]);
        Ok(names.iter().copied().find(|name| *name == "origin").or(only).map(str::to_owned))
    }

    /// Returns what the log of landings holds, the oldest first, as it was last fetched; nothing if there is none here.
    pub fn landings(&self) -> Result<Vec<Record>, Problem> {
        let git = InHook::new(&self.repository.top, &[], (self.shell, self.stop));
        Ok(records::read(&git, LANDINGS, None)?.into_iter().map(|kept| kept.record).collect())
    }

    /// Returns the commits of a branch that no ticket of a log answers for, the newest first; nothing is said of those
    /// before the first ticket.
    pub fn unticketed(&self, branch: &str, tip: &str, records: &[Record]) -> Result<Vec<String>, Problem> {
        let wanted = format!("refs/heads/{branch}");
        let ticket = |record: &Record| {
            let ticket = record.signed.as_ref()?.ticket().filter(|ticket| ticket.reference == wanted)?;
            Some((ticket.old, ticket.new))
        };
        let mut gaps: Vec<String> = vec![];
        let mut at: Option<String> = None;
        for (old, new) in records.iter().filter_map(ticket) {
            // One that was never used leads nowhere.
            if !self.has(tip, &new)? {
                continue;
            }
            if let Some(before) = at.filter(|before| *before != old && !old.is_empty()) {
                gaps.push(format!("{before}..{old}"));
            }
            at = Some(new);
        }
        gaps.extend(at.filter(|last| last != tip).map(|last| format!("{last}..{tip}")));
        let mut found = vec![];
        for gap in gaps.iter().rev() {
            let text = self.text(&["rev-list", "--first-parent", gap])?;
            found.extend(text.lines().map(str::to_owned));
        }
        Ok(found)
    }

    /// Asks the remote for its branches, if there is one.
    pub fn fetch(&self) -> Result<(), Problem> {
        let Some(remote) = self.remote else { return Ok(()) };
        let cmd = remote_git(&self.repository.top, &self.repository.reach);
        let output = self.run(&cmd.args(["fetch", "--quiet", "--prune", "--", remote]))?;
        if output.ok() { Ok(()) } else { Err(remote_error::problem(&output.error_text(), remote)) }
    }

    /// Returns the branches and their tips. Where the remote has one, that counts: what is here may be older.
    pub fn tips(&self) -> Result<Tips, Problem> {
        let form = "--format=%(refname) %(objectname)";
        let there = self.remote.map(|remote| format!("refs/remotes/{remote}/"));
        let mut args = vec!["for-each-ref", form, "refs/heads/"];
        args.extend(there.as_deref());
        let text = self.text(&args)?;
        let mut tips = Tips::new();
        for prefix in [Some("refs/heads/"), there.as_deref()].into_iter().flatten() {
            for (name, id) in text.lines().filter_map(|line| line.split_once(' ')) {
                if let Some(name) = name.strip_prefix(prefix).filter(|name| *name != "HEAD") {
                    tips.insert(name.to_owned(), id.to_owned());
                }
            }
        }
        Ok(tips)
    }

    /// Returns the branch that HEAD is on.
    pub fn current(&self) -> Result<Option<String>, Problem> {
        let output = self.run(&self.git().args(["symbolic-ref", "--quiet", "--short", "HEAD"]))?;
        Ok(output.ok().then(|| output.text()))
    }

    /// Tells whether a branch is here.
    pub fn is_here(&self, branch: &str) -> Result<bool, Problem> {
        let name = format!("refs/heads/{branch}");
        Ok(self.run(&self.git().args(["show-ref", "--verify", "--quiet", &name]))?.ok())
    }

    /// Tells whether a commit is in the history of another one.
    pub fn has(&self, tip: &str, commit: &str) -> Result<bool, Problem> {
        Ok(self.run(&self.git().args(["merge-base", "--is-ancestor", commit, tip]))?.ok())
    }

    /// Returns how many commits a tip has that another one has not, apart from merges.
    pub fn ahead(&self, tip: &str, of: &str) -> Result<usize, Problem> {
        let text = self.text(&["rev-list", "--count", "--no-merges", tip, &format!("^{of}")])?;
        Ok(text.parse().unwrap_or_default())
    }

    /// Returns the object ids and messages of the commits that a tip has and another one has not, apart from merges.
    pub fn messages(&self, tip: &str, of: &str) -> Result<Vec<(String, String)>, Problem> {
        let text = self.text(&["log", "--no-merges", "--format=%H%n%B%x00", tip, &format!("^{of}")])?;
        let records = text.split('\0').map(str::trim_start).filter(|record| !record.is_empty());
        Ok(records
            .filter_map(|one| one.split_once('\n'))
            .map(|(id, text)| (id.into(), text.into()))
            .collect())
    }

    /// Merges two commits without touching anything; returns the paths that conflict.
    pub fn conflicts(&self, ours: &str, theirs: &str) -> Result<Vec<String>, Problem> {
        let cmd = self.git().args([
            "merge-tree",
            "--write-tree",
            "--name-only",
            "--no-messages",
            "-z",
            ours,
            theirs,
        ]);
        let output = self.run(&cmd)?;
        match output.ended {
            Ended::Exit(0) => Ok(vec![]),
            // The first field is the tree.
            Ended::Exit(1) => Ok(String::from_utf8_lossy(&output.stdout)
                .split_terminator('\0')
                .skip(1)
                .map(str::to_owned)
                .collect()),
            Ended::Exit(_) | Ended::Signal(_) | Ended::TimedOut | Ended::Stopped => {
                Err(Problem::new(Code::GitFailed, "git cannot tell whether two branches merge")
                    .details(output.error_text().lines().take(20)))
            }
        }
    }

    /// Makes a branch here at a commit.
    pub fn create(&self, branch: &str, at: &str) -> Result<(), Problem> {
        self.expect(&self.git().args(["branch", "--no-track", "--", branch, at])).map(|_| ())
    }

    /// Makes a branch at a commit and switches to it; files that are changed and not committed come along.
    pub fn start(&self, branch: &str, at: &str) -> Result<(), Problem> {
        // The user's own switch, with their hooks.
        let output =
            self.run(&self.git().args(["switch", "--quiet", "--no-track", "--create", branch, at]))?;
        if output.ok() {
            return Ok(());
        }
        let what = format!("branch {branch} cannot be started");
        Err(Problem::new(Code::FlowBranch, what).details(output.error_text().lines().take(20)))
    }

    /// Pushes one ref with options for the guard. The text is what the remote has said.
    pub fn push(&self, from: &str, to: &str, options: &[String]) -> Result<String, Problem> {
        let options: Vec<String> = options.iter().map(|option| format!("--push-option={option}")).collect();
        self.send(from, to, &options)
    }

    fn send(&self, from: &str, to: &str, options: &[String]) -> Result<String, Problem> {
        let Some(remote) = self.remote else {
            return Err(Problem::new(Code::NoRemote, "there is no remote to push to")
                .hint("git remote add origin ADDRESS"));
        };
        let cmd = remote_git(&self.repository.top, &self.repository.reach).args(["push", "--quiet"]);
        let cmd = cmd.args(options.iter().map(String::as_str));
        let output = self.run(&cmd.args(["--", remote]).arg(format!("{from}:{to}")))?;
        let text = output.error_text();
        if !output.ok() {
            if text.contains("does not support push options") {
                return Err(unguarded(remote, to));
            }
            return Err(remote_error::problem(&text, remote));
        }
        if to.starts_with("refs/for/") {
            self.not_taken_as_it_is(remote, to)?;
        }
        Ok(text)
    }

    /// Pushes the branch that HEAD is on, under its own name. What was rewritten here replaces what the remote has, if
    /// all of that has been on this branch here: what others have added is not thrown away. Whether the branch may be
    /// rewritten at all is said by the guard.
    pub fn publish(&self, branch: &str) -> Result<(), Problem> {
        let name = format!("refs/heads/{branch}");
        let there = self.tips()?.remove(branch);
        let there = match there {
            Some(there) if !self.has("HEAD", &there)? => there,
            Some(_) | None => return self.push("HEAD", &name, &[]).map(|_| ()),
        };
        let remote = self.remote.unwrap_or_default();
        if !self.was_here(&name, &there)? {
            let short = there.get(..12).unwrap_or(&there);
            return Err(Problem::new(
                Code::RemoteMoved,
                format!("{remote} has more of {branch} than was ever here"),
            )
            .found(format!("{short} on {remote}, which is not behind HEAD"))
            .wanted("a branch that has all of it")
            .hint(format!("git rebase {}", quoted(&format!("{remote}/{branch}")))));
        }
        self.send("HEAD", &name, &[format!("--force-with-lease={name}:{there}")]).map(|_| ())
    }

    /// Tells whether a branch here has had a commit at any time that its log of moves knows of.
    fn was_here(&self, name: &str, commit: &str) -> Result<bool, Problem> {
        let heads = self.text(&["log", "--walk-reflogs", "--format=^%H", name, "--"])?;
        // What none of them has behind it is listed. One that is no longer there says nothing.
        let cmd = self.git().args(["rev-list", "--max-count=1", "--ignore-missing", "--stdin"]);
        let listed = self.expect(&cmd.stdin(format!("{commit}\n{heads}\n").into_bytes()))?;
        Ok(listed.text().is_empty())
    }

    /// A remote without a guard may take `refs/for/…` for an ordinary name. That helps nobody, so it is removed again.
    fn not_taken_as_it_is(&self, remote: &str, name: &str) -> Result<(), Problem> {
        let there = || remote_git(&self.repository.top, &self.repository.reach);
        let listed = self.run(&there().args(["ls-remote", "--", remote, name]))?;
        if listed.text().is_empty() {
            return Ok(());
        }
        let _ = self.run(&there().args(["push", "--quiet", "--", remote, &format!(":{name}")]))?;
        Err(unguarded(remote, name))
    }
}

fn unguarded(remote: &str, name: &str) -> Problem {
    let branch = name.strip_prefix("refs/for/").unwrap_or(name);
    Problem::new(Code::FlowUnguarded, format!("{remote} takes no change requests: it has no guard"))
        .found(format!("a remote that does not know {name}"))
        .wanted("a repository with a guard")
        .hint("in the bare repository: shipway guard install --server .")
        .hint(format!("or ask for {branch} as that remote wants it; the branch itself is pushed"))
}
