//! What no key can say alone: names that must differ, and defaults that come from a name.

mod deploy;

use std::collections::BTreeMap;

use semver::Prerelease;

use super::line;
use super::place::{Problems, shown};
use super::read::Found;
use super::value::Value;
use crate::problem::{Code, Problem};

/// Adds a problem for each rule that a file breaks whose keys are all right.
pub(super) fn check(root: &Found, problems: &mut Problems<'_>) {
    differ(root.sections("check"), "name", problems);
    // Which keys a choice needs can only be told once every key could be read.
    if problems.is_empty() {
        deploy::check(root, problems);
    }
    for release in root.sections("release") {
        differ(release.sections("channel").chain(release.sections("line")), "branch", problems);
        differ(release.sections("channel"), "suffix", problems);
        for channel in release.sections("channel").filter(|channel| channel.value("suffix").is_none()) {
            if Prerelease::new(&channel.label).is_err() || channel.label.is_empty() {
                let what = format!("`{}` needs a suffix: its name cannot stand in a version", channel.path);
                problems.add(&channel.span, wanting(what).hint("suffix = \"beta.{n}\""));
            }
        }
        for of in release.sections("line") {
            let nothing = of.value("range").is_none() && line::range_of(&of.label).is_none();
            if nothing {
                let what = format!("`{}` needs a range: its name is not like 1.x or 1.2.x", of.path);
                problems.add(&of.span, wanting(what).hint("range = \">=1.0.0, <2.0.0\""));
            }
        }
    }
}

fn wanting(what: String) -> Problem {
    Problem::new(Code::ConfigValue, what)
}

/// Adds a problem for each table that repeats what an earlier one says under `key`.
fn differ<'a>(tables: impl Iterator<Item = &'a Found>, key: &str, problems: &mut Problems<'_>) {
    let mut seen: BTreeMap<&str, &str> = BTreeMap::new();
    for table in tables {
        let Some(Value::Text(text)) = table.value(key) else { continue };
        if let Some(first) = seen.insert(text, &table.path) {
            let what = format!("`{}` has the same {key} as `{first}`", table.path);
            let problem = wanting(what).found(shown(text)).wanted(format!("another {key}"));
            problems.add(&table.span_of(key), problem);
        }
    }
}
