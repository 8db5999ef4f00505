//! One step, held to the policy of its time.

use std::collections::BTreeMap;

use shipway_core::change::{self, ChangeRequest, Record};
use shipway_core::policy::{Facts, Identity, Landing, Method, Purpose, Rule, Update, UpdateKind, evaluate};
use shipway_core::statement::{Reason, Ticket};

use super::{Commit, Seen};
use crate::change::client::Client;
use crate::guard::landing::{Scene, log};
use crate::guard::ticket;
use crate::policy::Base;
use crate::records::Kept;

/// What a ticket rests on, which is judged again. The content was judged when it landed.
const RESTS: [Rule; 7] = [
    Rule::TicketInvalid,
    Rule::PushRestricted,
    Rule::Approvals,
    Rule::Objection,
    Rule::Checks,
    Rule::SourceBranch,
    Rule::MergeMethod,
];

/// What is known of a step.
pub(super) struct Held {
    pub(super) by: String,
    pub(super) exception: Option<String>,
    pub(super) flaws: Vec<String>,
}

/// Holds a step to its ticket and to the policy of its time; returns why it was let in, and what is missing.
pub(super) fn hold(
    client: &Client<'_>,
    found: &Seen,
    commit: &Commit,
    (base, changes): (&Base, &BTreeMap<String, Vec<Kept>>),
) -> Held {
    let Seen { at, ticket, signed } = found;
    let seen = ticket::seen((ticket, signed), &client.about.name, base, *at);
    let lander = seen.by.clone().unwrap_or_else(|| "nobody".into());
    let mut update = Update {
        name: ticket.reference.clone().into_bytes(),
        old: ticket.old.clone(),
        new: ticket.new.clone(),
        current: ticket.old.clone(),
        kind: if ticket.old.is_empty() { UpdateKind::Create } else { UpdateKind::Forward },
        ..Update::default()
    };
    let mut flaws = vec![];
    let by = match &ticket.reason {
        Reason::Change { change: number, method, .. } => {
            let records = changes.get(&log(*number)).into_iter().flatten();
            let records: Vec<Record> =
                records.map(|kept| &kept.record).filter(|record| record.at <= *at).cloned().collect();
            let request = change::fold(*number, &records);
            let scene = Scene {
                repository: &client.about.name,
                git: client.git,
                base,
                now: *at,
                heads: &client.heads,
            };
            let landing = landing(&scene, &request, (*method, ticket, &lander));
            let names: Vec<&str> = landing.approvals.iter().map(|(name, _)| name.as_str()).collect();
            let by = format!("change {number}, approved by {}, landed by {lander}", list(&names));
            flaws.extend(form(*method, ticket, commit, &landing.head));
            update.landing = Some(landing);
            by
        }
        Reason::Release { version, .. } => {
            if commit.parents != [ticket.old.clone()] {
                flaws.push("a release is one commit on top of the branch".to_owned());
            }
            format!("release {version}, landed by {lander}")
        }
        Reason::Bootstrap => format!("the first commit, landed by {lander}"),
        Reason::BreakGlass { reason, .. } => format!("by exception ({reason}), landed by {lander}"),
    };
    let (exception, one_commit) = (seen.exception.clone(), seen.purpose == Purpose::Release);
    update.ticket = Some(seen);
    let by_whom = Identity { login: lander, how: "ticket".into() };
    let (policy, updates) = (base.digest.clone(), vec![update]);
    let facts = Facts { by: Some(by_whom), now: *at, policy, refs: vec![], updates };
    let verdicts = evaluate(&base.policy, &facts);
    let counts = verdicts.into_iter().filter(|verdict| {
        // Without its commits, a release cannot be seen to be one commit by the evaluator; it was seen above.
        RESTS.contains(&verdict.rule) && !(one_commit && verdict.what.contains("one commit"))
    });
    flaws.extend(counts.map(|verdict| format!("{}: {}", verdict.rule.as_str(), verdict.what)));
    Held { by, exception, flaws }
}

/// Returns what was known of a change when its ticket was written.
fn landing(
    scene: &Scene<'_>,
    request: &ChangeRequest,
    (method, ticket, lander): (Method, &Ticket, &str),
) -> Landing {
    let (approvals, objections) = scene.words(request);
    let (signed, failed) = scene.checks(request, &ticket.new);
    let vouched = ticket.checks.iter().map(|check| (check.clone(), lander.to_owned()));
    Landing {
        change: request.number,
        source: request.source.clone(),
        target: request.target.clone(),
        head: request.newest().map(|newest| newest.head.clone()).unwrap_or_default(),
        method: Some(method),
        contributors: request.contributors(),
        author: request.author.clone(),
        approvals,
        objections,
        checks: vouched.chain(signed).collect(),
        failed,
        ..Landing::default()
    }
}

/// Returns why a commit is not what a method makes of a head, if it can be seen from its parents.
fn form(method: Method, ticket: &Ticket, commit: &Commit, head: &str) -> Option<String> {
    let parents: Vec<&str> = commit.parents.iter().map(String::as_str).collect();
    let right = match method {
        _ if ticket.old.is_empty() => ticket.new == head,
        Method::Merge => parents == [ticket.old.as_str(), head],
        Method::Squash => parents == [ticket.old.as_str()],
        Method::FastForward => ticket.new == head,
        Method::Rebase => parents.len() == 1,
    };
    (!right).then(|| format!("what has landed is not the approved head by {}", method.as_str()))
}

fn list(names: &[&str]) -> String {
    if names.is_empty() { "nobody".into() } else { names.join(", ") }
}
