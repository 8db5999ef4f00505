//! Confirming a release on a host: from now on it is the one to go back to, and the watchdog is off.

use serde_json::json;
use shipway_core::action::{Action, Change, Cx, Fault, Observed, Receipt, Reversal, Sign};
use shipway_core::kinds::deploy as kinds;

use super::{Hands, known};
use crate::agent::protocol::{Look, Request, Standing};

/// The action.
#[derive(Debug)]
pub struct Confirm {
    /// The hands.
    pub hands: Hands,
    /// What.
    pub args: kinds::Confirm,
}

impl Action for Confirm {
    fn describe(&self) -> Change {
        Change {
            sign: Sign::Change,
            thing: format!("confirmed on {}", self.args.host.name),
            summary: "so that it does not put itself back".into(),
            reversal: Reversal::Exact,
            undo: "with the switch".into(),
            parts: vec![],
        }
    }

    fn probe(&self, cx: &Cx<'_>) -> Result<Observed, Fault> {
        let state = self.hands.look(cx, &self.args.host, Look::default())?;
        let Some(known) = known(&state, cx.run) else {
            return Ok(Observed::Foreign(format!("{} knows nothing of this run", self.args.host.name)));
        };
        let armed = state.watchdog.as_ref().is_some_and(|armed| armed.run == *cx.run);
        Ok(match known.standing {
            // It was cut off before the watchdog was put off, which would stay until its time is over.
            Standing::Confirmed if armed => Observed::Absent,
            Standing::Confirmed => Observed::Present(receipt()),
            Standing::Live => Observed::Absent,
            Standing::Staged | Standing::Discarded | Standing::Switching | Standing::Reverting => {
                Observed::Foreign(format!("the release is not live on {}", self.args.host.name))
            }
            Standing::Failed => {
                Observed::Foreign(format!("{} has put itself back: {}", self.args.host.name, known.why))
            }
        })
    }

    fn apply(&self, cx: &Cx<'_>) -> Result<Receipt, Fault> {
        self.hands.ask(cx, &self.args.host, Request::Confirm)?;
        Ok(receipt())
    }

    /// Nothing is left to do: a release that is gone back from counts as failed, confirmed or not.
    fn undo(&self, _: &Cx<'_>, _: &Receipt) -> Result<(), Fault> {
        Ok(())
    }
}

fn receipt() -> Receipt {
    Receipt(json!({ "confirmed": true }))
}
