//! Why this version: the evidence of each commit, and the messages that almost meant something.

use serde::Serialize;
use shipway_core::problem::Problem;

use super::paint::{Ink, Paint};
use super::problem::{self, Level};
use super::table::{Cell, Table};
use super::text;

/// The evidence behind a version.
#[derive(Clone, Debug, Serialize)]
pub struct Why {
    /// The name of the project.
    pub project: String,
    /// What is asked about, if it is no version, such as a commit.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub subject: Option<String>,
    /// The version before, if there was one.
    pub from: Option<String>,
    /// The version decided on; nothing if no commit releases anything.
    pub to: Option<String>,
    /// The decision in one line, such as `minor: 3 feat, 5 fix`.
    pub why: String,
    /// The commits, the newest first.
    pub commits: Vec<Commit>,
    /// Near misses: messages that almost mark a change that would count.
    pub warnings: Vec<Problem>,
}

/// What one commit says about the version.
#[derive(Clone, Debug, Serialize)]
pub struct Commit {
    /// The object id; the screen shows its first seven digits.
    pub commit: String,
    /// The type, such as `feat!`; nothing if the message has none.
    pub kind: Option<String>,
    /// The first line of the message, without its type.
    pub subject: String,
    /// The rule that was applied, such as `a feature` or `reverted by 9c2e1d0`.
    pub rule: String,
    /// What it asks for, such as `minor`; nothing if it releases nothing by itself.
    pub bump: Option<String>,
}

/// Returns the evidence as a table, the decision above and the near misses below.
pub fn render(why: &Why, paint: Paint) -> String {
    let from = why.from.as_deref().unwrap_or("(first release)");
    let to = why.to.as_deref().unwrap_or("nothing to release");
    let versions = why.subject.clone().unwrap_or_else(|| format!("{from} → {to}"));
    let title = paint.ink(Ink::Strong, &format!("{} {versions}", why.project));
    let mut out = format!("{title}   {}\n", paint.plain(&why.why));
    if !why.commits.is_empty() {
        text::put(&mut out, format_args!("\n{}", table(&why.commits).render(paint)));
    }
    if !why.warnings.is_empty() {
        text::put(&mut out, format_args!("\n{}", problem::list(Level::Warning, &why.warnings, paint)));
    }
    out
}

fn table(commits: &[Commit]) -> Table {
    let mut table = Table::new(&[(2, 7), (2, 24), (2, 60), (2, 60), (1, 8)]);
    for commit in commits {
        let short = commit.commit.get(..7).unwrap_or(&commit.commit);
        let (bump, ink) = match &commit.bump {
            Some(bump) => (format!("→ {bump}"), Ink::Good),
            None => ("→ none".into(), Ink::Faint),
        };
        table.row([
            Cell::new(Ink::Faint, short),
            Cell::plain(commit.kind.as_deref().unwrap_or("–")),
            Cell::plain(&text::fit(&text::clean(&commit.subject), 60)),
            Cell::new(Ink::Faint, &commit.rule),
            Cell::new(ink, &bump),
        ]);
    }
    table
}

#[cfg(test)]
pub(in crate::view) mod tests {
    use shipway_core::problem::Code;

    use super::*;

    pub(in crate::view) fn sample() -> Why {
        let commit = |id: &str, kind: Option<&str>, subject: &str, rule: &str, bump: Option<&str>| Commit {
            commit: id.into(),
            kind: kind.map(Into::into),
            subject: subject.into(),
            rule: rule.into(),
            bump: bump.map(Into::into),
        };
        Why {
            subject: None,
            project: "harbour".into(),
            from: Some("1.3.2".into()),
            to: Some("1.4.0".into()),
            why: "minor: 1 feat, 1 fix".into(),
            commits: vec![
                commit("9c2e1d0aa0", Some("feat"), "add a 灯台", "a feature", Some("minor")),
                commit("4b81aa7bb1", Some("fix"), "do not \x1b[5msink", "a bug fix", Some("patch")),
                commit("0d00d1e", None, &"paint the quay ".repeat(8), "no type", None),
            ],
            warnings: vec![Problem::new(Code::AmbiguousCommits, "0d00d1e: `feat:x` has no space")],
        }
    }

    #[test]
    fn every_commit_says_what_it_asks_for_and_by_which_rule() {
        let expect = "\
harbour 1.3.2 → 1.4.0   minor: 1 feat, 1 fix

  9c2e1d0  feat  add a 灯台                                                    a feature → minor
  4b81aa7  fix   do not ␛[5msink                                               a bug fix → patch
  0d00d1e  –     paint the quay paint the quay paint the quay paint the quay…  no type   → none

warning[SW0306]: 0d00d1e: `feat:x` has no space
";
        assert_eq!(render(&sample(), Paint::new(false)), expect);
    }

    #[test]
    fn a_first_release_and_nothing_at_all_are_said() {
        let mut why = sample();
        (why.from, why.to, why.why) = (None, None, "2 docs".into());
        why.commits.clear();
        why.warnings.clear();
        assert_eq!(
            render(&why, Paint::new(false)),
            "harbour (first release) → nothing to release   2 docs\n"
        );
    }
}
