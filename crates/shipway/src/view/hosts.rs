//! Hosts on screen: which release is live where, since when, by whom, and what is not as it was brought.

use serde_json::{Value, json};
use shipway_core::deployment::{Host, Since, percent};
use shipway_core::id::{Actor, RunId};
use shipway_core::problem::{Code, Problem};
use shipway_core::time::Time;
use shipway_world::agent::protocol::{Known, Sharing, Standing, State};

use super::paint::{Ink, Paint};
use super::status::ago;
use super::table::{Cell, Table};
use super::text;

/// A host and what was seen of it.
#[derive(Debug)]
pub struct HostRow {
    /// Its environment.
    pub environment: String,
    /// The host.
    pub host: Host,
    /// What it says of itself, or why it could not be asked.
    pub seen: Result<State, Problem>,
    /// Who brought what is live, if that is known here or there.
    pub by: Option<Actor>,
    /// Whether it is not configured any more; then nothing was asked of it.
    pub gone: bool,
}

/// How a host is, in one word.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// As it should be.
    Well,
    /// Nothing was brought to it yet.
    Empty,
    /// A run is at work on it.
    Busy,
    /// Somebody should look.
    Wrong,
    /// It had a release and is not configured any more.
    Gone,
}

impl HostRow {
    /// Returns how the host is.
    pub fn kind(&self) -> Kind {
        if self.gone {
            return Kind::Gone;
        }
        let Ok(state) = &self.seen else { return Kind::Wrong };
        let held = state.lease.as_ref().is_some_and(|lease| lease.left_ms > 0);
        let busy = held || state.watchdog.is_some() || state.sharing.is_some();
        let stranger = state.services.iter().any(|seen| !seen.running || !seen.ours);
        match state.current {
            _ if busy => Kind::Busy,
            None => Kind::Empty,
            Some(_) if stranger || !state.drift.is_empty() => Kind::Wrong,
            Some(_) => Kind::Well,
        }
    }

    fn word(&self) -> &'static str {
        match (&self.seen, self.kind()) {
            (_, Kind::Gone) => "not configured",
            (Err(problem), _) if problem.code == Code::HostTaken => "not ours",
            (Err(_), _) => "not reached",
            (Ok(_), Kind::Well) => "confirmed",
            (Ok(_), Kind::Empty) => "nothing yet",
            (Ok(_), Kind::Busy) => "being changed",
            (Ok(_), Kind::Wrong) => "drift",
        }
    }

    fn live(&self) -> Option<&Known> {
        self.seen.as_ref().ok()?.live()
    }

    /// Returns why the database does not let the release before be live again.
    fn left_behind(&self) -> Option<Since<'_>> {
        let state = self.seen.as_ref().ok()?;
        let previous = state.previous.as_ref()?;
        let known = state.deployments.iter().rev().find(|known| known.deployment.run == *previous)?;
        state.contracted_since(known).into_iter().find(|since| since.contract.undo.is_empty())
    }

    /// Returns the run whose deployment can be gone back to.
    fn way_back(&self) -> Option<&RunId> {
        let previous = self.seen.as_ref().ok()?.previous.as_ref()?;
        self.left_behind().is_none().then_some(previous)
    }

    /// Returns what a reader must know of the host, line by line.
    fn remarks(&self) -> Vec<String> {
        let state = match &self.seen {
            Ok(state) => state,
            Err(problem) => return vec![problem.what.clone()],
        };
        let mut lines = state.drift.clone();
        for seen in state.services.iter().filter(|seen| !seen.running || !seen.ours) {
            let what = if seen.running { "runs another release" } else { "does not run" };
            lines.push(format!("service {} {what}: {}", seen.service, seen.detail));
        }
        lines.extend(state.no_way_back.iter().map(|line| format!("no way back: {line}")));
        if let Some(since) = self.left_behind() {
            lines.push(format!(
                "no way back to the release before: it does not fit the database after migration {} of release {}",
                since.contract.name, since.by.version
            ));
        }
        if let Some(Sharing { run, share, .. }) = &state.sharing {
            let known = state.deployments.iter().rev().find(|known| known.deployment.run == *run);
            let version = known.map_or("another release", |known| &known.deployment.version);
            lines.push(format!("run {run} has {} of its traffic for {version}", percent(*share)));
        }
        if let Some(lease) = state.lease.as_ref().filter(|lease| lease.left_ms > 0) {
            lines.push(format!("{} holds it for run {}", lease.holder, lease.run));
        }
        if let Some(armed) = &state.watchdog {
            lines.push(format!(
                "goes back in {} s unless run {} is heard of",
                armed.left_ms / 1000,
                armed.run
            ));
            if armed.died > 0 {
                lines.push(format!("its watchdog was found dead {} times", armed.died));
            }
        }
        lines
    }
}

/// Returns the table, and under it what is not as it should be.
pub(super) fn render(rows: &[HostRow], now: Time, paint: Paint) -> String {
    if rows.is_empty() {
        return "no environments are configured\n".into();
    }
    let mut table = Table::new(&[(0, 16), (2, 24), (2, 24), (2, 14), (2, 12), (2, 24), (2, 10), (2, 10)]);
    let names = ["environment", "host", "release", "state", "since", "by", "run", "artifact"];
    table.row(names.map(|name| Cell::new(Ink::Faint, name)));
    for row in rows {
        let live = row.live();
        let ink = match row.kind() {
            Kind::Well => Ink::Good,
            Kind::Empty => Ink::Faint,
            Kind::Busy | Kind::Gone => Ink::Care,
            Kind::Wrong => Ink::Bad,
        };
        let since = live.and_then(|known| known.live_since).map_or_else(String::new, |since| ago(since, now));
        table.row([
            Cell::plain(&row.environment),
            Cell::plain(&row.host.name),
            Cell::new(Ink::Strong, live.map_or("", |known| &known.deployment.version)),
            Cell::new(ink, row.word()),
            Cell::plain(&since),
            Cell::plain(&row.by.as_ref().map(text::actor).unwrap_or_default()),
            Cell::plain(live.map_or("", |known| known.deployment.run.as_str())),
            Cell::new(Ink::Faint, live.map_or("", |known| known.deployment.artifact.short())),
        ]);
    }
    let mut out = table.render(paint);
    for row in rows {
        for remark in row.remarks() {
            let line = format!("{} {}: {remark}", row.environment, row.host.name);
            text::put(&mut out, format_args!("{}: {}\n", paint.ink(Ink::Care, "note"), paint.plain(&line)));
        }
        for hint in row.seen.as_ref().err().map_or(&[][..], |problem| &problem.hints) {
            text::put(&mut out, format_args!("{}: {}\n", paint.ink(Ink::Hint, "hint"), paint.plain(hint)));
        }
    }
    out
}

/// Returns the hosts as programs read them.
pub(super) fn document(rows: &[HostRow]) -> Vec<Value> {
    let standing = |known: &Known| match known.standing {
        Standing::Staged => "staged",
        Standing::Discarded => "discarded",
        Standing::Switching => "switching",
        Standing::Live => "live",
        Standing::Confirmed => "confirmed",
        Standing::Reverting => "reverting",
        Standing::Failed => "failed",
    };
    rows.iter()
        .map(|row| {
            json!({
                "environment": row.environment,
                "host": row.host.name,
                "state": row.word(),
                "release": row.live().map(|known| json!({
                    "version": known.deployment.version,
                    "artifact": known.deployment.artifact,
                    "run": known.deployment.run,
                    "by": row.by.as_ref(),
                    "standing": standing(known),
                    "since": known.live_since,
                })),
                "way_back": row.way_back(),
                "remarks": row.remarks(),
                "problem": row.seen.as_ref().err(),
            })
        })
        .collect()
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;

    /// Returns a host that does not answer.
    pub(in crate::view) fn down() -> Vec<HostRow> {
        let host = Host {
            name: "quay".into(),
            address: "quay".into(),
            path: "shipway/harbour/production".into(),
            ssh: vec![],
            roles: vec![],
        };
        let problem = Problem::new(Code::HostUnreachable, "no answer within 3 s");
        let problem = problem.hint("shipway env status production --host quay");
        vec![HostRow { environment: "production".into(), host, seen: Err(problem), by: None, gone: false }]
    }

    #[test]
    fn a_host_that_does_not_answer_is_a_row_with_what_to_do() {
        let expect = "\
environment  host  release  state        since  by  run  artifact
production   quay           not reached
note: production quay: no answer within 3 s
hint: shipway env status production --host quay
";
        assert_eq!(render(&down(), Time(0), Paint::new(false)), expect);
    }
}
