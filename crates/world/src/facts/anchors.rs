//! The checkpoints of journals that a repository and its remote hold: in the messages of tags, and in refs of their own.

use shipway_core::anchor::{REFS, Seal};
use shipway_core::problem::Problem;

use super::Git;

/// Returns the checkpoints in the tags of this repository, each with where it stands.
pub fn here(git: Git<'_>) -> Result<Vec<(String, Seal)>, Problem> {
    let refs = git.ask(&["for-each-ref", "--format=%(objectname) %(refname)", "refs/tags"])?;
    said(git, &String::from_utf8_lossy(&refs), "")
}

/// Fetches the tags and checkpoints of a remote and returns what they say. Objects are added, and no ref is moved.
pub fn there(git: Git<'_>, remote: &str) -> Result<Vec<(String, Seal)>, Problem> {
    let patterns = ["refs/tags/*".to_owned(), format!("{REFS}/*")];
    let asked = ["ls-remote", "--refs", "--end-of-options", remote, &patterns[0], &patterns[1]];
    let refs = git.expect(&git.remote_command(&asked))?;
    let refs = String::from_utf8_lossy(&refs).replace('\t', " ");
    let names: Vec<&str> =
        refs.lines().filter_map(|line| line.split_once(' ')).map(|(_, name)| name).collect();
    if names.is_empty() {
        return Ok(vec![]);
    }
    let fetch =
        ["fetch", "--quiet", "--no-tags", "--no-write-fetch-head", "--stdin", "--end-of-options", remote];
    git.expect(&git.remote_command(&fetch).stdin(names.join("\n")))?;
    said(git, &refs, &format!("{remote}, "))
}

/// Reads the messages of the objects that lines of ids and names of refs list: of a list of checkpoints all, since the
/// newest is not the longest where a journal was cut.
fn said(git: Git<'_>, refs: &str, place: &str) -> Result<Vec<(String, Seal)>, Problem> {
    let listed = refs.lines().filter_map(|line| line.split_once(' '));
    let (lists, listed): (Vec<_>, Vec<(&str, &str)>) = listed.partition(|(_, name)| name.starts_with(REFS));
    let mut found = vec![];
    for (id, name) in lists {
        let messages = git.ask(&["log", "--first-parent", "--format=%B", "--end-of-options", id])?;
        let text = String::from_utf8_lossy(&messages);
        found.extend(Seal::in_message(&text).map(|seal| (format!("{place}{name}"), seal)));
    }
    let ids: Vec<&str> = listed.iter().map(|(id, _)| *id).collect();
    let output = git.expect(&git.command(&["cat-file", "--batch"]).stdin(ids.join("\n")))?;
    let mut rest = output.as_slice();
    for (_, name) in listed {
        let Some((content, behind)) = object(rest) else { break };
        rest = behind;
        let name =
            name.strip_prefix("refs/tags/").map_or_else(|| name.to_owned(), |tag| format!("tag {tag}"));
        let text = String::from_utf8_lossy(content);
        found.extend(Seal::in_message(&text).map(|seal| (format!("{place}{name}"), seal)));
    }
    Ok(found)
}

/// Splits the first object off the output of `git cat-file --batch`.
fn object(output: &[u8]) -> Option<(&[u8], &[u8])> {
    let end = output.iter().position(|byte| *byte == b'\n')?;
    let head = std::str::from_utf8(&output[..end]).ok()?;
    let Ok(size) = head.rsplit(' ').next()?.parse::<usize>() else { return Some((&[], &output[end + 1..])) };
    let content = output.get(end + 1..end + 1 + size)?;
    Some((content, output.get(end + 2 + size..)?))
}
