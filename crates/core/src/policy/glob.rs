//! Patterns of names and paths, over bytes: `*` stands for any characters but `/`, `**` for any at all, `**/` also for
//! nothing, and `{number}` for digits, as of an issue. Everything else stands for itself. Files of owners have a few more signs: see [`super::owners`].

/// What a pattern consists of.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Piece {
    /// This byte.
    Byte(u8),
    /// Any byte but `/`.
    One,
    /// Any byte of these ranges, or for true any but these, and never `/`.
    Set(bool, Vec<(u8, u8)>),
    /// Any bytes but `/`.
    Star,
    /// Any bytes.
    Cross,
    /// Any number of whole directories.
    Directories,
    /// One digit or more.
    Number,
}

/// How a pattern says a number.
const NUMBER: &[u8] = b"{number}";

/// Tells whether a name fits a pattern.
pub fn fits(pattern: &str, name: &[u8]) -> bool {
    let literal = literal(pattern);
    let pattern = pattern.as_bytes();
    if literal == pattern.len() {
        return pattern == name;
    }
    let Some(rest) = name.strip_prefix(&pattern[..literal]) else { return false };
    run(&pieces(&pattern[literal..], literal == 0 || pattern[literal - 1] == b'/'), rest)
}

/// Returns how many bytes at the beginning of a pattern stand for themselves.
pub(crate) fn literal(pattern: &str) -> usize {
    let pattern = pattern.as_bytes();
    let sign = |at: &usize| pattern[*at] == b'*' || pattern[*at..].starts_with(NUMBER);
    (0..pattern.len()).find(sign).unwrap_or(pattern.len())
}

/// Tells whether a pattern is just a name.
pub(crate) fn is_name(pattern: &str) -> bool {
    literal(pattern) == pattern.len()
}

/// Returns what a pattern begins with up to the last `/` before its first sign; nothing for one that is a plain name.
pub(super) fn directory(pattern: &str) -> Option<&str> {
    let sign = literal(pattern);
    pattern[..sign].rfind('/').filter(|_| sign < pattern.len()).map(|slash| &pattern[..=slash])
}

fn pieces(mut pattern: &[u8], mut at_start: bool) -> Vec<Piece> {
    let mut pieces = vec![];
    while let [first, rest @ ..] = pattern {
        if let Some(rest) = pattern.strip_prefix(NUMBER) {
            pieces.push(Piece::Number);
            (at_start, pattern) = (false, rest);
            continue;
        }
        let (piece, rest) = match (first, rest) {
            (b'*', [b'*', b'/', rest @ ..]) if at_start => (Piece::Directories, rest),
            (b'*', [b'*', rest @ ..]) => (Piece::Cross, rest),
            (b'*', rest) => (Piece::Star, rest),
            (byte, rest) => (Piece::Byte(*byte), rest),
        };
        at_start = matches!(piece, Piece::Directories | Piece::Byte(b'/'));
        pieces.push(piece);
        pattern = rest;
    }
    pieces
}

/// Goes through the pattern once, and keeps all positions of the name that fit so far: no pattern takes more than the
/// product of both lengths.
pub(super) fn run(pieces: &[Piece], name: &[u8]) -> bool {
    let mut open = vec![false; name.len() + 1];
    open[0] = true;
    for piece in pieces {
        match piece {
            Piece::Byte(wanted) => step(&mut open, name, |byte| byte == *wanted),
            Piece::One => step(&mut open, name, |byte| byte != b'/'),
            Piece::Set(not, ranges) => step(&mut open, name, |byte| {
                byte != b'/' && ranges.iter().any(|(from, to)| (*from..=*to).contains(&byte)) != *not
            }),
            Piece::Star => spread(&mut open, |at| name[at - 1] != b'/'),
            Piece::Number => {
                step(&mut open, name, |byte| byte.is_ascii_digit());
                spread(&mut open, |at| name[at - 1].is_ascii_digit());
            }
            Piece::Cross => spread(&mut open, |_| true),
            Piece::Directories => {
                let mut reached = false;
                for at in 0..open.len() {
                    reached |= open[at];
                    open[at] |= reached && at > 0 && name[at - 1] == b'/';
                }
            }
        }
    }
    open[name.len()]
}

/// Goes on by one byte.
fn step(open: &mut [bool], name: &[u8], fits: impl Fn(u8) -> bool) {
    for at in (0..open.len()).rev() {
        open[at] = at > 0 && open[at - 1] && fits(name[at - 1]);
    }
}

/// Goes on by any number of bytes, as long as each may be passed.
fn spread(open: &mut [bool], passes: impl Fn(usize) -> bool) {
    for at in 1..open.len() {
        open[at] |= open[at - 1] && passes(at);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_star_stays_between_slashes_and_two_cross_them() {
        for (pattern, name, expected) in [
            ("main", "main", true),
            ("main", "mains", false),
            ("main", "mai", false),
            ("", "", true),
            ("*", "main", true),
            ("*", "", true),
            ("*", "a/b", false),
            ("**", "a/b", true),
            ("**", "", true),
            ("release/*", "release/1", true),
            ("release/*", "release/a/b", false),
            ("release/**", "release/a/b", true),
            ("release/**", "release", false),
            ("**/x", "x", true),
            ("**/x", "a/b/x", true),
            ("**/x", "ax", false),
            ("a/**/x", "a/x", true),
            ("a/**/x", "a/b/c/x", true),
            ("a/**/x", "a/bx", false),
            ("*.rs", "a.rs", true),
            ("*.rs", "a/b.rs", false),
            ("**.rs", "a/b.rs", true),
            ("a*c", "ac", true),
            ("a*a", "a", false),
            ("*b*b*", "abcb", true),
            ("*b*b*", "abc", false),
            ("a?c", "abc", false),
            ("a**/b", "ax/y/b", true),
            ("v*", "v1.0", true),
            ("feature/{number}-*", "feature/123-x", true),
            ("feature/{number}-*", "feature/-x", false),
            ("feature/{number}-*", "feature/x123-x", false),
            ("feature/issue-{number}", "feature/issue-7", true),
            ("feature/issue-{number}", "feature/issue-7x", false),
            ("feature/issue-{number}", "feature/issue-{number}", false),
            ("**{number}/x", "a1/x", true),
            ("{number}{number}", "1", false),
            ("{num", "{num", true),
        ] {
            assert_eq!(fits(pattern, name.as_bytes()), expected, "{pattern} {name}");
        }
        assert!(fits("a*", b"a\xff\n"));
    }

    #[test]
    fn no_pattern_takes_for_ever() {
        assert!(!fits(&"*a".repeat(500), &[b'a'; 400]));
        assert!(fits(&"**/".repeat(300), b"a/b/"));
    }
}
