//! Every error code has a page, and every page has a code.

use crate::codes::{self, Code, PROBLEM_RS};
use crate::repository::Repository;
use crate::tidy::Finding;

const PAGES: &str = "docs/src/errors/";

pub(super) fn look(repository: &Repository) -> Vec<Finding> {
    let Some(source) = repository.text(PROBLEM_RS) else {
        return vec![Finding::refused(PROBLEM_RS, "the file is missing")];
    };
    let codes = match codes::codes(source) {
        Ok(codes) => codes,
        Err(why) => return vec![Finding::refused(PROBLEM_RS, why)],
    };
    let mut found: Vec<Finding> = codes.iter().filter_map(|code| page(repository, code)).collect();
    let paths = repository.sources.iter().map(|source| source.path.as_str());
    let stray = paths.filter(|path| is_stray(path, &codes));
    found
        .extend(stray.map(|path| Finding::refused(path, format!("no code of that name is in {PROBLEM_RS}"))));
    found
}

fn page(repository: &Repository, code: &Code) -> Option<Finding> {
    let path = format!("{PAGES}{}.md", code.name);
    let Some(text) = repository.text(&path) else {
        return Some(Finding::refused(path, format!("{} has no page", code.name)));
    };
    let expected = format!("# {}: {}", code.name, code.title);
    let first = text.lines().next().unwrap_or_default();
    (first != expected).then(|| Finding::refused(path, format!("the first line is not `{expected}`")))
}

fn is_stray(path: &str, codes: &[Code]) -> bool {
    let name = path.strip_prefix(PAGES).and_then(|name| name.strip_suffix(".md"));
    name.is_some_and(|name| name.starts_with("SW") && !codes.iter().any(|code| code.name == name))
}

#[cfg(test)]
mod tests {
    use super::*;

    const FIRST: (&str, &str) = ("docs/src/errors/SW0103.md", "# SW0103: the branch has no commits yet\n");
    const SECOND: (&str, &str) = ("docs/src/errors/SW0307.md", "# SW0307: there is nothing to release\n");

    fn check(pages: &[(&str, &str)], expected: &[&str]) {
        let files = [&[(PROBLEM_RS, codes::SAMPLE)], pages].concat();
        let found: Vec<String> = look(&Repository::of(&files)).into_iter().map(|it| it.what).collect();
        assert_eq!(found.len(), expected.len(), "{found:?}");
        assert!(found.iter().zip(expected).all(|(what, expected)| what.contains(expected)), "{found:?}");
    }

    #[test]
    fn codes_and_pages_match_both_ways() {
        check(&[FIRST, SECOND, ("docs/src/errors/README.md", "# Errors\n")], &[]);
        check(&[FIRST], &["SW0307 has no page"]);
        check(&[FIRST, SECOND, ("docs/src/errors/SW9998.md", "# SW9998: gone\n")], &["no code of that name"]);
    }

    #[test]
    fn a_page_begins_with_code_and_title() {
        check(&[FIRST, ("docs/src/errors/SW0307.md", "# SW0307: nothing\n")], &["the first line is not"]);
    }

    #[test]
    fn codes_that_cannot_be_read_are_refused() {
        assert_eq!(look(&Repository::of(&[(PROBLEM_RS, "\ncodes! {\n    Broken\n}\n")])).len(), 1);
        assert_eq!(look(&Repository::of(&[])).len(), 1);
    }
}
