use super::*;

/// Checks the slips of a message with their lines and what they would have asked for.
fn check(message: &str, wanted: &[(usize, Slip, Bump)]) {
    let found: Vec<_> = near_misses("c", message).iter().map(|m| (m.line, m.slip, m.would)).collect();
    assert_eq!(found, wanted, "{message:?}");
}

#[test]
fn words_that_are_almost_a_breaking_footer_are_seen() {
    let one = |line: &str, slip: Slip| check(&format!("fix: a\n\n{line}"), &[(3, slip, Bump::Major)]);
    one("BREAKING CHANGES: b", Slip::Words);
    one("breaking change: b", Slip::Words);
    one("Breaking changes: b", Slip::Words);
    one("Breaking-Change: b", Slip::Words);
    one("BREAKING_CHANGE: b", Slip::Words);
    one("BREAKING  CHANGE: b", Slip::Words);
    one("BREAKING CHANGE : b", Slip::Words);
    one("BREAKING CHANGE:b", Slip::Words);
    one("BREAKING CHANGE\u{ff1a} b", Slip::Words);
    one("BREAKING: b", Slip::Words);
    one("**BREAKING CHANGE**: b", Slip::Words);
    one("BREAKING CHANGE b", Slip::NoColon);
    one("BREAKING CHANGE #1", Slip::NoColon);
    one("BREAKING CHANGE - b", Slip::NoColon);
    one("## BREAKING CHANGES", Slip::NoColon);
    one("BREAKING CHANGE:", Slip::NoText);
    one(" BREAKING CHANGE: b", Slip::NotAtStart);
    one("* BREAKING CHANGE: b", Slip::NotAtStart);
    one("and a BREAKING CHANGE: b", Slip::NotAtStart);
    check("fix: a\nBREAKING CHANGE: b", &[(2, Slip::NoBlankLine, Bump::Major)]);
    check("fix: a\n\nbody\nBREAKING CHANGE: b", &[(4, Slip::NoBlankLine, Bump::Major)]);
    check("fix: a. BREAKING CHANGE: b", &[(1, Slip::NotAtStart, Bump::Major)]);
}

#[test]
fn a_first_line_that_is_almost_one_is_seen() {
    let one = |title: &str, would: Bump| check(title, &[(1, Slip::FirstLine, would)]);
    one("feat:x", Bump::Minor);
    one("feat:\tx", Bump::Minor);
    one("fix:x", Bump::Patch);
    one("feat(): x", Bump::Minor);
    one("feat(a)(b): x", Bump::Minor);
    one("feat !: x", Bump::Major);
    one("feat!(a): x", Bump::Major);
    one("feat (a): x", Bump::Minor);
    one(" feat: x", Bump::Minor);
    one("docs!:x", Bump::Major);
    one("feat:", Bump::Minor);
    one("feat\u{ff1a}x", Bump::Minor);
    for title in ["docs:x", "Feat: x", "my-type:x", "http://x", "feat", "feature x"] {
        check(title, &[]);
    }
}

#[test]
fn a_squashed_line_that_asks_for_more_than_its_title_is_seen() {
    check("fix: a\n\n* feat!: b", &[(3, Slip::Squashed, Bump::Major)]);
    check(
        "fix: a\n\nfeat: b\nfeat!: c",
        &[(3, Slip::Squashed, Bump::Minor), (4, Slip::Squashed, Bump::Major)],
    );
    check(
        "chore(release): all (#1)\n\n* fix: a\n\n- feat(b): c",
        &[(3, Slip::Squashed, Bump::Patch), (5, Slip::Squashed, Bump::Minor)],
    );
    check("Everything (#1)\n\n* feat: a", &[(3, Slip::Squashed, Bump::Minor)]);
    check("feat: a\n\n* feat: b\n* fix: c\n* docs: d", &[]);
    check("feat!: a\n\n* feat!: b", &[]);
    check("fix: a\n\n* note!: b\n* see feat: c", &[]);
}

#[test]
fn what_cannot_raise_the_version_is_not_seen() {
    check("feat!: a\n\nBREAKING CHANGES: b", &[]);
    check("feat: a\n\nBREAKING CHANGE: b\n\nbreaking change: c", &[]);
    check("Merge branch 'a'\n\nfeat!:x\nBREAKING CHANGES: b", &[]);
    check("fixup! a\n\nBREAKING CHANGES: b", &[]);
    check("Revert \"feat: a\"\n\n* feat: b", &[]);
}

#[test]
fn prose_is_no_near_miss() {
    for body in [
        "breaking changes are announced a year ahead",
        "This is not a breaking change.",
        "- [ ] Breaking change (fix or feature)",
        "docs on the `BREAKING CHANGE: text` footer",
        "BREAKING CHANGELOG: a",
        "groundbreaking change: a",
        "the word BREAKING CHANGE",
    ] {
        check(&format!("fix: a\n\n{body}"), &[]);
    }
}

#[test]
fn release_notes_of_others_are_no_near_miss() {
    check("chore(deps): bump a\n\n- feat: b\n- fix!: c", &[]);
    check("chore: bump a\n\n<details>\n<li>x</li>\nfeat!: b\nBREAKING CHANGES: c\n</details>", &[]);
    check("chore: all\n\n* revert: an earlier commit of the same branch", &[]);
    check("fix: a <b>\n\n<3 you all\nBREAKING CHANGES: b", &[(4, Slip::Words, Bump::Major)]);
}

#[test]
fn a_near_miss_carries_its_evidence_and_its_fix() {
    let found = near_misses("1a2b3c4", "fix: a\n\nBREAKING CHANGES: b\u{1b}[2J is gone");
    assert_eq!(found.len(), 1);
    assert_eq!(found[0].commit, "1a2b3c4");
    assert_eq!(found[0].seen, "BREAKING CHANGES: b␛[2J is gone");
    assert_eq!(found[0].fix, "`BREAKING CHANGE: b␛[2J is gone` on a line of its own after a blank line");
    let found = near_misses("c", "feat(a)!:drop it");
    assert_eq!(found[0].fix, "`feat(a)!: drop it` (no space after the colon)");
    assert_eq!(near_misses("c", &format!("fix: a\n{}", "breaking change: b\n".repeat(1000))).len(), 5);
}
