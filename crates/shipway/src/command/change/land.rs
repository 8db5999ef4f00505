//! `change land`.

use serde_json::json;
use shipway_core::policy::{Method, Verdict};
use shipway_core::problem::{Code, Problem};
use shipway_core::statement::Reason;
use shipway_world::change::Client;
use shipway_world::change::land::Prepared;
use shipway_world::keys::SigningKey;

use super::{DONE, End, Session, key_of, open_change};
use crate::args::Land;

/// How often a landing is made anew when others were faster.
const TRIES: usize = 20;

/// Lands a change request.
pub(super) fn land(session: &Session<'_>, mut client: Client<'_>, asked: &Land) -> End {
    let one = |problem| vec![problem];
    let method = asked.method.as_deref().map(method).transpose().map_err(one)?;
    let key = key_of(session, asked.key.as_ref()).map_err(one)?;
    let person = client.person(&key, "ticket@shipway").map_err(one)?;
    for _ in 0..TRIES {
        let change = open_change(&client, asked.number).map_err(one)?;
        let prepared = client.prepare(change, method).map_err(one)?;
        let checks = checked(session, &client, &prepared, asked, &person)?;
        match put(session, &client, &prepared, (&key, &checks), asked) {
            Ok(()) => {
                tell(session, &prepared, &checks, &person);
                return Ok(DONE);
            }
            Err(problem) => {
                client.refresh()?;
                // Whoever was faster has moved the target; then everything is made and checked anew.
                if client.tip(&prepared.change.target).map_err(one)?.unwrap_or_default() == prepared.old {
                    return Err(vec![problem]);
                }
                session.view.note("others have landed meanwhile; making it anew");
            }
        }
    }
    Err(vec![
        Problem::new(Code::LandingRaced, format!("others were faster {TRIES} times"))
            .hint(format!("shipway change land {}", asked.number)),
    ])
}

/// Runs the checks and asks the policy; returns the checks that have passed.
fn checked(
    session: &Session<'_>,
    client: &Client<'_>,
    prepared: &Prepared,
    asked: &Land,
    person: &str,
) -> Result<Vec<String>, Vec<Problem>> {
    let one = |problem| vec![problem];
    if asked.break_glass.is_some() {
        return Ok(vec![]);
    }
    let (wanted, missing) = client.wanted_checks(&prepared.change.target);
    let names: Vec<String> = wanted.iter().map(|check| check.name.clone()).collect();
    // What is refused whatever the checks say is refused before they run.
    refuse(client.judge(prepared, person, (&names, &[])).map_err(one)?)?;
    let tell = |line: &str| session.view.note(line);
    let (passed, mut failed) = client.check(&prepared.new, &wanted, &tell).map_err(one)?;
    failed.extend(
        missing.into_iter().map(|name| (name, "shipway.toml of the target does not define it".to_owned())),
    );
    refuse(client.judge(prepared, person, (&passed, &failed)).map_err(one)?)?;
    Ok(passed)
}

fn refuse(verdicts: Vec<Verdict>) -> Result<(), Vec<Problem>> {
    if verdicts.is_empty() { Ok(()) } else { Err(verdicts.iter().map(Verdict::problem).collect()) }
}

fn put(
    session: &Session<'_>,
    client: &Client<'_>,
    prepared: &Prepared,
    (key, checks): (&SigningKey, &[String]),
    asked: &Land,
) -> Result<(), Problem> {
    let reason = match (&asked.break_glass, &asked.follow_up) {
        (Some(reason), Some(follow_up)) => {
            let change = prepared.change.number;
            Reason::BreakGlass { change, reason: reason.clone(), follow_up: follow_up.clone() }
        }
        (Some(_) | None, _) => Reason::Change {
            change: prepared.change.number,
            version: u32::try_from(prepared.change.versions.len()).unwrap_or(u32::MAX),
            method: prepared.method,
        },
    };
    let reference = format!("refs/heads/{}", prepared.change.target);
    let tell = |line: &str| session.view.note(line);
    let moved = (prepared.old.as_str(), prepared.new.as_str());
    let ticket = client.ticket(&reference, moved, (reason, checks), key, &tell)?;
    client.land(&reference, &prepared.new, ticket).map(|_| ())
}

fn tell(session: &Session<'_>, prepared: &Prepared, checks: &[String], person: &str) {
    let Prepared { change, method, old, new, .. } = prepared;
    let short = |id: &str| id.get(..12).unwrap_or(id).to_owned();
    let fields = json!({
        "change": change.number, "target": change.target, "method": method.as_str(), "old": old, "new": new,
        "checks": checks, "person": person,
    });
    let checked =
        if checks.is_empty() { String::new() } else { format!(", checked by {}", checks.join(", ")) };
    let text = format!(
        "landed change {} on {}: {} → {} by {}{checked}, ticket of {person}",
        change.number,
        change.target,
        if old.is_empty() { "nothing".into() } else { short(old) },
        short(new),
        method.as_str(),
    );
    session.view.answer("landed", &fields, &text);
}

fn method(name: &str) -> Result<Method, Problem> {
    Method::of(name).ok_or_else(|| {
        Problem::new(Code::Usage, format!("there is no method {name}")).wanted(Method::NAMES.join(", "))
    })
}
