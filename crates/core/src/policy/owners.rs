//! CODEOWNERS: who owns which path, in the two dialects that are in use.
//!
//! GitHub's: the last line that fits decides, a line without owners takes the owners away, and there is neither
//! negation nor a class of characters. GitLab's adds sections, each of which decides by itself: `[name]`, optional as
//! `^[name]`, with a number of approvals as `[name][2]`, with owners for lines that name none, and with lines that
//! begin with `!` and take paths out of the section.

mod line;
mod pattern;
#[cfg(test)]
mod tests;

use line::Line;
use pattern::Pattern;

use crate::problem::{Code, Problem};

/// A dialect.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Dialect {
    /// Without sections.
    GitHub,
    /// With sections.
    GitLab,
}

/// What a file of owners says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Owners {
    dialect: Dialect,
    sections: Vec<Section>,
    problems: Vec<Problem>,
}

/// Lines that decide together.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Section {
    name: String,
    optional: bool,
    count: u32,
    owners: Vec<String>,
    rules: Vec<Rule>,
    excluded: Vec<Pattern>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
struct Rule {
    pattern: Pattern,
    owners: Vec<String>,
}

/// Who owns a path, as one section says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Owned {
    /// The name of the section; empty for lines without one.
    pub section: String,
    /// The owners as written: `@name`, `@group/team` or an address.
    pub owners: Vec<String>,
    /// How many of them must approve, at least 1.
    pub count: u32,
    /// Whether their approval is only a wish.
    pub optional: bool,
}

impl Dialect {
    /// Returns the dialect of a file: by the directory of a forge it stands in, else by whether it has sections.
    pub fn of(path: &str, text: &str) -> Self {
        if path.starts_with(".github/") {
            Self::GitHub
        } else if path.starts_with(".gitlab/") || text.lines().any(|text| line::section(text).is_some()) {
            Self::GitLab
        } else {
            Self::GitHub
        }
    }
}

impl Owners {
    /// Reads a file; `path` is where it stands in the repository.
    ///
    /// A line that cannot be read owns nothing, as on the forges, and is told by [`Owners::problems`].
    pub fn read(text: &str, path: &str) -> Self {
        Self::read_as(Dialect::of(path, text), text, path)
    }

    fn read_as(dialect: Dialect, text: &str, path: &str) -> Self {
        let mut owners = Self { dialect, sections: vec![Section::named("")], problems: vec![] };
        let text = text.strip_prefix('\u{feff}').unwrap_or(text);
        for (index, text) in text.lines().enumerate() {
            if let Err(what) = owners.line(text) {
                let problem = Problem::new(Code::OwnersLine, what).at(format!("{path}:{}", index + 1));
                owners.problems.push(problem.found(crate::version::excerpt(text, 100)));
            }
        }
        owners
    }

    fn line(&mut self, text: &str) -> Result<(), &'static str> {
        if self.dialect == Dialect::GitLab
            && let Some(header) = line::section(text)
        {
            return self.header(header);
        }
        let (pattern, owners, excludes) = match line::read(text, self.dialect)? {
            Line::Blank => return Ok(()),
            Line::Rule { pattern, owners } => (pattern, owners, false),
            Line::Excluded { pattern } => (pattern, vec![], true),
        };
        let pattern = Pattern::new(&pattern, self.dialect)?;
        let section = self.sections.last_mut().expect("a file has the section without a name from the start");
        if excludes {
            section.excluded.push(pattern);
        } else {
            // In a section, a line without owners has those of the section; outside of one it has none.
            let owners = if owners.is_empty() { section.owners.clone() } else { owners };
            section.rules.push(Rule { pattern, owners });
        }
        Ok(())
    }

    /// Begins a section; sections of one name, whatever its case, are one.
    fn header(&mut self, header: line::Header) -> Result<(), &'static str> {
        let same = |section: &Section| section.name.eq_ignore_ascii_case(&header.name);
        let at = self.sections.iter().skip(1).position(same).map(|at| at + 1);
        let fresh = || Section {
            optional: header.optional,
            count: header.count.unwrap_or(1),
            ..Section::named(&header.name)
        };
        let mut section = at.map_or_else(fresh, |at| self.sections.remove(at));
        section.owners = header.owners;
        self.sections.push(section);
        header.flaw.map_or(Ok(()), Err)
    }

    /// Returns the dialect.
    pub fn dialect(&self) -> Dialect {
        self.dialect
    }

    /// Returns what is wrong with the file, in the order of its lines.
    pub fn problems(&self) -> &[Problem] {
        &self.problems
    }

    /// Returns all owners that the file names, each once.
    pub fn named(&self) -> std::collections::BTreeSet<&str> {
        let rules = self.sections.iter().flat_map(|section| &section.rules);
        rules.flat_map(|rule| &rule.owners).map(String::as_str).collect()
    }

    /// Returns who owns a path: one answer of each section that has owners for it.
    pub fn of(&self, path: &[u8]) -> Vec<Owned> {
        let mut owned: Vec<Owned> = self.sections.iter().filter_map(|section| section.of(path)).collect();
        owned.sort_by(|a, b| a.section.cmp(&b.section));
        owned
    }

    /// Returns whose approval some paths need, in the order of the paths: each path once for each approval that a
    /// section wants of its owners. This is what [`super::Landing::owners`] holds.
    pub fn required<'a>(&self, paths: impl IntoIterator<Item = &'a [u8]>) -> Vec<(String, Vec<String>)> {
        let sorted: std::collections::BTreeSet<&[u8]> = paths.into_iter().collect();
        let of = |path: &&'a [u8]| {
            let owned = self.of(path).into_iter().filter(|owned| !owned.optional);
            let name = String::from_utf8_lossy(path).into_owned();
            owned
                .flat_map(|owned| std::iter::repeat_n(owned.owners, owned.count.min(64) as usize))
                .map(move |owners| (name.clone(), owners))
                .collect::<Vec<_>>()
        };
        sorted.iter().flat_map(of).collect()
    }
}

impl Section {
    fn named(name: &str) -> Self {
        let name = name.to_owned();
        Self { name, optional: false, count: 1, owners: vec![], rules: vec![], excluded: vec![] }
    }

    fn of(&self, path: &[u8]) -> Option<Owned> {
        let rule = self.rules.iter().rev().find(|rule| rule.pattern.fits(path))?;
        if rule.owners.is_empty() || self.excluded.iter().any(|pattern| pattern.fits(path)) {
            return None;
        }
        Some(Owned {
            section: self.name.clone(),
            owners: rule.owners.clone(),
            count: self.count,
            optional: self.optional,
        })
    }
}
