//! What is there to see of a deployment while it is watched: traffic as what is in front counts it, and logs.

use shipway_core::deployment::{Deployment, Traffic};
use shipway_core::problem::Problem;

use super::{Instance, Place, keeper, slots, traffic};

/// What was counted and found.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Watched {
    /// The traffic of the release that is live.
    pub now: Traffic,
    /// That of the other copy, which served the release before.
    pub before: Traffic,
    /// Lines of logs with the text that was looked for.
    pub lines: Vec<String>,
}

/// How many lines are shown of those that were found.
const LINES: usize = 20;

/// Counts the traffic of each service that something in front counts, and looks for a text in the logs of all.
pub fn watched(place: &Place<'_>, deployment: &Deployment, text: Option<&str>) -> Result<Watched, Problem> {
    let mut all = Watched::default();
    for service in &deployment.services {
        let slot = slots::live(place, deployment, service)?;
        let instance = Instance { place, deployment, service, slot };
        if let (Some(port), Some(upstreams)) = (instance.port(), traffic::of(&instance)?) {
            all.now = all.now.and(&upstreams.counted(port)?);
            let other = service.switch.ports().into_iter().flatten().find(|other| *other != port);
            if let Some(other) = other {
                all.before = all.before.and(&upstreams.counted(other)?);
            }
        }
        if let Some(text) = text {
            let lines = keeper::of(&instance)?.log(&instance);
            let found = lines.into_iter().filter(|line| line.contains(text));
            all.lines.extend(found.map(|line| format!("{}: {line}", service.name)));
        }
    }
    all.lines.truncate(LINES);
    Ok(all)
}
