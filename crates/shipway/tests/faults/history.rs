//! Histories that are long.

use std::time::Instant;

use crate::stage::Stage;

#[test]
fn a_hundred_thousand_commits_since_the_last_tag() {
    let stage = Stage::new();
    let messages: Vec<String> =
        (0..100_000).map(|n| format!("fix(part{}): mend thing {n}", n % 50)).collect();
    stage.repo.commits(&messages);
    let begin = Instant::now();
    stage.run(&["plan"]).ok();
    let planned = begin.elapsed();
    let begin = Instant::now();
    stage.run(&["push"]).ok();
    println!("100,000 commits: plan {planned:.2?}, push {:.2?}", begin.elapsed());
    stage.released("1.1.0");
    let changelog = stage.repo.read("CHANGELOG.md");
    assert!(changelog.contains("mend thing 0") && changelog.contains("mend thing 99999"));
}
