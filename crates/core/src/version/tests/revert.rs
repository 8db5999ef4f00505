use super::*;

/// Checks what each commit asks for, newest first, and which commit cancels it: `minor`, `-`, or `x1` when the first one
/// cancels it.
fn check(messages: &[&str], wanted: &str) {
    let commits = commits(messages);
    let found: Vec<String> = evidence(&commits)
        .iter()
        .map(|e| match (&e.cancelled_by, e.bump) {
            (Some(by), _) => format!("x{}", commits.iter().position(|c| c.id == *by).unwrap() + 1),
            (None, Some(bump)) => bump.to_string(),
            (None, None) => "-".to_owned(),
        })
        .collect();
    assert_eq!(found.join(" "), wanted, "{messages:?}");
}

fn revert_of(number: usize) -> String {
    format!("Revert \"something\"\n\nThis reverts commit {}.", id(number))
}

#[test]
fn a_revert_inside_the_range_cancels_its_target() {
    check(&[&revert_of(2), "feat!: a", "fix: b"], "- x1 patch");
    check(&[&revert_of(3), "feat!: a", "fix: b"], "- major x1");
    check(&["revert: feat: a\n\nRefs: 0000002", "feat: a"], "- x1");
    check(&["revert: both\n\nRefs: 0000002, 0000003", "feat: a", "feat: b"], "- x1 x1");
    check(&["Revert \"feat: a\"\n\nThis reverts commit 0000002 (feat: a, 2026-01-01).", "feat: a"], "- x1");
}

#[test]
fn a_revert_of_something_released_is_a_patch() {
    check(&[&revert_of(9), "feat: a"], "patch minor");
    check(&["revert: old things\n\nRefs: 0000002, 00000ff", "feat: a"], "patch x1");
    check(&["revert: feat: gone"], "patch");
}

#[test]
fn a_revert_without_an_id_is_matched_by_its_subject() {
    check(&["Revert \"feat: a (#1)\" (#2)\n\nReverts owner/name#1", "feat: a (#1)"], "- x1");
    check(&["revert: feat: a (#2)", "feat: a"], "- x1");
    check(&["Revert \"feat: a\"", "feat: a", "feat: a"], "- x1 minor");
    check(&["Revert \"feat: a\"", "Revert \"feat: a\"", "feat: a", "feat: a"], "- - x1 x2");
    check(&["feat: a", "Revert \"feat: a\""], "minor patch");
}

#[test]
fn a_revert_of_a_revert_restores() {
    check(&[&revert_of(2), &revert_of(3), "feat: a"], "- x1 minor");
    check(&[&revert_of(2), &revert_of(3), &revert_of(4), "feat: a"], "- x1 - x3");
    check(&[&revert_of(2), &revert_of(99), "fix: a"], "- x1 patch");
    check(&["Revert \"Revert \"feat: a\"\"", "Revert \"feat: a\"", "feat: a"], "- x1 minor");
    let reapply = format!("Reapply \"feat: a\"\n\nThis reverts commit {}.", id(2));
    check(&[&reapply, &revert_of(3), "feat: a"], "- x1 minor");
}

#[test]
fn any_commit_that_says_so_in_the_words_of_git_reverts() {
    let fix = format!("fix: take it back\n\nThis reverts commit {}.", id(2));
    check(&[&fix, "feat!: a"], "patch x1");
    let chore = format!("chore: take it back\n\nThis reverts commit {}.\n", id(2));
    check(&[&chore, "feat!: a"], "- x1");
    check(&["docs: say that This reverts commit 0000002.", "feat: a"], "- minor");
}

#[test]
fn nothing_but_an_exact_name_is_a_target() {
    check(&["Revert \"a\"\n\nThis reverts commit 000000.", "feat: a"], "patch minor");
    check(&["Revert \"a\"\n\nThis reverts commit zzzzzzz.", "feat: a"], "patch minor");
    check(&[&revert_of(1), "feat: a"], "patch minor");
    let same_start: Vec<Commit> = ["0000001aaaa", "0000002aaaa", "0000002bbbb"]
        .iter()
        .zip(["Revert \"x\"\n\nThis reverts commit 0000002.", "feat: a", "fix: b"])
        .map(|(id, message)| Commit { id: (*id).to_owned(), message: message.to_owned() })
        .collect();
    assert!(evidence(&same_start).iter().all(|e| e.cancelled_by.is_none()));
}
