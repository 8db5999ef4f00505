//! Messages: judged by the parser that decides versions, and begun with a template.

use crate::stage::{Stage, said};

#[test]
fn a_message_that_fits_is_taken_and_another_is_refused() {
    let stage = Stage::new();
    stage.stage("a", "1\n");
    let text = stage.refused(&["commit", "-m", "did things"]);
    assert!(text.contains("SW0311") && text.contains("no type"), "{text}");
    assert!(text.contains("git commit --edit --file=.git/COMMIT_EDITMSG"), "{text}");
    stage.ok("git", &["commit", "-m", "feat: do things"]);
    let text = stage.refused(&["commit", "--amend", "-m", "oops"]);
    assert!(text.contains("SW0311"), "{text}");
    stage.ok("git", &["commit", "--amend", "-m", "fix: do things"]);
    assert!(stage.notes().is_empty(), "{:?}", stage.notes());
}

#[test]
fn a_message_that_was_never_written_is_not_said_to_be_kept() {
    let stage = Stage::new();
    stage.stage("a", "1\n");
    let with = |text: &str| {
        stage.program("../editor", &format!("printf '{text}' >\"$1\""));
        let editor = stage.dir.join("../editor");
        let output = stage.command("git", &["commit"]).env("GIT_EDITOR", editor).output().unwrap();
        assert!(!output.status.success());
        said(&output)
    };
    let text = with("\\n# nothing but a comment\\n");
    assert!(text.contains("SW0311") && !text.contains("kept"), "{text}");
    let text = with("did things\\n");
    assert!(text.contains("what you wrote is kept"), "{text}");
}

#[test]
fn a_merge_keeps_its_usual_message() {
    let stage = Stage::new();
    stage.ok("git", &["switch", "-q", "-c", "side"]);
    stage.stage("b", "1\n").ok("git", &["commit", "-qm", "feat: side"]);
    stage.ok("git", &["switch", "-q", "main"]);
    stage.stage("c", "1\n").ok("git", &["commit", "-qm", "feat: main"]);
    stage.ok("git", &["merge", "--no-ff", "--no-edit", "side"]);
    let text = stage.run("git", &["merge", "--no-ff", "-m", "merged it", "side"]);
    assert!(text.status.success(), "there is nothing left to merge: {}", said(&text));
    assert!(stage.notes().is_empty(), "{:?}", stage.notes());
}

#[test]
fn a_rule_is_skipped_with_a_reason_and_that_is_noted() {
    let stage = Stage::new();
    stage.stage("a", "1\n");
    let mut commit = stage.command("git", &["commit", "-qm", "generated"]);
    assert!(!commit.env("SHIPWAY_SKIP", "message").output().unwrap().status.success());
    let mut commit = stage.command("git", &["commit", "-qm", "generated"]);
    let output = commit.env("SHIPWAY_SKIP", "message: made by a tool").output().unwrap();
    assert!(output.status.success(), "{}", said(&output));
    let notes = stage.notes();
    assert_eq!(notes.len(), 1, "{notes:?}");
    let head = stage.repo.head();
    for part in ["\"skipped\"", "\"message\"", "made by a tool", &head] {
        assert!(notes[0].contains(part), "{part}: {notes:?}");
    }
}

#[test]
fn the_template_is_there_when_a_message_is_written_and_leaves_no_trace() {
    let stage = Stage::new();
    stage.ok("git", &["switch", "-q", "-c", "feature/123-login"]);
    stage.stage("a", "1\n");
    stage.program(
        "../editor",
        "cp \"$1\" ../seen\nprintf 'feat: log in\\n' | cat - \"$1\" >../new && cp ../new \"$1\"",
    );
    let editor = stage.dir.join("../editor");
    let mut commit = stage.command("git", &["commit", "-q"]);
    let output = commit.env("GIT_EDITOR", &editor).output().unwrap();
    assert!(output.status.success(), "{}", said(&output));
    let seen = stage.read("../seen");
    assert!(seen.contains("#   feat ") && seen.contains("Refs: #123"), "{seen}");
    assert_eq!(stage.ok("git", &["log", "-1", "--format=%B"]).trim(), "feat: log in");
}

#[test]
fn the_template_follows_the_comment_sign_and_stays_away_where_comments_are_kept() {
    let stage = Stage::new();
    let seen = |stage: &Stage, args: &[&str]| {
        stage.program("../editor", "cp \"$1\" ../seen\nexit 1");
        let editor = stage.dir.join("../editor");
        stage.command("git", args).env("GIT_EDITOR", &editor).output().unwrap();
        stage.read("../seen")
    };
    stage.stage("a", "1\n").repo.config("core.commentChar", ";");
    let text = seen(&stage, &["commit"]);
    assert!(text.contains(";   feat ") && !text.contains("#   feat"), "{text}");
    stage.repo.config("commit.cleanup", "whitespace");
    assert!(!seen(&stage, &["commit"]).contains("feat "));
    stage.repo.git(["config", "--unset", "commit.cleanup"]);
    assert!(!seen(&stage, &["commit", "--edit", "-m", "fix: it"]).contains("feat "));
}
