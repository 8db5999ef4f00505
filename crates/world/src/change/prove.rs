//! Proving a branch: every step that it has made since the guard came, back to the ticket that let it move, and from there
//! to the approvals, the checks and the policy of that time.
//!
//! What is looked at are the steps of the branch and not its first parents: a fast-forward may bring a commit whose first
//! parent was never on the branch.

mod bases;
mod hold;

use std::collections::{BTreeMap, BTreeSet};

use shipway_core::change::{self, Event, LANDINGS};
use shipway_core::problem::{Code, Problem};
use shipway_core::statement::{Signed, Ticket};
use shipway_core::time::Time;

use self::bases::Bases;
use super::client::Client;
use crate::records;

/// What is known of one step of a branch.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Proof {
    /// The commit that the branch was moved to.
    pub commit: String,
    /// Its title.
    pub title: String,
    /// Why it was let in, for people.
    pub by: String,
    /// Why it was let in past approvals and checks, if it was.
    pub exception: Option<String>,
    /// What is missing; nothing means that it is proven.
    pub flaws: Vec<String>,
}

/// A ticket in the log of landings.
#[derive(Clone, Debug)]
struct Seen {
    /// When the guard took it.
    at: Time,
    ticket: Ticket,
    signed: Signed,
}

/// What a step is held to.
struct Known<'a> {
    /// The commits that the branch has got since the guard came.
    commits: &'a BTreeMap<String, Commit>,
    /// What the branch was at when the guard came.
    since: Option<&'a str>,
    log: &'a [Seen],
    changes: &'a BTreeMap<String, Vec<records::Kept>>,
}

/// A commit: its parents and its title.
struct Commit {
    parents: Vec<String>,
    title: String,
}

impl Client<'_> {
    /// Proves a branch, the newest step first. With a range `A..B`, only the steps to commits that B has and A has not are
    /// told, where either may be left out.
    pub fn prove(&self, branch: &str, range: Option<&str>) -> Result<Vec<Proof>, Vec<Problem>> {
        let one = |problem| vec![problem];
        let reference = format!("refs/heads/{branch}");
        let tip = self.tip(branch).map_err(one)?.ok_or_else(|| {
            let what = format!("{} has no branch {branch}", self.remote);
            vec![Problem::new(Code::Unproven, what).hint("shipway verify BRANCH")]
        })?;
        let since = self.about.since.get(&reference).map(String::as_str);
        let commits = self.commits(&tip, since).map_err(one)?;
        let told = range.map(|range| self.range(range, &tip)).transpose().map_err(one)?;
        let log = self.tickets().map_err(one)?;
        let changes = records::read_all(self.git, &format!("{}/*/log", change::CHANGES)).map_err(one)?;
        let mut bases = Bases::new(self, &log).map_err(one)?;
        let mut by_new: BTreeMap<&str, Vec<usize>> = BTreeMap::new();
        for (index, seen) in log.iter().enumerate().filter(|(_, seen)| seen.ticket.reference == reference) {
            by_new.entry(seen.ticket.new.as_str()).or_default().push(index);
        }
        let mut proofs = vec![];
        let mut seen = BTreeSet::new();
        let mut at = Some(tip.clone());
        // Each step leads to one that is older; records that lead in a circle lead nowhere.
        while let Some(id) = at.filter(|id| commits.contains_key(id) && seen.insert(id.clone())) {
            let indexes = by_new.get(id.as_str()).map_or(&[][..], Vec::as_slice);
            let known = Known { commits: &commits, since, log: &log, changes: &changes };
            let (held, before) = self.step(&id, indexes, (&known, &mut bases))?;
            if told.as_ref().is_none_or(|told| told.contains(&id)) {
                let title = commits[&id].title.clone();
                let hold::Held { by, exception, flaws } = held;
                proofs.push(Proof { commit: id, title, by, exception, flaws });
            }
            at = Some(before).filter(|before| !before.is_empty());
        }
        Ok(proofs)
    }

    /// Holds the step to a commit to the newest of its tickets that counts: one that does not may have been written by
    /// whoever wants the step to look bad. Returns what is known of it, and what the branch was at before.
    fn step(
        &self,
        id: &str,
        indexes: &[usize],
        (known, bases): (&Known<'_>, &mut Bases<'_>),
    ) -> Result<(hold::Held, String), Vec<Problem>> {
        let commit = &known.commits[id];
        let mut found = None;
        for index in indexes.iter().rev() {
            let seen = &known.log[*index];
            let mut held = hold::hold(self, seen, commit, (bases.of(*index)?, known.changes));
            let before = seen.ticket.old.as_str();
            if !before.is_empty() && !known.commits.contains_key(before) && known.since != Some(before) {
                held.flaws.push(format!("its ticket is for a step from {before}, which is not before it"));
            }
            let good = held.flaws.is_empty();
            if good || found.is_none() {
                found = Some((held, before.to_owned()));
            }
            if good {
                break;
            }
        }
        Ok(found.unwrap_or_else(|| {
            let flaws = vec!["no ticket has let it land".to_owned()];
            let held = hold::Held { by: "nobody".into(), exception: None, flaws };
            (held, commit.parents.first().cloned().unwrap_or_default())
        }))
    }

    /// Returns the commits that a branch has got since the guard came.
    fn commits(&self, tip: &str, since: Option<&str>) -> Result<BTreeMap<String, Commit>, Problem> {
        let mut ask = format!("{tip}\n");
        if let Some(since) = since {
            ask.push_str(&format!("^{since}\n"));
        }
        let cmd = self.git.git().args(["log", "--format=%H%x00%P%x00%s", "--stdin"]).stdin(ask);
        let listed = self.git.expect(&cmd)?.text();
        let commit = |line: &str| {
            let mut parts = line.splitn(3, '\0');
            let (id, parents, title) = (parts.next()?, parts.next()?, parts.next()?);
            let parents = parents.split(' ').filter(|id| !id.is_empty()).map(str::to_owned).collect();
            Some((id.to_owned(), Commit { parents, title: title.to_owned() }))
        };
        Ok(listed.lines().filter_map(commit).collect())
    }

    /// Returns the commits of a range; `tip` stands for an end that is left out.
    fn range(&self, range: &str, tip: &str) -> Result<BTreeSet<String>, Problem> {
        let bad = |what: String| Problem::new(Code::Usage, what).wanted("--range A..B");
        let (from, to) =
            range.split_once("..").ok_or_else(|| bad(format!("{range} is not a range of commits")))?;
        let mut ask = String::new();
        for (sign, name) in [("", if to.is_empty() { tip } else { to }), ("^", from)] {
            if name.is_empty() {
                continue;
            }
            let commit = records::tip(self.git, &format!("{name}^{{commit}}"))?;
            let commit = commit.ok_or_else(|| bad(format!("there is no commit {name}")))?;
            ask.push_str(&format!("{sign}{commit}\n"));
        }
        let listed = self.git.expect(&self.git.git().args(["rev-list", "--stdin"]).stdin(ask))?.text();
        Ok(listed.lines().map(str::to_owned).collect())
    }

    /// Returns all tickets, in the order in which the guard took them.
    fn tickets(&self) -> Result<Vec<Seen>, Problem> {
        let seen = |kept: records::Kept| {
            let signed = kept.record.signed.filter(|_| kept.record.event == Event::Ticket {})?;
            Some(Seen { at: kept.record.at, ticket: signed.ticket()?, signed })
        };
        Ok(records::read(self.git, LANDINGS, None)?.into_iter().filter_map(seen).collect())
    }
}
