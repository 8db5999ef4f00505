//! The reader as a whole. What belongs to one part is tested beside it.

mod problems;
mod rows;
mod template;
mod values;

use super::keys::{ROOT, Section, Shape};
use super::read;
use crate::problem::Problem;

/// Returns the problems of a text that has some.
fn problems(text: &str) -> Vec<Problem> {
    read(text, "shipway.toml").expect_err(text)
}

/// Returns the path of every key with the text of a file that sets it to `value`.
fn every_key(visit: &mut impl FnMut(&str, &dyn Fn(&str) -> String)) {
    every_table(&ROOT, "", "", &mut |section, path, header| {
        for key in section.keys {
            let name = if path.is_empty() { key.name.to_owned() } else { format!("{path}.{}", key.name) };
            visit(&name, &|value| file(path, header, key.name, value));
        }
    });
}

/// Calls `visit` for every table with its path and the text of its header, in which names are `1.x`.
fn every_table(
    section: &'static Section,
    path: &str,
    place: &str,
    visit: &mut impl FnMut(&'static Section, &str, &str),
) {
    let header = match section.shape {
        _ if path.is_empty() => String::new(),
        Shape::One | Shape::Named => format!("[{place}]"),
        Shape::Many => format!("[[{place}]]"),
    };
    visit(section, path, &header);
    for inner in section.sections {
        let below = |place: &str| {
            if place.is_empty() { inner.name.to_owned() } else { format!("{place}.{}", inner.name) }
        };
        let name = if inner.shape == Shape::Named { ".\"1.x\"" } else { "" };
        every_table(inner, &below(path), &format!("{}{name}", below(place)), visit);
    }
}

fn file(path: &str, header: &str, key: &str, value: &str) -> String {
    let (before, mut beside) = rows::surroundings(path, key);
    let others: &[&str] = match path {
        "check" => &["name = 'n'", "run = 'r'"],
        "release.channel" => &["branch = 'b'", "suffix = 's.{n}'"],
        _ => &[],
    };
    beside.extend(others.iter().filter(|line| !line.starts_with(&format!("{key} "))));
    format!("{before}{header}\n{key} = {value}\n{}\n", beside.join("\n"))
}
