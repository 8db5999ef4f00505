//! Tags, here and on a remote.

use std::collections::BTreeMap;

use shipway_core::facts::TagAt;
use shipway_core::problem::Problem;

use super::ask::Git;
use super::shown;

/// The refs of this repository that a release needs to know.
#[derive(Debug, Default)]
pub(super) struct Refs {
    pub(super) tags: BTreeMap<String, TagAt>,
    /// The default branch of each remote, as last fetched.
    pub(super) defaults: BTreeMap<String, String>,
}

/// Looks at the tags and at the default branches of the remotes.
pub(super) fn look(git: Git<'_>) -> Result<Refs, Problem> {
    let format = "--format=%(refname)%00%(objectname)%00%(*objectname)%00%(symref)";
    let output = git.ask(&["for-each-ref", format, "refs/tags", "refs/remotes/*/HEAD"])?;
    let mut refs = Refs::default();
    for line in output.split(|byte| *byte == b'\n') {
        let fields: Vec<&[u8]> = line.split(|byte| *byte == 0).collect();
        let [name, object, peeled, target] = fields[..] else { continue };
        if let Some(tag) = name.strip_prefix(b"refs/tags/") {
            let commit = if peeled.is_empty() { object } else { peeled };
            refs.tags.insert(shown(tag), TagAt { object: shown(object), commit: shown(commit) });
        } else {
            refs.defaults.extend(default_branch(&shown(name), &shown(target)));
        }
    }
    Ok(refs)
}

/// Reads `refs/remotes/NAME/HEAD` and what it points to.
fn default_branch(name: &str, target: &str) -> Option<(String, String)> {
    let remote = name.strip_prefix("refs/remotes/")?.strip_suffix("/HEAD")?;
    let branch = target.strip_prefix("refs/remotes/")?.strip_prefix(remote)?.strip_prefix('/')?;
    Some((remote.to_owned(), branch.to_owned()))
}

/// Reads the output of `git ls-remote`: the object id of a branch, and the tags.
pub(super) fn read_remote(output: &[u8], branch: &str) -> (Option<String>, BTreeMap<String, TagAt>) {
    let head = format!("refs/heads/{branch}");
    let (mut tip, mut tags) = (None, BTreeMap::<String, TagAt>::new());
    for line in output.split(|byte| *byte == b'\n') {
        let Some(tab) = line.iter().position(|byte| *byte == b'\t') else { continue };
        let (object, name) = (shown(&line[..tab]), &line[tab + 1..]);
        if name == head.as_bytes() {
            tip = Some(object);
        } else if let Some(tag) = name.strip_prefix(b"refs/tags/") {
            // A peeled line follows the line of its tag.
            match tag.strip_suffix(b"^{}").and_then(|tag| tags.get_mut(&shown(tag))) {
                Some(at) => at.commit = object,
                None => {
                    tags.insert(shown(tag), TagAt { object: object.clone(), commit: object });
                }
            }
        }
    }
    (tip, tags)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_remote_is_read_with_its_peeled_tags() {
        let output = b"1\trefs/heads/main\n2\trefs/heads/a/refs/heads/main\n3\trefs/tags/light\n\
                       4\trefs/tags/a/v1\n5\trefs/tags/a/v1^{}\n6\trefs/tags/caf\xe9\n";
        let (tip, tags) = read_remote(output, "main");
        assert_eq!(tip.as_deref(), Some("1"));
        let tags: Vec<(&str, &str, &str)> =
            tags.iter().map(|(name, at)| (name.as_str(), at.object.as_str(), at.commit.as_str())).collect();
        assert_eq!(tags, [("a/v1", "4", "5"), ("caf\u{fffd}", "6", "6"), ("light", "3", "3")]);
    }

    #[test]
    fn a_default_branch_may_have_slashes() {
        let check = |target: &str, branch: Option<&str>| {
            let found = default_branch("refs/remotes/origin/HEAD", target);
            assert_eq!(found.map(|(_, branch)| branch).as_deref(), branch);
        };
        check("refs/remotes/origin/main", Some("main"));
        check("refs/remotes/origin/release/1.x", Some("release/1.x"));
        check("", None);
        check("refs/remotes/originals/main", None);
    }
}
