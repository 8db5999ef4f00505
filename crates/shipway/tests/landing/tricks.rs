//! What somebody tries who wants something to land that must not.

use serde_json::Value;
use shipway_core::time::Time;

use crate::stage::{Stage, lines, said};

/// A change that is approved, on its way to main.
fn approved() -> Option<Stage> {
    let stage = Stage::new()?;
    stage.work("ann", "feature/x", "x");
    stage.propose("ann", "main", &[]);
    stage.did("ben", &["change", "approve", "1"]);
    Some(stage)
}

/// Returns the records of the log of landings that hold a ticket.
fn tickets(stage: &Stage) -> Vec<Value> {
    let events = stage.events("refs/shipway/landings");
    events.into_iter().filter(|record| record["event"]["type"] == "ticket").collect()
}

#[test]
fn a_check_that_fails_on_the_merged_commit_stops_the_landing() {
    let Some(stage) = Stage::new() else { return };
    let before = stage.tip("main");
    stage.work("ann", "feature/x", "broken");
    stage.propose("ann", "main", &[]);
    stage.did("ben", &["change", "approve", "1"]);
    let no = stage.refused("ann", &["change", "land", "1"], 1);
    assert!(no.contains("whole"), "{no}");
    assert_eq!(stage.tip("main"), before);
    assert!(lines(&stage.seen()).is_empty());
}

#[test]
fn the_checks_are_those_of_the_target_and_not_those_of_the_change() {
    let Some(stage) = Stage::new() else { return };
    stage.work("ann", "feature/x", "broken");
    stage.repo.file("shipway.toml", "[[check]]\nname = \"whole\"\nrun = [\"true\"]\n");
    stage.commit("ann", "y", "ci: a check that is content");
    stage.propose("ann", "main", &[]);
    stage.did("ben", &["change", "approve", "1"]);
    stage.refused("ann", &["change", "land", "1"], 1);
}

#[test]
fn conflicts_are_named_with_their_files() {
    let Some(stage) = Stage::new() else { return };
    for branch in ["feature/one", "feature/two"] {
        stage.ok(&["fetch", "-q", "origin"]);
        stage.ok(&["checkout", "-q", "-B", branch, "main"]);
        stage.repo.file("README.md", format!("{branch}\n"));
        stage.commit("ann", branch.rsplit('/').next().unwrap(), "feat: a readme");
        stage.propose("ann", "main", &[]);
    }
    stage.did("ben", &["change", "approve", "1"]);
    stage.did("ben", &["change", "approve", "2"]);
    stage.did("ann", &["change", "land", "1"]);
    let no = stage.refused("ann", &["change", "land", "2"], 1);
    assert!(no.contains("SW1142") && no.contains("conflicts in README.md"), "{no}");
}

#[test]
fn each_method_lands_what_it_says() {
    let Some(stage) = Stage::new() else { return };
    for (at, method) in ["merge", "squash", "rebase", "fast-forward"].into_iter().enumerate() {
        let number = (at + 1).to_string();
        let before = stage.tip("main");
        stage.work("ann", &format!("feature/{method}"), &format!("{method}-1"));
        stage.commit("ann", &format!("{method}-2"), "feat: more");
        let head = stage.repo.head();
        stage.propose("ann", "main", &[]);
        stage.did("ben", &["change", "approve", &number]);
        stage.did("ann", &["change", "land", &number, "--method", method]);
        let parents = stage.there(&["log", "-1", "--format=%P", "main"]);
        let count = stage.there(&["rev-list", "--count", &format!("{before}..main")]);
        match method {
            "merge" => assert_eq!((parents, count), (format!("{before} {head}"), "3".into())),
            "squash" => assert_eq!((parents, count), (before, "1".into())),
            "rebase" => assert_eq!(count, "2"),
            _ => assert_eq!(stage.tip("main"), head),
        }
    }
    let proven = stage.did("cem", &["verify", "main"]);
    assert!(proven.contains("4 landings, all of them proven"), "{proven}");
}

#[test]
fn a_ticket_moves_its_own_ref_once_from_here_to_there() {
    let Some(stage) = approved() else { return };
    stage.did("ann", &["change", "land", "1"]);
    let ticket = tickets(&stage).pop().unwrap();
    let landed = stage.tip("main");
    let before = stage.tip("main^1");
    stage.ok(&["fetch", "-q", "origin", "main"]);
    // The same commit for another branch, the way back, and the same ticket once more.
    let no = stage.push("ann", &[&format!("{landed}:refs/heads/develop")]);
    assert!(!no.status.success() && said(&no).contains("push-restricted"), "{}", said(&no));
    let no = stage.push("ann", &["-f", &format!("{before}:refs/heads/main")]);
    assert!(!no.status.success(), "{}", said(&no));
    stage.ok(&["fetch", "-q", "origin", "+refs/shipway/landings:refs/shipway/landings"]);
    let ids = stage.ok(&["rev-list", "--first-parent", "refs/shipway/landings"]);
    let used = ids.lines().last().unwrap();
    let no = stage.push("ann", &[&format!("{used}:refs/events/landings")]);
    assert!(!no.status.success() && said(&no).contains("push-restricted"), "{}", said(&no));
    assert_eq!(tickets(&stage).len(), 1, "{ticket}");
}

#[test]
fn a_ticket_of_a_stranger_of_another_repository_or_another_time_counts_nothing() {
    let Some(stage) = approved() else { return };
    let before = stage.tip("main");
    let new = stage.ok(&["commit-tree", "-m", "feat: x", "-p", &before, "HEAD^{tree}"]);
    let policy = {
        // A ticket that is right in all but one thing, from one that was never used.
        stage.did("ann", &["change", "land", "1"]);
        let ticket: Value =
            serde_json::from_str(tickets(&stage)[0]["signed"]["text"].as_str().unwrap()).unwrap();
        ticket["policy"].as_str().unwrap().to_owned()
    };
    let main = stage.tip("main");
    let new_on_top = stage.ok(&["commit-tree", "-m", "feat: y", "-p", &main, "HEAD^{tree}"]);
    assert_ne!(new, new_on_top);
    let base = serde_json::json!({
        "statement": "ticket", "repository": "app", "ref": "refs/heads/main", "old": main, "new": new_on_top,
        "policy": policy, "reason": { "why": "bootstrap" }, "checks": ["whole"], "expires": Time(0), "nonce": "n",
    });
    let now = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap();
    let soon = Time(u64::try_from(now.as_millis()).unwrap() + 60_000);
    for (who, key, value, wanted) in [
        ("ann", "expires", serde_json::json!(Time(1)), "ended"),
        ("ann", "expires", serde_json::json!(Time(soon.0 + 10_000_000_000)), "longer than the policy allows"),
        ("ann", "repository", serde_json::json!("other"), "for the repository other"),
        ("ann", "policy", serde_json::json!("00"), "another policy"),
        ("bot", "nonce", serde_json::json!("m"), "may not"),
        ("ann", "nonce", serde_json::json!("m"), "there already"),
    ] {
        let mut ticket = base.clone();
        ticket["expires"] = serde_json::json!(soon);
        ticket[key] = value;
        let no = stage.send_signed(who, "ticket", &ticket, (&new_on_top, "refs/events/landings"));
        assert!(!no.status.success() && said(&no).contains(wanted), "{who} {key}: {}", said(&no));
        let no = stage.push("ann", &[&format!("{new_on_top}:refs/heads/main")]);
        assert!(!no.status.success(), "{}", said(&no));
    }
    assert_eq!(tickets(&stage).len(), 1);
    assert_eq!(stage.tip("main"), main);
}

#[test]
fn an_exception_is_for_those_who_may_is_followed_up_and_stays_in_sight() {
    let Some(stage) = Stage::new() else { return };
    stage.work("ann", "feature/x", "x");
    stage.propose("ann", "main", &[]);
    let no = stage.refused("ben", &["change", "land", "1", "--break-glass", "it burns"], 1);
    assert!(no.contains("ben may not land by exception"), "{no}");
    let done = stage.did("ann", &["change", "land", "1", "--break-glass", "it burns"]);
    assert!(done.contains("exception"), "{done}");
    let listed = stage.did("cem", &["change", "list"]);
    assert!(listed.contains("it burns") && listed.contains("shipway change approve 1"), "{listed}");
    let proven = stage.did("cem", &["verify", "main"]);
    assert!(proven.contains("by exception (it burns)"), "{proven}");
    // What was not approved before is approved afterwards, by somebody else.
    stage.did("ann", &["change", "approve", "1"]);
    let listed = stage.did("cem", &["change", "list"]);
    assert!(listed.contains("it burns"), "{listed}");
    stage.did("ben", &["change", "approve", "1"]);
    let listed = stage.did("cem", &["change", "list"]);
    assert!(!listed.contains("it burns"), "{listed}");
    let shown = stage.did("cem", &["change", "show", "1"]);
    assert!(shown.contains("it burns") && shown.contains("approved by ben"), "{shown}");
}

#[test]
fn whoever_has_landed_by_exception_does_not_say_yes_to_it_afterwards() {
    let Some(stage) = Stage::new() else { return };
    stage.work("ben", "feature/x", "x");
    stage.propose("ben", "main", &[]);
    stage.did("ann", &["change", "land", "1", "--break-glass", "it burns"]);
    stage.did("ann", &["change", "approve", "1"]);
    let listed = stage.did("cem", &["change", "list"]);
    assert!(listed.contains("it burns"), "{listed}");
    stage.did("cem", &["change", "approve", "1"]);
    let listed = stage.did("ann", &["change", "list"]);
    assert!(!listed.contains("it burns"), "{listed}");
}

#[test]
fn what_was_put_on_main_past_the_guard_is_found() {
    let Some(stage) = approved() else { return };
    stage.did("ann", &["change", "land", "1"]);
    let main = stage.tip("main");
    let evil = stage.there(&["commit-tree", "-m", "feat: evil", "-p", &main, "main^{tree}"]);
    stage.there(&["update-ref", "refs/heads/main", &evil]);
    let no = stage.refused("cem", &["verify", "main"], 1);
    assert!(no.contains("no ticket has let it land") && no.contains(&evil[..12]), "{no}");
    assert!(!no.contains(&main[..12]), "what has a ticket is not accused: {no}");
    stage.did("cem", &["verify", "main", "--range", &format!("..{main}")]);
}
