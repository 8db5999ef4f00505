//! The problems that a decision can meet, each with its evidence and the next command.

use semver::Version;

use super::bump::Bump;
use super::decide::Line;
use super::evidence::Evidence;
use super::near::NearMiss;
use super::text::{excerpt, short};
use crate::problem::{Code, Problem};

/// How many commits a problem lists.
const MOST: usize = 20;

pub(super) fn invalid(text: &str, error: &semver::Error) -> Problem {
    let problem =
        Problem::new(Code::InvalidVersion, format!("`{}` is not a semantic version", excerpt(text, 80)))
            .found(error.to_string())
            .wanted("patch, minor, major or a version such as 1.2.3");
    let bare = text.strip_prefix(['v', 'V']).unwrap_or(text);
    let meant = ["", ".0", ".0.0"].iter().find_map(|rest| Version::parse(&format!("{bare}{rest}")).ok());
    match meant {
        Some(version) => problem.hint(format!("shipway push {version}")),
        None => problem,
    }
}

pub(super) fn release_as(evidence: &Evidence, text: &str, error: &semver::Error) -> Problem {
    let text = excerpt(text, 80);
    Problem::new(Code::InvalidVersion, format!("`Release-As: {text}` is not a semantic version"))
        .at(format!("commit {}", short(&evidence.commit)))
        .found(error.to_string())
        .wanted("a version such as 1.2.3")
        .hint("shipway push minor")
}

pub(super) fn overflow(last: &Version) -> Problem {
    Problem::new(
        Code::InvalidVersion,
        format!("no version can follow {last}: its number is the highest there is"),
    )
}

pub(super) fn bad_suffix(suffix: &str) -> Problem {
    Problem::new(Code::ConfigValue, format!("`{}` makes no valid prerelease", excerpt(suffix, 80)))
        .wanted("letters, digits and hyphens between dots, such as `beta.{n}`")
}

pub(super) fn nothing(line: &Line) -> Problem {
    let last = match (&line.channel, &line.prerelease, &line.last) {
        (Some(_), Some(last), _) => Some(&last.version),
        (Some(_) | None, _, last) => last.as_ref(),
    };
    let since = last.map(|last| format!(" since {last}")).unwrap_or_default();
    Problem::new(Code::NothingToRelease, format!("no commits{since}"))
}

pub(super) fn none_releases(line: &Line, evidence: &[Evidence], warnings: &[Problem]) -> Problem {
    let commits = if evidence.len() == 1 { "commit" } else { "commits" };
    let since = line.last.as_ref().map(|last| format!(" since {last}")).unwrap_or_default();
    Problem::new(
        Code::NothingReleases,
        format!("{} {commits}{since}, none of them releases anything", evidence.len()),
    )
    .details(listed(evidence.iter()))
    .details(warnings.iter().map(|warning| warning.what.clone()))
    .hint("shipway push patch")
}

/// Returns a line for each commit with its rule, twenty at most.
pub(super) fn listed<'a>(evidence: impl ExactSizeIterator<Item = &'a Evidence>) -> Vec<String> {
    let count = evidence.len();
    let mut lines: Vec<String> = evidence
        .take(MOST)
        .map(|e| format!("{} {} · {}", short(&e.commit), excerpt(&e.subject, 72), e.rule.as_str()))
        .collect();
    if count > MOST {
        lines.push(format!("and {} more", count - MOST));
    }
    lines
}

/// Returns the problem of a near miss, which is a warning where it does not stop the release.
pub(super) fn near_miss(miss: &NearMiss, would: Bump, instead: Option<Bump>) -> Problem {
    let commit = short(&miss.commit);
    let place = format!("commit {commit}, line {}", miss.line);
    let problem = Problem::new(
        Code::AmbiguousCommits,
        format!("commit {commit} almost asks for a {would}: {}", miss.slip.as_str()),
    )
    .at(place)
    .found(miss.seen.clone())
    .wanted(miss.fix.clone());
    match instead.unwrap_or(Bump::Patch) {
        same if same == would => problem.hint(format!("shipway push {would}")),
        other => problem
            .hint(format!("if it is a {would}: shipway push {would}"))
            .hint(format!("if it is not: shipway push {other}")),
    }
}

/// Returns at most twenty of the problems; the last one says how many were left out.
pub(super) fn capped(mut problems: Vec<Problem>) -> Vec<Problem> {
    let more = problems.len().saturating_sub(MOST);
    problems.truncate(MOST);
    if more > 0
        && let Some(last) = problems.last_mut()
    {
        last.details.push(format!("and {more} more"));
    }
    problems
}

pub(super) fn not_higher(to: &Version, floor: &Version, next: Option<Version>) -> Problem {
    let what = if to.cmp_precedence(floor).is_eq() {
        format!("{to} is released already")
    } else {
        format!("{to} is not higher than {floor}")
    };
    let problem = Problem::new(Code::VersionNotHigher, what)
        .found(to.to_string())
        .wanted(format!("a version higher than {floor}"));
    hinted(problem, next)
}

pub(super) fn taken(to: &Version, tagged: &Version, line: &Line, next: Option<Version>) -> Problem {
    let (code, place) = if super::number::is_taken(tagged, &line.remote_only) {
        (Code::TagTakenRemote, " on the remote")
    } else {
        (Code::TagTaken, "")
    };
    let what = if to == tagged {
        format!("{to} is tagged already{place}")
    } else {
        format!("{to} comes too late: {tagged} is tagged already{place}")
    };
    hinted(Problem::new(code, what).found(format!("a tag of {tagged}{place}")), next)
}

fn hinted(problem: Problem, next: Option<Version>) -> Problem {
    match next {
        Some(next) => problem.hint(format!("shipway push {next}")),
        None => problem,
    }
}

pub(super) fn out_of_line(to: &Version, line: &Line, evidence: &[Evidence]) -> Problem {
    let range = line.range.as_ref().map(ToString::to_string).unwrap_or_default();
    let highest = evidence.iter().filter_map(|evidence| evidence.bump).max();
    let asking: Vec<_> =
        evidence.iter().filter(|evidence| evidence.bump == highest && highest.is_some()).collect();
    let problem = Problem::new(Code::OutOfLine, format!("{to} does not belong to this branch"))
        .found(to.to_string())
        .wanted(format!("a version in {range}"))
        .details(listed(asking.into_iter()));
    let fits = [Bump::Minor, Bump::Patch].into_iter().find(|bump| {
        let raised = line.last.as_ref().and_then(|last| bump.raise(last));
        raised.is_some_and(|version| super::belongs(&version, line.range.as_ref()))
    });
    match fits {
        Some(bump) => problem.hint(format!("shipway push {bump}")),
        None => problem,
    }
}

pub(super) fn below_asked(chosen: &Version, asked: Bump, evidence: &[Evidence]) -> Problem {
    let asking: Vec<_> = evidence.iter().filter(|evidence| evidence.bump >= Some(asked)).collect();
    Problem::new(Code::AmbiguousCommits, format!("{chosen} is less than the commits ask for: a {asked}"))
        .details(listed(asking.into_iter()))
        .hint(format!("shipway push {asked}"))
}

pub(super) fn final_on_channel(to: &Version, channel: &str) -> Problem {
    Problem::new(Code::OutOfLine, format!("{to} is a final version on channel {channel}"))
}

pub(super) fn higher_elsewhere(to: &Version, higher: &Version) -> Problem {
    Problem::new(Code::OutOfLine, format!("{to} is lower than {higher}, which is tagged outside this branch"))
}
