//! Bringing back a release that a host has already: its bytes are proven, nothing is sent, nothing live changes.

use serde_json::json;
use shipway_core::action::{Action, Change, Cx, Fault, Observed, Receipt, Reversal, Sign};
use shipway_core::kinds::deploy as kinds;

use super::{Hands, known};
use crate::agent::protocol::{Look, Request, Standing};

/// The action.
#[derive(Debug)]
pub struct Adopt {
    /// The hands.
    pub hands: Hands,
    /// What.
    pub args: kinds::Bring,
}

impl Action for Adopt {
    fn describe(&self) -> Change {
        Change {
            sign: Sign::Create,
            thing: format!("{} on {}", self.args.deployment.version, self.args.host.name),
            summary: "where it is already; every byte is proven".into(),
            reversal: Reversal::Exact,
            undo: "forget it".into(),
            parts: vec![],
        }
    }

    fn probe(&self, cx: &Cx<'_>) -> Result<Observed, Fault> {
        let state = self.hands.look(cx, &self.args.host, Look::default())?;
        Ok(match known(&state, cx.run).map(|known| known.standing) {
            None | Some(Standing::Discarded) => Observed::Absent,
            Some(_) => Observed::Present(receipt()),
        })
    }

    fn apply(&self, cx: &Cx<'_>) -> Result<Receipt, Fault> {
        let deployment = Box::new(self.args.deployment(cx.run, None));
        self.hands.ask(cx, &self.args.host, Request::Adopt { deployment })?;
        Ok(receipt())
    }

    fn undo(&self, cx: &Cx<'_>, _: &Receipt) -> Result<(), Fault> {
        self.hands.ask(cx, &self.args.host, Request::Discard).map(drop)
    }
}

fn receipt() -> Receipt {
    Receipt(json!({ "staged": true }))
}
