//! `agent`: the hand of shipway on a host. Runs start it; people only ask it for the status.

use std::io;
use std::path::Path;

use serde_json::{Value, json};
use shipway_core::action::Stop;
use shipway_core::preflight::Want;
use shipway_core::problem::{Code, Problem};
use shipway_world::agent::protocol::{Look, State};
use shipway_world::agent::{Setup, look, serve, watch};
use shipway_world::artifact::hash_file;
use shipway_world::shell::LocalShell;

use super::{DONE, End};
use crate::args::Agent;
use crate::view::{Document, View};

/// Serves, watches or looks.
pub fn run(command: &Agent, view: &dyn View) -> End {
    let setup = setup().map_err(|problem| vec![problem])?;
    match command {
        // Frames are all that a client reads, so nothing else may come to the standard output.
        Agent::Serve { root } => {
            serve(root.as_deref(), setup, io::stdin(), io::stdout()).map_err(|problem| vec![problem])?;
        }
        Agent::Watchdog { root, boot: _ } => {
            // Whoever could be told how it ended is gone; the journal of the host says it.
            watch(root, setup);
        }
        Agent::Status { root } => status(root, setup, view)?,
        Agent::Digest => {
            let digest =
                program().and_then(|path| hash_file(&path)).map_err(unreadable).map_err(|it| vec![it])?;
            view.answer(Document::Digest, &json!({ "digest": digest }), &digest);
        }
    }
    Ok(DONE)
}

/// Returns the agent of this machine, whose watchdog is this binary, too.
fn setup() -> Result<Setup, Problem> {
    let program = program().map_err(unreadable)?;
    let setup = Setup::real(vec![program.into(), "agent".into(), "watchdog".into()]);
    Ok(Setup { preflight: Some(preflight), ..setup })
}

/// Answers what is asked of this host, want by want.
fn preflight(wants: &Value, _: &Path) -> Result<Value, Problem> {
    let unusable =
        |error: serde_json::Error| Problem::new(Code::AgentUnusable, format!("the wants: {error}"));
    let wants: Vec<Want> = serde_json::from_value(wants.clone()).map_err(unusable)?;
    let seen = shipway_world::preflight::look(&wants, &LocalShell::new(), &Stop::default());
    serde_json::to_value(seen).map_err(unusable)
}

fn program() -> io::Result<std::path::PathBuf> {
    std::env::current_exe()
}

#[expect(clippy::needless_pass_by_value, reason = "it is what map_err hands over")]
fn unreadable(error: io::Error) -> Problem {
    Problem::new(Code::Io, format!("this binary cannot be read: {error}"))
}

fn status(root: &Path, setup: Setup, view: &dyn View) -> Result<(), Vec<Problem>> {
    let root = std::path::absolute(root).map_err(|error| vec![Problem::new(Code::Io, error.to_string())])?;
    let state = look(
        &root,
        setup,
        Look { drift: true, way_back: true, services: true, lenient: true, ..Look::default() },
    );
    let state = state.map_err(|problem| vec![problem])?;
    view.answer(Document::Host, &json!({ "host": state }), &lines(&state).join("\n"));
    Ok(())
}

fn lines(state: &State) -> Vec<String> {
    let mut lines = vec![];
    for known in &state.deployments {
        let live = Some(&known.deployment.run) == state.current.as_ref();
        let mark = if live { "live since " } else { "" };
        lines.push(format!(
            "{}  run {}  {:?}  {mark}{}",
            known.deployment.version,
            known.deployment.run,
            known.standing,
            known.live_since.filter(|_| live).unwrap_or(known.at),
        ));
    }
    if state.current.is_none() {
        lines.push("nothing is live".into());
    }
    lines.extend(state.drift.iter().map(|found| format!("drift: {found}")));
    lines.extend(state.services.iter().map(|seen| format!("service {}: {}", seen.service, seen.detail)));
    if let Some(lease) = state.lease.as_ref().filter(|lease| lease.left_ms > 0) {
        lines.push(format!("leased to run {}, driven by {}", lease.run, lease.holder));
    }
    if let Some(armed) = &state.watchdog {
        lines.push(format!("goes back from run {} in {} s", armed.run, armed.left_ms.div_ceil(1000)));
    }
    lines
}
