//! Near misses: lines that other tools, or their authors, take for a mark of a change, and the specification does not.
//!
//! A line counts only when it would raise the version further than its commit does, because only then can the release
//! be wrong. Merge and `fixup!` commits have none: their text speaks of commits that are read themselves.

use serde::Serialize;

use super::bump::Bump;
use super::commit::{Conventional, NotConventional, is_blank, parse};
use super::header::{self, Flaw, Header};
use super::text::excerpt;

/// How many near misses of one commit are looked for.
const MOST: usize = 5;

/// The types that Conventional Commits and its most used preset name.
pub const KINDS: &[&str] =
    &["feat", "fix", "perf", "revert", "build", "chore", "ci", "docs", "refactor", "style", "test"];

/// A line that almost marks a change.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct NearMiss {
    /// The id of the commit.
    pub commit: String,
    /// The line of the message, from 1.
    pub line: usize,
    /// The line as it is, made harmless and cut to a hundred characters.
    pub seen: String,
    /// What is wrong with it.
    pub slip: Slip,
    /// What it would have asked for.
    pub would: Bump,
    /// How the line is written to count.
    pub fix: String,
}

/// What is wrong with a line that almost marks a change.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Slip {
    /// The first line resembles `type: description`.
    FirstLine,
    /// The words are not exactly `BREAKING CHANGE: ` or `BREAKING-CHANGE: `.
    Words,
    /// The words are right, and no colon follows.
    NoColon,
    /// The footer has no text.
    NoText,
    /// There is no blank line before the footer.
    NoBlankLine,
    /// The footer does not begin at the start of its line.
    NotAtStart,
    /// A line of a squashed commit asks for more than the title.
    Squashed,
}

impl Slip {
    /// Returns what is wrong, as a fragment.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::FirstLine => "the first line is almost `type: description`",
            Self::Words => "the words are not exactly `BREAKING CHANGE: `",
            Self::NoColon => "no colon after `BREAKING CHANGE`",
            Self::NoText => "no text after `BREAKING CHANGE:`",
            Self::NoBlankLine => "no blank line before the footer",
            Self::NotAtStart => "the footer is not at the start of its line",
            Self::Squashed => "a line of the body asks for more than the title",
        }
    }
}

/// Returns the near misses of a commit message, five at most.
pub fn near_misses(commit: &str, message: &str) -> Vec<NearMiss> {
    find(commit, message, &parse(message))
}

/// Returns the near misses of a message that is parsed already.
pub(super) fn find(
    commit: &str,
    message: &str,
    parsed: &Result<Conventional<'_>, NotConventional<'_>>,
) -> Vec<NearMiss> {
    let (mut bump, squash) = match parsed {
        Ok(commit) => (Bump::of(commit), commit.kind != "revert" && !of_dependencies(commit)),
        Err(NotConventional::Merge | NotConventional::Autosquash(_) | NotConventional::Empty) => {
            return vec![];
        }
        Err(NotConventional::Revert(_)) => (Some(Bump::Patch), false),
        Err(NotConventional::NoType | NotConventional::Flawed(_)) => (None, true),
    };
    let mut found = vec![];
    let mut note = |line: usize, text: &str, (slip, would, fix): (Slip, Bump, String)| {
        let seen = excerpt(text, 100);
        found.push(NearMiss { commit: commit.to_owned(), line, seen, slip, would, fix });
        found.len() < MOST
    };
    let mut lines = message.lines().enumerate().map(|(index, line)| (index + 1, line));
    let Some((number, title)) = lines.find(|(_, line)| !is_blank(line)) else { return vec![] };
    if let Err(NotConventional::Flawed(flaws)) = parsed
        && let Some(miss) = flawed(title, flaws)
    {
        bump = Some(miss.1);
        note(number, title, miss);
    }
    let shouts = message.contains(" BREAKING");
    let mut after_blank = false;
    for (number, line) in std::iter::once((number, title)).chain(lines) {
        // Bots quote the release notes of others in HTML; those say nothing about this project.
        if bump == Some(Bump::Major) || is_html(line) {
            break;
        }
        let miss = breaking(line, after_blank, shouts)
            .or_else(|| squashed(line).filter(|(_, would, _)| squash && Some(*would) > bump));
        if let Some(miss) = miss
            && !note(number, line, miss)
        {
            break;
        }
        after_blank = is_blank(line);
    }
    found
}

/// Tells whether a commit raises dependencies, so that the lists in its body may be theirs.
fn of_dependencies(commit: &Conventional<'_>) -> bool {
    commit.scope.is_some_and(|scope| scope.starts_with("deps"))
}

fn is_html(line: &str) -> bool {
    let name = line.strip_prefix('<').map(|rest| rest.trim_start_matches('/'));
    name.is_some_and(|name| name.starts_with(|c: char| c.is_ascii_alphabetic()) && name.contains('>'))
}

/// Returns what a flawed first line would have asked for.
fn flawed(line: &str, flaws: &[Flaw]) -> Option<(Slip, Bump, String)> {
    let header = header::scan(line)?;
    let would = known(&header)?;
    let flaws: Vec<_> = flaws.iter().map(|flaw| flaw.as_str()).collect();
    Some((Slip::FirstLine, would, format!("`{}` ({})", excerpt(&header.repaired(), 80), flaws.join(", "))))
}

/// Returns what a line of a known type asks for.
fn known(header: &Header<'_>) -> Option<Bump> {
    if !KINDS.contains(&&*header.kind) {
        return None;
    }
    if header.mark { Some(Bump::Major) } else { Bump::of_kind(&header.kind) }
}

/// Tells whether a line ends with the id of a commit in parentheses.
fn names_commit(line: &str) -> bool {
    let id = line.trim_end().strip_suffix(')').and_then(|line| line.rsplit_once(" (")).map(|(_, id)| id);
    id.is_some_and(|id| (7..=64).contains(&id.len()) && id.bytes().all(|byte| byte.is_ascii_hexdigit()))
}

/// Returns what a line of a body asks for that is written like a first line, as squashed commits are listed.
fn squashed(line: &str) -> Option<(Slip, Bump, String)> {
    let text = line.trim_start();
    let item = ["* ", "- ", "+ "].iter().find_map(|bullet| text.strip_prefix(bullet));
    let text = item.unwrap_or(line);
    // A release lists the commits that it holds, which are there to be read and ask for themselves.
    if names_commit(text) {
        return None;
    }
    // Most lines are prose; the first letters tell.
    let letters = text.bytes().take_while(u8::is_ascii_alphabetic).count();
    KINDS.iter().find(|kind| **kind != "revert" && kind.eq_ignore_ascii_case(&text[..letters]))?;
    let header = header::scan(text).filter(|header| header.flaws.is_empty())?;
    let title = excerpt(&header.repaired(), 80);
    Some((Slip::Squashed, known(&header)?, format!("`{title}` as the title")))
}

/// Returns the slip of a line that says it breaks something, in a message that does not.
///
/// `shouts` says whether the words in capitals can be in the middle of a line at all, which is dear to look for.
fn breaking(line: &str, after_blank: bool, shouts: bool) -> Option<(Slip, Bump, String)> {
    let start = line.trim_start_matches([' ', '\t', '*', '-', '+', '>', '#', '_']);
    let (slip, text) = match Words::at(start) {
        Some(words) => (words.slip(start.len() == line.len(), after_blank)?, words.text()),
        None if shouts => (Slip::NotAtStart, inside(line)?),
        None => return None,
    };
    let text = if text.is_empty() { "<what breaks, and what to do>".to_owned() } else { excerpt(text, 80) };
    Some((slip, Bump::Major, format!("`BREAKING CHANGE: {text}` on a line of its own after a blank line")))
}

/// Returns the text after a footer that stands in the middle of a line and is not quoted.
fn inside(line: &str) -> Option<&str> {
    let (before, rest) = line.split_once(" BREAKING")?;
    let rest = rest.strip_prefix([' ', '-'])?.strip_prefix("CHANGE")?;
    let rest = rest.strip_prefix('S').unwrap_or(rest).strip_prefix(": ")?;
    (!before.ends_with(['`', '"', '\''])).then(|| rest.trim())
}

/// The words `breaking change` in any spelling at the start of a text.
struct Words<'a> {
    exact: bool,
    upper: bool,
    rest: &'a str,
}

impl<'a> Words<'a> {
    fn at(text: &'a str) -> Option<Self> {
        let (first, rest) = split_word(text, "breaking")?;
        if first == "BREAKING" && rest.starts_with(':') {
            return Some(Self { exact: false, upper: true, rest });
        }
        let gap = rest.strip_prefix([' ', '-', '_'])?;
        let (second, rest) = split_word(gap.trim_start_matches(' '), "change")?;
        let upper = first == "BREAKING" && second == "CHANGE";
        let single = rest.len() + "BREAKING CHANGE".len() == text.len();
        let (plural, rest) = rest.strip_prefix(['s', 'S']).map_or((false, rest), |rest| (true, rest));
        // Emphasis closes here: `**BREAKING CHANGE**: text`.
        let bare = rest.trim_start_matches(['*', '_']);
        let spaced = bare.starts_with(": ") || bare.strip_prefix(':').is_some_and(is_blank);
        let exact = upper && single && !plural && !text["BREAKING".len()..].starts_with('_') && spaced;
        Some(Self { exact: exact && bare.len() == rest.len(), upper, rest: bare })
    }

    fn slip(&self, at_start: bool, after_blank: bool) -> Option<Slip> {
        let colon = self.rest.trim_start().starts_with([':', '\u{ff1a}']);
        match (self.exact, colon) {
            (true, _) if !at_start => Some(Slip::NotAtStart),
            (true, _) if after_blank || self.text().is_empty() => Some(Slip::NoText),
            (true, _) => Some(Slip::NoBlankLine),
            (false, true) => Some(Slip::Words),
            (false, false) if self.upper && !self.rest.starts_with(char::is_alphanumeric) => {
                Some(Slip::NoColon)
            }
            (false, false) => None,
        }
    }

    fn text(&self) -> &'a str {
        self.rest.trim_start_matches([' ', ':', '\u{ff1a}', '*', '_']).trim_end()
    }
}

/// Splits off a word in any case.
fn split_word<'a>(text: &'a str, word: &str) -> Option<(&'a str, &'a str)> {
    let first = text.get(..word.len())?;
    first.eq_ignore_ascii_case(word).then(|| text.split_at(word.len()))
}
