//! Places in the file: line and column, and the line itself with carets under what is meant.
//!
//! Lines and columns count from 1; a column is one character (Unicode scalar value), as editors count.

use std::ops::Range;

use crate::problem::Problem;

/// How many columns of a long line are shown, and how many of them stand before the carets.
const WINDOW: usize = 100;
const BEFORE: usize = 40;

/// The text of the file and how problems name it.
#[derive(Clone, Copy)]
pub(crate) struct Source<'a> {
    pub(crate) text: &'a str,
    pub(crate) path: &'a str,
}

impl Source<'_> {
    /// Returns the start of the line that holds an offset, its number, and the column of the offset.
    fn position(self, offset: usize) -> (usize, usize, usize) {
        let before = &self.text[..self.text.floor_char_boundary(offset)];
        let start = before.rfind('\n').map_or(0, |feed| feed + 1);
        let line = before.matches('\n').count() + 1;
        // A byte order mark is no column.
        let column = before[start..].trim_start_matches('\u{feff}').chars().count() + 1;
        (start, line, column)
    }

    /// Returns a place such as `shipway.toml:3:7`.
    pub(crate) fn place(self, offset: usize) -> String {
        let (_, line, column) = self.position(offset);
        format!("{}:{line}:{column}", self.path)
    }

    /// Returns the line of a span with carets under it; a long line is cut around them.
    fn excerpt(self, span: &Range<usize>) -> [String; 2] {
        let (start, number, column) = self.position(span.start);
        let line = self.text[start..].lines().next().unwrap_or_default().trim_start_matches('\u{feff}');
        let skip = if column > WINDOW { column - BEFORE } else { 0 };
        let meant = self.text.get(span.clone()).unwrap_or_default();
        let meant = meant.lines().next().unwrap_or_default().chars().count().max(1);
        let shown = |from: usize, to: usize| -> String {
            line.chars().skip(from).take(to.saturating_sub(from)).map(visible).collect()
        };
        let gap: String = shown(skip, column - 1).chars().map(blank).collect();
        let carets: usize =
            shown(column - 1, (column - 1 + meant).min(skip + WINDOW)).chars().map(width).sum();
        let rule = " ".repeat(number.to_string().len());
        [
            format!("{number} | {}", shown(skip, skip + WINDOW)),
            format!("{rule} | {gap}{}", "^".repeat(carets.max(1))),
        ]
    }
}

/// The problems of one reading, each with its place.
pub(crate) struct Problems<'a> {
    source: Source<'a>,
    list: Vec<(usize, Problem)>,
}

impl<'a> Problems<'a> {
    /// Returns an empty list.
    pub(crate) fn new(source: Source<'a>) -> Self {
        Self { source, list: vec![] }
    }

    /// Adds a problem about a span; its place, its line and the carets are filled in.
    pub(crate) fn add(&mut self, span: &Range<usize>, problem: Problem) {
        let problem = problem.at(self.source.place(span.start)).details(self.source.excerpt(span));
        self.list.push((span.start, problem));
    }

    /// Tells whether there is none yet.
    pub(crate) fn is_empty(&self) -> bool {
        self.list.is_empty()
    }

    /// Returns the problems in the order of the file.
    pub(crate) fn sorted(mut self) -> Vec<Problem> {
        self.list.sort_by_key(|(offset, _)| *offset);
        self.list.into_iter().map(|(_, problem)| problem).collect()
    }
}

/// Returns a text of the file as a problem may show it: on one line, not long, and unable to command a terminal.
pub(crate) fn shown(text: &str) -> String {
    let mut short: String = text.chars().take(60).map(visible).collect();
    if text.chars().count() > 60 {
        short.push('…');
    }
    short
}

/// Tells whether a text stands on one line and can be shown as it is.
pub(crate) fn plain(text: &str) -> bool {
    text.chars().all(|c| c != '\t' && visible(c) == c)
}

/// Returns a character, or a stand-in for one that acts on a terminal or turns the direction of writing.
fn visible(c: char) -> char {
    match c {
        '\t' => c,
        '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}' => '\u{fffd}',
        _ if c.is_control() => '\u{fffd}',
        _ => c,
    }
}

/// Returns blanks as wide as a character; a tab stays one.
fn blank(c: char) -> &'static str {
    match (c, width(c)) {
        ('\t', _) => "\t",
        (_, 0) => "",
        (_, 1) => " ",
        _ => "  ",
    }
}

/// Returns how many columns of a terminal a character takes, after the broad blocks of Unicode Standard Annex 11.
fn width(c: char) -> usize {
    match u32::from(c) {
        0x0300..=0x036f | 0x200b..=0x200d | 0xfe00..=0xfe0f => 0,
        0x1100..=0x115f
        | 0x2e80..=0xa4cf
        | 0xac00..=0xd7a3
        | 0xf900..=0xfaff
        | 0xfe30..=0xfe6f
        | 0xff00..=0xff60
        | 0x1f300..=0x1faff
        | 0x20000..=0x3fffd => 2,
        _ => 1,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(text: &str, meant: &str, place: &str, excerpt: [&str; 2]) {
        let source = Source { text, path: "f" };
        let start = text.find(meant).unwrap();
        assert_eq!(source.place(start), place, "{text}");
        assert_eq!(source.excerpt(&(start..start + meant.len())), excerpt, "{text}");
    }

    #[test]
    fn places_are_counted_in_characters() {
        check("a = 1", "1", "f:1:5", ["1 | a = 1", "  |     ^"]);
        check("\n\nab = 12\n", "12", "f:3:6", ["3 | ab = 12", "  |      ^^"]);
        check("ä = \"ö\" # x", "# x", "f:1:9", ["1 | ä = \"ö\" # x", "  |         ^^^"]);
        check("# 世界\r\nk = 1\r\n", "k", "f:2:1", ["2 | k = 1", "  | ^"]);
        check("'世' = 1", "1", "f:1:7", ["1 | '世' = 1", "  |        ^"]);
        check("\u{feff}a = 1", "1", "f:1:5", ["1 | a = 1", "  |     ^"]);
        check("\ta = 1", "1", "f:1:6", ["1 | \ta = 1", "  | \t    ^"]);
        check("a = [1,\n2]", "[1,\n2]", "f:1:5", ["1 | a = [1,", "  |     ^^^"]);
        check("a\u{1b}[2J\u{202e} = 1", "1", "f:1:10", ["1 | a\u{fffd}[2J\u{fffd} = 1", "  |          ^"]);
    }

    #[test]
    fn the_end_of_the_text_has_a_place() {
        let source = Source { text: "a = ", path: "f" };
        assert_eq!(source.place(4), "f:1:5");
        assert_eq!(source.excerpt(&(4..4)), ["1 | a = ", "  |     ^"]);
        let empty = Source { text: "", path: "f" };
        assert_eq!(empty.excerpt(&(0..9)), ["1 | ", "  | ^"]);
    }

    #[test]
    fn a_long_line_is_cut_around_the_carets() {
        let text = format!("a = {}X{}", "ö".repeat(5000), "z".repeat(5000));
        let start = text.find('X').unwrap();
        let [line, carets] = Source { text: &text, path: "f" }.excerpt(&(start..text.len()));
        assert_eq!(line.chars().count(), WINDOW + "1 | ".len());
        assert_eq!(line.chars().position(|c| c == 'X'), carets.find('^'));
        assert_eq!(carets.len(), line.chars().count());
        assert_eq!(shown(&text).chars().count(), 61);
    }
}
