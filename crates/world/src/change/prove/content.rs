//! What landings hold: the files that they change, and what merging gives again. One git is asked for all of them.

use std::collections::{BTreeMap, BTreeSet};

use shipway_core::policy::FileChange;
use shipway_core::problem::Problem;

use crate::hooks::staged::InHook;

/// Returns the files that differ between two trees, for each pair of them.
pub(super) fn differ<'a>(
    git: &InHook<'_>,
    pairs: &BTreeSet<(&'a str, &'a str)>,
) -> Result<BTreeMap<(&'a str, &'a str), Vec<FileChange>>, Problem> {
    let mut found: BTreeMap<(&str, &str), Vec<FileChange>> = BTreeMap::new();
    if pairs.is_empty() {
        return Ok(found);
    }
    let heads: BTreeMap<String, (&str, &str)> =
        pairs.iter().map(|pair| (format!("{} {}", pair.0, pair.1), *pair)).collect();
    let ask = heads.keys().map(String::as_str).collect::<Vec<_>>().join("\n") + "\n";
    let args = ["diff-tree", "--stdin", "-r", "-z", "--raw", "--no-renames", "--no-abbrev"];
    let output = git.expect(&git.git().args(args).stdin(ask))?;
    let mut at = None;
    let mut tokens = output.stdout.split(|byte| *byte == 0);
    // The names of both trees come first; then each entry is followed by its path, whatever that looks like.
    while let Some(mut token) = tokens.next() {
        while !token.is_empty() && !token.starts_with(b":") {
            let end = token.iter().position(|byte| *byte == b'\n').unwrap_or(token.len());
            let head = String::from_utf8_lossy(&token[..end]);
            at = heads.get(&*head).copied();
            token = token.get(end + 1..).unwrap_or_default();
        }
        if let (Some(at), false) = (at, token.is_empty())
            && let Some(path) = tokens.next()
        {
            found.entry(at).or_default().push(FileChange { path: path.to_vec(), ..<_>::default() });
        }
    }
    Ok(found)
}

/// Returns the trees that merging pairs of commits gives, in their order; none for a pair that conflicts.
pub(super) fn merged(git: &InHook<'_>, pairs: &[(&str, &str)]) -> Result<Vec<Option<String>>, Problem> {
    if pairs.is_empty() {
        return Ok(vec![]);
    }
    let ask = pairs.iter().map(|(one, other)| format!("{one} {other}")).collect::<Vec<_>>().join("\n") + "\n";
    let output = git.expect(&git.git().args(["merge-tree", "--stdin", "--no-messages"]).stdin(ask))?;
    let mut words = output.stdout.split(|byte| *byte == 0);
    let mut trees = vec![];
    while let (Some(clean), Some(tree)) = (words.next(), words.next()) {
        trees.push((clean == b"1").then(|| String::from_utf8_lossy(tree).into_owned()));
        // The files that conflict.
        while words.next().is_some_and(|word| !word.is_empty()) {}
    }
    Ok(trees)
}

/// Returns which of some objects are not here.
pub(super) fn missing<'a>(git: &InHook<'_>, ids: &[&'a str]) -> Result<BTreeSet<&'a str>, Problem> {
    if ids.is_empty() {
        return Ok(BTreeSet::new());
    }
    let cmd = git.git().args(["cat-file", "--batch-check=%(objecttype)"]).stdin(ids.join("\n") + "\n");
    let text = git.expect(&cmd)?.text();
    Ok(ids.iter().zip(text.lines()).filter(|(_, word)| *word != "commit").map(|(id, _)| *id).collect())
}
