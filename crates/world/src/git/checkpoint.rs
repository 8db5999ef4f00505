//! Checkpoints of the journal on a remote: a ref for each journal, under which a list of them only grows.

use std::time::Duration;

use shipway_core::anchor::{REFS, Seal, TRAILER};
use shipway_core::change::EVENTS;
use shipway_core::problem::{Code, Problem};

use super::cmd::remote_git;
use super::repository::Repository;
use crate::guard::publish::GUARD;
use crate::hooks::staged::InHook;
use crate::records;

/// Nobody waits for an anchor as long as for a release.
const PATIENCE: Duration = Duration::from_secs(30);

/// Returns a commit that appends a checkpoint to those that this clone knows; no ref is moved.
pub(crate) fn append(git: &InHook<'_>, seal: &Seal) -> Result<String, Problem> {
    let before = records::tip(git, &kept(seal))?;
    let tree = git.expect(&git.git().arg("mktree").stdin(""))?.text();
    let message = format!("checkpoint\n\n{TRAILER}: {seal}");
    let parents: Vec<&str> = before.iter().map(String::as_str).collect();
    records::commit(git, (&tree, &message), &parents, seal.checkpoint.at)
}

/// Returns what is pushed to a guard, which appends the commit to the list itself.
pub(crate) fn to_guard(commit: &str, seal: &Seal) -> String {
    format!("{commit}:{EVENTS}/checkpoints/{}", seal.checkpoint.origin)
}

/// Brings a checkpoint to a remote, behind those that are there. Nothing else there is changed.
pub fn bring(git: &InHook<'_>, repository: &Repository, remote: &str, seal: &Seal) -> Result<(), Problem> {
    let failed = |problem: Problem| {
        let what = format!("{remote} has no checkpoint of what the journal holds now");
        Problem::new(Code::Unanchored, what)
            .details(problem.details)
            .hint("the next command that writes to the journal tries again")
            .hint(format!("what is there: shipway log --verify --remote {remote}"))
    };
    let kept = kept(seal);
    let ask = |args: &[&str]| {
        let cmd = remote_git(&repository.top, &repository.reach).args(args).timeout(PATIENCE);
        git.expect(&cmd).map_err(failed)
    };
    let there = ask(&["ls-remote", "--refs", "--end-of-options", remote, GUARD, &kept])?.text();
    let at = |name: &str| there.lines().find_map(|line| line.strip_suffix(name)?.strip_suffix('\t'));
    // What this clone knows may be older, when the remote was changed, or its refs were copied from elsewhere.
    let known = records::tip(git, &kept)?;
    match at(&kept) {
        Some(tip) if known.as_deref() != Some(tip) => {
            let spec = format!("+{kept}:{kept}");
            let quiet = ["fetch", "--quiet", "--no-tags", "--no-write-fetch-head"];
            ask(&[&quiet[..], &["--end-of-options", remote, &spec]].concat())?;
        }
        None if known.is_some() => drop(git.expect(&git.git().args(["update-ref", "-d", &kept]))?),
        Some(_) | None => {}
    }
    let commit = append(git, seal)?;
    let spec = if at(GUARD).is_some() { to_guard(&commit, seal) } else { format!("{commit}:{kept}") };
    ask(&["push", "--quiet", "--no-verify", "--end-of-options", remote, &spec])?;
    git.expect(&git.git().args(["update-ref", "-m", "checkpoint", &kept, &commit])).map(drop)
}

fn kept(seal: &Seal) -> String {
    format!("{REFS}/{}", seal.checkpoint.origin)
}
