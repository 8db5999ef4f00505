//! The local half of `guard`: hooks of a work tree are installed, taken out, and looked at.

use std::path::{Path, PathBuf};

use serde_json::{Value, json};
use shipway_core::local::Note;
use shipway_core::problem::{Code, Problem};
use shipway_world::hooks::desk::Desk;
use shipway_world::hooks::install::{self, Step};
use shipway_world::hooks::place::Asker;
use shipway_world::hooks::status::{self, Tree};
use shipway_world::hooks::{self, Hook};

use super::{DONE, End};
use crate::session::Session;
use crate::view::Document;

/// How many notes are shown.
const NOTES: usize = 10;

fn asker<'a>(session: &'a Session<'_>) -> Asker<'a> {
    Asker { repository: &session.repository, shell: &session.shell, stop: &session.switches.look }
}

/// Returns the hooks that this repository wants.
fn wanted(session: &Session<'_>) -> Vec<Hook> {
    hooks::wanted(&session.repository.top)
}

fn program() -> Result<PathBuf, Problem> {
    std::env::current_exe()
        .map_err(|error| Problem::new(Code::Io, format!("our own program cannot be found: {error}")))
}

/// Installs the hooks, or shows what that would change.
pub fn install(session: &Session<'_>, dry_run: bool) -> End {
    let one = |problem| vec![problem];
    let (program, hooks) = (program().map_err(one)?, wanted(session));
    let steps = install::install(&asker(session), &program, &hooks).map_err(one)?;
    tell(session, &steps, dry_run, "the hooks are installed already");
    if dry_run || steps.is_empty() {
        return Ok(DONE);
    }
    install::carry_out(&asker(session), &steps).map_err(one)?;
    // What counts is where git looks now, in every work tree.
    let trees = status::look(&asker(session), &program, &hooks).map_err(one)?;
    let problems: Vec<Problem> = trees.iter().filter_map(Tree::problem).collect();
    if !problems.is_empty() {
        return Err(problems);
    }
    session.view.note("the hooks are in force; see: shipway guard status");
    Ok(DONE)
}

/// Takes the hooks out, or shows what that would change.
pub fn uninstall(session: &Session<'_>, dry_run: bool) -> End {
    let steps = install::uninstall(&asker(session)).map_err(|problem| vec![problem])?;
    tell(session, &steps, dry_run, "there are no hooks of ours");
    if !dry_run {
        install::carry_out(&asker(session), &steps).map_err(|problem| vec![problem])?;
    }
    Ok(DONE)
}

fn tell(session: &Session<'_>, steps: &[Step], dry_run: bool, nothing: &str) {
    let lines: Vec<String> = steps.iter().map(|step| line(session, step)).collect();
    let fields = json!({ "dry_run": dry_run, "changes": steps.iter().map(field).collect::<Vec<_>>() });
    let text = if lines.is_empty() { nothing.to_owned() } else { lines.join("\n") };
    session.view.answer(Document::HooksChanges, &fields, &text);
    if dry_run && !lines.is_empty() {
        session.view.note("nothing was changed");
    }
}

fn line(session: &Session<'_>, step: &Step) -> String {
    let near = |path: &Path| {
        let top = &session.repository.top;
        path.strip_prefix(top).unwrap_or(path).display().to_string()
    };
    match step {
        Step::Write(path, _) => format!("write {}", near(path)),
        Step::Move(from, to) => {
            let aside = to.parent().is_some_and(|dir| dir.ends_with(install::ASIDE));
            let after = if aside { ", which runs after ours" } else { "" };
            format!("move {} to {}{after}", near(from), near(to))
        }
        Step::Remove(path) => format!("remove {}", near(path)),
        Step::Config(scope, key, Some(value)) => {
            format!("git config {scope} {key} {}", value.display())
        }
        Step::Config(scope, key, None) => format!("git config {scope} --unset-all {key}"),
    }
}

fn field(step: &Step) -> Value {
    match step {
        Step::Write(path, _) => json!({ "write": path.display().to_string() }),
        Step::Move(from, to) => {
            json!({ "move": from.display().to_string(), "to": to.display().to_string() })
        }
        Step::Remove(path) => json!({ "remove": path.display().to_string() }),
        Step::Config(scope, key, value) => {
            let value = value.as_ref().map(|value| value.display().to_string());
            json!({ "config": key, "scope": scope.trim_start_matches('-'), "value": value })
        }
    }
}

/// Shows how the hooks of every work tree stand, and what was noted lately.
pub fn status(session: &Session<'_>) -> End {
    let one = |problem| vec![problem];
    let trees = status::look(&asker(session), &program().map_err(one)?, &wanted(session)).map_err(one)?;
    let notes = Desk::of(&session.repository).notes();
    let latest = &notes[notes.len().saturating_sub(NOTES)..];
    let trees_json: Vec<Value> = trees.iter().map(tree_field).collect();
    let fields = json!({ "trees": trees_json, "notes": latest });
    session.view.answer(Document::Hooks, &fields, &page(&trees, latest));
    let problems: Vec<Problem> = trees.iter().filter_map(Tree::problem).collect();
    if problems.is_empty() { Ok(DONE) } else { Err(problems) }
}

fn tree_field(tree: &Tree) -> Value {
    let hooks = tree.hooks.iter().map(|(hook, wrong)| json!({ "hook": hook.name(), "wrong": wrong }));
    json!({
        "top": tree.top.display().to_string(),
        "directory": tree.dir.display().to_string(),
        "in_force": tree.is_whole(),
        "hooks": hooks.collect::<Vec<_>>(),
        "after": tree.after,
        "more": tree.more,
    })
}

fn page(trees: &[Tree], notes: &[Note]) -> String {
    let mut lines = vec![];
    for tree in trees {
        let word = if tree.is_whole() { "in force" } else { "not in force" };
        lines.push(format!("{}: {word}, in {}", tree.top.display(), tree.dir.display()));
        for (hook, wrong) in &tree.hooks {
            let after = tree.after.iter().any(|name| name == hook.name());
            let after = if after { ", then the one that was there" } else { "" };
            let state = wrong.as_deref().unwrap_or("in force");
            lines.push(format!("  {:<20} {state}{after}", hook.name()));
        }
        lines.extend(tree.more.iter().map(|line| format!("  {line}")));
    }
    for note in notes {
        let commit = note.commit.get(..9).unwrap_or(&note.commit);
        lines.push(format!("{} {commit} {}", note.at, note.text()));
    }
    lines.join("\n")
}
