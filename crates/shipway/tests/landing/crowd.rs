//! Many who land at once.

use std::collections::BTreeSet;
use std::thread;

use crate::stage::{Stage, lines, said};

/// How many clients there are.
const MANY: usize = 20;

#[test]
fn twenty_clients_land_at_once_and_every_landing_is_whole_in_order_and_tested() {
    let Some(stage) = Stage::new() else { return };
    let before = stage.tip("main");
    for at in 1..=MANY {
        stage.ok(&["checkout", "-q", "-B", &format!("feature/{at}"), "origin/main"]);
        stage.commit("ann", &format!("file-{at}"), &format!("feat: {at}"));
        stage.propose("ann", "main", &[&format!("title=feat: {at}")]);
        stage.did("ben", &["change", "approve", &at.to_string()]);
    }
    let clone = |at: usize| {
        let path = stage.repo.home().join(format!("clone-{at}")).display().to_string();
        stage.ok(&["clone", "-q", &stage.bare.display().to_string(), &path]);
        path
    };
    let clones: Vec<String> = (1..=MANY).map(clone).collect();
    thread::scope(|scope| {
        let lander = |(at, path): (usize, &String)| {
            let stage = &stage;
            let (number, path) = ((at + 1).to_string(), path.clone());
            scope.spawn(move || {
                // Somebody who is overtaken every time says so, and tries again.
                for _ in 0..10 {
                    let output =
                        stage.shipway_in(&path, "ann", &["change", "land", &number, "--method", "merge"]);
                    if output.status.success() {
                        return;
                    }
                    assert!(said(&output).contains("SW1143"), "{number}: {}", said(&output));
                }
                panic!("change {number} never landed");
            })
        };
        let landers: Vec<_> = clones.iter().enumerate().map(lander).collect();
        for lander in landers {
            lander.join().unwrap();
        }
    });

    let line = stage.there(&["rev-list", "--first-parent", &format!("{before}..main")]);
    let landed: Vec<&str> = line.lines().collect();
    assert_eq!(landed.len(), MANY, "each landing is one step");
    let seen: BTreeSet<String> = lines(&stage.seen()).into_iter().collect();
    for commit in &landed {
        assert!(seen.contains(*commit), "{commit} was not tested as it landed");
    }
    let files = stage.there(&["ls-tree", "--name-only", "main"]);
    for at in 1..=MANY {
        assert!(files.lines().any(|file| file == format!("file-{at}")), "file-{at} is missing: {files}");
    }
    let shown = stage.json("cem", &["change", "list", "--all"]);
    let states: BTreeSet<&str> =
        shown["changes"].as_array().unwrap().iter().map(|change| change["state"].as_str().unwrap()).collect();
    assert_eq!(states, BTreeSet::from(["landed"]));
    let proven = stage.did("cem", &["verify", "main"]);
    assert!(proven.contains(&format!("{MANY} landings, all of them proven")), "{proven}");
}
