//! Conventional Commits 1.0.0: the one parser for lint, version and notes.
//!
//! Everything is borrowed from the message, and each byte is looked at a constant number of times, so that a whole
//! history is parsed in little more time than it takes to read it. Slices over several lines keep their CR LF; the
//! cleaning of [`super::text`] takes the CR away.

use std::borrow::Cow;

use super::header::{self, Flaw};

/// A commit message that follows Conventional Commits 1.0.0.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Conventional<'a> {
    /// The type in lower case, because types are case-insensitive (rule 15).
    pub kind: Cow<'a, str>,
    /// The scope without its parentheses.
    pub scope: Option<&'a str>,
    /// Whether there is a `!` or a breaking footer, whatever the type.
    pub breaking: bool,
    /// The text of the first breaking footer; a `!` alone has none (rule 13).
    pub breaking_text: Option<&'a str>,
    /// What follows the colon.
    pub description: &'a str,
    /// What stands between the description and the footers, without blank lines around it.
    pub body: Option<&'a str>,
    /// The footers in order.
    pub footers: Vec<Footer<'a>>,
}

/// A footer of a message: `Token: value` or `Token #value`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Footer<'a> {
    /// The token as written.
    pub token: &'a str,
    /// What separates token and value.
    pub separator: Separator,
    /// The value, which may span lines and paragraphs (rule 10).
    pub value: &'a str,
    /// The footer as written, from its token to the end of its value.
    pub text: &'a str,
}

/// What separates the token and the value of a footer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Separator {
    /// A colon and a space.
    Colon,
    /// A space and a `#`; the `#` is not part of the value.
    Hash,
}

/// Why a message does not follow Conventional Commits.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum NotConventional<'a> {
    /// It has no text.
    Empty,
    /// It is the default text of a merge by git or a forge.
    Merge,
    /// It is git's default text of a revert, `Revert "…"` or `Reapply "…"`; the text is the quoted subject.
    Revert(&'a str),
    /// It is a `fixup!`, `squash!` or `amend!` commit; the text is the subject of the commit that it is for.
    Autosquash(&'a str),
    /// The first line does not resemble `type: description`.
    NoType,
    /// The first line resembles it.
    Flawed(Vec<Flaw>),
}

impl<'a> Footer<'a> {
    fn end(&mut self, rest: &'a str, start: usize, (value, end): (usize, usize)) {
        self.text = rest[start..end].trim();
        self.value = rest[value..end].trim();
    }

    /// Tells whether the token is the given one; case does not matter (rule 15).
    pub fn is(&self, token: &str) -> bool {
        self.token.eq_ignore_ascii_case(token)
    }

    /// Tells whether the footer marks a breaking change (rules 12, 15 and 16: upper case, a colon and a text).
    pub fn is_breaking(&self) -> bool {
        matches!(self.token, "BREAKING CHANGE" | "BREAKING-CHANGE")
            && self.separator == Separator::Colon
            && !self.value.is_empty()
    }
}

impl<'a> Conventional<'a> {
    /// Returns the texts of all breaking footers, or the description when only a `!` says it (rule 13).
    pub fn breaking_texts(&self) -> Vec<&'a str> {
        let texts: Vec<_> = self.footers.iter().filter(|f| f.is_breaking()).map(|f| f.value).collect();
        if texts.is_empty() && self.breaking { vec![self.description] } else { texts }
    }

    /// Returns the value of the last `Release-As` footer, which need not be a version.
    pub fn release_as(&self) -> Option<&'a str> {
        self.footers.iter().rev().find(|footer| footer.is("Release-As")).map(|footer| footer.value)
    }
}

/// Returns the parts of a commit message, or why it does not follow Conventional Commits 1.0.0.
///
/// Blank lines before the first line are skipped. Comment lines are text, as in `git log`; for the file of a
/// `commit-msg` hook see [`without_comments`].
pub fn parse(message: &str) -> Result<Conventional<'_>, NotConventional<'_>> {
    let (line, rest) = first_line(message);
    if let Some(known) = default_text(line) {
        return Err(known);
    }
    let header = header::scan(line).ok_or(NotConventional::NoType)?;
    if !header.flaws.is_empty() {
        return Err(NotConventional::Flawed(header.flaws));
    }
    let (body, footers) = body_and_footers(rest);
    let breaking_text = footers.iter().find(|footer| footer.is_breaking()).map(|footer| footer.value);
    Ok(Conventional {
        kind: header.kind,
        scope: header.scope,
        breaking: header.mark || breaking_text.is_some(),
        breaking_text,
        description: header.description,
        body,
        footers,
    })
}

/// Returns a message as a changelog tells it: what [`parse`] says, and git's default text of a revert as the type
/// `revert`. Nothing else that does not follow Conventional Commits is told.
pub fn told(message: &str) -> Option<Conventional<'_>> {
    let subject = match parse(message) {
        Ok(commit) => return Some(commit),
        Err(NotConventional::Revert(subject)) => subject,
        Err(_) => return None,
    };
    let (line, _) = first_line(message);
    // What is reapplied is not reverted: only the whole line says so.
    let description = if line.starts_with("Revert") { subject } else { line };
    Some(Conventional {
        kind: Cow::Borrowed("revert"),
        scope: None,
        breaking: false,
        breaking_text: None,
        description,
        body: None,
        footers: vec![],
    })
}

/// Returns the first line that is not blank, without its end, and all that follows it.
pub fn first_line(message: &str) -> (&str, &str) {
    let mut rest = message;
    while !rest.is_empty() {
        let (line, next) = rest.split_once('\n').unwrap_or((rest, ""));
        if !is_blank(line) {
            return (line.trim_end(), next);
        }
        rest = next;
    }
    ("", "")
}

/// Returns the message without comment lines, and without everything from git's scissors line on.
pub fn without_comments(text: &str) -> Cow<'_, str> {
    if !text.lines().any(|line| line.starts_with('#')) {
        return Cow::Borrowed(text);
    }
    let mut out = String::with_capacity(text.len());
    for (_, line) in uncommented(text) {
        out.push_str(line);
        out.push('\n');
    }
    Cow::Owned(out)
}

/// Returns the lines that git keeps of the file it gives to a `commit-msg` hook, with their numbers from 1.
pub(super) fn uncommented(text: &str) -> impl Iterator<Item = (usize, &str)> {
    text.lines()
        .enumerate()
        .take_while(|(_, line)| !(line.starts_with('#') && line.contains("------ >8 ------")))
        .filter(|(_, line)| !line.starts_with('#'))
        .map(|(index, line)| (index + 1, line))
}

/// Returns what a text is that git or a forge writes by default.
fn default_text(line: &str) -> Option<NotConventional<'_>> {
    if line.is_empty() {
        return Some(NotConventional::Empty);
    }
    if let Some(target) = ["fixup! ", "squash! ", "amend! "].iter().find_map(|word| line.strip_prefix(word)) {
        return Some(NotConventional::Autosquash(target.trim()));
    }
    let quoted = line.strip_prefix("Revert \"").or_else(|| line.strip_prefix("Reapply \""));
    if let Some((subject, _)) = quoted.and_then(|text| text.rsplit_once('"')) {
        return Some(NotConventional::Revert(subject));
    }
    is_merge(line).then_some(NotConventional::Merge)
}

fn is_merge(line: &str) -> bool {
    const OBJECTS: &[&str] =
        &["branch", "branches", "tag", "tags", "commit", "commits", "remote-tracking", "pull", "PR", "in"];
    let Some(rest) = line.strip_prefix("Merge ").or_else(|| line.strip_prefix("Merged ")) else {
        return false;
    };
    let word = rest.split(' ').next().unwrap_or_default();
    OBJECTS.contains(&word) || rest.contains(" into ")
}

pub(super) fn is_blank(line: &str) -> bool {
    line.bytes().all(|byte| byte.is_ascii_whitespace())
}

/// Splits what follows the first line. Footers begin after a blank line and then go on to the end (rules 8 to 10).
fn body_and_footers(rest: &str) -> (Option<&str>, Vec<Footer<'_>>) {
    let mut footers: Vec<Footer<'_>> = vec![];
    let (mut body_end, mut start, mut value_start) = (rest.len(), 0, 0);
    let (mut at, mut after_blank) = (0, false);
    for line in rest.split_inclusive('\n') {
        if (after_blank || !footers.is_empty())
            && let Some((token, separator, skip)) = footer_start(line)
        {
            match footers.last_mut() {
                Some(open) => open.end(rest, start, (value_start, at)),
                None => body_end = at,
            }
            footers.push(Footer { token, separator, value: "", text: "" });
            (start, value_start) = (at, at + skip);
        }
        after_blank = is_blank(line);
        at += line.len();
    }
    if let Some(open) = footers.last_mut() {
        open.end(rest, start, (value_start, rest.len()));
    }
    let body = rest[..body_end].trim();
    ((!body.is_empty()).then_some(body), footers)
}

/// Returns the token and separator that begin a line, and how many bytes they take.
fn footer_start(line: &str) -> Option<(&str, Separator, usize)> {
    const SPACED: &str = "BREAKING CHANGE";
    let end = if line.starts_with(SPACED) {
        SPACED.len()
    } else {
        line.find(|c: char| !(c.is_alphanumeric() || c == '-'))?
    };
    let (token, rest) = line.split_at(end);
    if !token.starts_with(char::is_alphabetic) {
        return None;
    }
    if rest.starts_with(": ") {
        return Some((token, Separator::Colon, end + 2));
    }
    if rest
        .strip_prefix(" #")
        .is_some_and(|value| !value.starts_with(char::is_whitespace) && !value.is_empty())
    {
        return Some((token, Separator::Hash, end + 2));
    }
    // git strips the space at the end of a line, so a text that begins on the next line leaves only the colon.
    let alone = rest.strip_prefix(':').is_some_and(is_blank);
    (alone && matches!(token, "BREAKING CHANGE" | "BREAKING-CHANGE")).then_some((
        token,
        Separator::Colon,
        end + 1,
    ))
}
