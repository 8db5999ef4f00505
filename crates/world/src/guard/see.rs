//! What a push would do, seen through a handful of git processes, however many commits it has. Objects that are still in
//! quarantine are seen because git's variables are handed on. Replacements, mail maps and attributes have no say: all
//! of it is plumbing on object ids.

mod object;
mod replay;

use std::collections::{BTreeMap, BTreeSet};

use shipway_core::policy::{Commit, FileChange, ObjectKind, Policy, Pushed, Update, UpdateKind};
use shipway_core::problem::{Code, Problem};
use shipway_core::signers::Signers;
use shipway_core::time::Time;

use super::kept;
use crate::hooks::staged::{InHook, raw};

pub use replay::{is_replay, merged};

/// How many commits one push may bring.
const MOST: usize = 200_000;

/// A ref of the repository.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Ref {
    /// The full name.
    pub name: Vec<u8>,
    /// What it names.
    pub id: String,
    /// What it stands for, if it is a symbolic one.
    pub target: Option<Vec<u8>>,
}

/// What is to be looked at besides what always is.
#[derive(Clone, Copy, Debug)]
pub struct Wanted<'a> {
    /// What says which branches are protected.
    pub policy: &'a Policy,
    /// Keys, where signatures of commits and tags matter, and the time of the look.
    pub signatures: Option<(&'a Signers, Time)>,
    /// Whether merges are made again, to be compared.
    pub replay: bool,
}

/// Returns all refs.
pub fn refs(git: &InHook<'_>) -> Result<Vec<Ref>, Problem> {
    let format = "--format=%(objectname)%00%(symref)%00%(refname)%00";
    let output = git.expect(&git.git().args(["for-each-ref", format]))?;
    let mut parts = output.stdout.split(|byte| *byte == 0);
    let mut refs = vec![];
    while let (Some(id), Some(target), Some(name)) = (parts.next(), parts.next(), parts.next()) {
        let id = String::from_utf8_lossy(id).trim().to_owned();
        let target = (!target.is_empty()).then(|| target.to_vec());
        refs.push(Ref { name: name.to_vec(), id, target });
    }
    Ok(refs)
}

/// Returns what some lines would do in a repository with some refs. `against` says what a ref is compared with that is
/// none of its own, such as the target of a change request.
pub fn updates(
    git: &InHook<'_>,
    lines: &[Pushed],
    refs: &[Ref],
    against: &dyn Fn(&[u8]) -> Option<Vec<u8>>,
    wanted: Wanted<'_>,
) -> Result<Vec<Update>, Problem> {
    let kinds = kinds(git, lines)?;
    let known: BTreeMap<&[u8], &Ref> = refs.iter().map(|found| (found.name.as_slice(), found)).collect();
    let mut updates = vec![];
    for line in lines {
        let found = known.get(line.name.as_slice());
        let target = found.and_then(|found| found.target.clone());
        let current = found.map(|found| found.id.clone()).unwrap_or_default();
        let mut update = Update {
            name: line.name.clone(),
            target,
            old: some(&line.old),
            new: some(&line.new),
            current,
            ..Update::default()
        };
        update.object = kinds.get(line.new.as_str()).copied().unwrap_or(ObjectKind::Other);
        let base =
            against(&line.name).and_then(|name| known.get(name.as_slice()).map(|found| found.id.clone()));
        fill(git, &mut update, base.as_deref(), (lines, refs), wanted)?;
        updates.push(update);
    }
    Ok(updates)
}

fn some(id: &str) -> String {
    if is_none(id) { String::new() } else { id.to_owned() }
}

/// Tells whether an object id stands for nothing.
pub(super) fn is_none(id: &str) -> bool {
    id.bytes().all(|byte| byte == b'0')
}

/// Returns what the new objects are.
fn kinds<'a>(git: &InHook<'_>, lines: &'a [Pushed]) -> Result<BTreeMap<&'a str, ObjectKind>, Problem> {
    let ids: Vec<&str> =
        lines.iter().map(|line| line.new.as_str()).filter(|id| !some(id).is_empty()).collect();
    if ids.is_empty() {
        return Ok(BTreeMap::new());
    }
    let cmd = git.git().args(["cat-file", "--batch-check=%(objecttype)"]).stdin(ids.join("\n") + "\n");
    let text = git.expect(&cmd)?.text();
    let kind = |word: &str| match word {
        "commit" => ObjectKind::Commit,
        "tag" => ObjectKind::Tag,
        _ => ObjectKind::Other,
    };
    Ok(ids.into_iter().zip(text.lines().map(kind)).collect())
}

fn fill(
    git: &InHook<'_>,
    update: &mut Update,
    base: Option<&str>,
    (lines, refs): (&[Pushed], &[Ref]),
    wanted: Wanted<'_>,
) -> Result<(), Problem> {
    update.kind = match (update.current.is_empty(), update.new.is_empty()) {
        (_, true) => UpdateKind::Delete,
        (true, false) => UpdateKind::Create,
        (false, false) => UpdateKind::Forward,
    };
    if update.new.is_empty() {
        return Ok(());
    }
    if update.name.starts_with(b"refs/tags/") {
        return tag(git, update, (lines, refs), wanted);
    }
    if update.object != ObjectKind::Commit {
        return Ok(());
    }
    if update.kind == UpdateKind::Forward && !is_ahead(git, &update.current, &update.new)? {
        update.kind = UpdateKind::Rewind;
    }
    // A change request and a new branch are compared with what is there; a branch with what it was, and never with
    // what other branches have: that would let commits slip in over an unprotected one.
    let without: Vec<&str> = match (update.current.as_str(), base) {
        ("", Some(base)) => vec![base],
        ("", None) if begins_judged(wanted.policy, &update.name) => landed(wanted.policy, &[], refs),
        ("", None) => heads(refs),
        (current, _) => vec![current],
    };
    update.commits = commits(git, &update.new, &without, wanted)?;
    let there = landed(wanted.policy, &[], refs);
    mark_landed(&mut update.commits, &there);
    update.on_protected = there.is_empty() || update.commits.iter().all(|commit| commit.landed);
    if let Some(from) =
        [update.current.as_str(), base.unwrap_or_default()].into_iter().find(|id| !id.is_empty())
    {
        update.total = git.changes(Some(from), &update.new)?;
        git.sizes(&mut update.total)?;
    }
    Ok(())
}

/// Tells whether all of a branch that begins is judged anew, but for what has landed: other branches vouch neither for
/// one that is protected, nor for signatures.
fn begins_judged(policy: &Policy, name: &[u8]) -> bool {
    let branch = name.strip_prefix(b"refs/heads/").unwrap_or_default();
    policy.classes_of(branch).iter().any(|(_, class)| class.protected || class.signed)
}

fn heads(refs: &[Ref]) -> Vec<&str> {
    refs.iter()
        .filter(|found| found.name.starts_with(b"refs/heads/"))
        .map(|found| found.id.as_str())
        .collect()
}

/// Returns what the protected branches are at, and what this push brings them to: a release brings its commit and its tag
/// at once, and both are refused if one of them is.
fn landed<'a>(policy: &Policy, lines: &'a [Pushed], refs: &'a [Ref]) -> Vec<&'a str> {
    let is_protected =
        |name: &[u8]| name.strip_prefix(b"refs/heads/").is_some_and(|branch| policy.is_protected(branch));
    let there = refs.iter().filter(|found| is_protected(&found.name)).map(|found| found.id.as_str());
    let moved = lines.iter().filter(|line| is_protected(&line.name) && !is_none(&line.new));
    there.chain(moved.map(|line| line.new.as_str())).collect()
}

/// Marks the commits that protected branches have already, as a back-merge brings them. `commits` has children first.
fn mark_landed(commits: &mut [Commit], heads: &[&str]) {
    let mut known: BTreeSet<String> = heads.iter().map(|id| (*id).to_owned()).collect();
    for commit in commits {
        commit.landed = known.contains(&commit.id);
        if commit.landed {
            known.extend(commit.parents.iter().cloned());
        }
    }
}

fn tag(
    git: &InHook<'_>,
    update: &mut Update,
    (lines, refs): (&[Pushed], &[Ref]),
    wanted: Wanted<'_>,
) -> Result<(), Problem> {
    let peeled = git.run(&git.git().args([
        "rev-parse",
        "--verify",
        "--quiet",
        &format!("{}^{{commit}}", update.new),
    ]))?;
    if !peeled.ok() {
        update.object = ObjectKind::Other;
        return Ok(());
    }
    let heads = landed(wanted.policy, lines, refs);
    // A commit that a branch has leaves nothing of `commit --not branches`.
    let mut ask = vec!["rev-list".to_owned(), "--max-count=1".into(), peeled.text(), "--not".into()];
    ask.extend(heads.iter().map(|id| (*id).to_owned()));
    update.on_protected = !heads.is_empty() && git.expect(&git.git().args(ask))?.stdout.is_empty();
    if !update.on_protected {
        // What a branch has, or gets by this push, is judged there; and what another tag has was.
        let tags =
            refs.iter().filter(|found| found.name.starts_with(b"refs/tags/") && found.name != update.name);
        let pushed = lines.iter().filter(|line| line.name.starts_with(b"refs/heads/") && !is_none(&line.new));
        let without: Vec<&str> = [self::heads(refs), tags.map(|found| found.id.as_str()).collect()]
            .concat()
            .into_iter()
            .chain(pushed.map(|line| line.new.as_str()))
            .collect();
        update.commits = commits(git, &peeled.text(), &without, Wanted { replay: false, ..wanted })?;
    }
    if let (ObjectKind::Tag, Some((signers, at))) = (update.object, wanted.signatures) {
        let raw = git.contents(&[&update.new])?.pop().unwrap_or_default();
        update.signature = Some(object::signature_of_tag(&raw, &update.name, signers, at));
    }
    Ok(())
}

/// Tells whether a commit has another among its ancestors.
pub fn is_ahead(git: &InHook<'_>, old: &str, new: &str) -> Result<bool, Problem> {
    Ok(git.run(&git.git().args(["merge-base", "--is-ancestor", old, new]))?.ok())
}

/// Returns the commits of a range, the newest first.
fn commits(
    git: &InHook<'_>,
    new: &str,
    without: &[&str],
    wanted: Wanted<'_>,
) -> Result<Vec<Commit>, Problem> {
    let mut ask = format!("{new}\n");
    for id in without {
        ask.push_str(&format!("^{id}\n"));
    }
    let most = format!("--max-count={}", MOST + 1);
    let listed =
        git.expect(&git.git().args(["rev-list", "--topo-order", &most, "--stdin"]).stdin(ask))?.text();
    let ids: Vec<&str> = listed.lines().collect();
    if ids.len() > MOST {
        let what = format!("a push of more than {MOST} commits is not judged");
        return Err(Problem::new(Code::GuardFailed, what).hint("push the history in parts"));
    }
    let mut commits: Vec<Commit> = ids
        .iter()
        .zip(git.contents(&ids)?)
        .map(|(id, raw)| object::commit(id, &raw, wanted.signatures))
        .collect();
    files(git, &ids, &mut commits, wanted)?;
    if wanted.replay {
        for commit in &mut commits {
            if let [one, other] = &commit.parents[..] {
                commit.clean_merge = merged(git, one, other)?.map(|tree| tree == commit.tree);
            }
        }
    }
    Ok(commits)
}

/// Fills in the files that each commit changes against each of its parents, their sizes, and what in them looks like
/// secrets: what a later commit takes away again stays in the history.
fn files(git: &InHook<'_>, ids: &[&str], commits: &mut [Commit], wanted: Wanted<'_>) -> Result<(), Problem> {
    if ids.is_empty() {
        return Ok(());
    }
    let args = ["diff-tree", "--stdin", "-r", "-m", "-z", "--root", "--raw", "--no-renames", "--no-abbrev"];
    let output = git.expect(&git.git().args(args).stdin(ids.join("\n") + "\n"))?;
    let at: BTreeMap<&str, usize> = ids.iter().enumerate().map(|(at, id)| (*id, at)).collect();
    let mut found: Vec<Vec<FileChange>> = vec![vec![]; ids.len()];
    let mut now = 0;
    let mut rest = &output.stdout[..];
    while let Some(end) = rest.iter().position(|byte| *byte == 0) {
        let head = &rest[..end];
        if head.starts_with(b":") {
            let path =
                rest[end + 1..].iter().position(|byte| *byte == 0).map_or(rest.len(), |path| end + 1 + path);
            found[now].extend(raw(&rest[..path]));
            rest = rest.get(path + 1..).unwrap_or_default();
        } else {
            let id = String::from_utf8_lossy(head);
            let id = id.split_whitespace().next().unwrap_or_default();
            now = at.get(id).copied().unwrap_or(now);
            rest = &rest[end + 1..];
        }
    }
    let mut all: Vec<FileChange> = found.iter().flatten().cloned().collect();
    git.sizes(&mut all)?;
    if wanted.policy.files.secrets {
        git.search(&mut all)?;
    }
    if wanted.policy.files.lfs {
        kept::look(git, &mut all)?;
    }
    let mut sized = all.into_iter();
    for (commit, files) in commits.iter_mut().zip(&found) {
        commit.files = sized.by_ref().take(files.len()).collect();
    }
    Ok(())
}
