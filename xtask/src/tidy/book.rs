//! The contents of the guide name every page, and every page that they name is there.

use std::collections::BTreeSet;

use crate::repository::{Repository, has_extension};
use crate::tidy::Finding;

const SOURCE: &str = "docs/src/";
const SUMMARY: &str = "docs/src/SUMMARY.md";
const ERRORS: &str = "docs/src/errors/README.md";

pub(super) fn look(repository: &Repository) -> Vec<Finding> {
    let pages: BTreeSet<&str> = repository
        .sources
        .iter()
        .filter_map(|source| source.path.strip_prefix(SOURCE))
        .filter(|path| has_extension(path, "md") && *path != "SUMMARY.md")
        .collect();
    let listed = |list: &str, below: &str| -> Vec<String> {
        links(repository.text(list).unwrap_or_default()).map(|link| format!("{below}{link}")).collect()
    };
    let (summary, errors) = (listed(SUMMARY, ""), listed(ERRORS, "errors/"));
    let mut found = vec![];
    for (list, links) in [(SUMMARY, &summary), (ERRORS, &errors)] {
        let gone = links.iter().filter(|link| !pages.contains(link.as_str()));
        found.extend(gone.map(|link| Finding::refused(list, format!("there is no page {link}"))));
    }
    for page in pages {
        let known = |links: &[String]| links.iter().any(|link| link == page);
        let error = page.starts_with("errors/SW");
        if !known(&summary) {
            found.push(Finding::refused(SUMMARY, format!("it does not name {page}")));
        }
        if error && !known(&errors) {
            found.push(Finding::refused(ERRORS, format!("it does not name {page}")));
        }
    }
    found
}

/// Returns the pages that a text links to, without places inside of them.
fn links(text: &str) -> impl Iterator<Item = &str> {
    text.split("](")
        .skip(1)
        .filter_map(|rest| rest.split([')', '#']).next())
        .filter(|link| has_extension(link, "md") && !link.contains("://") && !link.starts_with("../"))
}

#[cfg(test)]
mod tests {
    use super::*;

    const PAGE: (&str, &str) = ("docs/src/guide/a.md", "# A\n");
    const ERROR: (&str, &str) = ("docs/src/errors/SW0101.md", "# SW0101\n");

    fn check(summary: &str, errors: &str, expected: &[&str]) {
        let files = [
            PAGE,
            ERROR,
            ("docs/src/errors/README.md", errors),
            ("docs/src/SUMMARY.md", summary),
            ("docs/README.md", "no page of the guide\n"),
        ];
        let found: Vec<String> = look(&Repository::of(&files)).into_iter().map(|it| it.what).collect();
        assert_eq!(found, expected, "{summary} {errors}");
    }

    #[test]
    fn contents_and_pages_match_both_ways() {
        let all = "[A](guide/a.md) [E](errors/README.md) [SW0101](errors/SW0101.md)";
        let errors = "[SW0101](SW0101.md) [elsewhere](https://example.org/a.md) [up](../guide/a.md)";
        check(all, errors, &[]);
        check(&format!("{all} [B](b.md#part)"), errors, &["there is no page b.md"]);
        check(all, "", &["it does not name errors/SW0101.md"]);
        check("[A](guide/a.md) [E](errors/README.md)", errors, &["it does not name errors/SW0101.md"]);
        check("[E](errors/README.md) [S](errors/SW0101.md)", errors, &["it does not name guide/a.md"]);
    }
}
