//! Proving a branch: every step that it has made since the guard came, back to the ticket that let it move, and from there
//! to the approvals, the checks and the policy of that time.
//!
//! What is looked at are the steps of the branch and not its first parents: a fast-forward may bring a commit whose first
//! parent was never on the branch.

mod bases;
mod content;
mod hold;

use std::collections::{BTreeMap, BTreeSet};

use shipway_core::change::{self, Event, LANDINGS};
use shipway_core::policy::{FileChange, Rule};
use shipway_core::problem::{Code, Problem};
use shipway_core::statement::{Signed, Ticket};
use shipway_core::time::Time;

use self::bases::Bases;
use super::client::Client;
use crate::guard::see;
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
    commits: BTreeMap<String, Commit>,
    /// What the branch was at when the guard came.
    since: Option<&'a str>,
    log: &'a [Seen],
    /// The tickets for the branch by what they bring it to, the oldest first, as places in the log.
    by_new: BTreeMap<&'a str, Vec<usize>>,
    changes: BTreeMap<String, Vec<records::Kept>>,
    /// The files that differ between two commits, for each step that has a ticket.
    files: BTreeMap<(&'a str, &'a str), Vec<FileChange>>,
}

/// A commit: its parents, its tree and its title.
struct Commit {
    parents: Vec<String>,
    tree: String,
    title: String,
}

/// Where a branch was, and how many of the tickets had been written by then.
type Place = (String, usize);

impl Known<'_> {
    /// Tells whether a place is one that the branch has come to since the guard came, and not where that found it.
    fn has(&self, (id, until): &Place) -> bool {
        self.commits.contains_key(id) || self.tickets(id, *until).next().is_some()
    }

    /// Returns the tickets for a step to a commit that had been written by then, the oldest first.
    fn tickets(&self, id: &str, until: usize) -> impl DoubleEndedIterator<Item = usize> {
        let all = self.by_new.get(id).map_or(&[][..], Vec::as_slice);
        all.iter().copied().filter(move |index| *index < until)
    }
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
        let told = range.map(|range| self.range(range, &tip)).transpose().map_err(one)?;
        let log = self.tickets().map_err(one)?;
        let known = self.known(&reference, &tip, &log).map_err(one)?;
        let mut bases = Bases::new(self, &log).map_err(one)?;
        let (mut proofs, mut made) = (vec![], vec![]);
        let mut at = Some((tip, log.len()));
        // A branch that was forced back may have been where it is more than once: each step is by an older ticket.
        while let Some((id, until)) = at.filter(|place| known.has(place)) {
            let (held, before) = self.step((&id, until), (&known, &mut bases))?;
            let commit = known.commits.get(&id);
            let is_told = told.as_ref().is_none_or(|told| told.contains(&id));
            if is_told && (commit.is_some() || held.exception.is_some()) {
                let title = commit.map_or_else(|| self.title(&id), |commit| commit.title.clone());
                made.push(held.made.zip(commit.map(|commit| commit.tree.clone())));
                let (by, exception, flaws) = (held.by, held.exception, held.flaws);
                proofs.push(Proof { commit: id, title, by, exception, flaws });
            }
            at = before;
        }
        self.make_again(&mut proofs, &made).map_err(one)?;
        Ok(proofs)
    }

    /// Gathers what steps of a branch are held to.
    fn known<'b>(&'b self, reference: &str, tip: &str, log: &'b [Seen]) -> Result<Known<'b>, Problem> {
        let since = self.about.since.get(reference).map(String::as_str);
        let commits = self.commits(tip, since)?;
        let changes = records::read_all(self.git, &format!("{}/*/log", change::CHANGES))?;
        let mut by_new: BTreeMap<&str, Vec<usize>> = BTreeMap::new();
        for (index, seen) in log.iter().enumerate().filter(|(_, seen)| seen.ticket.reference == reference) {
            by_new.entry(seen.ticket.new.as_str()).or_default().push(index);
        }
        let begin = since.map(|since| records::tip(self.git, &format!("{since}^{{tree}}"))).transpose()?;
        let begin = begin.flatten();
        let tree = |id: &str| match commits.get(id) {
            Some(commit) => Some(commit.tree.as_str()),
            None => begin.as_deref().filter(|_| since == Some(id)),
        };
        let tickets: Vec<&Ticket> = by_new.values().flatten().map(|index| &log[*index].ticket).collect();
        let trees = |ticket: &Ticket| Some((tree(&ticket.old)?, tree(&ticket.new)?));
        let differ = content::differ(self.git, &tickets.iter().filter_map(|ticket| trees(ticket)).collect())?;
        let files = tickets.into_iter().filter_map(|ticket| {
            let found = differ.get(&trees(ticket)?)?;
            Some(((ticket.old.as_str(), ticket.new.as_str()), found.clone()))
        });
        let files = files.collect();
        Ok(Known { commits, since, log, by_new, changes, files })
    }

    /// Holds the step to a commit to the newest of its tickets that counts: one that does not may have been written by
    /// whoever wants the step to look bad. Returns what is known of it, and where the branch was before.
    fn step(
        &self,
        (id, until): (&str, usize),
        (known, bases): (&Known<'_>, &mut Bases<'_>),
    ) -> Result<(hold::Held, Option<Place>), Vec<Problem>> {
        let mut found = None;
        for index in known.tickets(id, until).rev() {
            let seen = &known.log[index];
            let mut held = hold::hold(self, seen, known, bases.of(index)?);
            let before = (seen.ticket.old.clone(), index);
            if !before.0.is_empty() && known.since != Some(&before.0) && !known.has(&before) {
                held.flaws
                    .push(format!("its ticket is for a step from {}, which is not before it", before.0));
            }
            if held.exception.is_some() && self.is_forced(&before.0, id) {
                let from = before.0.get(..12).unwrap_or(&before.0);
                held.by.push_str(&format!(", in place of {from}, which it does not have"));
            }
            let good = held.flaws.is_empty();
            if good || found.is_none() {
                found = Some((held, Some(before).filter(|(id, _)| !id.is_empty())));
            }
            if good {
                break;
            }
        }
        Ok(found.unwrap_or_else(|| {
            let flaws = vec!["no ticket has let it land".to_owned()];
            let held = hold::Held { by: "nobody".into(), exception: None, flaws, made: None };
            let parent = known.commits.get(id).and_then(|commit| commit.parents.first());
            (held, parent.map(|parent| (parent.clone(), until)))
        }))
    }

    /// Tells whether a step leads to what does not have the commit before it.
    fn is_forced(&self, before: &str, id: &str) -> bool {
        !before.is_empty() && !see::is_ahead(self.git, before, id).unwrap_or(false)
    }

    fn title(&self, id: &str) -> String {
        let found =
            self.git.expect(&self.git.git().args(["log", "-1", "--format=%s", "--end-of-options", id]));
        found.map_or_else(|_| "what is not here".to_owned(), |output| output.text())
    }

    /// Merges again what has landed, and finds the steps that hold something else.
    fn make_again(
        &self,
        proofs: &mut [Proof],
        made: &[Option<((String, String), String)>],
    ) -> Result<(), Problem> {
        let heads: Vec<&str> = made.iter().flatten().map(|((_, head), _)| head.as_str()).collect();
        let missing = content::missing(self.git, &heads)?;
        let here = |((_, head), _): &&((String, String), String)| !missing.contains(head.as_str());
        let pairs: Vec<(&str, &str)> = made
            .iter()
            .flatten()
            .filter(here)
            .map(|((old, head), _)| (old.as_str(), head.as_str()))
            .collect();
        let mut trees = content::merged(self.git, &pairs)?.into_iter();
        for (proof, made) in proofs.iter_mut().zip(made) {
            let Some(((_, head), tree)) = made else { continue };
            if missing.contains(head.as_str()) {
                proof.flaws.push(format!("the head that was approved is not here: {head}"));
            } else if trees.next().flatten().as_ref() != Some(tree) {
                proof
                    .flaws
                    .push(format!("{}: it holds what merging does not give", Rule::EvilMerge.as_str()));
            }
        }
        Ok(())
    }

    /// Returns the commits that a branch has got since the guard came.
    fn commits(&self, tip: &str, since: Option<&str>) -> Result<BTreeMap<String, Commit>, Problem> {
        let mut ask = format!("{tip}\n");
        if let Some(since) = since {
            ask.push_str(&format!("^{since}\n"));
        }
        let cmd = self.git.git().args(["log", "--format=%H%x00%P%x00%T%x00%s", "--stdin"]).stdin(ask);
        let listed = self.git.expect(&cmd)?.text();
        let commit = |line: &str| {
            let mut parts = line.splitn(4, '\0');
            let (id, parents, tree, title) = (parts.next()?, parts.next()?, parts.next()?, parts.next()?);
            let parents = parents.split(' ').filter(|id| !id.is_empty()).map(str::to_owned).collect();
            Some((id.to_owned(), Commit { parents, tree: tree.to_owned(), title: title.to_owned() }))
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
