//! Releases onto a branch that a guard protects: by a ticket of whoever may release, and of nobody else.

use std::fs;

use crate::stage::{POLICY, Stage, said};

/// The policy of the others, with a list of those who release.
fn policy() -> String {
    POLICY.replace("break-glass = [\"ann\"]", "break-glass = [\"ann\"]\nrelease = [\"ann\"]")
        + "[tag.versions]\npatterns = [\"v*\"]\nimmutable = true\nlanded = true\ncreate = [\"ann\"]\n"
}

/// Returns a repository with something to release on main.
fn landed() -> Option<Stage> {
    let stage = Stage::with(&policy())?;
    stage.work("ann", "feature/x", "x");
    stage.propose("ann", "main", &[]);
    stage.did("ben", &["change", "approve", "1"]);
    stage.did("ann", &["change", "land", "1"]);
    stage.ok(&["checkout", "-q", "main"]);
    stage.ok(&["pull", "-q", "--ff-only", "origin", "main"]);
    Some(stage)
}

/// Returns the titles of the two newest commits on main.
fn titles(stage: &Stage) -> Vec<String> {
    let log = stage.there(&["log", "-2", "--first-parent", "--format=%s", "main"]);
    log.lines().map(str::to_owned).collect()
}

#[test]
fn a_release_is_a_ticket_of_its_own_and_is_proven_and_taken_back() {
    let Some(stage) = landed() else { return };
    stage.did("ann", &["guard", "install"]);
    let plan = stage.did("ann", &["plan"]);
    assert!(plan.contains("+ signed with") && plan.contains("+ vouches for       whole"), "{plan}");
    stage.did("ann", &["push"]);
    let released = stage.tip("main");
    assert_eq!(stage.tip("v0.1.0^{commit}"), released);
    let proven = stage.did("ann", &["verify", "main"]);
    assert!(proven.contains("release 0.1.0, landed by ann"), "{proven}");

    // The guard keeps the checkpoints of the journal, and so does the tag: a journal that is cut does not go unseen.
    let told = stage.did("ann", &["log", "--verify", "--remote"]);
    assert!(told.contains("also outside of this directory, by origin, refs/shipway/checkpoints/"), "{told}");
    let kept = stage.there(&["for-each-ref", "refs/shipway/checkpoints"]);
    assert_eq!(kept.lines().count(), 1, "one journal, one ref: {kept}");
    let kept = kept.split_whitespace().last().unwrap().to_owned();
    assert_eq!(stage.there(&["rev-list", "--count", &kept]), "2", "a landing and a release");

    // Nobody else lays anything over it.
    let tree = stage.ok(&["hash-object", "-t", "tree", "-w", "/dev/null"]);
    let over = stage.ok(&["commit-tree", "-m", "checkpoint", "-p", &stage.tip(&kept), &tree]);
    let origin = kept.rsplit('/').next().unwrap();
    let no = stage.push("cem", &[&format!("{over}:refs/events/checkpoints/{origin}")]);
    assert!(!no.status.success() && said(&no).contains("no checkpoint of that journal"), "{}", said(&no));

    stage.did("ann", &["rollback"]);
    assert_eq!(titles(&stage), ["revert: release version 0.1.0", "chore: release version 0.1.0"]);
    assert_eq!(stage.tip("main^"), released);
    let proven = stage.did("ann", &["verify", "main"]);
    assert_eq!(proven.matches("release 0.1.0, landed by ann").count(), 2, "{proven}");
    assert_eq!(stage.repo.head(), stage.tip("main"));
}

#[test]
fn a_release_that_is_not_well_is_taken_back_by_a_ticket_too() {
    let Some(stage) = landed() else { return };
    let config = fs::read_to_string(stage.repo.path().join("shipway.toml")).unwrap();
    let config = config + "[verify]\nhealth = [\"http://127.0.0.1:9/\"]\nwithin = \"1s\"\n";
    let config = config + "[journal]\nanchor = \"origin\"\n";
    stage.repo.file("shipway.toml", config);
    stage.ok(&["checkout", "-q", "-b", "health"]);
    stage.ok(&["commit", "-qam", "chore: health"]);
    stage.propose("ann", "main", &[]);
    stage.did("ben", &["change", "approve", "2"]);
    stage.did("ann", &["change", "land", "2"]);
    stage.ok(&["checkout", "-q", "main"]);
    stage.ok(&["pull", "-q", "--ff-only", "origin", "main"]);
    let unwell = stage.refused("ann", &["push"], 4);
    assert!(unwell.contains("127.0.0.1:9"), "{unwell}");
    assert_eq!(titles(&stage), ["revert: release version 0.1.0", "chore: release version 0.1.0"], "{unwell}");
    // A guard takes checkpoints in its own way.
    let anchored = stage.did("ann", &["log", "--verify", "--remote"]);
    assert!(anchored.contains("by the file beside it, origin, refs/shipway/checkpoints/"), "{anchored}");
    let proven = stage.did("ann", &["verify", "main"]);
    assert_eq!(proven.matches("release 0.1.0, landed by ann").count(), 2, "{proven}");
}

#[test]
fn whoever_may_not_release_is_told_before_anything_happens() {
    let Some(stage) = landed() else { return };
    let (main, tags) = (stage.tip("main"), stage.there(&["tag"]));
    for (who, why) in [("ben", "ben may not release on main"), ("bot", "bot may not release on main")] {
        for verb in ["plan", "push"] {
            let told = stage.refused(who, &[verb], 1);
            assert!(told.contains(why) && told.contains("SW1101"), "{told}");
        }
    }
    let mut push = stage.command("ann", crate::stage::SHIPWAY, &["push"]);
    let told = push.env("HOME", stage.repo.home().join("nobody")).output().unwrap();
    assert!(!told.status.success() && said(&told).contains("no key was found"), "{}", said(&told));
    assert_eq!((stage.tip("main"), stage.there(&["tag"])), (main, tags));
    assert_eq!(stage.ok(&["tag"]), "");
}

#[test]
fn what_has_not_landed_is_not_released() {
    let Some(stage) = landed() else { return };
    stage.commit("ann", "y", "feat: y");
    let told = stage.refused("ann", &["push"], 1);
    assert!(told.contains("have not landed on origin"), "{told}");
    assert!(told.contains("git push origin HEAD:refs/for/main"), "{told}");
}

#[test]
fn a_tag_of_a_release_names_what_has_landed() {
    let Some(stage) = landed() else { return };
    stage.work("ann", "feature/y", "y");
    assert!(stage.push("ann", &["HEAD:refs/heads/feature/y"]).status.success());
    stage.ok(&["tag", "v9.0.0"]);
    let told = said(&stage.push("ann", &["v9.0.0"]));
    assert!(told.contains("tag v9.0.0 names what is on no protected branch"), "{told}");
    // Beside a move of main that is refused, neither is taken.
    let told = said(&stage.push("ann", &["v9.0.0", "HEAD:refs/heads/main"]));
    assert!(told.contains("main is protected") && !stage.there(&["tag"]).contains("v9.0.0"), "{told}");
}

#[test]
fn a_signed_tag_is_not_pushed_under_another_name() {
    let signed = policy() + "signed = true\n";
    let Some(stage) = Stage::with(&signed.replace("create = [\"ann\"]", "create = [\"ann\", \"ben\"]"))
    else {
        return;
    };
    let key = format!("user.signingKey={}", stage.key("ann").display());
    stage.ok(&["-c", "gpg.format=ssh", "-c", &key, "tag", "-s", "-m", "0.1.0", "v0.1.0"]);
    let told = said(&stage.push("ben", &["v0.1.0:refs/tags/v9.9.9"]));
    assert!(told.contains("what is signed there is the tag v0.1.0"), "{told}");
    assert_eq!(stage.there(&["tag"]), "");
    assert!(stage.push("ben", &["v0.1.0"]).status.success());
    assert_eq!(stage.there(&["tag"]), "v0.1.0");
}
