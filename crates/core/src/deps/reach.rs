//! What a `uv.lock` reaches from its project: which packages, and under which conditions each.

use std::collections::BTreeSet;

use toml::{Table, Value};

use super::normal;
use super::python::{name, tables, text_of, texts};

/// A way to a package: its name, the extras that are asked for, and the conditions on the way.
type Way = (String, BTreeSet<String>, BTreeSet<String>);

/// All ways to all packages.
pub(super) struct Reach(Vec<Way>);

impl Reach {
    /// Goes through the dependencies of the roots. A package is asked for when all conditions on one way to it hold.
    pub(super) fn of(packages: &[&Table], roots: &BTreeSet<String>) -> Self {
        let mut reached: Vec<Way> = vec![];
        let mut queue: Vec<Way> =
            roots.iter().map(|root| (root.clone(), BTreeSet::new(), BTreeSet::new())).collect();
        while let Some((from, extras, conditions)) = queue.pop() {
            for package in packages.iter().filter(|package| name(package) == from) {
                let optional = package.get("optional-dependencies").and_then(Value::as_table);
                let of_extras = extras.iter().filter_map(|extra| optional?.get(extra));
                let lists = package.get("dependencies").into_iter().chain(of_extras);
                for edge in lists.flat_map(|list| tables(Some(list))) {
                    let extras = texts(edge.get("extra")).into_iter().map(normal).collect();
                    let mut conditions = conditions.clone();
                    conditions.extend(Some(text_of(edge, "marker").to_owned()).filter(|one| !one.is_empty()));
                    let way = (name(edge), extras, conditions);
                    // One that asks for no less, and under no more conditions, is there already.
                    let covered =
                        |old: &Way| old.0 == way.0 && old.1.is_superset(&way.1) && old.2.is_subset(&way.2);
                    if !reached.iter().any(covered) {
                        reached.push(way.clone());
                        queue.push(way);
                    }
                }
            }
        }
        Self(reached)
    }

    /// Returns the condition under which a package is asked for, empty for always; nothing if it never is.
    pub(super) fn marker(&self, name: &str) -> Option<String> {
        let ways = || self.0.iter().filter(|(to, ..)| to == name).map(|(.., conditions)| conditions);
        ways().next()?;
        if ways().any(BTreeSet::is_empty) {
            return Some(String::new());
        }
        let all = |conditions: &BTreeSet<String>| join(conditions.iter().map(String::as_str), " and ");
        let ways: BTreeSet<String> = ways().map(all).collect();
        Some(join(ways.iter().map(String::as_str), " or "))
    }
}

/// Returns markers joined by a word; several stand in brackets.
pub(super) fn join<'a>(markers: impl Iterator<Item = &'a str>, word: &str) -> String {
    let markers: Vec<&str> = markers.collect();
    match markers.as_slice() {
        [one] => (*one).to_owned(),
        many => many.iter().map(|marker| format!("({marker})")).collect::<Vec<_>>().join(word),
    }
}
