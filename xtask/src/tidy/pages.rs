//! Generated pages are what their generators make today.

use crate::docs::{PAGES, Page};
use crate::repository::Repository;
use crate::tidy::Finding;

pub(super) fn look(repository: &Repository) -> Vec<Finding> {
    PAGES.iter().filter_map(|page| look_at(repository, page)).collect()
}

fn look_at(repository: &Repository, page: &Page) -> Option<Finding> {
    match page.text(repository) {
        Err(why) => Some(Finding::refused(page.path, why)),
        Ok(text) if repository.text(page.path) == Some(text.as_str()) => None,
        Ok(_) => Some(Finding::refused(page.path, "the page is stale; write it anew: cargo xtask docs")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::docs::From;

    fn check(stored: &str, expected: Option<&str>) {
        let page = Page { path: "docs/page.md", from: From::Source(|_| Ok("fresh\n".into())) };
        let found = look_at(&Repository::of(&[("docs/page.md", stored)]), &page);
        assert_eq!(found.is_some(), expected.is_some(), "{found:?}");
        assert!(found.is_none_or(|found| found.what.contains(expected.unwrap_or_default())));
    }

    #[test]
    fn a_page_that_differs_is_refused() {
        check("fresh\n", None);
        check("old\n", Some("stale"));
    }

    #[test]
    fn a_page_that_is_missing_or_cannot_be_made_is_refused() {
        let absent = Page { path: "docs/absent.md", from: From::Source(|_| Ok("fresh\n".into())) };
        assert!(look_at(&Repository::of(&[]), &absent).is_some());
        let broken = Page { path: "docs/page.md", from: From::Source(|_| Err("no binary".into())) };
        assert_eq!(
            look_at(&Repository::of(&[]), &broken),
            Some(Finding::refused("docs/page.md", "no binary"))
        );
    }
}
