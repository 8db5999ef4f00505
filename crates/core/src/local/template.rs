//! The template of a commit message: comments only, so that what is left alone is no message.

use std::fmt::Write as _;

/// Types of Conventional Commits that are offered, and what they are for.
const KINDS: &[(&str, &str)] = &[
    ("feat", "a new feature; raises the minor version"),
    ("fix", "a fix; raises the patch version"),
    ("perf", "the same, faster or with less"),
    ("refactor", "other code, the same behaviour"),
    ("docs", "documentation only"),
    ("test", "tests only"),
    ("build", "building, packaging, dependencies"),
    ("ci", "continuous integration"),
    ("style", "formatting only"),
    ("chore", "anything else that users do not notice"),
];

/// Returns the template, each line behind `comment`, with further types of the policy, and the issue of the branch.
pub fn template(comment: &str, more: &[String], branch: Option<&str>) -> String {
    let mut lines = vec!["type(scope): what changes, as in `fix(parser): accept an empty list`".to_owned()];
    lines.push(String::new());
    let width = KINDS.iter().map(|(kind, _)| kind.len()).max().unwrap_or_default();
    lines.extend(KINDS.iter().map(|(kind, what)| format!("  {kind:<width$}  {what}")));
    lines.extend(more.iter().map(|kind| format!("  {kind}")));
    lines.push(String::new());
    lines.push(
        "A `!` before the colon, or a footer `BREAKING CHANGE: text`, raises the major version.".into(),
    );
    if let Some(issue) = branch.and_then(issue_of) {
        lines.push(format!(
            "This branch is about issue {issue}: `Refs: #{issue}`, or `Closes: #{issue}`, in the last lines."
        ));
    }
    let mut text = String::new();
    for line in lines {
        let _ = writeln!(text, "{}", format!("{comment} {line}").trim_end());
    }
    text
}

/// Returns the number of the issue that a branch names: the first number of its last part that stands alone, as in
/// `feature/123-login`, `issue-123` or `fix/GH-123`.
pub fn issue_of(branch: &str) -> Option<u64> {
    let last = branch.rsplit('/').next().unwrap_or(branch);
    // A branch of a version, such as `release/1.2`, has numbers and no issue.
    let words = last.split(['-', '_', '#']).filter(|word| !word.is_empty());
    words.filter(|word| word.bytes().all(|byte| byte.is_ascii_digit())).find_map(|word| word.parse().ok())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_issue_of_a_branch_is_a_number_that_stands_alone() {
        let check = |branch: &str, issue: Option<u64>| assert_eq!(issue_of(branch), issue, "{branch}");
        check("feature/123-login", Some(123));
        check("feature/issue-123", Some(123));
        check("fix/GH-7_tail", Some(7));
        check("feature/#9", Some(9));
        check("release/1.2", None);
        check("feature/oauth2-login", None);
        check("main", None);
    }

    #[test]
    fn every_line_of_the_template_is_a_comment() {
        let text = template(";", &["deps".into()], Some("feature/12-x"));
        assert!(text.lines().all(|line| line.starts_with(';')), "{text}");
        assert!(
            text.contains("feat ")
                && text.contains("; ")
                && text.contains("deps")
                && text.contains("Refs: #12")
        );
        assert!(!template("#", &[], Some("main")).contains("Refs"));
    }
}
