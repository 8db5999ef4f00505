//! The head, the changed and the untracked paths, from one `git status` (porcelain v2).

use shipway_core::facts::{Head, Relation};
use shipway_core::problem::{Code, Problem};

use super::ask::Git;
use super::shown;

/// What `git status` said.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Status {
    pub(super) head: Head,
    /// How the branch stands to the one it follows, as last fetched; nothing if it follows none or was not compared.
    pub(super) tracked: Option<Relation>,
    pub(super) changed: Vec<String>,
    pub(super) untracked: Vec<String>,
}

/// Looks at the work tree; `compare` also counts the commits between the branch and the one it follows.
pub(super) fn look(git: Git<'_>, compare: bool) -> Result<Status, Problem> {
    let count = if compare { "--ahead-behind" } else { "--no-ahead-behind" };
    // All untracked files, because a secret in an untracked directory is a secret too.
    let args = ["status", "--porcelain=v2", "-z", "--branch", "--untracked-files=all", "--no-renames", count];
    read(&git.ask(&args)?)
}

fn read(output: &[u8]) -> Result<Status, Problem> {
    let (mut commit, mut branch, mut tracked) = (None, None, None);
    let (mut changed, mut untracked) = (Vec::new(), Vec::new());
    for entry in output.split(|byte| *byte == 0) {
        let rest = entry.get(2..).unwrap_or_default();
        match entry.first() {
            Some(b'#') => {
                commit = rest.strip_prefix(b"branch.oid ").map(<[u8]>::to_vec).or(commit);
                branch = rest.strip_prefix(b"branch.head ").map(<[u8]>::to_vec).or(branch);
                tracked = rest.strip_prefix(b"branch.ab ").and_then(relation).or(tracked);
            }
            Some(b'1' | b'u') => changed.extend(path(entry)),
            Some(b'?') => untracked.push(shown(rest)),
            // Nothing else comes without renames and without ignored files.
            Some(_) | None => {}
        }
    }
    let (commit, branch) = (commit.unwrap_or_default(), branch.unwrap_or_default());
    Ok(Status { head: head(&commit, branch)?, tracked, changed, untracked })
}

fn head(commit: &[u8], branch: Vec<u8>) -> Result<Head, Problem> {
    let commit = shown(commit);
    if branch == b"(detached)" {
        return Ok(Head::Detached { commit });
    }
    // A name that cannot be written down exactly would lead a push to another branch.
    let branch = String::from_utf8(branch).map_err(|error| {
        Problem::new(
            Code::WrongBranch,
            format!("branch {} has a name that is not UTF-8", shown(error.as_bytes())),
        )
        .found("bytes that are not UTF-8")
        .wanted("a branch name in UTF-8")
        .hint("git branch -m NAME")
    })?;
    if commit == "(initial)" { Ok(Head::Unborn { branch }) } else { Ok(Head::Branch { branch, commit }) }
}

/// Reads `+AHEAD -BEHIND`; both are `?` if git was not asked to count.
fn relation(text: &[u8]) -> Option<Relation> {
    let text = std::str::from_utf8(text).ok()?;
    let (ahead, behind) = text.strip_prefix('+')?.split_once(" -")?;
    counted(ahead, behind)
}

/// Returns the relation of two branches from the counts of the commits that only one of them has.
pub(super) fn counted(ahead: &str, behind: &str) -> Option<Relation> {
    let (ahead, behind): (u64, u64) = (ahead.parse().ok()?, behind.parse().ok()?);
    Some(match (ahead > 0, behind > 0) {
        (false, false) => Relation::Same,
        (true, false) => Relation::Ahead,
        (false, true) => Relation::Behind,
        (true, true) => Relation::Diverged,
    })
}

/// Returns the path of a changed entry.
fn path(entry: &[u8]) -> Option<String> {
    // `1 XY sub mH mI mW hH hI path`, and for a conflict `u XY sub m1 m2 m3 mW h1 h2 h3 path`.
    let before = if entry.first() == Some(&b'u') { 10 } else { 8 };
    let fields: Vec<&[u8]> = entry.splitn(before + 1, |byte| *byte == b' ').collect();
    let (code, sub, path) = (fields.get(1)?, fields.get(2)?, fields.get(before)?);
    // A submodule whose only news are untracked files has no change to commit.
    let untracked_only = *code == b".M" && sub.starts_with(b"S..");
    (!untracked_only).then(|| shown(path))
}

#[cfg(test)]
mod tests {
    use super::*;

    const ID: &str = "2222222222222222222222222222222222222222";

    fn status(lines: &[&str]) -> Status {
        read(lines.join("\0").as_bytes()).unwrap()
    }

    #[test]
    fn a_head_is_a_branch_a_commit_or_unborn() {
        let check = |oid: &str, name: &str, head: Head| {
            let (oid, name) = (format!("# branch.oid {oid}"), format!("# branch.head {name}"));
            assert_eq!(status(&[&oid, &name]).head, head);
        };
        check(ID, "main", Head::Branch { branch: "main".into(), commit: ID.into() });
        check(ID, "(detached)", Head::Detached { commit: ID.into() });
        check("(initial)", "main", Head::Unborn { branch: "main".into() });
    }

    #[test]
    fn a_branch_name_must_be_text() {
        let problem = read(b"# branch.oid (initial)\0# branch.head caf\xe9\0").unwrap_err();
        assert_eq!((problem.code, problem.what.contains("caf\u{fffd}")), (Code::WrongBranch, true));
    }

    #[test]
    fn counts_tell_how_branches_stand() {
        let check = |counts: &str, relation: Option<Relation>| {
            assert_eq!(status(&[&format!("# branch.ab {counts}")]).tracked, relation);
        };
        check("+0 -0", Some(Relation::Same));
        check("+2 -0", Some(Relation::Ahead));
        check("+0 -3", Some(Relation::Behind));
        check("+1 -1", Some(Relation::Diverged));
        check("+? -?", None);
    }

    #[test]
    fn paths_are_read_whole() {
        let seen = status(&[
            "1 .M N... 100644 100644 100644 1 2 a file\nwith all",
            "u UU N... 100644 100644 100644 100644 1 2 3 both",
            "1 .M S..U 160000 160000 160000 1 1 module",
            "1 .M S.M. 160000 160000 160000 1 1 other",
            "? dir/new one",
        ]);
        assert_eq!(seen.changed, ["a file\u{fffd}with all", "both", "other"]);
        assert_eq!(seen.untracked, ["dir/new one"]);
    }
}
