//! `why`: the evidence of the next version, of a version, or of a commit.

use std::borrow::Cow;

use shipway_core::problem::{Code, Problem};
use shipway_core::version::{self, Ask, Bump, Commit, Conventional, Evidence, near_misses};
use shipway_world::facts;

use super::{DONE, End};
use crate::prepare::{self, line};
use crate::session::Session;
use crate::view::{Why, why};

/// Explains the next version, or the version or commit that is named.
pub fn run(session: &Session<'_>, what: Option<&str>) -> End {
    let seen = prepare::glance(session)?;
    let Some(what) = what else {
        let (decision, _) = line::decide(session, &seen, &Ask::Auto)?;
        session.view.why(&Why {
            project: seen.name(),
            subject: None,
            from: decision.from.as_ref().map(ToString::to_string),
            to: Some(decision.to.to_string()),
            why: decision.why,
            commits: rows(&decision.evidence),
            warnings: decision.warnings,
        });
        return Ok(DONE);
    };
    let why = match tag(&seen, what) {
        Some(tag) => of_tag(session, &seen, &tag),
        None => of_commit(session, &seen, what),
    };
    session.view.why(&why.map_err(|problem| vec![problem])?);
    Ok(DONE)
}

fn rows(evidence: &[Evidence]) -> Vec<why::Commit> {
    let row = |one: &Evidence| why::Commit {
        commit: one.commit.clone(),
        kind: one.kind.as_ref().map(|kind| format!("{kind}{}", if one.breaking { "!" } else { "" })),
        subject: version::parse(&one.subject)
            .map_or_else(|_| one.subject.clone(), |parsed| described(&parsed)),
        rule: match &one.cancelled_by {
            Some(by) => format!("{} ({})", one.rule.as_str(), version::short(by)),
            None => one.rule.as_str().to_owned(),
        },
        bump: one.bump.map(|bump| bump.as_str().to_owned()),
    };
    evidence.iter().map(row).collect()
}

/// Returns the description of a commit, with its scope in front.
fn described(commit: &Conventional<'_>) -> String {
    let scope = commit.scope.map(|scope| format!("{scope}: ")).unwrap_or_default();
    format!("{scope}{}", commit.description)
}

/// Returns the tag that a tag name or a version stands for, if there is one.
fn tag(seen: &prepare::Seen<'_>, what: &str) -> Option<String> {
    let rendered = what.parse().ok().map(|version| seen.format.render(&version));
    [Some(what.to_owned()), rendered].into_iter().flatten().find(|tag| seen.facts.tags.contains_key(tag))
}

fn of_tag(session: &Session<'_>, seen: &prepare::Seen<'_>, tag: &str) -> Result<Why, Problem> {
    let released = seen.format.parse(tag);
    let before = |name: &String| {
        let version = seen.format.parse(name)?;
        let earlier = version.pre.is_empty() && released.as_ref().is_some_and(|released| version < *released);
        earlier.then_some(version)
    };
    let mut bases: Vec<_> =
        seen.facts.tags.iter().filter_map(|(name, at)| Some((before(name)?, name, at))).collect();
    bases.sort_by(|a, b| b.0.cmp(&a.0));
    let candidates: Vec<(String, String)> =
        bases.iter().map(|(_, name, at)| ((*name).clone(), at.commit.clone())).collect();
    let commit = &seen.facts.tags[tag].commit;
    let mut commits = vec![];
    let mut each =
        |id: &str, message: Cow<'_, str>| commits.push(Commit { id: id.into(), message: message.into() });
    let base = facts::line(session.git(), commit, &candidates, &mut each)?;
    let evidence = version::evidence(&commits);
    Ok(Why {
        project: seen.name(),
        subject: None,
        from: base.map(|at| bases[at].0.to_string()),
        to: Some(released.map_or_else(|| tag.to_owned(), |version| version.to_string())),
        why: summary(&evidence),
        commits: rows(&evidence),
        warnings: vec![],
    })
}

fn of_commit(session: &Session<'_>, seen: &prepare::Seen<'_>, what: &str) -> Result<Why, Problem> {
    let id = session.git().resolve(&format!("{what}^{{commit}}"))?.ok_or_else(|| {
        Problem::new(Code::Usage, format!("`{what}` is neither a version, a tag nor a commit"))
            .hint("explain the next version: shipway why")
    })?;
    let mut commits = vec![];
    let mut each =
        |id: &str, message: Cow<'_, str>| commits.push(Commit { id: id.into(), message: message.into() });
    facts::commits(session.git(), &format!("{id}^!"), &mut each)?;
    let evidence = version::evidence(&commits);
    let near = commits.iter().flat_map(|commit| near_misses(&commit.id, &commit.message));
    let warnings = near.map(|miss| {
        Problem::new(
            Code::AmbiguousCommits,
            format!("{} ({})", miss.slip.as_str(), version::short(&miss.commit)),
        )
        .found(miss.seen)
        .wanted(miss.fix)
    });
    Ok(Why {
        project: seen.name(),
        subject: Some(format!("commit {}", version::short(&id))),
        from: None,
        to: None,
        why: summary(&evidence),
        commits: rows(&evidence),
        warnings: warnings.collect(),
    })
}

fn summary(evidence: &[Evidence]) -> String {
    let bump = evidence.iter().filter_map(|one| one.bump).max();
    let asked = bump.map_or("nothing", Bump::as_str);
    match evidence.len() {
        1 => format!("1 commit asks for {asked}"),
        count => format!("{count} commits ask for {asked}"),
    }
}
