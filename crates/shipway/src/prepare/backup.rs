//! Backups as a plan needs them.

use shipway_core::backup::Spec;
use shipway_core::deployment::Host;
use shipway_core::gate::Need;
use shipway_core::kinds::backup as kind;
use shipway_core::planner::need;
use shipway_core::problem::{Code, Problem};

use super::onward;
use crate::session::Session;

/// Returns the host on which a backup is made; nothing for one that is made here.
pub fn host(session: &Session<'_>, name: &str, project: &str) -> Result<Option<Host>, Problem> {
    let Some(backup) = session.config.backup.get(name) else { return Err(unknown(name)) };
    let Some(environment) = &backup.environment else { return Ok(None) };
    let (name_of, environment) = onward::environment(session, environment)?;
    let hosts = environment.hosts(project, name_of);
    let found = hosts.into_iter().find(|host| host.has_role(&backup.roles));
    found.map(Some).ok_or_else(|| {
        let what = format!("backup `{name}` has no host in `{name_of}`");
        Problem::new(Code::EnvironmentUnknown, what)
            .wanted(format!("a host with one of {}", backup.roles.join(", ")))
    })
}

/// Returns the need that makes and verifies a backup where it is configured.
pub fn need_of(session: &Session<'_>, name: &str, project: &str) -> Result<Need, Problem> {
    let backup = session.config.backup.get(name).ok_or_else(|| unknown(name))?;
    let (host, spec) = (host(session, name, project)?, Spec::of(name, backup)?);
    let timeout_ms = spec.timeout_ms;
    need(name, kind::MADE, &kind::Made { host, spec }, timeout_ms)
}

/// Returns the need that makes and verifies a backup before something irreversible on a host.
pub fn before(session: &Session<'_>, name: &str, (project, at): (&str, &Host)) -> Result<Need, Problem> {
    let backup = session.config.backup.get(name).ok_or_else(|| unknown(name))?;
    let host = host(session, name, project)?.unwrap_or_else(|| at.clone());
    let spec = Spec::of(name, backup)?;
    let timeout_ms = spec.timeout_ms;
    need(name, kind::MADE, &kind::Made { host: Some(host), spec }, timeout_ms)
}

fn unknown(name: &str) -> Problem {
    Problem::new(Code::EnvironmentUnknown, format!("no backup `{name}` is configured"))
}
