//! Health addresses answer with success, within a time.

use std::time::Duration;

use shipway_core::action::{Cx, Fault, Urgency};
use shipway_core::gate::{Check, Finding};
use shipway_core::kinds;
use shipway_core::problem::{Code, Problem};

use super::blocks;

/// The check.
#[derive(Debug)]
pub struct Health {
    /// What.
    pub args: kinds::Health,
}

/// How long one question may take.
const PATIENCE: Duration = Duration::from_secs(5);

impl Check for Health {
    fn look(&self, cx: &Cx<'_>) -> Result<Vec<Finding>, Fault> {
        let until = cx.world.uptime() + Duration::from_millis(self.args.within_ms);
        loop {
            let found = match cx.world.http_status(&self.args.url, PATIENCE) {
                Ok(status) if (200..300).contains(&status) => return Ok(vec![]),
                Ok(status) => format!("status {status}"),
                Err(error) => error.to_string(),
            };
            if cx.world.uptime() >= until || cx.stop.urgency() > Urgency::None {
                let problem = Problem::new(Code::Unhealthy, format!("{} is not well", self.args.url));
                let wanted = format!("status 200 to 299 within {} s", self.args.within_ms / 1000);
                let hint = format!("curl -i {}", self.args.url);
                return Ok(blocks(problem.found(found).wanted(wanted).hint(hint)));
            }
            cx.world.rest(Duration::from_secs(1), cx.stop);
        }
    }
}
