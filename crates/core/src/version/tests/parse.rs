use super::*;

fn footers(message: &str) -> Vec<(String, Separator, String)> {
    let commit = parse(message).unwrap();
    commit.footers.iter().map(|f| (f.token.to_owned(), f.separator, f.value.to_owned())).collect()
}

#[test]
fn a_message_is_taken_apart() {
    let commit = parse(
        "Feat(Api)!: allow lists\n\nSome body,\nin lines.\n\nAnd more.\n\nReviewed-by: Z\nCloses #12\n\
         BREAKING CHANGE: the old way\nis gone\n\nfor good\nRelease-as: 3.0.0\n",
    )
    .unwrap();
    assert_eq!((&*commit.kind, commit.scope, commit.breaking), ("feat", Some("Api"), true));
    assert_eq!(commit.description, "allow lists");
    assert_eq!(commit.body, Some("Some body,\nin lines.\n\nAnd more."));
    assert_eq!(commit.breaking_text, Some("the old way\nis gone\n\nfor good"));
    assert_eq!(commit.release_as(), Some("3.0.0"));
    let tokens: Vec<_> = commit.footers.iter().map(|footer| (footer.token, footer.value)).collect();
    assert_eq!(tokens[..2], [("Reviewed-by", "Z"), ("Closes", "12")]);
    assert_eq!(commit.footers[1].separator, Separator::Hash);
    assert_eq!(tokens.len(), 4);
}

#[test]
fn footers_begin_after_a_blank_line_and_end_at_the_next_token() {
    let check = |message: &str, wanted: &[(&str, &str)]| {
        let found = footers(message);
        let found: Vec<_> = found.iter().map(|(token, _, value)| (&**token, &**value)).collect();
        assert_eq!(found, wanted, "{message:?}");
    };
    check("fix: a", &[]);
    check("fix: a\n\nbody", &[]);
    check("fix: a\nRefs: 1", &[]);
    check("fix: a\n\nbody\nRefs: 1", &[]);
    check("fix: a\n\nRefs: 1", &[("Refs", "1")]);
    check("fix: a\n\nbody\n\nRefs: 1", &[("Refs", "1")]);
    check("fix: a\n\nRefs: 1\n more\n\nmore", &[("Refs", "1\n more\n\nmore")]);
    check("fix: a\r\n\r\nRefs: 1\r\nCloses #2\r\n", &[("Refs", "1"), ("Closes", "2")]);
    check(
        "fix: a\n\nSigned-off-by: A <a@b.c>\nCo-authored-by: B",
        &[("Signed-off-by", "A <a@b.c>"), ("Co-authored-by", "B")],
    );
    check("fix: a\n\nsee https://example.org\n\nnot a token: x\n\n10: x", &[]);
    check("fix: a\n\nFixes # 3", &[]);
    check("fix: a\n\nBREAKING CHANGE #1", &[("BREAKING CHANGE", "1")]);
}

#[test]
fn a_mark_without_a_footer_takes_the_description_as_its_text() {
    assert_eq!(parse("feat!: drop it").unwrap().breaking_texts(), ["drop it"]);
    assert_eq!(
        parse("feat!: a\n\nBREAKING CHANGE: b\nBREAKING-CHANGE: c").unwrap().breaking_texts(),
        ["b", "c"]
    );
    assert!(parse("feat: a").unwrap().breaking_texts().is_empty());
}

#[test]
fn texts_by_default_are_known_for_what_they_are() {
    use NotConventional as Not;
    let check =
        |message: &str, wanted: NotConventional<'_>| assert_eq!(parse(message), Err(wanted), "{message:?}");
    for merge in [
        "Merge branch 'a'",
        "Merge branch 'a' into b",
        "Merge pull request #12 from a/b",
        "Merge tag 'v1.0.0'",
        "Merge remote-tracking branch 'origin/main'",
        "Merge 1a2b3c4 into 5d6e7f8",
        "Merged in topic (pull request #1)",
        "Merged PR 12: a",
    ] {
        check(merge, Not::Merge);
    }
    check("Merge the two lists", Not::NoType);
    check("fixup! feat: a", Not::Autosquash("feat: a"));
    check("amend! fixup! feat: a", Not::Autosquash("fixup! feat: a"));
    check("Revert \"Revert \"feat: a\"\"", Not::Revert("Revert \"feat: a\""));
    check("revert the thing", Not::NoType);
    check("\n\n", Not::Empty);
    check("feat !:x", Not::Flawed(vec![Flaw::SpaceInside, Flaw::NoSpace]));
}

#[test]
fn comment_lines_are_text_unless_they_are_taken_out() {
    let text =
        "# one\nfix: a\n# two\n\nbody\n#3\n# ------------------------ >8 ------------------------\ndiff\n";
    assert_eq!(without_comments(text), "fix: a\n\nbody\n");
    assert!(matches!(without_comments("fix: a\n"), std::borrow::Cow::Borrowed(_)));
    assert_eq!(parse("fix: a\n\n#3 is gone").unwrap().body, Some("#3 is gone"));
}

#[test]
fn issues_are_found_once_and_closing_words_are_seen() {
    let found =
        issues("fix: a (#12)\n\nCloses #3, #4 and fixes: #5, see owner/name#6, #12, &#39; a#7 #8x ##9 #");
    let found: Vec<_> = found.iter().map(|issue| (issue.reference, issue.closes)).collect();
    let wanted = [("#12", false), ("#3", true), ("#4", false), ("#5", true), ("owner/name#6", false)];
    assert_eq!(found, wanted);
    assert!(issues("no #issue here").is_empty());
}

#[test]
fn a_footer_is_kept_as_it_was_written() {
    let message = "fix: a\n\nbody\n\nCloses #12\nRefs: #13,\n  #14\n";
    let footers = parse(message).unwrap().footers;
    let texts: Vec<&str> = footers.iter().map(|footer| footer.text).collect();
    assert_eq!(texts, ["Closes #12", "Refs: #13,\n  #14"]);
    assert_eq!(issues(texts[0])[0].reference, "#12");
}

#[test]
fn foreign_text_becomes_harmless() {
    for (text, lines, one_line) in [
        ("plain", "plain", "plain"),
        ("a\tb\nc", "a\tb\nc", "a b c"),
        ("a\r\nb\rc", "a\nb␍c", "a b c"),
        ("\u{1b}[31mred\u{7}", "␛[31mred␇", "␛[31mred␇"),
        ("a\u{9b}2J\u{7f}\0", "a<U+009B>2J␡␀", "a<U+009B>2J␡␀"),
        ("a\u{202e}b\u{feff}", "a<U+202E>b<U+FEFF>", "a<U+202E>b<U+FEFF>"),
        ("👩\u{200d}💻 é", "👩\u{200d}💻 é", "👩\u{200d}💻 é"),
    ] {
        assert_eq!(clean(text), lines, "{text:?}");
        assert_eq!(clean_line(text), one_line, "{text:?}");
    }
    assert!(matches!(clean("a\nb\tc"), std::borrow::Cow::Borrowed(_)));
}

#[test]
fn an_excerpt_is_never_longer_than_it_may_be() {
    for (text, limit, wanted) in
        [("abc", 3, "abc"), ("abcd", 3, "ab…"), ("äöüß", 3, "äö…"), ("", 3, ""), ("a  ", 1, "a")]
    {
        assert_eq!(excerpt(text, limit), wanted, "{text:?}");
    }
    assert_eq!(excerpt(&"é".repeat(1 << 20), 10).chars().count(), 10);
}

#[test]
fn a_revert_is_told_whoever_worded_it() {
    let told = |message: &str| told(message).map(|one| (one.kind.into_owned(), one.description.to_owned()));
    let revert = |description: &str| Some(("revert".to_owned(), description.to_owned()));
    assert_eq!(told("Revert \"feat: a\"\n\nThis reverts commit 1234567."), revert("feat: a"));
    assert_eq!(told("Reapply \"feat: a\""), revert("Reapply \"feat: a\""));
    assert_eq!(told("revert: a"), revert("a"));
    assert_eq!(told("feat: a").unwrap().0, "feat");
    for message in ["Merge branch 'a'", "fixup! feat: a", "feat:a", "a", ""] {
        assert_eq!(told(message), None, "{message:?}");
    }
}
