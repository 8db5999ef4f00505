//! A release is live and well on a host: its own processes run, its health answers, its smoke commands pass.

use std::time::Duration;

use shipway_core::action::{Cx, Fault, Urgency};
use shipway_core::deployment::percent;
use shipway_core::gate::{Check, Finding};
use shipway_core::kinds::deploy as kinds;
use shipway_core::problem::{Code, Problem};

use super::Hands;
use crate::agent::protocol::{Look, Request, Seen, State};
use crate::check::{advice, blocks};

/// The check.
#[derive(Debug)]
pub struct Well {
    /// The hands.
    pub hands: Hands,
    /// What.
    pub args: kinds::Well,
}

/// How often in a row the host may not be heard of, as in a watch. A release that nobody can see is not well.
const UNHEARD: u32 = 3;

/// How long to wait before it is asked again, in milliseconds.
const AGAIN_MS: u64 = 1_000;

impl Check for Well {
    fn look(&self, cx: &Cx<'_>) -> Result<Vec<Finding>, Fault> {
        let mut unheard = 1;
        loop {
            match self.once(cx) {
                Err(fault) if lost(&fault.problem) && cx.stop.urgency() == Urgency::None => {
                    if unheard >= UNHEARD {
                        return Ok(blocks(fault.problem));
                    }
                    unheard += 1;
                    let wait = Duration::from_millis(fault.retry_after_ms.unwrap_or(AGAIN_MS));
                    cx.world.rest(wait, cx.stop);
                }
                looked => return looked,
            }
        }
    }
}

impl Well {
    fn once(&self, cx: &Cx<'_>) -> Result<Vec<Finding>, Fault> {
        let host = &self.args.host;
        for request in [Request::Health, Request::Smoke] {
            match self.hands.ask(cx, host, request) {
                Ok(_) => {}
                // The host has looked and says no; a host that cannot be asked is another matter.
                Err(fault) if unwell(&fault.problem) => {
                    return Ok(blocks(fault.problem.at(format!("host {}", host.name))));
                }
                Err(fault) => return Err(fault),
            }
        }
        let state = self.hands.look(cx, host, closely(&self.args))?;
        Ok(match stranger(&state, cx, self.args.share) {
            Some(problem) => blocks(problem),
            None => unwatched(&state, cx).map(advice).unwrap_or_default(),
        })
    }
}

fn lost(problem: &Problem) -> bool {
    matches!(problem.code, Code::HostLost | Code::HostUnreachable | Code::HostRefused)
}

fn unwell(problem: &Problem) -> bool {
    matches!(
        problem.code,
        Code::ServiceUnhealthy | Code::SmokeFailed | Code::ServiceFailed | Code::ServiceNotOurs
    )
}

/// Returns what a person must know of a host whose watchdog has died: it was started again, but something ends it.
pub(super) fn unwatched(state: &State, cx: &Cx<'_>) -> Option<Problem> {
    let armed = state.watchdog.as_ref().filter(|armed| armed.run == *cx.run && armed.died > 0)?;
    let what = format!("the watchdog of {} has died, and is started again", state.host);
    Some(
        Problem::new(Code::WatchdogDied, what)
            .found(format!("dead {} times since the switch", armed.died))
            .wanted("one that lives until the release is confirmed")
            .hint("what ends processes there? a host without it does not go back by itself: shipway explain SW1023"),
    )
}

/// Returns how a host must be looked at to tell that a release is there.
pub(super) fn closely(well: &kinds::Well) -> Look {
    let share = well.share.is_some();
    Look { services: !share, share, ..Look::default() }
}

/// Returns what is wrong if what runs is not of the release that is meant to be live, or to have a share of the traffic.
pub(super) fn stranger(state: &State, cx: &Cx<'_>, share: Option<u32>) -> Option<Problem> {
    if let Some(wanted) = share {
        let own = state.sharing.as_ref().filter(|sharing| sharing.run == *cx.run);
        let found = own.map_or(0, |sharing| sharing.share);
        if found < wanted {
            let what = format!("the release does not have its share of the traffic on {}", state.host);
            let problem = Problem::new(Code::HostDrift, what).found(percent(found)).wanted(percent(wanted));
            return Some(problem.hint("shipway status"));
        }
        return not_ours(&own?.services, &state.host);
    }
    if state.current.as_ref() != Some(cx.run) {
        let found = state.current.as_ref().map_or("nothing".to_owned(), |run| format!("run {run}"));
        return Some(
            Problem::new(Code::HostDrift, format!("the release is not live on {} any more", state.host))
                .found(found)
                .wanted(format!("run {}", cx.run)),
        );
    }
    not_ours(&state.services, &state.host)
}

fn not_ours(services: &[Seen], host: &str) -> Option<Problem> {
    let seen = services.iter().find(|seen| !seen.running || !seen.ours)?;
    let what = if seen.running { "runs another release" } else { "does not run" };
    let problem = Problem::new(Code::ServiceNotOurs, format!("service {} on {host} {what}", seen.service));
    Some(problem.details([seen.detail.clone()]))
}
