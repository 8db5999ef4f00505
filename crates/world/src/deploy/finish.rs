//! Clearing away old releases, and giving the lease back.

use serde_json::json;
use shipway_core::action::{Action, Change, Cx, Fault, Observed, Receipt, Reversal, Sign};
use shipway_core::kinds::deploy as kinds;

use super::Hands;
use crate::agent::protocol::{Keep, Look, Request, Response};

/// The action.
#[derive(Debug)]
pub struct Finish {
    /// The hands.
    pub hands: Hands,
    /// What.
    pub args: kinds::Finish,
}

/// How many releases that failed stay, for whoever looks why.
const FAILED: usize = 1;

impl Action for Finish {
    fn describe(&self) -> Change {
        Change {
            sign: Sign::Remove,
            thing: format!("old releases on {}", self.args.host.name),
            summary: format!("but {} that were live, and the lease", self.args.keep),
            reversal: Reversal::Exact,
            undo: "nothing that a way back needs is removed".into(),
            parts: vec![],
        }
    }

    fn probe(&self, cx: &Cx<'_>) -> Result<Observed, Fault> {
        let state = self.hands.look(cx, &self.args.host, Look::default())?;
        let held = state.lease.is_some_and(|lease| lease.run == *cx.run);
        Ok(if held { Observed::Absent } else { Observed::Present(Receipt(json!({ "finished": true }))) })
    }

    fn apply(&self, cx: &Cx<'_>) -> Result<Receipt, Fault> {
        let keep = Keep {
            confirmed: self.args.keep,
            failed: FAILED,
            max_bytes: self.args.keep_bytes,
            pinned: vec![],
        };
        let swept = match self.hands.ask(cx, &self.args.host, Request::Sweep(keep))? {
            Response::Swept(swept) => swept,
            other => return Err(super::unexpected(&self.args.host, &other)),
        };
        self.hands.ask(cx, &self.args.host, Request::Release)?;
        Ok(Receipt(json!({ "finished": true, "swept": swept })))
    }

    /// What is gone was needed by nobody. Going back takes the lease anew.
    fn undo(&self, _: &Cx<'_>, _: &Receipt) -> Result<(), Fault> {
        Ok(())
    }
}
