use shipway_core::problem::Code;

use crate::changelog::{insert, withdraw};

const SECTION: &str = "## [1.2.0] - 2026-11-20\n\n### Features\n\n- a\n";

/// Inserts where the mark stands, and asserts that every byte around it stays.
fn check(marked: &str) {
    for end in ["\n", "\r\n"] {
        let marked = marked.replace('\n', end);
        let (before, after) = marked.split_once('^').unwrap();
        let old = format!("{before}{after}");
        let new = insert("CHANGELOG.md", Some(old.as_bytes()), "1.2.0", SECTION).unwrap();
        let new = String::from_utf8(new).unwrap();
        assert!(new.starts_with(before) && new.ends_with(after), "{marked:?} became {new:?}");
        let added = &new[before.len()..new.len() - after.len()];
        // A file without a line end does not say which one it wants.
        let section = if old.contains('\n') { SECTION.replace('\n', end) } else { SECTION.to_owned() };
        assert_eq!(added.trim_matches(['\r', '\n']), section.trim_end(), "{marked:?} became {new:?}");
        let lf = new.replace("\r\n", "\n");
        assert!(
            before.is_empty() || lf.contains("\n\n## [1.2.0] - 2026-11-20\n") || lf.starts_with('\u{feff}'),
            "{lf}"
        );
        assert!(after.is_empty() || lf.contains("- a\n\n"), "{lf}");
        assert!(!lf.contains("\n\n\n## [1.2.0]") || before.replace("\r\n", "\n").ends_with("\n\n\n"), "{lf}");
        if end == "\r\n" && old.contains('\n') {
            assert_eq!(new.matches('\n').count(), new.matches("\r\n").count());
        }
    }
}

#[test]
fn a_section_goes_above_the_last_release() {
    check("# Changelog\n\nText.\n\n^## [1.1.0] - 2026-01-01\n\n- b\n");
    check("# Changelog\n^## 1.1.0\n");
    check("^## v1.1.0 (2026-01-01)\n\n- b");
    check("# Changes\n\n^# [1.1.0](https://x) (2026-01-01)\n### Bug Fixes\n\n## [1.0.0]\n");
    check("Intro\n\n^### 1.0.1\n\n## 1.0.0\n");
    check("# History\n\n^1.1.0 / 2026-01-01\n==================\n\n * b\n");
    check("# C\n\n^## shipway 1.1.0\n");
    check("# C\n\n^## @scope/name@1.1.0\n");
    check("# C\n\n^## Version 1.1\n");
    check("# C\n\n## About these notes\n\nText.\n\n^## 1.1.0\n");
    check("---\ntitle: 1.0.0\n---\n# C\n\n^## 1.1.0\n");
    check("\u{feff}^## 1.1.0\n");
}

#[test]
fn what_is_not_released_stays_above() {
    check("# C\n\n## [Unreleased]\n\n### Added\n\n- by hand\n\n^## [1.1.0]\n");
    check("# C\n\n## Unreleased\n\n### 2.0.0 migration\n\n- by hand\n\n^## 1.1.0\n");
    check("# C\n\n## [Unreleased]\n\n- by hand\n\n^[unreleased]: https://x\n[1.0.0]: https://y\n");
    check("# C\n\n## [Unreleased](https://x/v1.0.0...HEAD)\n\n- by hand\n^");
    check("# C\n\n## UNRELEASED\n\n^## Old things\n");
}

#[test]
fn a_file_without_releases_gets_its_first_below_the_preamble() {
    check("# Changelog\n\nAll that changed.\n^");
    check("# Changelog^");
    check("# Changelog\n\nText.\n\n^[a]: https://x\n");
    check("# Changelog\n\nText.\n\n^## The first days\n\n- b\n");
    check("^Some text without a heading.\n\n- b\n");
    check("---\na: b\n---\n^text\n");
    check("^## Only a second level\n");
}

#[test]
fn headings_in_code_and_comments_are_no_headings() {
    check("# C\n\n```md\n## [1.1.0]\n```\n\n<!--\n## [1.0.9]\n-->\n\n    ## 1.0.8\n\n^## 1.0.7\n");
    check("# C\n\n<!-- ## 1.1.0 -->\n\n~~~\n```\n## 1.0.9\n~~~\n\n^## 1.0.7\n");
}

#[test]
fn a_new_file_begins_with_a_preamble() {
    let new = insert("CHANGELOG.md", None, "1.2.0", SECTION).unwrap();
    let text = String::from_utf8(new).unwrap();
    assert!(text.starts_with("# Changelog\n\n") && text.ends_with(&format!(").\n\n{SECTION}")), "{text}");
    let empty = insert("CHANGELOG.md", Some(b"\r\n"), "1.2.0", SECTION).unwrap();
    assert!(String::from_utf8(empty).unwrap().starts_with("# Changelog\r\n\r\n"));
}

#[test]
fn a_second_release_goes_above_the_first() {
    let one = insert("CHANGELOG.md", None, "1.2.0", SECTION).unwrap();
    let two = insert("CHANGELOG.md", Some(&one), "1.3.0", "## [1.3.0] - 2026-12-01\n\n- b\n").unwrap();
    let text = String::from_utf8(two).unwrap();
    assert!(text.ends_with(&format!(").\n\n## [1.3.0] - 2026-12-01\n\n- b\n\n{SECTION}")), "{text}");
}

#[test]
fn bytes_in_another_encoding_survive() {
    let old = b"# C\n\ncaf\xe9\n\n## 1.1.0\n\n- \xff\n";
    let new = insert("CHANGELOG.md", Some(old), "1.2.0", SECTION).unwrap();
    assert_eq!(new, [&old[..11], SECTION.as_bytes(), b"\n", &old[11..]].concat());
}

#[test]
fn a_changelog_that_needs_a_person_is_refused_with_its_place() {
    let refused = |old: &[u8], place: &str| {
        let problem = insert("CHANGELOG.md", Some(old), "1.2.0", SECTION).unwrap_err();
        assert_eq!((problem.code, problem.place.as_deref()), (Code::ChangelogConflict, Some(place)));
    };
    refused(b"# C\n\n<<<<<<< HEAD\n## 1.1.0\n", "CHANGELOG.md:3");
    refused(b"# C\n\n## [1.1.0]\n\n## [v1.2.0] - 2026-01-01\n", "CHANGELOG.md:5");
    refused(b"\xff\xfe#\0", "CHANGELOG.md");
    assert_eq!(
        withdraw("CHANGELOG.md", b">>>>>>> x\n", "1.2.0", "d").unwrap_err().code,
        Code::ChangelogConflict
    );
}

#[test]
fn a_withdrawn_release_is_marked_once() {
    let check = |old: &str, expect: &str| {
        for end in ["\n", "\r\n"] {
            let (old, expect) = (old.replace('\n', end), expect.replace('\n', end));
            let new = withdraw("CHANGELOG.md", old.as_bytes(), "1.2.0", "2026-12-01").unwrap().unwrap();
            assert_eq!(String::from_utf8_lossy(&new), expect);
            assert_eq!(withdraw("CHANGELOG.md", &new, "1.2.0", "2026-12-02").unwrap(), None);
        }
    };
    check(
        "# C\n\n## [1.2.0] - 2026-11-20\n\n- a\n",
        "# C\n\n## [1.2.0] - 2026-11-20 [WITHDRAWN]\n\nWithdrawn on 2026-12-01.\n\n- a\n",
    );
    check(
        "## v1.2.0  \n- a\n\n## 1.1.0\n",
        "## v1.2.0 [WITHDRAWN]  \n\nWithdrawn on 2026-12-01.\n\n- a\n\n## 1.1.0\n",
    );
    check("1.2.0 / 2026\n===\n- a\n", "1.2.0 / 2026 [WITHDRAWN]\n===\n\nWithdrawn on 2026-12-01.\n\n- a\n");
    let new = withdraw("CHANGELOG.md", b"## 1.2.0", "1.2.0", "2026-12-01").unwrap().unwrap();
    assert_eq!(new, b"## 1.2.0 [WITHDRAWN]\n\nWithdrawn on 2026-12-01.\n");
    for old in ["## 1.2.1\n", "1.2.0\n", "## 1.2.0 [YANKED]\n", ""] {
        assert_eq!(withdraw("CHANGELOG.md", old.as_bytes(), "1.2.0", "d").unwrap(), None, "{old}");
    }
}

#[test]
fn a_withdrawn_version_may_be_released_again() {
    let withdrawn = b"# C\n\n## [1.2.0] [WITHDRAWN]\n";
    let new = insert("CHANGELOG.md", Some(withdrawn), "1.2.0", SECTION).unwrap();
    assert_eq!(new, [&withdrawn[..5], SECTION.as_bytes(), b"\n", &withdrawn[5..]].concat());
    assert!(withdraw("CHANGELOG.md", &new, "1.2.0", "d").unwrap().is_some());
}
