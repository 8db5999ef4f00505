//! Input that nobody wrote by hand.

use super::*;

/// Feeds a message to every reader; the results must fit together.
fn feed(message: &str) {
    let parsed = parse(message);
    if let Ok(commit) = &parsed {
        assert!(!commit.description.is_empty() && !commit.kind.is_empty());
        assert!(commit.body.is_none_or(|body| !body.trim().is_empty()));
        assert_eq!(commit.breaking, !commit.breaking_texts().is_empty());
    }
    let _ = (reverts(message, &parsed), issues(message), lint(message), near_misses("c", message));
    let cleaned = clean(message);
    assert!(!cleaned.contains(|c: char| c.is_control() && c != '\n' && c != '\t'));
    assert_eq!(clean(&cleaned), cleaned);
    assert!(excerpt(message, 50).chars().count() <= 50);
    assert!(!clean_line(message).contains(char::is_control));
}

#[test]
fn no_message_is_too_strange() {
    const PIECES: &[&str] = &[
        "feat",
        "fix",
        "revert",
        "FEAT",
        "BREAKING CHANGE",
        "BREAKING-CHANGE",
        "breaking changes",
        ":",
        ": ",
        "!",
        "(",
        ")",
        " ",
        "\n",
        "\r\n",
        "\n\n",
        "#",
        " #",
        "#1",
        "Closes",
        "Release-As: 1.0.0",
        "* ",
        "- ",
        "\t",
        "ä",
        "漢",
        "\u{1b}[0m",
        "\u{202e}",
        "\u{ff1a}",
        "\0",
        "This reverts commit 1a2b3c4.",
        "Revert \"",
        "\"",
        "Merge branch ",
        "fixup! ",
        "# >8",
        "-",
        "_",
        "a",
        "1",
    ];
    let mut state: u64 = 0x9e37_79b9_7f4a_7c15;
    let mut random = |below: usize| {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        usize::try_from(state >> 33).unwrap() % below
    };
    let mut parsed = 0;
    for _ in 0..20_000 {
        let length = random(14);
        let text: String = (0..length).map(|_| PIECES[random(PIECES.len())]).collect();
        feed(&text);
        let message = format!("fix: {text}");
        parsed += usize::from(parse(&message).is_ok());
        feed(&message);
    }
    assert!(parsed > 15_000, "{parsed}");
}

#[test]
fn a_message_of_a_mebibyte_is_read_in_one_pass() {
    const SIZE: usize = 1 << 20;
    for piece in [
        "a",
        "\n",
        " ",
        "(",
        "()",
        "!",
        "#1 ",
        "# ",
        "a: b\n",
        "Closes #1\n",
        "\nBREAKING CHANGE: a\n",
        "* feat!: b\n",
        "breaking change: a\n",
        "This reverts commit 1a2b3c4\n",
        "\u{1b}[0m",
        "BREAKING ",
        "a/#1",
        "é",
        "\r\n",
        "Refs: 1a2b3c4\n",
        "\n\n: ",
        " BREAKING CHANGE: ",
        "-",
        ":",
    ] {
        let long = piece.repeat(SIZE / piece.len());
        let part = &long[..piece.len() * 10_000];
        feed(part);
        feed(&format!("fix: a\n\n{part}"));
        feed(&format!("feat({part}): a"));
        let found =
            decided(&Ask::Auto, &line("1.0.0"), &[&format!("revert: a\n\n{long}"), &format!("fix: {long}")]);
        assert!(found.is_ok() || found.is_err_and(|problems| problems.len() < 30), "{piece:?}");
    }
}

#[test]
fn a_hundred_thousand_commits_are_decided() {
    let kinds = ["feat", "fix", "docs", "chore", "perf"];
    let commits: Vec<Commit> = (0..100_000)
        .map(|n| Commit {
            id: id(n),
            message: match n % 10 {
                9 => format!("Revert \"x\"\n\nThis reverts commit {}.\n", id(n + 1)),
                digit => format!("{}(scope): change number {n}\n\nBody.\n\nCloses #{n}\n", kinds[digit % 5]),
            },
        })
        .collect();
    let decision = decide(&Ask::Auto, &line("1.0.0"), &commits, &Rules::default()).unwrap();
    assert_eq!(decision.to, v("1.1.0"));
    assert_eq!(decision.evidence.len(), 100_000);
    assert_eq!(decision.evidence.iter().filter(|e| e.cancelled_by.is_some()).count(), 9_999);
}
