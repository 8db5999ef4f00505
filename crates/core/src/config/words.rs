//! Splits one text into words as a POSIX shell does (XCU 2.2), without any expansion.
//!
//! No shell ever sees the words. A character that a shell would act on, such as `|` or `$`, is refused where it stands
//! unquoted, so that nobody believes in a pipe that is only an argument.

use std::iter::Peekable;
use std::str::Chars;

/// Why a text is not a list of words.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub(super) enum Error {
    /// A quote has no partner.
    #[error("a {0} is not closed")]
    Open(char),
    /// A backslash has nothing to act on.
    #[error("it ends in a backslash")]
    Dangling,
    /// A shell would act on this character; here there is no shell.
    #[error("`{0}` needs a shell, and none reads this")]
    Shell(char),
}

/// Returns the words of a text.
pub(super) fn split(text: &str) -> Result<Vec<String>, Error> {
    let mut words = vec![];
    let mut word: Option<String> = None;
    let mut chars = text.chars().peekable();
    while let Some(c) = chars.next() {
        match c {
            ' ' | '\t' | '\n' | '\r' => words.extend(word.take()),
            '\'' => single(&mut chars, word.get_or_insert_default())?,
            '"' => double(&mut chars, word.get_or_insert_default())?,
            '\\' => match chars.next().ok_or(Error::Dangling)? {
                // A backslash before a line feed joins two lines.
                '\n' => {}
                escaped => word.get_or_insert_default().push(escaped),
            },
            '|' | '&' | ';' | '<' | '>' | '(' | ')' | '$' | '`' => return Err(Error::Shell(c)),
            _ => word.get_or_insert_default().push(c),
        }
    }
    words.extend(word);
    Ok(words)
}

fn single(chars: &mut Peekable<Chars<'_>>, word: &mut String) -> Result<(), Error> {
    loop {
        match chars.next().ok_or(Error::Open('\''))? {
            '\'' => return Ok(()),
            c => word.push(c),
        }
    }
}

fn double(chars: &mut Peekable<Chars<'_>>, word: &mut String) -> Result<(), Error> {
    loop {
        match chars.next().ok_or(Error::Open('"'))? {
            '"' => return Ok(()),
            c @ ('$' | '`') => return Err(Error::Shell(c)),
            '\\' => match chars.next().ok_or(Error::Open('"'))? {
                '\n' => {}
                c @ ('$' | '`' | '"' | '\\') => word.push(c),
                c => word.extend(['\\', c]),
            },
            c => word.push(c),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(text: &str, words: &[&str]) {
        assert_eq!(split(text).unwrap(), words, "{text}");
    }

    #[test]
    fn words_are_split_as_a_shell_does() {
        check("cargo test", &["cargo", "test"]);
        check("  cargo\t test \n", &["cargo", "test"]);
        check("", &[]);
        check("a 'b c' d", &["a", "b c", "d"]);
        check(r#"a "b 'c' d" e"#, &["a", "b 'c' d", "e"]);
        check("a'b'\"c\"d", &["abcd"]);
        check("'' \"\"", &["", ""]);
        check(r"a\ b \'c \\", &["a b", "'c", "\\"]);
        check(r#""a\"b\\c\$d\`e\nf""#, &["a\"b\\c$d`e\\nf"]);
        check(r"'a\b'", &[r"a\b"]);
        check("a \\\n b", &["a", "b"]);
        check("a\\\nb", &["ab"]);
        check("test:* ~ # ? ä", &["test:*", "~", "#", "?", "ä"]);
        check("'a && b | c > $d'", &["a && b | c > $d"]);
    }

    #[test]
    fn what_only_a_shell_can_do_is_refused() {
        for (text, error) in [
            ("a 'b", Error::Open('\'')),
            ("a \"b", Error::Open('"')),
            ("a \"b\\", Error::Open('"')),
            ("a\\", Error::Dangling),
            ("a && b", Error::Shell('&')),
            ("a | b", Error::Shell('|')),
            ("a; b", Error::Shell(';')),
            ("a >b", Error::Shell('>')),
            ("a $HOME", Error::Shell('$')),
            ("a \"$HOME\"", Error::Shell('$')),
            ("`a`", Error::Shell('`')),
        ] {
            assert_eq!(split(text), Err(error), "{text}");
        }
    }
}
