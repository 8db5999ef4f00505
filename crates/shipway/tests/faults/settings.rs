//! What the command line and `shipway.toml` may hold.

use shipway_core::problem::Code;

use crate::stage::Stage;

/// Checks that a configuration is refused wherever it is read.
#[track_caller]
fn check(config: &str, code: Code, words: &[&str]) {
    let stage = Stage::configured(config);
    for args in [&["push"][..], &["plan"], &["status"]] {
        stage.refuses(args, code, words);
    }
}

#[test]
fn unknown_keys_are_named_with_the_one_that_was_meant() {
    check("[release]\nbranchs = [\"main\"]\n", Code::ConfigUnknownKey, &["shipway.toml:2:1", "branches"]);
    check("[relese]\n", Code::ConfigUnknownKey, &["shipway.toml:1:2", "release"]);
    check("[[check]]\nname = \"a\"\nrun = \"true\"\ntimout = \"1s\"\n", Code::ConfigUnknownKey, &["timeout"]);
}

#[test]
fn wrong_types_are_shown_with_line_and_column() {
    check("[release]\nbranches = \"main\"\n", Code::ConfigType, &["shipway.toml:2:12"]);
    check("[release]\n\nreadme = \"yes\"\n", Code::ConfigType, &["shipway.toml:3:10"]);
    check("[checks]\nparallel = true\n", Code::ConfigType, &["shipway.toml:2:12"]);
}

#[test]
fn values_that_cannot_be_used() {
    check("[release]\nsign = \"sometimes\"\n", Code::ConfigValue, &["shipway.toml:2:8", "auto"]);
    check("[release]\nfirst = \"1.0\"\n", Code::ConfigValue, &["shipway.toml:2:9"]);
    check("[checks]\ntimeout = \"soon\"\n", Code::ConfigValue, &["shipway.toml:2:11"]);
}

#[test]
fn a_file_that_is_not_toml() {
    check("[release\n", Code::ConfigSyntax, &["shipway.toml:1:"]);
    let stage = Stage::new();
    stage.repo.file("shipway.toml", b"[project]\nname = \"caf\xe9\"\n");
    stage.publish("chore: configure releases");
    stage.refuses(&["push"], Code::ConfigSyntax, &["UTF-8"]);
}

#[test]
fn a_tag_format_without_a_version() {
    let stage = Stage::configured("[release]\ntag = \"latest\"\n");
    let told = stage.run(&["plan"]);
    assert_eq!(told.exit, 2, "{}", told.text());
    assert!(
        told.text().contains("error[SW0204]") || told.text().contains("error[SW0310]"),
        "{}",
        told.text()
    );
}

#[test]
fn several_problems_are_told_at_once() {
    let stage = Stage::configured("[release]\nbranchs = 1\nreadme = \"yes\"\n");
    let told = stage.run(&["plan"]);
    told.tells(Code::ConfigUnknownKey, &[]).tells(Code::ConfigType, &[]).exits(2);
}

#[test]
fn versions_that_are_none() {
    for version in ["1.2", "v1.2.3.4", "1.02.3", "latest", "99999999999999999999.0.0"] {
        Stage::new().refuses(&["push", version], Code::InvalidVersion, &[]);
    }
}

#[test]
fn versions_that_are_not_higher() {
    let stage = Stage::new();
    for version in ["1.0.0", "0.9.0", "1.0.0-rc.1"] {
        stage.refuses(&["push", version], Code::VersionNotHigher, &[]);
    }
}

#[test]
fn an_environment_that_is_not_configured() {
    Stage::new().refuses(&["push", "--to", "moon"], Code::EnvironmentUnknown, &["moon"]);
}

#[test]
fn a_configuration_that_is_there_already() {
    Stage::configured("").refuses(&["init", "--yes"], Code::ConfigExists, &[]);
}

#[test]
fn a_sentence_that_is_not_understood() {
    Stage::new().refuses(&["say", "do what you want"], Code::Sentence, &["push as major version"]);
}

#[test]
fn names_of_nothing() {
    let stage = Stage::new();
    stage.refuses(&["schema", "nothing"], Code::Usage, &["shipway schema config"]);
    stage.refuses(&["explain", "SW4242"], Code::Usage, &[]);
    stage.refuses(&["push", "0123abcd"], Code::PlanUnknown, &["shipway plan"]);
    stage.refuses(&["log", "0123abcd"], Code::RunUnknown, &["shipway status"]);
}

#[test]
fn a_commit_message_that_does_not_follow_the_convention() {
    let stage = Stage::new();
    let path = stage.repo.home().join("message");
    std::fs::write(&path, "made it better\n").unwrap();
    let path = path.to_str().unwrap().to_owned();
    stage.refuses(&["lint", &path], Code::CommitMessage, &[]);
}

#[test]
fn a_version_outside_of_the_line() {
    let stage = Stage::new();
    stage.repo.git(["switch", "--quiet", "-c", "release/1.x"]);
    stage.repo.git(["push", "--quiet", "--set-upstream", "origin", "release/1.x"]);
    stage.refuses(&["push", "2.0.0"], Code::OutOfLine, &[]);
}

#[test]
fn a_message_that_almost_marks_a_breaking_change() {
    let stage = Stage::new();
    stage.publish("feat: greet otherwise\n\nBREAKING CHANGES: all of it");
    stage.refuses(&["push"], Code::AmbiguousCommits, &["BREAKING"]);
}
