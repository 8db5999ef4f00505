//! Landing: what moves a protected branch, and what does not.

use std::fs;

use crate::stage::Stage;

#[test]
fn from_plain_git_to_a_proven_branch() {
    let stage = Stage::new();
    let clone = stage.clone_of("ann", "clone");
    fs::write(clone.join("x"), "x\n").unwrap();
    stage.git(&clone, "ann", &["add", "."]);
    stage.git(&clone, "ann", &["commit", "-qm", "feat: x"]);
    let said = stage.refused(&clone, "ann", &["push", "origin", "HEAD:main"]);
    assert!(
        said.contains("push-restricted") && said.contains("git push origin HEAD:refs/for/main"),
        "{said}"
    );
    let options = ["-o", "title=feat: a thing", "-o", "description=Closes #7"];
    let said = stage.git(&clone, "ann", &[&["push", "origin", "HEAD:refs/for/main"][..], &options].concat());
    assert!(said.contains("change 1 for main: feat: a thing"), "{said}");
    assert!(stage.ship(&clone, "ben", &["change", "list"]).contains("1  open"));
    let shown = stage.ship(&clone, "ben", &["change", "show", "1"]);
    assert!(shown.contains("closes #7") && shown.contains("approvals: 0 of 1"), "{shown}");
    assert!(stage.ship(&clone, "ben", &["change", "diff", "1"]).contains("+x"));
    stage.ship(&clone, "ben", &["change", "comment", "1", "nice", "--path", "x", "--line", "1"]);
    stage.approve(&clone, "ben", "1");
    let before = stage.tip("main");
    let said = stage.ship(&clone, "ben", &["change", "land", "1", &stage.key("ben")]);
    assert!(said.contains("checked by test"), "{said}");
    assert_ne!(stage.tip("main"), before);
    assert!(stage.ship(&clone, "ann", &["change", "show", "1"]).contains("landed as"));
    let proven = stage.ship(&clone, "ann", &["verify", "main"]);
    assert!(proven.contains("change 1, approved by ben, landed by ben"), "{proven}");
    assert!(stage.ship(&clone, "ann", &["guard", "audit", "../app.git"]).contains("in force"));
    let log = stage.git(&stage.server(), "ann", &["log", "-1", "--format=%B", "main"]);
    assert!(log.contains("Closes: #7") && log.contains("Change: 1"), "{log}");
}

#[test]
fn checks_run_on_what_lands_and_as_the_target_defines_them() {
    let stage = Stage::new();
    let clone = stage.clone_of("ann", "clone");
    // The change breaks the check, and brings a definition under which it would pass.
    fs::write(clone.join("shipway.toml"), "schema = 1\n[[check]]\nname = \"test\"\nrun = [\"true\"]\n")
        .unwrap();
    stage.propose(&clone, "ann", "broken", &[]);
    stage.approve(&clone, "ben", "1");
    let before = stage.tip("main");
    let said = stage.code(&clone, "ben", 1, &["change", "land", "1", &stage.key("ben")]);
    assert!(said.contains("checks: check test has not passed"), "{said}");
    assert_eq!(stage.tip("main"), before);
}

#[test]
fn a_conflict_names_its_files_and_moves_nothing() {
    let stage = Stage::new();
    let (one, two) = (stage.clone_of("ann", "one"), stage.clone_of("cat", "two"));
    stage.propose(&one, "ann", "same", &[]);
    stage.propose(&two, "cat", "same", &[]);
    for number in ["1", "2"] {
        stage.approve(&one, "ben", number);
    }
    stage.ship(&one, "ben", &["change", "land", "1", &stage.key("ben")]);
    let said = stage.code(&one, "ben", 1, &["change", "land", "2", &stage.key("ben")]);
    assert!(said.contains("SW1142") && said.contains("conflicts in same"), "{said}");
}

#[test]
fn every_method_lands_what_was_approved() {
    for method in ["merge", "squash", "rebase", "fast-forward"] {
        let stage = Stage::new();
        let clone = stage.clone_of("ann", "clone");
        stage.propose(&clone, "ann", "one", &[]);
        stage.propose(&clone, "ann", "two", &["change=1"]);
        stage.approve(&clone, "ben", "1");
        let before = stage.tip("main");
        stage.ship(&clone, "ben", &["change", "land", "1", "--method", method, &stage.key("ben")]);
        let count = stage.git(
            &stage.server(),
            "ann",
            &["rev-list", "--count", "--first-parent", &format!("{before}..main")],
        );
        let wanted = if matches!(method, "merge" | "squash") { "1" } else { "2" };
        assert_eq!(count.trim(), wanted, "{method}");
        for file in ["one", "two"] {
            stage.git(&stage.server(), "ann", &["cat-file", "-e", &format!("main:{file}")]);
        }
        let proven = stage.ship(&clone, "ann", &["verify", "main"]);
        assert!(proven.contains("1 landings"), "{method}: {proven}");
    }
}

#[test]
fn many_land_at_once_and_every_landing_is_whole_and_in_order() {
    let stage = Stage::new();
    let numbers: Vec<String> = (1..=5).map(|number| number.to_string()).collect();
    let clones: Vec<_> = numbers
        .iter()
        .map(|number| {
            let clone = stage.clone_of("ann", &format!("clone-{number}"));
            stage.propose(&clone, "ann", &format!("file-{number}"), &[]);
            stage.approve(&clone, "ben", number);
            clone
        })
        .collect();
    std::thread::scope(|scope| {
        for (clone, number) in clones.iter().zip(&numbers) {
            let stage = &stage;
            scope.spawn(move || stage.ship(clone, "ben", &["change", "land", number, &stage.key("ben")]));
        }
    });
    for number in &numbers {
        stage.git(&stage.server(), "ann", &["cat-file", "-e", &format!("main:file-{number}")]);
    }
    let proven = stage.ship(&clones[0], "ann", &["verify", "main"]);
    assert!(proven.contains("5 landings, all of them proven"), "{proven}");
}

#[test]
fn an_exception_needs_its_person_a_reason_and_a_follow_up_and_is_shown() {
    let stage = Stage::new();
    let clone = stage.clone_of("cat", "clone");
    stage.propose(&clone, "cat", "one", &[]);
    let ask = |who: &str| {
        let key = stage.key(who);
        ["change", "land", "1", "--break-glass", "down", "--follow-up", "#9", &key].map(str::to_owned)
    };
    let by = |who: &str| ask(who).to_vec();
    let args = by("ben");
    let said = stage.code(&clone, "ben", 1, &args.iter().map(String::as_str).collect::<Vec<_>>());
    assert!(said.contains("ben may not land by exception"), "{said}");
    let args = by("ann");
    stage.ship(&clone, "ann", &args.iter().map(String::as_str).collect::<Vec<_>>());
    let proven = stage.ship(&clone, "ann", &["verify", "main"]);
    assert!(proven.contains("by exception (down), landed by ann"), "{proven}");
}

#[test]
fn a_commit_that_came_past_the_guard_is_found() {
    let stage = Stage::new();
    let clone = stage.clone_of("ann", "clone");
    stage.propose(&clone, "ann", "one", &[]);
    let head = stage.git(&clone, "ann", &["rev-parse", "HEAD"]);
    // Somebody with the files of the server writes the ref by hand.
    fs::write(stage.server().join("refs/heads/main"), head).unwrap();
    let said = stage.code(&clone, "ann", 1, &["verify", "main"]);
    assert!(said.contains("SW1144") && said.contains("no ticket has let it land"), "{said}");
    let said = stage.code(&clone, "ann", 1, &["guard", "audit", "../app.git"]);
    assert!(said.contains("was moved past every hook"), "{said}");
}
