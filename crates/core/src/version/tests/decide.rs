use super::*;

fn check(ask: &str, last: &str, messages: &[&str], wanted: &str) {
    assert_eq!(outcome(ask, &line(last), messages), wanted, "{ask} after {last}: {messages:?}");
}

#[test]
fn the_highest_ask_decides() {
    check("auto", "1.2.3", &["fix: a"], "1.2.4");
    check("auto", "1.2.3", &["fix: a", "feat: b", "docs: c"], "1.3.0");
    check("auto", "1.2.3", &["fix: a", "feat!: b", "feat: c"], "2.0.0");
    check("auto", "1.2.3", &["perf: a"], "1.2.4");
    check("auto", "1.2.3-rc.1", &["fix: a"], "1.2.3");
    check("auto", "1.2.0-rc.1", &["feat: a"], "1.2.0");
    check("auto", "1.2.1-rc.1", &["feat: a"], "1.3.0");
}

#[test]
fn below_1_a_breaking_change_is_a_minor_unless_configured() {
    check("auto", "0.2.3", &["feat!: a"], "0.3.0");
    check("auto", "0.2.3", &["feat: a"], "0.3.0");
    check("auto", "0.2.3", &["fix: a"], "0.2.4");
    check("major", "0.2.3", &["fix: a"], "1.0.0");
    check("1.0.0", "0.2.3", &["fix: a"], "1.0.0");
    check("auto", "0.2.3", &["fix: a\n\nRelease-As: 1.0.0"], "1.0.0");
    let rules = Rules { breaking_below_1: Bump::Major, ..Rules::default() };
    let decision = super::super::decide(&Ask::Auto, &line("0.2.3"), &commits(&["feat!: a"]), &rules).unwrap();
    assert_eq!(decision.to, v("1.0.0"));
}

#[test]
fn nothing_to_release_and_nothing_that_releases_are_told_apart() {
    check("auto", "1.2.3", &[], "NothingToRelease");
    check("major", "1.2.3", &[], "NothingToRelease");
    check("auto", "1.2.3", &["docs: a", "chore: b", "no type"], "NothingReleases");
    check("patch", "1.2.3", &["docs: a"], "1.2.4");
    let many = vec!["docs: a"; 50];
    let problems = decided(&Ask::Auto, &line("1.2.3"), &many).unwrap_err();
    assert_eq!(problems[0].details.len(), 21);
    assert_eq!(problems[0].details[0], "0000001 docs: a · this type releases nothing");
    assert_eq!(problems[0].details[20], "and 30 more");
    assert_eq!(hints(&problems), ["shipway push patch"]);
    assert_eq!(
        (problems[0].code.kind().exit_code(), problems[0].what.as_str()),
        (11, "50 commits since 1.2.3, none of them releases anything")
    );
}

#[test]
fn a_first_release_has_the_configured_version() {
    let first = |ask: &str, messages: &[&str]| outcome(ask, &Line::default(), messages);
    assert_eq!(first("auto", &["initial commit"]), "0.1.0");
    assert_eq!(first("auto", &["feat!: a", "feat:x"]), "0.1.0");
    assert_eq!(first("patch", &["a"]), "0.1.0");
    assert_eq!(first("major", &["a"]), "1.0.0");
    assert_eq!(first("3.0.0", &["a"]), "3.0.0");
    assert_eq!(first("auto", &["a\n", "fix: b\n\nRelease-As: 2.0.0"]), "2.0.0");
    assert_eq!(first("auto", &[]), "NothingToRelease");
}

#[test]
fn what_the_user_asks_for_wins_and_is_doubted_aloud() {
    check("major", "1.2.3", &["fix: a"], "2.0.0");
    check("patch", "1.2.3", &["feat: a"], "1.2.4");
    let ask = Ask::Bump(Bump::Patch);
    let decision = decided(&ask, &line("1.2.3"), &["feat: a", "fix: b"]).unwrap();
    assert_eq!(decision.why, "patch was asked for: 1 feat, 1 fix, 0 breaking");
    assert_eq!(codes(&decision.warnings), "AmbiguousCommits");
    assert_eq!(decision.warnings[0].what, "1.2.4 is less than the commits ask for: a minor");
    assert!(decided(&ask, &line("1.2.3"), &["fix: b"]).unwrap().warnings.is_empty());
}

#[test]
fn an_exact_version_must_be_valid_higher_and_free() {
    check("1.10.0", "1.9.0", &["fix: a"], "1.10.0");
    check("2.0.0-rc.1", "1.9.0", &["fix: a"], "2.0.0-rc.1");
    check("2.0.0+build.5", "1.9.0", &["fix: a"], "2.0.0+build.5");
    check("1.8.0", "1.9.0", &["fix: a"], "VersionNotHigher");
    check("1.9.0-rc.1", "1.9.0", &["fix: a"], "VersionNotHigher");
    check("1.9.0", "1.9.0", &["fix: a"], "VersionNotHigher");
    check("1.9.0+b", "1.9.0", &["fix: a"], "VersionNotHigher");
    for text in ["1.2", "v1.2.3", "1.2.3.4", "01.2.3", "1.2.3-01", "latest", "", "-1.0.0", "1.2.3 "] {
        assert_eq!(text.parse::<Ask>().unwrap_err().code, Code::InvalidVersion, "{text:?}");
    }
    for (text, meant) in [("v1.2.3", "1.2.3"), ("1.2", "1.2.0"), ("v1", "1.0.0")] {
        assert_eq!(text.parse::<Ask>().unwrap_err().hints, [format!("shipway push {meant}")]);
    }
}

#[test]
fn release_as_is_obeyed_newest_first() {
    let as_of = |version: &str| format!("chore: a\n\nRelease-As: {version}");
    check("auto", "1.2.3", &[&as_of("3.0.0"), &as_of("4.0.0")], "3.0.0");
    check("auto", "1.2.3", &["feat!: a", &as_of("1.2.9")], "1.2.9");
    check("auto", "1.2.3", &["fix: a\n\nrelease-as: 1.5.0"], "1.5.0");
    check("auto", "1.2.3", &[&as_of("2.0")], "InvalidVersion");
    check("auto", "1.2.3", &[&as_of("1.0.0")], "VersionNotHigher");
    check("patch", "1.2.3", &[&as_of("2.0")], "1.2.4");
    let revert = format!("Revert \"a\"\n\nThis reverts commit {}.", id(2));
    check("auto", "1.2.3", &[&revert, &as_of("3.0.0"), "fix: b"], "1.2.4");
}

#[test]
fn a_taken_version_is_refused_with_the_next_free_one() {
    let taken = |ask: &str, also: &[&str], messages: &[&str]| {
        let mut line = line("1.2.3");
        line.taken.extend(also.iter().map(|text| v(text)));
        let ask = if ask == "auto" { Ask::Auto } else { ask.parse().unwrap() };
        let problems = decided(&ask, &line, messages).unwrap_err();
        (codes(&problems), hints(&problems).join(" "))
    };
    let same = |code: &str, hint: &str| (code.to_owned(), hint.to_owned());
    assert_eq!(taken("auto", &["1.3.0"], &["feat: a"]), same("TagTaken", "shipway push 1.3.1"));
    assert_eq!(taken("auto", &["1.3.0", "1.3.1"], &["feat: a"]), same("TagTaken", "shipway push 1.3.2"));
    assert_eq!(taken("auto", &["1.2.4+linux"], &["fix: a"]), same("TagTaken", "shipway push 1.2.5"));
    assert_eq!(taken("1.5.0", &["1.5.0"], &["fix: a"]), same("TagTaken", "shipway push 1.5.1"));
    assert_eq!(taken("1.5.0-rc.1", &["1.5.0"], &["fix: a"]), same("TagTaken", "shipway push 1.5.1"));
    assert_eq!(taken("1.0.0", &["1.0.0", "1.2.4"], &["fix: a"]).0, "VersionNotHigher");
    let remote_only = [v("1.3.0")].into();
    let line = Line { taken: [v("1.2.3"), v("1.3.0")].into(), remote_only, ..line("1.2.3") };
    let problems = decided(&Ask::Auto, &line, &["feat: a"]).unwrap_err();
    assert_eq!(codes(&problems), "TagTakenRemote");
}

#[test]
fn a_higher_version_elsewhere_is_mentioned() {
    let mut line = line("1.2.3");
    line.taken.insert(v("2.0.0"));
    let decision = decided(&Ask::Auto, &line, &["fix: a"]).unwrap();
    assert_eq!((decision.to, codes(&decision.warnings)), (v("1.2.4"), "OutOfLine".to_owned()));
}

#[test]
fn a_maintenance_line_keeps_to_its_range() {
    let line = |range: &str| Line { range: Some(range.parse().unwrap()), ..line("1.2.3") };
    let check = |range: &str, ask: &str, message: &str, wanted: &str| {
        assert_eq!(outcome(ask, &line(range), &[message]), wanted, "{range} {ask} {message}");
    };
    check(">=1.0,<2.0", "auto", "fix: a", "1.2.4");
    check(">=1.0,<2.0", "auto", "feat: a", "1.3.0");
    check(">=1.0,<2.0", "auto", "feat!: a", "OutOfLine");
    check(">=1.0,<2.0", "2.0.0-rc.1", "fix: a", "OutOfLine");
    check(">=1.0,<2.0", "1.3.0-rc.1", "fix: a", "1.3.0-rc.1");
    check("~1.2", "auto", "feat: a", "OutOfLine");
    check("~1.2", "auto", "fix: a", "1.2.4");
    let problems = decided(&Ask::Auto, &line("<2.0"), &["feat!: a", "fix: b"]).unwrap_err();
    assert_eq!(hints(&problems), ["shipway push minor"]);
    assert_eq!(problems[0].details, ["0000001 feat!: a · a breaking change is a major"]);
}

#[test]
fn near_misses_stop_a_release_that_they_could_change() {
    check("auto", "1.2.3", &["fix: a\n\nBREAKING CHANGES: b"], "AmbiguousCommits");
    check("auto", "1.2.3", &["fix: a", "feat:x"], "AmbiguousCommits");
    check("auto", "1.2.3", &["feat:x"], "AmbiguousCommits");
    check("auto", "1.2.3", &["fix: a\n\n* feat: b", "feat:x"], "AmbiguousCommits AmbiguousCommits");
    check("auto", "1.2.3", &["feat!: a", "fix: a\n\nBREAKING CHANGES: b", "feat:x"], "2.0.0");
    check("auto", "0.2.3", &["feat: a", "fix: a\n\nBREAKING CHANGES: b"], "0.3.0");
    check("major", "1.2.3", &["fix: a\n\nBREAKING CHANGES: b"], "2.0.0");
    check("1.2.4", "1.2.3", &["fix: a\n\nBREAKING CHANGES: b"], "1.2.4");
    let problems = decided(&Ask::Auto, &line("1.2.3"), &["fix: a\n\nBREAKING CHANGES: b"]).unwrap_err();
    assert_eq!(
        hints(&problems),
        ["if it is a major: shipway push major", "if it is not: shipway push patch"]
    );
    assert_eq!(problems[0].place.as_deref(), Some("commit 0000001, line 3"));
    let warned = decided(&Ask::Auto, &line("1.2.3"), &["feat: a", "fix: a\n\n* feat: b"]).unwrap().warnings;
    assert_eq!(hints(&warned), ["shipway push minor"]);
}

#[test]
fn near_misses_warn_where_they_are_not_to_stop() {
    let rules = Rules { ambiguous: OnNearMiss::Warn, ..Rules::default() };
    let decide =
        |messages: &[&str]| super::super::decide(&Ask::Auto, &line("1.2.3"), &commits(messages), &rules);
    let decision = decide(&["fix: a\n\nBREAKING CHANGES: b"]).unwrap();
    assert_eq!((decision.to, codes(&decision.warnings)), (v("1.2.4"), "AmbiguousCommits".to_owned()));
    let problems = decide(&["feat:x"]).unwrap_err();
    assert_eq!(codes(&problems), "NothingReleases");
    assert_eq!(
        problems[0].details[1],
        "commit 0000001 almost asks for a minor: the first line is almost `type: description`"
    );
    assert!(
        decide(&["fix: a", "Revert \"b\"\n\nThis reverts commit 0000003.", "feat:x\n\nBREAKING CHANGES: b"])
            .unwrap()
            .warnings
            .is_empty()
    );
}

#[test]
fn the_decision_says_why() {
    let why = |last: &str, messages: &[&str]| decided(&Ask::Auto, &line(last), messages).unwrap().why;
    assert_eq!(why("1.0.0", &["feat: a", "fix: b", "fix: c"]), "minor: 1 feat, 2 fix, 0 breaking");
    assert_eq!(
        why("1.0.0", &["feat!: a", "perf: b", "revert: c"]),
        "major: 1 feat, 0 fix, 1 perf, 1 revert, 1 breaking"
    );
    assert_eq!(
        why("0.1.0", &["feat!: a"]),
        "minor: 1 feat, 0 fix, 1 breaking (below 1.0.0 a breaking change is a minor)"
    );
    assert_eq!(why("1.0.0", &["fix: a\n\nRelease-As: 3.0.0"]), "Release-As: 3.0.0 in commit 0000001");
    let decision = decided(&Ask::Auto, &line("1.0.0"), &["feat: a\u{1b}[2J", "docs: b"]).unwrap();
    assert_eq!((decision.from, decision.bump), (Some(v("1.0.0")), Some(Bump::Minor)));
    assert_eq!(decision.evidence[0].subject, "feat: a␛[2J");
    assert_eq!((decision.evidence[0].rule, decision.evidence[1].rule), (Rule::Feature, Rule::OtherType));
}

#[test]
fn the_highest_number_there_is_cannot_be_raised() {
    check("patch", "1.2.18446744073709551615", &["fix: a"], "InvalidVersion");
    check("minor", "1.2.18446744073709551615", &["fix: a"], "1.3.0");
}

#[test]
fn precedence_is_that_of_semver_11() {
    let order = [
        "0.9.9",
        "1.0.0-alpha",
        "1.0.0-alpha.1",
        "1.0.0-alpha.beta",
        "1.0.0-beta",
        "1.0.0-beta.2",
        "1.0.0-beta.11",
        "1.0.0-rc.1",
        "1.0.0",
        "1.0.1",
        "1.2.0",
        "1.10.0",
        "2.0.0",
        "2.1.0",
        "2.1.1",
        "10.0.0",
    ];
    for (at, low) in order.iter().enumerate() {
        for high in &order[at + 1..] {
            assert_eq!(outcome(high, &line(low), &["fix: a"]), *high, "{low} < {high}");
            assert!(outcome(low, &line(high), &["fix: a"]).starts_with("VersionNotHigher"), "{low} < {high}");
        }
    }
}
