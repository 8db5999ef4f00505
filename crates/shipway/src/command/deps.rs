//! `deps verify`: declared dependencies against installed ones, here or on the hosts of an environment.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use shipway_core::deployment::Host;
use shipway_core::deps::{self, Place, compare, quote};
use shipway_core::preflight::{Require, Seen, State, Want};
use shipway_core::problem::{Code, Problem};
use shipway_world::deps::{Found, find};
use shipway_world::preflight;
use shipway_world::shell::LocalShell;

use super::env::{self, Asked, Eyes};
use super::{DONE, End};
use crate::args::{Args, DepsVerify, Environment};
use crate::session::Session;
use crate::view::View;
use crate::view::dependencies::{self as view, Report, Trouble};

/// Compares, here or on the hosts of an environment.
pub fn run(args: &Args, environment: &Environment, verify: &DepsVerify, view: &Arc<dyn View>) -> End {
    if let Some(name) = &verify.env {
        let session = Session::open(args, environment, Arc::clone(view))?;
        return env::with_hosts(&session, Some(name), &mut |asked, eyes| {
            let report = of_hosts(asked, &session.repository.top, verify, eyes);
            end(&report.map_err(|problem| vec![problem])?, view.as_ref())
        });
    }
    let dir = args.directory.clone().unwrap_or_else(|| PathBuf::from("."));
    let report = here(&dir, environment, verify).map_err(|problem| vec![problem])?;
    end(&report, view.as_ref())
}

fn end(report: &Report, view: &dyn View) -> End {
    if report.places.is_empty() {
        let problem = Problem::new(Code::NothingDeclared, "no declared dependencies were found");
        return Err(vec![problem.wanted("requirements.txt, pyproject.toml, a lock file or package.json")]);
    }
    view.dependencies(report);
    if report.is_met() {
        return Ok(DONE);
    }
    Err(vec![Problem::new(Code::DependenciesDiffer, "installed packages are not as declared")])
}

/// Compares what a directory declares with what is installed on this machine.
fn here(dir: &Path, environment: &Environment, verify: &DepsVerify) -> Result<Report, Problem> {
    let switches = shipway_world::stop::signals()
        .map_err(|error| Problem::new(Code::Io, format!("signals cannot be heard: {error}")))?;
    let own = [".venv", "venv"].iter().any(|name| dir.join(name).join("pyvenv.cfg").is_file());
    // One that the shell has activated counts where the directory has none.
    let active = environment.get("VIRTUAL_ENV").filter(|venv| !own && !venv.is_empty());
    let mut found = find(dir, verify.venv.as_deref().or(active));
    found.extend(lists(&verify.cargo, &verify.debian, "the command line"));
    let shell = LocalShell::new();
    let seen = preflight::look(&wants(&found), &shell, &switches.look);
    let places = found.iter().zip(&seen).map(|(found, seen)| place("", found, seen)).collect();
    Ok(Report { environment: None, places })
}

/// Compares what a repository and an environment declare with what is installed on each host.
fn of_hosts(asked: &Asked, top: &Path, verify: &DepsVerify, eyes: Eyes<'_>) -> Result<Report, Problem> {
    let mut places = vec![];
    for (host, require) in &asked.hosts {
        let mut found = on_host(host, require, top);
        found.extend(lists(&verify.cargo, &verify.debian, "the command line"));
        if found.is_empty() {
            continue;
        }
        let mut seen = (eyes.look)(host, &wants(&found))?;
        seen.resize(found.len(), Seen::Unknown);
        places.extend(found.iter().zip(&seen).map(|(found, seen)| place(&host.name, found, seen)));
    }
    Ok(Report { environment: Some(asked.environment.clone()), places })
}

/// Returns what is declared for a host: the files of the repository, and the lists of its environment.
fn on_host(host: &Host, require: &Require, top: &Path) -> Vec<Found> {
    let mut found = vec![];
    for mut one in find(top, require.venv.as_deref()) {
        match &mut one.place {
            // Without its directory nobody knows which Python is meant.
            Place::Pip { .. } if require.venv.is_none() => continue,
            Place::Npm { dir, .. } => *dir = format!("{}/current", host.path),
            Place::Pip { .. } | Place::Cargo { .. } | Place::Debian { .. } | Place::Unknown => {}
        }
        found.push(one);
    }
    found.extend(lists(&require.cargo, &require.debian, "shipway.toml"));
    found
}

fn lists(cargo: &[String], debian: &[String], source: &str) -> Vec<Found> {
    let mut found = vec![];
    if !cargo.is_empty() {
        let declaration = deps::cargo(source, cargo);
        found.push(Found { declaration, place: Place::Cargo { root: String::new() } });
    }
    if !debian.is_empty() {
        let declaration = deps::debian(source, debian);
        let names = declaration.packages.iter().map(|one| one.name.clone()).collect();
        found.push(Found { declaration, place: Place::Debian { names } });
    }
    found
}

fn wants(found: &[Found]) -> Vec<Want> {
    let want =
        |one: &Found| Want::Packages { place: one.place.clone(), declaration: one.declaration.clone() };
    found.iter().map(want).collect()
}

fn place(host: &str, found: &Found, seen: &Seen) -> view::Place {
    let (trouble, rows) = match seen {
        Seen::Packages(inventory) => (None, compare(&found.declaration, inventory, &found.place)),
        Seen::Missing { what } => (Some(bad(what, make(found, ""))), vec![]),
        // What is there in its place has to go.
        Seen::Broken { why } => (Some(bad(why, make(found, "--clear "))), vec![]),
        Seen::Failed { why } => (Some(bad(why, None)), vec![]),
        other => (Some(bad(&format!("an answer to something else: {other:?}"), None)), vec![]),
    };
    view::Place {
        host: host.to_owned(),
        manager: found.place.kind(),
        source: found.declaration.source.clone(),
        place: name(&found.place),
        trouble,
        rows,
    }
}

fn bad(what: &str, fix: Option<String>) -> Trouble {
    Trouble { state: State::Bad, what: what.to_owned(), fix }
}

fn name(place: &Place) -> String {
    match place {
        Place::Pip { venv } => venv.clone(),
        Place::Npm { dir, .. } => format!("{}/node_modules", dir.trim_end_matches('/')),
        Place::Cargo { root } if root.is_empty() => "~/.cargo".into(),
        Place::Cargo { root } => root.clone(),
        Place::Debian { .. } => "the system".into(),
        Place::Unknown => "an unknown place".into(),
    }
}

/// Returns the command that makes a virtual environment with all that is declared.
fn make(found: &Found, clear: &str) -> Option<String> {
    let Place::Pip { venv } = &found.place else { return None };
    let (venv, source) = (quote(venv), quote(&found.declaration.source));
    Some(match found.declaration.source.as_str() {
        "uv.lock" => "uv sync".into(),
        "poetry.lock" => "poetry install".into(),
        "pyproject.toml" => format!("python3 -m venv {clear}{venv} && {venv}/bin/pip install ."),
        _ => format!("python3 -m venv {clear}{venv} && {venv}/bin/pip install -r {source}"),
    })
}

#[cfg(test)]
mod tests;
