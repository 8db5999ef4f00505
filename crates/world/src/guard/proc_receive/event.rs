//! A push to `refs/events`: a record for a log, in a commit that the client has made. What the record says of its time
//! and its bearer is not believed: the guard writes both anew.

use shipway_core::anchor::{REFS, Seal};
use shipway_core::change::{Event, LANDINGS, Record, Version};
use shipway_core::policy::Pushed;
use shipway_core::problem::{Code, Problem};

use super::version::Look;
use super::{Desk, Report, admit, open};
use crate::guard::receive::Push;
use crate::guard::{landing, see};
use crate::policy::Base;
use crate::{records, store};

/// How many records a change request may have.
const MOST: usize = 5000;

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

/// Keeps checkpoints of a journal. A list of them only grows, and only by what the key of that journal has signed: else
/// anybody could lay something over the checkpoint that shows a cut.
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
    let range = old.as_ref().map_or_else(|| commit.to_owned(), |old| format!("{old}..{commit}"));
    let most = format!("--max-count={}", MOST + 1);
    let args = ["log", "-z", &most, "--format=%T %P%n%B", "--end-of-options", &range];
    let listed = desk.git.expect(&desk.git.git().args(args))?;
    let empty = desk.git.expect(&desk.git.git().arg("mktree").stdin(""))?.text();
    let texts: Vec<_> = listed.stdout.split(|byte| *byte == 0).map(String::from_utf8_lossy).collect();
    let texts: Vec<&str> = texts.iter().map(|text| text.trim()).filter(|text| !text.is_empty()).collect();
    if texts.len() > MOST || !texts.iter().all(|text| is_checkpoint(text, &empty, origin)) {
        return Err(denied("that is no checkpoint which this journal has signed".into()));
    }
    let old = old.unwrap_or_else(|| "0".repeat(commit.len()));
    desk.git.expect(&desk.git.git().args(["update-ref", "-m", "checkpoint", &name, commit, &old]))?;
    Ok(Report::taken())
}

/// Tells whether a commit, as tree, parents and message, holds nothing but a checkpoint that its journal has signed.
fn is_checkpoint(text: &str, empty: &str, origin: &str) -> bool {
    let (head, message) = text.split_once('\n').unwrap_or((text, ""));
    let ids: Vec<&str> = head.split_whitespace().collect();
    let signed = |seal: Seal| seal.checkpoint.origin == origin && store::proven(&seal);
    ids.len() <= 2 && ids.first() == Some(&empty) && Seal::in_message(message).any(signed)
}

fn denied(what: String) -> Problem {
    Problem::new(Code::PolicyDenied, what)
}
