//! The first line of a commit message, read once for strict and for forgiving readers.
//!
//! [`scan`] accepts everything that resembles `type(scope)!: description` and lists its flaws; a line without flaws
//! follows Conventional Commits 1.0.0, rules 1 to 5 and 15. So the parser, the linter and the search for near misses
//! cannot disagree.

use std::borrow::Cow;

/// One way in which a line misses the form of Conventional Commits.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Flaw {
    /// There is white space before the type.
    LeadingSpace,
    /// There is white space before the scope, the `!` or the colon.
    SpaceInside,
    /// The parentheses are empty.
    EmptyScope,
    /// The scope begins or ends with white space.
    ScopeSpace,
    /// There is more than one scope.
    ManyScopes,
    /// The `!` stands before the scope.
    MarkBeforeScope,
    /// There is more than one `!`.
    ManyMarks,
    /// The colon is the full-width one.
    WideColon,
    /// The colon is not followed by a space.
    NoSpace,
    /// Nothing follows the colon.
    NoDescription,
}

impl Flaw {
    /// Returns what is wrong, as a fragment.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::LeadingSpace => "white space before the type",
            Self::SpaceInside => "white space before the colon",
            Self::EmptyScope => "an empty scope",
            Self::ScopeSpace => "white space at the edge of the scope",
            Self::ManyScopes => "more than one scope",
            Self::MarkBeforeScope => "`!` before the scope",
            Self::ManyMarks => "more than one `!`",
            Self::WideColon => "a full-width colon",
            Self::NoSpace => "no space after the colon",
            Self::NoDescription => "no description after the colon",
        }
    }
}

/// The parts of a first line.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Header<'a> {
    pub(super) kind: Cow<'a, str>,
    pub(super) scope: Option<&'a str>,
    pub(super) mark: bool,
    pub(super) description: &'a str,
    pub(super) flaws: Vec<Flaw>,
}

impl Header<'_> {
    /// Returns the line without its flaws.
    pub(super) fn repaired(&self) -> String {
        let scope = self.scope.map(|scope| format!("({scope})")).unwrap_or_default();
        let mark = if self.mark { "!" } else { "" };
        let description = if self.description.is_empty() { "<description>" } else { self.description };
        format!("{}{scope}{mark}: {description}", self.kind)
    }
}

/// Returns the parts of a line that resembles a conventional first line.
pub(super) fn scan(line: &str) -> Option<Header<'_>> {
    let mut flaws = vec![];
    let mut rest = Rest(line.trim_end());
    rest.spaces(Flaw::LeadingSpace, &mut flaws);
    let kind = rest.kind()?;
    rest.spaces(Flaw::SpaceInside, &mut flaws);
    let early = rest.marks();
    let scope = rest.scopes(&mut flaws);
    if early > 0 && scope.is_some() {
        flaws.push(Flaw::MarkBeforeScope);
    }
    rest.spaces(Flaw::SpaceInside, &mut flaws);
    let marks = early + rest.marks();
    if marks > 1 {
        flaws.push(Flaw::ManyMarks);
    }
    rest.spaces(Flaw::SpaceInside, &mut flaws);
    rest.colon(&mut flaws)?;
    let description = rest.0.trim();
    if description.is_empty() {
        flaws.push(Flaw::NoDescription);
    } else if !rest.0.starts_with(' ') {
        // `std::vec` and `http://…` are no types.
        if rest.0.starts_with([':', '/', '\\']) {
            return None;
        }
        flaws.push(Flaw::NoSpace);
    }
    Some(Header { kind, scope: scope.filter(|scope| !scope.is_empty()), mark: marks > 0, description, flaws })
}

/// What of the line is still to be read.
struct Rest<'a>(&'a str);

impl<'a> Rest<'a> {
    fn spaces(&mut self, flaw: Flaw, flaws: &mut Vec<Flaw>) {
        let trimmed = self.0.trim_start();
        if trimmed.len() < self.0.len() && !flaws.contains(&flaw) {
            flaws.push(flaw);
        }
        self.0 = trimmed;
    }

    fn kind(&mut self) -> Option<Cow<'a, str>> {
        let end = self.0.find(|c: char| !(c.is_alphanumeric() || c == '-' || c == '_'))?;
        let (kind, rest) = self.0.split_at(end);
        if !kind.starts_with(char::is_alphabetic) {
            return None;
        }
        self.0 = rest;
        let lower = kind.bytes().all(|byte| byte.is_ascii() && !byte.is_ascii_uppercase());
        Some(if lower { Cow::Borrowed(kind) } else { Cow::Owned(kind.to_lowercase()) })
    }

    fn marks(&mut self) -> usize {
        let rest = self.0.trim_start_matches('!');
        let count = self.0.len() - rest.len();
        self.0 = rest;
        count
    }

    /// Reads the scopes and returns the first, which may be empty. An open parenthesis stays unread, so no colon follows.
    fn scopes(&mut self, flaws: &mut Vec<Flaw>) -> Option<&'a str> {
        let mut first = None;
        while let Some(rest) = self.0.strip_prefix('(') {
            let Some((scope, rest)) = rest.split_once(')') else { break };
            let flaw = match (first, scope.trim()) {
                (Some(_), _) => Some(Flaw::ManyScopes),
                (None, "") => Some(Flaw::EmptyScope),
                (None, trimmed) if trimmed.len() < scope.len() => Some(Flaw::ScopeSpace),
                (None, _) => scope.contains('(').then_some(Flaw::ManyScopes),
            };
            flaws.extend(flaw.filter(|flaw| !flaws.contains(flaw)));
            first.get_or_insert(scope.trim());
            self.0 = rest;
        }
        first
    }

    fn colon(&mut self, flaws: &mut Vec<Flaw>) -> Option<()> {
        if let Some(rest) = self.0.strip_prefix('\u{ff1a}') {
            flaws.push(Flaw::WideColon);
            self.0 = rest;
            return Some(());
        }
        self.0 = self.0.strip_prefix(':')?;
        Some(())
    }
}
