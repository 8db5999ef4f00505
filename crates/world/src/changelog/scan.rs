//! Headings of a Markdown file, as far as a changelog needs them: code blocks, comments and front matter hold none.

use std::ops::Range;

/// A heading, with byte offsets into the file.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Heading {
    /// Where its first line begins.
    pub(super) start: usize,
    /// Where its text ends, without white space.
    pub(super) text_end: usize,
    /// Where its last line ends, with the line end.
    pub(super) end: usize,
    /// From 1 to 6.
    pub(super) level: usize,
    /// Its text, without the marks; bytes that are not UTF-8 become U+FFFD.
    pub(super) text: String,
}

impl Heading {
    /// Tells whether the section collects what is not released yet.
    pub(super) fn is_unreleased(&self) -> bool {
        let text = self.text.trim_start_matches(['[', ' ']);
        text.get(..10).is_some_and(|word| word.eq_ignore_ascii_case("unreleased"))
    }

    /// Returns the version that the heading names, such as `1.2.0` in `## [v1.2.0] - 2026-11-20`, or none.
    pub(super) fn version(&self) -> Option<&str> {
        let mut words = self
            .text
            .split(|c: char| c.is_whitespace() || "[]()`*,:".contains(c))
            .filter(|word| !word.is_empty());
        // Before the version there may be one word, such as the name of the project.
        [words.next()?, words.next().unwrap_or_default()].into_iter().find_map(version_in)
    }
}

/// Returns the version in a word such as `v1.2.0` or `name@1.2.0`: two numbers at least.
fn version_in(word: &str) -> Option<&str> {
    let starts = word.char_indices().filter(|(at, c)| {
        c.is_ascii_digit() && (*at == 0 || word[..*at].ends_with(['v', 'V', '@', '-', '_', '=']))
    });
    starts.map(|(at, _)| &word[at..]).find(|rest| {
        let digits = rest.bytes().take_while(u8::is_ascii_digit).count();
        let minor = rest[digits..].strip_prefix('.');
        minor.is_some_and(|minor| minor.starts_with(|c: char| c.is_ascii_digit()))
    })
}

/// Returns all headings in order, in both forms of `CommonMark` 0.31.
pub(super) fn headings(bytes: &[u8]) -> Vec<Heading> {
    let mut found: Vec<Heading> = vec![];
    let mut state = State::Text;
    let mut paragraph: Option<Range<usize>> = None;
    let mut start = body(bytes);
    for line in bytes[start..].split_inclusive(|&byte| byte == b'\n') {
        let span = start..start + line.len();
        start = span.end;
        let indent = line.iter().take_while(|&&byte| byte == b' ').count();
        let text = line.trim_ascii();
        if let Some(next) = state.after(text) {
            state = next;
            paragraph = None;
            continue;
        }
        let heading = if indent > 3 { None } else { atx(text) };
        if let Some((level, marks)) = heading {
            let from = span.start + indent + marks;
            found.push(made(bytes, span.start, from..span.start + indent + text.len(), span.end, level));
        } else if let Some(level) = underline(text)
            && let Some(before) = paragraph.take()
        {
            found.push(made(bytes, before.start, before, span.end, level));
        } else if !text.is_empty() && !text.starts_with(b"- ") && !text.starts_with(b"* ") && indent < 4 {
            paragraph = Some(span.start + indent..span.start + indent + text.len());
            continue;
        }
        paragraph = None;
    }
    found
}

fn made(bytes: &[u8], start: usize, text: Range<usize>, end: usize, level: usize) -> Heading {
    let shown = String::from_utf8_lossy(&bytes[text.clone()]).trim().trim_end_matches('#').trim().to_owned();
    Heading { start, text_end: text.end, end, level, text: shown }
}

/// What the lines are part of.
enum State {
    Text,
    Fence(u8, usize),
    Comment,
}

impl State {
    /// Returns the state after a line that holds no heading for its sake, or none for a line of text.
    fn after(&self, text: &[u8]) -> Option<Self> {
        let marks = |mark: u8| text.iter().take_while(|&&byte| byte == mark).count();
        let ends_comment = text.windows(3).any(|three| three == b"-->");
        match *self {
            Self::Comment => Some(if ends_comment { Self::Text } else { Self::Comment }),
            Self::Fence(mark, length) => {
                let closes = marks(mark) >= length && marks(mark) == text.len();
                Some(if closes { Self::Text } else { Self::Fence(mark, length) })
            }
            Self::Text if text.starts_with(b"<!--") => {
                Some(if ends_comment { Self::Text } else { Self::Comment })
            }
            Self::Text => {
                let mark = *text.first().filter(|mark| b"`~".contains(mark))?;
                let opens = marks(mark) >= 3 && !text[marks(mark)..].contains(&b'`');
                opens.then(|| Self::Fence(mark, marks(mark)))
            }
        }
    }
}

/// Returns the level of a heading and the length of its marks.
fn atx(text: &[u8]) -> Option<(usize, usize)> {
    let level = text.iter().take_while(|&&byte| byte == b'#').count();
    let ends = matches!(text.get(level), None | Some(b' ' | b'\t'));
    ((1..=6).contains(&level) && ends).then_some((level, level))
}

/// Returns the level of the heading that a line underlines.
fn underline(text: &[u8]) -> Option<usize> {
    let all = |mark: u8| text.len() > 1 && text.iter().all(|&byte| byte == mark);
    if all(b'=') { Some(1) } else { all(b'-').then_some(2) }
}

/// Returns where the text begins, after a byte order mark and front matter in YAML.
pub(super) fn body(bytes: &[u8]) -> usize {
    let start = if bytes.starts_with(b"\xef\xbb\xbf") { 3 } else { 0 };
    let mut lines = bytes[start..].split_inclusive(|&byte| byte == b'\n');
    if lines.next().map(<[u8]>::trim_ascii) != Some(b"---") {
        return start;
    }
    let mut end = start + bytes[start..].iter().position(|&byte| byte == b'\n').map_or(0, |at| at + 1);
    for line in lines {
        end += line.len();
        if line.trim_ascii() == b"---" {
            return end;
        }
    }
    start
}

/// Returns where the definitions of links at the end of the file begin, or the end of the file.
pub(super) fn definitions(bytes: &[u8]) -> usize {
    let mut start = bytes.len();
    let mut at = bytes.len();
    for line in bytes.split_inclusive(|&byte| byte == b'\n').rev() {
        at -= line.len();
        let text = line.trim_ascii();
        if text.starts_with(b"[") && text.windows(2).any(|two| two == b"]:") {
            start = at;
        } else if !text.is_empty() {
            break;
        }
    }
    start
}
