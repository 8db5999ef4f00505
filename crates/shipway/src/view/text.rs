//! Foreign text made harmless, its width on screen, and the few words that need grammar.
//!
//! No colour is here; that is [`super::paint`].

use std::borrow::Cow;
use std::fmt::{self, Write as _};
use std::time::Duration;

/// The width that a tab is drawn with.
const TAB: &str = "    ";

/// Returns the text as one harmless line: control characters, terminal escapes and marks that hide or reorder text
/// become visible signs; each run of line ends and tabs becomes one space.
pub fn clean(text: &str) -> Cow<'_, str> {
    let text = text.trim_end_matches(['\n', '\r']);
    if !text.contains(is_foul) {
        return Cow::Borrowed(text);
    }
    let mut out = String::with_capacity(text.len() + 8);
    for c in text.chars() {
        match c {
            '\n' | '\r' | '\t' if out.ends_with(' ') => {}
            '\n' | '\r' | '\t' => out.push(' '),
            _ => push(&mut out, c),
        }
    }
    Cow::Owned(out)
}

/// Returns the lines of a text, each harmless, with tabs as spaces.
pub fn lines(text: &str) -> impl Iterator<Item = String> {
    text.lines().map(|line| {
        let line =
            if line.contains('\t') { Cow::Owned(line.replace('\t', TAB)) } else { Cow::Borrowed(line) };
        clean(&line).into_owned()
    })
}

/// Tells whether a character can steer a terminal, reorder a line or hide text in it.
pub fn is_foul(c: char) -> bool {
    matches!(c,
        '\0'..='\u{1f}' | '\u{7f}'..='\u{9f}' | '\u{61c}' | '\u{200b}' | '\u{200e}' | '\u{200f}'
        | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{2069}' | '\u{feff}' | '\u{fff9}'..='\u{fffb}'
        | '\u{e0000}'..='\u{e007f}')
}

fn push(out: &mut String, c: char) {
    match c {
        // The block of control pictures mirrors the control characters.
        '\0'..='\u{1f}' => out.push(char::from_u32(0x2400 + u32::from(c)).unwrap_or('\u{fffd}')),
        '\u{7f}' => out.push('\u{2421}'),
        _ if is_foul(c) => {
            put(out, format_args!("<U+{:04X}>", u32::from(c)));
        }
        _ => out.push(c),
    }
}

/// Ranges that take two columns: East Asian wide and fullwidth (UAX #11), and pictographs.
const WIDE: &[(u32, u32)] = &[
    (0x1100, 0x115f),
    (0x231a, 0x231b),
    (0x23e9, 0x23ec),
    (0x2614, 0x2615),
    (0x2648, 0x2653),
    (0x26a1, 0x26a1),
    (0x2705, 0x2705),
    (0x2728, 0x2728),
    (0x274c, 0x274c),
    (0x2753, 0x2757),
    (0x2795, 0x2797),
    (0x2b50, 0x2b50),
    (0x2e80, 0x303e),
    (0x3041, 0x33ff),
    (0x3400, 0x4dbf),
    (0x4e00, 0x9fff),
    (0xa000, 0xa4cf),
    (0xa960, 0xa97f),
    (0xac00, 0xd7a3),
    (0xf900, 0xfaff),
    (0xfe30, 0xfe6f),
    (0xff00, 0xff60),
    (0xffe0, 0xffe6),
    (0x1f004, 0x1f004),
    (0x1f18e, 0x1f18e),
    (0x1f191, 0x1f19a),
    (0x1f200, 0x1f64f),
    (0x1f680, 0x1f6ff),
    (0x1f7e0, 0x1f7eb),
    (0x1f900, 0x1f9ff),
    (0x1fa70, 0x1faff),
    (0x20000, 0x3fffd),
];

/// Ranges that take no column of their own: joiners, variation selectors and combining marks.
const NONE: &[(u32, u32)] = &[
    (0x300, 0x36f),
    (0x483, 0x489),
    (0x591, 0x5bd),
    (0x610, 0x61a),
    (0x64b, 0x65f),
    (0x1ab0, 0x1aff),
    (0x1dc0, 0x1dff),
    (0x200c, 0x200d),
    (0x20d0, 0x20ff),
    (0x3099, 0x309a),
    (0xfe00, 0xfe0f),
    (0xfe20, 0xfe2f),
];

fn columns_of(c: char) -> usize {
    let within = |ranges: &[(u32, u32)]| ranges.iter().any(|(low, high)| (*low..=*high).contains(&c.into()));
    match c {
        ' '..='\u{2ff}' => 1,
        _ if within(NONE) => 0,
        _ if within(WIDE) => 2,
        _ => 1,
    }
}

/// Returns how many columns a harmless text takes on a terminal.
pub fn width(text: &str) -> usize {
    text.chars().map(columns_of).sum()
}

/// Returns the text cut to at most `columns`, with `…` at its end if something was cut.
pub fn fit(text: &str, columns: usize) -> Cow<'_, str> {
    if width(text) <= columns {
        return Cow::Borrowed(text);
    }
    let mut used = 1;
    let mut out = String::new();
    for c in text.chars() {
        used += columns_of(c);
        if used > columns {
            break;
        }
        out.push(c);
    }
    if columns > 0 {
        out.push('…');
    }
    Cow::Owned(out)
}

/// Returns a span of time in its two largest units, such as `38ms`, `0.2s`, `12s`, `5m`, `1m 5s` or `3d 4h`.
pub fn span(time: Duration) -> String {
    let ms = time.as_millis();
    let seconds = time.as_secs();
    let pair = |large: u64, unit: &str, small: u64, part: &str| {
        if small == 0 { format!("{large}{unit}") } else { format!("{large}{unit} {small}{part}") }
    };
    match seconds {
        0 if ms < 100 => format!("{ms}ms"),
        0..10 => format!("{}.{}s", seconds, ms % 1000 / 100),
        10..60 => format!("{seconds}s"),
        60..3600 => pair(seconds / 60, "m", seconds % 60, "s"),
        3600..86_400 => pair(seconds / 3600, "h", seconds / 60 % 60, "m"),
        _ => pair(seconds / 86_400, "d", seconds / 3600 % 24, "h"),
    }
}

/// Adds formatted text.
pub fn put(out: &mut String, text: fmt::Arguments<'_>) {
    out.write_fmt(text).expect("writing to a text cannot fail");
}

/// Returns a number with its noun, such as `1 change` or `2 changes`.
pub fn count(number: usize, noun: &str) -> String {
    format!("{number} {noun}{}", if number == 1 { "" } else { "s" })
}

/// Returns the shortest name of an actor: without the address, and with what it is unless it is a person.
pub fn actor(actor: &shipway_core::id::Actor) -> String {
    use shipway_core::id::ActorKind;
    let name = actor.name.split(" <").next().unwrap_or(&actor.name);
    let kind = match actor.kind {
        ActorKind::Human => "",
        ActorKind::Agent => " (agent)",
        ActorKind::Machine => " (machine)",
    };
    format!("{name}{kind}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_steers_a_terminal_becomes_visible() {
        let check = |text: &str, expect: &str| assert_eq!(clean(text), expect, "{text:?}");
        check("plain ü 日本", "plain ü 日本");
        check("\x1b[31mred\x1b[0m", "␛[31mred␛[0m");
        check("\x1b]0;title\x07", "␛]0;title␇");
        check("a\u{9b}2Jb", "a<U+009B>2Jb");
        check("abc\u{202e}fdp.exe", "abc<U+202E>fdp.exe");
        check("zero\u{200b}width", "zero<U+200B>width");
        check("tag \u{e0041}", "tag <U+E0041>");
        check("one\r\n\ttwo\n", "one two");
        check("del\x7fete\0", "del␡ete␀");
    }

    #[test]
    fn lines_keep_their_indentation() {
        assert_eq!(lines("a\n\tb\x08\r\nc").collect::<Vec<_>>(), ["a", "    b␈", "c"]);
    }

    #[test]
    fn width_is_counted_in_columns() {
        let check = |text: &str, expect: usize| assert_eq!(width(text), expect, "{text:?}");
        check("", 0);
        check("abc", 3);
        check("größe → ✓", 9);
        check("日本語", 6);
        check("e\u{301}", 1);
        check("🚀 go", 5);
        check("한글", 4);
    }

    #[test]
    fn long_text_is_cut_at_a_column() {
        let check = |text: &str, columns: usize, expect: &str| assert_eq!(fit(text, columns), expect);
        check("abcdef", 6, "abcdef");
        check("abcdef", 5, "abcd…");
        check("日本語", 5, "日本…");
        check("日本語", 4, "日…");
        check("abc", 1, "…");
        check("abc", 0, "");
    }

    #[test]
    fn spans_are_told_in_two_units() {
        let check = |ms: u64, expect: &str| assert_eq!(span(Duration::from_millis(ms)), expect);
        check(0, "0ms");
        check(38, "38ms");
        check(250, "0.2s");
        check(9_990, "9.9s");
        check(12_000, "12s");
        check(300_000, "5m");
        check(65_000, "1m 5s");
        check(7_500_000, "2h 5m");
        check(273_600_000, "3d 4h");
    }
}
