//! `change`: change requests in the terminal.

mod check;
mod land;
mod open;
mod show;
mod skips;

pub(super) use land::{begin, land};
pub(super) use open::template;
pub(super) use skips::tell_skips;

use std::path::PathBuf;

use serde_json::json;
use shipway_core::change::{ChangeRequest, Event};
use shipway_core::problem::{Code, Problem};
use shipway_core::statement::Word;
use shipway_world::change::Client;

use super::{DONE, End, flow};
use crate::args::Change;
use crate::session::Session;
use crate::view::Document;

/// Carries out what is asked about change requests.
pub fn run(session: &Session<'_>, what: &Change) -> End {
    let remote = session.config.release.remote.clone().unwrap_or_else(|| "origin".into());
    let git = session.records();
    let client = Client::open(&git, &session.repository, &remote)?;
    let one = |problem| vec![problem];
    match what {
        Change::Open(asked) => open::open(session, &client, asked).map_err(one),
        Change::List { all } => show::list(session, &client, *all).map_err(one),
        Change::Show { number } => show::show(session, &client, *number).map_err(one),
        Change::Diff { number, version } => show::diff(session, &client, (*number, *version)).map_err(one),
        Change::Comment { number, text, path, line } => {
            let event = Event::Commented { text: text.clone(), path: path.clone(), line: *line };
            send(session, &client, *number, event).map_err(one)
        }
        Change::Approve { number, key } => {
            word(session, &client, (*number, key.as_ref()), (Word::Approve, "")).map_err(one)
        }
        Change::Review { number, request_changes: Some(text), key, .. } => {
            word(session, &client, (*number, key.as_ref()), (Word::RequestChanges, text)).map_err(one)
        }
        Change::Review { number, request_changes: None, key, .. } => {
            word(session, &client, (*number, key.as_ref()), (Word::Withdraw, "")).map_err(one)
        }
        Change::Edit { number, title, description, draft, ready } => {
            let mark = if *draft || *ready { Some(*draft) } else { None };
            edit(session, &client, *number, (title.as_ref(), description.as_ref(), mark)).map_err(one)
        }
        Change::Reopen { number } => send(session, &client, *number, Event::Reopened {}).map_err(one),
        Change::Retarget { number, target } => {
            send(session, &client, *number, Event::Retargeted { target: target.clone() }).map_err(one)
        }
        Change::Close { number, reason } => {
            send(session, &client, *number, Event::Closed { reason: reason.clone() }).map_err(one)
        }
        Change::Check(asked) => check::check(session, &client, asked).map_err(one),
        Change::Land(asked) => {
            let code = land(session, client, asked)?;
            if code == DONE && !asked.no_back {
                flow::back::after(session);
            }
            Ok(code)
        }
    }
}

fn edit(
    session: &Session<'_>,
    client: &Client<'_>,
    number: u64,
    (title, description, mark): (Option<&String>, Option<&String>, Option<bool>),
) -> Result<u8, Problem> {
    let change = open_change(client, number)?;
    let description = match (description, title, mark) {
        (None, None, None) => Some(open::written(session, &change.description)?),
        (given, ..) => given.cloned(),
    };
    let mut said = String::new();
    if let Some(draft) = mark {
        said += &client.send(number, Event::Marked { draft }, None)?;
        said += "\n";
    }
    let event = Event::Edited {
        title: title.cloned().unwrap_or_else(|| change.title.clone()),
        description: description.unwrap_or_else(|| change.description.clone()),
    };
    if event != (Event::Edited { title: change.title, description: change.description }) {
        said += &client.send(number, event, None)?;
    }
    let fields = json!({ "change": number, "said": said.lines().collect::<Vec<_>>() });
    session.view.answer(
        Document::ChangeNoted,
        &fields,
        &format!("change {number}: shipway change show {number}"),
    );
    Ok(DONE)
}

fn send(session: &Session<'_>, client: &Client<'_>, number: u64, event: Event) -> Result<u8, Problem> {
    let said = client.send(number, event, None)?;
    session.view.answer(
        Document::ChangeNoted,
        &json!({ "change": number, "said": said.lines().collect::<Vec<_>>() }),
        &said,
    );
    Ok(DONE)
}

fn word(
    session: &Session<'_>,
    client: &Client<'_>,
    (number, key): (u64, Option<&PathBuf>),
    (word, text): (Word, &str),
) -> Result<u8, Problem> {
    let actor = session.actor();
    if actor.kind != shipway_core::id::ActorKind::Human {
        return Err(Problem::new(Code::NotAPerson, "agents and machines review nothing")
            .found(actor.to_string())
            .wanted("a person with a key"));
    }
    let change = client.change(number)?;
    // One that has landed by exception is still reviewed: that is what it owes.
    let change = if change.exception.is_some() { change } else { open_change(client, number)? };
    let key = session.signing_key(key.map(PathBuf::as_path))?;
    let person = client.person(&key, "review@shipway")?;
    session.view.note(&format!("change {number}: {}", change.title));
    let newest = change.newest().map(|newest| newest.head.get(..12).unwrap_or_default()).unwrap_or_default();
    session.view.note(&format!(
        "{person} signs for version {} ({newest}) onto {}",
        change.versions.len(),
        change.target
    ));
    let tell = |line: &str| session.view.note(line);
    let signed = client.review(&change, (word, text), &key, &tell)?;
    let said = client.send(number, Event::Reviewed {}, Some(signed))?;
    let done = match word {
        Word::Approve => "approved",
        Word::RequestChanges => "asked for changes in",
        Word::Withdraw => "took back the word on",
    };
    let grade = shipway_core::statement::Use::words(key.key_use);
    let fields = json!({ "change": number, "person": person, "word": word, "key": key.public.fingerprint() });
    session.view.answer(Document::Review, &fields, &format!("{person} has {done} change {number} ({grade})"));
    let more = format!("change {number}: noted");
    said.lines().filter(|line| *line != more).for_each(|line| session.view.note(line));
    Ok(DONE)
}

fn open_change(client: &Client<'_>, number: u64) -> Result<ChangeRequest, Problem> {
    let change = client.change(number)?;
    if change.is_open() {
        return Ok(change);
    }
    Err(Problem::new(Code::ChangeUnknown, format!("change {number} is not open"))
        .hint(format!("shipway change show {number}")))
}
