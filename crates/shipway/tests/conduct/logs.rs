//! Logs: what steps print is kept, shown and proven; secrets are in none of it.

use std::fs;
use std::path::{Path, PathBuf};

use rusqlite::Connection;

use crate::stage::{Done, QUIET, Stage, check, finish};

/// A value that nobody may ever see. It has characters that are encoded in addresses.
const TOKEN: &str = "npm_S3cr3t+Value/0123456789abcdefXYZ==";
const DECLARED: &str = "harbour master & crew";

/// All forms that must not be found.
fn forms() -> Vec<String> {
    vec![
        TOKEN.into(),
        "S3cr3t+Value".into(),
        "npm_S3cr3t%2BValue%2F0123456789abcdefXYZ%3D%3D".into(),
        // base64 of the token, without the last group, which what follows may change.
        "bnBtX1MzY3IzdCtWYWx1ZS8wMTIzNDU2Nzg5YWJjZGVmWFla".into(),
        DECLARED.into(),
        "harbour%20master%20%26%20crew".into(),
        "aGFyYm91ciBtYXN0ZXIgJiBjcmV3".into(),
    ]
}

/// Prints a variable in every way that matters, to both streams.
const PRINT: &str = r#"
for value in "$NPM_TOKEN" "$CREW"; do
  echo "raw $value"; echo "again $value" >&2
  printf %s "$value" | base64 -w0; echo
  printf %s "$value" | sed 's/%/%25/g; s/+/%2B/g; s#/#%2F#g; s/=/%3D/g; s/ /%20/g; s/&/%26/g'; echo
  printf %s "$value" | cut -c1-9 | tr -d '\n'; sleep 0.2; printf %s "$value" | cut -c10-; echo
done
"#;

fn config(more: &str) -> String {
    format!("[secrets]\nnames = [\"CREW\"]\n{more}")
}

fn push(stage: &Stage, args: &[&str]) -> Done {
    finish(stage.command(args).env("NPM_TOKEN", TOKEN).env("CREW", DECLARED))
}

/// Returns every file below a directory.
fn files(dir: &Path) -> Vec<PathBuf> {
    let mut found = vec![];
    for entry in fs::read_dir(dir).unwrap() {
        let entry = entry.unwrap();
        if entry.file_type().unwrap().is_dir() {
            found.extend(files(&entry.path()));
        } else {
            found.push(entry.path());
        }
    }
    found
}

#[track_caller]
fn assert_secret(stage: &Stage, done: &Done) {
    let objects = stage.repo.git(["log", "--all", "-p", "--format=%H%n%an%n%B"]);
    let tags = stage.repo.git(["for-each-ref", "--format=%(contents)", "refs"]);
    let mut places =
        vec![("terminal".to_owned(), done.all()), ("commits".into(), objects), ("tags".into(), tags)];
    let kept = files(&stage.state());
    assert!(kept.iter().any(|path| path.ends_with("journal.db")), "{kept:?}");
    places.extend(kept.iter().map(|path| {
        (path.display().to_string(), String::from_utf8_lossy(&fs::read(path).unwrap()).into_owned())
    }));
    for form in forms() {
        for (place, text) in &places {
            assert!(!text.contains(&form), "{form} is in {place}:\n{text}");
        }
    }
}

#[test]
fn the_output_of_every_step_is_kept_and_proven() {
    let stage = Stage::new(&check("test", "echo from the check; echo and its errors >&2"));
    stage.repo.hook("pre-commit", "echo from the commit hook");
    stage.repo.hook("pre-push", "echo from the push hook");
    stage.code(0, &["push"]);
    let run = stage.last_run();
    stage.code(0, &["log", &run, "checks/test"]).says(&["from the check", "and its errors"]);
    stage.code(0, &["log", &run, "commit"]).says(&["from the commit hook"]);
    stage.code(0, &["log", &run, "push"]).says(&["from the push hook"]);
    stage.code(2, &["log", &run, "nothing"]).says(&["SW0803", "checks/test", "commit", "push"]);
    stage.code(0, &["log", "--verify"]).says(&["none is missing or changed"]);
    stage.code(0, &["rollback"]);
    stage.code(0, &["log", "--verify"]).says(&["none is missing or changed"]);
}

#[test]
fn a_verbose_run_shows_the_output_live_to_its_last_line() {
    let script = format!("echo one line; {}; printf 'no end of line'", crate::stage::home_gate("check"));
    let stage = Stage::check(&script);
    let push = stage.start(&["push", "--verbose"]);
    stage.reached("check");
    push.said("checks/test │ one line");
    stage.open("check");
    push.end().assert_code(0).says(&["│ no end of line"]);
}

#[test]
fn secrets_printed_by_good_checks_and_hooks_are_masked() {
    for args in [&["push", "--verbose"][..], &["push", "--json", "--verbose"]] {
        let stage = Stage::new(&config(&check("test", PRINT)));
        for hook in ["pre-commit", "commit-msg", "pre-push"] {
            stage.repo.hook(hook, PRINT);
        }
        let done = push(&stage, args);
        done.assert_code(0);
        assert_secret(&stage, &done);
        let log = push(&stage, &["log", &stage.last_run(), "checks/test"]);
        assert!(log.out.contains("raw ***") && log.out.matches("***").count() >= 10, "{log:?}");
        stage.code(0, &["log", "--verify"]);
    }
}

#[test]
fn secrets_in_a_failing_check_are_masked() {
    for args in [&["push"][..], &["push", "--json"], &["push", "--verbose"]] {
        let stage = Stage::new(&config(&check("test", &format!("{PRINT}exit 1"))));
        let done = push(&stage, args);
        done.assert_code(1).says(&["SW0501", "***"]);
        assert_secret(&stage, &done);
    }
}

#[test]
fn secrets_in_the_refusal_of_a_hook_are_masked() {
    for hook in ["pre-commit", "pre-push"] {
        let stage = Stage::new(&config(QUIET));
        stage.repo.hook(hook, &format!("{PRINT}exit 1"));
        let done = push(&stage, &["push"]);
        assert!(done.err.contains("***"), "{done:?}");
        assert_secret(&stage, &done);
    }
    let stage = Stage::new(&config(QUIET));
    stage.remote.hook("pre-receive", &format!("exec >&2\n{PRINT}exit 1"));
    let done = push(&stage, &["push"]);
    assert!(done.err.contains("***"), "{done:?}");
    assert_secret(&stage, &done);
}

fn shipped() -> (Stage, String, PathBuf) {
    let stage = Stage::check("for n in 1 2 3; do echo line $n; sleep 0.3; done");
    stage.code(0, &["push"]);
    let run = stage.last_run();
    let log = files(&stage.state().join("runs"))
        .into_iter()
        .find(|path| path.display().to_string().contains("test"));
    (stage, run, log.unwrap())
}

#[test]
fn a_line_that_is_missing_from_a_log_is_named() {
    let (stage, _, log) = shipped();
    let bytes = fs::read(&log).unwrap();
    let lines: Vec<&[u8]> = bytes.split_inclusive(|byte| *byte == b'\n').collect();
    assert!(lines.len() >= 2, "{}", String::from_utf8_lossy(&bytes));
    stage.code(0, &["log", "--verify"]);
    fs::write(&log, lines[1..].concat()).unwrap();
    stage.code(1, &["log", "--verify"]).says(&["SW0707", "checks/test", "missing from the log of", ": 1 of"]);
    let mut changed = bytes.clone();
    let at = bytes.windows(6).position(|part| part == b"line 1").unwrap();
    changed[at] = b'L';
    fs::write(&log, changed).unwrap();
    stage.code(1, &["log", "--verify"]).says(&["SW0707", "was changed after it was sealed"]);
    fs::write(&log, &bytes[..bytes.len() - 1]).unwrap();
    stage.code(1, &["log", "--verify"]).says(&["SW0707"]);
    fs::remove_file(&log).unwrap();
    stage.code(1, &["log", "--verify"]).says(&["SW0707", "checks/test"]);
    fs::write(&log, &bytes).unwrap();
    stage.code(0, &["log", "--verify"]);
}

#[test]
fn the_first_entry_that_was_changed_is_named() {
    let (stage, run, _) = shipped();
    let db = Connection::open(stage.state().join("journal.db")).unwrap();
    let change = "UPDATE entry SET body = replace(body, '1.1.0', '1.1.1') WHERE seq = 1";
    assert!(db.execute(change, ()).unwrap_err().to_string().contains("only appended to"));
    db.execute_batch("DROP TRIGGER entry_not_changed").unwrap();
    let later = "UPDATE entry SET body = replace(body, 'done', 'gone') || ' ' WHERE seq = 4";
    assert_eq!(db.execute(later, ()).unwrap(), 1);
    stage.code(5, &["log", "--verify"]).says(&["SW0702", &run, "4"]);
    assert_eq!(db.execute(change, ()).unwrap(), 1);
    stage.code(5, &["log", "--verify"]).says(&["SW0702", &run, "1"]);
}

#[test]
fn a_journal_of_a_newer_form_is_refused_and_untouched() {
    let (stage, ..) = shipped();
    let file = stage.state().join("journal.db");
    let db = Connection::open(&file).unwrap();
    db.pragma_update(None, "user_version", 99).unwrap();
    db.query_row("PRAGMA wal_checkpoint(TRUNCATE)", (), |_| Ok(())).unwrap();
    drop(db);
    stage.repo.file("greeting.sh", "# hi\n");
    stage.repo.commit("feat: greet shortly");
    let (bytes, before) = (fs::read(&file).unwrap(), stage.repo.state());
    for args in [
        &["push"][..],
        &["status"],
        &["log"],
        &["log", "--verify"],
        &["resume"],
        &["rollback"],
        &["abort"],
        &["plan"],
    ] {
        stage.code(2, args).says(&["SW0701"]);
    }
    assert!(fs::read(&file).unwrap() == bytes);
    before.assert_same(&stage.repo.state());
}

#[test]
fn what_was_cut_off_the_end_is_found_by_the_tag_of_the_release() {
    let (stage, ..) = shipped();
    let tag = stage.repo.git(["tag", "--list", "--format=%(contents)", "v1.1.0"]);
    assert!(tag.contains("\nShipway-Checkpoint: "), "{tag}");
    stage.code(0, &["log", "--verify"]).says(&["anchored by the file beside it"]);
    fs::remove_file(stage.state().join("checkpoints")).unwrap();
    stage.code(0, &["log", "--verify"]).says(&["anchored by tag v1.1.0", "unanchored"]);
    stage.code(0, &["log", "--verify", "--remote"]).says(&["anchored by tag v1.1.0, origin, tag v1.1.0"]);

    // An older copy of the whole journal proves by itself.
    fs::remove_file(stage.state().join("journal.db")).unwrap();
    for side in ["journal.db-wal", "journal.db-shm"] {
        let _ = fs::remove_file(stage.state().join(side));
    }
    let run = ["log", "--verify"];
    stage.code(5, &run).says(&["SW0708", "says tag v1.1.0", "no entry is verified"]);
    stage.repo.git(["tag", "-d", "v1.1.0"]);
    stage.code(0, &run).says(&["0 entries"]);
    stage.code(5, &["log", "--verify", "--remote"]).says(&["SW0708", "says origin, tag v1.1.0"]);
}
