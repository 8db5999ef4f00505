//! Versions in a README: badges and marked blocks. Versions in the text are never touched.

mod badge;

use semver::Version;
use shipway_core::edit::{Edit, Replace, conflict_line};
use shipway_core::problem::{Code, Problem};

const OPEN: &[u8] = b"<!-- shipway:version -->";
const CLOSE: &[u8] = b"<!-- /shipway:version -->";

/// Returns the edit that brings a README to a new version, or none if it shows no version that has to change.
///
/// Badges change where they show the old version. A marked block, `<!-- shipway:version -->1.2.3<!-- /shipway:version
/// -->`, changes whatever version it shows. Conflict markers, and blocks that do not end or hold no version, are
/// [`Code::ReadmeConflict`] with their line.
pub fn update(path: &str, old: &[u8], from: Option<&Version>, to: &Version) -> Result<Option<Edit>, Problem> {
    if let Some(line) = conflict_line(old) {
        let what = format!("{path} has markers of a merge with conflicts");
        return Err(Problem::new(Code::ReadmeConflict, what).at(format!("{path}:{line}")));
    }
    let mut replace = blocks(path, old, to)?;
    let in_block = |one: &Replace, all: &[Replace]| {
        all.iter().any(|other| one.start < other.end && other.start < one.end)
    };
    for one in from.map(|from| badge::replacements(old, from, to)).unwrap_or_default() {
        if !in_block(&one, &replace) {
            replace.push(one);
        }
    }
    let summary = from.map_or_else(|| format!("version {to}"), |from| format!("version {from} → {to}"));
    Edit::of(path, old, replace, &summary)
}

/// Returns the replacements in marked blocks.
fn blocks(path: &str, old: &[u8], to: &Version) -> Result<Vec<Replace>, Problem> {
    let mut replace = vec![];
    let mut at = 0;
    while let Some(open) = find(&old[at..], OPEN) {
        let start = at + open + OPEN.len();
        let conflict = |what: &str| {
            let line = old[..start].split(|&byte| byte == b'\n').count();
            Err(Problem::new(Code::ReadmeConflict, format!("the version block of {path} {what}"))
                .at(format!("{path}:{line}")))
        };
        let rest = &old[start..];
        let Some(length) = find(rest, CLOSE).filter(|&close| find(&rest[..close], OPEN).is_none()) else {
            return conflict("has no end");
        };
        let before = replace.len();
        replace.extend(versions(old, start, start + length).map(|span| Replace::new(span, to.to_string())));
        if replace.len() == before && !old[start..start + length].trim_ascii().is_empty() {
            return conflict("holds no version");
        }
        if replace.len() == before {
            replace.push(Replace::new(start..start + length, to.to_string()));
        }
        at = start + length + CLOSE.len();
    }
    Ok(replace)
}

/// Returns where versions stand in a part of the text, without a leading `v`.
fn versions(bytes: &[u8], start: usize, end: usize) -> impl Iterator<Item = std::ops::Range<usize>> {
    let part = |byte: u8| byte.is_ascii_alphanumeric() || b".-+".contains(&byte);
    let mut at = start;
    std::iter::from_fn(move || {
        while at < end {
            let length = bytes[at..end].iter().take_while(|&&byte| part(byte)).count();
            let (word, next) = (at..at + length, at + length.max(1));
            at = next;
            let text = str::from_utf8(&bytes[word.clone()]).unwrap_or_default();
            let bare = text.strip_prefix('v').unwrap_or(text).trim_end_matches(['.', '-', '+']);
            if Version::parse(bare).is_ok() {
                let from = word.start + usize::from(text.starts_with('v'));
                return Some(from..from + bare.len());
            }
        }
        None
    })
}

fn find(bytes: &[u8], wanted: &[u8]) -> Option<usize> {
    bytes.windows(wanted.len()).position(|window| window == wanted)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(before: &str, after: &str) {
        check_from("1.2.3", "1.3.0-rc.1", before, after);
    }

    fn check_from(from: &str, to: &str, before: &str, after: &str) {
        let (from, to) = (Version::parse(from).unwrap(), Version::parse(to).unwrap());
        let edit = update("README.md", before.as_bytes(), Some(&from), &to).unwrap();
        let new = edit.map(|edit| String::from_utf8(edit.apply(Some(before.as_bytes())).unwrap()).unwrap());
        assert_eq!(new.as_deref().unwrap_or(before), after);
    }

    #[test]
    fn badges_show_the_new_version() {
        let badge = |version: &str| {
            format!("![v](https://img.shields.io/badge/version-{version}-blue.svg?style=flat)\r\n")
        };
        check(&badge("1.2.3"), &badge("1.3.0--rc.1"));
        check(&badge("v1.2.3"), &badge("v1.3.0--rc.1"));
        check_from("1.3.0-rc.1", "1.3.0", &badge("1.3.0--rc.1"), &badge("1.3.0"));
        check_from("1.0.0+a", "1.0.0+b", &badge("1.0.0%2Ba"), &badge("1.0.0%2Bb"));
        let html =
            |version: &str| format!("<img src='https://img.shields.io/badge/Latest_release-{version}-x'>");
        check(&html("1.2.3"), &html("1.3.0--rc.1"));
        let other = |version: &str| format!("[![a](https://badgen.net/badge/version/{version}/blue)](x)");
        check(&other("1.2.3"), &other("1.3.0-rc.1"));
        let literal = |version: &str| format!("https://img.shields.io/npm/v/{version}?x");
        check(&literal("1.2.3"), &literal("1.3.0-rc.1"));
    }

    #[test]
    fn nothing_else_is_touched() {
        for text in [
            "Version 1.2.3 is out: `cargo add x@1.2.3`, https://example.org/v/1.2.3",
            "![1.2.3](https://img.shields.io/badge/version-1.2.2-blue)",
            "https://img.shields.io/badge/node-1.2.3-green",
            "https://img.shields.io/badge/version-11.2.3-blue",
            "https://img.shields.io/badge/version-1.2.3.4-blue",
            "https://img.shields.io/badge/version-1.2.3--rc.1-blue",
            "https://img.shields.io/badge/version-1x2x3-blue",
            "https://img.shields.io/npm/v/package",
            "<!-- shipway:other -->1.2.3<!-- /shipway:other -->",
            "",
        ] {
            check(text, text);
        }
    }

    #[test]
    fn marked_blocks_show_the_new_version_whatever_they_showed() {
        let block = |text: &str| format!("a <!-- shipway:version -->{text}<!-- /shipway:version --> 1.2.3\n");
        check(&block("1.2.3"), &block("1.3.0-rc.1"));
        check(&block(" v0.0.1 "), &block(" v1.3.0-rc.1 "));
        check(&block(""), &block("1.3.0-rc.1"));
        check(
            &block("\r\n```toml\r\nx = \"1.2.3\"\r\ny = \"0.1.0+b\"\r\n```\r\n"),
            &block("\r\n```toml\r\nx = \"1.3.0-rc.1\"\r\ny = \"1.3.0-rc.1\"\r\n```\r\n"),
        );
        check(
            &block("https://img.shields.io/badge/version-1.2.3-blue 9.9.9"),
            &block("https://img.shields.io/badge/version-1.3.0--rc.1-blue 1.3.0-rc.1"),
        );
        check(&(block("1.0.0") + &block("2.0.0.")), &(block("1.3.0-rc.1") + &block("1.3.0-rc.1.")));
    }

    #[test]
    fn a_readme_that_needs_a_person_is_refused_with_its_line() {
        let refused = |text: &str, place: &str| {
            let problem = update("README.md", text.as_bytes(), None, &Version::new(1, 0, 0)).unwrap_err();
            assert_eq!((problem.code, problem.place.as_deref()), (Code::ReadmeConflict, Some(place)));
        };
        refused("a\n<<<<<<< HEAD\nb\n", "README.md:2");
        refused("a\n<!-- shipway:version -->1.2.3", "README.md:2");
        refused(
            "<!-- shipway:version -->\n<!-- shipway:version -->1.0.0<!-- /shipway:version -->",
            "README.md:1",
        );
        refused("\n\n<!-- shipway:version -->soon<!-- /shipway:version -->", "README.md:3");
    }

    #[test]
    fn bytes_that_are_not_utf_8_survive() {
        let old = b"\xff <!-- shipway:version -->\xe9 1.0.0<!-- /shipway:version --> \xff";
        let edit = update("README.md", old, None, &Version::new(2, 0, 0)).unwrap().unwrap();
        let new = b"\xff <!-- shipway:version -->\xe9 2.0.0<!-- /shipway:version --> \xff";
        assert_eq!(edit.apply(Some(old)).unwrap(), new);
    }
}
