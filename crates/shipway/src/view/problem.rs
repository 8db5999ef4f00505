//! Problems on screen: what, where, found, wanted, and what to do next; all of them at once.

use std::borrow::Cow;

use shipway_core::problem::Problem;

use super::paint::{Ink, Paint};
use super::text;

/// More details than this are cut at their beginning, because the last lines say what went wrong.
const DETAILS: usize = 100;
/// Longer lines of details are cut at their end.
const DETAIL_WIDTH: usize = 400;

/// Whether a problem stops the command.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Level {
    /// It does.
    Error,
    /// Not yet: it is waited for.
    Waiting,
    /// Worth knowing; the command goes on.
    Warning,
}

impl Level {
    /// Returns the word on screen and in JSON.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Error => "error",
            Self::Waiting => "waiting",
            Self::Warning => "warning",
        }
    }

    fn ink(self) -> Ink {
        match self {
            Self::Error => Ink::Bad,
            Self::Waiting | Self::Warning => Ink::Care,
        }
    }
}

/// Returns problems with a blank line between them, and how many there are if there are several.
pub fn list(level: Level, problems: &[Problem], paint: Paint) -> String {
    let mut out = problems.iter().map(|problem| one(level, problem, paint)).collect::<Vec<_>>().join("\n");
    if problems.len() > 1 {
        let noun = match level {
            Level::Error => "problem",
            Level::Waiting => "reason",
            Level::Warning => "warning",
        };
        out.push('\n');
        let to = if level == Level::Waiting { " to wait" } else { "" };
        out.push_str(&paint.ink(Ink::Strong, &(text::count(problems.len(), noun) + to)));
        out.push('\n');
    }
    out
}

/// Returns one problem.
pub fn one(level: Level, problem: &Problem, paint: Paint) -> String {
    let head = paint.ink(level.ink(), &format!("{}[{}]", level.as_str(), problem.code));
    let mut out = format!("{head}: {}\n", paint.ink(Ink::Strong, &problem.what));
    let facts = facts(problem);
    for (index, (label, value)) in facts.iter().enumerate() {
        let last = index + 1 == facts.len();
        let (branch, stem) = if last { ('└', ' ') } else { ('├', '│') };
        let mut lines = text::lines(value);
        let first = lines.next().unwrap_or_default();
        let label = paint.ink(Ink::Faint, &format!("{branch} {label:<6}"));
        out.push_str(format!("  {label}  {}", paint.plain(&first)).trim_end());
        out.push('\n');
        for line in lines {
            let stem = if stem == ' ' { "        ".into() } else { paint.ink(Ink::Faint, "│       ") };
            out.push_str(format!("  {stem}  {}", paint.plain(&line)).trim_end());
            out.push('\n');
        }
    }
    out.push_str(&quote(&problem.details, paint));
    for (index, hint) in hints(level, problem).iter().enumerate() {
        let space = if index == 0 { "\n" } else { "" };
        text::put(&mut out, format_args!("{space}{}: {}\n", paint.ink(Ink::Hint, "hint"), paint.plain(hint)));
    }
    out
}

/// Returns what to do next; where an error does not say so itself, its page does.
fn hints(level: Level, problem: &Problem) -> Cow<'_, [String]> {
    if problem.hints.is_empty() && level == Level::Error {
        return vec![format!("what it means and what to do: shipway explain {}", problem.code)].into();
    }
    problem.hints.as_slice().into()
}

/// Returns lines as a quotation: what others wrote, marked on every line.
pub fn quote(lines: &[String], paint: Paint) -> String {
    let lines: Vec<String> = lines.iter().flat_map(|line| text::lines(line)).collect();
    let hidden = lines.len().saturating_sub(DETAILS);
    let mut out = String::new();
    let mut add = |line: &str| {
        let quoted = format!("    {} {}", paint.ink(Ink::Faint, "│"), paint.plain(line));
        out.push_str(quoted.trim_end());
        out.push('\n');
    };
    if hidden > 0 {
        add(&format!("… {} above", text::count(hidden, "line")));
    }
    for line in &lines[hidden..] {
        add(&text::fit(line, DETAIL_WIDTH));
    }
    out
}

/// Returns what is known beyond the first line, each with its label.
fn facts(problem: &Problem) -> Vec<(&str, &str)> {
    let mut facts = vec![];
    if let Some(place) = &problem.place {
        let named = ["step", "run"].iter().find_map(|label| {
            let rest = place.strip_prefix(label)?.strip_prefix(' ')?;
            Some((*label, rest))
        });
        facts.push(named.unwrap_or(("at", place)));
    }
    facts.extend(problem.found.as_deref().map(|found| ("found", found)));
    facts.extend(problem.wanted.as_deref().map(|wanted| ("wanted", wanted)));
    facts
}

#[cfg(test)]
mod tests {
    use shipway_core::problem::Code;

    use super::*;

    fn tag() -> Problem {
        Problem::new(Code::TagTakenRemote, "tag v1.4.0 exists on origin and is not ours")
            .at("step publish/tag, run 7f3a12cd")
            .found("v1.4.0 → 9c2e1d0 (jane, 3 days ago)")
            .wanted("v1.4.0 → 4b81aa7")
            .hint("release as v1.4.1: shipway push patch")
            .hint("see the tag: git show v1.4.0")
    }

    fn check(level: Level, problems: &[Problem], expect: &str) {
        assert_eq!(list(level, problems, Paint::new(false)), expect);
    }

    #[test]
    fn a_problem_says_what_where_found_wanted_and_what_next() {
        let expect = "\
error[SW0304]: tag v1.4.0 exists on origin and is not ours
  ├ step    publish/tag, run 7f3a12cd
  ├ found   v1.4.0 → 9c2e1d0 (jane, 3 days ago)
  └ wanted  v1.4.0 → 4b81aa7

hint: release as v1.4.1: shipway push patch
hint: see the tag: git show v1.4.0
";
        check(Level::Error, &[tag()], expect);
    }

    #[test]
    fn all_problems_come_at_once_with_their_number() {
        let dirty = Problem::new(Code::DirtyTree, "2 files are changed").details(["src/a b.rs", "größe.txt"]);
        let config =
            Problem::new(Code::ConfigType, "`checks` is text").at("shipway.toml:3:7").wanted("a\nlist");
        let expect = "\
error[SW0106]: 2 files are changed
    │ src/a b.rs
    │ größe.txt

hint: what it means and what to do: shipway explain SW0106

error[SW0203]: `checks` is text
  ├ at      shipway.toml:3:7
  └ wanted  a
            list

hint: what it means and what to do: shipway explain SW0203

2 problems
";
        check(Level::Error, &[dirty, config], expect);
    }

    #[test]
    fn a_warning_is_called_one() {
        let warning =
            Problem::new(Code::AmbiguousCommits, "`feat:x` has no space").found("one\ntwo").wanted("");
        let expect = "\
warning[SW0306]: `feat:x` has no space
  ├ found   one
  │         two
  └ wanted
";
        check(Level::Warning, &[warning], expect);
    }

    #[test]
    fn the_text_of_strangers_steers_nothing() {
        let hook = Problem::new(Code::HookRefused, "hook \x1b[2J refused\nerror[SW0000]: forged")
            .found("\x1b]0;owned\x07")
            .details(["\x1b[31mno\x1b[0m\n\tbecause\rhidden"])
            .hint("look\x08");
        let expect = "\
error[SW0603]: hook ␛[2J refused error[SW0000]: forged
  └ found   ␛]0;owned␇
    │ ␛[31mno␛[0m
    │     because hidden

hint: look␈
";
        check(Level::Error, &[hook], expect);
    }

    #[test]
    fn long_details_keep_their_end() {
        let problem =
            Problem::new(Code::CheckFailed, "check test failed").details((0..250).map(|n| n.to_string()));
        let text = one(Level::Error, &problem, Paint::new(false));
        assert_eq!(text.lines().nth(1), Some("    │ … 150 lines above"));
        assert_eq!(text.lines().nth(101), Some("    │ 249"));
        assert_eq!(text.lines().nth(103), Some("hint: what it means and what to do: shipway explain SW0501"));
        assert_eq!(text.lines().count(), 104);
    }

    #[test]
    fn colour_adds_and_carries_nothing() {
        let painted = one(Level::Error, &tag(), Paint::new(true));
        assert!(painted.starts_with("\x1b[1;31merror[SW0304]\x1b[0m: \x1b[1mtag v1.4.0"), "{painted}");
        let mut plain = painted;
        for code in ["\x1b[1;31m", "\x1b[1m", "\x1b[2m", "\x1b[36m", "\x1b[0m"] {
            plain = plain.replace(code, "");
        }
        assert_eq!(plain, one(Level::Error, &tag(), Paint::new(false)));
    }
}
