use super::*;

/// Checks place and text of every problem.
fn check(message: &str, wanted: &[&str]) {
    let found = lint(message);
    assert!(found.iter().all(|problem| problem.code == Code::CommitMessage));
    let found: Vec<_> = found
        .iter()
        .map(|problem| match &problem.place {
            Some(place) => format!("{place}: {}", problem.what),
            None => problem.what.clone(),
        })
        .collect();
    assert_eq!(found, wanted, "{message:?}");
}

#[test]
fn a_good_message_passes() {
    for message in [
        "feat: a",
        "Fix(parser): accept an empty list\n\nA body.\n\nCloses #1\n",
        "feat!: a\r\n\r\nBREAKING CHANGE: b\r\n",
        "# comment\n\nfeat: a\n# comment\n\nbody\tand tab\n",
        "feat: a\n# ------------------------ >8 ------------------------\nBREAKING CHANGES: in a diff\n",
        "feat: a\n\nRelease-As: 2.0.0-rc.1",
        "revert: a\n\nRefs: 1a2b3c4",
    ] {
        check(message, &[]);
    }
}

#[test]
fn texts_that_git_writes_pass() {
    for message in [
        "Merge branch 'a' into b",
        "Merge pull request #1 from a/b\n\nanything",
        "fixup! anything",
        "squash! anything",
        "amend! anything",
        "Revert \"anything\"\n\nThis reverts commit 0123456.",
        "Reapply \"anything\"",
    ] {
        check(message, &[]);
    }
}

#[test]
fn all_problems_are_named_at_once_with_their_lines() {
    check("", &["the message is empty"]);
    check("# only a comment\n", &["the message is empty"]);
    check("add a thing", &["line 1: the first line has no type"]);
    check("faet:x", &["line 1: no space after the colon", "line 1: type `faet` is not known"]);
    check(
        "# hello\n\nfeat (): x\n# hello\nbody\n",
        &[
            "line 3: white space before the colon",
            "line 3: an empty scope",
            "line 5: no blank line after the first line",
        ],
    );
    check("fix: a\n\nbody\nBREAKING CHANGE: b\n", &["line 4: no blank line before the footer"]);
    check(
        "fix: a\n\n# c\nBREAKING CHANGES: b\n\nRelease-As: two\n",
        &[
            "`Release-As: two` is not a semantic version",
            "line 4: the words are not exactly `BREAKING CHANGE: `",
        ],
    );
    check("fix: a\u{1b}[2J", &["line 1: control character U+001B in the message"]);
    check("fix: a\n\n* feat!: b", &["line 3: a line of the body asks for more than the title"]);
    check("fix: a\n\n* feat: b (not 1234567)", &["line 3: a line of the body asks for more than the title"]);
    // What a release lists is there already.
    check("chore: release version 1.1.0\n\n- feat: b (1a2b3c4)\n- feat!: c (1a2b3c5)", &[]);
}

#[test]
fn a_slip_of_the_pen_gets_the_word_that_was_meant() {
    for (kind, wanted) in [
        ("faet", "feat"),
        ("feature", "feat"),
        ("fxi", "fix"),
        ("bugfix", "fix"),
        ("doc", "docs"),
        ("tests", "test"),
        ("chroe", "chore"),
        ("refacter", "refactor"),
    ] {
        let found = lint(&format!("{kind}: a"));
        assert_eq!(hints(&found), [format!("did you mean `{wanted}`?")], "{kind}");
    }
    assert!(hints(&lint("wibble: a")).is_empty());
}

#[test]
fn further_types_can_be_allowed() {
    assert!(lint_with("wip: a", &["wip".to_owned()]).is_empty());
    assert_eq!(lint_with("wpi: a", &["wip".to_owned()]).len(), 1);
}
