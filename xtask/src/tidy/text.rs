//! Tracked files hold nothing of one machine, nothing half done and nothing large.

use crate::repository::{Repository, Source};
use crate::tidy::Finding;

/// Directories of one machine. They are put together here so that this file does not hold them itself.
const LOCAL: &[&str] = &[concat!("/ho", "me/"), concat!("/ro", "ot/"), concat!("/wo", "rk/")];

/// Marks of work that is not done: in any text, and in code.
const MARKS: &[&str] = &[concat!("TO", "DO"), concat!("FIX", "ME")];
const MARKS_IN_CODE: &[&str] = &["todo!", "unimplemented!", "#[ignore"];

/// Files that may hold one of the above, each with the reason.
const EXCEPTIONS: &[(&str, &str)] = &[];

/// The inputs of the fuzzer, which are any bytes at all.
const BYTES: &str = "fuzz/corpus/";

const LARGEST: usize = 1024 * 1024;

pub(super) fn look(repository: &Repository) -> Vec<Finding> {
    let mut found = vec![];
    for source in &repository.sources {
        found.extend(form(source));
        if source.is_written_by_hand()
            && !source.path.starts_with(BYTES)
            && !EXCEPTIONS.iter().any(|(path, _)| *path == source.path)
        {
            found.extend(content(source));
        }
    }
    found
}

fn form(source: &Source) -> Option<Finding> {
    if source.size > LARGEST {
        let what = format!("the file has {} bytes, and {LARGEST} are allowed", source.size);
        return Some(Finding::refused(&source.path, what));
    }
    let any = source.path.starts_with(BYTES);
    let open_end =
        !any && source.text.as_deref().is_some_and(|text| !text.is_empty() && !text.ends_with('\n'));
    open_end.then(|| Finding::refused(&source.path, "the last line has no line feed"))
}

fn content(source: &Source) -> Vec<Finding> {
    let text = source.text.as_deref().unwrap_or_default();
    let refused = |offset: usize, what: String| Finding::refused(source.place(offset), what);
    let mut found = vec![];
    for local in LOCAL {
        let paths = text.match_indices(local).filter(|(offset, _)| begins_path(&text[..*offset]));
        found.extend(
            paths.map(|(offset, _)| refused(offset, format!("a path under {local} is of one machine"))),
        );
    }
    for mark in MARKS {
        let marks = text.match_indices(mark).filter(|(offset, _)| is_whole(text, *offset, mark.len()));
        found.extend(marks.map(|(offset, _)| refused(offset, format!("{mark}: do it, or file an issue"))));
    }
    for mark in MARKS_IN_CODE {
        let marks = source.code.match_indices(mark);
        found.extend(
            marks.map(|(offset, _)| refused(offset, format!("{mark} does not belong in the product"))),
        );
    }
    found
}

/// Tells whether an absolute path can begin after this text, rather than go on.
fn begins_path(before: &str) -> bool {
    !before.ends_with(|c: char| c.is_alphanumeric() || matches!(c, '.' | '_' | '-' | '}' | '/' | '~' | '*'))
}

fn is_whole(text: &str, offset: usize, length: usize) -> bool {
    let word = |c: char| c.is_alphanumeric() || c == '_';
    !text[..offset].ends_with(word) && !text[offset + length..].starts_with(word)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(path: &str, text: &str, expected: &[&str]) {
        let found: Vec<String> =
            look(&Repository::of(&[(path, text)])).into_iter().map(|it| it.what).collect();
        assert_eq!(found.len(), expected.len(), "{text}: {found:?}");
        assert!(found.iter().zip(expected).all(|(what, expected)| what.contains(expected)), "{found:?}");
    }

    #[test]
    fn paths_of_one_machine_are_refused() {
        for local in LOCAL {
            check("a.md", &format!("see `{local}jane/x`\n"), &["is of one machine"]);
            check("a.rs", &format!("const A: &str = \"{local}x\";\n"), &["is of one machine"]);
            check("demo", &format!("#!/bin/sh\ncd {local}x\n"), &["is of one machine"]);
            check("a.md", &format!("https://example.org{local}x and {{dir}}{local}x\n"), &[]);
            check("data.json", &format!("\"{local}x\"\n"), &[]);
        }
    }

    #[test]
    fn marks_of_unfinished_work_are_refused() {
        for mark in MARKS {
            check("a.md", &format!("{mark}: later\n"), &["file an issue"]);
            check("a.rs", &format!("// {mark}\n"), &["file an issue"]);
            check("a.rs", &format!("const {mark}S: u8 = 0;\n"), &[]);
        }
        for mark in MARKS_IN_CODE {
            check("a.rs", &format!("{mark}\n"), &["does not belong"]);
            check("a.rs", &format!("// {mark}\n"), &[]);
        }
    }

    #[test]
    fn text_ends_with_a_line_feed() {
        check("a.toml", "a = 1", &["no line feed"]);
        check("fuzz/corpus/names/a", concat!("a TO", "DO"), &[]);
        check("a.toml", "a = 1\n", &[]);
        check("empty.md", "", &[]);
    }

    #[test]
    fn large_files_are_refused() {
        check("a.txt", &"a\n".repeat(LARGEST / 2 + 1), &["bytes"]);
        check("a.txt", &"a\n".repeat(LARGEST / 2), &[]);
    }
}
