//! `change open`: asks that the commits of a branch land on another one, and says which branch they come from.

use std::fs;
use std::io::{self, IsTerminal as _};

use serde_json::json;
use shipway_core::change::text;
use shipway_core::problem::Problem;
use shipway_world::change::{Client, editor};

use super::{DONE, flow, tell_skips};
use crate::args::Open;
use crate::session::Session;
use crate::view::Document;

/// Where the template of a description is looked for.
const TEMPLATES: [&str; 4] = [
    ".shipway/change_request.md",
    ".github/pull_request_template.md",
    ".github/PULL_REQUEST_TEMPLATE.md",
    ".gitlab/merge_request_templates/Default.md",
];

/// Opens a change request, or adds a version to the one that is open from the same branch.
pub(super) fn open(session: &Session<'_>, client: &Client<'_>, asked: &Open) -> Result<u8, Problem> {
    let pinned = client.about.policy.trim_start_matches("refs/heads/").to_owned();
    let target = asked.target.clone().unwrap_or(pinned);
    let source = source(session, client, &target)?;
    let is_new = match (asked.change, &source) {
        (Some(_), _) => false,
        (None, Some(source)) => client.open_from(source, &target)?.is_none(),
        (None, None) => true,
    };
    let mut specs = vec![format!("HEAD:refs/for/{target}")];
    let mut option = |name: &str, value: Option<String>| {
        specs.extend(value.map(|value| format!("--push-option={name}={}", text::pack(&value))));
    };
    let description = match (&asked.description, template(session)) {
        (Some(given), _) => Some(given.clone()),
        // One that is open has a description already, maybe with boxes that somebody has ticked.
        (None, Some(template)) if is_new => Some(written(session, &template)?),
        (None, _) => None,
    };
    option("title", asked.title.clone());
    option("description", description.filter(|text| !text.trim().is_empty()));
    option("change", asked.change.map(|number| number.to_string()));
    option("draft", asked.draft.then(|| "true".to_owned()));
    option("source", source.clone());
    // Options come before the refs.
    specs.rotate_left(1);
    let said = client.push(&specs)?;
    session.view.answer(
        Document::ChangeOpened,
        &json!({ "target": target, "source": source, "said": said.lines().collect::<Vec<_>>() }),
        &said,
    );
    tell_skips(session, Some(&client.remote), None);
    Ok(DONE)
}

/// Returns the branch that the commits come from, which the guard believes only if it has that branch with this very
/// commit: so it is pushed first. What lands nowhere, and what only landings move, is not.
fn source(session: &Session<'_>, client: &Client<'_>, target: &str) -> Result<Option<String>, Problem> {
    let branches = flow::branches(session, Some(&client.remote));
    let Some(branch) = branches.current()?.filter(|branch| branch != target) else { return Ok(None) };
    match client.tip(target)? {
        Some(tip) if branches.has(&tip, "HEAD")? => return Ok(None),
        Some(_) | None => {}
    }
    if client.base.policy.is_protected(branch.as_bytes()) {
        let there = client.tip(&branch)?;
        return Ok((there.is_some() && there == session.git().resolve("HEAD")?).then_some(branch));
    }
    branches.publish(&branch)?;
    Ok(Some(branch))
}

/// Returns the template of a description, if the repository has one.
pub(in crate::command) fn template(session: &Session<'_>) -> Option<String> {
    TEMPLATES.iter().find_map(|path| fs::read_to_string(session.repository.top.join(path)).ok())
}

/// Returns a text as a person leaves it in the editor; away from a terminal, as it is.
pub(super) fn written(session: &Session<'_>, text: &str) -> Result<String, Problem> {
    if !io::stdin().is_terminal() || !io::stdout().is_terminal() {
        return Ok(text.to_owned());
    }
    let named = ["GIT_EDITOR", "VISUAL", "EDITOR"].into_iter();
    let editor = named.filter_map(|name| session.environment.get(name)).find(|value| !value.is_empty());
    editor::write(editor.unwrap_or("vi"), &session.state(), ("CHANGE_REQUEST.md", text))
}
