//! Checks what the compiler and clippy cannot. A check only looks at the repository and returns findings.

mod book;
mod budgets;
mod commands;
mod errors;
mod hands;
mod imports;
mod packages;
mod pages;
mod text;
mod vocabulary;

use std::io::{self, Write};

use crate::repository::Repository;

/// How much a finding weighs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Severity {
    /// The repository is not tidy.
    Refused,
    /// Worth knowing; it is tidy all the same.
    Advice,
}

/// One thing that a check saw.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Finding {
    severity: Severity,
    place: String,
    what: String,
}

impl Finding {
    fn refused(place: impl Into<String>, what: impl Into<String>) -> Self {
        Self { severity: Severity::Refused, place: place.into(), what: what.into() }
    }

    fn advice(place: impl Into<String>, what: impl Into<String>) -> Self {
        Self { severity: Severity::Advice, place: place.into(), what: what.into() }
    }
}

type Look = fn(&Repository) -> Vec<Finding>;

const CHECKS: &[(&str, Look)] = &[
    ("imports", imports::look),
    ("budgets", budgets::look),
    ("vocabulary", vocabulary::look),
    ("errors", errors::look),
    ("pages", pages::look),
    ("book", book::look),
    ("commands", commands::look),
    ("text", text::look),
    ("hands", hands::look),
    ("packages", packages::look),
];

/// Runs all checks and writes what they found; returns whether nothing was refused.
pub(crate) fn run(repository: &Repository, out: &mut impl Write) -> io::Result<bool> {
    let (mut refused, mut advice) = (0, 0);
    for (name, look) in CHECKS {
        for finding in look(repository) {
            let word = match finding.severity {
                Severity::Refused => "refused",
                Severity::Advice => "advice ",
            };
            refused += usize::from(finding.severity == Severity::Refused);
            advice += usize::from(finding.severity == Severity::Advice);
            writeln!(out, "{word}  {}: {} [{name}]", finding.place, finding.what)?;
        }
    }
    let (checks, files) = (CHECKS.len(), repository.sources.len());
    writeln!(out, "tidy: {checks} checks on {files} files, {refused} refused, {advice} advised")?;
    Ok(refused == 0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_refused_finding_fails_and_is_shown_with_its_place_and_check() {
        let repository = Repository::of(&[("a.md", "no line feed at the end")]);
        let mut out = vec![];
        assert!(!run(&repository, &mut out).unwrap());
        let out = String::from_utf8(out).unwrap();
        assert!(out.contains("refused  a.md: the last line has no line feed [text]\n"), "{out}");
        assert!(out.contains("tidy: 10 checks on 1 files, "), "{out}");
    }
}
