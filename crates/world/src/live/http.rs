//! One question over HTTP, and what was answered.

use std::time::{Duration, Instant};

use ureq::Agent;

/// How much of an answer is read.
const LONGEST: u64 = 1 << 20;

/// What was answered.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Answer {
    pub(super) status: u16,
    pub(super) body: String,
    pub(super) took: Duration,
}

/// Asks an address once, on a connection of its own. An address is well by its own answer, not by that of the page it
/// points to, so a redirect is an answer.
pub(super) fn ask(url: &str, limit: Duration) -> Result<Answer, String> {
    let config = Agent::config_builder()
        .http_status_as_error(false)
        .max_redirects(0)
        .max_redirects_will_error(false)
        // A proxy in the variables of this process is not the way to a service of this machine.
        .proxy(None)
        .timeout_global(Some(limit))
        .user_agent(concat!("shipway/", env!("CARGO_PKG_VERSION")));
    let agent: Agent = config.build().into();
    let begun = Instant::now();
    let mut response = agent.get(url).call().map_err(|error| error.to_string())?;
    let status = response.status().as_u16();
    let body = response.body_mut().with_config().limit(LONGEST).lossy_utf8(true).read_to_string();
    let body = body.map_err(|error| error.to_string())?;
    Ok(Answer { status, body, took: begun.elapsed() })
}
