//! A host can be brought a release, and could go back to what it has: seen before anything is changed.

use std::time::Duration;

use serde_json::Value;
use shipway_core::action::{Cx, Fault};
use shipway_core::config::size_text;
use shipway_core::gate::{Check, Finding};
use shipway_core::kinds::deploy as kinds;
use shipway_core::preflight::{Seen, State, Want, judge};
use shipway_core::problem::{Code, Problem};

use super::Hands;
use crate::agent::protocol::{self, Look, Request, Response};
use crate::check::{advice, blocks};
use crate::host::By;

/// The check.
#[derive(Debug)]
pub struct Ready {
    /// The hands.
    pub hands: Hands,
    /// What.
    pub args: kinds::Ready,
}

/// How far the clock of a host may be from ours before it is worth a word. Nothing here relies on it.
const CLOCK: Duration = Duration::from_secs(5);

impl Check for Ready {
    fn look(&self, cx: &Cx<'_>) -> Result<Vec<Finding>, Fault> {
        let look = Look { drift: true, way_back: true, services: true, ..Look::default() };
        let state = self.hands.look(cx, &self.args.host, look)?;
        let mut findings = vec![];
        findings.extend(self.moved(&state).map(blocks).unwrap_or_default());
        findings.extend(leased(&state, cx).map(blocks).unwrap_or_default());
        findings.extend(self.space(&state).map(blocks).unwrap_or_default());
        if self.args.from.is_some() {
            findings.extend(self.edited(&state, cx));
        }
        findings.extend(self.clock(&state, cx).map(advice).unwrap_or_default());
        findings.extend(self.wanted(cx)?);
        Ok(findings)
    }
}

impl Ready {
    fn status(&self) -> String {
        format!("see what it has: shipway env status --host {}", self.args.host.name)
    }

    /// Returns the problem of a host that has another release than the plan saw.
    fn moved(&self, state: &protocol::State) -> Option<Problem> {
        if state.current == self.args.from {
            return None;
        }
        let name =
            |run: Option<&shipway_core::id::RunId>| run.map_or("nothing".into(), |run| format!("run {run}"));
        Some(
            Problem::new(
                Code::PlanStale,
                format!("{} has moved since the plan was made", self.args.host.name),
            )
            .found(name(state.current.as_ref()))
            .wanted(name(self.args.from.as_ref()))
            .hint("make a new plan: shipway plan"),
        )
    }

    /// Returns what of the live release is not as it was brought, which is no way back. What this very run puts right
    /// is only told.
    fn edited(&self, state: &protocol::State, cx: &Cx<'_>) -> Vec<Finding> {
        let sent = self.args.sent.as_ref().and_then(|planned| self.hands.artifact(cx.run, planned));
        let live = state.live().map(|known| &known.deployment);
        let same = sent.is_some() && live.map(|live| &live.artifact) == sent.as_ref();
        let mended = |line: &&String| same && state.mendable.contains(line);
        let mut findings = vec![];
        let list = |code, what: &str, lines: &[String]| {
            let left: Vec<String> = lines.iter().filter(|line| !mended(line)).cloned().collect();
            let problem =
                Problem::new(code, format!("{what} on {}", self.args.host.name)).hint(self.status());
            let mendable = left.iter().any(|line| state.mendable.contains(line));
            let hint = live.filter(|_| mendable).map(|live| {
                format!("put it right first: shipway deploy {} {}", live.environment, live.version)
            });
            let problem = hint.into_iter().fold(problem, Problem::hint);
            if left.is_empty() { vec![] } else { blocks(problem.details(left)) }
        };
        findings.extend(list(Code::HostDrift, "what is live is not what was brought", &state.drift));
        findings.extend(list(Code::NoWayBack, "there is no way back", &state.no_way_back));
        let mended: Vec<String> = state.drift.iter().filter(mended).cloned().collect();
        if !mended.is_empty() {
            let what =
                format!("what is live was changed by hand on {}, and is put right", self.args.host.name);
            findings.extend(advice(Problem::new(Code::HostDrift, what).details(mended)));
        }
        findings
    }

    fn space(&self, state: &protocol::State) -> Option<Problem> {
        // What is there already need not be sent, but nobody should have to rely on that.
        let (size, files) = self.args.size?;
        if state.free_bytes < size {
            let what = format!("{} has too little space", self.args.host.name);
            let problem =
                Problem::new(Code::HostDisk, what).found(format!("{} free", size_text(state.free_bytes)));
            return Some(problem.wanted(size_text(size)).hint(format!("df -h {}", state.root)));
        }
        let inodes = state.free_inodes.filter(|free| *free < files as u64 * 2)?;
        let problem = Problem::new(Code::HostDisk, format!("{} has too few inodes", self.args.host.name));
        Some(
            problem
                .found(inodes.to_string())
                .wanted((files * 2).to_string())
                .hint(format!("df -i {}", state.root)),
        )
    }

    /// Returns what the host lacks of what the environment wants.
    fn wanted(&self, cx: &Cx<'_>) -> Result<Vec<Finding>, Fault> {
        if self.args.wants.is_empty() {
            return Ok(vec![]);
        }
        let request = Request::Preflight(Value::Array(self.args.wants.clone()));
        let by = By { run: None, limit: cx.timeout, stop: cx.stop };
        let Response::Preflight(seen) = self.hands.fleet.call(&self.args.host, &by, request)? else {
            let what = format!("{} answers no preflight", self.args.host.name);
            return Err(Fault::clean(Problem::new(Code::AgentUnusable, what)));
        };
        let bug =
            |error: serde_json::Error| Fault::clean(Problem::new(Code::AgentUnusable, error.to_string()));
        let seen: Vec<Seen> = serde_json::from_value(seen).map_err(bug)?;
        let mut findings = vec![];
        for (want, seen) in self.args.wants.iter().zip(&seen) {
            let want: Want = serde_json::from_value(want.clone()).map_err(bug)?;
            let row = judge(&want, seen, cx.world.now());
            let what = format!("{}: {} is not as wanted", self.args.host.name, row.name);
            let problem = Problem::new(Code::NotReady, what).found(row.found).wanted(row.wanted);
            let problem = row.fix.into_iter().fold(problem, Problem::hint);
            match row.state {
                State::Bad => findings.extend(blocks(problem)),
                State::Warn | State::Unknown => findings.extend(advice(problem)),
                State::Ok => {}
            }
        }
        Ok(findings)
    }

    fn clock(&self, state: &protocol::State, cx: &Cx<'_>) -> Option<Problem> {
        let ours = cx.world.now();
        let offset = ours.since(state.now).max(state.now.since(ours));
        if offset < CLOCK {
            return None;
        }
        let what = format!("the clock of {} is {} s from ours", self.args.host.name, offset.as_secs());
        Some(Problem::new(Code::HostClock, what).hint("timedatectl status"))
    }
}

fn leased(state: &protocol::State, cx: &Cx<'_>) -> Option<Problem> {
    let lease = state.lease.as_ref().filter(|lease| lease.run != *cx.run && lease.left_ms > 0)?;
    let what = format!("{} is being changed by {}", state.host, lease.holder);
    let problem = Problem::new(Code::HostLeased, what).found(format!("run {}", lease.run));
    Some(
        problem
            .wanted("nobody at work there")
            .hint("wait for it to end, or see who it is: shipway env status"),
    )
}
