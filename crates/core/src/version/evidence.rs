//! Evidence: which commit asks for what, by which rule, and what a revert has cancelled.

use std::collections::HashMap;

use serde::Serialize;

use super::bump::Bump;
use super::commit::{Conventional, NotConventional, first_line, parse};
use super::mention::{Reverts, reverts};
use super::near::{self, NearMiss};
use super::text::excerpt;

/// A commit as git stores it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Commit {
    /// The full object id in lower-case hexadecimal digits.
    pub id: String,
    /// The whole message.
    pub message: String,
}

/// What one commit asks for, and why.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Evidence {
    /// The id of the commit.
    pub commit: String,
    /// The first line, made harmless and cut to 200 characters.
    pub subject: String,
    /// The type in lower case, if the message follows Conventional Commits.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub kind: Option<String>,
    /// Whether the commit breaks something.
    pub breaking: bool,
    /// What it asks for; nothing when it releases nothing or is cancelled.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub bump: Option<Bump>,
    /// The rule that says so.
    pub rule: Rule,
    /// The id of the commit of the same range that reverts this one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub cancelled_by: Option<String>,
}

/// The rule by which a commit asks for a version.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Rule {
    /// `!` or a breaking footer: major.
    Breaking,
    /// `feat`: minor.
    Feature,
    /// `fix`: patch.
    Fix,
    /// `perf`: patch.
    Performance,
    /// A revert of something that is released: patch.
    RevertOfReleased,
    /// A revert of commits of the same range: nothing remains of either.
    RevertInRange,
    /// Another commit of the same range reverts this one.
    Cancelled,
    /// Other types release nothing.
    OtherType,
    /// Merges release nothing by themselves; the merged commits are read.
    Merge,
    /// `fixup!`, `squash!` and `amend!` commits release nothing.
    Autosquash,
    /// A message that does not follow Conventional Commits releases nothing.
    NotConventional,
}

impl Rule {
    /// Returns the rule in a few words.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Breaking => "a breaking change is a major",
            Self::Feature => "feat is a minor",
            Self::Fix => "fix is a patch",
            Self::Performance => "perf is a patch",
            Self::RevertOfReleased => "a revert of something released is a patch",
            Self::RevertInRange => "a revert inside the release cancels its target",
            Self::Cancelled => "cancelled by a revert inside the release",
            Self::OtherType => "this type releases nothing",
            Self::Merge => "a merge releases nothing by itself",
            Self::Autosquash => "a commit that is meant to be squashed releases nothing",
            Self::NotConventional => "not a conventional commit",
        }
    }
}

/// All that the commits of a range say.
#[derive(Clone, Debug, Default)]
pub(super) struct Weighed {
    pub(super) evidence: Vec<Evidence>,
    /// For each commit, the position of the commit that reverts it.
    pub(super) cancelled_by: Vec<Option<usize>>,
    /// Positions and values of `Release-As` footers, newest first, without those of cancelled commits.
    pub(super) release_as: Vec<(usize, String)>,
    /// Positions and near misses, without those of cancelled commits.
    pub(super) near: Vec<(usize, NearMiss)>,
}

type Parsed<'a> = Result<Conventional<'a>, NotConventional<'a>>;

/// Returns what each commit asks for; commits come newest first, and so does the evidence.
pub fn evidence(commits: &[Commit]) -> Vec<Evidence> {
    weigh(commits).evidence
}

pub(super) fn weigh(commits: &[Commit]) -> Weighed {
    let parsed: Vec<Parsed<'_>> = commits.iter().map(|commit| parse(&commit.message)).collect();
    let reverts: Vec<(usize, Reverts<'_>)> = commits
        .iter()
        .zip(&parsed)
        .enumerate()
        .filter_map(|(at, (commit, parsed))| Some((at, reverts(&commit.message, parsed)?)))
        .collect();
    let (cancelled_by, inside) = cancel(commits, &reverts);
    let mut weighed = Weighed { cancelled_by, ..Weighed::default() };
    for (at, (commit, parsed)) in commits.iter().zip(&parsed).enumerate() {
        let by = weighed.cancelled_by[at];
        let rule = if by.is_some() { Rule::Cancelled } else { rule(parsed, inside.contains_key(&at)) };
        let own = parsed.as_ref().ok();
        weighed.evidence.push(Evidence {
            commit: commit.id.clone(),
            subject: excerpt(first_line(&commit.message).0, 200),
            kind: own.map(|own| own.kind.to_string()),
            breaking: own.is_some_and(|own| own.breaking),
            bump: bump(rule),
            rule,
            cancelled_by: by.map(|by| commits[by].id.clone()),
        });
        if by.is_none() {
            let value = own.and_then(Conventional::release_as);
            weighed.release_as.extend(value.map(|value| (at, value.to_owned())));
            weighed
                .near
                .extend(near::find(&commit.id, &commit.message, parsed).into_iter().map(|miss| (at, miss)));
        }
    }
    weighed
}

fn rule(parsed: &Parsed<'_>, reverts_inside: bool) -> Rule {
    match parsed {
        Ok(commit) if commit.breaking => Rule::Breaking,
        Ok(commit) => match &*commit.kind {
            "feat" => Rule::Feature,
            "fix" => Rule::Fix,
            "perf" => Rule::Performance,
            "revert" if reverts_inside => Rule::RevertInRange,
            "revert" => Rule::RevertOfReleased,
            _ => Rule::OtherType,
        },
        Err(NotConventional::Revert(_)) if reverts_inside => Rule::RevertInRange,
        Err(NotConventional::Revert(_)) => Rule::RevertOfReleased,
        Err(NotConventional::Merge) => Rule::Merge,
        Err(NotConventional::Autosquash(_)) => Rule::Autosquash,
        Err(NotConventional::Empty | NotConventional::NoType | NotConventional::Flawed(_)) => {
            Rule::NotConventional
        }
    }
}

fn bump(rule: Rule) -> Option<Bump> {
    match rule {
        Rule::Breaking => Some(Bump::Major),
        Rule::Feature => Some(Bump::Minor),
        Rule::Fix | Rule::Performance | Rule::RevertOfReleased => Some(Bump::Patch),
        Rule::RevertInRange
        | Rule::Cancelled
        | Rule::OtherType
        | Rule::Merge
        | Rule::Autosquash
        | Rule::NotConventional => None,
    }
}

/// Returns which commit cancels each one, and the reverts of which all targets lie in the range.
///
/// Reverts are taken newest first: one that is itself cancelled cancels nothing, so a revert of a revert restores.
fn cancel(
    commits: &[Commit],
    reverts: &[(usize, Reverts<'_>)],
) -> (Vec<Option<usize>>, HashMap<usize, Vec<usize>>) {
    let mut cancelled_by = vec![None; commits.len()];
    let mut inside = HashMap::new();
    if reverts.is_empty() {
        return (cancelled_by, inside);
    }
    let index = Index::new(commits);
    for (at, reverts) in reverts {
        if cancelled_by[*at].is_some() {
            continue;
        }
        let Some(targets) = index.targets(*at, reverts, &cancelled_by) else { continue };
        for target in targets.iter().flatten() {
            cancelled_by[*target].get_or_insert(*at);
        }
        if targets.iter().all(Option::is_some) {
            inside.insert(*at, targets.into_iter().flatten().collect());
        }
    }
    (cancelled_by, inside)
}

/// Finds commits of the range by id and by subject.
struct Index<'a> {
    by_id: Vec<(&'a str, usize)>,
    by_subject: HashMap<&'a str, Vec<usize>>,
}

impl<'a> Index<'a> {
    fn new(commits: &'a [Commit]) -> Self {
        let mut by_id: Vec<_> = commits.iter().enumerate().map(|(at, commit)| (&*commit.id, at)).collect();
        by_id.sort_unstable();
        let mut by_subject: HashMap<_, Vec<_>> = HashMap::new();
        for (at, commit) in commits.iter().enumerate() {
            by_subject.entry(first_line(&commit.message).0).or_default().push(at);
        }
        Self { by_id, by_subject }
    }

    /// Returns the targets of a revert, `None` for each that is not in the range; nothing if it names none at all.
    fn targets(
        &self,
        at: usize,
        reverts: &Reverts<'_>,
        cancelled_by: &[Option<usize>],
    ) -> Option<Vec<Option<usize>>> {
        if !reverts.ids.is_empty() {
            return Some(reverts.ids.iter().map(|id| self.id(id).filter(|found| *found != at)).collect());
        }
        let subject = reverts.subject?;
        let plain = subject.rsplit_once(" (#").map_or(subject, |(plain, _)| plain);
        let found = [subject, plain].iter().find_map(|subject| {
            let places = self.by_subject.get(subject)?;
            // Only older commits can be meant; the newest of them that still stands.
            let older = places.partition_point(|place| *place <= at);
            places[older..].iter().copied().find(|place| cancelled_by[*place].is_none())
        });
        Some(vec![found])
    }

    fn id(&self, id: &str) -> Option<usize> {
        let id = &*id.to_ascii_lowercase();
        let start = self.by_id.partition_point(|(known, _)| *known < id);
        let mut matching = self.by_id[start..].iter().take_while(|(known, _)| known.starts_with(id));
        let first = matching.next()?;
        matching.next().is_none().then_some(first.1)
    }
}
