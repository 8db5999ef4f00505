//! Landing tickets: found in the log of landings, and held to what they say.

use std::time::Duration;

use shipway_core::change::{Event, LANDINGS};
use shipway_core::policy::{Purpose, TicketSeen};
use shipway_core::problem::Problem;
use shipway_core::statement::{Reason, Signed, Ticket};
use shipway_core::time::Time;

use crate::hooks::staged::InHook;
use crate::keys;
use crate::policy::Base;
use crate::records;

/// How many records of the log are looked at: a ticket is used soon after it is written, or never.
const RECENT: usize = 500;

/// How far the clock of a client may be ahead.
const AHEAD: Duration = Duration::from_mins(5);

/// A ticket, and what was seen of it.
#[derive(Clone, Debug)]
pub struct Found {
    /// What is signed.
    pub ticket: Ticket,
    /// The signed text.
    pub signed: Signed,
    /// What was seen of it.
    pub seen: TicketSeen,
}

/// Returns the newest ticket for a ref, an old and a new object id; an empty id stands for none.
pub fn find(
    git: &InHook<'_>,
    (repository, base, now): (&str, &Base, Time),
    (reference, old, new): (&str, &str, &str),
) -> Result<Option<Found>, Problem> {
    let log = records::read(git, LANDINGS, Some(RECENT))?;
    let mut tickets =
        log.iter().rev().filter(|kept| kept.record.event == Event::Ticket {}).filter_map(|kept| {
            let signed = kept.record.signed.as_ref()?;
            let ticket = signed.ticket()?;
            (ticket.reference == reference && ticket.old == old && ticket.new == new)
                .then_some((ticket, signed))
        });
    Ok(tickets.next().map(|(ticket, signed)| {
        let seen = seen((&ticket, signed), repository, base, now);
        Found { ticket, signed: signed.clone(), seen }
    }))
}

/// Returns what is seen of a ticket now.
pub fn seen((ticket, signed): (&Ticket, &Signed), repository: &str, base: &Base, now: Time) -> TicketSeen {
    let who = keys::verify(&base.signers, signed, now);
    let flaw = match &who {
        Err(problem) => Some(problem.what.clone()),
        Ok(_) if ticket.repository != repository => {
            Some(format!("it is for the repository {}, and this is {repository}", ticket.repository))
        }
        Ok(_) if ticket.expires > now.after(base.policy.ticket_expiry).after(AHEAD) => {
            Some("it would be good for longer than the policy allows".to_owned())
        }
        Ok(_) => None,
    };
    let (purpose, exception) = match &ticket.reason {
        Reason::Change { .. } => (Purpose::Change, None),
        Reason::Release { .. } => (Purpose::Release, None),
        Reason::Bootstrap => (Purpose::Bootstrap, None),
        Reason::BreakGlass { reason, follow_up, .. } if reason.trim().is_empty() || follow_up.is_empty() => {
            (Purpose::Change, Some(String::new()))
        }
        Reason::BreakGlass { reason, follow_up, .. } => {
            (Purpose::Change, Some(format!("{reason} (followed up in {follow_up})")))
        }
    };
    TicketSeen {
        by: who.ok().map(|found| found.person),
        policy: ticket.policy.clone(),
        expires: ticket.expires,
        flaw,
        exception,
        purpose,
    }
}
