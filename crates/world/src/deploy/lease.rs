//! The right to change a host, for the time of a run.

use serde_json::json;
use shipway_core::action::{Action, Change, Cx, Fault, Observed, Receipt, Reversal, Sign};
use shipway_core::kinds::deploy as kinds;

use super::Hands;
use crate::agent::protocol::{Look, Request};

/// The action.
#[derive(Debug)]
pub struct Lease {
    /// The hands.
    pub hands: Hands,
    /// What.
    pub args: kinds::Lease,
}

impl Action for Lease {
    fn describe(&self) -> Change {
        Change {
            sign: Sign::Create,
            thing: format!("lease on {}", self.args.host.name),
            summary: "so that nobody else changes it meanwhile".into(),
            reversal: Reversal::Exact,
            undo: "give it back".into(),
            parts: vec![],
        }
    }

    fn probe(&self, cx: &Cx<'_>) -> Result<Observed, Fault> {
        let state = self.hands.look(cx, &self.args.host, Look::default())?;
        Ok(match state.lease {
            Some(lease) if lease.run == *cx.run => Observed::Present(receipt()),
            Some(lease) if lease.left_ms > 0 => {
                Observed::Foreign(format!("{} holds it for run {}", lease.holder, lease.run))
            }
            Some(_) | None => Observed::Absent,
        })
    }

    fn apply(&self, cx: &Cx<'_>) -> Result<Receipt, Fault> {
        // Whoever asks for something under a lease is given it first.
        self.hands.ask(cx, &self.args.host, Request::Ping)?;
        Ok(receipt())
    }

    fn undo(&self, cx: &Cx<'_>, _: &Receipt) -> Result<(), Fault> {
        let state = self.hands.look(cx, &self.args.host, Look::default())?;
        // A lease that somebody else has taken since is theirs.
        if state.lease.is_some_and(|lease| lease.run == *cx.run) {
            self.hands.ask(cx, &self.args.host, Request::Release)?;
        }
        Ok(())
    }
}

fn receipt() -> Receipt {
    Receipt(json!({ "leased": true }))
}
