//! Versions and specifiers as Python compares them (PEP 440), whole: epochs, post-releases, local parts.

use std::cmp::Ordering;

/// A version in the order of PEP 440.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Version {
    epoch: u64,
    /// Without zeros at its end, since 1.0 is 1.0.0.
    release: Vec<u64>,
    /// How many numbers were written, for `~=` and `.*`.
    written: usize,
    pre: Option<(u8, u64)>,
    post: Option<u64>,
    dev: Option<u64>,
    local: Vec<Part>,
}

/// A part of a local version: numbers are above words.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Part {
    Word(String),
    Number(u64),
}

/// Epoch, numbers, pre, post, dev and local part, as they are sorted.
type Key<'a> = (u64, &'a [u64], (u8, u8, u64), (u64, u64), (bool, u64), &'a [Part]);

/// The words that mark a pre-release, with their rank; longer spellings first.
const PRE: [(&str, u8); 8] =
    [("alpha", 0), ("beta", 1), ("preview", 2), ("pre", 2), ("rc", 2), ("a", 0), ("b", 1), ("c", 2)];

impl Version {
    /// Returns the version that a text states, or none if it is not one.
    pub fn parse(text: &str) -> Option<Self> {
        let text = text.trim().to_ascii_lowercase();
        let (public, local) =
            text.split_once('+').map_or((text.as_str(), None), |(public, local)| (public, Some(local)));
        let public = public.strip_prefix('v').unwrap_or(public);
        let (epoch, rest) = match public.split_once('!') {
            Some((epoch, rest)) => (number(epoch)?, rest),
            None => (0, public),
        };
        let end = rest.find(|c: char| !c.is_ascii_digit() && c != '.').unwrap_or(rest.len());
        let numbers = rest[..end].trim_end_matches('.');
        let mut release: Vec<u64> = numbers.split('.').map(number).collect::<Option<_>>()?;
        let written = release.len();
        while release.len() > 1 && release.last() == Some(&0) {
            release.pop();
        }
        let mut version = Self { epoch, release, written, pre: None, post: None, dev: None, local: vec![] };
        version.suffixes(&rest[numbers.len()..])?;
        for part in local.into_iter().flat_map(|local| local.split(['.', '-', '_'])) {
            if part.is_empty() || !part.bytes().all(|byte| byte.is_ascii_alphanumeric()) {
                return None;
            }
            version.local.push(number(part).map_or_else(|| Part::Word(part.into()), Part::Number));
        }
        Some(version)
    }

    /// Reads what follows the numbers: pre, post and dev, in this order, each at most once.
    fn suffixes(&mut self, mut rest: &str) -> Option<()> {
        let skip = |rest: &str| rest.trim_start_matches(['.', '-', '_']).len();
        if let Some((word, rank)) = PRE.iter().find(|(word, _)| tail(rest, skip(rest)).starts_with(word)) {
            let after = &tail(rest, skip(rest))[word.len()..];
            let (value, left) = counted(after)?;
            self.pre = Some((*rank, value));
            rest = left;
        }
        let bare = tail(rest, skip(rest));
        if let Some(word) = ["post", "rev", "r"].iter().find(|word| bare.starts_with(**word)) {
            let (value, left) = counted(&bare[word.len()..])?;
            self.post = Some(value);
            rest = left;
        } else if let Some(after) = rest.strip_prefix('-').filter(|after| starts_with_digit(after)) {
            let (value, left) = counted(after)?;
            self.post = Some(value);
            rest = left;
        }
        let bare = tail(rest, skip(rest));
        if let Some(after) = bare.strip_prefix("dev") {
            let (value, left) = counted(after)?;
            self.dev = Some(value);
            rest = left;
        }
        rest.is_empty().then_some(())
    }

    fn is_pre(&self) -> bool {
        self.pre.is_some() || self.dev.is_some()
    }

    fn without_local(&self) -> Self {
        Self { local: vec![], ..self.clone() }
    }

    fn same_base(&self, other: &Self) -> bool {
        self.epoch == other.epoch && self.release == other.release
    }

    /// Tells whether the release begins with the first numbers of another one.
    fn begins_with(&self, other: &Self, numbers: usize) -> bool {
        let at = |version: &Self, index: usize| version.release.get(index).copied().unwrap_or(0);
        self.epoch == other.epoch && (0..numbers).all(|index| at(self, index) == at(other, index))
    }

    /// Returns what PEP 440 sorts by: a lone dev release is below a pre-release, and that below the release itself.
    fn key(&self) -> Key<'_> {
        let pre = match (self.pre, self.post, self.dev) {
            (Some((rank, value)), ..) => (1, rank, value),
            (None, None, Some(_)) => (0, 0, 0),
            (None, ..) => (2, 0, 0),
        };
        let post = self.post.map_or((0, 0), |value| (1, value));
        let dev = self.dev.map_or((true, 0), |value| (false, value));
        (self.epoch, &self.release, pre, post, dev, &self.local)
    }
}

impl Ord for Version {
    fn cmp(&self, other: &Self) -> Ordering {
        self.key().cmp(&other.key())
    }
}

impl PartialOrd for Version {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

fn number(text: &str) -> Option<u64> {
    if text.is_empty() || !text.bytes().all(|byte| byte.is_ascii_digit()) { None } else { text.parse().ok() }
}

fn tail(text: &str, length: usize) -> &str {
    &text[text.len() - length..]
}

fn starts_with_digit(text: &str) -> bool {
    text.starts_with(|c: char| c.is_ascii_digit())
}

/// Returns the number at the start of a text, zero if there is none, and the rest.
fn counted(text: &str) -> Option<(u64, &str)> {
    let digits = text.trim_start_matches(['.', '-', '_']);
    let end = digits.find(|c: char| !c.is_ascii_digit()).unwrap_or(digits.len());
    if end == 0 { Some((0, text)) } else { Some((number(&digits[..end])?, &digits[end..])) }
}

/// The operators of PEP 440, longer ones first.
const OPERATORS: [&str; 8] = ["===", "==", "~=", "!=", "<=", ">=", "<", ">"];

/// Tells whether a version satisfies specifiers such as `>=1.2, !=1.3.*`; none if one of them cannot be read.
///
/// A pre-release counts like any other version: it is asked of what is installed, not of what would be chosen.
pub fn satisfies(version: &str, specifiers: &str) -> Option<bool> {
    let mut all = true;
    for clause in specifiers.split(',').map(str::trim).filter(|clause| !clause.is_empty()) {
        all &= one(version, clause)?;
    }
    Some(all)
}

/// Returns the version that specifiers pin, if they pin one.
pub fn pinned(specifiers: &str) -> Option<&str> {
    let exact = specifiers.trim().strip_prefix("==")?.trim_start_matches('=').trim();
    (!exact.contains([',', '*'])).then_some(exact)
}

fn one(version: &str, clause: &str) -> Option<bool> {
    let operator = OPERATORS.iter().find(|operator| clause.starts_with(**operator))?;
    let text = clause[operator.len()..].trim();
    if *operator == "===" {
        return Some(version.trim().eq_ignore_ascii_case(text));
    }
    let found = Version::parse(version)?;
    if let Some(prefix) = text.strip_suffix(".*") {
        let wanted = Version::parse(prefix).filter(|wanted| wanted.local.is_empty())?;
        let begins = found.begins_with(&wanted, wanted.written);
        return match *operator {
            "==" => Some(begins),
            "!=" => Some(!begins),
            _ => None,
        };
    }
    let wanted = Version::parse(text)?;
    // A local part counts only where it is asked for.
    let public = if wanted.local.is_empty() { found.without_local() } else { found.clone() };
    Some(match *operator {
        "==" => public == Version { written: public.written, ..wanted },
        "!=" => public != Version { written: public.written, ..wanted },
        "<=" => found.without_local() <= wanted,
        ">=" => found.without_local() >= wanted,
        "<" => found < wanted && (wanted.is_pre() || !(found.is_pre() && found.same_base(&wanted))),
        ">" => {
            let after = wanted.post.is_none() && found.post.is_some() && found.same_base(&wanted);
            found.without_local() > wanted && !after
        }
        _ => {
            let numbers = wanted.written.checked_sub(1).filter(|numbers| *numbers > 0)?;
            found.without_local() >= wanted && found.begins_with(&wanted, numbers)
        }
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn versions_are_in_the_order_of_the_standard() {
        let order = [
            "0.9",
            "1.dev0",
            "1.0.dev456",
            "1.0a1",
            "1.0a2.dev456",
            "1.0a12.dev456",
            "1.0a12",
            "1.0b1.dev456",
            "1.0b2",
            "1.0b2.post345.dev456",
            "1.0b2.post345",
            "1.0rc1.dev456",
            "1.0rc1",
            "1.0",
            "1.0+abc.5",
            "1.0+abc.7",
            "1.0+5",
            "1.0.post456.dev34",
            "1.0.post456",
            "1.0.15",
            "1.1.dev1",
            "2024.1",
            "1!0.1",
        ];
        for pair in order.windows(2) {
            let [low, high] = [pair[0], pair[1]].map(|text| Version::parse(text).unwrap());
            assert!(low < high, "{pair:?}");
        }
    }

    #[test]
    fn spellings_of_one_version_are_equal() {
        for (one, other) in [
            ("1.0", "1"),
            ("1.0.0", "1.0"),
            ("v1.0", "1.0"),
            ("1.0-rc.1", "1.0rc1"),
            ("1.0c1", "1.0rc1"),
            ("1.0ALPHA", "1.0a0"),
            ("1.0-1", "1.0.post1"),
            ("1.0r4", "1.0.post4"),
            ("1.0_dev3", "1.0.dev3"),
            ("1.0+Ubuntu-1", "1.0+ubuntu.1"),
            ("1.0preview2", "1.0rc2"),
            (" 1.0 ", "1.0"),
        ] {
            let [one, other] =
                [one, other].map(|text| Version::parse(text).unwrap_or_else(|| panic!("{text}")));
            assert_eq!(one.cmp(&other), Ordering::Equal, "{one:?} {other:?}");
        }
        for text in
            ["", "x", "1..2", "1.0+", "1.0+a..b", "1.0rc1b2", "1.0.dev1rc2", "99999999999999999999", "1.0é"]
        {
            assert_eq!(Version::parse(text), None, "{text}");
        }
    }

    #[test]
    fn specifiers_are_applied_as_the_standard_says() {
        for (version, specifiers, expect) in [
            ("1.2", "", Some(true)),
            ("1.2.0", "==1.2", Some(true)),
            ("1.2+local", "==1.2", Some(true)),
            ("1.2", "==1.2+local", Some(false)),
            ("1.2.7", "==1.2.*", Some(true)),
            ("1.2", "==1.2.0.*", Some(true)),
            ("1.20", "==1.2.*", Some(false)),
            ("1.3", "!=1.2.*", Some(true)),
            ("2.2.post3", "~=2.2", Some(true)),
            ("2.9", "~=2.2", Some(true)),
            ("3.0", "~=2.2", Some(false)),
            ("2.2.9", "~=2.2.0", Some(true)),
            ("2.3", "~=2.2.0", Some(false)),
            ("2.2", "~=2", None),
            ("1.0rc1", "<1.0", Some(false)),
            ("1.0rc1", "<1.0rc2", Some(true)),
            ("1.0rc1", ">=1.0", Some(false)),
            ("1.0.post1", ">1.0", Some(false)),
            ("1.0.post2", ">1.0.post1", Some(true)),
            ("1.0+x", ">1.0", Some(false)),
            ("1.0+x", "<=1.0", Some(true)),
            ("2.1", ">=1.2, <3 , !=2.0", Some(true)),
            ("2.0", ">=1.2,<3,!=2.0", Some(false)),
            ("odd", "===ODD", Some(true)),
            ("odd", "==1.0", None),
            ("1.0", "1.0", None),
            ("1.0", ">=1.*", None),
        ] {
            assert_eq!(satisfies(version, specifiers), expect, "{version} {specifiers}");
        }
    }

    #[test]
    fn a_pin_names_its_version() {
        assert_eq!(pinned("==1.2"), Some("1.2"));
        assert_eq!(pinned(" === 1.2"), Some("1.2"));
        for text in ["==1.2.*", ">=1.2", "==1.2,!=1.3", ""] {
            assert_eq!(pinned(text), None, "{text}");
        }
    }
}
