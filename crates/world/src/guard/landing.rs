//! What is known of a change that is to land: who approved it, who checked it, whose paths it touches, and what is owed.

use std::collections::BTreeMap;

use shipway_core::change::{self, CHANGES, ChangeRequest, Event, Given, LANDINGS, Record, State};
use shipway_core::flow::{self, Owed};
use shipway_core::grade::{Distance, grade};
use shipway_core::policy::owners::Owners;
use shipway_core::policy::{Landing, Method, Update};
use shipway_core::problem::{Code, Problem};
use shipway_core::statement::{CheckResult, Statement, Word};
use shipway_core::time::Time;

use super::see;
use crate::change::merge;
use crate::hooks::staged::InHook;
use crate::keys;
use crate::policy::Base;
use crate::records;

/// Names of checks, each with who vouches for it or what became of it.
pub type Named = Vec<(String, String)>;

/// Where a landing is looked at.
#[derive(Clone, Copy)]
pub struct Scene<'a> {
    /// The name of the repository.
    pub repository: &'a str,
    /// Git there.
    pub git: &'a InHook<'a>,
    /// The policy in force.
    pub base: &'a Base,
    /// Now.
    pub now: Time,
    /// Where the branches of the repository are: `refs/heads` in itself.
    pub heads: &'a str,
}

/// Returns the name of the log of a change request.
pub fn log(number: u64) -> String {
    format!("{CHANGES}/{number}/log")
}

/// Reads a change request.
pub fn read(git: &InHook<'_>, number: u64) -> Result<ChangeRequest, Problem> {
    let records: Vec<Record> =
        records::read(git, &log(number), None)?.into_iter().map(|kept| kept.record).collect();
    if records.is_empty() {
        return Err(Problem::new(Code::ChangeUnknown, format!("there is no change request {number}"))
            .hint("shipway change list"));
    }
    Ok(change::fold(number, &records))
}

/// Returns the numbers of all change requests, in order.
pub fn numbers(git: &InHook<'_>) -> Result<Vec<u64>, Problem> {
    let args = ["for-each-ref", "--format=%(refname)", &format!("{CHANGES}/*/log")];
    let text = git.expect(&git.git().args(args))?.text();
    let number = |name: &str| name.strip_prefix(CHANGES)?.split('/').nth(1)?.parse().ok();
    let mut numbers: Vec<u64> = text.lines().filter_map(number).collect();
    numbers.sort_unstable();
    Ok(numbers)
}

/// Returns why a change request does not ask to land, if it does not, and the command that helps.
fn unready(change: &ChangeRequest) -> Option<(String, String)> {
    let number = change.number;
    match &change.state {
        State::Open if change.draft => {
            Some((format!("change {number} is a draft"), format!("shipway change edit {number} --ready")))
        }
        State::Open => None,
        State::Landed(_) => {
            Some((format!("change {number} has landed already"), format!("shipway change show {number}")))
        }
        State::Closed(_) => {
            Some((format!("change {number} is closed"), format!("shipway change reopen {number}")))
        }
    }
}

/// Reads all change requests, in the order of their numbers.
pub fn all(git: &InHook<'_>) -> Result<Vec<ChangeRequest>, Problem> {
    let number = |name: &str| name.strip_prefix(CHANGES)?.split('/').nth(1)?.parse::<u64>().ok();
    let mut changes: Vec<ChangeRequest> = records::read_all(git, &format!("{CHANGES}/*/log"))?
        .into_iter()
        .filter_map(|(name, log)| {
            let records: Vec<Record> = log.into_iter().map(|kept| kept.record).collect();
            Some(change::fold(number(&name)?, &records))
        })
        .collect();
    changes.sort_by_key(|change| change.number);
    Ok(changes)
}

impl Scene<'_> {
    /// Returns what is known of a change that lands by a method as an update says; `checks` are those that the lander
    /// vouches for, each with the lander's name.
    pub fn landing(
        &self,
        change: &ChangeRequest,
        method: Method,
        update: &Update,
        checks: Vec<(String, String)>,
    ) -> Result<Landing, Problem> {
        let Some(newest) = change.newest() else {
            return Err(Problem::new(
                Code::ChangeUnknown,
                format!("change {} has no version", change.number),
            ));
        };
        let (approvals, objections) = self.words(change);
        let (signed, failed) = self.checks(change, &update.new);
        Ok(Landing {
            change: change.number,
            source: change.source.clone(),
            target: change.target.clone(),
            head: newest.head.clone(),
            method: Some(method),
            contributors: change.contributors(),
            author: change.author.clone(),
            approvals,
            objections,
            checks: checks.into_iter().chain(signed).collect(),
            failed,
            owners: self.owners(update),
            unready: unready(change),
            obligations: self.obligations(change)?,
            replayed: self.replayed(change, method, update, &newest.head)?,
        })
    }

    /// Returns the approvals that hold, each with its grade, and who asks for changes.
    pub fn words(&self, change: &ChangeRequest) -> (Vec<(String, u8)>, Vec<String>) {
        let (mut approvals, mut objections) = (vec![], vec![]);
        let mut signers = BTreeMap::new();
        for given in &change.reviews {
            if let Ok(signer) = keys::verify(&self.base.signers, &given.signed, given.at) {
                signers.insert(given.signed.digest(), signer);
            }
        }
        let signer = |given: &Given| signers.get(&given.signed.digest());
        for (person, given) in change.words(|given| signer(given).map(|signer| signer.person.clone())) {
            match given.review.word {
                Word::RequestChanges => objections.push(person),
                Word::Withdraw => {}
                Word::Approve if !change.holds(given, self.repository, &self.base.digest, self.now) => {}
                Word::Approve => {
                    let Some(signer) = signer(given) else { continue };
                    let distance = Distance {
                        person: !self.base.policy.is_called(&person, &change.author),
                        login: given.by != change.author,
                    };
                    approvals.push((person, grade(given.review.key_use, signer, distance).level));
                }
            }
        }
        (approvals, objections)
    }

    /// Returns who has approved a change after it had landed by exception: people who have no part in it, in solo mode
    /// anybody. A policy that is changed later takes nothing of that back.
    pub fn answered(&self, change: &ChangeRequest) -> Vec<String> {
        let policy = &self.base.policy;
        let part = |person: &str| {
            policy.is_called(person, &change.author)
                || change.lander.as_ref().is_some_and(|lander| policy.is_called(person, lander))
                || change.contributors().iter().any(|name| policy.is_called(person, name))
        };
        let head = change.newest().map(|newest| newest.head.as_str()).unwrap_or_default();
        let yes = change
            .reviews
            .iter()
            .filter(|given| given.review.word == Word::Approve && given.review.head == head);
        let people = yes.filter_map(|given| {
            keys::verify(&self.base.signers, &given.signed, given.at).ok().map(|signer| signer.person)
        });
        people.filter(|person| policy.is_person(person) && (policy.solo || !part(person))).collect()
    }

    /// Returns the results of checks of a commit that their runners have signed: who vouches for those that passed, and
    /// what became of those that did not. Of each runner the newest result counts, and of nobody else any.
    pub fn checks(&self, change: &ChangeRequest, commit: &str) -> (Named, Named) {
        let mut newest: BTreeMap<(String, String), CheckResult> = BTreeMap::new();
        for (came, signed) in &change.checks {
            let Some(Statement::Check(result)) = signed.read() else { continue };
            if result.commit != commit || result.repository != self.repository {
                continue;
            }
            // What a result says of its time is the word of its signer: a key that was stolen could say any.
            let Ok(signer) = keys::verify(&self.base.signers, signed, *came) else { continue };
            if !self.base.policy.is_runner(&signer.person, &result.check, &change.target) {
                continue;
            }
            let key = (result.check.clone(), signer.person);
            if newest.get(&key).is_none_or(|known| known.at <= result.at) {
                newest.insert(key, result);
            }
        }
        let (mut passed, mut failed) = (vec![], vec![]);
        for ((check, person), result) in newest {
            if result.passed {
                passed.push((check, person));
            } else {
                failed.push((check, format!("it failed, says {person}")));
            }
        }
        (passed, failed)
    }

    /// Returns the owners of each path that a landing changes.
    pub fn owners(&self, update: &Update) -> Vec<(String, Vec<String>)> {
        let Some((path, text)) = &self.base.owners else { return vec![] };
        let paths = update.total.iter().map(|file| file.path.as_slice());
        Owners::read(text, path).required(paths)
    }

    /// Returns what earlier landings still ask for before this change may land: what went into its target past the
    /// branch that it comes from must be in that branch first.
    fn obligations(&self, change: &ChangeRequest) -> Result<Vec<String>, Problem> {
        let owed = owed(self.git)?;
        let mut has = vec![];
        for Owed { into, commit, .. } in &owed {
            let branch = format!("{}/{into}", self.heads);
            let there = records::tip(self.git, &branch)?.is_some();
            has.push(if there { Some(see::is_ahead(self.git, commit, &branch)?) } else { None });
        }
        let known = |into: &str, commit: &str| {
            let at = owed.iter().position(|owed| owed.into == into && owed.commit == commit)?;
            has[at]
        };
        Ok(flow::gates(&flow::open(&owed, known), &change.source, &change.target))
    }

    /// For a squash or a rebase: tells whether what lands is what merging gives: the tree, or each commit of a rebase.
    fn replayed(
        &self,
        change: &ChangeRequest,
        method: Method,
        update: &Update,
        head: &str,
    ) -> Result<Option<bool>, Problem> {
        let tip = (!update.current.is_empty()).then_some(update.current.as_str());
        match method {
            Method::Merge | Method::FastForward => Ok(None),
            Method::Squash => {
                let Some(top) = update.commits.first() else { return Ok(None) };
                let tree = see::merged(self.git, &update.current, head)?;
                Ok(tree.map(|tree| tree == top.tree))
            }
            // Making it again gives the same commits, down to their ids.
            Method::Rebase => match merge::make(self.git, change, method, (tip, head)) {
                Ok(made) => Ok(Some(made == update.new)),
                Err(problem) if problem.code == Code::LandingConflict => Ok(None),
                Err(problem) => Err(problem),
            },
        }
    }
}

/// Returns everything that landings have said must follow.
pub fn owed(git: &InHook<'_>) -> Result<Vec<Owed>, Problem> {
    let records = records::read(git, LANDINGS, None)?;
    let owed = records.into_iter().filter_map(|kept| match kept.record.event {
        Event::Owed { from, into, commit } => Some(Owed { from, into, commit }),
        _ => None,
    });
    Ok(owed.collect())
}
