//! Versions as Python writes them (PEP 440), for the part of them that has a counterpart in `SemVer` 2.0.0.
//!
//! Epochs, post-releases and more than three numbers have none.

use semver::{BuildMetadata, Prerelease, Version};
use shipway_core::problem::{Code, Problem};

/// Returns a semantic version in the normal form of PEP 440: 1.2.0-rc.1 is 1.2.0rc1.
///
/// A prerelease with other words than alpha, beta, rc and dev is [`Code::InvalidVersion`].
pub(super) fn write(version: &Version) -> Result<String, Problem> {
    let mut text = format!("{}.{}.{}", version.major, version.minor, version.patch);
    let mut parts = version.pre.split('.').filter(|part| !part.is_empty()).peekable();
    let mut rank = 0;
    while let Some(part) = parts.next() {
        let word = part.trim_end_matches(|c: char| c.is_ascii_digit());
        let (short, new_rank) = short(word).filter(|(_, new)| *new > rank).ok_or_else(|| foreign(version))?;
        let glued = &part[word.len()..];
        let number = if glued.is_empty() {
            parts.next_if(|next| next.bytes().all(|byte| byte.is_ascii_digit())).unwrap_or("0")
        } else {
            glued
        };
        text.push_str(short);
        text.push_str(number);
        rank = new_rank;
    }
    if !version.build.is_empty() {
        text.push('+');
        text.push_str(&version.build.replace('-', ".").to_ascii_lowercase());
    }
    Ok(text)
}

/// Returns the short form of a word, and its rank: a dev part may follow another one, never the other way round.
fn short(word: &str) -> Option<(&'static str, u8)> {
    match word.to_ascii_lowercase().as_str() {
        "a" | "alpha" => Some(("a", 1)),
        "b" | "beta" => Some(("b", 1)),
        "c" | "rc" | "pre" | "preview" => Some(("rc", 1)),
        "dev" => Some((".dev", 2)),
        _ => None,
    }
}

fn foreign(version: &Version) -> Problem {
    Problem::new(Code::InvalidVersion, format!("{version} cannot be written as a Python version"))
        .wanted("a prerelease of alpha, beta, rc or dev, such as 1.2.0-rc.1")
}

/// Returns the semantic version of a Python version, or none if it has no counterpart. Missing numbers are zero.
pub(super) fn read(text: &str) -> Option<Version> {
    let text = text.trim().to_ascii_lowercase();
    let (public, local) =
        text.split_once('+').map_or((text.as_str(), None), |(public, local)| (public, Some(local)));
    let public = public.strip_prefix('v').unwrap_or(public);
    let end = public.find(|c: char| !c.is_ascii_digit() && c != '.').unwrap_or(public.len());
    let numbers = public[..end].trim_end_matches('.');
    let mut release = numbers.split('.').map(|number| number.parse::<u64>().ok());
    let major = release.next()??;
    let minor = release.next().unwrap_or(Some(0))?;
    let patch = release.next().unwrap_or(Some(0))?;
    if release.next().is_some() {
        return None;
    }
    let mut version = Version::new(major, minor, patch);
    version.pre = Prerelease::new(&prerelease(&public[numbers.len()..])?).ok()?;
    match local {
        None => {}
        Some("") => return None,
        Some(local) => version.build = BuildMetadata::new(&local.replace(['_', '-'], ".")).ok()?,
    }
    Some(version)
}

/// Returns the prerelease of `SemVer` for what follows the numbers, or none if it has no counterpart.
fn prerelease(mut rest: &str) -> Option<String> {
    let mut parts: Vec<String> = vec![];
    let mut rank = 0;
    while !rest.is_empty() {
        rest = rest.strip_prefix(['.', '-', '_']).unwrap_or(rest);
        let word_end = rest.find(|c: char| !c.is_ascii_alphabetic()).unwrap_or(rest.len());
        let (short, new_rank) = short(&rest[..word_end]).filter(|(_, new)| *new > rank)?;
        rest = &rest[word_end..];
        let digits = rest.strip_prefix(['.', '-', '_']).unwrap_or(rest);
        let number_end = digits.find(|c: char| !c.is_ascii_digit()).unwrap_or(digits.len());
        let number = if number_end == 0 { 0 } else { digits[..number_end].parse::<u64>().ok()? };
        if number_end > 0 {
            rest = &digits[number_end..];
        }
        parts.push(format!("{}.{number}", long(short)));
        rank = new_rank;
    }
    Some(parts.join("."))
}

fn long(short: &str) -> &str {
    match short {
        "a" => "alpha",
        "b" => "beta",
        ".dev" => "dev",
        short => short,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn both(semantic: &str, python: &str) {
        let version = Version::parse(semantic).unwrap();
        assert_eq!(write(&version).unwrap(), python);
        assert_eq!(read(python), Some(version));
    }

    #[test]
    fn versions_go_there_and_back() {
        both("1.2.0", "1.2.0");
        both("1.2.0-rc.1", "1.2.0rc1");
        both("1.2.0-beta.12", "1.2.0b12");
        both("1.2.0-alpha.0", "1.2.0a0");
        both("1.2.0-dev.3", "1.2.0.dev3");
        both("1.2.0-alpha.1.dev.2", "1.2.0a1.dev2");
        both("1.2.0-rc.1+linux.x86", "1.2.0rc1+linux.x86");
    }

    #[test]
    fn other_spellings_are_written_in_the_normal_form() {
        let check = |from: &str, to: &str| assert_eq!(write(&Version::parse(from).unwrap()).unwrap(), to);
        check("1.0.0-rc", "1.0.0rc0");
        check("1.0.0-rc1", "1.0.0rc1");
        check("1.0.0-preview.2", "1.0.0rc2");
        check("1.0.0-BETA.2", "1.0.0b2");
        check("1.0.0+a-B", "1.0.0+a.b");
    }

    #[test]
    fn other_spellings_are_read() {
        let check =
            |from: &str, to: &str| assert_eq!(read(from), Some(Version::parse(to).unwrap()), "{from}");
        check("1", "1.0.0");
        check("1.2", "1.2.0");
        check("2024.01.02", "2024.1.2");
        check("v1.0.0", "1.0.0");
        check("1.2.0-rc.1", "1.2.0-rc.1");
        check("1.2.0_Alpha-3", "1.2.0-alpha.3");
        check("1.2.0c4", "1.2.0-rc.4");
        check("1.2.0.dev", "1.2.0-dev.0");
        check("1.2rc1", "1.2.0-rc.1");
    }

    #[test]
    fn versions_without_a_counterpart_are_refused() {
        for text in
            ["", "x", "1.2.3.4", "1!1.0", "1.0.post1", "1.0-1", "1.0.dev1rc2", "1..2", "1.0rc1b2", "1.0+"]
        {
            assert_eq!(read(text), None, "{text}");
        }
        for text in ["1.0.0-nightly.1", "1.0.0-1", "1.0.0-dev.1.rc.1", "1.0.0-rc.1.2"] {
            assert_eq!(
                write(&Version::parse(text).unwrap()).unwrap_err().code,
                Code::InvalidVersion,
                "{text}"
            );
        }
    }
}
