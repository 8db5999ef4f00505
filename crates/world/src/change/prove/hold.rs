//! One step, held to the policy of its time.

use shipway_core::change::{self, ChangeRequest, Record};
use shipway_core::policy::{Facts, Identity, Landing, Method, Purpose, Rule, Update, UpdateKind, evaluate};
use shipway_core::statement::{Reason, Ticket};

use super::{Commit, Known, Seen};
use crate::change::client::Client;
use crate::change::merge;
use crate::guard::landing::{Scene, log};
use crate::guard::ticket;
use crate::policy::Base;

/// What a ticket rests on, which is judged again. The rest of the content was judged when it landed.
const RESTS: [Rule; 9] = [
    Rule::TicketInvalid,
    Rule::PushRestricted,
    Rule::Approvals,
    Rule::Objection,
    Rule::Checks,
    Rule::SourceBranch,
    Rule::MergeMethod,
    Rule::Owners,
    Rule::PathRestricted,
];

/// What is known of a step.
pub(super) struct Held {
    pub(super) by: String,
    pub(super) exception: Option<String>,
    pub(super) flaws: Vec<String>,
    /// For a merge or a squash, the two commits that it must be the merge of.
    pub(super) made: Option<(String, String)>,
}

/// Holds a step to its ticket and to the policy of its time; returns why it was let in, and what is missing.
pub(super) fn hold(client: &Client<'_>, found: &Seen, known: &Known<'_>, base: &Base) -> Held {
    let Seen { at, ticket, signed } = found;
    let commit = known.commits.get(&ticket.new);
    let seen = ticket::seen((ticket, signed), &client.about.name, base, *at);
    let lander = seen.by.clone().unwrap_or_else(|| "nobody".into());
    let mut update = Update {
        name: ticket.reference.clone().into_bytes(),
        old: ticket.old.clone(),
        new: ticket.new.clone(),
        current: ticket.old.clone(),
        kind: if ticket.old.is_empty() { UpdateKind::Create } else { UpdateKind::Forward },
        total: known.files.get(&(ticket.old.as_str(), ticket.new.as_str())).cloned().unwrap_or_default(),
        ..Update::default()
    };
    let (mut flaws, mut made) = (vec![], None);
    let by = match &ticket.reason {
        Reason::Change { change: number, method, .. } => {
            let records = known.changes.get(&log(*number)).into_iter().flatten();
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
            let landing = landing(&scene, &request, (*method, ticket, &lander), &update);
            let names: Vec<&str> = landing.approvals.iter().map(|(name, _)| name.as_str()).collect();
            let by = format!("change {number}, approved by {}, landed by {lander}", list(&names));
            if let Some(commit) = commit {
                flaws.extend(form(client, (*method, &request), (ticket, commit), &landing.head));
            }
            if matches!(method, Method::Merge | Method::Squash) && !ticket.old.is_empty() {
                made = Some((ticket.old.clone(), landing.head.clone()));
            }
            update.landing = Some(landing);
            by
        }
        Reason::Release { version, .. } => {
            if commit.is_some_and(|commit| commit.parents != [ticket.old.clone()]) {
                flaws.push("a release is one commit on top of the branch".to_owned());
            }
            format!("release {version}, landed by {lander}")
        }
        Reason::Bootstrap => format!("the first commit, landed by {lander}"),
        Reason::BreakGlass { reason, .. } => format!("by exception ({reason}), landed by {lander}"),
    };
    let (exception, one_commit) = (seen.exception.clone(), seen.purpose == Purpose::Release);
    // What is no change is held to whoever pushed it, which nobody knows any more.
    let by_change = update.landing.is_some();
    update.ticket = Some(seen);
    let by_whom = Identity { login: lander, how: "ticket".into() };
    let (policy, updates) = (base.digest.clone(), vec![update]);
    let facts = Facts { by: Some(by_whom), now: *at, policy, refs: vec![], updates };
    let verdicts = evaluate(&base.policy, &facts);
    let counts = verdicts.into_iter().filter(|verdict| {
        // Without its commits, a release cannot be seen to be one commit by the evaluator; it was seen above.
        RESTS.contains(&verdict.rule)
            && !(one_commit && verdict.what.contains("one commit"))
            && (by_change || verdict.rule != Rule::PathRestricted)
    });
    flaws.extend(counts.map(|verdict| format!("{}: {}", verdict.rule.as_str(), verdict.what)));
    Held { by, exception, flaws, made }
}

/// Returns what was known of a change when its ticket was written.
fn landing(
    scene: &Scene<'_>,
    request: &ChangeRequest,
    (method, ticket, lander): (Method, &Ticket, &str),
    update: &Update,
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
        owners: scene.owners(update),
        ..Landing::default()
    }
}

/// Returns why a commit is not what a method makes of a head, if it can be seen without merging.
fn form(
    client: &Client<'_>,
    (method, request): (Method, &ChangeRequest),
    (ticket, commit): (&Ticket, &Commit),
    head: &str,
) -> Option<String> {
    let parents: Vec<&str> = commit.parents.iter().map(String::as_str).collect();
    let old = ticket.old.as_str();
    let right = match method {
        _ if old.is_empty() => ticket.new == head,
        Method::Merge => parents == [old, head],
        Method::Squash => parents == [old],
        Method::FastForward => ticket.new == head,
        // What a commit on the way held would be seen in no tree of a merge.
        Method::Rebase => {
            merge::make(client.git, request, method, (Some(old), head)).is_ok_and(|made| made == ticket.new)
        }
    };
    (!right).then(|| format!("what has landed is not the approved head by {}", method.as_str()))
}

fn list(names: &[&str]) -> String {
    if names.is_empty() { "nobody".into() } else { names.join(", ") }
}
