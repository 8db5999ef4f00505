//! What git tells a `pre-receive` hook: one line for each ref, as `old new name` (githooks(5)).

use crate::problem::{Code, Problem};
use crate::version::excerpt;

/// One line: a ref, and the objects that it is said to have and is to have.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Pushed {
    /// The object id that the client says it has; empty for none.
    pub old: String,
    /// The object id that it is to have; empty for none.
    pub new: String,
    /// The full name, as asked for: it has not been looked at yet.
    pub name: Vec<u8>,
}

/// Reads what git tells, to the last byte.
///
/// # Errors
///
/// Returns the first line that has another form. Nothing of a push can be judged then.
pub fn parse_updates(input: &[u8]) -> Result<Vec<Pushed>, Problem> {
    let mut updates = vec![];
    let mut rest = input;
    while !rest.is_empty() {
        let number = updates.len() + 1;
        let bad = |what: &str, line: &[u8]| {
            let found = excerpt(&String::from_utf8_lossy(&line[..line.len().min(400)]), 120);
            let problem = Problem::new(Code::PushInput, format!("line {number} of what git says {what}"));
            Err(problem.found(found).wanted("`OLD NEW NAME` and a line feed"))
        };
        let Some(end) = rest.iter().position(|byte| *byte == b'\n') else {
            return bad("has no end", rest);
        };
        let (line, after) = (&rest[..end], &rest[end + 1..]);
        match update(line) {
            Ok(update) => updates.push(update),
            Err(what) => return bad(what, line),
        }
        rest = after;
    }
    Ok(updates)
}

fn update(line: &[u8]) -> Result<Pushed, &'static str> {
    let space = |line: &[u8]| line.iter().position(|byte| *byte == b' ');
    let (old, rest) = line.split_at(space(line).ok_or("has one part")?);
    let (new, name) = rest[1..].split_at(space(&rest[1..]).ok_or("has two parts")?);
    let name = &name[1..];
    if old.len() != new.len() {
        return Err("has object ids of two kinds");
    }
    let (old, new) = (id(old).ok_or("has no object id")?, id(new).ok_or("has no object id")?);
    if name.is_empty() || name.contains(&0) {
        return Err("has no name");
    }
    Ok(Pushed { old, new, name: name.to_vec() })
}

/// Returns an object id (SHA-1 or SHA-256), and an empty text for the one that stands for nothing.
fn id(bytes: &[u8]) -> Option<String> {
    let hex = |byte: &u8| byte.is_ascii_digit() || (b'a'..=b'f').contains(byte);
    if !matches!(bytes.len(), 40 | 64) || !bytes.iter().all(hex) {
        return None;
    }
    let none = bytes.iter().all(|byte| *byte == b'0');
    Some(if none { String::new() } else { String::from_utf8_lossy(bytes).into_owned() })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ids(old: char, new: char, width: usize) -> String {
        [old, new].map(|id| id.to_string().repeat(width)).join(" ")
    }

    #[test]
    fn every_line_is_a_ref() {
        let (one, two) = (ids('0', 'a', 40), ids('b', '0', 64));
        let input = [one.as_bytes(), b" refs/heads/a b\n", two.as_bytes(), b" refs/heads/\xff\n"].concat();
        let updates = parse_updates(&input).unwrap();
        assert_eq!(updates.len(), 2);
        assert_eq!((updates[0].old.as_str(), updates[0].new.len()), ("", 40));
        assert_eq!(
            (updates[0].name.as_slice(), updates[1].name.as_slice()),
            (&b"refs/heads/a b"[..], &b"refs/heads/\xff"[..])
        );
        assert_eq!((updates[1].old.len(), updates[1].new.as_str()), (64, ""));
        assert_eq!(parse_updates(b""), Ok(vec![]));
    }

    #[test]
    fn any_other_form_is_an_error() {
        let good = ids('a', 'b', 40);
        for bad in [
            "\n".to_owned(),
            "x".to_owned(),
            format!("{good} refs/heads/a"),
            format!("{good}\n"),
            format!("{good} \n"),
            format!("{good} a\0b\n"),
            format!("{} refs/heads/a\n", ids('A', 'b', 40)),
            format!("{} refs/heads/a\n", ids('a', 'g', 40)),
            format!("{} refs/heads/a\n", ids('a', 'b', 39)),
            format!("{} {} refs/heads/a\n", "a".repeat(40), "b".repeat(64)),
            format!("{good} refs/heads/a\n\n"),
            format!(" {good} refs/heads/a\n"),
        ] {
            assert_eq!(parse_updates(bad.as_bytes()).unwrap_err().code, Code::PushInput, "{bad:?}");
        }
        let second = format!("{good} a\nrest\n");
        assert!(parse_updates(second.as_bytes()).unwrap_err().what.starts_with("line 2 "));
    }
}
