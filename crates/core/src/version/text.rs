//! Foreign text made harmless: what strangers wrote must not steer a terminal or a changelog.

use std::borrow::Cow;
use std::fmt::Write as _;

/// Returns the text with control characters, terminal escapes and invisible direction marks as visible signs.
///
/// Line feed and tab stay, CR LF becomes LF. C0 controls become their Unicode control pictures (U+2400 block), all
/// others their number, such as `<U+202E>`. A text without any of them is borrowed.
pub fn clean(text: &str) -> Cow<'_, str> {
    let Some(first) = text.find(|c| c != '\n' && c != '\t' && is_foul(c)) else {
        return Cow::Borrowed(text);
    };
    let mut out = String::with_capacity(text.len() + 8);
    out.push_str(&text[..first]);
    let mut chars = text[first..].chars().peekable();
    while let Some(c) = chars.next() {
        match c {
            '\n' | '\t' => out.push(c),
            '\r' if chars.peek() == Some(&'\n') => {}
            _ => push(&mut out, c),
        }
    }
    Cow::Owned(out)
}

/// Returns the text as one harmless line: as [`clean`], with each run of line ends and tabs as one space.
pub fn clean_line(text: &str) -> Cow<'_, str> {
    let text = text.trim();
    if !text.contains(is_foul) {
        return Cow::Borrowed(text);
    }
    let mut out = String::with_capacity(text.len() + 8);
    for c in text.chars() {
        match c {
            '\n' | '\t' | '\r' if out.ends_with(' ') => {}
            '\n' | '\t' | '\r' => out.push(' '),
            _ => push(&mut out, c),
        }
    }
    Cow::Owned(out)
}

/// Returns the text as one harmless line of at most `limit` characters, the last one `…` if something was cut.
pub fn excerpt(text: &str, limit: usize) -> String {
    // A character takes four bytes at most, so the rest of a huge text need not be looked at.
    let mut end = text.len().min(limit.saturating_mul(8));
    while !text.is_char_boundary(end) {
        end -= 1;
    }
    let line = clean_line(&text[..end]);
    let cut = end < text.len() && !text[end..].trim().is_empty();
    match line.char_indices().nth(limit.saturating_sub(1)) {
        Some((at, c)) if cut || at + c.len_utf8() < line.len() => format!("{}…", &line[..at]),
        None if cut => format!("{line}…"),
        Some(_) | None => line.into_owned(),
    }
}

/// Returns the first seven characters of an object id, as git shows it to people.
pub fn short(id: &str) -> &str {
    id.get(..7).unwrap_or(id)
}

fn push(out: &mut String, c: char) {
    match c {
        '\0'..='\u{1f}' => out.push(char::from_u32(0x2400 + u32::from(c)).unwrap_or('\u{fffd}')),
        '\u{7f}' => out.push('\u{2421}'),
        _ if is_foul(c) => {
            let _ = write!(out, "<U+{:04X}>", u32::from(c));
        }
        _ => out.push(c),
    }
}

/// Tells whether a character can steer a terminal, reorder a line or hide text in it.
pub(super) fn is_foul(c: char) -> bool {
    matches!(c,
        '\0'..='\u{1f}' | '\u{7f}'..='\u{9f}' | '\u{61c}' | '\u{200e}' | '\u{200f}' | '\u{2028}'..='\u{202e}'
        | '\u{2066}'..='\u{2069}' | '\u{feff}' | '\u{fff9}'..='\u{fffb}' | '\u{e0000}'..='\u{e007f}')
}
