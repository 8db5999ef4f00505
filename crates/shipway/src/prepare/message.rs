//! The message of the release commit.

use shipway_core::version::{Bump, Evidence, clean_line, short};

/// How many lines a list has at most: the changelog has them all.
const LINES: usize = 50;

/// Returns the message: what is released, and why, in lists.
pub fn commit(version: &str, evidence: &[Evidence]) -> String {
    let mut message = format!("chore: release version {version}\n");
    let live = || evidence.iter().filter(|one| one.cancelled_by.is_none());
    let lists: [(&str, Vec<&Evidence>); 4] = [
        ("Breaking changes", live().filter(|one| one.breaking).collect()),
        ("Features", live().filter(|one| !one.breaking && one.kind.as_deref() == Some("feat")).collect()),
        ("Bug fixes", live().filter(|one| !one.breaking && one.kind.as_deref() == Some("fix")).collect()),
        ("Other changes", live().filter(|one| other(one)).collect()),
    ];
    for (title, list) in lists.iter().filter(|(_, list)| !list.is_empty()) {
        message.push_str(&format!("\n{title}:\n"));
        for one in list.iter().take(LINES) {
            message.push_str(&format!("- {} ({})\n", clean_line(&one.subject), short(&one.commit)));
        }
        if list.len() > LINES {
            message.push_str(&format!("- and {} more\n", list.len() - LINES));
        }
    }
    message
}

/// Tells whether a commit releases something and stands in no other list.
fn other(one: &Evidence) -> bool {
    let listed = one.breaking || matches!(one.kind.as_deref(), Some("feat" | "fix"));
    !listed && one.bump >= Some(Bump::Patch)
}
