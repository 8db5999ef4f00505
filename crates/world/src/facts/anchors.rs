//! The checkpoints of journals that a repository and its remote hold: in the messages of tags, and in refs of their own.

use shipway_core::anchor::{REFS, Seal};
use shipway_core::problem::Problem;

use super::Git;

/// Returns the checkpoints in the tags of this repository, each with where it stands.
pub fn here(git: Git<'_>) -> Result<Vec<(String, Seal)>, Problem> {
    under(git, "refs/tags", "")
}

/// Returns the checkpoints that remotes were seen to hold, as this repository remembers them.
pub fn remembered(git: Git<'_>) -> Result<Vec<(String, Seal)>, Problem> {
    under(git, REFS, "this repository, ")
}

fn under(git: Git<'_>, names: &str, place: &str) -> Result<Vec<(String, Seal)>, Problem> {
    let refs = git.ask(&["for-each-ref", "--format=%(objectname) %(refname)", names])?;
    said(git, &String::from_utf8_lossy(&refs), place)
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

/// Reads the messages of what lines of ids and names of refs list: of a tag that of its object, of a list of checkpoints
/// all that were ever put there.
fn said(git: Git<'_>, refs: &str, place: &str) -> Result<Vec<(String, Seal)>, Problem> {
    let listed = refs.lines().filter_map(|line| line.split_once(' '));
    let (lists, tags): (Vec<_>, Vec<_>) = listed.partition(|(_, name)| name.starts_with(REFS));
    let mut found = in_tags(git, &tags, place)?;
    let ids: Vec<&str> = lists.iter().map(|(id, _)| *id).collect();
    found.extend(in_lists(git, &ids)?.into_iter().map(|seal| {
        let name = format!("{place}{REFS}/{}", seal.checkpoint.origin);
        (name, seal)
    }));
    Ok(found)
}

fn in_tags(git: Git<'_>, listed: &[(&str, &str)], place: &str) -> Result<Vec<(String, Seal)>, Problem> {
    let ids: Vec<&str> = listed.iter().map(|(id, _)| *id).collect();
    let output = git.expect(&git.command(&["cat-file", "--batch"]).stdin(ids.join("\n")))?;
    let mut rest = output.as_slice();
    let mut found = vec![];
    for (_, name) in listed {
        let Some((content, behind)) = object(rest) else { break };
        rest = behind;
        let name =
            name.strip_prefix("refs/tags/").map_or_else(|| (*name).to_owned(), |tag| format!("tag {tag}"));
        let text = String::from_utf8_lossy(content);
        found.extend(Seal::in_message(&text).map(|seal| (format!("{place}{name}"), seal)));
    }
    Ok(found)
}

/// Reads whole lists of checkpoints. The newest alone proves little: behind a journal that was cut, a shorter one follows.
fn in_lists(git: Git<'_>, tips: &[&str]) -> Result<Vec<Seal>, Problem> {
    if tips.is_empty() {
        return Ok(vec![]);
    }
    let args = ["rev-list", "--first-parent", "--format=%x00%B%x00", "--stdin"];
    let output = git.expect(&git.command(&args).stdin(tips.join("\n") + "\n"))?;
    let text = String::from_utf8_lossy(&output);
    // What stands between two messages is what git says of the next commit.
    Ok(text.split('\0').skip(1).step_by(2).flat_map(Seal::in_message).collect())
}

/// Splits the first object off the output of `git cat-file --batch`.
fn object(output: &[u8]) -> Option<(&[u8], &[u8])> {
    let end = output.iter().position(|byte| *byte == b'\n')?;
    let head = std::str::from_utf8(&output[..end]).ok()?;
    let Ok(size) = head.rsplit(' ').next()?.parse::<usize>() else { return Some((&[], &output[end + 1..])) };
    let content = output.get(end + 1..end + 1 + size)?;
    Some((content, output.get(end + 2 + size..)?))
}
