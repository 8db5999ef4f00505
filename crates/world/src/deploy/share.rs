//! Giving a release a share of the traffic of a host, beside the one that is live.

use serde_json::json;
use shipway_core::action::{Action, Change, Cx, Fault, Observed, Receipt, Reversal, Sign};
use shipway_core::deployment::{Service, percent};
use shipway_core::kinds::deploy as kinds;

use super::switch::parts;
use super::{Hands, known};
use crate::agent::protocol::{Look, Request, Response, Standing, State};

/// The action.
#[derive(Debug)]
pub struct Share {
    /// The hands.
    pub hands: Hands,
    /// What.
    pub args: kinds::Share,
}

impl Action for Share {
    fn describe(&self) -> Change {
        let bring = &self.args.bring;
        let version = &bring.deployment.version;
        let (rest, undo) = match &bring.from {
            Some(from) => {
                (format!(", the rest stays with {}", from.version), format!("back to {}", from.version))
            }
            None => (String::new(), "stop and remove it".into()),
        };
        Change {
            sign: Sign::Change,
            thing: format!("{} of the traffic of {}", percent(self.args.share), bring.host.name),
            summary: format!("to {version}{rest}"),
            reversal: Reversal::Exact,
            undo,
            parts: parts(&bring.deployment, Service::splits),
        }
    }

    fn probe(&self, cx: &Cx<'_>) -> Result<Observed, Fault> {
        Ok(self.seen(cx, &self.look(cx)?))
    }

    fn apply(&self, cx: &Cx<'_>) -> Result<Receipt, Fault> {
        let kinds::Share { bring, share, .. } = &self.args;
        let from = bring.from.as_ref().map(|from| from.run.clone());
        let request = Request::Share { from, within_ms: bring.confirm_ms, share: *share };
        match self.hands.ask(cx, &bring.host, request)? {
            Response::Switched(kept_by) => Ok(receipt(&kept_by)),
            other => Err(super::unexpected(&bring.host, &other)),
        }
    }

    /// Gives all of the traffic back to what is live, and stops the new copies. No share is gone back to on the way: the
    /// first undo answers for all, and the last one sees that the host is well.
    fn undo(&self, cx: &Cx<'_>, _: &Receipt) -> Result<(), Fault> {
        let gone = known(&self.look(cx)?, cx.run).is_none_or(|known| known.standing == Standing::Failed);
        if gone && !self.args.first {
            return Ok(());
        }
        self.hands.ask(cx, &self.args.bring.host, Request::Revert).map(drop)
    }
}

impl Share {
    fn look(&self, cx: &Cx<'_>) -> Result<State, Fault> {
        self.hands.look(cx, &self.args.bring.host, Look { share: true, ..Look::default() })
    }

    fn seen(&self, cx: &Cx<'_>, state: &State) -> Observed {
        let bring = &self.args.bring;
        let planned = bring.from.as_ref().map(|from| &from.run);
        let share = state.sharing.as_ref().filter(|sharing| sharing.run == *cx.run).map(|own| own.share);
        match known(state, cx.run).map(|known| known.standing) {
            Some(Standing::Live | Standing::Confirmed) if state.current.as_ref() == Some(cx.run) => {
                Observed::Present(receipt(""))
            }
            Some(Standing::Switching) if share.is_some_and(|share| share >= self.args.share) => {
                Observed::Present(receipt(""))
            }
            // Less than that is taken back, as a switch that is half done.
            Some(Standing::Switching | Standing::Reverting) => Observed::Absent,
            _ if state.current.as_ref() == planned => Observed::Absent,
            _ => Observed::Foreign(match &state.current {
                Some(run) => format!("run {run} is live on {}", bring.host.name),
                None => format!("nothing is live on {}", bring.host.name),
            }),
        }
    }
}

fn receipt(kept_by: &str) -> Receipt {
    Receipt(json!({ "shared": true, "watchdog": kept_by }))
}
