//! Facts: looks at a repository and its remote before a plan is made.
//!
//! Looking changes no ref, no file and no index. Only a trial signature and a fetch leave something: objects that nothing
//! refers to. Judging what was seen is `shipway_core::validate`.

pub mod anchors;
mod ask;
mod glance;
mod history;
mod refs;
mod remote;
mod repository;
mod settings;
mod signing;
mod status;
mod tree;

use std::panic::resume_unwind;
use std::thread::{self, ScopedJoinHandle};

use shipway_core::action::{Shell, Stop};
use shipway_core::facts::{Facts, RemoteFacts, Signing};
use shipway_core::id::RunId;
use shipway_core::problem::Problem;

pub use ask::{Git, too_old};
pub use glance::Glance;
pub use history::{commits, line};
pub use repository::{Repository, bare_repository, repository};
pub use tree::Tree;

use refs::Refs;
use settings::Settings;
use status::Status;

/// When to make a throw-away signature.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum TrySigning {
    /// Not at all.
    #[default]
    Never,
    /// If git is configured to sign.
    AsConfigured,
    /// Whatever git is configured to do, because the release must be signed.
    Always,
}

/// How far to look.
#[derive(Clone, Debug, Default)]
pub struct Look {
    /// The remote that the configuration names.
    pub remote: Option<String>,
    /// Whether to ask the remote for its refs.
    pub network: bool,
    /// Whether to try a push that changes nothing.
    pub try_push: bool,
    /// Whether to make a throw-away signature.
    pub try_signing: TrySigning,
    /// The run that is not closed yet.
    pub open_run: Option<RunId>,
}

/// Looks at a repository and returns what was seen.
///
/// What is wrong with the remote, the identity or the signing key is part of the facts; only what keeps git itself from
/// answering is returned as problems.
pub fn gather(repo: &Repository, ask: &Look, shell: &dyn Shell, stop: &Stop) -> Result<Facts, Vec<Problem>> {
    let git = Git::new(repo, shell, stop);
    let here = Here::see(git, ask)?;
    let (remote, signing) = thread::scope(|scope| {
        let remote = scope.spawn(|| remote::look(git, &here, ask));
        let signing = signing::look(git, &here, ask);
        (joined(remote), signing)
    });
    let problems: Vec<Problem> =
        [remote.as_ref().err(), signing.as_ref().err()].into_iter().flatten().cloned().collect();
    match (remote, signing) {
        (Ok(remote), Ok(signing)) => Ok(here.facts(repo, ask, remote, signing)),
        (Err(_), _) | (_, Err(_)) => Err(problems),
    }
}

/// What can be seen without the remote.
struct Here {
    status: Status,
    refs: Refs,
    settings: Settings,
    identity: Result<String, Problem>,
    tree: String,
}

impl Here {
    /// Asks git in several processes at once, because each of them spends most of its time in starting.
    fn see(git: Git<'_>, ask: &Look) -> Result<Self, Vec<Problem>> {
        let (status, refs, tree, settings) = thread::scope(|scope| {
            let status = scope.spawn(|| status::look(git, !ask.network));
            let refs = scope.spawn(|| refs::look(git));
            let tree = scope.spawn(|| git.run(&["rev-parse", "--quiet", "--verify", "HEAD^{tree}"]));
            let settings = settings::look(git).and_then(|settings| {
                let identity = signing::identity(git, &settings)?;
                Ok((settings, identity))
            });
            (joined(status), joined(refs), joined(tree), settings)
        });
        let mut problems: Vec<Problem> = Vec::new();
        let mut note = |problem: Option<&Problem>| {
            if let Some(problem) = problem.filter(|problem| !problems.contains(problem)) {
                problems.push(problem.clone());
            }
        };
        note(status.as_ref().err());
        note(refs.as_ref().err());
        note(tree.as_ref().err());
        note(settings.as_ref().err());
        match (status, refs, tree, settings) {
            (Ok(status), Ok(refs), Ok(tree), Ok((settings, identity))) => {
                Ok(Self { status, refs, settings, identity, tree: tree.text() })
            }
            _ => Err(problems),
        }
    }

    fn facts(self, repo: &Repository, ask: &Look, remote: Option<RemoteFacts>, signing: Signing) -> Facts {
        let branch = self.status.head.branch().unwrap_or_default();
        Facts {
            directory: repo.directory(),
            shallow: repo.is_shallow(),
            operation: repo.operation(),
            remotes: self.settings.remotes(),
            upstream: self.settings.upstream(branch),
            head: self.status.head,
            tree: self.tree,
            changed: self.status.changed,
            untracked: self.status.untracked,
            remote,
            tags: self.refs.tags,
            identity: self.identity,
            signing,
            open_run: ask.open_run.clone(),
        }
    }
}

fn joined<T>(thread: ScopedJoinHandle<'_, T>) -> T {
    thread.join().unwrap_or_else(|panic| resume_unwind(panic))
}

/// Returns bytes of git as text to show: what is not UTF-8 and what a terminal would obey becomes U+FFFD.
fn shown(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).chars().map(|c| if c.is_control() { '\u{fffd}' } else { c }).collect()
}
