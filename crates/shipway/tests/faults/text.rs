//! Commit messages and paths that are not what a terminal or a file should get raw.

use std::fs;

use shipway_core::problem::Code;
use shipway_testkit::repo::Repo;

use crate::stage::{Stage, Told};

/// Panics if bytes hold a control character besides the line feed and the tab, or a mark that reorders text.
#[track_caller]
fn harmless(what: &str, bytes: &[u8]) {
    let text = String::from_utf8_lossy(bytes);
    let foul = |c: char| {
        (c.is_control() && c != '\n' && c != '\t')
            || matches!(c, '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
    };
    if let Some(at) = text.find(foul) {
        let begin = text[..at].char_indices().rev().take(30).last().map_or(at, |(at, _)| at);
        let around: String = text[begin..].chars().take(60).collect();
        panic!("{what} holds {:?}: {around:?}", text[at..].chars().next());
    }
}

/// What an attacker, or a bad editor, puts into a message.
const FOUL: &[&str] = &[
    "feat: \x1b[31mred\x1b[0m and \x1b]0;title\x07",
    "fix: \x1b]8;;http://evil.example\x1b\\click\x1b]8;;\x1b\\",
    "fix(a\x1bb): ring \x07 the \x08 bell \x7f",
    "feat: \u{9b}31mc1 and \u{202e}sdrawkcab\u{202c}",
    "fix: over\rwritten",
    "fix!: hard\n\nBREAKING CHANGE: \x1b[2J wipe \u{85} it\n\nRefs: #1\x1b[1m",
];

#[test]
fn control_characters_reach_neither_terminal_nor_files_nor_objects() {
    let stage = Stage::new();
    for message in FOUL {
        stage.repo.commit_bytes(format!("{message}\n").as_bytes());
    }
    stage.repo.git(["push", "--quiet", "origin", "main"]);
    let told = |name: &str, told: &Told| {
        harmless(&format!("{name}, standard output"), &told.out);
        harmless(&format!("{name}, standard error"), &told.err);
    };
    for args in
        [&["plan"][..], &["plan", "--json"], &["why"], &["changelog"], &["push"], &["log"], &["status"]]
    {
        let answer = stage.run(args);
        told(&args.join(" "), answer.ok());
    }
    let why = stage.run(&["why", "HEAD~1"]);
    told("why HEAD~1", why.ok());
    for path in ["CHANGELOG.md", "README.md", "VERSION"] {
        harmless(path, &fs::read(stage.repo.path().join(path)).unwrap());
    }
    for kind in ["commit", "tag"] {
        let name = format!("v2.0.0^{{{kind}}}");
        harmless(kind, stage.repo.git(["cat-file", kind, &name]).as_bytes());
    }
    stage.released("2.0.0");
}

#[test]
fn escapes_of_checks_hooks_and_remotes_do_not_reach_the_terminal() {
    let stage = Stage::configured("[[check]]\nname = \"a\"\nrun = ['printf', '\\033[2Jgone\\a\\n']\n");
    stage.repo.hook("pre-commit", "printf '\\033]0;title\\007 hooked\\n' >&2");
    stage.remote.refuse("\x1b[31mno\x1b[0m \x07");
    for args in [&["push", "--verbose"][..], &["push"], &["log"]] {
        let told = stage.run(args);
        harmless(&format!("{args:?}, standard error"), &told.err);
        harmless(&format!("{args:?}, standard output"), &told.out);
    }
}

#[test]
fn messages_that_are_not_utf_8_are_released() {
    let stage = Stage::new();
    stage.repo.commit_bytes(b"feat: caf\xe9 au lait\n\n\xff\xfe body\n");
    stage.repo.commit_bytes(b"\xff\xff\xff\n");
    stage.repo.git(["push", "--quiet", "origin", "main"]);
    stage.run(&["push"]).ok();
    stage.released("1.1.0");
    let changelog = stage.repo.read("CHANGELOG.md");
    assert!(changelog.contains("caf\u{fffd} au lait"), "{changelog}");
}

#[test]
fn paths_that_are_not_utf_8_are_left_as_they_are() {
    use std::os::unix::ffi::OsStrExt as _;
    let path = |bytes: &[u8]| std::path::PathBuf::from(std::ffi::OsStr::from_bytes(bytes));
    let stage = Stage::new();
    stage.repo.file(path(b"caf\xe9.txt"), "latin\n").file("two\nlines \x1b[31m.txt", "odd\n");
    stage.publish("feat: odd names");
    stage.repo.file(path(b"untracked\xff\x1b[2J"), "mine\n");
    let plan = stage.run(&["plan"]);
    harmless("plan", &plan.ok().out);
    let push = stage.run(&["push"]);
    harmless("push", &push.ok().err);
    stage.released("1.1.0");
    assert_eq!(fs::read(stage.repo.path().join(path(b"caf\xe9.txt"))).unwrap(), b"latin\n");
    stage.repo.file(path(b"caf\xe9.txt"), "changed\n");
    stage.refuses(&["push", "patch"], Code::DirtyTree, &["caf"]);
}

#[test]
fn a_message_of_a_mebibyte_is_released_in_one_line() {
    let repo = Repo::plain("1.0.0");
    repo.commit_bytes(format!("feat: {}\n", "x".repeat(1 << 20)).as_bytes());
    repo.commit_bytes(format!("fix: long story\n\n{}\n", "word ".repeat((1 << 20) / 5)).as_bytes());
    let stage = Stage::of(repo);
    let plan = stage.run(&["plan"]);
    assert!(plan.ok().out.len() < 20_000, "a plan of {} bytes", plan.out.len());
    stage.run(&["push"]).ok();
    stage.released("1.1.0");
    let size = stage.repo.read("CHANGELOG.md").len();
    assert!(size < (1 << 20) + 10_000, "{size}");
}
