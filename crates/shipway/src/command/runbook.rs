//! `runbook`: how the next release or deployment is carried out, watched and taken back, step by step.

use serde_json::json;
use shipway_world::shell::now;

use super::{DONE, End, plan};
use crate::args;
use crate::prepare::{self, Purpose};
use crate::session::Session;
use crate::view;
use crate::view::Document;

/// Prints the runbook of the plan that a release, or a deployment to an environment, would carry out.
pub fn run(session: &Session<'_>, asked: &args::Runbook) -> End {
    let shown = if let Some(environment) = &asked.env {
        prepare::deploy::plan(session, environment, asked.version.as_deref(), false)?
    } else {
        let version = plan::version(asked.version.as_deref())?;
        let prepared = prepare::prepare(session, &version, None, Purpose::Plan)?;
        session.view.warnings(&prepared.warnings);
        prepared.plan
    };
    let environment = shown.release.environment.clone().unwrap_or_default();
    let at = now();
    let text = view::runbook::render(&shown, &environment, at);
    let fields = json!({ "digest": shown.digest(), "at": at, "text": text });
    session.view.answer(Document::Runbook, &fields, &text);
    Ok(DONE)
}
