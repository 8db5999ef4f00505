//! A call in a bare repository: what a hook began there is seen and driven to its end there.
//!
//! The configuration is that of the commit that the run brings, as it was when the run began. What goes on with a run
//! works as the hook did, in a checkout of that commit beside every work tree.

use std::path::Path;

use shipway_core::action::{Shell, Stop};
use shipway_core::config::Config;
use shipway_core::journal::{Event, Journal as _, RunHead};
use shipway_core::kinds::deploy as kind;
use shipway_core::plan::{Plan, Work};
use shipway_core::problem::Problem;
use shipway_world::facts::{self, Repository};
use shipway_world::store::SqliteJournal;
use shipway_world::trigger::{Checkout, Source};

use super::{is_open, of_journal, read};
use crate::args::{Command, Env};

/// Where a call works, how that is configured, and the checkout that was made for it.
type Place = (Repository, Config, Option<Checkout>);

/// What a command is about that serves in a bare repository.
struct Asked<'a> {
    /// A run or an environment, if one is named.
    name: Option<&'a str>,
    /// Whether it may go on with the run, which may take files.
    drives: bool,
}

/// Returns where a command works in a bare repository, if the directory is in one and the command serves there.
pub(super) fn place(
    command: &Command,
    dir: &Path,
    (shell, stop): (&dyn Shell, &Stop),
) -> Option<Result<Place, Vec<Problem>>> {
    let asked = asked(command)?;
    let repository = facts::bare_repository(dir)?;
    Some(open(&asked, repository, (shell, stop)))
}

fn asked(command: &Command) -> Option<Asked<'_>> {
    let (name, drives) = if let Command::Resume { run } | Command::Wait { run } = command {
        (run, true)
    } else if let Command::Rollback(rollback) = command {
        (&rollback.run, true)
    } else if let Command::Abort { run } = command {
        (run, false)
    } else if let Command::Approve(approve) = command {
        (&approve.run, false)
    } else if let Command::Log(log) = command {
        (&log.run, false)
    } else if let Command::Env { command: Env::Status(status) } = command {
        (&status.environment, false)
    } else if let Command::Status(_) | Command::Incident(_) = command {
        (&None, false)
    } else {
        return None;
    };
    Some(Asked { name: name.as_deref(), drives })
}

fn open(
    asked: &Asked<'_>,
    repository: Repository,
    (shell, stop): (&dyn Shell, &Stop),
) -> Result<Place, Vec<Problem>> {
    let one = |problem| vec![problem];
    let dir = repository.top.clone();
    let source = Source { dir: &dir, shell, stop };
    let Some(commit) = commit(asked, &repository, &source).map_err(one)? else {
        return Ok((repository, Config::default(), None));
    };
    let file = source.file(&commit, "shipway.toml").map_err(one)?;
    let config = file.map_or_else(|| Ok(Config::default()), read)?;
    if !asked.drives {
        return Ok((repository, config, None));
    }
    let checkout = source.check_out_aside(&commit).map_err(one)?;
    let repository = facts::repository(&checkout.tree, shell, stop).map_err(one)?;
    Ok((repository, config, Some(checkout)))
}

/// Returns the commit of the run that is asked about, else of the open one, else of the last one; without a run HEAD.
fn commit(
    asked: &Asked<'_>,
    repository: &Repository,
    source: &Source<'_>,
) -> Result<Option<String>, Problem> {
    let journal = SqliteJournal::open_read_only(&repository.state_dir()).map_err(of_journal)?;
    let heads = journal.runs().map_err(of_journal)?;
    let named = |head: &&RunHead| asked.name.is_some_and(|name| concerns(head, name));
    let open = || heads.iter().rev().find(|head| is_open(head));
    let found = heads.iter().rev().find(named).or_else(open).or(heads.last());
    let mut commits = found.and_then(plan).map(names).unwrap_or_default();
    commits.push("HEAD".into());
    Ok(commits.iter().find_map(|name| source.commit(name).ok()))
}

fn plan(head: &RunHead) -> Option<&Plan> {
    if let Event::Opened { plan, .. } = &head.opened.event { Some(plan) } else { None }
}

/// Tells whether a run has a name, or is on its way to an environment of that name.
fn concerns(head: &RunHead, name: &str) -> bool {
    let there = |plan: &Plan| plan.release.environment.as_deref() == Some(name);
    head.run.as_str().starts_with(name) || plan(head).is_some_and(there)
}

/// Returns what may name the commit that a plan brings, the surest first: what was built already is known by its
/// version only, which for a commit without one is what git calls it.
fn names(plan: &Plan) -> Vec<String> {
    let commit = |work: &Work| match work {
        Work::Act { kind, args, .. } if kind == kind::BUILD => {
            serde_json::from_value::<kind::Build>(args.clone()).ok()?.commit
        }
        Work::Act { .. } | Work::Gate(_) => None,
    };
    let built = plan.steps().find_map(|step| commit(&step.work));
    let tag = Some(&plan.release.tag).filter(|tag| !tag.is_empty()).map(|tag| format!("refs/tags/{tag}"));
    built.into_iter().chain(tag).chain([plan.release.to.clone()]).collect()
}
