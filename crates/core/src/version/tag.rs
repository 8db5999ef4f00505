//! Tag names: `v1.2.3`, `1.2.3`, `name-v1.2.3`, `@scope/name@1.2.3`, or any other prefix and suffix.
//!
//! Which of them a repository uses is found by [`super::detect`].

use std::fmt;

use semver::Version;

use crate::problem::{Code, Problem};

/// How versions are written as tags.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct TagFormat {
    prefix: String,
    suffix: String,
}

impl Default for TagFormat {
    /// Returns `v{version}`.
    fn default() -> Self {
        Self { prefix: "v".to_owned(), suffix: String::new() }
    }
}

impl fmt::Display for TagFormat {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}{{version}}{}", self.prefix, self.suffix)
    }
}

impl TagFormat {
    /// Returns the format of a text with `{version}` in it exactly once, if its tags are valid names for git.
    pub fn new(text: &str) -> Result<Self, Problem> {
        const PLACE: &str = "{version}";
        let wrong = |what: &str| {
            Problem::new(Code::TagFormat, format!("tag format `{}` {what}", super::excerpt(text, 80)))
                .wanted("a name with `{version}` in it, such as `v{version}`")
        };
        let Some((prefix, suffix)) = text.split_once(PLACE) else {
            return Err(wrong("does not contain `{version}`"));
        };
        if suffix.contains(PLACE) {
            return Err(wrong("contains `{version}` more than once"));
        }
        let format = Self { prefix: prefix.to_owned(), suffix: suffix.to_owned() };
        match invalid_tag(&format.render(&Version::new(1, 2, 3))) {
            Some(reason) => Err(wrong(reason)),
            None => Ok(format),
        }
    }

    /// Returns a format of a prefix that was found in a tag.
    pub(super) fn of_prefix(prefix: &str) -> Self {
        Self { prefix: prefix.to_owned(), suffix: String::new() }
    }

    /// Returns what stands before the version.
    pub fn prefix(&self) -> &str {
        &self.prefix
    }

    /// Returns the version of a tag of this format.
    pub fn parse(&self, tag: &str) -> Option<Version> {
        let text = tag.strip_prefix(&*self.prefix)?.strip_suffix(&*self.suffix)?;
        if !text.starts_with(|c: char| c.is_ascii_digit()) {
            return None;
        }
        Version::parse(text).ok()
    }

    /// Returns the tag of a version.
    pub fn render(&self, version: &Version) -> String {
        format!("{}{version}{}", self.prefix, self.suffix)
    }
}

/// Returns what is wrong with a tag name by the rules of `git check-ref-format`, or `None`.
pub fn invalid_tag(tag: &str) -> Option<&'static str> {
    let forbidden =
        |c: char| c.is_ascii_control() || matches!(c, ' ' | '~' | '^' | ':' | '?' | '*' | '[' | '\\');
    if tag.is_empty() || tag == "@" {
        return Some("is no name");
    }
    if tag.starts_with('-') {
        return Some("begins with `-`");
    }
    if tag.contains(forbidden) {
        return Some("contains a character that git forbids in names");
    }
    if tag.contains("..") || tag.contains("@{") || tag.ends_with('.') {
        return Some("contains `..` or `@{`, or ends with `.`");
    }
    let bad = |part: &str| part.is_empty() || part.starts_with('.') || ends_with_lock(part);
    tag.split('/').any(bad).then_some("has a part that is empty, begins with `.` or ends with `.lock`")
}

fn ends_with_lock(part: &str) -> bool {
    part.as_bytes().ends_with(b".lock")
}
