//! Words for problems: lists that end somewhere, short ids, and names that survive a shell.

use std::fmt::Display;

use semver::Version;

/// How many items of a list are shown.
pub(super) const CAP: usize = 10;

/// Returns the first items of a list, and how many more there are.
pub(super) fn capped(items: &[impl Display]) -> Vec<String> {
    let mut lines: Vec<String> = items.iter().take(CAP).map(ToString::to_string).collect();
    if items.len() > CAP {
        lines.push(format!("and {} more", items.len() - CAP));
    }
    lines
}

/// Returns the first digits of an object id.
pub(super) fn short(id: &str) -> &str {
    id.get(..7).unwrap_or(id)
}

/// Returns a word as a POSIX shell must be given it, so that a hint can be pasted whatever the word holds.
pub fn quoted(word: &str) -> String {
    let plain = |c: char| c.is_ascii_alphanumeric() || "_./@%+=:,-".contains(c);
    if !word.is_empty() && word.chars().all(plain) {
        return word.to_owned();
    }
    format!("'{}'", word.replace('\'', r"'\''"))
}

/// Tells whether a pattern fits a whole name; `*` stands for any characters, slashes too.
pub(super) fn glob(pattern: &str, name: &str) -> bool {
    let Some((head, rest)) = pattern.split_once('*') else { return pattern == name };
    let Some(mut left) = name.strip_prefix(head) else { return false };
    let mut parts: Vec<&str> = rest.split('*').collect();
    let tail = parts.pop().unwrap_or_default();
    for part in parts {
        let Some(at) = left.find(part) else { return false };
        left = &left[at + part.len()..];
    }
    left.ends_with(tail)
}

/// Tells whether a tag ends in a semantic version, such as `v1.2.3`, `name-v1.2.3` or `@scope/name@1.2.3`.
pub(super) fn version_like(tag: &str) -> bool {
    let begins = |at: &usize| {
        let before = tag[..*at].chars().next_back();
        tag[*at..].starts_with(|c: char| c.is_ascii_digit())
            && !before.is_some_and(|c| c.is_ascii_digit() || c == '.' || c == '+')
    };
    tag.char_indices().map(|(at, _)| at).filter(begins).any(|at| Version::parse(&tag[at..]).is_ok())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_glob_fits_whole_names() {
        let check = |pattern: &str, name: &str, fits: bool| {
            assert_eq!(glob(pattern, name), fits, "{pattern} {name}");
        };
        check("main", "main", true);
        check("main", "mainline", false);
        check("release/*", "release/1.x", true);
        check("release/*", "release", false);
        check("*", "a/b", true);
        check("*.x", "1.x", true);
        check("*.x", "1.y", false);
        check("a*a", "a", false);
        check("a*b*c", "axxbyyc", true);
        check("a*b*c", "axxcyyb", false);
    }

    #[test]
    fn a_tag_is_like_a_version_when_it_ends_in_one() {
        for tag in ["v1.2.3", "1.2.3", "name-v1.2.3", "@scope/name@1.2.3", "v2.0.0-rc.1", "a/1.0.0+b.2"] {
            assert!(version_like(tag), "{tag}");
        }
        for tag in ["v1", "v1.2", "latest", "nightly-2026-11-20", "1.2.3.4", "v01.2.3", "é1", ""] {
            assert!(!version_like(tag), "{tag}");
        }
    }

    #[test]
    fn a_quoted_word_is_one_word_for_a_shell() {
        assert_eq!(quoted("release/1.x"), "release/1.x");
        assert_eq!(quoted("it's $(here)"), r"'it'\''s $(here)'");
        assert_eq!(quoted(""), "''");
    }

    #[test]
    fn a_long_list_ends_with_a_count() {
        let items: Vec<String> = (0..12).map(|n| n.to_string()).collect();
        assert_eq!(capped(&items).len(), CAP + 1);
        assert_eq!(capped(&items)[CAP], "and 2 more");
        assert_eq!(capped(&items[..CAP]).len(), CAP);
    }
}
