//! Proving a branch: every commit on its first-parent line since the guard came, back to the ticket that let it land, and
//! from there to the approvals, the checks and the policy of that time.

use std::collections::BTreeMap;

use shipway_core::change::{self, Event, LANDINGS, Record};
use shipway_core::policy::{Facts, Identity, Landing, Purpose, Rule, Update, UpdateKind, evaluate};
use shipway_core::problem::Problem;
use shipway_core::statement::{Reason, Signed, Ticket};
use shipway_core::time::Time;

use super::client::Client;
use crate::guard::landing::{Scene, log};
use crate::guard::publish::GUARD;
use crate::guard::ticket;
use crate::policy::{Base, Bootstrap};
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
    /// What is missing; nothing means that it is proven.
    pub flaws: Vec<String>,
}

/// Tickets by the object id that they let a ref move to: the record's time, and what is signed.
type Tickets = BTreeMap<String, Vec<(Time, Ticket, Signed)>>;

impl Client<'_> {
    /// Proves a branch, the newest step first.
    pub fn prove(&self, branch: &str) -> Result<Vec<Proof>, Vec<Problem>> {
        let one = |problem| vec![problem];
        let reference = format!("refs/heads/{branch}");
        let tip = self.tip(branch).map_err(one)?.ok_or_else(|| {
            vec![Problem::new(
                shipway_core::problem::Code::Unproven,
                format!("{} has no branch {branch}", self.remote),
            )]
        })?;
        let mut ask = format!("{tip}\n");
        if let Some(since) = self.about.since.get(&reference) {
            ask.push_str(&format!("^{since}\n"));
        }
        let args = ["log", "--first-parent", "--format=%H%x00%P%x00%s", "--stdin"];
        let listed = self.git.expect(&self.git.git().args(args).stdin(ask)).map_err(one)?.text();
        let line: Vec<(&str, &str, &str)> = listed
            .lines()
            .filter_map(|line| {
                let mut parts = line.splitn(3, '\0');
                Some((parts.next()?, parts.next()?.split(' ').next()?, parts.next()?))
            })
            .collect();
        let tickets = self.tickets(&reference).map_err(one)?;
        let changes = records::read_all(self.git, &format!("{}/*/log", change::CHANGES)).map_err(one)?;
        let mut bases = Bases { client: self, known: BTreeMap::new(), at: BTreeMap::new() };
        bases.look(&tickets).map_err(one)?;
        let mut proofs = vec![];
        let mut at = 0;
        while let Some((id, _, title)) = line.get(at) {
            let found = tickets.get(*id).and_then(|tickets| tickets.last());
            let Some((when, ticket, signed)) = found else {
                let flaws = vec!["no ticket has let it land".to_owned()];
                proofs.push(Proof {
                    commit: (*id).into(),
                    title: (*title).into(),
                    by: "nobody".into(),
                    flaws,
                });
                at += 1;
                continue;
            };
            let base = bases.of(&ticket.old)?;
            let (by, flaws) = self.hold((*when, ticket, signed), base, &changes);
            proofs.push(Proof { commit: (*id).into(), title: (*title).into(), by, flaws });
            // One landing may bring several commits, by a rebase or a fast-forward.
            at += 1;
            while line.get(at).is_some_and(|(id, ..)| *id != ticket.old) && !ticket.old.is_empty() {
                let Some((id, ..)) = line.get(at) else { break };
                if tickets.contains_key(*id) {
                    break;
                }
                at += 1;
            }
            if ticket.old.is_empty() {
                break;
            }
        }
        Ok(proofs)
    }

    fn tickets(&self, reference: &str) -> Result<Tickets, Problem> {
        let mut tickets: Tickets = BTreeMap::new();
        for kept in records::read(self.git, LANDINGS, None)? {
            let Record { at, event: Event::Ticket {}, signed: Some(signed), .. } = kept.record else {
                continue;
            };
            let Some(ticket) = signed.ticket() else { continue };
            if ticket.reference == reference {
                tickets.entry(ticket.new.clone()).or_default().push((at, ticket, signed));
            }
        }
        Ok(tickets)
    }

    /// Holds a ticket to the policy of its time; returns why it was let in, and what is missing.
    fn hold(
        &self,
        (at, ticket, signed): (Time, &Ticket, &Signed),
        base: &Base,
        changes: &BTreeMap<String, Vec<records::Kept>>,
    ) -> (String, Vec<String>) {
        let seen = ticket::seen((ticket, signed), &self.about.name, base, at);
        let lander = seen.by.clone().unwrap_or_else(|| "nobody".into());
        let mut update = Update {
            name: ticket.reference.clone().into_bytes(),
            old: ticket.old.clone(),
            new: ticket.new.clone(),
            current: ticket.old.clone(),
            kind: if ticket.old.is_empty() { UpdateKind::Create } else { UpdateKind::Forward },
            ..Update::default()
        };
        let by = match &ticket.reason {
            Reason::Change { change: number, method, .. } => {
                let records: Vec<Record> = changes
                    .get(&log(*number))
                    .into_iter()
                    .flatten()
                    .map(|kept| kept.record.clone())
                    .filter(|r| r.at <= at)
                    .collect();
                let request = change::fold(*number, &records);
                let scene =
                    Scene { repository: &self.about.name, git: self.git, base, now: at, heads: &self.heads };
                let (approvals, objections) = scene.words(&request);
                let names: Vec<&str> = approvals.iter().map(|(name, _)| name.as_str()).collect();
                let by = format!("change {number}, approved by {}, landed by {lander}", list(&names));
                update.landing = Some(Landing {
                    change: *number,
                    source: request.source.clone(),
                    target: request.target.clone(),
                    head: request.newest().map(|newest| newest.head.clone()).unwrap_or_default(),
                    method: Some(*method),
                    contributors: request.contributors(),
                    author: request.author.clone(),
                    approvals,
                    objections,
                    checks: ticket.checks.iter().map(|check| (check.clone(), lander.clone())).collect(),
                    ..Landing::default()
                });
                by
            }
            Reason::Release { version, .. } => format!("release {version}, landed by {lander}"),
            Reason::Bootstrap => format!("the first commit, landed by {lander}"),
            Reason::BreakGlass { reason, .. } => format!("by exception ({reason}), landed by {lander}"),
        };
        // The content was judged when it landed; what a ticket rests on is judged again.
        let rests: &[Rule] = &[
            Rule::TicketInvalid,
            Rule::PushRestricted,
            Rule::Approvals,
            Rule::Objection,
            Rule::Checks,
            Rule::SourceBranch,
            Rule::MergeMethod,
        ];
        let one_commit = seen.purpose == Purpose::Release;
        update.ticket = Some(seen);
        let identity = Identity { login: lander, how: "ticket".into() };
        let facts = Facts {
            by: Some(identity),
            now: at,
            policy: base.digest.clone(),
            refs: vec![],
            updates: vec![update],
        };
        let verdicts = evaluate(&base.policy, &facts);
        let flaws = verdicts.into_iter().filter(|verdict| rests.contains(&verdict.rule));
        // Without its commits, a release cannot be seen to be one commit here.
        let flaws = flaws.filter(|verdict| !(one_commit && verdict.what.contains("one commit")));
        (by, flaws.map(|verdict| format!("{}: {}", verdict.rule.as_str(), verdict.what)).collect())
    }
}

fn list(names: &[&str]) -> String {
    if names.is_empty() { "nobody".into() } else { names.join(", ") }
}

/// The policies that were in force, each read once however many commits had it.
struct Bases<'a> {
    client: &'a Client<'a>,
    /// The commit and what decides there, as object ids of the files.
    at: BTreeMap<String, String>,
    known: BTreeMap<String, Base>,
}

impl Bases<'_> {
    /// Finds out which policy was in force at the old side of each ticket, with one process.
    fn look(&mut self, tickets: &Tickets) -> Result<(), Problem> {
        let olds: Vec<&str> = tickets
            .values()
            .flatten()
            .map(|(_, ticket, _)| ticket.old.as_str())
            .filter(|old| !old.is_empty())
            .collect();
        let paths =
            [shipway_core::policy::PATH, shipway_core::policy::SIGNERS, shipway_core::signers::REVOKED];
        let mut ask = String::new();
        for old in &olds {
            for path in paths {
                ask.push_str(&format!("{old}:{path}\n"));
            }
        }
        let cmd = self.client.git.git().args(["cat-file", "--batch-check=%(objectname)"]).stdin(ask);
        let text = self.client.git.expect(&cmd)?.text();
        let answers: Vec<&str> =
            text.lines().map(|line| if line.ends_with(" missing") { "-" } else { line }).collect();
        for (old, ids) in olds.iter().zip(answers.chunks(paths.len())) {
            self.at.insert((*old).to_owned(), ids.join(" "));
        }
        Ok(())
    }

    fn of(&mut self, old: &str) -> Result<&Base, Vec<Problem>> {
        let key = self.at.get(old).cloned().unwrap_or_default();
        if !self.known.contains_key(&key) {
            // A branch that is not pinned is under the policy of the pinned one; what that was then is not known here.
            let rev = if old.is_empty() { "refs/shipway/none" } else { old };
            let base = Base::at(self.client.git, rev, Some(Bootstrap::Ref(GUARD)))?;
            self.known.insert(key.clone(), base);
        }
        Ok(self.known.get(&key).expect("it was put there"))
    }
}
