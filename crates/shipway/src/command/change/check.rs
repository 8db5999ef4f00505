//! `change check`: a runner vouches for the checks of the very commit that would land.

use serde_json::json;
use shipway_core::problem::{Code, Kind, Problem};
use shipway_world::change::Client;

use super::{DONE, Session, land, open_change};
use crate::args::Check;
use crate::view::Document;

/// Runs the checks that are wanted of a runner, and signs and sends what became of each.
pub(super) fn check(session: &Session<'_>, client: &Client<'_>, asked: &Check) -> Result<u8, Problem> {
    let method = asked.method.as_deref().map(land::method).transpose()?;
    let key = session.signing_key(asked.key.as_deref())?;
    let person = client.person(&key, "check@shipway")?;
    let prepared = client.prepare(open_change(client, asked.number)?, method)?;
    let (number, target) = (asked.number, &prepared.change.target);
    let (checks, missing) = client.checks_of(target, &person);
    if let Some(name) = missing.first() {
        let what = format!("shipway.toml of {target} does not define the check {name}");
        return Err(
            Problem::new(Code::CheckFailed, what).hint("define it there first, as a change of its own")
        );
    }
    if checks.is_empty() {
        return Err(no_runner(client, (&person, target)));
    }
    let short = prepared.new.get(..12).unwrap_or(&prepared.new);
    let how = prepared.method.as_str();
    let mut text = format!("checked change {number} for {target}: {short} by {how}, signed by {person}");
    let (mut results, mut all) = (vec![], true);
    for ran in client.run_checks(&prepared.new, &checks)? {
        let tell = |line: &str| session.view.note(line);
        let log = client.vouch((number, &prepared.new), &ran, (&key, &session.state()), &tell)?;
        let seconds = ran.took.as_secs_f64();
        all &= ran.problem.is_none();
        match &ran.problem {
            None => text.push_str(&format!("\n  {} passed in {seconds:.1} s", ran.name)),
            Some(problem) => {
                text.push_str(&format!("\n  {} failed in {seconds:.1} s: {}", ran.name, problem.what));
                problem.details.iter().for_each(|line| text.push_str(&format!("\n    | {line}")));
                text.push_str(&format!("\n    all of it: {}", log.display()));
            }
        }
        results.push(json!({
            "name": ran.name, "passed": ran.problem.is_none(), "log": log,
            "ms": u64::try_from(ran.took.as_millis()).unwrap_or(u64::MAX), "why": ran.problem.map(|problem| problem.what),
        }));
    }
    let fields = json!({
        "change": number, "target": target, "method": how, "commit": prepared.new, "person": person, "passed": all,
        "checks": results,
    });
    session.view.answer(Document::Checked, &fields, &text);
    Ok(if all { DONE } else { Kind::Refused.exit_code() })
}

fn no_runner(client: &Client<'_>, (person, target): (&str, &str)) -> Problem {
    let runners = client.runners(target);
    let wanted = if runners.is_empty() {
        "whoever lands runs them: shipway change land".to_owned()
    } else {
        runners.join(", ")
    };
    Problem::new(Code::PolicyDenied, format!("{person} vouches for no check of {target}"))
        .wanted(wanted)
        .hint("shipway policy show")
}
