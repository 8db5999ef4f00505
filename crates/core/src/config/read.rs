//! From text to values: walks the file along the table of keys and collects every problem on the way.

use std::collections::BTreeMap;
use std::ops::Range;

use toml::Spanned;
use toml::de::{DeTable, DeValue};

use super::form::quoted;
use super::keys::{Absent, Key, Section, Shape};
use super::place::{Problems, Source, plain, shown};
use super::suggest;
use super::value::{Value, mismatch};
use crate::problem::{Code, Problem};

/// What was found in a table of the file, with the defaults of its other keys.
#[derive(Debug)]
pub(crate) struct Found {
    /// The table's path, such as `release.channel.beta`.
    pub(crate) path: String,
    /// The name, where tables of this kind have one.
    pub(crate) label: String,
    /// The table's header.
    pub(crate) span: Range<usize>,
    /// The keys whose values could be read, each with the span of its value where the file has it.
    values: BTreeMap<&'static str, (Option<Range<usize>>, Value)>,
    /// The tables inside it.
    sections: Vec<(&'static str, Found)>,
}

impl Found {
    /// Returns the value of a key.
    pub(crate) fn value(&self, key: &str) -> Option<&Value> {
        self.values.get(key).map(|(_, value)| value)
    }

    /// Returns the value of a key that the file itself has.
    pub(crate) fn given(&self, key: &str) -> Option<&Value> {
        self.values.get(key).filter(|(span, _)| span.is_some()).map(|(_, value)| value)
    }

    /// Returns where the value of a key stands; the header where the file does not have it.
    pub(crate) fn span_of(&self, key: &str) -> Range<usize> {
        self.values.get(key).and_then(|(span, _)| span.clone()).unwrap_or_else(|| self.span.clone())
    }

    /// Returns the tables of a name, in the order of the file or, where they have names, of these.
    pub(crate) fn sections<'a>(&'a self, name: &'a str) -> impl Iterator<Item = &'a Self> {
        self.sections.iter().filter(move |(of, _)| *of == name).map(|(_, found)| found)
    }

    /// Adds the place of each key of the file to `places`, tables inside included.
    pub(crate) fn places(&self, source: Source<'_>, places: &mut BTreeMap<String, String>) {
        for (name, (span, _)) in &self.values {
            if let Some(span) = span {
                places.insert(join(&self.path, name), source.place(span.start));
            }
        }
        for (_, section) in &self.sections {
            section.places(source, places);
        }
    }
}

/// Reads a whole file along its table of keys, or returns nothing if it is no TOML.
pub(crate) fn document(
    source: Source<'_>,
    root: &'static Section,
    problems: &mut Problems<'_>,
) -> Option<Found> {
    let (table, errors) = DeTable::parse_recoverable(source.text);
    for error in &errors {
        let span = error.span().unwrap_or(0..0);
        problems.add(&span, Problem::new(Code::ConfigSyntax, shown(error.message())));
    }
    if !errors.is_empty() {
        return None;
    }
    let mut reader = Reader { root, problems };
    Some(reader.table(root, table.get_ref(), String::new(), 0..0))
}

struct Reader<'p, 's> {
    root: &'static Section,
    problems: &'p mut Problems<'s>,
}

impl Reader<'_, '_> {
    fn table(
        &mut self,
        section: &'static Section,
        table: &DeTable<'_>,
        path: String,
        span: Range<usize>,
    ) -> Found {
        let mut found = Found { label: String::new(), span, values: BTreeMap::new(), sections: vec![], path };
        for (name, value) in table {
            if let Some(key) = section.keys.iter().find(|key| key.name == name.get_ref()) {
                self.key(key, value, &mut found);
            } else if let Some(inner) = section.sections.iter().find(|s| s.name == name.get_ref()) {
                self.inner(inner, value, &mut found);
            } else {
                self.problems.add(&name.span(), unknown(self.root, section, &found.path, name.get_ref()));
            }
        }
        self.absent(section, table, &mut found);
        found
    }

    fn key(&mut self, key: &'static Key, value: &Spanned<DeValue<'_>>, found: &mut Found) {
        match key.of.read(&join(&found.path, key.name), value) {
            Ok(read) => {
                found.values.insert(key.name, (Some(value.span()), read));
            }
            Err(bad) => bad.into_iter().for_each(|(span, problem)| self.problems.add(&span, problem)),
        }
    }

    fn inner(&mut self, inner: &'static Section, value: &Spanned<DeValue<'_>>, found: &mut Found) {
        let path = join(&found.path, inner.name);
        match (inner.shape, value.get_ref()) {
            (Shape::One, DeValue::Table(table)) => {
                let section = self.table(inner, table, path, value.span());
                found.sections.push((inner.name, section));
            }
            (Shape::Named, DeValue::Table(tables)) => self.named(inner, tables, &path, found),
            (Shape::Many, DeValue::Array(items)) => {
                for (index, item) in items.iter().enumerate() {
                    let path = format!("{path}[{index}]");
                    if let DeValue::Table(table) = item.get_ref() {
                        let section = self.table(inner, table, path, item.span());
                        found.sections.push((inner.name, section));
                    } else {
                        self.problems.add(&item.span(), mismatch(&path, item.get_ref(), "table"));
                    }
                }
            }
            (shape, other) => {
                let header = header(shape, &path);
                let problem = mismatch(&path, other, &format!("table: {header}"));
                self.problems
                    .add(&value.span(), problem.hint(format!("write {header} on a line of its own")));
            }
        }
    }

    fn named(&mut self, inner: &'static Section, tables: &DeTable<'_>, path: &str, found: &mut Found) {
        for (name, value) in tables {
            let path = format!("{path}.{}", label(name.get_ref()));
            if name.get_ref().is_empty() || !plain(name.get_ref()) {
                let problem =
                    Problem::new(Code::ConfigValue, format!("`{path}` has a name that cannot be used"));
                self.problems.add(&name.span(), problem.wanted("text"));
            } else if let DeValue::Table(table) = value.get_ref() {
                let mut section = self.table(inner, table, path, value.span());
                section.label = name.get_ref().to_string();
                found.sections.push((inner.name, section));
            } else {
                self.problems.add(&value.span(), mismatch(&path, value.get_ref(), "table"));
            }
        }
    }

    /// Fills in what the file does not say, and misses what it must.
    fn absent(&mut self, section: &'static Section, table: &DeTable<'_>, found: &mut Found) {
        for key in section.keys.iter().filter(|key| !table.contains_key(key.name)) {
            match key.default {
                Absent::Detected(_) => {}
                Absent::Value(text) => {
                    found.values.insert(key.name, (None, default(key, text)));
                }
                Absent::Required => {
                    let what = format!("`{}` has no `{}`", found.path, key.name);
                    let problem = Problem::new(Code::ConfigValue, what).wanted(key.of.name());
                    self.problems.add(&found.span, problem);
                }
            }
        }
        let absent = |inner: &&Section| inner.shape == Shape::One && !table.contains_key(inner.name);
        for inner in section.sections.iter().filter(absent) {
            let path = join(&found.path, inner.name);
            found.sections.push((inner.name, self.table(inner, &DeTable::new(), path, 0..0)));
        }
    }
}

fn default(key: &Key, text: &str) -> Value {
    let value = DeValue::parse(text).expect("every default in the table of keys is TOML");
    key.of.read(key.name, &value).expect("every default in the table of keys fits its own key")
}

fn unknown(root: &Section, section: &Section, path: &str, name: &str) -> Problem {
    let known: Vec<&str> =
        section.keys.iter().map(|key| key.name).chain(section.sections.iter().map(|s| s.name)).collect();
    let place = if path.is_empty() { root.name.to_owned() } else { format!("[{path}]") };
    let problem = Problem::new(Code::ConfigUnknownKey, format!("`{}` is not a key of {place}", shown(name)));
    if let Some(near) = suggest::nearest(name, known.iter().copied()) {
        return problem.hint(format!("did you mean `{near}`?"));
    }
    match elsewhere(root, "", name) {
        Some(home) if home != path => problem.hint(format!("`{name}` is a key of {home}")),
        _ => problem.wanted(format!("one of {}", quoted(&known))),
    }
}

/// Returns the header of the first table that has a key of this name.
fn elsewhere(section: &Section, path: &str, name: &str) -> Option<String> {
    if !path.is_empty() && section.keys.iter().any(|key| key.name == name) {
        return Some(header(section.shape, path));
    }
    section.sections.iter().find_map(|inner| elsewhere(inner, &join(path, inner.name), name))
}

/// Returns the header of a table as the file writes it.
pub(crate) fn header(shape: Shape, path: &str) -> String {
    match shape {
        Shape::One => format!("[{path}]"),
        Shape::Named => format!("[{path}.NAME]"),
        Shape::Many => format!("[[{path}]]"),
    }
}

/// Returns a path with one more part.
pub(crate) fn join(path: &str, name: &str) -> String {
    if path.is_empty() { name.to_owned() } else { format!("{path}.{name}") }
}

/// Returns the name of a table as a path writes it: quoted where TOML wants quotes.
fn label(name: &str) -> String {
    let bare = !name.is_empty() && name.chars().all(|c| c.is_ascii_alphanumeric() || c == '-' || c == '_');
    if bare { name.to_owned() } else { format!("\"{}\"", shown(name)) }
}
