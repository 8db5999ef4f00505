//! `shipway lint`: what is wrong with a commit message, all at once, by the same parser that decides the version.

use semver::Version;

use super::commit::{NotConventional, is_blank, parse, uncommented};
use super::header::{self, Flaw, Header};
use super::near::{self, KINDS, Slip};
use super::text::{excerpt, is_foul};
use crate::problem::{Code, Problem};

/// Returns what is wrong with the message in the file that git gives to a `commit-msg` hook.
///
/// Comment lines are ignored; line numbers are those of the file. The default texts of merges, reverts and `fixup!`,
/// `squash!` and `amend!` commits are accepted.
pub fn lint(message: &str) -> Vec<Problem> {
    lint_with(message, &[])
}

/// Returns what [`lint`] returns, and accepts further types, in lower case.
pub fn lint_with(message: &str, more_kinds: &[String]) -> Vec<Problem> {
    let lines: Vec<(usize, &str)> = uncommented(message).collect();
    let texts: Vec<&str> = lines.iter().map(|(_, line)| *line).collect();
    let kept = texts.join("\n");
    let parsed = parse(&kept);
    let mut problems = match &parsed {
        Err(NotConventional::Empty) => return vec![problem("the message is empty").wanted(FORM)],
        Err(NotConventional::Merge | NotConventional::Revert(_) | NotConventional::Autosquash(_)) => vec![],
        Ok(_) | Err(NotConventional::NoType | NotConventional::Flawed(_)) => {
            let title = texts.iter().position(|line| !is_blank(line)).unwrap_or_default();
            let gap = texts.get(title + 1).is_none_or(|line| is_blank(line));
            let mut problems = first_line(texts[title], lines[title].0, more_kinds);
            problems.extend((!gap).then(|| no_gap(lines[title + 1])));
            problems
        }
    };
    if let Ok(commit) = &parsed
        && let Some(text) = commit.release_as()
        && let Err(error) = Version::parse(text)
    {
        let what = format!("`Release-As: {}` is not a semantic version", excerpt(text, 40));
        problems.push(problem(what).found(error.to_string()).wanted("`Release-As: 1.2.3`"));
    }
    for miss in near::find("", &kept, &parsed) {
        if miss.slip != Slip::FirstLine {
            let place = lines.get(miss.line - 1).map_or(miss.line, |(number, _)| *number);
            problems.push(problem(miss.slip.as_str()).at(line(place)).found(miss.seen).wanted(miss.fix));
        }
    }
    problems.extend(foul(&lines));
    problems
}

const FORM: &str = "`type(scope): description`, such as `fix(parser): accept an empty list`";

fn problem(what: impl Into<String>) -> Problem {
    Problem::new(Code::CommitMessage, what)
}

fn line(number: usize) -> String {
    format!("line {number}")
}

fn first_line(text: &str, number: usize, more_kinds: &[String]) -> Vec<Problem> {
    let Some(header) = header::scan(text) else {
        let found = excerpt(text, 100);
        return vec![problem("the first line has no type").at(line(number)).found(found).wanted(FORM)];
    };
    let mut problems: Vec<Problem> = header
        .flaws
        .iter()
        .map(|flaw| {
            problem(flaw.as_str()).at(line(number)).found(excerpt(text, 100)).wanted(repaired(&header, *flaw))
        })
        .collect();
    let kind = &*header.kind;
    if !KINDS.contains(&kind) && !more_kinds.iter().any(|more| more == kind) {
        let shown = excerpt(kind, 40);
        let unknown = problem(format!("type `{shown}` is not known")).at(line(number)).found(shown);
        problems.push(match nearest(kind, more_kinds) {
            Some(near) => unknown.wanted(format!("`{near}`")).hint(format!("did you mean `{near}`?")),
            None => unknown.wanted(KINDS.join(", ")),
        });
    }
    problems
}

fn repaired(header: &Header<'_>, flaw: Flaw) -> String {
    match flaw {
        Flaw::ManyScopes => "one scope, such as `(parser, printer)`".to_owned(),
        Flaw::LeadingSpace
        | Flaw::SpaceInside
        | Flaw::EmptyScope
        | Flaw::ScopeSpace
        | Flaw::MarkBeforeScope
        | Flaw::ManyMarks
        | Flaw::WideColon
        | Flaw::NoSpace
        | Flaw::NoDescription => format!("`{}`", excerpt(&header.repaired(), 100)),
    }
}

fn no_gap((number, text): (usize, &str)) -> Problem {
    problem("no blank line after the first line")
        .at(line(number))
        .found(excerpt(text, 100))
        .wanted("a blank line before the body")
}

/// Returns one problem for all lines with characters that can steer a terminal or hide text.
fn foul(lines: &[(usize, &str)]) -> Option<Problem> {
    let is_foul = |c: char| c != '\t' && is_foul(c);
    let (number, text) = lines.iter().find(|(_, text)| text.trim_end_matches('\r').contains(is_foul))?;
    let at = text.find(is_foul).unwrap_or_default();
    let c = text[at..].chars().next().unwrap_or_default();
    let what = format!("control character U+{:04X} in the message", u32::from(c));
    Some(problem(what).at(line(*number)).found(excerpt(text, 100)).wanted("text without control characters"))
}

/// Returns the type that was meant: a known other word for it, or one slip of the pen away.
fn nearest<'a>(kind: &str, more_kinds: &'a [String]) -> Option<&'a str> {
    const OTHER_WORDS: &[(&str, &[&str])] = &[
        ("feat", &["feature", "features", "add", "added", "new"]),
        ("fix", &["bug", "bugfix", "fixes", "fixed", "hotfix", "patch"]),
        ("perf", &["performance", "optimize", "speed"]),
        ("docs", &["documentation", "readme"]),
        ("test", &["tests", "testing"]),
        ("refactor", &["refactoring", "cleanup"]),
        ("style", &["format", "formatting", "lint"]),
        ("build", &["deps", "dependencies"]),
        ("chore", &["misc", "task", "maintenance", "release"]),
    ];
    let by_word = OTHER_WORDS.iter().find(|(_, words)| words.contains(&kind)).map(|(kind, _)| *kind);
    let all = KINDS.iter().copied().chain(more_kinds.iter().map(String::as_str));
    by_word.or_else(|| all.into_iter().find(|known| one_slip(kind, known)))
}

/// Tells whether one letter added, left out or replaced, or two neighbours swapped, make one word of the other.
fn one_slip(from: &str, to: &str) -> bool {
    let (from, to): (Vec<char>, Vec<char>) = (from.chars().collect(), to.chars().collect());
    if from.len().abs_diff(to.len()) > 1 {
        return false;
    }
    let head = from.iter().zip(&to).take_while(|(a, b)| a == b).count();
    let (from, to) = (&from[head..], &to[head..]);
    let tail = from.iter().rev().zip(to.iter().rev()).take_while(|(a, b)| a == b).count();
    match (&from[..from.len() - tail], &to[..to.len() - tail]) {
        ([_], [_] | []) | ([], [_]) => true,
        ([a, b], [c, d]) => a == d && b == c,
        (_, _) => false,
    }
}
