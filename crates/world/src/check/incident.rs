//! No incident is open: while something is broken, nothing else is changed.

use std::path::PathBuf;

use shipway_core::action::{Cx, Fault};
use shipway_core::gate::{Check, Finding};
use shipway_core::kinds;
use shipway_core::problem::{Code, Problem};

use super::waits;
use crate::incident::Incidents;

/// The check.
#[derive(Debug)]
pub struct Incident {
    /// Where incidents are kept.
    pub dir: PathBuf,
    /// Where they count.
    pub args: kinds::Incident,
}

impl Check for Incident {
    fn look(&self, _cx: &Cx<'_>) -> Result<Vec<Finding>, Fault> {
        // A list that cannot be read says nothing, so the gate stays shut.
        let open = Incidents::new(&self.dir).open_ones().map_err(Fault::clean)?;
        let counts = |environment: Option<&String>| {
            environment.is_none()
                || self.args.environment.is_none()
                || environment == self.args.environment.as_ref()
        };
        let counting = open.iter().filter(|incident| counts(incident.environment.as_ref()));
        Ok(counting
            .flat_map(|incident| {
                let problem =
                    Problem::new(Code::IncidentOpen, format!("incident {}: {}", incident.id, incident.text))
                        .found(format!("open since {}, by {}", incident.at, incident.by))
                        .hint(format!("when it is over: shipway incident close {}", incident.id));
                waits(problem, None)
            })
            .collect())
    }
}
