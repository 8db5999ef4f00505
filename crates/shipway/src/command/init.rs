//! `init`: a short `shipway.toml` from what is detected, and with `--flow` the files of a governed repository. It never
//! overwrites.

mod govern;

use std::fs::OpenOptions;
use std::io::{self, IsTerminal as _, Write as _};

use serde_json::json;
use shipway_core::config::{Detected, PackageKind, template};
use shipway_core::problem::{Code, Problem};

use super::{DONE, End};
use crate::args::Init;
use crate::prepare::{self, Purpose};
use crate::session::Session;
use crate::view::Document;

/// Shows what would be written, and writes it: at once with `yes`, after a question at a terminal, else not at all.
pub fn run(session: &Session<'_>, asked: &Init) -> End {
    if let Some(flow) = asked.flow {
        return govern::run(session, asked, flow.as_str());
    }
    let path = session.repository.top.join("shipway.toml");
    if path.exists() {
        let problem = Problem::new(Code::ConfigExists, "shipway.toml exists already").at("shipway.toml");
        return Err(vec![problem.hint("see what it may hold: shipway schema config")]);
    }
    let text = template(&detected(session)?);
    let files = [json!({ "path": "shipway.toml", "state": "new", "text": text })];
    let fields = json!({ "flow": null, "files": files });
    session.view.answer(Document::Init, &fields, text.trim_end());
    if asked.dry_run || !(asked.yes || agreed(session, "write this to shipway.toml?")) {
        session.view.note("nothing was written; write it: shipway init --yes");
        return Ok(DONE);
    }
    let written = OpenOptions::new().write(true).create_new(true).open(&path).and_then(|mut file| {
        file.write_all(text.as_bytes())?;
        file.sync_all()
    });
    written.map_err(|error| {
        vec![Problem::new(Code::NotWritable, format!("shipway.toml cannot be written: {error}"))]
    })?;
    session
        .view
        .note("wrote shipway.toml; next: git add shipway.toml && git commit -m 'chore: configure releases'");
    Ok(DONE)
}

/// Asks at a terminal; elsewhere nobody is asked and nothing is written.
fn agreed(session: &Session<'_>, question: &str) -> bool {
    if !(io::stdin().is_terminal() && io::stderr().is_terminal()) {
        return false;
    }
    session.view.note(&format!("{question} [y/N]"));
    let mut answer = String::new();
    io::stdin().read_line(&mut answer).is_ok() && matches!(answer.trim(), "y" | "Y" | "yes")
}

fn detected(session: &Session<'_>) -> Result<Detected, Vec<Problem>> {
    let seen = prepare::look(session, Purpose::Plan)?;
    let checks = seen.projects.checks(&seen.tree).map_err(|problem| vec![problem])?;
    let kinds = seen.projects.found().filter_map(|(kind, _)| PackageKind::of(kind)).collect();
    let name = seen.projects.name().map_or_else(|| seen.facts.directory.clone(), str::to_owned);
    Ok(Detected {
        name,
        kinds,
        tag: seen.format.to_string(),
        branch: seen.facts.head.branch().unwrap_or("main").to_owned(),
        remote: seen.facts.remote.as_ref().map(|remote| remote.name.clone()),
        checks: checks.into_iter().map(|check| (check.name, check.argv)).collect(),
    })
}
