//! What programs are told of change requests: the binary that is tested here ends when a document is not as its schema
//! says.

use crate::stage::Stage;

#[test]
fn what_becomes_of_a_change_request_are_documents() {
    let Some(stage) = Stage::new() else { return };
    stage.work("ann", "feature/x", "x");
    let opened = stage.json(
        "ann",
        &["change", "open", "--title", "feat: an x", "--description", "Closes #7\n\n- [ ] told\n- [x] tried"],
    );
    assert_eq!((&opened["kind"], &opened["target"]), (&"change-opened".into(), &"main".into()), "{opened}");
    let noted = stage.json("ben", &["change", "comment", "1", "why?"]);
    assert_eq!((&noted["kind"], &noted["change"]), (&"change-noted".into(), &1.into()), "{noted}");
    let edited = stage.json("ann", &["change", "edit", "1", "--title", "feat: the x"]);
    assert_eq!((&edited["kind"], &edited["change"]), (&"change-noted".into(), &1.into()), "{edited}");
    assert!(!edited["said"].as_array().unwrap().is_empty(), "{edited}");

    let asked = stage.json("ben", &["change", "review", "1", "--request-changes", "why?"]);
    assert_eq!((&asked["kind"], &asked["word"]), (&"review".into(), &"request-changes".into()), "{asked}");
    assert_eq!(stage.json("cem", &["change", "show", "1"])["objections"][0], "ben");
    assert_eq!(stage.json("ben", &["change", "approve", "1"])["word"], "approve");
    let shown = stage.json("cem", &["change", "show", "1"]);
    assert_eq!(shown["approvals"][0]["person"], "ben");
    assert_eq!((&shown["issues"][0]["issue"], &shown["issues"][0]["closes"]), (&"#7".into(), &true.into()));
    let ticked: Vec<bool> =
        shown["checklist"].as_array().unwrap().iter().map(|item| item["ticked"] == true).collect();
    assert_eq!(ticked, [false, true], "{shown}");
    assert!(stage.json("cem", &["change", "diff", "1"])["diff"].as_str().unwrap().contains("+feat: x"));
    assert_eq!(stage.json("cem", &["change", "list"])["changes"][0]["title"], "feat: the x");
}
