//! What a message mentions: the commits that it reverts and the issues that it speaks of.

use std::collections::HashSet;

use super::commit::{Conventional, NotConventional};

/// What a commit says it reverts.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Reverts<'a> {
    /// Object ids, full or abbreviated to seven or more digits.
    pub ids: Vec<&'a str>,
    /// The subject of the reverted commit, for when there is no id.
    pub subject: Option<&'a str>,
}

/// An issue or change request that a message mentions.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Issue<'a> {
    /// The reference as written: `#12` or `owner/name#12`.
    pub reference: &'a str,
    /// Whether the message closes it: `close`, `fix` or `resolve` in any form stands before it.
    pub closes: bool,
}

/// Returns what a message reverts, or `None` if it is no revert.
///
/// Three forms count: git's line `This reverts commit <id>`, git's subject `Revert "…"`, and the type `revert` with the
/// ids in a `Refs` footer, as Conventional Commits 1.0.0 suggests.
pub fn reverts<'a>(
    message: &'a str,
    parsed: &Result<Conventional<'a>, NotConventional<'a>>,
) -> Option<Reverts<'a>> {
    let mut found = Reverts { ids: stated_ids(message), subject: None };
    match parsed {
        Err(NotConventional::Revert(subject)) => found.subject = Some(subject),
        Ok(commit) if commit.kind == "revert" => {
            found.subject = Some(commit.description.trim_matches('"'));
            let refs = commit.footers.iter().filter(|f| f.is("Refs") || f.is("Ref") || f.is("Reverts"));
            found.ids.extend(refs.flat_map(|footer| ids(footer.value)));
        }
        Ok(_) | Err(_) if found.ids.is_empty() => return None,
        Ok(_) | Err(_) => {}
    }
    Some(found)
}

/// Returns the issues that a text mentions, each once, in order.
pub fn issues(text: &str) -> Vec<Issue<'_>> {
    let mut seen = HashSet::new();
    text.match_indices('#')
        .filter_map(|(at, _)| issue(text, at))
        .filter(|issue| seen.insert(issue.reference))
        .collect()
}

fn issue(text: &str, hash: usize) -> Option<Issue<'_>> {
    const LONGEST_NAME: usize = 140;
    let digits = text[hash + 1..].bytes().take(10).take_while(u8::is_ascii_digit).count();
    let end = hash + 1 + digits;
    if digits == 0 || text[end..].starts_with(|c: char| c.is_alphanumeric() || c == '_') {
        return None;
    }
    let is_name = |byte: &u8| byte.is_ascii_alphanumeric() || matches!(byte, b'/' | b'-' | b'_' | b'.');
    let name = text.as_bytes()[..hash].iter().rev().take(LONGEST_NAME).take_while(|b| is_name(b)).count();
    let start = hash - name;
    let owned = &text[start..hash];
    if !owned.is_empty()
        && (owned.matches('/').count() != 1 || owned.starts_with('/') || owned.ends_with('/'))
    {
        return None;
    }
    if text[..start].ends_with(|c: char| c.is_alphanumeric() || c == '#' || c == '&') {
        return None;
    }
    Some(Issue { reference: &text[start..end], closes: closes(&text[..start]) })
}

fn closes(before: &str) -> bool {
    const WORDS: &[&str] =
        &["close", "closes", "closed", "fix", "fixes", "fixed", "resolve", "resolves", "resolved"];
    let before = before.trim_end_matches([' ', ':']);
    let letters = before.bytes().rev().take(10).take_while(u8::is_ascii_alphabetic).count();
    let word = &before[before.len() - letters..];
    WORDS.iter().any(|known| known.eq_ignore_ascii_case(word))
}

fn stated_ids(message: &str) -> Vec<&str> {
    const WORDS: &str = "This reverts commit";
    let at_line_start = |at: &usize| *at == 0 || message.as_bytes()[at - 1] == b'\n';
    message
        .match_indices(WORDS)
        .map(|(at, _)| at)
        .filter(at_line_start)
        .flat_map(|at| {
            let text = message[at + WORDS.len()..].split('\n').next().unwrap_or_default();
            ids(text.strip_prefix('s').unwrap_or(text))
        })
        .collect()
}

/// Returns the ids that a list such as ` 1a2b3c4, 5d6e7f8 and 9a0b1c2.` begins with.
fn ids(list: &str) -> impl Iterator<Item = &str> {
    list.split([' ', ',', '\t', '\r', '\n', '.', ';'])
        .filter(|word| !word.is_empty() && *word != "and")
        .take_while(|word| is_id(word))
}

fn is_id(word: &str) -> bool {
    (7..=64).contains(&word.len()) && word.bytes().all(|byte| byte.is_ascii_hexdigit())
}
