//! Looking at change requests.

use serde::Serialize;
use serde_json::{Value, json};
use shipway_core::change::{ChangeRequest, State, Version, text};
use shipway_core::policy::Verdict;
use shipway_core::problem::{Code, Problem};
use shipway_core::statement::Word;
use shipway_world::change::Client;
use shipway_world::change::client::day;
use shipway_world::change::land::Checked;
use shipway_world::guard::landing;

use super::{DONE, Session};
use crate::view::Document;

fn word(state: &State) -> &'static str {
    match state {
        State::Open => "open",
        State::Landed(_) => "landed",
        State::Closed(_) => "closed",
    }
}

/// Lists change requests, a line each; what has landed by exception and was not approved since stands at the top.
pub(super) fn list(session: &Session<'_>, client: &Client<'_>, all: bool) -> Result<u8, Problem> {
    let mut changes = landing::all(client.git)?;
    let scene = client.scene();
    let owes = |change: &ChangeRequest| change.exception.is_some() && scene.answered(change).is_empty();
    let owing: Vec<u64> = changes.iter().filter(|change| owes(change)).map(|change| change.number).collect();
    changes.retain(|change| all || change.is_open() || owing.contains(&change.number));
    let fields: Vec<_> = changes
        .iter()
        .map(|change| {
            json!({
                "change": change.number, "state": word(&change.state), "target": change.target,
                "source": change.source, "title": change.title, "author": change.author,
                "versions": change.versions.len(), "draft": change.draft, "exception": change.exception,
                "owes_approval": owing.contains(&change.number),
            })
        })
        .collect();
    let mut lines: Vec<String> = vec![];
    for change in changes.iter().filter(|change| owing.contains(&change.number)) {
        let ChangeRequest { number, target, exception, .. } = change;
        let reason = exception.as_deref().unwrap_or_default();
        lines.push(format!("change {number} is on {target} by exception: {reason}"));
        lines.push(format!("  somebody else has to approve it: shipway change approve {number}"));
    }
    let listed = |change: &&ChangeRequest| all || change.is_open();
    lines.extend(changes.iter().filter(listed).map(line));
    if lines.is_empty() {
        lines.push("no change requests are open; open one: git push origin HEAD:refs/for/main".to_owned());
    }
    session.view.answer(Document::Changes, &json!({ "changes": fields }), &lines.join("\n"));
    Ok(DONE)
}

fn line(change: &ChangeRequest) -> String {
    let ChangeRequest { number, state, target, title, author, versions, .. } = change;
    let state = if change.is_open() && change.draft { "draft" } else { word(state) };
    format!("{number:>4}  {state:<6}  → {target}  {title}   ({author}, version {})", versions.len())
}

/// Shows one change request.
pub(super) fn show(session: &Session<'_>, client: &Client<'_>, number: u64) -> Result<u8, Problem> {
    let change = client.change(number)?;
    let (approvals, objections) = client.scene().words(&change);
    let missing = if change.is_open() { missing(client, &change) } else { vec![] };
    let mut lines = vec![
        format!("change {number}  {}  {} → {}", word(&change.state), named(&change.source), change.target),
        change.title.clone(),
        format!("opened by {} on {}", change.author, day(change.opened)),
    ];
    if change.draft {
        lines.push("a draft: it is not to land yet".into());
    }
    lines.extend(change.exception.iter().map(|reason| format!("landed by exception: {reason}")));
    if !change.description.trim().is_empty() {
        lines.push(String::new());
        lines.extend(change.description.trim().lines().map(|line| format!("  {line}")));
        lines.push(String::new());
    }
    for version in &change.versions {
        lines.push(format!(
            "version {}  {}",
            version.version,
            version.head.get(..12).unwrap_or(&version.head)
        ));
    }
    for (issue, closes) in change.issues() {
        lines.push(format!("{} {issue}", if closes { "closes" } else { "names" }));
    }
    lines.extend(approvals.iter().map(|(person, grade)| format!("approved by {person}, grade P{grade}")));
    lines.extend(objections.iter().map(|person| format!("{person} asks for changes")));
    let open_boxes = text::boxes(&change.description).into_iter().filter(|(_, ticked)| !ticked);
    lines.extend(open_boxes.map(|(what, _)| format!("not ticked: {what}")));
    for given in &change.reviews {
        if given.review.word == Word::RequestChanges && !given.review.text.is_empty() {
            lines.push(format!("{} asks for changes: {}", given.by, given.review.text));
        }
    }
    lines.extend(change.skipped.iter().map(|skip| format!("skipped locally: {skip}")));
    for comment in &change.comments {
        let place = comment.place.as_ref().map(|place| format!(" at {place}")).unwrap_or_default();
        lines.push(format!("{}{place}: {}", comment.by, comment.text));
    }
    match (&change.state, missing.is_empty()) {
        (State::Landed(commit), _) => lines.push(format!("landed as {}", commit.get(..12).unwrap_or(commit))),
        (State::Closed(reason), _) => lines.push(format!("closed: {reason}")),
        (State::Open, true) => lines.push(format!("it may land: shipway change land {number}")),
        (State::Open, false) => {
            lines.push("until it may land:".into());
            lines.extend(missing.iter().map(|what| format!("  {what}")));
        }
    }
    let fields = json!({
        "change": number, "state": word(&change.state), "target": change.target, "source": change.source,
        "title": change.title, "description": change.description, "author": change.author,
        "versions": change.versions.iter().map(version).collect::<Vec<_>>(),
        "approvals": pairs(&approvals, ("person", "grade")), "objections": objections,
        "draft": change.draft, "exception": change.exception, "checklist": pairs(&text::boxes(&change.description), ("text", "ticked")),
        "skipped": change.skipped, "issues": pairs(&change.issues(), ISSUE), "missing": missing,
        "comments": change.comments.iter().map(|c| json!({ "by": c.by, "text": c.text, "place": c.place })).collect::<Vec<_>>(),
    });
    session.view.answer(Document::Change, &fields, &lines.join("\n"));
    Ok(DONE)
}

/// The names of what is said of an issue.
const ISSUE: (&str, &str) = ("issue", "closes");

/// Returns pairs as objects.
fn pairs(pairs: &[(String, impl Serialize)], (one, other): (&str, &str)) -> Vec<Value> {
    pairs.iter().map(|(first, second)| json!({ one: first, other: second })).collect()
}

fn version(version: &Version) -> Value {
    let Version { version, head, base, patch, contributors, source, issues } = version;
    json!({
        "version": version, "head": head, "base": base, "patch": patch, "contributors": contributors,
        "source": source, "issues": pairs(issues, ISSUE),
    })
}

fn named(source: &str) -> &str {
    if source.is_empty() { "(no branch)" } else { source }
}

/// Returns what the policy still wants, checks that landing runs left out.
fn missing(client: &Client<'_>, change: &ChangeRequest) -> Vec<String> {
    let judged = client.prepare(change.clone(), None).and_then(|prepared| {
        let (checks, _) = client.wanted_checks(&change.target);
        let names: Vec<String> = checks.into_iter().map(|check| check.name).collect();
        let someone = client.base.policy.people.iter().find(|(_, person)| !person.agent);
        let person = someone.map(|(name, _)| name.clone()).unwrap_or_default();
        client.judge(&prepared, &person, &Checked { passed: names, failed: vec![] }, None)
    });
    match judged {
        Ok(verdicts) => verdicts.iter().map(told).collect(),
        Err(problem) => vec![format!("{}: {}", problem.code, problem.what)],
    }
}

fn told(verdict: &Verdict) -> String {
    let wanted = verdict.wanted.as_ref().map(|wanted| format!(" (wanted: {wanted})")).unwrap_or_default();
    format!("{}: {}{wanted}", verdict.rule.as_str(), verdict.what)
}

/// Shows what a version changes, as git shows it.
pub(super) fn diff(
    session: &Session<'_>,
    client: &Client<'_>,
    (number, version): (u64, Option<u32>),
) -> Result<u8, Problem> {
    let change = client.change(number)?;
    let found = match version {
        None => change.newest(),
        Some(wanted) => change.versions.iter().find(|version| version.version == wanted),
    };
    let version = found.ok_or_else(|| {
        Problem::new(Code::ChangeUnknown, format!("change {number} has no such version"))
            .hint(format!("shipway change show {number}"))
    })?;
    let output = if version.base.is_empty() {
        client.git.expect(&client.git.git().args(["show", "--format=", &version.head]))?
    } else {
        client.git.expect(&client.git.git().args(["diff", "--no-ext-diff", &version.base, &version.head]))?
    };
    let text = output.text();
    session.view.answer(
        Document::Diff,
        &json!({ "change": number, "version": version.version, "diff": text }),
        &text,
    );
    Ok(DONE)
}
