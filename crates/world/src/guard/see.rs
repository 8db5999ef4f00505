//! What a push would do, seen through a handful of git processes, however many commits it has. Objects that are still in
//! quarantine are seen because git's variables are handed on. Replacements, mail maps and attributes have no say: all
//! of it is plumbing on object ids.

use std::collections::{BTreeMap, BTreeSet};

use shipway_core::policy::{Commit, FileChange, ObjectKind, Policy, Pushed, Signature, Update, UpdateKind};
use shipway_core::problem::{Code, Problem};
use shipway_core::signers::Signers;
use shipway_core::time::Time;
use shipway_core::version::excerpt;

use super::kept;
use crate::hooks::staged::{InHook, raw};
use crate::keys;

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
        update.signature = Some(signature_of_tag(&raw, &update.name, signers, at));
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
    let mut commits: Vec<Commit> =
        ids.iter().zip(git.contents(&ids)?).map(|(id, raw)| commit(id, &raw, wanted.signatures)).collect();
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

/// Returns the tree that merging two commits gives, unless they conflict.
pub fn merged(git: &InHook<'_>, one: &str, other: &str) -> Result<Option<String>, Problem> {
    let output = git.run(&git.git().args(["merge-tree", "--write-tree", "--no-messages", one, other]))?;
    Ok(output.ok().then(|| output.text().lines().next().unwrap_or_default().to_owned()))
}

/// How many commits of a change are made again to be compared.
const REPLAYED: usize = 500;

/// Tells whether some commits are what putting older ones onto another base gives, one by one: the same messages and
/// authors, and the trees of merging. What no older version had in any commit is in none of them.
pub fn is_replay(
    git: &InHook<'_>,
    (old_base, old): (&str, &str),
    (base, new): (&str, &str),
) -> Result<bool, Problem> {
    let (Some(olds), Some(news)) = (chain(git, old_base, old)?, chain(git, base, new)?) else {
        return Ok(false);
    };
    if olds.len() != news.len() {
        return Ok(false);
    }
    let (mut before, mut onto) = (old_base, base);
    for (old, new) in olds.iter().zip(&news) {
        if (&old.message, &old.author) != (&new.message, &new.author) {
            return Ok(false);
        }
        let from = format!("--merge-base={before}");
        let args = ["merge-tree", "--write-tree", "--no-messages", &from, onto, &old.id];
        let merged = git.run(&git.git().args(args))?;
        if !merged.ok() || merged.text().lines().next() != Some(new.tree.as_str()) {
            return Ok(false);
        }
        (before, onto) = (&old.id, &new.id);
    }
    Ok(true)
}

/// Returns the commits on top of a base, the oldest first, if each has the one before it as its only parent.
fn chain(git: &InHook<'_>, base: &str, head: &str) -> Result<Option<Vec<Commit>>, Problem> {
    let most = format!("--max-count={}", REPLAYED + 1);
    let range = format!("{base}..{head}");
    let args = ["rev-list", "--topo-order", &most, "--end-of-options", &range];
    let listed = git.expect(&git.git().args(args))?.text();
    let ids: Vec<&str> = listed.lines().rev().collect();
    if ids.len() > REPLAYED {
        return Ok(None);
    }
    let raws = git.contents(&ids)?;
    let read = |(id, raw): (&&str, Vec<u8>)| commit(id, &raw, None);
    let commits: Vec<Commit> = ids.iter().zip(raws).map(read).collect();
    let mut before = base;
    let is_chain = commits.iter().all(|commit| {
        let follows = commit.parents == [before];
        before = &commit.id;
        follows
    });
    Ok(is_chain.then_some(commits))
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

/// Reads a commit as it is stored (git's object format).
fn commit(id: &str, raw: &[u8], signatures: Option<(&Signers, Time)>) -> Commit {
    let (head, message) = halves(raw);
    let mut commit = Commit { id: id.to_owned(), message: message.to_vec(), ..Commit::default() };
    for line in head.split(|byte| *byte == b'\n') {
        let word = |prefix: &str| line.strip_prefix(prefix.as_bytes());
        let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
        if let Some(tree) = word("tree ") {
            commit.tree = text(tree);
        } else if let Some(parent) = word("parent ") {
            commit.parents.push(text(parent));
        } else if let Some(author) = word("author ") {
            commit.author = address(author);
        } else if let Some(committer) = word("committer ") {
            commit.committer = address(committer);
        }
    }
    commit.signature = signatures.map(|(signers, at)| signature_of_commit(raw, signers, at));
    commit
}

fn halves(raw: &[u8]) -> (&[u8], &[u8]) {
    let gap = raw.windows(2).position(|two| two == b"\n\n");
    gap.map_or((raw, &[][..]), |at| (&raw[..at], &raw[at + 2..]))
}

/// Returns the address of `Name <address> time zone`.
fn address(line: &[u8]) -> Vec<u8> {
    let from = line.iter().rposition(|byte| *byte == b'<').map_or(0, |at| at + 1);
    let to = line.iter().rposition(|byte| *byte == b'>').unwrap_or(line.len());
    line.get(from..to).unwrap_or_default().to_ascii_lowercase()
}

/// What a commit's signature is over is the commit without the header that holds it.
fn signature_of_commit(raw: &[u8], signers: &Signers, at: Time) -> Signature {
    let (head, _) = halves(raw);
    let (mut signed, mut signature, mut inside) = (vec![], String::new(), false);
    for line in head.split(|byte| *byte == b'\n') {
        inside = match line {
            [b' ', more @ ..] if inside => {
                signature.push('\n');
                signature.push_str(&String::from_utf8_lossy(more));
                continue;
            }
            _ => line.starts_with(b"gpgsig ") || line.starts_with(b"gpgsig-sha256 "),
        };
        if inside {
            let at = line.iter().position(|byte| *byte == b' ').unwrap_or_default() + 1;
            signature.push_str(&String::from_utf8_lossy(&line[at..]));
        } else {
            signed.extend_from_slice(line);
            signed.push(b'\n');
        }
    }
    signed.extend_from_slice(raw.get(head.len() + 1..).unwrap_or_default());
    judged(&signed, &signature, signers, at)
}

/// A tag's signature stands at the end of its message.
/// A tag is signed with its name: under another one, the signature is for something else.
fn signature_of_tag(raw: &[u8], name: &[u8], signers: &Signers, at: Time) -> Signature {
    let (head, _) = halves(raw);
    let mut named = head.split(|byte| *byte == b'\n').filter_map(|line| line.strip_prefix(b"tag "));
    let named = named.next().unwrap_or_default();
    if name.strip_prefix(b"refs/tags/") != Some(named) {
        let named = String::from_utf8_lossy(named);
        return Signature::Bad(format!("what is signed there is the tag {}", excerpt(&named, 60)));
    }
    let begin = b"-----BEGIN ";
    let Some(start) = raw.windows(begin.len()).position(|window| window == begin) else {
        return Signature::None;
    };
    judged(&raw[..start], &String::from_utf8_lossy(&raw[start..]), signers, at)
}

fn judged(signed: &[u8], signature: &str, signers: &Signers, at: Time) -> Signature {
    if signature.is_empty() {
        return Signature::None;
    }
    match keys::verify_bytes(signers, "git", signed, (signature, at)) {
        Ok(found) => Signature::Good(found.person),
        Err(problem) => Signature::Bad(problem.what),
    }
}
