//! What a release writes: version files, changelog, README.

use shipway_core::edit::Edit;
use shipway_core::problem::{Code, Problem};
use shipway_core::version::{self, Conventional, Decision};
use shipway_world::changelog::{self, Head, Item, Notes, Template};
use shipway_world::facts::Tree;
use shipway_world::readme;

use super::Seen;
use super::line::Line;

/// What a release writes.
#[derive(Debug, Default)]
pub struct Writes {
    /// What happens to which file.
    pub edits: Vec<Edit>,
    /// The path of the changelog, if it is written.
    pub changelog: Option<String>,
    /// What a reader must know about it.
    pub notes: Vec<String>,
}

/// Returns all edits of a release on a date, or all problems that stand in their way.
pub fn edits(seen: &Seen<'_>, decision: &Decision, line: &Line, date: &str) -> Result<Writes, Vec<Problem>> {
    let mut writes = Writes::default();
    let mut problems = vec![];
    match seen.projects.edits(&seen.tree, &decision.to) {
        Ok(edits) => writes.edits = edits,
        Err(more) => problems.extend(more),
    }
    if let Some(path) = &seen.config.release.changelog {
        match changelog_edit(seen, path, (decision, line), date) {
            Ok(edit) => {
                writes.changelog = Some(path.clone());
                writes.edits.extend(edit);
            }
            Err(problem) => problems.push(problem),
        }
    }
    if seen.config.release.readme {
        match readme_edits(&seen.tree, decision) {
            Ok(edits) => writes.edits.extend(edits),
            Err(problem) => problems.push(problem),
        }
    }
    if problems.is_empty() { Ok(writes) } else { Err(problems) }
}

fn changelog_edit(
    seen: &Seen<'_>,
    path: &str,
    (decision, line): (&Decision, &Line),
    date: &str,
) -> Result<Option<Edit>, Problem> {
    let forge = seen.forge();
    let (version, tag) = (decision.to.to_string(), seen.format.render(&decision.to));
    let head = Head { version: &version, tag: &tag, previous_tag: line.tag.as_deref(), date };
    let parsed = kept(decision, line);
    let issues: Vec<Vec<&str>> = parsed.iter().map(|(_, one)| footer_issues(one)).collect();
    let items = parsed.iter().zip(&issues).map(|((id, one), issues)| item(id, one, issues));
    let notes = Notes::new(head, items, forge.as_ref());
    let template = match &seen.config.release.changelog_template {
        None => Template::default(),
        Some(path) => Template::new(path, &template_text(&seen.tree, path)?)?,
    };
    let mut section = String::new();
    template.render(&notes, &mut section)?;
    let old = seen.tree.read(path)?;
    let new = changelog::insert(path, old.as_deref(), &version, &section)?;
    let entries = notes.len();
    let plural = if entries == 1 { "entry" } else { "entries" };
    Edit::between(path, old.as_deref(), &new, &format!("+ {entries} {plural}"))
}

fn template_text(tree: &Tree<'_>, path: &str) -> Result<String, Problem> {
    let bytes = tree.read(path)?.ok_or_else(|| {
        Problem::new(Code::Template, format!("the template {path} is not in the repository"))
            .hint(format!("git add {path}"))
    })?;
    String::from_utf8(bytes)
        .map_err(|_| Problem::new(Code::Template, format!("the template {path} is not UTF-8")))
}

/// Returns the commits that stand in the changelog: conventional ones that no revert has cancelled.
fn kept<'a>(decision: &Decision, line: &'a Line) -> Vec<(&'a str, Conventional<'a>)> {
    let commits = line.commits.iter().zip(&decision.evidence);
    let chosen =
        commits.filter(|(_, one)| one.cancelled_by.is_none() && one.rule != version::Rule::RevertInRange);
    chosen.filter_map(|(commit, _)| Some((commit.id.as_str(), version::told(&commit.message)?))).collect()
}

fn item<'a>(id: &'a str, one: &'a Conventional<'a>, issues: &'a [&'a str]) -> Item<'a> {
    Item {
        kind: &one.kind,
        scope: one.scope,
        description: one.description,
        breaking: one.breaking.then(|| one.breaking_text.unwrap_or_default()),
        commit: id,
        issues,
    }
}

/// Returns the issues that the footers of a commit name.
fn footer_issues<'a>(one: &Conventional<'a>) -> Vec<&'a str> {
    // The `#` of `Closes #12` is no part of its value.
    one.footers.iter().flat_map(|footer| version::issues(footer.text)).map(|issue| issue.reference).collect()
}

fn readme_edits(tree: &Tree<'_>, decision: &Decision) -> Result<Vec<Edit>, Problem> {
    let readmes = ["README.md", "README.rst", "README", "readme.md", "Readme.md"];
    let mut edits = vec![];
    for path in readmes {
        if let Some(old) = tree.read(path)? {
            edits.extend(readme::update(path, &old, decision.from.as_ref(), &decision.to)?);
        }
    }
    Ok(edits)
}
