//! A guarded repository, seen from a clone of it.

use std::time::Duration;

use shipway_core::change::{ChangeRequest, EVENTS, Event, LANDINGS, Record};
use shipway_core::problem::{Code, Problem};
use shipway_core::statement::{Review, Signed, Statement, Word};
use shipway_core::time::Time;

use crate::git::cmd::remote_git;
use crate::git::repository::Repository;
use crate::guard::landing::{self, Scene};
use crate::guard::publish::{self, About, GUARD};
use crate::guard::see::{self, Ref};
use crate::hooks::staged::InHook;
use crate::keys::{self, SigningKey, nonce};
use crate::policy::{Base, Bootstrap};
use crate::records;
use crate::shell;

/// A clone, the guard of its remote, and the policy there.
pub struct Client<'a> {
    /// Git in the clone.
    pub git: &'a InHook<'a>,
    /// Where it is, and how it reaches others.
    pub repository: &'a Repository,
    /// The name of the remote.
    pub remote: String,
    /// What the guard says of itself.
    pub about: About,
    /// The policy in force.
    pub base: Base,
    /// Where the branches of the remote are here, such as `refs/remotes/origin`.
    pub heads: String,
}

impl<'a> Client<'a> {
    /// Fetches all that the guard of a remote has written, and its branches.
    pub fn open(git: &'a InHook<'a>, repository: &'a Repository, remote: &str) -> Result<Self, Vec<Problem>> {
        let one = |problem| vec![problem];
        let heads = format!("refs/remotes/{remote}");
        let client = Fetch { git, repository, remote, heads: &heads };
        client.fetch().map_err(one)?;
        let about = publish::about(git).map_err(one)?.ok_or_else(|| {
            vec![
                Problem::new(Code::GuardMissing, format!("{remote} has no guard"))
                    .hint("shipway guard install --server REPO.git"),
            ]
        })?;
        let pinned = about.policy.replacen("refs/heads", &heads, 1);
        let base = Base::at(git, &pinned, Some(Bootstrap::Ref(GUARD)))?;
        Ok(Self { git, repository, remote: remote.to_owned(), about, base, heads })
    }

    /// The same where a remote need not have a guard: nothing if it has none.
    pub fn of_guarded(
        git: &'a InHook<'a>,
        repository: &'a Repository,
        remote: &str,
    ) -> Result<Option<Self>, Vec<Problem>> {
        match Self::open(git, repository, remote) {
            Ok(client) => Ok(Some(client)),
            Err(problems) if problems.iter().any(|problem| problem.code == Code::GuardMissing) => Ok(None),
            Err(problems) => Err(problems),
        }
    }

    /// Fetches once more.
    pub fn refresh(&mut self) -> Result<(), Vec<Problem>> {
        *self = Self::open(self.git, self.repository, &self.remote.clone())?;
        Ok(())
    }

    /// Returns the commit that a branch of the remote is at.
    pub fn tip(&self, branch: &str) -> Result<Option<String>, Problem> {
        records::tip(self.git, &format!("{}/{branch}", self.heads))
    }

    /// Returns the branches of the remote, by the names that they have there.
    pub fn refs(&self) -> Result<Vec<Ref>, Problem> {
        let prefix = format!("{}/", self.heads);
        let there = see::refs(self.git)?.into_iter().filter_map(|found| {
            let short = found.name.strip_prefix(prefix.as_bytes())?;
            if short == b"HEAD" {
                return None;
            }
            Some(Ref { name: [b"refs/heads/", short].concat(), id: found.id, target: None })
        });
        Ok(there.collect())
    }

    /// Returns a change request.
    pub fn change(&self, number: u64) -> Result<ChangeRequest, Problem> {
        landing::read(self.git, number)
    }

    /// Returns the open change requests whose newest version is a commit, the oldest first.
    pub fn proposed(&self, head: &str) -> Result<Vec<ChangeRequest>, Problem> {
        let mut changes = landing::all(self.git)?;
        changes
            .retain(|change| change.is_open() && change.newest().is_some_and(|newest| newest.head == head));
        Ok(changes)
    }

    /// Returns the change request that is open from a branch for another one, the newest of several.
    pub fn open_from(&self, source: &str, target: &str) -> Result<Option<ChangeRequest>, Problem> {
        let fits =
            |change: &ChangeRequest| change.is_open() && change.source == source && change.target == target;
        Ok(landing::all(self.git)?.into_iter().rev().find(fits))
    }

    /// Returns what landings are looked at with.
    pub fn scene(&self) -> Scene<'_> {
        let (repository, base) = (self.about.name.as_str(), &self.base);
        Scene { repository, git: self.git, base, now: shell::now(), heads: &self.heads }
    }

    /// Returns a signed word on the newest version of a change.
    pub fn review(
        &self,
        change: &ChangeRequest,
        (word, text): (Word, &str),
        key: &SigningKey,
        tell: &dyn Fn(&str),
    ) -> Result<Signed, Problem> {
        let newest = change.newest().ok_or_else(|| {
            Problem::new(Code::ChangeUnknown, format!("change {} has no version", change.number))
        })?;
        let now = shell::now();
        let review = Review {
            repository: self.about.name.clone(),
            change: change.number,
            version: newest.version,
            head: newest.head.clone(),
            patch: newest.patch.clone(),
            target: change.target.clone(),
            policy: self.base.digest.clone(),
            word,
            text: text.to_owned(),
            expires: now.after(self.base.policy.approval_expiry),
            nonce: nonce()?,
            key_use: key.key_use,
        };
        keys::sign(key, Statement::Review(review), tell)
    }

    /// Sends an event of a change to the guard.
    pub fn send(&self, number: u64, event: Event, signed: Option<Signed>) -> Result<String, Problem> {
        self.push_event(&format!("{EVENTS}/changes/{number}"), event, signed, &[])
    }

    /// Sends a record to a log; further parents are commits that must travel along.
    pub fn push_event(
        &self,
        log: &str,
        event: Event,
        signed: Option<Signed>,
        along: &[&str],
    ) -> Result<String, Problem> {
        let record = Record { v: 1, at: shell::now(), by: String::new(), event, signed };
        let commit = records::make(self.git, &record, along)?;
        self.push(&[format!("{commit}:{log}")])
    }

    /// Pushes, and returns what the remote has said.
    pub fn push(&self, specs: &[String]) -> Result<String, Problem> {
        let cmd = remote_git(&self.repository.top, &self.repository.reach)
            .args(["push", "--porcelain", "--no-verify", &self.remote])
            .args(specs)
            .timeout(Duration::from_mins(5));
        let output = self.git.run(&cmd)?;
        let said: Vec<String> =
            output.error_text().lines().filter_map(|line| line.strip_prefix("remote:")).map(plain).collect();
        if output.ok() {
            return Ok(said.join("\n"));
        }
        let why =
            output.text().lines().find(|line| line.starts_with('!')).unwrap_or("the push failed").to_owned();
        let why = why.rsplit('\t').next().unwrap_or_default().to_owned();
        let details =
            if said.is_empty() { output.error_text().lines().map(str::to_owned).collect() } else { said };
        Err(Problem::new(Code::PushDenied, format!("{} says no: {why}", self.remote)).details(details))
    }
}

fn plain(line: &str) -> String {
    line.trim_end().strip_prefix(' ').unwrap_or(line).trim_end().to_owned()
}

struct Fetch<'a> {
    git: &'a InHook<'a>,
    repository: &'a Repository,
    remote: &'a str,
    heads: &'a str,
}

impl Fetch<'_> {
    fn fetch(&self) -> Result<(), Problem> {
        let specs = [
            format!("+refs/heads/*:{}/*", self.heads),
            "+refs/shipway/changes/*:refs/shipway/changes/*".into(),
            format!("+{LANDINGS}*:{LANDINGS}*"),
            format!("+{GUARD}*:{GUARD}*"),
        ];
        let cmd = remote_git(&self.repository.top, &self.repository.reach)
            .args([
                "fetch",
                "--quiet",
                "--no-tags",
                "--no-write-fetch-head",
                "--prune",
                "--end-of-options",
                self.remote,
            ])
            .args(specs)
            .timeout(Duration::from_mins(5));
        let output = self.git.run(&cmd)?;
        if output.ok() {
            return Ok(());
        }
        Err(Problem::new(Code::RemoteUnreachable, format!("{} could not be fetched", self.remote))
            .details(output.error_text().lines().take(10))
            .hint(format!("git fetch {}", self.remote)))
    }
}

/// Tells when a time is, for people: seconds since 1970 are for programs.
pub fn day(at: Time) -> String {
    at.date()
}
