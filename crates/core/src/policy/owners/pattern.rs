//! Patterns of a file of owners.

use super::Dialect;
use crate::policy::glob::{self, Piece};

/// What paths a line is for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Pattern {
    pieces: Vec<Piece>,
    /// Whether what fits may also be a directory above the path.
    below: bool,
}

impl Pattern {
    /// Reads a pattern, or says why it is none.
    pub(super) fn new(text: &str, dialect: Dialect) -> Result<Self, &'static str> {
        match dialect {
            Dialect::GitHub => github(text),
            Dialect::GitLab => Ok(gitlab(text)),
        }
    }

    /// Tells whether a path fits.
    pub(super) fn fits(&self, path: &[u8]) -> bool {
        if glob::run(&self.pieces, path) {
            return true;
        }
        let slashes = path.iter().enumerate().filter(|(_, byte)| **byte == b'/').map(|(at, _)| at);
        self.below && slashes.into_iter().any(|at| glob::run(&self.pieces, &path[..at]))
    }
}

/// As in .gitignore: a slash at the beginning or in the middle ties the pattern to the root, and a directory stands
/// for all below it; but `docs/*` stands for the files right in it, and there is no `!` and no `[…]`.
fn github(text: &str) -> Result<Pattern, &'static str> {
    let plain = unescaped(text);
    if text.starts_with('!') {
        return Err("a pattern cannot be negated");
    }
    if text.starts_with("\\#") {
        return Err("a pattern cannot begin with `#`");
    }
    if plain.iter().any(|(byte, escaped)| *byte == b'[' && !escaped) {
        return Err("a pattern has no classes of characters");
    }
    let directory = text.ends_with('/') && text.len() > 1;
    let body = text.strip_suffix('/').unwrap_or(text);
    let rest = text.strip_prefix('/').unwrap_or(text);
    let tied = body.contains('/');
    let mut pieces = if tied { vec![] } else { vec![Piece::Directories] };
    pieces.extend(read(rest, false));
    let flat = rest == "*" && tied || rest.ends_with("/*");
    if directory {
        pieces.push(Piece::Cross);
    }
    Ok(Pattern { pieces, below: !directory && !flat })
}

/// As Ruby's `fnmatch` with paths: a slash at the beginning ties the pattern to the root, one at the end stands for
/// all below.
fn gitlab(text: &str) -> Pattern {
    let rest = text.strip_prefix('/');
    let mut pieces = if rest.is_some() { vec![] } else { vec![Piece::Directories] };
    pieces.extend(read(rest.unwrap_or(text), true));
    if text.ends_with('/') {
        pieces.push(Piece::Cross);
    }
    Pattern { pieces, below: false }
}

/// Returns the bytes of a text without its backslashes, and for each whether it had one.
fn unescaped(text: &str) -> Vec<(u8, bool)> {
    let mut bytes = vec![];
    let mut escaped = false;
    for byte in text.bytes() {
        if byte == b'\\' && !escaped {
            escaped = true;
        } else {
            bytes.push((byte, escaped));
            escaped = false;
        }
    }
    bytes
}

fn read(text: &str, classes: bool) -> Vec<Piece> {
    let bytes = unescaped(text);
    let mut pieces = vec![];
    let mut at = 0;
    let sign = |at: usize, wanted: u8| bytes.get(at) == Some(&(wanted, false));
    while at < bytes.len() {
        let starts = matches!(pieces.last(), None | Some(Piece::Byte(b'/') | Piece::Directories));
        let (piece, length) = if sign(at, b'*') && sign(at + 1, b'*') && starts && sign(at + 2, b'/') {
            (Piece::Directories, 3)
        } else if sign(at, b'*') && sign(at + 1, b'*') && starts && at + 2 == bytes.len() && !classes {
            (Piece::Cross, 2)
        } else if sign(at, b'*') {
            (Piece::Star, 1)
        } else if sign(at, b'?') {
            (Piece::One, 1)
        } else if classes && sign(at, b'[') {
            set(&bytes[at..]).unwrap_or((Piece::Byte(b'['), 1))
        } else {
            (Piece::Byte(bytes[at].0), 1)
        };
        pieces.push(piece);
        at += length;
    }
    pieces
}

/// Reads a class such as `[a-z]` or `[^x]`, and returns how long it is.
fn set(bytes: &[(u8, bool)]) -> Option<(Piece, usize)> {
    let not = bytes.get(1).is_some_and(|(byte, escaped)| matches!(byte, b'!' | b'^') && !escaped);
    let first = if not { 2 } else { 1 };
    let close = bytes.iter().skip(first + 1).position(|byte| *byte == (b']', false))? + first + 1;
    let mut ranges = vec![];
    let mut inside = &bytes[first..close];
    while let [(from, _), rest @ ..] = inside {
        inside = match rest {
            [(b'-', false), (to, _), rest @ ..] => {
                ranges.push((*from, *to));
                rest
            }
            rest => {
                ranges.push((*from, *from));
                rest
            }
        };
    }
    Some((Piece::Set(not, ranges), close + 1))
}
