//! Edits: changes to one file as data, small enough for a plan and bound to the digests before and after.
//!
//! An edit is pure: bytes in, bytes out. Everything outside its replacements stays byte for byte, in any encoding.

use std::ops::Range;

use serde::{Deserialize, Serialize};

use crate::id::Digest;
use crate::problem::{Code, Problem};

/// A change to one file.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Edit {
    /// The path from the root of the repository, with `/` between its parts.
    pub path: String,
    /// The digest of the bytes before; none where the file is created.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub from: Option<Digest>,
    /// The digest of the bytes after.
    pub to: Digest,
    /// The replacements, in ascending order and apart from one another.
    pub replace: Vec<Replace>,
    /// What happens, for the plan, such as `version 1.3.2 → 1.4.0`.
    pub summary: String,
}

/// New text in the place of some bytes.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Replace {
    /// Where the old bytes begin, counted in bytes from 0.
    pub start: usize,
    /// Where the old bytes end, exclusive.
    pub end: usize,
    /// What stands there afterwards.
    pub text: String,
}

impl Replace {
    /// Returns a replacement of a range of bytes.
    pub fn new(range: Range<usize>, text: impl Into<String>) -> Self {
        Self { start: range.start, end: range.end, text: text.into() }
    }
}

impl Edit {
    /// Returns the edit that makes these replacements, or none if they change nothing.
    ///
    /// The order does not matter. Ranges that overlap or leave the file are a defect of the caller: [`Code::Bug`].
    pub fn of(
        path: &str,
        old: &[u8],
        mut replace: Vec<Replace>,
        summary: &str,
    ) -> Result<Option<Self>, Problem> {
        replace.retain(|one| old.get(one.start..one.end) != Some(one.text.as_bytes()));
        replace.sort_by_key(|one| (one.start, one.end));
        if replace.is_empty() {
            return Ok(None);
        }
        let to = Digest::of(&spliced(path, old, &replace)?);
        let from = Some(Digest::of(old));
        Ok(Some(Self { path: path.into(), from, to, replace, summary: summary.into() }))
    }

    /// Returns the edit that leads from the old bytes to the new ones, or none if they are equal.
    ///
    /// Without old bytes the file is created. Only text can be added: new bytes that are neither in the old file nor
    /// UTF-8 are a defect of the caller, [`Code::Bug`].
    pub fn between(
        path: &str,
        old: Option<&[u8]>,
        new: &[u8],
        summary: &str,
    ) -> Result<Option<Self>, Problem> {
        if old == Some(new) {
            return Ok(None);
        }
        let replace = differences(old.unwrap_or_default(), new)
            .ok_or_else(|| Problem::new(Code::Bug, "the new text of a file is not UTF-8").at(path))?;
        Ok(Some(Self {
            path: path.into(),
            from: old.map(Digest::of),
            to: Digest::of(new),
            replace,
            summary: summary.into(),
        }))
    }

    /// Returns the new bytes of the file.
    ///
    /// Old bytes other than those that the edit was made for are [`Code::PlanStale`]; an edit that does not lead to its
    /// own digest was changed by somebody and is [`Code::NotVerified`].
    pub fn apply(&self, old: Option<&[u8]>) -> Result<Vec<u8>, Problem> {
        let found = old.map(Digest::of);
        if found != self.from {
            let word = |digest: &Option<Digest>| {
                digest.as_ref().map_or("no file".to_owned(), |digest| format!("digest {}", digest.short()))
            };
            let what = format!("{} is not the file that the edit was made for", self.path);
            let problem = Problem::new(Code::PlanStale, what).at(&self.path);
            return Err(problem.found(word(&found)).wanted(word(&self.from)));
        }
        let new = spliced(&self.path, old.unwrap_or_default(), &self.replace)?;
        if Digest::of(&new) == self.to {
            return Ok(new);
        }
        let what = format!("the edit of {} does not lead where it says", self.path);
        Err(Problem::new(Code::NotVerified, what).at(&self.path))
    }
}

/// Returns the line, from 1, of the first marker that a merge with conflicts left, or none if there is none.
pub fn conflict_line(bytes: &[u8]) -> Option<usize> {
    let marker = |line: &[u8]| {
        let rest = line.strip_prefix(b"<<<<<<<").or_else(|| line.strip_prefix(b">>>>>>>"));
        rest.is_some_and(|rest| matches!(rest.first(), None | Some(b' ' | b'\r')))
    };
    bytes.split(|&byte| byte == b'\n').position(marker).map(|at| at + 1)
}

/// Returns the old bytes with the replacements made.
fn spliced(path: &str, old: &[u8], replace: &[Replace]) -> Result<Vec<u8>, Problem> {
    let mut new = Vec::with_capacity(old.len() + replace.iter().map(|one| one.text.len()).sum::<usize>());
    let mut kept = 0;
    let bad = || Problem::new(Code::Bug, "replacements overlap or leave the file").at(path);
    for one in replace {
        if one.start > one.end || one.end > old.len() {
            return Err(bad());
        }
        new.extend_from_slice(old.get(kept..one.start).ok_or_else(bad)?);
        new.extend_from_slice(one.text.as_bytes());
        kept = one.end;
    }
    new.extend_from_slice(&old[kept..]);
    Ok(new)
}

/// Returns replacements that lead from the old bytes to the new ones, or none if one of them would not be UTF-8.
///
/// Where as many lines come as go, as in a version bump, each run of changed lines is a replacement of its own.
fn differences(old: &[u8], new: &[u8]) -> Option<Vec<Replace>> {
    let start = common(old.iter(), new.iter());
    let end = common(old[start..].iter().rev(), new[start..].iter().rev());
    // Whole lines are compared, so the outer range grows to the lines that it begins and ends in.
    let start = old[..start].iter().rposition(|&byte| byte == b'\n').map_or(0, |at| at + 1);
    let tail = &old[old.len() - end..];
    let end = tail.iter().position(|&byte| byte == b'\n').map_or(0, |at| tail.len() - at - 1);
    let old_lines: Vec<&[u8]> = lines(&old[start..old.len() - end]);
    let new_lines: Vec<&[u8]> = lines(&new[start..new.len() - end]);
    if old_lines.len() != new_lines.len() {
        return Some(vec![narrowed(old, new, start..old.len() - end, start..new.len() - end)?]);
    }
    let mut replace = vec![];
    let (mut old_at, mut new_at) = (start, start);
    let mut open: Option<(usize, usize)> = None;
    for (old_line, new_line) in old_lines.iter().zip(&new_lines) {
        if old_line == new_line {
            if let Some((old_from, new_from)) = open.take() {
                replace.push(narrowed(old, new, old_from..old_at, new_from..new_at)?);
            }
        } else if open.is_none() {
            open = Some((old_at, new_at));
        }
        old_at += old_line.len();
        new_at += new_line.len();
    }
    if let Some((old_from, new_from)) = open {
        replace.push(narrowed(old, new, old_from..old_at, new_from..new_at)?);
    }
    Some(replace)
}

fn lines(bytes: &[u8]) -> Vec<&[u8]> {
    bytes.split_inclusive(|&byte| byte == b'\n').collect()
}

fn common<'a>(one: impl Iterator<Item = &'a u8>, other: impl Iterator<Item = &'a u8>) -> usize {
    one.zip(other).take_while(|(one, other)| one == other).count()
}

/// Returns the smallest replacement within two ranges whose text is UTF-8.
fn narrowed(old: &[u8], new: &[u8], from: Range<usize>, to: Range<usize>) -> Option<Replace> {
    let (before, after) = (&old[from.clone()], &new[to.clone()]);
    let head = common(before.iter(), after.iter());
    let tail = common(before[head..].iter().rev(), after[head..].iter().rev());
    // A character of UTF-8 has at most four bytes, so at most three of them can be among the equal ones on a side.
    let margins = (0..=3).flat_map(|left| (0..=3).map(move |right| (left, right)));
    margins.filter(|(left, right)| *left <= head && *right <= tail).find_map(|(left, right)| {
        let text = str::from_utf8(&after[head - left..after.len() - tail + right]).ok()?;
        Some(Replace::new(from.start + head - left..from.end - tail + right, text))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(old: &[u8], new: &[u8], replace: &[(usize, usize, &str)]) {
        let edit = Edit::between("file", Some(old), new, "test").unwrap().unwrap();
        let wanted: Vec<_> =
            replace.iter().map(|&(start, end, text)| Replace::new(start..end, text)).collect();
        assert_eq!(edit.replace, wanted);
        assert_eq!(edit.apply(Some(old)).unwrap(), new);
        let text = serde_json::to_string(&edit).unwrap();
        assert_eq!(serde_json::from_str::<Edit>(&text).unwrap(), edit);
    }

    #[test]
    fn an_edit_holds_only_what_differs() {
        check(b"a 1.2.3 b", b"a 1.3.0 b", &[(4, 7, "3.0")]);
        check(b"", b"new", &[(0, 0, "new")]);
        check(b"gone", b"", &[(0, 4, "")]);
        check(b"one\nthree\n", b"one\ntwo\nthree\n", &[(5, 5, "wo\nt")]);
        check(b"same", b"same\n", &[(4, 4, "\n")]);
        check(b"aa", b"aaa", &[(2, 2, "a")]);
        check(b"aaa", b"aa", &[(2, 3, "")]);
    }

    #[test]
    fn replacements_on_different_lines_stay_apart() {
        let old = b"version = \"1\"\nname = \"x\"\ndep = \"1\"\n";
        let new = b"version = \"2\"\nname = \"x\"\ndep = \"2\"\n";
        check(old, new, &[(11, 12, "2"), (32, 33, "2")]);
        check(b"1\r\nx\r\n1", b"22\r\nx\r\n22", &[(0, 1, "22"), (6, 7, "22")]);
        check(b"1\n1\nx\n1", b"2\n2\nx\n2", &[(0, 3, "2\n2"), (6, 7, "2")]);
    }

    #[test]
    fn surroundings_that_are_not_utf_8_survive() {
        check(b"\xff\xfe 1 \xe9", b"\xff\xfe 2 \xe9", &[(3, 4, "2")]);
        check(b"\xe9 1\n\xe9\n\xe9 1", b"\xe9 2\n\xe9\n\xe9 2", &[(2, 3, "2"), (8, 9, "2")]);
        check("naïve é".as_bytes(), "naïve è".as_bytes(), &[(7, 9, "è")]);
        check("€1".as_bytes(), "₭1".as_bytes(), &[(0, 3, "₭")]);
    }

    #[test]
    fn new_bytes_that_are_not_text_are_refused() {
        let problem = Edit::between("file", Some(b"a"), b"a\xff", "test").unwrap_err();
        assert_eq!(problem.code, Code::Bug);
    }

    #[test]
    fn equal_bytes_need_no_edit() {
        assert_eq!(Edit::between("file", Some(b"a"), b"a", "test").unwrap(), None);
        assert_eq!(Edit::of("file", b"a", vec![Replace::new(0..1, "a")], "test").unwrap(), None);
    }

    #[test]
    fn a_file_is_created_only_where_there_is_none() {
        let edit = Edit::between("file", None, b"", "test").unwrap().unwrap();
        assert_eq!(edit.from, None);
        assert_eq!(edit.apply(None).unwrap(), b"");
        assert_eq!(edit.apply(Some(b"")).unwrap_err().code, Code::PlanStale);
    }

    #[test]
    fn an_edit_refuses_other_bytes_than_its_own() {
        let edit = Edit::between("file", Some(b"old"), b"new", "test").unwrap().unwrap();
        for other in [Some(&b"older"[..]), Some(b""), None] {
            assert_eq!(edit.apply(other).unwrap_err().code, Code::PlanStale);
        }
    }

    #[test]
    fn an_edit_that_was_tampered_with_is_found() {
        let mut edit = Edit::between("file", Some(b"old"), b"new", "test").unwrap().unwrap();
        edit.replace[0].text = "evil".into();
        assert_eq!(edit.apply(Some(b"old")).unwrap_err().code, Code::NotVerified);
        edit.replace[0].end = 99;
        assert_eq!(edit.apply(Some(b"old")).unwrap_err().code, Code::Bug);
    }

    #[test]
    fn replacements_come_in_any_order_and_must_not_overlap() {
        let two = vec![Replace::new(2..3, "C"), Replace::new(0..1, "A")];
        let edit = Edit::of("file", b"abc", two, "test").unwrap().unwrap();
        assert_eq!(edit.apply(Some(b"abc")).unwrap(), b"AbC");
        let overlapping = vec![Replace::new(0..2, "x"), Replace::new(1..3, "y")];
        assert_eq!(Edit::of("file", b"abc", overlapping, "test").unwrap_err().code, Code::Bug);
    }

    #[test]
    fn markers_of_a_conflict_are_found_at_the_beginning_of_a_line() {
        assert_eq!(conflict_line(b"a\n<<<<<<< HEAD\nb\n=======\nc\n>>>>>>> x\n"), Some(2));
        assert_eq!(conflict_line(b"a\r\n>>>>>>>\r\n"), Some(2));
        assert_eq!(conflict_line(b"Title\n=======\n <<<<<<< x\n<<<<<<<<\n"), None);
    }

    #[test]
    fn every_pair_of_short_texts_has_its_edit() {
        let texts: Vec<Vec<u8>> = (0..4_usize.pow(5))
            .map(|mut n| {
                let mut text = vec![];
                while n > 0 {
                    text.push(b"a\nb\xc3"[n % 4]);
                    n /= 4;
                }
                text
            })
            .collect();
        for old in texts.iter().step_by(7) {
            for new in texts.iter().step_by(11).filter(|new| str::from_utf8(new).is_ok() && *new != old) {
                let edit = Edit::between("file", Some(old), new, "test").unwrap().unwrap();
                assert_eq!(&edit.apply(Some(old)).unwrap(), new);
            }
        }
    }
}
