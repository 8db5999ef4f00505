//! A push to `refs/events`: a record for a log, in a commit that the client has made. What the record says of its time
//! and its bearer is not believed: the guard writes both anew.

use shipway_core::anchor::REFS;
use shipway_core::change::{ChangeRequest, Event, LANDINGS, Record};
use shipway_core::policy::Pushed;
use shipway_core::problem::{Code, Problem};
use shipway_core::statement::Statement;

use super::{Desk, Report};
use crate::guard::receive::Push;
use crate::guard::{landing, see};
use crate::keys;
use crate::policy::Base;
use crate::records;

/// Takes a record for a log.
pub(super) fn take(desk: &Desk<'_>, log: &str, commit: &str) -> Result<Report, Vec<Problem>> {
    let one = |problem| vec![problem];
    if let Some(origin) = log.strip_prefix("checkpoints/") {
        return checkpoint(desk, origin, commit).map_err(one);
    }
    let sent = records::record(&desk.git, commit).map_err(one)?;
    let record = Record { v: 1, at: desk.now, by: desk.by.login.clone(), ..sent };
    let base = desk.guard.base(&desk.git)?;
    if log == "landings" {
        admit_ticket(desk, &base, &record)?;
        records::append(&desk.git, LANDINGS, &record).map_err(one)?;
        return Ok(Report::taken());
    }
    let number = log.strip_prefix("changes/").and_then(|number| number.parse().ok());
    let number: u64 = number.ok_or_else(|| vec![denied(format!("there is no log {log}"))])?;
    let change = landing::read(&desk.git, number).map_err(one)?;
    admit(desk, &base, &change, &record).map_err(one)?;
    records::append(&desk.git, &landing::log(number), &record).map_err(one)?;
    (desk.say)(&format!("change {number}: noted"));
    Ok(Report::taken())
}

/// Refuses a ticket that would not let its ref move now.
fn admit_ticket(desk: &Desk<'_>, base: &Base, record: &Record) -> Result<(), Vec<Problem>> {
    let signed = record.signed.as_ref().filter(|_| record.event == Event::Ticket {});
    let Some((ticket, signed)) = signed.and_then(|signed| Some((signed.ticket()?, signed))) else {
        return Err(vec![denied("only signed tickets go into the log of landings".into())]);
    };
    let zeros = |id: &str| if id.is_empty() { "0".repeat(ticket.new.len()) } else { id.to_owned() };
    let line = Pushed {
        old: zeros(&ticket.old),
        new: ticket.new.clone(),
        name: ticket.reference.clone().into_bytes(),
    };
    let push = Push { by: Some(desk.by.clone()), lines: &[line], ticket: Some(signed), now: desk.now };
    let verdicts = desk.guard.judge_by(&desk.git, base, &push).map_err(|problem| vec![problem])?;
    if verdicts.is_empty() {
        Ok(())
    } else {
        Err(verdicts.iter().map(shipway_core::policy::Verdict::problem).collect())
    }
}

/// Refuses what somebody may not say of a change request.
fn admit(desk: &Desk<'_>, base: &Base, change: &ChangeRequest, record: &Record) -> Result<(), Problem> {
    let person = base.policy.person_of_login(&desk.by.login);
    let author = change.author == desk.by.login;
    let may_steer = author || person.is_some_and(|person| base.policy.is_person(person));
    match &record.event {
        Event::Commented { .. } => Ok(()),
        Event::Skipped { .. } if author => Ok(()),
        Event::Edited { .. } | Event::Closed { .. } | Event::Reopened {} if may_steer => Ok(()),
        Event::Retargeted { target } if may_steer => {
            let name = format!("refs/heads/{target}");
            let there = records::tip(&desk.git, &name)?.is_some();
            if there { Ok(()) } else { Err(denied(format!("there is no branch {target}"))) }
        }
        Event::Reviewed {} => review(desk, base, change, record),
        Event::Checked {} => check(desk, base, record),
        Event::Skipped { .. }
        | Event::Edited { .. }
        | Event::Closed { .. }
        | Event::Reopened {}
        | Event::Retargeted { .. } => Err(Problem::new(
            Code::LoginRefused,
            format!("{} may not do that to change {}", desk.by.login, change.number),
        )
        .wanted(format!("its author {}, or a person of the policy", change.author))),
        Event::Opened { .. }
        | Event::Pushed(_)
        | Event::Ticket {}
        | Event::Landed { .. }
        | Event::Owed { .. }
        | Event::Unknown => Err(denied("that is written by the guard alone".into())),
    }
}

fn review(desk: &Desk<'_>, base: &Base, change: &ChangeRequest, record: &Record) -> Result<(), Problem> {
    let (signed, statement) = statement(record)?;
    let Statement::Review(review) = statement else { return Err(denied("it is no signed review".into())) };
    let who = keys::verify(&base.signers, signed, desk.now)?;
    if !base.policy.is_person(&who.person) {
        return Err(Problem::new(Code::NotAPerson, format!("{} is no person of the policy", who.person)));
    }
    let version = change.versions.iter().find(|version| version.version == review.version);
    let fits = version.is_some_and(|version| version.head == review.head && version.patch == review.patch);
    if !fits || review.change != change.number || review.target != change.target {
        return Err(denied(format!(
            "the review is not of version {} of change {}",
            review.version, change.number
        ))
        .hint(format!("shipway change approve {}", change.number)));
    }
    if review.repository != desk.guard.settings.name || review.policy != base.digest {
        let problem = denied("the review was signed for another repository or another policy".into());
        return Err(problem.hint(format!("shipway change approve {}", change.number)));
    }
    Ok(())
}

fn check(desk: &Desk<'_>, base: &Base, record: &Record) -> Result<(), Problem> {
    let (signed, statement) = statement(record)?;
    let Statement::Check(result) = statement else {
        return Err(denied("it is no signed result of a check".into()));
    };
    keys::verify(&base.signers, signed, desk.now)?;
    if result.repository == desk.guard.settings.name && result.at <= desk.now {
        return Ok(());
    }
    Err(denied("the result is of another repository, or of a time to come".into()))
}

fn statement(record: &Record) -> Result<(&shipway_core::statement::Signed, Statement), Problem> {
    let signed = record.signed.as_ref().ok_or_else(|| denied("it is not signed".into()))?;
    let statement = signed.read().ok_or_else(|| denied("what was signed is no statement".into()))?;
    Ok((signed, statement))
}

/// Keeps a checkpoint of a journal; a list of them only grows.
fn checkpoint(desk: &Desk<'_>, origin: &str, commit: &str) -> Result<Report, Problem> {
    if origin.is_empty() || !origin.bytes().all(|byte| byte.is_ascii_hexdigit()) {
        return Err(denied("a journal is named in hexadecimal digits".into()));
    }
    let name = format!("{REFS}/{origin}");
    let old = records::tip(&desk.git, &name)?;
    if let Some(old) = &old
        && !see::is_ahead(&desk.git, old, commit)?
    {
        return Err(denied("the checkpoint does not follow those that are here".into()));
    }
    let old = old.unwrap_or_else(|| "0".repeat(commit.len()));
    desk.git.expect(&desk.git.git().args(["update-ref", "-m", "checkpoint", &name, commit, &old]))?;
    Ok(Report::taken())
}

fn denied(what: String) -> Problem {
    Problem::new(Code::PolicyDenied, what)
}
