//! No incident is open: while something is broken, nothing else is changed.

use std::path::PathBuf;
use std::time::Duration;

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
        // A list that cannot be read says nothing, and is mended by a person: the run is stuck, and not taken back.
        let unreadable = |problem| Fault::clean(problem).retry_after(Duration::from_secs(1));
        let open = Incidents::new(&self.dir).open_ones().map_err(unreadable)?;
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

#[cfg(test)]
mod tests {
    use shipway_core::action::Stop;
    use shipway_core::gate::Severity;
    use shipway_core::id::{Actor, ActorKind, RunId, StepId};
    use shipway_core::time::Time;
    use shipway_testkit::world::TestWorld;

    use super::*;
    use crate::incident::Report;

    #[test]
    fn incidents_of_other_environments_do_not_count() {
        let dir = tempfile::tempdir().unwrap();
        let look = |environment: Option<&str>| {
            let args = kinds::Incident { environment: environment.map(str::to_owned) };
            let (run, name) = (RunId::new("r"), StepId::new("gate/incident"));
            let (world, stop) = (TestWorld::new(), Stop::default());
            let timeout = Duration::from_secs(1);
            let cx = Cx {
                run: &run,
                step: &name,
                attempt: 1,
                opened: Time(0),
                timeout,
                world: &world,
                stop: &stop,
            };
            Incident { dir: dir.path().to_owned(), args }.look(&cx)
        };
        assert_eq!(look(None).unwrap(), []);
        let by = Actor { kind: ActorKind::Human, name: "Jane".into(), host: "quay".into() };
        let incidents = Incidents::new(dir.path());
        let report = |environment| Report { text: "the queue stands", environment };
        incidents.open(report(Some("staging")), by.clone(), Time(1)).unwrap();
        assert_eq!(look(Some("production")).unwrap(), []);
        let found = look(Some("staging")).unwrap();
        assert!(found.iter().all(|one| one.severity == Severity::Waits && one.until.is_none()));
        assert_eq!((found.len(), look(None).unwrap().len()), (1, 1));
        incidents.open(report(None), by, Time(2)).unwrap();
        assert_eq!(look(Some("production")).unwrap().len(), 1);
        std::fs::write(incidents.path(), "what\n").unwrap();
        let fault = look(None).unwrap_err();
        assert!(fault.retry_after_ms.is_some() && fault.problem.code == Code::IncidentsUnreadable);
    }
}
