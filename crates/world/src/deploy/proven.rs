//! The environment before has the very same artifact, live and confirmed on all its hosts.

use shipway_core::action::{Cx, Fault};
use shipway_core::gate::{Check, Finding};
use shipway_core::kinds::deploy as kinds;
use shipway_core::problem::{Code, Problem};

use super::{Hands, known};
use crate::agent::protocol::{Look, Standing};
use crate::check::{advice, blocks};

/// The check.
#[derive(Debug)]
pub struct Proven {
    /// The hands.
    pub hands: Hands,
    /// What.
    pub args: kinds::Proven,
}

impl Check for Proven {
    fn look(&self, cx: &Cx<'_>) -> Result<Vec<Finding>, Fault> {
        let Some(artifact) = self.hands.artifact(cx.run, &self.args.artifact) else {
            return Ok(self.finding("this run has built no artifact".into()));
        };
        for host in &self.args.hosts {
            let state = self.hands.look(cx, host, Look::default())?;
            let live = state.current.as_ref().and_then(|run| known(&state, run));
            let found = match live {
                None => format!("nothing is live on {}", host.name),
                Some(known) if known.deployment.artifact != artifact => {
                    format!(
                        "{} has {} (artifact {})",
                        host.name,
                        known.deployment.version,
                        known.deployment.artifact.short()
                    )
                }
                Some(known) if known.standing != Standing::Confirmed => {
                    format!("{} is live on {} and not confirmed", known.deployment.version, host.name)
                }
                Some(_) => continue,
            };
            return Ok(self.finding(format!("{found}; wanted artifact {}", artifact.short())));
        }
        Ok(vec![])
    }
}

impl Proven {
    fn finding(&self, found: String) -> Vec<Finding> {
        let environment = &self.args.environment;
        let what = format!("{environment} has not proven this artifact");
        let problem = Problem::new(Code::NotProven, what)
            .found(found)
            .wanted("the same bytes, live and confirmed there")
            .hint(
                format!("bring it there first: shipway deploy {environment} {}", self.args.version)
                    .trim_end(),
            );
        if self.args.waived { advice(problem) } else { blocks(problem) }
    }
}
