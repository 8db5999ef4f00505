//! A table of ways past a guard: what is tried, and what must come of it.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::process::Output;

use crate::stage::{Stage, said};

/// What must come of it.
#[derive(Clone, Copy)]
pub(crate) enum Answer {
    /// It is refused with these words, and no ref has moved.
    Denied(&'static str),
    /// No hook can refuse it; the audit finds it, with these words.
    Found(&'static str),
    /// It is harmless and goes through, and the audit is content.
    Passes,
}

/// One way: its number in the table, what it is, what must come of it, and how it is tried.
pub(crate) type Row = (&'static str, &'static str, Answer, fn(&Stage) -> Output);

/// Tries all rows, each on a repository of its own, and tells of all that went wrong.
#[track_caller]
pub(crate) fn try_all(rows: &[Row]) {
    let wrong: Vec<String> = std::thread::scope(|scope| {
        let halves = rows
            .chunks(rows.len().div_ceil(2))
            .map(|rows| scope.spawn(move || rows.iter().filter_map(|row| failure(row)).collect::<Vec<_>>()));
        let halves: Vec<_> = halves.collect();
        halves.into_iter().flat_map(|half| half.join().expect("a row does not panic")).collect()
    });
    assert!(wrong.is_empty(), "{} of {} rows:\n{}", wrong.len(), rows.len(), wrong.join("\n"));
}

fn failure((id, what, answer, attempt): &Row) -> Option<String> {
    let stage = Stage::new();
    // What sets the stage for a row is part of it, so what counts is that the protected refs are as they were.
    let before = guarded(&stage);
    let Ok(output) = catch_unwind(AssertUnwindSafe(|| attempt(&stage))) else {
        return Some(format!("{id} {what}: the stage could not be set"));
    };
    let (text, after) = (said(&output), guarded(&stage));
    let (content, audit) = stage.audit();
    let why = match answer {
        Answer::Denied(words) if output.status.success() => format!("was let through, wanted {words}"),
        Answer::Denied(words) if !text.contains(words) => format!("was not refused by {words}"),
        Answer::Denied(_) if before != after => format!("has moved refs:\n{before}\nand now\n{after}"),
        Answer::Found(words) if content || !audit.contains(words) => format!("was not found by {words}"),
        Answer::Passes if !output.status.success() => "was refused".to_owned(),
        Answer::Passes if !content => "has left something behind".to_owned(),
        Answer::Denied(_) | Answer::Found(_) | Answer::Passes => return None,
    };
    Some(format!("{id} {what}: {why}\n  said: {text}\n  audit: {audit}"))
}

/// Returns the refs that nothing may move: all but the branches that a row itself has made in the open.
fn guarded(stage: &Stage) -> String {
    let refs = stage.refs();
    let open = |line: &&str| line.starts_with("refs/heads/feature/");
    refs.lines().filter(|line| !open(line)).collect::<Vec<_>>().join("\n")
}
