//! The reader as a whole. What belongs to one part is tested beside it.

mod problems;
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
    fn walk(section: &'static Section, path: &str, visit: &mut impl FnMut(&str, &dyn Fn(&str) -> String)) {
        for key in section.keys {
            let name = if path.is_empty() { key.name.to_owned() } else { format!("{path}.{}", key.name) };
            visit(&name, &|value| file(section, path, key.name, value));
        }
        for inner in section.sections {
            let path = if path.is_empty() { inner.name.to_owned() } else { format!("{path}.{}", inner.name) };
            walk(inner, &path, visit);
        }
    }
    walk(&ROOT, "", visit);
}

fn file(section: &Section, path: &str, key: &str, value: &str) -> String {
    let header = match section.shape {
        Shape::One if path.is_empty() => String::new(),
        Shape::One => format!("[{path}]"),
        Shape::Named => format!("[{path}.\"1.x\"]"),
        Shape::Many => format!("[[{path}]]"),
    };
    let others: &[&str] = match path {
        "check" => &["name = 'n'", "run = 'r'"],
        "release.channel" => &["branch = 'b'", "suffix = 's.{n}'"],
        _ => &[],
    };
    let others: Vec<&str> =
        others.iter().filter(|line| !line.starts_with(&format!("{key} "))).copied().collect();
    format!("{header}\n{key} = {value}\n{}\n", others.join("\n"))
}
