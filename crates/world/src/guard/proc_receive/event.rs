//! A push to `refs/events`: a record for a log, in a commit that the client has made. What the record says of its time
//! and its bearer is not believed: the guard writes both anew.

use shipway_core::change::{Event, LANDINGS, Record, Version};
use shipway_core::policy::Pushed;
use shipway_core::problem::{Code, Problem};

use super::version::Look;
use super::{Desk, Report, admit, checkpoint, open};
use crate::guard::landing;
use crate::guard::receive::Push;
use crate::policy::Base;
use crate::records;

/// How many records a change request may have.
const MOST: usize = 5000;

/// Takes a record for a log.
pub(super) fn take(desk: &Desk<'_>, log: &str, commit: &str) -> Result<Report, Vec<Problem>> {
    let one = |problem| vec![problem];
    if let Some(origin) = log.strip_prefix("checkpoints/") {
        return checkpoint::take(desk, origin, commit).map_err(one);
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
    note(desk, &base, number, &record).map_err(one)?;
    Ok(Report::taken())
}

/// Adds a record to the log of a change request, if it may be.
fn note(desk: &Desk<'_>, base: &Base, number: u64, record: &Record) -> Result<(), Problem> {
    let log = landing::log(number);
    if records::read(&desk.git, &log, Some(MOST))?.len() >= MOST {
        return Err(denied(format!("change {number} has {MOST} records, and takes no more"))
            .hint(format!("shipway change close {number}")));
    }
    let change = landing::read(&desk.git, number)?;
    admit::admit(desk, base, &change, record)?;
    // What it would land on is another now, so what it brings there is another, too.
    let moved = match (&record.event, change.newest()) {
        (Event::Retargeted { target }, Some(newest)) => Some(anew(desk, target, newest)?),
        _ => None,
    };
    records::append(&desk.git, &log, record)?;
    if let Some(version) = moved {
        open::keep(desk, number, &version)?;
        (desk.say)(&format!(
            "change {number}, version {}: for another branch, without approvals",
            version.version
        ));
        return Ok(());
    }
    (desk.say)(&format!("change {number}: noted"));
    Ok(())
}

/// Returns what the newest version is for another target: more commits may be new there, by more people.
fn anew(desk: &Desk<'_>, target: &str, newest: &Version) -> Result<Version, Problem> {
    let tip = records::tip(&desk.git, &format!("refs/heads/{target}"))?;
    let look = Look { git: &desk.git, tip: tip.as_deref() };
    let version = look.version(&newest.head)?;
    Ok(Version { version: newest.version + 1, source: newest.source.clone(), ..version })
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

fn denied(what: String) -> Problem {
    Problem::new(Code::PolicyDenied, what)
}
