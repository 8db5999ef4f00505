use super::*;

/// Returns the line of channel `beta` after a final version, with further tags and, if any, its last prerelease.
fn beta(last: &str, taken: &[&str], prerelease: Option<(&str, usize)>) -> Line {
    let mut taken: std::collections::BTreeSet<Version> = taken.iter().map(|text| v(text)).collect();
    taken.insert(v(last));
    taken.extend(prerelease.map(|(text, _)| v(text)));
    Line {
        last: Some(v(last)),
        prerelease: prerelease
            .map(|(text, commits_since)| LastPrerelease { version: v(text), commits_since }),
        remote_only: std::collections::BTreeSet::new(),
        taken,
        channel: Some(Channel { name: "beta".to_owned(), suffix: "beta.{n}".to_owned() }),
        range: None,
    }
}

fn check(line: &Line, ask: &str, messages: &[&str], wanted: &str) {
    assert_eq!(outcome(ask, line, messages), wanted, "{messages:?}");
}

#[test]
fn prereleases_are_counted_from_one() {
    check(&beta("1.2.0", &[], None), "auto", &["feat: a"], "1.3.0-beta.1");
    check(&beta("1.2.0", &[], Some(("1.3.0-beta.1", 1))), "auto", &["fix: b", "feat: a"], "1.3.0-beta.2");
    check(
        &beta("1.2.0", &["1.3.0-beta.9"], Some(("1.3.0-beta.10", 1))),
        "auto",
        &["fix: b", "feat: a"],
        "1.3.0-beta.11",
    );
    check(&beta("1.2.0", &[], Some(("1.2.1-beta.3", 1))), "auto", &["feat: b", "fix: a"], "1.3.0-beta.1");
    check(&beta("1.2.0", &[], Some(("1.3.0-beta.3", 1))), "auto", &["feat!: b", "feat: a"], "2.0.0-beta.1");
    check(&beta("0.2.0", &[], None), "auto", &["feat!: a"], "0.3.0-beta.1");
}

#[test]
fn numbers_of_tags_elsewhere_and_of_other_channels_are_told_apart() {
    check(&beta("1.2.0", &["1.3.0-beta.4"], None), "auto", &["feat: a"], "1.3.0-beta.5");
    check(&beta("1.2.0", &["1.3.0-alpha.4", "1.3.0-rc.9"], None), "auto", &["feat: a"], "1.3.0-beta.1");
    check(&beta("1.2.0", &["1.3.0-beta", "1.3.0-beta.x"], None), "auto", &["feat: a"], "1.3.0-beta.1");
}

#[test]
fn only_what_is_new_makes_a_new_prerelease() {
    let line = |since: usize| beta("1.2.0", &[], Some(("1.3.0-beta.1", since)));
    check(&line(0), "auto", &["feat: a"], "NothingToRelease");
    check(&line(1), "auto", &["docs: b", "feat: a"], "NothingReleases");
    check(&line(1), "patch", &["docs: b", "feat: a"], "1.3.0-beta.2");
    check(&line(1), "auto", &["fix: b\n\nBREAKING CHANGES: c", "feat: a"], "AmbiguousCommits");
    check(&line(1), "auto", &["fix: b", "feat: a\n\nBREAKING CHANGES: c"], "1.3.0-beta.2");
}

#[test]
fn a_revert_of_something_in_a_prerelease_makes_a_new_one_and_never_goes_back() {
    let revert = format!("Revert \"feat: a\"\n\nThis reverts commit {}.", id(2));
    let line = beta("1.2.0", &[], Some(("1.3.0-beta.1", 1)));
    check(&line, "auto", &[&revert, "feat: a", "fix: b"], "1.3.0-beta.2");
}

#[test]
fn the_final_release_is_made_on_the_main_branch() {
    let mut main = beta("1.2.0", &["1.3.0-beta.1"], Some(("1.3.0-beta.2", 0)));
    main.channel = None;
    check(&main, "auto", &["fix: b", "feat: a"], "1.3.0");
    let decision = decided(&Ask::Auto, &main, &["feat: a"]).unwrap();
    assert_eq!(
        (decision.from, decision.why.as_str()),
        (Some(v("1.2.0")), "minor: 1 feat, 0 fix, 0 breaking")
    );
}

#[test]
fn a_prerelease_of_a_version_that_is_out_comes_too_late() {
    let line = beta("1.2.0", &["1.3.0"], Some(("1.3.0-beta.2", 1)));
    let problems = decided(&Ask::Auto, &line, &["fix: b", "feat: a"]).unwrap_err();
    assert_eq!(codes(&problems), "TagTaken");
    assert_eq!(hints(&problems), ["shipway push 1.3.1-beta.1"]);
}

#[test]
fn release_as_is_the_base_of_a_channel() {
    let base = "chore: a\n\nRelease-As: 2.0.0";
    check(&beta("1.2.0", &[], None), "auto", &[base], "2.0.0-beta.1");
    check(&beta("1.2.0", &[], Some(("2.0.0-beta.1", 1))), "auto", &["fix: b", base], "2.0.0-beta.2");
    check(&beta("1.2.0", &[], Some(("2.0.0-beta.1", 1))), "auto", &["docs: b", base], "NothingReleases");
    let exact = "chore: a\n\nRelease-As: 2.0.0-beta.7";
    check(&beta("1.2.0", &[], None), "auto", &[exact], "2.0.0-beta.7");
    check(&beta("1.2.0", &[], Some(("2.0.0-beta.7", 1))), "auto", &["fix: b", exact], "2.0.0-beta.8");
}

#[test]
fn an_exact_version_on_a_channel_is_taken_as_it_is() {
    let line = beta("1.2.0", &[], Some(("1.3.0-beta.2", 1)));
    check(&line, "1.3.0-beta.1", &["fix: a"], "VersionNotHigher");
    check(&line, "1.3.0-rc.1", &["fix: a"], "1.3.0-rc.1");
    let decision = decided(&Ask::Exact(v("1.3.0")), &line, &["fix: a"]).unwrap();
    assert_eq!((decision.to, codes(&decision.warnings)), (v("1.3.0"), "OutOfLine".to_owned()));
    assert_eq!(
        decided(&Ask::Auto, &line, &["fix: a"]).unwrap().why,
        "patch: 0 feat, 1 fix, 0 breaking, channel beta"
    );
}

#[test]
fn a_channel_before_the_first_release_counts_too() {
    let mut line = beta("1.0.0", &[], None);
    (line.last, line.taken) = (None, [].into());
    check(&line, "auto", &["a"], "0.1.0-beta.1");
    line.prerelease = Some(LastPrerelease { version: v("0.1.0-beta.1"), commits_since: 1 });
    line.taken.insert(v("0.1.0-beta.1"));
    check(&line, "auto", &["fix: b", "a"], "0.1.0-beta.2");
    check(&line, "auto", &["docs: b", "a"], "NothingReleases");
}

#[test]
fn a_suffix_must_make_a_valid_prerelease() {
    let next = |suffix: &str| {
        let channel = Channel { name: "c".to_owned(), suffix: suffix.to_owned() };
        channel.next(&v("1.0.0"), &[].into()).map(|version| version.to_string())
    };
    assert_eq!(next("beta.{n}").as_deref(), Some("1.0.0-beta.1"));
    assert_eq!(next("beta").as_deref(), Some("1.0.0-beta.1"));
    assert_eq!(next("rc{n}").as_deref(), Some("1.0.0-rc1"));
    assert_eq!(next("{n}.dev").as_deref(), Some("1.0.0-1.dev"));
    assert_eq!(next("be ta.{n}"), None);
    let mut line = beta("1.2.0", &[], None);
    line.channel = Some(Channel { name: "c".to_owned(), suffix: "be ta.{n}".to_owned() });
    check(&line, "auto", &["fix: a"], "ConfigValue");
}
