//! Changelogs: notes from commits, their Markdown, and where it stands in the file (Keep a Changelog 1.1.0).
//!
//! Pure: commits come in as [`Item`]s that somebody else has parsed, and files as bytes.

mod file;
mod forge;
mod layout;
mod markdown;
mod scan;
mod template;

#[cfg(test)]
mod tests;

use serde::Serialize;
use shipway_core::problem::Problem;

pub use file::{insert, withdraw};
pub use forge::Forge;
pub use template::{DEFAULT, Template};

/// The sections in their order, each with the kinds of commits that stand there; breaking changes come first.
const SECTIONS: [(&str, &str); 5] = [
    ("feat", "Features"),
    ("fix", "Bug Fixes"),
    ("perf", "Performance"),
    ("docs", "Documentation"),
    ("revert", "Reverts"),
];
const BREAKING: &str = "Breaking Changes";

/// A commit as the changelog sees it. Commits that a revert in the same range cancels are left out by the caller, and
/// their reverts too.
#[derive(Clone, Copy, Debug)]
pub struct Item<'a> {
    /// The type of Conventional Commits 1.0.0 in lower case, such as `feat`.
    pub kind: &'a str,
    /// The scope.
    pub scope: Option<&'a str>,
    /// The description.
    pub description: &'a str,
    /// Set for a breaking change: the text of its footer, or the empty text if it has none.
    pub breaking: Option<&'a str>,
    /// The object id of the commit in full.
    pub commit: &'a str,
    /// The issues that its footers name, such as `#12`; those in the description are found by themselves.
    pub issues: &'a [&'a str],
}

/// What a section of the changelog is made from besides commits.
#[derive(Clone, Copy, Debug)]
pub struct Head<'a> {
    /// The version.
    pub version: &'a str,
    /// The tag.
    pub tag: &'a str,
    /// The tag of the release before, if there was one.
    pub previous_tag: Option<&'a str>,
    /// The date, such as `2026-11-20`.
    pub date: &'a str,
}

/// What is said of one release; the context of a template. Its texts are Markdown and hold no control characters.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Notes {
    /// The version.
    pub version: String,
    /// The tag.
    pub tag: String,
    /// The tag of the release before, if there was one.
    pub previous_tag: Option<String>,
    /// The date, such as `2026-11-20`.
    pub date: String,
    /// The page that shows all changes since the previous tag, or the tag if it is the first.
    pub compare_url: Option<String>,
    /// The sections that have entries.
    pub sections: Vec<Section>,
}

/// A group of entries.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Section {
    /// The title, such as `Bug Fixes`.
    pub title: &'static str,
    /// The entries, in the order of the commits that were handed in.
    pub entries: Vec<EntryLine>,
}

/// One commit.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct EntryLine {
    /// The scope.
    pub scope: Option<String>,
    /// The description, with links to the issues that it names.
    pub text: String,
    /// The first seven digits of the commit.
    pub commit_short: String,
    /// The page of the commit.
    pub commit_url: Option<String>,
    /// The issues of its footers that the description does not name.
    pub issues: Vec<Issue>,
    /// How to migrate, in one or more lines; only for a breaking change whose footer says it.
    pub breaking_text: Option<String>,
}

/// A reference to an issue.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Issue {
    /// The reference, such as `#12`.
    pub id: String,
    /// Its page.
    pub url: Option<String>,
}

impl Notes {
    /// Returns the notes of a release. Breaking changes stand in their own section only; kinds without a section are
    /// left out unless they break something.
    pub fn new<'a>(head: Head<'_>, items: impl IntoIterator<Item = Item<'a>>, forge: Option<&Forge>) -> Self {
        let mut sections: Vec<Section> = [BREAKING]
            .into_iter()
            .chain(SECTIONS.map(|(_, title)| title))
            .map(|title| Section { title, entries: vec![] })
            .collect();
        for item in items {
            let place = SECTIONS.iter().position(|(kind, _)| *kind == item.kind).map(|at| at + 1);
            if let Some(at) = item.breaking.map(|_| 0).or(place) {
                sections[at].entries.push(EntryLine::new(&item, forge));
            }
        }
        sections.retain(|section| !section.entries.is_empty());
        Self {
            version: markdown::plain(head.version),
            tag: markdown::plain(head.tag),
            previous_tag: head.previous_tag.map(markdown::plain),
            date: markdown::plain(head.date),
            compare_url: forge.map(|forge| match head.previous_tag {
                Some(previous) => forge.compare_url(previous, head.tag),
                None => forge.tag_url(head.tag),
            }),
            sections,
        }
    }

    /// Returns how many entries there are.
    pub fn len(&self) -> usize {
        self.sections.iter().map(|section| section.entries.len()).sum()
    }

    /// Tells whether there are no entries.
    pub fn is_empty(&self) -> bool {
        self.sections.is_empty()
    }
}

impl EntryLine {
    fn new(item: &Item<'_>, forge: Option<&Forge>) -> Self {
        let (text, named) = markdown::description(item.description, forge);
        let mut issues: Vec<Issue> = vec![];
        for id in item.issues.iter().map(|id| markdown::plain(id)) {
            if !named.contains(&id) && !issues.iter().any(|issue| issue.id == id) {
                let url = forge.and_then(|forge| forge.issue_url(&id));
                issues.push(Issue { id, url });
            }
        }
        let commit = item.commit;
        Self {
            scope: item.scope.map(markdown::scope).filter(|scope| !scope.is_empty()),
            text,
            commit_short: commit.get(..7).unwrap_or(commit).to_owned(),
            commit_url: forge.map(|forge| forge.commit_url(commit)),
            issues,
            breaking_text: item.breaking.map(markdown::block).filter(|text| !text.is_empty()),
        }
    }
}

/// Writes the sections of many releases below a preamble, as `shipway changelog` shows a whole history. Without a
/// template of the user this keeps nothing but the text in memory.
pub fn render_all(
    history: impl IntoIterator<Item = Notes>,
    template: &Template,
    out: &mut String,
) -> Result<(), Problem> {
    out.push_str(file::PREAMBLE);
    for notes in history {
        out.push('\n');
        template.render(&notes, out)?;
    }
    Ok(())
}
