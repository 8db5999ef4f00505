//! Files and functions stay small. Inline test modules have a budget of their own.

use crate::mask::{closing, identifier, words};
use crate::repository::{Repository, Source};
use crate::tidy::Finding;

/// A budget: above the first number advice, above the second refusal.
struct Budget(usize, usize);

const FILE: Budget = Budget(300, 600);
const FUNCTION: Budget = Budget(40, 80);

pub(super) fn look(repository: &Repository) -> Vec<Finding> {
    let mut found: Vec<Finding> = repository.rust().flat_map(file).collect();
    let mut long: Vec<(usize, String)> = vec![];
    for source in repository.rust() {
        for (offset, name, lines) in functions(&source.code) {
            let place = source.place(offset);
            if lines > FUNCTION.1 {
                let what = format!("function `{name}` has {lines} lines, and {} are allowed", FUNCTION.1);
                found.push(Finding::refused(place, what));
            } else if lines > FUNCTION.0 {
                long.push((lines, format!("`{name}` at {place}")));
            }
        }
    }
    if let Some((lines, longest)) = long.iter().max() {
        let what = format!("{} have more than {} lines; {longest} has {lines}", long.len(), FUNCTION.0);
        found.push(Finding::advice("functions", what));
    }
    found
}

fn file(source: &Source) -> Vec<Finding> {
    let text = source.text.as_deref().unwrap_or_default();
    let in_tests: usize = source.tests.iter().map(|range| lines(&text[range.clone()])).sum();
    let product = lines(text).saturating_sub(in_tests);
    [("the file", product), ("its test module", in_tests)]
        .into_iter()
        .filter_map(|(what, lines)| within(&FILE, source, what, lines))
        .collect()
}

fn within(budget: &Budget, source: &Source, what: &str, lines: usize) -> Option<Finding> {
    if lines > budget.1 {
        Some(Finding::refused(
            &source.path,
            format!("{what} has {lines} lines, and {} are allowed", budget.1),
        ))
    } else if lines > budget.0 {
        Some(Finding::advice(&source.path, format!("{what} has {lines} lines; aim for {}", budget.0)))
    } else {
        None
    }
}

fn lines(text: &str) -> usize {
    text.lines().count()
}

/// Returns offset, name and lines of every function with a body, from its `fn` to its closing brace.
fn functions(code: &str) -> Vec<(usize, &str, usize)> {
    let measured = words(code, "fn").filter_map(|offset| {
        let rest = code[offset + 2..].trim_start().trim_start_matches('$');
        let name = Some(identifier(rest)).filter(|name| !name.is_empty())?;
        let end = closing(code, body(code, offset)?)?;
        Some((offset, name, lines(&code[offset..=end])))
    });
    measured.collect()
}

/// Returns the offset of the brace that opens the body of the function at `offset`, if it has one.
fn body(code: &str, offset: usize) -> Option<usize> {
    let mut depth = 0_usize;
    for (at, byte) in code.bytes().enumerate().skip(offset) {
        match byte {
            b'(' | b'[' => depth += 1,
            b')' | b']' => depth = depth.checked_sub(1)?,
            b';' if depth == 0 => return None,
            b'{' if depth == 0 => return Some(at),
            _ => {}
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tidy::Severity;

    fn check(text: &str, expected: &[(Severity, &str)]) {
        let repository = Repository::of(&[("crates/core/src/a.rs", text)]);
        let found = look(&repository);
        assert_eq!(found.len(), expected.len(), "{found:?}");
        for (finding, (severity, what)) in found.iter().zip(expected) {
            assert_eq!(finding.severity, *severity);
            assert!(finding.what.contains(what), "{finding:?}");
        }
    }

    fn function(lines: usize) -> String {
        format!("fn long() {{\n{}}}\n", "    // }\n".repeat(lines - 2))
    }

    #[test]
    fn files_are_counted() {
        check(&"\n".repeat(300), &[]);
        check(&"\n".repeat(301), &[(Severity::Advice, "the file has 301 lines")]);
        check(&"\n".repeat(600), &[(Severity::Advice, "600")]);
        check(&"\n".repeat(601), &[(Severity::Refused, "the file has 601 lines")]);
    }

    #[test]
    fn test_modules_have_their_own_budget() {
        let tests = |lines: usize| format!("#[cfg(test)]\nmod tests {{\n{}}}\n", "\n".repeat(lines - 3));
        check(&format!("{}{}", "\n".repeat(300), tests(300)), &[]);
        check(&tests(301), &[(Severity::Advice, "its test module has 301 lines")]);
        check(&tests(601), &[(Severity::Refused, "its test module has 601 lines")]);
    }

    #[test]
    fn functions_are_counted_with_their_signature_and_brace() {
        check(&function(40), &[]);
        check(&function(41), &[(Severity::Advice, "1 have more than 40 lines")]);
        check(&function(80), &[(Severity::Advice, "has 80")]);
        check(&function(81), &[(Severity::Refused, "function `long` has 81 lines")]);
    }

    #[test]
    fn only_functions_with_a_body_are_measured() {
        let names = |code| functions(code).into_iter().map(|found| found.1).collect::<Vec<_>>();
        assert_eq!(names("fn a(x: [u8; 4]) -> [u8; 2] { x }"), ["a"]);
        assert_eq!(names("trait T { fn b(&self); fn c(&self) {} }"), ["c"]);
        assert!(names("type F = fn(u8) -> u8; struct S { f: fn() }").is_empty());
        assert_eq!(names("macro_rules! m { () => { fn $name() {} } }"), ["name"]);
    }
}
