//! What merging gives, made again to be compared.

use shipway_core::policy::Commit;
use shipway_core::problem::Problem;

use super::object;
use crate::hooks::staged::InHook;

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
    let read = |(id, raw): (&&str, Vec<u8>)| object::commit(id, &raw, None);
    let commits: Vec<Commit> = ids.iter().zip(raws).map(read).collect();
    let mut before = base;
    let is_chain = commits.iter().all(|commit| {
        let follows = commit.parents == [before];
        before = &commit.id;
        follows
    });
    Ok(is_chain.then_some(commits))
}
