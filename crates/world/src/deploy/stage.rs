//! Putting a release beside the live one: nothing that is live changes.

use serde_json::json;
use shipway_core::action::{Action, Change, Cx, Fault, Observed, Part, Receipt, Reversal, Sign};
use shipway_core::config::size_text;
use shipway_core::kinds::deploy as kinds;

use super::{Hands, known};
use crate::agent::protocol::{Look, Request, Standing};

/// The action.
#[derive(Debug)]
pub struct Stage {
    /// The hands.
    pub hands: Hands,
    /// What.
    pub args: kinds::Bring,
}

impl Action for Stage {
    fn describe(&self) -> Change {
        let size = match self.args.size {
            Some((size, files)) => format!("at most {} in {files} files", size_text(size)),
            None => "as it was built".to_owned(),
        };
        let mut parts = vec![];
        if !self.args.deployment.runtime.is_none() {
            parts.push(Part {
                sign: Sign::Create,
                thing: "runtime".into(),
                summary: "made ready beside the live one".into(),
            });
        }
        if !self.args.secrets.is_empty() {
            parts.push(Part {
                sign: Sign::Create,
                thing: "secrets".into(),
                summary: self.args.secrets.join(", "),
            });
        }
        Change {
            sign: Sign::Create,
            thing: format!("{} on {}", self.args.deployment.version, self.args.host.name),
            summary: format!("{size}; nothing live changes"),
            reversal: Reversal::Exact,
            undo: "remove it".into(),
            parts,
        }
    }

    fn probe(&self, cx: &Cx<'_>) -> Result<Observed, Fault> {
        let state = self.hands.look(cx, &self.args.host, Look::default())?;
        Ok(match known(&state, cx.run).map(|known| known.standing) {
            None | Some(Standing::Discarded) => Observed::Absent,
            Some(_) => Observed::Present(Receipt(json!({ "staged": true }))),
        })
    }

    fn apply(&self, cx: &Cx<'_>) -> Result<Receipt, Fault> {
        let deployment = self.hands.deployment(cx, &self.args)?;
        let manifest = self.hands.store.manifest(&deployment.artifact).map_err(Fault::clean)?;
        let mut secrets = self.args.secrets.clone();
        if !secrets.is_empty() {
            secrets.push(super::SALT.to_owned());
        }
        let sent = self.hands.fleet.stage(&self.args.host, &deployment, (&manifest, &secrets), cx.stop)?;
        Ok(Receipt(json!({
            "staged": true,
            "artifact": deployment.artifact,
            "sent_files": sent.sent_files,
            "sent_bytes": sent.sent_bytes,
            "had_files": sent.had_files,
        })))
    }

    fn undo(&self, cx: &Cx<'_>, _: &Receipt) -> Result<(), Fault> {
        self.hands.ask(cx, &self.args.host, Request::Discard).map(drop)
    }
}
