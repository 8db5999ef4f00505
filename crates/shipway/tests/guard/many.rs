//! Many who push at once.

use std::collections::BTreeSet;
use std::process::Output;
use std::thread;

use crate::stage::{Stage, said};

/// How many there are.
const CLIENTS: usize = 20;

/// Pushes all of these at once, `commit:name`, and returns what became of each.
fn at_once(stage: &Stage, pushes: &[String]) -> Vec<Output> {
    let path = stage.bare.display().to_string();
    thread::scope(|scope| {
        let running: Vec<_> = pushes
            .iter()
            .map(|push| {
                let mut command = stage.command("git", &["push", &path, push]);
                scope.spawn(move || command.output().unwrap())
            })
            .collect();
        running.into_iter().map(|push| push.join().unwrap()).collect()
    })
}

#[test]
fn change_requests_that_come_at_once_are_all_whole_and_have_numbers_of_their_own() {
    let stage = Stage::new();
    let heads: Vec<String> = (0..CLIENTS)
        .map(|at| {
            stage.ok(&["checkout", "-q", "-B", &format!("work-{at}"), "main"]);
            stage.commit(&format!("feat: change {at}"))
        })
        .collect();
    let asked = |head: &String, at: usize| match at % 2 {
        0 => format!("{head}:refs/for/main"),
        _ => format!("{head}:refs/heads/feature/branch-{at}"),
    };
    let pushes: Vec<String> = heads.iter().enumerate().map(|(at, head)| asked(head, at)).collect();
    for (push, output) in pushes.iter().zip(at_once(&stage, &pushes)) {
        assert!(output.status.success(), "{push}: {}", said(&output));
    }
    let (changes, branches): (Vec<_>, Vec<_>) = heads.iter().enumerate().partition(|(at, _)| at % 2 == 0);
    for (at, head) in branches {
        assert_eq!(&stage.tip(&format!("refs/heads/feature/branch-{at}")), head);
    }
    let mut found = BTreeSet::new();
    for number in 1..=changes.len() {
        // Each has its version, and a log that is whole: opened, then pushed, and both of the same.
        let head = stage.tip(&format!("refs/shipway/changes/{number}/1"));
        let log = format!("refs/shipway/changes/{number}/log");
        assert_eq!(stage.force(&["rev-list", "--count", &log]), "2");
        let event = stage.force(&["cat-file", "-p", &format!("{log}:event.json")]);
        assert!(event.contains(&head), "{event}");
        let opened = stage.force(&["cat-file", "-p", &format!("{log}~1:event.json")]);
        let title = stage.force(&["log", "-1", "--format=%s", &head]);
        assert!(opened.contains(&title), "{opened}");
        found.insert(head);
    }
    let wanted: BTreeSet<String> = changes.into_iter().map(|(_, head)| head.clone()).collect();
    assert_eq!(found, wanted, "none is lost, and none is there twice");
    let more = format!("refs/shipway/changes/{}/log", CLIENTS / 2 + 1);
    assert!(!stage.refs().contains(&more));
    assert!(stage.audit().0, "{}", stage.audit().1);
}
