//! Words of reviewers: whose they are, what they are about, and when they count.

use crate::stage::{POLICY, SHIPWAY, Stage, said};

fn proposed() -> Option<Stage> {
    let stage = Stage::new()?;
    stage.work("ann", "feature/x", "x");
    stage.propose("ann", "main", &["title=feat: x", "description=Closes #7\\n\\nIt was \\\\no."]);
    Some(stage)
}

#[test]
fn authors_contributors_and_agents_do_not_approve() {
    let Some(stage) = proposed() else { return };
    let told = stage.did("ann", &["change", "approve", "1"]);
    assert!(told.contains("ann has a part in change 1"), "{told}");
    let no = stage.shipway("bot", &["change", "approve", "1"]);
    assert!(!no.status.success() && said(&no).contains("bot is no person"), "{}", said(&no));

    // Whoever has a commit in it has a part in it, and so has who is named as a helper.
    stage.commit("cem", "y", "feat: y\n\nCo-authored-by: Ben <BEN@example.org>");
    stage.propose("ann", "main", &["change=1"]);
    for who in ["ben", "cem"] {
        let told = stage.did(who, &["change", "approve", "1"]);
        assert!(told.contains(&format!("{who} has a part in change 1")), "{told}");
    }
    let waits = stage.refused("ann", &["change", "land", "1"], 3);
    assert!(waits.contains("0 of 1 approvals"), "{waits}");
}

#[test]
fn an_agent_at_the_wheel_signs_no_review_with_its_owners_key() {
    let Some(stage) = proposed() else { return };
    let key = stage.key("ben").display().to_string();
    let args = ["change", "approve", "1", "--key", &key];
    let output = stage.command("ben", SHIPWAY, &args).env("SHIPWAY_ACTOR", "agent:claude").output().unwrap();
    assert!(!output.status.success() && said(&output).contains("agents and machines"), "{}", said(&output));
}

#[test]
fn a_request_for_changes_holds_the_landing_up_until_it_is_taken_back() {
    let Some(stage) = proposed() else { return };
    stage.did("ben", &["change", "approve", "1"]);
    stage.did("cem", &["change", "review", "1", "--request-changes", "a test is missing"]);
    let waits = stage.refused("ann", &["change", "land", "1"], 3);
    assert!(waits.contains("cem asks for changes"), "{waits}");
    let shown = stage.did("ann", &["change", "show", "1"]);
    assert!(shown.contains("a test is missing"), "{shown}");
    stage.did("cem", &["change", "review", "1", "--withdraw"]);
    stage.did("ann", &["change", "land", "1"]);
}

#[test]
fn a_word_is_brought_by_who_gives_it_and_once() {
    let Some(stage) = proposed() else { return };
    let key = stage.key("ben").display().to_string();
    let no = stage.refused("cem", &["change", "approve", "1", "--key", &key], 1);
    assert!(no.contains("cem brings a word of ben"), "{no}");

    stage.did("ben", &["change", "approve", "1"]);
    stage.did("ben", &["change", "review", "1", "--request-changes", "no, wait"]);
    // The same signed word once more: git makes the commit anew from what the log has.
    let log = "refs/shipway/changes/1/log";
    let ids = stage.there(&["rev-list", "--first-parent", log]);
    let approval = ids
        .lines()
        .find(|id| {
            let text = stage.there(&["cat-file", "-p", &format!("{id}:event.json")]);
            text.contains("reviewed") && text.contains("approve")
        })
        .unwrap();
    stage.ok(&["fetch", "-q", "origin", &format!("+{log}:{log}")]);
    let no = stage.push("ben", &[&format!("{approval}:refs/events/changes/1")]);
    assert!(!no.status.success() && said(&no).contains("this word was given already"), "{}", said(&no));
    let waits = stage.refused("ann", &["change", "land", "1"], 3);
    assert!(waits.contains("ben asks for changes"), "{waits}");
}

#[test]
fn what_is_said_of_a_change_is_shown_to_people_and_programs() {
    let Some(stage) = proposed() else { return };
    stage.did("cem", &["change", "comment", "1", "why not y?", "--path", "x", "--line", "2"]);
    stage.did("ann", &["change", "edit", "1", "--title", "feat: a better x", "--draft"]);
    let shown = stage.json("ben", &["change", "show", "1"]);
    assert_eq!(shown["title"], "feat: a better x");
    assert_eq!(shown["description"], "Closes #7\n\nIt was \\no.");
    assert_eq!(shown["comments"][0]["by"], "cem");
    assert_eq!(shown["comments"][0]["place"], "x:2");
    assert_eq!(shown["issues"][0]["issue"], "#7");
    assert_eq!(shown["draft"], true);
    let text = stage.did("ben", &["change", "show", "1"]);
    for part in ["feat: a better x", "closes #7", "cem at x:2: why not y?", "draft"] {
        assert!(text.contains(part), "{part}: {text}");
    }
    let listed = stage.did("ben", &["change", "list"]);
    assert!(listed.contains("feat: a better x") && listed.contains("draft"), "{listed}");
    let diff = stage.did("ben", &["change", "diff", "1"]);
    assert!(diff.contains("+feat: x"), "{diff}");

    stage.did("ben", &["change", "approve", "1"]);
    let waits = stage.refused("ann", &["change", "land", "1"], 3);
    assert!(waits.contains("change 1 is a draft"), "{waits}");
    assert!(waits.contains("hint: shipway change edit 1 --ready"), "{waits}");
    assert!(!waits.contains("landing before") && !waits.contains("flow status"), "{waits}");
    stage.refused("cem", &["change", "edit", "1", "--ready"], 1);
    stage.did("ann", &["change", "edit", "1", "--ready"]);
    stage.did("ann", &["change", "close", "1", "--reason", "not now"]);
    stage.refused("ben", &["change", "approve", "1"], 2);
    stage.did("ann", &["change", "reopen", "1"]);
    stage.did("ann", &["change", "land", "1"]);
    stage.refused("ann", &["change", "close", "1"], 1);
}

#[test]
fn what_comes_in_from_outside_is_held_to_its_limits() {
    let Some(stage) = proposed() else { return };
    let event = |text: &str| {
        let blob = stage.repo.path().join("event");
        std::fs::write(&blob, text).unwrap();
        let blob = stage.ok(&["hash-object", "-w", &blob.display().to_string()]);
        let tree = stage.repo.path().join("tree");
        std::fs::write(&tree, format!("100644 blob {blob}\tevent.json\n")).unwrap();
        let mktree = format!("git mktree <'{}'", tree.display());
        let tree = stage.command("ann", "sh", &["-c", &mktree]).output().unwrap();
        let tree = String::from_utf8_lossy(&tree.stdout).trim().to_owned();
        stage.ok(&["commit-tree", "-m", "event", &tree])
    };
    let full = |event: &str| {
        format!("{{\"v\":1,\"at\":\"1970-01-01T00:00:00.000Z\",\"by\":\"ben\",\"event\":{event}}}")
    };
    let events = stage.events("refs/shipway/changes/1/log").len();
    for (text, log, wanted) in [
        ("no json".to_owned(), "changes/1", "cannot be read"),
        (full("{\"type\":\"landed\",\"commit\":\"x\",\"ticket\":\"00\"}"), "changes/1", ""),
        (
            full("{\"type\":\"opened\",\"target\":\"main\",\"title\":\"x\"}"),
            "changes/1",
            "by the guard alone",
        ),
        (full("{\"type\":\"something new\"}"), "changes/1", "by the guard alone"),
        (full("{\"type\":\"reviewed\"}"), "changes/1", "not signed"),
        (full("{\"type\":\"ticket\"}"), "landings", "only signed tickets"),
        (full("{\"type\":\"commented\",\"text\":\"x\"}"), "changes/99", "no change request 99"),
        (full("{\"type\":\"commented\",\"text\":\"x\"}"), "changes/1/log", "no log"),
        (full("{\"type\":\"commented\",\"text\":\"a\\u001b[2J\"}"), "changes/1", "no control characters"),
        (
            full(&format!("{{\"type\":\"commented\",\"text\":\"{}\"}}", "x".repeat(60_000))),
            "changes/1",
            "bytes",
        ),
        (" ".repeat(300_000), "changes/1", "of up to"),
    ] {
        let commit = event(&text);
        let no = stage.push("ann", &[&format!("{commit}:refs/events/{log}")]);
        assert!(!no.status.success() && said(&no).contains(wanted), "{wanted}: {}", said(&no));
    }
    assert_eq!(stage.events("refs/shipway/changes/1/log").len(), events);
    // What an event says of its bearer and its time is not believed.
    let commit = event(&full("{\"type\":\"commented\",\"text\":\"x\"}"));
    assert!(stage.push("cem", &[&format!("{commit}:refs/events/changes/1")]).status.success());
    let last = stage.events("refs/shipway/changes/1/log").pop().unwrap();
    assert_eq!(last["by"], "cem");
    assert_ne!(last["at"], "1970-01-01T00:00:00.000Z");
    let direct = stage.push("ann", &[&format!("{commit}:refs/shipway/changes/1/log")]);
    assert!(!direct.status.success(), "{}", said(&direct));
}

#[test]
fn owners_of_a_path_must_be_among_those_who_approve() {
    let policy = POLICY.replace("break-glass", "owners = true\nbreak-glass");
    let Some(stage) = Stage::with(&policy) else { return };
    stage.repo.file("CODEOWNERS", "/core/ @cem\n").commit("docs: who owns what");
    stage.propose("ann", "main", &[]);
    stage.did("ben", &["change", "approve", "1"]);
    stage.did("ben", &["change", "land", "1"]);
    stage.work("ann", "feature/core", "core/a");
    stage.propose("ann", "main", &[]);
    stage.did("ben", &["change", "approve", "2"]);
    let waits = stage.refused("ben", &["change", "land", "2"], 3);
    assert!(waits.contains("owners: 0 of 1 owners of core/a approve"), "{waits}");
    stage.did("cem", &["change", "approve", "2"]);
    stage.did("ben", &["change", "land", "2"]);
}
