//! Lines of a file of owners.

use super::Dialect;

/// What a line says.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Line {
    /// Nothing.
    Blank,
    /// Who owns what fits a pattern.
    Rule { pattern: String, owners: Vec<String> },
    /// What fits is taken out of the section.
    Excluded { pattern: String },
}

/// The head of a section.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Header {
    pub(super) name: String,
    pub(super) optional: bool,
    pub(super) count: Option<u32>,
    pub(super) owners: Vec<String>,
    /// What is wrong with it; it counts all the same.
    pub(super) flaw: Option<&'static str>,
}

/// Reads a line that is no head of a section.
pub(super) fn read(text: &str, dialect: Dialect) -> Result<Line, &'static str> {
    let text = text.trim();
    if text.is_empty() || text.starts_with('#') {
        return Ok(Line::Blank);
    }
    if dialect == Dialect::GitLab
        && let Some(pattern) = text.strip_prefix('!')
    {
        let (pattern, rest) = first(pattern);
        return match (pattern.is_empty(), rest.trim().is_empty()) {
            (false, true) => Ok(Line::Excluded { pattern: pattern.to_owned() }),
            (_, _) => Err("an exclusion is one pattern and names no owners"),
        };
    }
    let (pattern, rest) = first(text);
    let words = rest.split_whitespace();
    let owners: Vec<&str> = match dialect {
        // A comment may follow.
        Dialect::GitHub => words.take_while(|word| !word.starts_with('#')).collect(),
        Dialect::GitLab => words.collect(),
    };
    let (owners, others): (Vec<&str>, Vec<&str>) = owners.into_iter().partition(|word| is_owner(word));
    let nobody = owners.is_empty() || dialect == Dialect::GitHub;
    if !others.is_empty() && nobody {
        return Err("an owner is `@name`, `@group/team` or an address");
    }
    Ok(Line::Rule { pattern: pattern.to_owned(), owners: owners.into_iter().map(str::to_owned).collect() })
}

/// Splits a text at the first white space without a backslash.
fn first(text: &str) -> (&str, &str) {
    let mut escaped = false;
    for (at, c) in text.char_indices() {
        if c.is_whitespace() && !escaped {
            return (&text[..at], &text[at..]);
        }
        escaped = c == '\\' && !escaped;
    }
    (text, "")
}

fn is_owner(word: &str) -> bool {
    let name = word.trim_start_matches('@');
    let named = word.starts_with('@') && !name.is_empty() && !name.contains('@');
    let address = || word.split_once('@').is_some_and(|(who, host)| !who.is_empty() && !host.is_empty());
    named || (!word.starts_with('@') && address())
}

/// Reads the head of a section: `[name]`, `^[name]`, `[name][2]`, each with owners behind it.
pub(super) fn section(text: &str) -> Option<Header> {
    let text = text.trim();
    let (optional, rest) = text.strip_prefix('^').map_or((false, text), |rest| (true, rest));
    let (name, rest) = rest.strip_prefix('[')?.split_once(']')?;
    let name = name.trim();
    if name.is_empty() {
        return None;
    }
    let (count, rest) = match rest.strip_prefix('[').and_then(|rest| rest.split_once(']')) {
        Some((count, rest)) => (Some(count.trim().parse::<u32>().ok().filter(|count| *count > 0)), rest),
        None => (None, rest),
    };
    if !rest.is_empty() && !rest.starts_with(char::is_whitespace) {
        return None;
    }
    let flaw = match count {
        Some(None) => Some("the number of approvals is 1 or more"),
        Some(Some(_)) if optional => Some("an optional section wants no number of approvals"),
        Some(Some(_)) | None => None,
    };
    let owners = rest.split_whitespace().filter(|word| is_owner(word)).map(str::to_owned).collect();
    Some(Header { name: name.to_owned(), optional, count: count.flatten(), owners, flaw })
}
