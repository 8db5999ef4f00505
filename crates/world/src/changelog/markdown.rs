//! Texts of commits as Markdown (`CommonMark` 0.31): what authors wrote stays readable, but cannot leave its list item,
//! start HTML or load an image, and carries no control characters.

use super::Forge;

/// Longer texts are cut: a changelog is for people.
const MAX_LINE: usize = 1_000;
const MAX_BLOCK: usize = 20_000;

/// Returns a text without control characters and direction marks, which could make it look like another one.
pub(super) fn plain(text: &str) -> String {
    clean(text, MAX_LINE)
}

/// Returns a scope, to stand between asterisks.
pub(super) fn scope(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in clean(text, MAX_LINE).trim().chars() {
        if "\\`*[]<".contains(c) {
            out.push('\\');
        }
        out.push(c);
    }
    out
}

/// Returns a description as one line, and the issues that it names; where there is a forge they are links.
pub(super) fn description(text: &str, forge: Option<&Forge>) -> (String, Vec<String>) {
    let text = clean(text, MAX_LINE);
    let text = text.trim();
    let mut line = Line { out: String::with_capacity(text.len() + 8), forge, named: vec![] };
    let first = line.start(text);
    line.inline(&text[first..]);
    (line.out, line.named)
}

/// Returns the text of a footer as lines that may hold lists, quotes and fenced code, but no headings.
pub(super) fn block(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut fence: Option<(char, usize)> = None;
    let mut left = MAX_BLOCK;
    for raw in text.trim_end().trim_start_matches(['\n', '\r']).lines() {
        if left == 0 {
            out.push('…');
            break;
        }
        let raw = clean(raw, left);
        let line = raw.trim_end();
        left = left.saturating_sub(line.len() + 1);
        let trimmed = line.trim_start();
        let marks = run(trimmed).filter(|(mark, length)| "`~".contains(*mark) && *length >= 3);
        match (fence, marks) {
            (None, Some((mark, length))) if !trimmed[length..].contains(mark) => fence = Some((mark, length)),
            (Some((mark, length)), Some((other, closing)))
                if mark == other && closing >= length && trimmed.len() == closing =>
            {
                fence = None;
            }
            (None, _) => {
                out.push_str(&line[..line.len() - trimmed.len()]);
                let heading = run(trimmed).is_some_and(|(mark, length)| {
                    mark == '#' || ("=-".contains(mark) && length == trimmed.len())
                });
                if heading {
                    out.push('\\');
                }
                let mut inline = Line { out: std::mem::take(&mut out), forge: None, named: vec![] };
                inline.inline(trimmed);
                out = inline.out;
                out.push('\n');
                continue;
            }
            (Some(_), _) => {}
        }
        out.push_str(line);
        out.push('\n');
    }
    out.truncate(out.trim_end().len());
    out
}

/// Returns the first character and how often it stands there in a row.
fn run(text: &str) -> Option<(char, usize)> {
    let first = text.chars().next()?;
    Some((first, text.chars().take_while(|c| *c == first).count()))
}

/// Returns a text in which white space is a space and every other control character is U+FFFD, cut to a length.
fn clean(text: &str, max: usize) -> String {
    let mut out: String = text
        .chars()
        .take(max)
        .map(|c| match c {
            '\t' | '\n' | '\r' | '\u{85}' | '\u{2028}' | '\u{2029}' => ' ',
            '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}' | '\u{200e}' | '\u{200f}' | '\u{feff}' => {
                '\u{fffd}'
            }
            c if c.is_control() => '\u{fffd}',
            c => c,
        })
        .collect();
    if text.chars().nth(max).is_some() {
        out.push('…');
    }
    out
}

/// A line of Markdown in the making.
struct Line<'a> {
    out: String,
    forge: Option<&'a Forge>,
    named: Vec<String>,
}

impl Line<'_> {
    /// Escapes what would start a block at the beginning of a list item; returns how many bytes it has dealt with.
    fn start(&mut self, text: &str) -> usize {
        let Some((mark, length)) = run(text) else { return 0 };
        let alone = |rest: &str| rest.is_empty() || rest.starts_with(' ');
        let digits = text.bytes().take_while(u8::is_ascii_digit).count();
        let rule = text.chars().all(|c| c == mark || c == ' ');
        let starts = match mark {
            '#' => alone(&text[length..]),
            '-' | '+' | '*' | '_' => alone(&text[1..]) || rule,
            '>' => true,
            '~' => length >= 3,
            '[' => text.contains("]:"),
            _ => false,
        };
        if starts {
            self.out.push('\\');
            self.out.push(mark);
            return mark.len_utf8();
        }
        if digits > 0 && text[digits..].starts_with(['.', ')']) && alone(&text[digits + 1..]) {
            self.out.push_str(&text[..digits]);
            self.out.push('\\');
            return digits;
        }
        0
    }

    /// Adds a text with its code spans as they are, and the rest escaped.
    fn inline(&mut self, text: &str) {
        let mut at = 0;
        while at < text.len() {
            let rest = &text[at..];
            let next = rest.find(['`', '\\', '<', '!', '#']).unwrap_or(rest.len());
            self.out.push_str(&rest[..next]);
            at += next;
            let rest = &text[at..];
            at += match rest.as_bytes().first() {
                Some(b'`') => self.code(rest),
                Some(b'\\') => self.backslash(rest),
                Some(b'#') => self.issue(rest),
                Some(b'!') if !rest.starts_with("![") => self.keep(&rest[..1]),
                Some(_) => {
                    self.out.push('\\');
                    self.keep(&rest[..1])
                }
                None => 0,
            };
        }
    }

    fn keep(&mut self, text: &str) -> usize {
        self.out.push_str(text);
        text.len()
    }

    /// Adds a code span, or escaped backticks if it does not end.
    fn code(&mut self, rest: &str) -> usize {
        let ticks = |text: &str| text.bytes().take_while(|&byte| byte == b'`').count();
        let length = ticks(rest);
        let mut at = length;
        while let Some(next) = rest[at..].find('`') {
            at += next;
            let closing = ticks(&rest[at..]);
            at += closing;
            if closing == length {
                return self.keep(&rest[..at]);
            }
        }
        self.out.push_str(&"\\`".repeat(length));
        length
    }

    /// Adds a backslash with what it escapes; at the end it stands for itself.
    fn backslash(&mut self, rest: &str) -> usize {
        match rest.as_bytes().get(1) {
            None => {
                self.out.push_str("\\\\");
                1
            }
            Some(next) if next.is_ascii_punctuation() => self.keep(&rest[..2]),
            Some(_) => self.keep(&rest[..1]),
        }
    }

    /// Adds a reference to an issue such as `#12` as a link, unless it is part of a word, an address or a link.
    fn issue(&mut self, rest: &str) -> usize {
        let digits = rest[1..].bytes().take_while(u8::is_ascii_digit).count();
        let after = rest[1 + digits..].chars().next();
        let before = self.out.chars().next_back();
        let inside = before.is_some_and(|c| c.is_alphanumeric() || "/&#[-_".contains(c));
        if digits == 0 || digits > 9 || inside || after.is_some_and(|c| c.is_alphanumeric() || c == '_') {
            return self.keep(&rest[..1]);
        }
        let id = &rest[..=digits];
        match self.forge.and_then(|forge| forge.issue_url(id)) {
            Some(url) => {
                for part in ["[", id, "](", &url, ")"] {
                    self.out.push_str(part);
                }
            }
            None => self.out.push_str(id),
        }
        self.named.push(id.to_owned());
        id.len()
    }
}
