//! Which line of versions a branch belongs to.

use semver::{BuildMetadata, Comparator, Op, Prerelease, Version, VersionReq};

use super::Config;

/// The branches that releases are made from where nothing else is known.
pub(super) const USUAL: [&str; 2] = ["main", "master"];

/// What releases of a branch are.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum LineKind {
    /// Ordinary releases.
    Main,
    /// Prereleases.
    Channel {
        /// The name of the channel.
        name: String,
        /// The prerelease part with `{n}` in it.
        suffix: String,
    },
    /// Releases of an older version; see [`within`].
    Maintenance {
        /// The name of the line, such as `1.x`.
        name: String,
        /// The versions that belong to it.
        range: VersionReq,
    },
    /// None: releases are not made from this branch.
    Other,
}

/// Returns what releases of a branch are.
///
/// A name in full goes before a glob, and what the file says goes before what a name such as `release/1.x` or `1.2.x`
/// means by itself; only a glob in `release.branches` comes last, so that `release/*` keeps such names maintenance
/// lines. Where the file names no branches, they are main and master: see [`Config::with_default_branch`].
pub fn line_of(branch: &str, config: &Config) -> LineKind {
    let exact = |pattern: &str| pattern == branch;
    let glob = |pattern: &str| matches(pattern, branch);
    named(config, exact)
        .or_else(|| listed(config, exact))
        .or_else(|| named(config, glob))
        .or_else(|| by_name(branch))
        .or_else(|| listed(config, glob))
        .unwrap_or(LineKind::Other)
}

fn named(config: &Config, fits: impl Fn(&str) -> bool) -> Option<LineKind> {
    let release = &config.release;
    let channel = release.channel.iter().find(|(_, channel)| fits(&channel.branch));
    let channel =
        channel.map(|(name, of)| LineKind::Channel { name: name.clone(), suffix: of.suffix.clone() });
    channel.or_else(|| {
        let line = release.line.iter().find(|(_, line)| fits(&line.branch));
        line.map(|(name, of)| LineKind::Maintenance { name: name.clone(), range: of.range.clone() })
    })
}

fn listed(config: &Config, fits: impl Fn(&str) -> bool) -> Option<LineKind> {
    let listed = match &config.release.branches {
        Some(branches) => branches.iter().any(|branch| fits(branch)),
        None => USUAL.iter().any(|branch| fits(branch)),
    };
    listed.then_some(LineKind::Main)
}

fn by_name(branch: &str) -> Option<LineKind> {
    let name = branch.strip_prefix("release/").unwrap_or(branch);
    range_of(name).map(|range| LineKind::Maintenance { name: name.to_owned(), range })
}

/// Returns the range of a name such as `1.x`, `1.2.x` or `v1.x`, or `None` for another name.
pub(super) fn range_of(name: &str) -> Option<VersionReq> {
    let numbers = name.strip_prefix('v').unwrap_or(name).strip_suffix(".x")?;
    let number = |text: &str| -> Option<u64> {
        let plain = text.bytes().all(|byte| byte.is_ascii_digit()) && (text == "0" || !text.starts_with('0'));
        if plain { text.parse().ok() } else { None }
    };
    let (from, to) = match numbers.split_once('.') {
        None => {
            let major = number(numbers)?;
            ((major, 0), (major.checked_add(1)?, 0))
        }
        Some((major, minor)) => {
            let (major, minor) = (number(major)?, number(minor)?);
            ((major, minor), (major, minor.checked_add(1)?))
        }
    };
    let comparator = |op, (major, minor)| Comparator {
        op,
        major,
        minor: Some(minor),
        patch: Some(0),
        pre: Prerelease::EMPTY,
    };
    Some(VersionReq { comparators: vec![comparator(Op::GreaterEq, from), comparator(Op::Less, to)] })
}

/// Tells whether a version belongs to a range; a prerelease belongs where its release does.
pub fn within(range: &VersionReq, version: &Version) -> bool {
    // By itself a range refuses every prerelease that it does not name.
    let release = Version { pre: Prerelease::EMPTY, build: BuildMetadata::EMPTY, ..version.clone() };
    range.matches(&release)
}

/// Tells whether a name fits a pattern in which `*` stands for any characters but `/`.
pub(super) fn matches(pattern: &str, name: &str) -> bool {
    let (mut parts, mut names) = (pattern.split('/'), name.split('/'));
    loop {
        match (parts.next(), names.next()) {
            (None, None) => return true,
            (Some(part), Some(name)) if part_matches(part, name) => {}
            (_, _) => return false,
        }
    }
}

/// Tells whether a part of a name fits a part of a pattern: its pieces must follow one another.
fn part_matches(part: &str, name: &str) -> bool {
    let Some((first, rest)) = part.split_once('*') else { return part == name };
    let Some(mut name) = name.strip_prefix(first) else { return false };
    let mut pieces: Vec<&str> = rest.split('*').collect();
    let last = pieces.pop().unwrap_or_default();
    for piece in pieces {
        let Some((_, after)) = name.split_once(piece) else { return false };
        name = after;
    }
    name.ends_with(last)
}

#[cfg(test)]
mod tests {
    use super::super::read;
    use super::*;

    #[test]
    fn globs_stay_between_slashes() {
        for (pattern, name, fits) in [
            ("main", "main", true),
            ("main", "mains", false),
            ("*", "main", true),
            ("*", "a/b", false),
            ("release/*", "release/1.2", true),
            ("release/*", "release/", true),
            ("release/*", "release/a/b", false),
            ("*/b", "a/b", true),
            ("a*c", "abc", true),
            ("a*c", "ac", true),
            ("a*a", "a", false),
            ("*b*b*", "abcb", true),
            ("*b*b*", "abc", false),
            ("x*é*z", "xéz", true),
        ] {
            assert_eq!(matches(pattern, name), fits, "{pattern} {name}");
        }
    }

    #[test]
    fn ranges_come_from_names() {
        for (name, range) in [
            ("1.x", Some(">=1.0.0, <2.0.0")),
            ("v1.x", Some(">=1.0.0, <2.0.0")),
            ("0.x", Some(">=0.0.0, <1.0.0")),
            ("1.2.x", Some(">=1.2.0, <1.3.0")),
            ("10.20.x", Some(">=10.20.0, <10.21.0")),
            ("1", None),
            ("x", None),
            (".x", None),
            ("01.x", None),
            ("1.2.3.x", None),
            ("+1.x", None),
            ("18446744073709551615.x", None),
            ("a.x", None),
        ] {
            assert_eq!(range_of(name), range.map(|range| VersionReq::parse(range).unwrap()), "{name}");
        }
    }

    #[test]
    fn a_prerelease_belongs_where_its_release_does() {
        for (range, version, belongs) in [
            ("1.x", "1.0.0", true),
            ("1.x", "1.9.9-rc.1", true),
            ("1.x", "2.0.0-rc.1", false),
            ("1.x", "2.0.0", false),
            ("1.2.x", "1.3.0", false),
            ("1.2.x", "1.2.7+build", true),
        ] {
            let range = range_of(range).unwrap();
            assert_eq!(within(&range, &Version::parse(version).unwrap()), belongs, "{range} {version}");
        }
    }

    fn kind(branch: &str, text: &str) -> String {
        match line_of(branch, &read(text, "shipway.toml").unwrap()) {
            LineKind::Main => "main".into(),
            LineKind::Channel { name, suffix } => format!("channel {name} {suffix}"),
            LineKind::Maintenance { name, range } => format!("line {name} {range}"),
            LineKind::Other => "other".into(),
        }
    }

    #[test]
    fn branches_have_lines_without_a_file() {
        for (branch, expect) in [
            ("main", "main"),
            ("master", "main"),
            ("develop", "other"),
            ("release/1.x", "line 1.x >=1.0.0, <2.0.0"),
            ("1.x", "line 1.x >=1.0.0, <2.0.0"),
            ("1.2.x", "line 1.2.x >=1.2.0, <1.3.0"),
            ("release/next", "other"),
            ("feature/1.x", "other"),
        ] {
            assert_eq!(kind(branch, ""), expect, "{branch}");
        }
    }

    #[test]
    fn the_file_goes_before_the_name_and_a_full_name_before_a_glob() {
        let text = r#"
            [release]
            branches = ["trunk", "2.x", "release/*"]
            [release.channel.beta]
            branch = "develop"
            [release.channel.preview]
            branch = "pre/*"
            suffix = "pre.{n}"
            [release.line."1.x"]
            branch = "old"
            [release.line."legacy"]
            branch = "pre/legacy"
            range = "<1.0.0"
        "#;
        for (branch, expect) in [
            ("main", "other"),
            ("trunk", "main"),
            ("2.x", "main"),
            ("release/next", "main"),
            ("release/3.x", "line 3.x >=3.0.0, <4.0.0"),
            ("develop", "channel beta beta.{n}"),
            ("pre/a", "channel preview pre.{n}"),
            ("pre/legacy", "line legacy <1.0.0"),
            ("old", "line 1.x >=1.0.0, <2.0.0"),
        ] {
            assert_eq!(kind(branch, text), expect, "{branch}");
        }
    }

    #[test]
    fn the_default_branch_of_the_remote_joins_the_usual_ones() {
        let config = Config::default().with_default_branch(Some("trunk"));
        assert_eq!(config.release.branches.clone().unwrap(), ["trunk", "main", "master"]);
        assert_eq!(line_of("trunk", &config), LineKind::Main);
        let config = Config::default().with_default_branch(Some("master"));
        assert_eq!(config.release.branches.unwrap(), ["master", "main"]);
        let config = read("release.branches = ['a']", "f").unwrap().with_default_branch(Some("b"));
        assert_eq!(config.release.branches.unwrap(), ["a"]);
    }
}
