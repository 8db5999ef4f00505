//! Places in files, and the problems that are found there.

use semver::Version;
use shipway_core::problem::{Code, Problem};

use super::Files;

/// How a file begins whose content is kept by Git LFS.
const LFS_POINTER: &[u8] = b"version https://git-lfs.github.com/spec/";

/// Returns a place such as `Cargo.toml:3:7`: line and column from 1, columns counted in characters.
pub(super) fn place(path: &str, bytes: &[u8], offset: usize) -> String {
    let before = &bytes[..offset.min(bytes.len())];
    let before = before.strip_prefix(b"\xef\xbb\xbf").unwrap_or(before);
    let line = before.split(|&byte| byte == b'\n').count();
    let start = before.iter().rposition(|&byte| byte == b'\n').map_or(0, |at| at + 1);
    let column = String::from_utf8_lossy(&before[start..]).chars().count() + 1;
    format!("{path}:{line}:{column}")
}

/// Returns the problem that a version file cannot be understood at an offset.
pub(super) fn unreadable(path: &str, bytes: &[u8], offset: usize, what: impl Into<String>) -> Problem {
    let problem = Problem::new(Code::VersionFileUnreadable, what).at(place(path, bytes, offset));
    if bytes.starts_with(LFS_POINTER) {
        return problem
            .found("a pointer of Git LFS, not the file itself")
            .wanted("a version file kept in git");
    }
    problem
}

/// Returns the problem that a version file is named but not tracked.
pub(super) fn missing(path: &str, named_in: &str) -> Problem {
    let what = format!("{path} is named in {named_in} but is not tracked");
    Problem::new(Code::VersionFileMissing, what).at(path)
}

/// Returns the problem that a kind of package is configured and no file of it is tracked.
pub(super) fn no_kind(kind: &str) -> Problem {
    let named = match kind {
        "cargo" => "Cargo.toml",
        "npm" => "package.json",
        "python" => "pyproject.toml",
        "go" => "go.mod",
        "action" => "action.yml",
        "composer" => "composer.json",
        "swift" => "Package.swift",
        _ => "VERSION",
    };
    Problem::new(
        Code::VersionFileMissing,
        format!("{named} is not tracked, but packages of kind {kind} are configured"),
    )
    .at(named)
    .found("no such file in the commit")
    .wanted(format!("a package of kind {kind}"))
    .hint(format!("git add {named}"))
    .hint(format!("or leave {kind:?} out of [release] packages in shipway.toml"))
}

/// Returns the bytes of a file as text, or the problem that it is not UTF-8.
pub(super) fn utf8(path: &str, bytes: Vec<u8>) -> Result<String, Problem> {
    String::from_utf8(bytes).map_err(|error| {
        let offset = error.utf8_error().valid_up_to();
        unreadable(path, error.as_bytes(), offset, format!("{path} is not UTF-8"))
    })
}

/// Returns the version that stands at an offset, in the form of `SemVer` 2.0.0.
pub(super) fn semantic(path: &str, bytes: &[u8], offset: usize, text: &str) -> Result<Version, Problem> {
    Version::parse(text).map_err(|error| {
        let what = format!("`{}` is not a semantic version: {error}", text.escape_debug());
        unreadable(path, bytes, offset, what).wanted("a version such as 1.2.3")
    })
}

/// Tells whether a path is tracked.
pub(super) fn tracked(files: &dyn Files, path: &str) -> bool {
    files.paths().iter().any(|one| one == path)
}

/// Returns a path under a directory; the root is the empty path.
pub(super) fn join(dir: &str, name: &str) -> String {
    if dir.is_empty() { name.to_owned() } else { format!("{dir}/{name}") }
}

/// Returns a path without `.` and `..`, or none if it leaves the repository.
pub(super) fn normal(path: &str) -> Option<String> {
    let mut parts: Vec<&str> = vec![];
    for part in path.split(['/', '\\']) {
        match part {
            "" | "." => {}
            ".." => {
                parts.pop()?;
            }
            part => parts.push(part),
        }
    }
    Some(parts.join("/"))
}

/// Tells whether a path matches a pattern of `*`, `?` within a part and `**` for any number of parts.
pub(super) fn matches(pattern: &str, path: &str) -> bool {
    let pattern: Vec<&str> = pattern.split('/').filter(|part| !matches!(*part, "" | ".")).collect();
    let path: Vec<&str> = path.split('/').filter(|part| !part.is_empty()).collect();
    parts_match(&pattern, &path)
}

fn parts_match(pattern: &[&str], path: &[&str]) -> bool {
    match (pattern.split_first(), path.split_first()) {
        (None, None) => true,
        (Some((&"**", rest)), _) => (0..=path.len()).any(|skip| parts_match(rest, &path[skip..])),
        (Some((one, rest)), Some((part, parts))) => {
            part_matches(one.as_bytes(), part.as_bytes()) && parts_match(rest, parts)
        }
        (Some(_), None) | (None, Some(_)) => false,
    }
}

fn part_matches(pattern: &[u8], part: &[u8]) -> bool {
    match (pattern.split_first(), part.split_first()) {
        (None, None) => true,
        (Some((b'*', rest)), _) => (0..=part.len()).any(|skip| part_matches(rest, &part[skip..])),
        (Some((one, rest)), Some((byte, bytes))) => {
            (*one == b'?' || one == byte) && part_matches(rest, bytes)
        }
        (Some(_), None) | (None, Some(_)) => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn places_count_lines_and_characters_from_one() {
        assert_eq!(place("f", b"", 0), "f:1:1");
        assert_eq!(place("f", "é x\nyz".as_bytes(), 3), "f:1:3");
        assert_eq!(place("f", b"a\r\nbcd", 5), "f:2:3");
        assert_eq!(place("f", b"\xef\xbb\xbfab", 4), "f:1:2");
        assert_eq!(place("f", b"ab", 99), "f:1:3");
    }

    #[test]
    fn patterns_match_parts_of_paths() {
        let check = |pattern, path, expect| assert_eq!(matches(pattern, path), expect, "{pattern} {path}");
        check("crates/*", "crates/a", true);
        check("./crates/*/", "crates/a", true);
        check("crates/*", "crates/a/b", false);
        check("crates/**", "crates/a/b", true);
        check("**/x", "x", true);
        check("a?c-*", "abc-", true);
        check("a?c", "ac", false);
        check("*", "", false);
    }

    #[test]
    fn paths_stay_in_the_repository() {
        assert_eq!(normal("a/../b/./c").as_deref(), Some("b/c"));
        assert_eq!(normal("..\\b"), None);
    }
}
