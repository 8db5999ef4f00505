//! Checkpoints that a guard keeps: a journal that was cut is told by them for good, whoever pushes what behind them.

use crate::stage::{Stage, said};

/// Lands a change of ann's.
#[track_caller]
fn land(stage: &Stage, number: u64) -> String {
    let name = format!("file-{number}");
    stage.work("ann", &name, &name);
    stage.propose("ann", "main", &[]);
    let number = number.to_string();
    stage.did("ben", &["change", "approve", &number]);
    stage.did("ann", &["change", "land", &number])
}

/// Returns the one list of checkpoints that the guard has.
#[track_caller]
fn list(stage: &Stage) -> String {
    let lists = stage.there(&["for-each-ref", "--format=%(refname)", "refs/shipway/checkpoints"]);
    assert_eq!(lists.lines().count(), 1, "{lists}");
    lists
}

/// Keeps a copy of the journal, or puts it back.
fn copy(stage: &Stage, back: bool) {
    let script = if back {
        "rm -r .git/shipway && cp -a \"$HOME/older\" .git/shipway"
    } else {
        "cp -a .git/shipway \"$HOME/older\""
    };
    assert!(stage.run("sh", &["-c", script]).status.success());
}

#[test]
fn a_journal_that_was_cut_is_told_also_after_the_next_landing() {
    let Some(stage) = Stage::new() else { return };
    land(&stage, 1);
    copy(&stage, false);
    land(&stage, 2);
    land(&stage, 3);
    let told = stage.did("ann", &["log", "--verify", "--remote"]);
    assert!(told.contains("anchored by"), "{told}");

    copy(&stage, true);
    let cut = stage.refused("ann", &["log", "--verify", "--remote"], 5);
    assert!(cut.contains("SW0708") && cut.contains("refs/shipway/checkpoints/"), "{cut}");

    // The guard does not take the checkpoint of the shorter journal, and the change lands all the same.
    let kept = stage.tip(&list(&stage));
    let landed = land(&stage, 4);
    assert!(landed.contains("landed change 4"), "{landed}");
    assert_eq!(stage.tip(&list(&stage)), kept);
    for remote in [&["log", "--verify", "--remote"][..], &["log", "--verify"]] {
        let output = stage.shipway("ann", remote);
        let told = said(&output);
        assert!(!output.status.success(), "{told}");
        assert!(told.contains("SW0708") || told.contains("SW0709") || told.contains("SW0710"), "{told}");
    }
}

#[test]
fn nobody_covers_the_checkpoints_of_a_journal_with_something_else() {
    let Some(stage) = Stage::new() else { return };
    land(&stage, 1);
    copy(&stage, false);
    land(&stage, 2);
    let name = list(&stage);
    let origin = name.strip_prefix("refs/shipway/checkpoints/").unwrap().to_owned();
    stage.ok(&["fetch", "-q", "origin", &format!("+{name}:{name}")]);
    let (newest, older) = (stage.ok(&["rev-parse", &name]), stage.ok(&["rev-parse", &format!("{name}~1")]));
    let seal = |of: &str| stage.ok(&["log", "-1", "--format=%B", of]);
    let empty = stage.ok(&["rev-parse", &format!("{name}^{{tree}}")]);
    let files = stage.ok(&["rev-parse", "HEAD^{tree}"]);
    let other = seal(&newest).replace(&origin, &"ab".repeat(32));
    for (message, tree, parents, why) in [
        ("nothing".to_owned(), &empty, vec![&newest], "signed with its key"),
        (other, &empty, vec![&newest], "signed with its key"),
        (seal(&older), &empty, vec![&newest], "shorter than it was"),
        (seal(&newest), &files, vec![&newest], "without files"),
        (seal(&newest), &empty, vec![&newest, &older], "without files"),
        (seal(&newest), &empty, vec![&older], "does not follow"),
    ] {
        let mut args = vec!["commit-tree", "-m", &message];
        for parent in &parents {
            args.extend(["-p", parent.as_str()]);
        }
        args.push(tree);
        let made = stage.ok(&args);
        let no = stage.push("stranger", &[&format!("{made}:refs/events/checkpoints/{origin}")]);
        assert!(!no.status.success() && said(&no).contains(why), "{why}: {}", said(&no));
    }
    // What stands between the old list and a good one counts too.
    let junk = stage.ok(&["commit-tree", "-m", "nothing", "-p", &newest, &empty]);
    let over = stage.ok(&["commit-tree", "-m", &seal(&newest), "-p", &junk, &empty]);
    let no = stage.push("stranger", &[&format!("{over}:refs/events/checkpoints/{origin}")]);
    assert!(!no.status.success() && said(&no).contains("signed with its key"), "{}", said(&no));
    assert_eq!(stage.tip(&name), newest);

    // Somebody with the rights of the guard's own account has put something there: what is below it is read.
    let junk = stage.there(&["commit-tree", "-m", "nothing", "-p", &newest, &format!("{newest}^{{tree}}")]);
    stage.there(&["update-ref", &name, &junk]);
    copy(&stage, true);
    let cut = stage.refused("ann", &["log", "--verify", "--remote"], 5);
    assert!(cut.contains("SW0708"), "{cut}");
}
