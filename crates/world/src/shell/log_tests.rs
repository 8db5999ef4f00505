use std::os::unix::fs::PermissionsExt;

use shipway_core::id::{RunId, StepId};

use super::*;

fn key() -> LogKey {
    LogKey { run: RunId::new("7f3a0001"), step: StepId::new("push/tag"), attempt: 2 }
}

fn written(dir: &Path, lines: &[&str]) -> LogSeal {
    let logs = Logs::new(dir);
    for line in lines {
        logs.add(&key(), Stream::Out, (*line).to_owned());
    }
    assert_eq!(logs.troubles(), []);
    logs.seal(&key()).unwrap()
}

fn change(dir: &Path, change: impl Fn(&str) -> String) {
    let path = Logs::new(dir).path(&key());
    let text = std::fs::read_to_string(&path).unwrap();
    std::fs::write(&path, change(&text)).unwrap();
}

/// Checks what is said of a log of five chunks after `edit`.
fn check(edit: impl Fn(&str) -> String, what: &str) {
    let dir = tempfile::tempdir().unwrap();
    let seal = written(dir.path(), &["1\n", "2\n", "3\n", "4\n", "5\n"]);
    change(dir.path(), edit);
    let problem = Logs::new(dir.path()).verify(&key(), &seal).unwrap_err();
    assert_eq!(problem.code, Code::LogIncomplete);
    assert_eq!(problem.what, what);
}

fn without(text: &str, dropped: &[usize]) -> String {
    let lines = text.split_inclusive('\n').enumerate();
    lines.filter(|(at, _)| !dropped.contains(at)).map(|(_, line)| line).collect()
}

#[test]
fn a_log_is_numbered_private_and_sealed() {
    let dir = tempfile::tempdir().unwrap();
    let seal = written(dir.path(), &["one\n", "tw\u{1b}o\n"]);
    let logs = Logs::new(dir.path());
    let path = dir.path().join("runs/7f3a0001/push~tag.2.log");
    assert_eq!(logs.path(&key()), path);
    assert_eq!(path.metadata().unwrap().permissions().mode() & 0o777, 0o600);
    assert_eq!(path.parent().unwrap().metadata().unwrap().permissions().mode() & 0o777, 0o700);
    let chunks = logs.read(&key()).unwrap();
    assert_eq!(chunks.iter().map(|chunk| chunk.n).collect::<Vec<_>>(), [1, 2]);
    assert_eq!(chunks[1].text, "tw\u{1b}o\n");
    assert_eq!(seal, LogSeal { chunks: 2, digest: Digest::of(&std::fs::read(&path).unwrap()) });
    assert_eq!(logs.verify(&key(), &seal), Ok(()));
    let first = std::fs::read_to_string(&path).unwrap();
    let expect = format!(r#"{{"n":1,"at":"{}","from":"out","text":"one\n"}}"#, chunks[0].at);
    assert_eq!(first.lines().next(), Some(expect.as_str()));
}

#[test]
fn missing_chunks_are_named() {
    check(
        |text| without(text, &[1, 3, 4]),
        "chunks are missing from the log of step push/tag, attempt 2: 2, 4-5 of 5",
    );
    check(
        |text| text[..text.len() - 1].replace("\"n\":1,", "\"n\":"),
        "chunks are missing from the log of step push/tag, attempt 2: 1 of 5",
    );
    check(|_| String::new(), "chunks are missing from the log of step push/tag, attempt 2: 1-5 of 5");
    check(
        |text| text.replace("3\\n", "other\\n"),
        "the log of step push/tag, attempt 2 was changed after it was sealed",
    );
}

#[test]
fn a_log_that_is_gone_is_incomplete() {
    let dir = tempfile::tempdir().unwrap();
    let seal = written(dir.path(), &["one\n"]);
    std::fs::remove_file(Logs::new(dir.path()).path(&key())).unwrap();
    let problem = Logs::new(dir.path()).verify(&key(), &seal).unwrap_err();
    assert_eq!(problem.what, "chunks are missing from the log of step push/tag, attempt 2: 1 of 1");
}

#[test]
fn nothing_written_is_nothing_sealed() {
    let dir = tempfile::tempdir().unwrap();
    let logs = Logs::new(dir.path());
    assert_eq!(logs.seal(&key()), None);
    assert_eq!(logs.read(&key()).unwrap(), []);
}

#[test]
fn a_log_that_a_killed_process_left_is_continued() {
    let dir = tempfile::tempdir().unwrap();
    written(dir.path(), &["one\n", "two\n"]);
    change(dir.path(), |text| format!("{text}{{\"n\":3,\"at"));
    let seal = written(dir.path(), &["three\n"]);
    let logs = Logs::new(dir.path());
    assert_eq!(seal.chunks, 3);
    assert_eq!(logs.verify(&key(), &seal), Ok(()));
    let texts: Vec<_> = logs.read(&key()).unwrap().into_iter().map(|chunk| chunk.text).collect();
    assert_eq!(texts, ["one\n", "two\n", "three\n"]);
}

#[test]
fn what_is_added_later_breaks_no_seal() {
    let dir = tempfile::tempdir().unwrap();
    let first = written(dir.path(), &["applied\n"]);
    let second = written(dir.path(), &["undone\n", "undone again\n"]);
    let logs = Logs::new(dir.path());
    assert_eq!((first.chunks, second.chunks), (1, 3));
    assert_eq!(logs.verify(&key(), &first), Ok(()));
    assert_eq!(logs.verify(&key(), &second), Ok(()));
    change(dir.path(), |text| text.replace("applied", "refused"));
    assert!(logs.verify(&key(), &first).is_err());
    assert!(logs.verify(&key(), &second).is_err());
}

#[test]
fn what_is_no_chunk_cannot_be_added() {
    check(|text| format!("{text}6\n"), "the log of step push/tag, attempt 2 was changed after it was sealed");
    check(
        |text| text.replace("\"n\":1,", "\"n\":6,"),
        "chunks are missing from the log of step push/tag, attempt 2: 1 of 5",
    );
}

#[test]
fn a_full_disk_shows_in_the_seal() {
    let dir = tempfile::tempdir().unwrap();
    let heard = Arc::new(Mutex::new(vec![]));
    let listener = Arc::clone(&heard);
    let logs = Logs::new(dir.path())
        .listener(Arc::new(move |_: &LogKey, chunk: &Chunk| lock(&listener).push(chunk.text.clone())));
    let path = logs.path(&key());
    std::fs::create_dir_all(path.parent().unwrap()).unwrap();
    // Every write to this device fails as on a full disk (full(4)).
    std::os::unix::fs::symlink("/dev/full", &path).unwrap();
    logs.add(&key(), Stream::Out, "one\n".into());
    logs.add(&key(), Stream::Err, "two\n".into());
    let seal = logs.seal(&key()).unwrap();
    assert_eq!(seal.chunks, 2);
    assert_eq!(*lock(&heard), ["one\n", "two\n"]);
    let troubles = logs.troubles();
    assert_eq!(troubles.len(), 1, "{troubles:?}");
    assert!(troubles[0].what.contains("No space left on device"), "{}", troubles[0].what);
    std::fs::remove_file(&path).unwrap();
    assert!(logs.verify(&key(), &seal).is_err());
}

#[test]
fn a_directory_that_cannot_be_made_shows_in_the_seal() {
    let dir = tempfile::tempdir().unwrap();
    std::fs::write(dir.path().join("runs"), "in the way").unwrap();
    let logs = Logs::new(dir.path());
    logs.add(&key(), Stream::Out, "one\n".into());
    assert_eq!(logs.troubles().len(), 1);
    assert_eq!(logs.seal(&key()).unwrap().chunks, 1);
}

#[test]
fn names_cannot_leave_the_directory() {
    let logs = Logs::new("/x");
    let key = LogKey { run: RunId::new(".."), step: StepId::new("../../y"), attempt: 1 };
    assert_eq!(logs.path(&key), Path::new("/x/runs/~/..~..~y.1.log"));
}
