//! One message each, and what it asks for by the letter of the specification.

use super::*;

const NONE: Option<Bump> = None;
const PATCH: Option<Bump> = Some(Bump::Patch);
const MINOR: Option<Bump> = Some(Bump::Minor);
const MAJOR: Option<Bump> = Some(Bump::Major);

/// Checks the bump of each message, and whether it is conventional at all.
fn check(cases: &[(&str, Option<Bump>, bool)]) {
    for (message, bump, conventional) in cases {
        let found = evidence(&commits(&[message]));
        assert_eq!(found[0].bump, *bump, "{message:?}");
        assert_eq!(parse(message).is_ok(), *conventional, "{message:?}");
    }
}

#[test]
fn types_ask_for_what_the_specification_says() {
    check(&[
        ("feat: a", MINOR, true),
        ("fix: a", PATCH, true),
        ("perf: a", PATCH, true),
        ("revert: a", PATCH, true),
        ("docs: a", NONE, true),
        ("chore: a", NONE, true),
        ("refactor: a", NONE, true),
        ("test: a", NONE, true),
        ("build: a", NONE, true),
        ("ci: a", NONE, true),
        ("style: a", NONE, true),
        ("my-type: x", NONE, true),
        ("Feat: a", MINOR, true),
        ("FIX: a", PATCH, true),
        ("feat(api): a", MINOR, true),
        ("feat(api, web): a", MINOR, true),
        ("feat(@scope/name): a", MINOR, true),
        ("feat(über): ünïcode 漢字", MINOR, true),
        ("fix(a.b-c_d/e): a", PATCH, true),
        ("feat:  two spaces", MINOR, true),
        ("feat: a: b", MINOR, true),
        ("chore(release): 1.0.0", NONE, true),
    ]);
}

#[test]
fn a_mark_or_a_footer_breaks_whatever_the_type() {
    check(&[
        ("feat!: a", MAJOR, true),
        ("feat(api)!: a", MAJOR, true),
        ("fix!: a", MAJOR, true),
        ("docs!: a", MAJOR, true),
        ("my-type!: a", MAJOR, true),
        ("FEAT!: a", MAJOR, true),
        ("fix: a\n\nBREAKING CHANGE: b", MAJOR, true),
        ("fix: a\n\nBREAKING-CHANGE: b", MAJOR, true),
        ("chore: a\n\nBREAKING CHANGE: b", MAJOR, true),
        ("fix: a\n\nbody\n\nBREAKING CHANGE: b", MAJOR, true),
        ("fix: a\n\nbody\nmore\n\nCloses #1\nBREAKING CHANGE: b\nReviewed-by: Z", MAJOR, true),
        ("fix: a\n\nBREAKING CHANGE: b\nover lines\n\nand paragraphs\n\nRefs: #1", MAJOR, true),
        ("fix: a\n\nBREAKING CHANGE:\n- b\n- c", MAJOR, true),
        ("fix: a\n\nBREAKING CHANGE:\n\n* b", MAJOR, true),
        ("fix: a\r\n\r\nbody\r\n\r\nBREAKING CHANGE: b\r\n", MAJOR, true),
        ("fix!: a\n\nBREAKING CHANGE: b", MAJOR, true),
        ("feat: a\n\nBREAKING CHANGE: b\n\n* fix: c", MAJOR, true),
        ("\n\nfeat!: a", MAJOR, true),
        ("\r\n \r\nfeat: a\n\nBREAKING CHANGE: b", MAJOR, true),
    ]);
}

#[test]
fn what_is_only_almost_breaking_does_not_break() {
    check(&[
        ("fix: a\n\nbreaking change: b", PATCH, true),
        ("fix: a\n\nBreaking Change: b", PATCH, true),
        ("fix: a\n\nBreaking-Change: b", PATCH, true),
        ("fix: a\n\nBREAKING CHANGES: b", PATCH, true),
        ("fix: a\n\nBREAKING CHANGE b", PATCH, true),
        ("fix: a\n\nBREAKING CHANGE #1", PATCH, true),
        ("fix: a\n\nBREAKING CHANGE:b", PATCH, true),
        ("fix: a\n\nBREAKING CHANGE:", PATCH, true),
        ("fix: a\n\nBREAKING: b", PATCH, true),
        ("fix: a\n\nBREAKING_CHANGE: b", PATCH, true),
        ("fix: a\nBREAKING CHANGE: b", PATCH, true),
        ("fix: a\n\nbody\nBREAKING CHANGE: b", PATCH, true),
        ("fix: a\n\n BREAKING CHANGE: b", PATCH, true),
        ("fix: a\n\n**BREAKING CHANGE**: b", PATCH, true),
        ("fix: a\n\nthis is no BREAKING CHANGE: b", PATCH, true),
        ("fix: BREAKING CHANGE: b", PATCH, true),
        ("fix: a\n\nfeat: b\nfeat!: c", PATCH, true),
        ("fix: a\n\n* feat: b\n* feat!: c", PATCH, true),
    ]);
}

#[test]
fn what_is_not_conventional_releases_nothing() {
    check(&[
        ("feat:a", NONE, false),
        ("feat:\ta", NONE, false),
        ("feat:\u{a0}a", NONE, false),
        ("feat:", NONE, false),
        ("feat: ", NONE, false),
        ("feat(): x", NONE, false),
        ("feat( ): x", NONE, false),
        ("feat( a): x", NONE, false),
        ("feat(a)(b): x", NONE, false),
        ("feat(a: x", NONE, false),
        ("feat(a)b: x", NONE, false),
        ("feat !: x", NONE, false),
        ("feat! : x", NONE, false),
        ("feat!!: x", NONE, false),
        ("feat!(a): x", NONE, false),
        ("feat (a): x", NONE, false),
        ("feat : x", NONE, false),
        (" feat: x", NONE, false),
        ("feat\u{ff1a} x", NONE, false),
        (": x", NONE, false),
        ("(a): x", NONE, false),
        ("feat", NONE, false),
        ("add a thing", NONE, false),
        ("feat add: a thing", NONE, false),
        ("std::vec: a", NONE, false),
        ("https://example.org/feat: a", NONE, false),
        ("Merge branch 'feat: a' into main", NONE, false),
        ("Merge pull request #1 from a/b\n\nfeat!: a", NONE, false),
        ("fixup! feat!: a", NONE, false),
        ("squash! feat: a", NONE, false),
        ("amend! feat: a", NONE, false),
        ("# a comment\n\nfeat: a", NONE, false),
        ("", NONE, false),
        ("\n \n", NONE, false),
    ]);
}

#[test]
fn a_default_revert_of_something_released_is_a_patch() {
    check(&[
        ("Revert \"feat: a\"\n\nThis reverts commit 0123456789abcdef0123456789abcdef01234567.", PATCH, false),
        ("Revert \"feat: a\" (#12)", PATCH, false),
        (
            "Reapply \"feat: a\"\n\nThis reverts commit 0123456789abcdef0123456789abcdef01234567.",
            PATCH,
            false,
        ),
        ("revert: let us never again speak of the noodle incident\n\nRefs: 676104e, a215868", PATCH, true),
        ("revert!: a", MAJOR, true),
    ]);
}
