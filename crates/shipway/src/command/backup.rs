//! `backup`: makes backups and proves each by restoring it, lists them, and restores them.

use std::time::Duration;

use serde_json::json;
use shipway_core::backup::{Ask, Made, Spec};
use shipway_core::config::size_text;
use shipway_core::deployment::Host;
use shipway_core::problem::{Code, Problem};
use shipway_world::agent::protocol::{Request, Response};
use shipway_world::backup::{self, Place};
use shipway_world::deploy::Hands;
use shipway_world::host::By;

use super::{DONE, End};
use crate::args::{self, BackupVerb};
use crate::prepare::{self, glance_with_files};
use crate::session::Session;
use crate::view::Document;

/// Makes, lists, verifies or restores.
pub fn run(session: &Session<'_>, asked: &args::Backup) -> End {
    let (ask, name) = match &asked.verb {
        None => (Ask::Make, asked.name.as_ref()),
        Some(BackupVerb::List { name }) => (Ask::List, name.as_ref()),
        Some(BackupVerb::Verify { name, at }) => (Ask::Verify { file: at.clone() }, Some(name)),
        Some(BackupVerb::Restore { name, into, at }) => {
            (Ask::Restore { file: at.clone(), into: into.clone() }, Some(name))
        }
    };
    let names: Vec<&String> = match name {
        Some(name) => vec![name],
        None => session.config.backup.keys().collect(),
    };
    if names.is_empty() {
        let problem = Problem::new(Code::BackupUnknown, "no backup is configured");
        return Err(vec![problem.hint("[backup.NAME] in shipway.toml; see: shipway explain SW1066")]);
    }
    let project = glance_with_files(session)?.name();
    let hands = session.hands().map_err(|problem| vec![problem])?;
    let (mut found, mut problems) = (vec![], vec![]);
    for name in names {
        match one(session, &hands, name, (&project, &ask)) {
            Ok(made) => found.extend(made),
            Err(problem) => problems.push(problem),
        }
    }
    let lines: Vec<String> = found.iter().map(line).collect();
    let text = if lines.is_empty() { "no backups yet".to_owned() } else { lines.join("\n") };
    if !found.is_empty() || problems.is_empty() {
        session.view.answer(Document::Backups, &json!({ "backups": found }), &text);
    }
    if problems.is_empty() { Ok(DONE) } else { Err(problems) }
}

/// Asks the machine that holds what a backup saves.
fn one(
    session: &Session<'_>,
    hands: &Hands,
    name: &str,
    (project, ask): (&str, &Ask),
) -> Result<Vec<Made>, Problem> {
    let host = prepare::backup::host(session, name, project)?;
    let spec = Spec::of(name, &session.config.backup[name])?;
    let Some(host) = host else {
        let say = |text: &str| session.view.note(&format!("{name}: {text}"));
        let place = Place {
            dir: &session.repository.top,
            shell: &session.shell,
            stop: &session.switches.look,
            say: &say,
        };
        return backup::answer(ask, &spec, &place);
    };
    on(session, hands, &host, (ask, spec))
}

fn on(
    session: &Session<'_>,
    hands: &Hands,
    host: &Host,
    (ask, spec): (&Ask, Spec),
) -> Result<Vec<Made>, Problem> {
    let limit = Duration::from_millis(spec.timeout_ms);
    let request = Request::Backup { ask: ask.clone(), spec: Box::new(spec) };
    let by = By { run: None, limit, stop: &session.switches.look };
    match hands.fleet.call(host, &by, request).map_err(|fault| fault.problem)? {
        Response::Backup(made) => Ok(made),
        _ => Err(Problem::new(Code::AgentUnusable, format!("{} answers something else", host.name))),
    }
}

fn line(made: &Made) -> String {
    let proof = match (&made.verified, &made.broken) {
        (Some(verified), _) => format!("verified {}", verified.at),
        (None, Some(why)) => format!("broken: {why}"),
        (None, None) => "not verified".into(),
    };
    let sealed = if made.encrypted { ", encrypted" } else { "" };
    format!("{}  {}  {}{sealed}  {proof}  {}", made.name, made.at, size_text(made.bytes), made.file)
}
