//! The policies that were in force, each read once however many commits had it.

use std::collections::{BTreeMap, BTreeSet};

use shipway_core::problem::Problem;

use super::Seen;
use crate::change::client::Client;
use crate::guard::publish::GUARD;
use crate::policy::{Base, Bootstrap};

/// The directory of all that decides about a policy, besides the owners.
const GOVERNS: &str = ".shipway";

/// The policies of all tickets.
pub(super) struct Bases<'a> {
    client: &'a Client<'a>,
    /// For each ticket, the commits of the pinned branch whose policy it may have been written under, the likeliest
    /// first; empty for what was there before the first one.
    pinned: Vec<Vec<String>>,
    /// The digest that each ticket names.
    named: Vec<String>,
    /// A commit and what decides there, as the object id of the directory.
    at: BTreeMap<String, String>,
    /// What was read, by that object id.
    known: BTreeMap<String, Base>,
}

impl<'a> Bases<'a> {
    pub(super) fn new(client: &'a Client<'a>, log: &[Seen]) -> Result<Self, Problem> {
        let pinned = pinned(client, log)?;
        let commits: BTreeSet<&str> =
            pinned.iter().flatten().map(String::as_str).filter(|commit| !commit.is_empty()).collect();
        let mut ask = String::new();
        for commit in &commits {
            ask.push_str(&format!("{commit}:{GOVERNS}\n"));
        }
        let cmd = client.git.git().args(["cat-file", "--batch-check=%(objectname)"]).stdin(ask);
        let text = client.git.expect(&cmd)?.text();
        let answers = text.lines().map(|line| if line.ends_with(" missing") { "-" } else { line });
        let at = commits.iter().zip(answers);
        let at = at.map(|(commit, id)| ((*commit).to_owned(), id.to_owned())).collect();
        let named = log.iter().map(|seen| seen.ticket.policy.clone()).collect();
        Ok(Self { client, pinned, named, at, known: BTreeMap::new() })
    }

    /// Returns the policy that was in force for a ticket, by its place in the log.
    pub(super) fn of(&mut self, index: usize) -> Result<&Base, Vec<Problem>> {
        let candidates = self.pinned[index].clone();
        let mut chosen = String::new();
        for (place, commit) in candidates.iter().enumerate() {
            let key = self.at.get(commit).cloned().unwrap_or_default();
            if !self.known.contains_key(&key) {
                let rev = if commit.is_empty() { "refs/shipway/none" } else { commit };
                let mut base = Base::at(self.client.git, rev, Some(Bootstrap::Ref(GUARD)))?;
                base.signers = base.signers.revoked_also(&self.client.base.signers);
                self.known.insert(key.clone(), base);
            }
            let fits = self.known.get(&key).is_some_and(|base| base.digest == self.named[index]);
            if place == 0 || fits {
                chosen = key;
            }
            if fits {
                break;
            }
        }
        Ok(self.known.get(&chosen).expect("the first candidate was read"))
    }
}

/// Returns for each ticket where the pinned branch was when it was written.
fn pinned(client: &Client<'_>, log: &[Seen]) -> Result<Vec<Vec<String>>, Problem> {
    let name = &client.about.policy;
    let landed: BTreeSet<String> = match client.tip(name.trim_start_matches("refs/heads/"))? {
        None => BTreeSet::new(),
        Some(tip) => {
            let listed = client.git.expect(&client.git.git().args(["rev-list", &tip]))?.text();
            listed.lines().map(str::to_owned).collect()
        }
    };
    let first = client.about.since.get(name).cloned().unwrap_or_default();
    let (mut now, mut before) = (first, None);
    let mut places = vec![];
    for seen in log {
        let ticket = &seen.ticket;
        if ticket.reference != *name {
            // Its ticket may be there already while the pinned branch has not moved yet.
            places.push([Some(now.clone()), before.clone()].into_iter().flatten().collect());
            continue;
        }
        places.push(vec![ticket.old.clone()]);
        if landed.contains(&ticket.new) && ticket.new != now {
            before = Some(std::mem::replace(&mut now, ticket.new.clone()));
        }
    }
    Ok(places)
}
