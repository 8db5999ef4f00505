//! `change land`: a run that ends with the move of a protected branch.

use std::time::Duration;

use serde_json::json;
use shipway_core::config::Check;
use shipway_core::drive::Halt;
use shipway_core::journal::Outcome;
use shipway_core::policy::{Method, Verdict};
use shipway_core::problem::{Code, Problem};
use shipway_core::run::Run;
use shipway_core::statement::Reason;
use shipway_core::{plan::Plan, planner};
use shipway_world::change::Client;
use shipway_world::change::land::{Checked, Prepared};
use shipway_world::keys::SigningKey;

use super::{DONE, End, Session, open_change};
use crate::args::Land;
use crate::command::carry::{self, Load};
use crate::view::Document;

/// How often a landing is made anew when others were faster.
const TRIES: usize = 40;
/// How long somebody who is just moving the branch is waited for.
const BREATH: Duration = Duration::from_millis(200);

/// Lands a change request.
pub(in crate::command) fn land(session: &Session<'_>, mut client: Client<'_>, asked: &Land) -> End {
    let one = |problem| vec![problem];
    let method = asked.method.as_deref().map(method).transpose().map_err(one)?;
    let key = session.signing_key(asked.key.as_deref()).map_err(one)?;
    let person = client.person(&key, "ticket@shipway").map_err(one)?;
    for _ in 0..TRIES {
        let change = open_change(&client, asked.number).map_err(one)?;
        let prepared = client.prepare(change, method).map_err(one)?;
        let checks = judged(&client, &prepared, asked, &person)?;
        let names: Vec<String> = checks.iter().map(|check| check.name.clone()).collect();
        let plan = plan(session, &client, &prepared, (&key, asked, checks)).map_err(one)?;
        let lock = session.lock(None).map_err(one)?;
        let (halt, run) = carry::once(session, lock, Load::Plan(Box::new(plan))).map_err(one)?;
        if halt == Halt::Closed(Outcome::Shipped) {
            tell(session, &prepared, (&names, &person, asked), &run);
            return Ok(DONE);
        }
        client.refresh()?;
        // Whoever was faster has moved the target; then everything is made and checked anew.
        let tip = client.tip(&prepared.change.target).map_err(one)?.unwrap_or_default();
        let held = is_held(&run);
        if (tip == prepared.old && !held) || !matches!(halt, Halt::Closed(_)) {
            carry::report(session, &run).map_err(one)?;
            return Ok(carry::exit_code(&halt, &run));
        }
        if held {
            std::thread::sleep(BREATH);
        }
        session.view.note("others have landed meanwhile; making it anew");
    }
    Err(vec![
        Problem::new(Code::LandingRaced, format!("others were faster {TRIES} times"))
            .hint(format!("shipway change land {}", asked.number)),
    ])
}

/// Makes a protected branch that is not there yet, at a commit, by a ticket for its beginning.
pub(in crate::command) fn begin(
    session: &Session<'_>,
    client: &Client<'_>,
    (branch, commit): (&str, &str),
) -> Result<(), Vec<Problem>> {
    let one = |problem| vec![problem];
    let key = session.signing_key(None).map_err(one)?;
    client.person(&key, "ticket@shipway").map_err(one)?;
    let reference = format!("refs/heads/{branch}");
    let moved = (reference.as_str(), "", commit);
    let ticket = client.ticket(moved, Reason::Bootstrap, vec![], &key).map_err(one)?;
    let catalog = session.catalog(&session.hands().map_err(one)?);
    let plan = planner::land::plan(client.first_step(branch, ticket), &catalog).map_err(one)?;
    let lock = session.lock(None).map_err(one)?;
    let (halt, run) = carry::once(session, lock, Load::Plan(Box::new(plan))).map_err(one)?;
    if halt == Halt::Closed(Outcome::Shipped) {
        return Ok(());
    }
    carry::report(session, &run).map_err(one)?;
    Err(run.back.into_iter().collect())
}

/// Tells whether somebody else was just moving the branch.
fn is_held(run: &Run) -> bool {
    let lines = |problem: &Problem| problem.details.iter().any(|line| line.contains("cannot lock ref"));
    run.back.as_ref().is_some_and(lines)
}

/// Asks the policy before anything runs, as if every check had passed; returns the checks that must.
fn judged(
    client: &Client<'_>,
    prepared: &Prepared,
    asked: &Land,
    person: &str,
) -> Result<Vec<Check>, Vec<Problem>> {
    let one = |problem| vec![problem];
    if let Some(reason) = &asked.break_glass {
        refuse(&client.judge(prepared, person, &Checked::default(), Some(reason)).map_err(one)?)?;
        return Ok(vec![]);
    }
    let (wanted, missing) = client.wanted_checks(&prepared.change.target);
    let passed = wanted.iter().map(|check| check.name.clone()).collect();
    let undefined = "shipway.toml of the target does not define it";
    let failed = missing.into_iter().map(|name| (name, undefined.to_owned())).collect();
    refuse(&client.judge(prepared, person, &Checked { passed, failed }, None).map_err(one)?)?;
    Ok(wanted)
}

fn refuse(verdicts: &[Verdict]) -> Result<(), Vec<Problem>> {
    if verdicts.is_empty() { Ok(()) } else { Err(verdicts.iter().map(Verdict::problem).collect()) }
}

fn plan(
    session: &Session<'_>,
    client: &Client<'_>,
    prepared: &Prepared,
    (key, asked, checks): (&SigningKey, &Land, Vec<Check>),
) -> Result<Plan, Problem> {
    let change = prepared.change.number;
    let reason = match &asked.break_glass {
        Some(reason) => Reason::BreakGlass { change, reason: reason.clone(), follow_up: follow_up(asked) },
        None => Reason::Change {
            change,
            version: prepared.change.newest().map_or(0, |newest| newest.version),
            method: prepared.method,
        },
    };
    let reference = format!("refs/heads/{}", prepared.change.target);
    let moved = (reference.as_str(), prepared.old.as_str(), prepared.new.as_str());
    let names = checks.iter().map(|check| check.name.clone()).collect();
    let ticket = client.ticket(moved, reason, names, key)?;
    let input = client.steps(prepared, (ticket, checks), client.about.name.clone());
    planner::land::plan(input, &session.catalog(&session.hands()?))
}

/// Returns where an exception is followed up: without another place, the change is approved afterwards.
fn follow_up(asked: &Land) -> String {
    asked.follow_up.clone().unwrap_or_else(|| format!("change {}", asked.number))
}

fn tell(
    session: &Session<'_>,
    prepared: &Prepared,
    (checks, person, asked): (&[String], &str, &Land),
    run: &Run,
) {
    let Prepared { change, method, old, new, .. } = prepared;
    let short = |id: &str| id.get(..12).unwrap_or(id).to_owned();
    let fields = json!({
        "change": change.number, "target": change.target, "method": method.as_str(),
        "old": Some(old).filter(|old| !old.is_empty()), "new": new,
        "checks": checks, "person": person, "run": run.id, "exception": asked.break_glass,
    });
    let checked =
        if checks.is_empty() { String::new() } else { format!(", checked by {}", checks.join(", ")) };
    let mut text = format!(
        "landed change {} on {}: {} → {} by {}{checked}, ticket of {person}",
        change.number,
        change.target,
        if old.is_empty() { "nothing".into() } else { short(old) },
        short(new),
        method.as_str(),
    );
    if let Some(reason) = &asked.break_glass {
        let number = change.number;
        text.push_str(&format!("\nby exception: {reason}; followed up in {}", follow_up(asked)));
        text.push_str(&format!("\nsomebody else approves it afterwards: shipway change approve {number}"));
    }
    session.view.answer(Document::Landed, &fields, &text);
}

pub(super) fn method(name: &str) -> Result<Method, Problem> {
    Method::of(name).ok_or_else(|| {
        Problem::new(Code::Usage, format!("there is no method {name}")).wanted(Method::NAMES.join(", "))
    })
}
