//! Masks Rust source: comments and literals become spaces, so that what is left is code and nothing else.
//!
//! This is a lexer, not a parser. It knows comments (nested ones too), plain and raw strings, characters and
//! lifetimes, as the Rust Reference has them under "Tokens".

use std::ops::Range;

/// Returns the source with every byte of a comment or literal replaced by a space. Offsets and line breaks stay.
pub(crate) fn mask(text: &str) -> String {
    let bytes = text.as_bytes();
    let mut masked = bytes.to_vec();
    let mut at = 0;
    while at < bytes.len() {
        let (length, hidden) = token(&bytes[at..]);
        if hidden {
            blank(&mut masked, at..at + length);
        }
        at += length;
    }
    String::from_utf8(masked).expect("whole characters are replaced by ASCII")
}

/// Replaces a range by spaces, except for line breaks.
pub(crate) fn blank(bytes: &mut [u8], range: Range<usize>) {
    for byte in &mut bytes[range] {
        if *byte != b'\n' {
            *byte = b' ';
        }
    }
}

/// Returns the byte ranges of inline test modules in masked code, from `#[cfg(test)]` to the closing brace.
pub(crate) fn test_modules(code: &str) -> Vec<Range<usize>> {
    let mut found: Vec<Range<usize>> = vec![];
    for (start, attribute) in code.match_indices("#[cfg(test)]") {
        if found.last().is_some_and(|last| last.contains(&start)) {
            continue;
        }
        let after = start + attribute.len();
        let rest = code[after..].trim_start();
        let rest = rest.strip_prefix("pub(crate)").unwrap_or(rest).trim_start();
        let is_module = rest.starts_with("mod ");
        let body = code[after..].find(['{', ';']).map(|offset| after + offset);
        if let (true, Some(open)) = (is_module, body)
            && let Some(end) = closing(code, open)
        {
            found.push(start..end + 1);
        }
    }
    found
}

/// Returns the offset of the brace that closes the one at `open` in masked code.
pub(crate) fn closing(code: &str, open: usize) -> Option<usize> {
    let mut depth = 0_usize;
    for (offset, byte) in code.bytes().enumerate().skip(open) {
        match byte {
            b'{' => depth += 1,
            b'}' if depth == 1 => return Some(offset),
            b'}' => depth = depth.checked_sub(1)?,
            _ if depth == 0 => return None,
            _ => {}
        }
    }
    None
}

/// Tells whether a byte can stand inside an identifier.
pub(crate) fn is_word(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || byte == b'_' || byte >= 0x80
}

/// Returns the identifier at the start of a text; empty if there is none.
pub(crate) fn identifier(text: &str) -> &str {
    let end = text.bytes().position(|byte| !is_word(byte)).unwrap_or(text.len());
    &text[..end]
}

/// Returns the offsets in masked code where a keyword or path stands as whole words.
pub(crate) fn words<'a>(code: &'a str, wanted: &'a str) -> impl Iterator<Item = usize> + 'a {
    let bytes = code.as_bytes();
    code.match_indices(wanted).map(|(offset, _)| offset).filter(move |&offset| {
        let before = offset.checked_sub(1).map(|index| bytes[index]);
        let after = bytes.get(offset + wanted.len()).copied();
        let open_end = !wanted.bytes().next_back().is_some_and(is_word);
        !before.is_some_and(is_word) && (open_end || !after.is_some_and(is_word))
    })
}

/// Returns the length of the token at the start, and whether it is to be hidden.
fn token(rest: &[u8]) -> (usize, bool) {
    match rest {
        [b'/', b'/', ..] => (rest.iter().position(|&byte| byte == b'\n').unwrap_or(rest.len()), true),
        [b'/', b'*', ..] => (block_comment(rest), true),
        [b'"', ..] => (string(rest), true),
        [b'\'', ..] => character(rest),
        [first, ..] if is_word(*first) => word(rest),
        _ => (1, false),
    }
}

fn block_comment(rest: &[u8]) -> usize {
    let (mut depth, mut at) = (0_usize, 0);
    while at < rest.len() {
        match &rest[at..] {
            [b'/', b'*', ..] => (depth, at) = (depth + 1, at + 2),
            [b'*', b'/', ..] => (depth, at) = (depth - 1, at + 2),
            _ => at += 1,
        }
        if depth == 0 {
            break;
        }
    }
    at
}

fn string(rest: &[u8]) -> usize {
    let mut at = 1;
    while at < rest.len() {
        match rest[at] {
            b'\\' => at += 2,
            b'"' => return at + 1,
            _ => at += 1,
        }
    }
    rest.len()
}

/// A quote begins a character if it is closed after one character or an escape, and a lifetime otherwise.
fn character(rest: &[u8]) -> (usize, bool) {
    if rest.get(1) == Some(&b'\\') {
        let end = rest.iter().skip(3).position(|&byte| byte == b'\'').map(|offset| offset + 4);
        return (end.unwrap_or(rest.len()), true);
    }
    let width = match rest.get(1) {
        Some(0xF0..) => 4,
        Some(0xE0..) => 3,
        Some(0xC0..) => 2,
        _ => 1,
    };
    if rest.get(1 + width) == Some(&b'\'') { (width + 2, true) } else { (1, false) }
}

/// An identifier, a number, or the prefix of a raw string together with that string.
fn word(rest: &[u8]) -> (usize, bool) {
    let end = rest.iter().position(|&byte| !is_word(byte)).unwrap_or(rest.len());
    if !matches!(&rest[..end], b"r" | b"br" | b"cr") {
        return (end, false);
    }
    let hashes = rest[end..].iter().take_while(|&&byte| byte == b'#').count();
    let open = end + hashes;
    if rest.get(open) != Some(&b'"') {
        return (end, false);
    }
    let close = [b"\"".as_slice(), &vec![b'#'; hashes]].concat();
    let body = &rest[open + 1..];
    let length = body.windows(close.len()).position(|window| window == close);
    (length.map_or(rest.len(), |length| open + 1 + length + close.len()), true)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(source: &str, expected: &str) {
        let masked = mask(source);
        assert_eq!(masked.len(), source.len());
        let squeezed = masked.split_whitespace().collect::<Vec<_>>().join(" ");
        assert_eq!(squeezed, expected, "{source}");
    }

    #[test]
    fn comments_and_literals_are_hidden_and_code_is_not() {
        check("a // b {\nc", "a c");
        check("a /* b /* c */ d */ e", "a e");
        check(r#"f("{ \" }", 'x', '\'', '"', '{')"#, "f( , , , , )");
        check("g(r#\"} \" }\"#, br\"\\\", r#type)", "g( , , r#type)");
        check("fn h<'a>(x: &'a str) -> &'static str {}", "fn h<'a>(x: &'a str) -> &'static str {}");
        check("match c { '\\u{7b}' => 'é', '…' => '🦀' }", "match c { => , => }");
        check("\"unclosed", "");
    }

    #[test]
    fn offsets_and_lines_stay() {
        let source = "let a = \"é\n{\"; b";
        let masked = mask(source);
        assert_eq!(masked.find('b'), source.find('b'));
        assert_eq!(masked.lines().count(), source.lines().count());
    }

    #[test]
    fn test_modules_are_found_from_attribute_to_brace() {
        let code = "fn a() {}\n#[cfg(test)]\nmod tests {\n fn b() {}\n}\nfn c() {}";
        let found = test_modules(code);
        assert_eq!(found.len(), 1);
        assert!(code[found[0].clone()].ends_with("fn b() {}\n}"));
        assert!(test_modules("#[cfg(test)]\nmod tests;\nfn a() {}").is_empty());
        assert!(test_modules("#[cfg(test)]\nfn a() {}").is_empty());
    }

    #[test]
    fn words_are_whole() {
        let offsets = |code: &str| words(code, "fn").collect::<Vec<_>>();
        assert_eq!(offsets("fn a; fnord; dfn; fn(b)"), [0, 18]);
        assert_eq!(words("xcrate::a crate::b", "crate::").collect::<Vec<_>>(), [10]);
    }
}
