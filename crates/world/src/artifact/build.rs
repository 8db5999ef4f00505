//! Builds the artifact of a commit, in a clean checkout: what is not committed is not in it.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use serde::Serialize;
use shipway_core::action::{Cmd, Cx, Ended, Fault, Output};
use shipway_core::deployment::Manifest;
use shipway_core::id::{Digest, RunId};
use shipway_core::problem::{Code, Problem};

use super::scan::{Selection, manifest};
use super::store::Store;
use crate::git::hand::{Hand, clean, tail};
use crate::git::repository::Repository;

/// What is built, and how.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct BuildSpec {
    /// The commit, by its object id.
    pub commit: String,
    /// The build command; nothing is run if empty.
    pub argv: Vec<String>,
    /// Variables for the command.
    pub env: BTreeMap<String, String>,
    /// Patterns of the files that belong to the artifact, relative to `root`; all if empty.
    pub include: Vec<String>,
    /// Patterns of those that do not.
    pub exclude: Vec<String>,
    /// The directory that becomes the top of the artifact, relative to the checkout; the checkout itself if empty.
    pub root: String,
}

impl BuildSpec {
    /// Returns the digest of everything besides the commit that decides what comes out.
    pub fn key(&self) -> Digest {
        Digest::of_json(&Self { commit: String::new(), ..self.clone() })
    }
}

/// Returns the artifact that was built like this before, if the store still has all of it.
pub fn find(store: &Store, spec: &BuildSpec) -> Option<(Digest, Manifest)> {
    let digest = store.artifact_of_commit(&spec.commit, &spec.key())?;
    let manifest = store.manifest(&digest).ok()?;
    store.has_artifact(&digest).then_some((digest, manifest))
}

/// Builds an artifact and takes it into the store; one that was built before is not built again.
///
/// Whatever goes wrong, nothing but the store and the step's scratch directory was written, and the latter is gone.
pub fn build(
    cx: &Cx<'_>,
    repository: &Repository,
    store: &Store,
    spec: &BuildSpec,
) -> Result<(Digest, Manifest), Fault> {
    if let Some(found) = find(store, spec) {
        return Ok(found);
    }
    let hand = Hand::new(cx, repository);
    // Git names its record of a work tree after the last part of the path, so that part must be ours alone.
    let tree = tree_of(repository, cx.run);
    let built = check_out(&hand, &tree, spec)
        .and_then(|()| run(cx, &tree, spec))
        .and_then(|()| take(&tree, store, spec).map_err(Fault::clean));
    discard(repository, &tree);
    let (digest, manifest) = built.map_err(clean)?;
    store.record_commit(&spec.commit, &spec.key(), &digest).map_err(Fault::clean)?;
    Ok((digest, manifest))
}

/// Clears away the checkout of a build that was cut off.
pub fn clear(repository: &Repository, run: &RunId) {
    discard(repository, &tree_of(repository, run));
}

fn tree_of(repository: &Repository, run: &RunId) -> PathBuf {
    repository.run_dir(run.as_str()).join(format!("shipway-build-{run}"))
}

fn check_out(hand: &Hand<'_>, tree: &Path, spec: &BuildSpec) -> Result<(), Fault> {
    discard(hand.repository, tree);
    hand.repository.make_run_dir(hand.cx.run.as_str())?;
    // The user's hooks are for the user's work trees.
    let add = hand.git().args(["-c", "core.hooksPath=/dev/null", "worktree", "add", "--quiet", "--detach"]);
    hand.expect(add.arg(tree).arg(&spec.commit)).map(|_| ())
}

fn run(cx: &Cx<'_>, tree: &Path, spec: &BuildSpec) -> Result<(), Fault> {
    if spec.argv.is_empty() {
        return Ok(());
    }
    let cmd = Cmd::default().args(&spec.argv).dir(tree).contain();
    let cmd = spec.env.iter().fold(cmd, |cmd, (name, value)| cmd.env(name, value));
    let output = cx.run(cmd).map_err(|fault| {
        let problem = Problem { code: Code::BuildFailed, ..fault.problem };
        let first = spec.argv.first().map_or("", String::as_str);
        Fault::clean(problem.hint(format!("is it installed? {first}")))
    })?;
    if output.ok() { Ok(()) } else { Err(Fault::clean(failed(cx, spec, &output))) }
}

fn failed(cx: &Cx<'_>, spec: &BuildSpec, output: &Output) -> Problem {
    let shown = spec.argv.join(" ");
    let problem = match output.ended {
        Ended::Exit(code) => {
            Problem::new(Code::BuildFailed, format!("`{shown}` ended with code {code} in a clean checkout"))
        }
        Ended::Signal(signal) => {
            Problem::new(Code::BuildFailed, format!("`{shown}` was ended by signal {signal}"))
        }
        Ended::TimedOut => Problem::new(Code::StepTimedOut, format!("`{shown}` took too long and was ended")),
        Ended::Stopped => {
            Problem::new(Code::Stopped, format!("`{shown}` was ended because a stop was asked for"))
        }
    };
    let text = format!("{}\n{}", output.text(), output.error_text());
    problem.details(tail(&text)).hint(format!("shipway log {} {}", cx.run, cx.step))
}

fn take(tree: &Path, store: &Store, spec: &BuildSpec) -> Result<(Digest, Manifest), Problem> {
    let root = root(tree, &spec.root)?;
    let selection = Selection { include: spec.include.clone(), exclude: spec.exclude.clone() };
    let manifest = manifest(&root, &selection)?;
    if manifest.files.is_empty() {
        let problem = Problem::new(Code::BuildFailed, "the build left no file that belongs to the artifact");
        return Err(problem.wanted(spec.include.join(", ")));
    }
    Ok((store.put_dir(&root, &manifest)?, manifest))
}

fn root(tree: &Path, root: &str) -> Result<PathBuf, Problem> {
    let dir = tree.join(root);
    let inside = fs::canonicalize(&dir).ok().zip(fs::canonicalize(tree).ok());
    match inside {
        Some((dir, tree)) if dir.is_dir() && dir.starts_with(&tree) => Ok(dir),
        Some(_) | None => {
            let problem = Problem::new(Code::BuildFailed, format!("the build left no directory `{root}`"));
            Err(problem.hint("see artifact.root in shipway.toml"))
        }
    }
}

/// Removes the checkout and git's record of it, as far as they are there.
fn discard(repository: &Repository, tree: &Path) {
    let _ = fs::remove_dir_all(tree);
    let records = repository.common_dir.join("worktrees");
    if let Some(name) = tree.file_name() {
        let _ = fs::remove_dir_all(records.join(name));
    }
    // Empty again, it is as it was before the first work tree.
    let _ = fs::remove_dir(records);
}
