//! `push`: the release.

use shipway_core::id::StepId;
use shipway_core::plan::{Plan, differences};
use shipway_core::problem::{Code, Problem};

use super::carry::{self, Load};
use super::{DONE, End, flow, plan};
use crate::args::Push;
use crate::prepare::{self, Purpose};
use crate::session::Session;
use crate::view;

/// Plans a release and carries it out, or carries out exactly the plan that a digest names.
pub fn run(session: &mut Session<'_>, push: &Push) -> End {
    let digest = push.ask.version.as_deref().filter(|text| names_a_plan(text));
    let kept = digest.and_then(|digest| plan::kept(session, digest));
    let version = match (digest, &kept) {
        (Some(_), kept) => kept.as_ref().and_then(|kept| kept.version.clone()),
        (None, _) => push.ask.version.clone(),
    };
    let ask = plan::version(version.as_deref())?;
    // Whoever holds the lock sees a repository that no other run changes.
    let lock = session.lock(None).map_err(|problem| vec![problem])?;
    let prepared = prepare::prepare(session, &ask, push.ask.to.as_deref(), Purpose::Push)?;
    session.view.warnings(&prepared.warnings);
    if let Some(digest) = digest {
        let words = version.iter().cloned().chain(push.ask.to.iter().map(|to| format!("--to {to}")));
        let again = ["shipway plan".to_owned()].into_iter().chain(words).collect::<Vec<_>>().join(" ");
        same(digest, (kept.map(|kept| kept.plan), &prepared.plan), &again)
            .map_err(|problem| vec![problem])?;
    }
    let guarded = prepared.plan.step(&StepId::new("ticket")).is_some();
    let code = carry::out(session, lock, Load::Plan(Box::new(prepared.plan)))?;
    // A release on the branch that is released from is news to develop.
    if code == DONE && guarded {
        flow::back::after(session);
    }
    Ok(code)
}

/// Tells whether a text is the digest of a plan, or the beginning of one: at least four hexadecimal digits.
pub fn names_a_plan(text: &str) -> bool {
    (4..=64).contains(&text.len()) && text.bytes().all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f'))
}

/// Refuses if the plan of today is not the one that the digest names. `again` is the command that shows it.
pub fn same(digest: &str, (shown, now): (Option<Plan>, &Plan), again: &str) -> Result<(), Problem> {
    let found = now.digest();
    if found.as_str().starts_with(digest) {
        return Ok(());
    }
    let hinted = |problem: Problem| {
        let carry_out = format!("carry it out: {}", view::command(now, found.short()));
        problem.hint(format!("see the plan of today: {again}")).hint(carry_out)
    };
    let Some(shown) = shown else {
        return Err(hinted(Problem::new(Code::PlanUnknown, format!("no plan {digest} was shown here"))));
    };
    let problem = Problem::new(Code::PlanStale, format!("the world has moved since plan {digest} was shown"))
        .wanted(format!("plan {}", shown.digest().short()))
        .found(format!("plan {}", found.short()))
        .details(differences(&shown, now));
    Err(hinted(problem))
}
