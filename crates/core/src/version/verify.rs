//! A candidate version against its line, all tags, and the near misses.

use semver::Version;

use super::bump::{Bump, final_of};
use super::decide::{Ask, Candidate, Decision, Line, OnNearMiss, Rules, base, below_1, fresh};
use super::evidence::{Evidence, Weighed};
use super::number::{belongs, is_taken, next_free};
use super::refuse;
use crate::problem::Problem;

/// Returns the near misses that stop the release, and those that are only shown.
///
/// One stops only if it would have raised the version further than the commits do, and nobody chose the version.
/// Before a first release there are none, because nothing was promised that could break.
pub(super) fn near_misses(
    candidate: Option<&Candidate>,
    line: &Line,
    weighed: &Weighed,
    rules: &Rules,
) -> (Vec<Problem>, Vec<Problem>) {
    if line.last.is_none() {
        return (vec![], vec![]);
    }
    let fresh = fresh(line, weighed.evidence.len());
    let asked = candidate.and_then(|candidate| candidate.asked);
    let chosen = candidate.is_some_and(|candidate| candidate.chosen);
    let (mut stops, mut warnings) = (vec![], vec![]);
    for (_, miss) in weighed.near.iter().filter(|(at, _)| *at < fresh) {
        let would = below_1(miss.would, line, rules);
        let problem = refuse::near_miss(miss, would, asked);
        match rules.ambiguous {
            OnNearMiss::Stop if !chosen && Some(would) > asked => stops.push(problem),
            OnNearMiss::Stop | OnNearMiss::Warn => warnings.push(problem),
        }
    }
    (refuse::capped(stops), refuse::capped(warnings))
}

/// Returns the decision, or all that is wrong with the candidate.
pub(super) fn settle(
    ask: &Ask,
    line: &Line,
    candidate: &Candidate,
    evidence: Vec<Evidence>,
    mut warnings: Vec<Problem>,
) -> Result<Decision, Vec<Problem>> {
    let (to, why) = numbered(ask, line, candidate)?;
    let from = floor(line).cloned();
    let mut problems = vec![];
    if let Some(floor) = &from
        && to.cmp_precedence(floor).is_le()
    {
        problems.push(refuse::not_higher(&to, floor, free(line, &to)));
    }
    if !belongs(&to, line.range.as_ref()) {
        problems.push(refuse::out_of_line(&to, line, &evidence));
    }
    // A version that cannot be released here anyway may well be released elsewhere.
    if problems.is_empty()
        && let Some(tagged) = tagged(&to, line)
    {
        problems.push(refuse::taken(&to, &tagged, line, free(line, &to)));
    }
    if !problems.is_empty() {
        return Err(problems);
    }
    warnings.extend(doubts(&to, line, candidate, &evidence));
    let bump = from.as_ref().and_then(|from| Bump::between(from, &to));
    Ok(Decision { from, to, bump, why, evidence, warnings })
}

/// Returns the version with the counter of its channel.
fn numbered(ask: &Ask, line: &Line, candidate: &Candidate) -> Result<(Version, String), Vec<Problem>> {
    let exact = matches!(ask, Ask::Exact(_)) || !candidate.version.pre.is_empty();
    let Some(channel) = line.channel.as_ref().filter(|_| !exact) else {
        return Ok((candidate.version.clone(), candidate.why.clone()));
    };
    let to = channel.next(&base(line, &candidate.version), &line.taken);
    let to = to.ok_or_else(|| vec![refuse::bad_suffix(&channel.suffix)])?;
    Ok((to, format!("{}, channel {}", candidate.why, channel.name)))
}

/// Returns the version that the next one must be higher than.
fn floor(line: &Line) -> Option<&Version> {
    let prerelease = line.prerelease.as_ref().filter(|_| line.channel.is_some()).map(|last| &last.version);
    line.last.as_ref().max(prerelease)
}

/// Returns the tagged version that stands in the way: the same one, or the final one that a prerelease leads to.
fn tagged(to: &Version, line: &Line) -> Option<Version> {
    if is_taken(to, &line.taken) {
        return Some(to.clone());
    }
    let released = final_of(to);
    (!to.pre.is_empty() && is_taken(&released, &line.taken)).then_some(released)
}

/// Returns the next free version that would be accepted in place of the given one.
fn free(line: &Line, to: &Version) -> Option<Version> {
    let above = floor(line).and_then(|floor| Bump::Patch.raise(floor));
    let start = above.into_iter().chain([final_of(to)]).max()?;
    let free = next_free(&start, &line.taken).filter(|free| belongs(free, line.range.as_ref()))?;
    match &line.channel {
        Some(channel) => channel.next(&free, &line.taken),
        None => Some(free),
    }
}

fn doubts(to: &Version, line: &Line, candidate: &Candidate, evidence: &[Evidence]) -> Vec<Problem> {
    let mut doubts = vec![];
    if let (Some(last), Some(asked)) = (&line.last, candidate.asked)
        && asked.raise(last).is_some_and(|wanted| final_of(to) < wanted)
    {
        doubts.push(refuse::below_asked(to, asked, evidence));
    }
    if let Some(channel) = &line.channel
        && to.pre.is_empty()
    {
        doubts.push(refuse::final_on_channel(to, &channel.name));
    }
    let highest = line.taken.iter().rev().find(|version| version.pre.is_empty());
    if let Some(higher) = highest.filter(|higher| *higher > to)
        && line.range.is_none()
    {
        doubts.push(refuse::higher_elsewhere(to, higher));
    }
    doubts
}
