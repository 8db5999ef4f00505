//! Validation: from what was seen of a repository to everything that stands in the way of a release, at once.

mod secret;
mod words;

#[cfg(test)]
mod tests;

use std::collections::BTreeMap;

use crate::facts::{Facts, Head, Operation, Permission, Relation, RemoteFacts, TagAt};
use crate::policy::looks_secret;
use crate::problem::{Code, Problem};

pub use words::quoted;
use words::{capped, glob, short};

/// What a release asks of a repository.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Wanted {
    /// The branches that releases are made from, where `*` stands for any characters; none means every branch.
    pub branches: Vec<String>,
    /// The remote that the configuration names.
    pub remote: Option<String>,
    /// Whether the release is made now. A mere plan can be made without the remote and beside an open run.
    pub now_pushing: bool,
}

/// Returns all problems of a repository, in the order of their codes; none means that a release can be planned.
pub fn validate(facts: &Facts, ask: &Wanted) -> Vec<Problem> {
    let found = [
        no_commits(facts),
        detached(facts, ask),
        shallow(facts),
        dirty(facts),
        secret::problem(facts),
        operation(facts),
        wrong_branch(facts, ask),
        no_remote(facts, ask),
        many_remotes(facts, ask),
        standing(facts),
        unseen(facts, ask),
        denied(facts, ask),
        facts.identity.as_ref().err().cloned(),
        signing(facts),
        open_run(facts, ask),
        elsewhere(facts),
    ];
    found.into_iter().flatten().collect()
}

/// Returns what is worth knowing and does not stand in the way, one fragment each.
pub fn notes(facts: &Facts) -> Vec<String> {
    let mut notes = Vec::new();
    let harmless: Vec<&str> =
        facts.untracked.iter().map(String::as_str).filter(|path| !looks_secret(path)).collect();
    if !harmless.is_empty() {
        notes.push(format!("untracked and left alone: {}", capped(&harmless).join(", ")));
    }
    if let Some(RemoteFacts { name, seen: Some(Err(problem)), .. }) = &facts.remote {
        notes.push(format!("{name} was not seen: {}", problem.what));
    }
    if let Some(run) = &facts.open_run {
        notes.push(format!("run {run} is still open"));
    }
    notes
}

/// Returns the problem of a branch without a commit.
pub fn no_commits(facts: &Facts) -> Option<Problem> {
    let Head::Unborn { branch } = &facts.head else { return None };
    let problem = Problem::new(Code::NoCommits, format!("branch {branch} has no commits yet"))
        .found("no commits")
        .wanted("at least one commit")
        .hint("git add --all")
        .hint("git commit -m 'feat: first version'");
    Some(problem)
}

fn detached(facts: &Facts, ask: &Wanted) -> Option<Problem> {
    let Head::Detached { commit } = &facts.head else { return None };
    // A rebase detaches HEAD by itself; its own problem says how to end it.
    if facts.operation.is_some_and(Operation::detaches) {
        return None;
    }
    let branch = plain_branch(ask).unwrap_or("main");
    let problem = Problem::new(Code::DetachedHead, format!("HEAD is detached at {}", short(commit)))
        .found("no branch")
        .wanted(format!("a branch, such as {branch}"))
        .hint(format!("git switch {}", quoted(branch)));
    Some(problem)
}

fn shallow(facts: &Facts) -> Option<Problem> {
    let problem = || {
        Problem::new(Code::ShallowClone, "the clone is shallow, so commits and tags may be missing")
            .found("history that is cut off")
            .wanted("the whole history")
            .hint("git fetch --unshallow --tags")
    };
    facts.shallow.then(problem)
}

fn dirty(facts: &Facts) -> Option<Problem> {
    let count = facts.changed.len();
    let problem = || {
        let noun = if count == 1 { "file differs" } else { "files differ" };
        Problem::new(Code::DirtyTree, format!("{count} tracked {noun} from HEAD"))
            .found("changes that are not committed")
            .wanted("a clean work tree and index")
            .details(capped(&facts.changed))
            .hint("git stash")
            .hint("git commit --all")
    };
    (count > 0).then(problem)
}

fn operation(facts: &Facts) -> Option<Problem> {
    let operation = facts.operation?;
    let word = operation.as_str();
    let problem = Problem::new(Code::OperationInProgress, format!("a {word} is in progress"))
        .found(format!("git {word}, begun and not ended"))
        .wanted("no operation in progress");
    Some(match operation {
        Operation::Bisect => problem.hint("git bisect reset"),
        Operation::Rebase | Operation::Am | Operation::Merge | Operation::CherryPick | Operation::Revert => {
            problem.hint(format!("git {word} --continue")).hint(format!("git {word} --abort"))
        }
    })
}

/// Returns the first wanted branch that is a name and not a pattern.
fn plain_branch(ask: &Wanted) -> Option<&str> {
    ask.branches.iter().map(String::as_str).find(|branch| !branch.contains('*'))
}

fn wrong_branch(facts: &Facts, ask: &Wanted) -> Option<Problem> {
    let branch = facts.head.branch()?;
    if ask.branches.is_empty() || ask.branches.iter().any(|pattern| glob(pattern, branch)) {
        return None;
    }
    let problem = Problem::new(Code::WrongBranch, format!("releases are not made from branch {branch}"))
        .found(branch)
        .wanted(ask.branches.join(", "));
    Some(match plain_branch(ask) {
        Some(other) => problem.hint(format!("git switch {}", quoted(other))),
        None => problem.hint(format!("[release] branches = [{branch:?}]")),
    })
}

fn no_remote(facts: &Facts, ask: &Wanted) -> Option<Problem> {
    let names: Vec<&String> = facts.remotes.keys().collect();
    match &ask.remote {
        Some(name) if !facts.remotes.contains_key(name) => {
            let hint = format!("git remote add {} ADDRESS", quoted(name));
            let found = if names.is_empty() { vec!["no remote".to_owned()] } else { capped(&names) };
            let problem = Problem::new(Code::NoRemote, format!("there is no remote {name}"))
                .found(found.join(", "))
                .wanted(format!("remote {name}"))
                .hint(hint);
            Some(problem)
        }
        None if names.is_empty() => {
            let problem = Problem::new(Code::NoRemote, "there is no remote to push to")
                .found("no remote")
                .wanted("a remote")
                .hint("git remote add origin ADDRESS");
            Some(problem)
        }
        Some(_) | None => None,
    }
}

fn many_remotes(facts: &Facts, ask: &Wanted) -> Option<Problem> {
    let branch = facts.head.branch()?;
    if facts.remote.is_some() || ask.remote.is_some() || facts.remotes.len() < 2 {
        return None;
    }
    let names: Vec<&String> = facts.remotes.keys().collect();
    let first = if facts.remotes.contains_key("origin") { "origin" } else { names[0].as_str() };
    let follow = format!("git branch --set-upstream-to {}", quoted(&format!("{first}/{branch}")));
    let problem = Problem::new(Code::ManyRemotes, "there are several remotes and none is chosen")
        .found(capped(&names).join(", "))
        .wanted("one remote")
        .hint(format!("[release] remote = {first:?}"))
        .hint(follow);
    Some(problem)
}

/// Judges how the branch stands to the remote: as seen now, else as last fetched.
fn standing(facts: &Facts) -> Option<Problem> {
    let (local, remote) = (facts.head.branch()?, facts.remote.as_ref()?);
    let seen = remote.seen.as_ref().and_then(|seen| seen.as_ref().ok());
    let relation = seen.map(|refs| refs.relation).or(remote.tracked)?;
    let there = format!("{}/{}", remote.name, remote.branch);
    let tip = seen.and_then(|refs| refs.tip.as_deref()).map_or(there.clone(), |tip| short(tip).to_owned());
    let found = format!("{local} at {}, {} at {tip}", short(facts.head.commit()), remote.name);
    let from = format!("{} {}", quoted(&remote.name), quoted(&remote.branch));
    let code = match relation {
        Relation::Behind => Code::BehindRemote,
        Relation::Diverged => Code::DivergedFromRemote,
        Relation::Same | Relation::Ahead | Relation::New => return None,
    };
    let problem = if code == Code::BehindRemote {
        Problem::new(code, format!("branch {local} is behind {there}"))
            .hint(format!("git pull --ff-only {from}"))
    } else {
        Problem::new(code, format!("branch {local} and {there} have diverged"))
            .hint(format!("git pull --rebase {from}"))
    };
    Some(problem.found(found).wanted(format!("{local} that has all of {there}")))
}

fn unseen(facts: &Facts, ask: &Wanted) -> Option<Problem> {
    let seen = facts.remote.as_ref()?.seen.as_ref()?;
    seen.as_ref().err().filter(|_| ask.now_pushing).cloned()
}

fn denied(facts: &Facts, ask: &Wanted) -> Option<Problem> {
    let remote = facts.remote.as_ref()?;
    match &remote.permission {
        // What already kept the remote from being seen need not be said twice.
        Permission::Denied(problem) => {
            let told = unseen(facts, ask).is_some_and(|told| told.code == problem.code);
            Some(problem.clone()).filter(|_| !told)
        }
        Permission::Allowed | Permission::Unknown => None,
    }
}

fn signing(facts: &Facts) -> Option<Problem> {
    facts.signing.tried.as_ref()?.as_ref().err().cloned()
}

fn open_run(facts: &Facts, ask: &Wanted) -> Option<Problem> {
    let run = facts.open_run.as_ref().filter(|_| ask.now_pushing)?;
    let problem = Problem::new(Code::OpenRun, format!("run {run} is still open"))
        .found(format!("run {run}"))
        .wanted("no open run")
        .hint("shipway resume")
        .hint("shipway rollback");
    Some(problem)
}

/// Judges the tags that look like versions: the same name must mean the same object here and on the remote.
fn elsewhere(facts: &Facts) -> Option<Problem> {
    let remote = facts.remote.as_ref()?;
    let Some(Ok(refs)) = &remote.seen else { return None };
    let moved: Vec<(&String, &TagAt, &TagAt)> = differing(&facts.tags, &refs.tags).collect();
    let (first, here, there) = *moved.first()?;
    let what = match moved.len() {
        1 => format!("tag {first} points elsewhere on {} than here", remote.name),
        count => format!("{count} tags point elsewhere on {} than here", remote.name),
    };
    let lines: Vec<String> = moved
        .iter()
        .map(|(name, here, there)| {
            format!("{name}: {} here, {} on {}", short(&here.object), short(&there.object), remote.name)
        })
        .collect();
    let refspecs: Vec<String> = moved
        .iter()
        .take(words::CAP)
        .map(|(name, ..)| quoted(&format!("+refs/tags/{name}:refs/tags/{name}")))
        .collect();
    let problem = Problem::new(Code::TagElsewhere, what)
        .found(format!("{} here, {} there", short(&here.object), short(&there.object)))
        .wanted("the same object in both places")
        .details(capped(&lines))
        .hint(format!("git fetch {} {}", quoted(&remote.name), refspecs.join(" ")));
    Some(problem)
}

fn differing<'a>(
    here: &'a BTreeMap<String, TagAt>,
    there: &'a BTreeMap<String, TagAt>,
) -> impl Iterator<Item = (&'a String, &'a TagAt, &'a TagAt)> {
    here.iter()
        .filter_map(|(name, at)| there.get(name).map(|other| (name, at, other)))
        .filter(|(name, at, other)| at.object != other.object && words::version_like(name))
}
