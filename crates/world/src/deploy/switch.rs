//! Making a release live on a host, with a watchdog armed that takes it back when nobody is heard of.

use serde_json::json;
use shipway_core::action::{Action, Change, Cx, Fault, Observed, Part, Receipt, Reversal, Sign};
use shipway_core::deployment::{Deployment, Service};
use shipway_core::kinds::deploy as kinds;

use super::{Hands, known};
use crate::agent::protocol::{Look, Request, Response, Standing, State};

/// The action.
#[derive(Debug)]
pub struct Switch {
    /// The hands.
    pub hands: Hands,
    /// What.
    pub args: kinds::Bring,
}

/// Returns what is promised of the traffic of some services of a deployment, for its plan.
pub(super) fn parts(deployment: &Deployment, wanted: impl Fn(&Service) -> bool) -> Vec<Part> {
    let services = deployment.services.iter().filter(|service| wanted(service));
    let part = |service: &Service| Part {
        sign: Sign::Change,
        thing: service.name.clone(),
        summary: service.switch.guarantee().into(),
    };
    services.map(part).collect()
}

impl Action for Switch {
    fn describe(&self) -> Change {
        let version = &self.args.deployment.version;
        let (summary, undo) = match &self.args.from {
            Some(from) => (format!("{} → {version}", from.version), format!("back to {}", from.version)),
            None => (format!("{version}, the first release"), "stop and remove it".into()),
        };
        Change {
            sign: Sign::Change,
            thing: format!("live on {}", self.args.host.name),
            summary,
            reversal: Reversal::Exact,
            undo,
            parts: parts(&self.args.deployment, |_| true),
        }
    }

    fn probe(&self, cx: &Cx<'_>) -> Result<Observed, Fault> {
        Ok(self.seen(cx, &self.hands.look(cx, &self.args.host, Look::default())?))
    }

    fn apply(&self, cx: &Cx<'_>) -> Result<Receipt, Fault> {
        let from = self.args.from.as_ref().map(|from| from.run.clone());
        let request = Request::Switch { from, within_ms: self.args.confirm_ms };
        match self.hands.ask(cx, &self.args.host, request)? {
            Response::Switched(kept_by) => Ok(receipt(&kept_by)),
            other => Err(super::unexpected(&self.args.host, &other)),
        }
    }

    /// Goes back to what was live before. A host that has put itself back already, or that somebody else has changed
    /// since, is left as it is.
    fn undo(&self, cx: &Cx<'_>, _: &Receipt) -> Result<(), Fault> {
        self.hands.ask(cx, &self.args.host, Request::Revert).map(drop)
    }
}

impl Switch {
    fn seen(&self, cx: &Cx<'_>, state: &State) -> Observed {
        let planned = self.args.from.as_ref().map(|from| &from.run);
        match known(state, cx.run).map(|known| known.standing) {
            Some(Standing::Live | Standing::Confirmed) if state.current.as_ref() == Some(cx.run) => {
                Observed::Present(receipt(""))
            }
            // Half done is not done: it is taken back. What failed is judged by what is live since.
            Some(Standing::Switching | Standing::Reverting) => Observed::Absent,
            _ if state.current.as_ref() == planned => Observed::Absent,
            _ => Observed::Foreign(match &state.current {
                Some(run) => format!("run {run} is live on {}", self.args.host.name),
                None => format!("nothing is live on {}", self.args.host.name),
            }),
        }
    }
}

fn receipt(kept_by: &str) -> Receipt {
    Receipt(json!({ "live": true, "watchdog": kept_by }))
}
