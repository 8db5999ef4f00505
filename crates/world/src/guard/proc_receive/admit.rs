//! Who may say what of a change request. A signature says who has spoken; the transport says who has brought it.

use shipway_core::change::{ChangeRequest, Event, Record, State, text};
use shipway_core::problem::{Code, Problem};
use shipway_core::statement::{Review, Signed, Statement, Word};
use shipway_core::time::Time;
use std::time::Duration;

use super::Desk;
use crate::keys;
use crate::policy::Base;
use crate::records;

/// How far the clock of a client may be ahead.
const AHEAD: Duration = Duration::from_mins(5);

/// Refuses what somebody may not say of a change request.
pub(super) fn admit(
    desk: &Desk<'_>,
    base: &Base,
    change: &ChangeRequest,
    record: &Record,
) -> Result<(), Problem> {
    in_time(change, &record.event)?;
    let flaw = match &record.event {
        Event::Commented { text, path, .. } => {
            text::flaw_of_text(text).or_else(|| path.as_deref().and_then(text::flaw_of_title))
        }
        Event::Edited { title, description } => {
            text::flaw_of_title(title).or_else(|| text::flaw_of_text(description))
        }
        Event::Closed { reason } => text::flaw_of_text(reason),
        Event::Skipped { rule, reason, .. } => {
            text::flaw_of_title(rule).or_else(|| text::flaw_of_title(reason))
        }
        _ => None,
    };
    if let Some(flaw) = flaw {
        return Err(denied(flaw));
    }
    let person = base.policy.person_of_login(&desk.by.login);
    let author = change.author == desk.by.login;
    let may_steer = author || person.is_some_and(|person| base.policy.is_person(person));
    match &record.event {
        Event::Commented { .. } => Ok(()),
        Event::Skipped { .. } | Event::Marked { .. } if author => Ok(()),
        Event::Edited { .. } | Event::Closed { .. } | Event::Reopened {} if may_steer => Ok(()),
        Event::Retargeted { target } if may_steer => {
            let there = records::tip(&desk.git, &format!("refs/heads/{target}"))?.is_some();
            if there { Ok(()) } else { Err(denied(format!("there is no branch {target}"))) }
        }
        Event::Reviewed {} => review(desk, base, change, record),
        Event::Checked {} => check(desk, base, change, record),
        Event::Skipped { .. }
        | Event::Marked { .. }
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

/// Refuses what comes too late: a change that has landed or was closed is only talked about. One that has landed by
/// exception is still reviewed: that is what it owes.
fn in_time(change: &ChangeRequest, event: &Event) -> Result<(), Problem> {
    let number = change.number;
    match (&change.state, event) {
        (State::Open, Event::Reopened {}) => Err(denied(format!("change {number} is open already"))),
        (State::Open, _)
        | (State::Landed(_) | State::Closed(_), Event::Commented { .. })
        | (State::Closed(_), Event::Reopened {}) => Ok(()),
        (State::Landed(_), Event::Reviewed {}) if change.exception.is_some() => Ok(()),
        (State::Landed(_), _) => Err(denied(format!("change {number} has landed already"))),
        (State::Closed(_), _) => {
            Err(denied(format!("change {number} is closed")).hint(format!("shipway change reopen {number}")))
        }
    }
}

fn review(desk: &Desk<'_>, base: &Base, change: &ChangeRequest, record: &Record) -> Result<(), Problem> {
    let (signed, statement) = statement(record)?;
    let Statement::Review(review) = statement else { return Err(denied("it is no signed review".into())) };
    let again = format!("shipway change approve {}", change.number);
    let who = keys::verify(&base.signers, signed, desk.now)?.person;
    if !base.policy.is_person(&who) {
        return Err(Problem::new(Code::NotAPerson, format!("{who} is no person of the policy")));
    }
    let bearer = base.policy.person_of_login(&desk.by.login);
    if let Some(bearer) = bearer.filter(|bearer| *bearer != who) {
        return Err(denied(format!("{bearer} brings a word of {who}")).wanted(format!("a push by {who}")));
    }
    about(desk, base, change, &review).map_err(|problem| problem.hint(&again))?;
    // An old word that is brought once more must not count as a new one.
    if change.reviews.iter().any(|given| given.signed.digest() == signed.digest()) {
        return Err(denied("this word was given already".into()).hint(again));
    }
    let part = base.policy.is_called(&who, &change.author)
        || change.contributors().iter().any(|name| base.policy.is_called(&who, name));
    if review.word == Word::Approve && part && !base.policy.solo {
        let number = change.number;
        (desk.say)(&format!("{who} has a part in change {number}: an approval of somebody else is needed"));
    }
    Ok(())
}

/// Refuses a review of something else than this change here and now.
fn about(desk: &Desk<'_>, base: &Base, change: &ChangeRequest, review: &Review) -> Result<(), Problem> {
    let version = change.versions.iter().find(|version| version.version == review.version);
    let fits = version.is_some_and(|version| version.head == review.head && version.patch == review.patch);
    if !fits || review.change != change.number || review.target != change.target {
        let what = format!("the review is not of version {} of change {}", review.version, change.number);
        return Err(denied(what));
    }
    if review.repository != desk.guard.settings.name || review.policy != base.digest {
        return Err(denied("the review was signed for another repository or another policy".into()));
    }
    if let Some(flaw) = text::flaw_of_text(&review.text) {
        return Err(denied(flaw));
    }
    in_bounds(review.expires, desk.now, base.policy.approval_expiry)
}

/// Refuses what has ended, or would hold for longer than the policy allows.
fn in_bounds(expires: Time, now: Time, most: Duration) -> Result<(), Problem> {
    if expires <= now {
        return Err(denied(format!("the review ended at {expires}")));
    }
    if expires > now.after(most).after(AHEAD) {
        return Err(denied("the review would hold for longer than the policy allows".into()));
    }
    Ok(())
}

fn check(desk: &Desk<'_>, base: &Base, change: &ChangeRequest, record: &Record) -> Result<(), Problem> {
    let (signed, statement): (&Signed, _) = statement(record)?;
    let Statement::Check(result) = statement else {
        return Err(denied("it is no signed result of a check".into()));
    };
    keys::verify(&base.signers, signed, desk.now)?;
    if change.checks.iter().any(|(_, known)| known.digest() == signed.digest()) {
        return Err(denied("this result is known already".into()));
    }
    if result.repository == desk.guard.settings.name && result.at <= desk.now.after(AHEAD) {
        return Ok(());
    }
    Err(denied("the result is of another repository, or of a time to come".into()))
}

fn statement(record: &Record) -> Result<(&Signed, Statement), Problem> {
    let signed = record.signed.as_ref().ok_or_else(|| denied("it is not signed".into()))?;
    let statement = signed.read().ok_or_else(|| denied("what was signed is no statement".into()))?;
    Ok((signed, statement))
}

fn denied(what: String) -> Problem {
    Problem::new(Code::PolicyDenied, what)
}
