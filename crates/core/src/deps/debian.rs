//! Debian packages and the order of their versions (Debian Policy §5.6.12).

use std::cmp::Ordering;

use super::{Declaration, Declared, Installed};

/// The relations that a list may state, longer ones first.
const RELATIONS: [&str; 7] = [">=", "<=", ">>", "<<", "=", ">", "<"];

/// Returns what a list such as `libpq5`, `nginx=1.22.1-9` or `openssl>=3.0` asks for.
pub fn debian(source: &str, list: &[String]) -> Declaration {
    let mut found = Declaration::new(source);
    for text in list {
        let end = text.find(['=', '<', '>']).unwrap_or(text.len());
        let (name, want) = (text[..end].trim().to_owned(), text[end..].trim().to_owned());
        found.packages.push(Declared { name, want, from: source.into(), ..Declared::default() });
    }
    found
}

/// Tells whether a version is as a relation wants it.
pub(super) fn satisfies(version: &str, want: &str) -> Option<bool> {
    let relation = RELATIONS.iter().find(|relation| want.starts_with(**relation))?;
    let wanted = want[relation.len()..].trim();
    if wanted.is_empty() {
        return None;
    }
    let found = order(version, wanted);
    Some(match *relation {
        ">=" => found.is_ge(),
        "<=" => found.is_le(),
        ">>" | ">" => found.is_gt(),
        "<<" | "<" => found.is_lt(),
        _ => found.is_eq(),
    })
}

/// Returns the installed packages in the answer of `dpkg-query`: name, version and state with tabs between them.
pub fn packages(text: &str) -> Vec<Installed> {
    let one = |line: &str| {
        let mut fields = line.split('\t');
        let (name, version, state) = (fields.next()?, fields.next()?, fields.next()?);
        let found = Installed { name: name.into(), version: version.into(), ..Installed::default() };
        (state.trim() == "installed" && !version.is_empty()).then_some(found)
    };
    text.lines().filter_map(one).collect()
}

/// Returns how two versions compare.
pub fn order(one: &str, other: &str) -> Ordering {
    let (one, other) = (parts(one), parts(other));
    let by_epoch = part_order(one.0, other.0);
    by_epoch.then_with(|| part_order(one.1, other.1)).then_with(|| part_order(one.2, other.2))
}

/// Returns epoch, upstream version and revision.
fn parts(version: &str) -> (&str, &str, &str) {
    let version = version.trim();
    let (epoch, rest) = version.split_once(':').unwrap_or(("0", version));
    let (upstream, revision) = rest.rsplit_once('-').unwrap_or((rest, "0"));
    (epoch, upstream, revision)
}

/// Compares by turns a part without digits, in which `~` is below the end and letters below other signs, and a number.
fn part_order(mut one: &str, mut other: &str) -> Ordering {
    while !one.is_empty() || !other.is_empty() {
        let (left, right) = (words(&mut one), words(&mut other));
        let weigh = |text: &str, index: usize| match text.as_bytes().get(index) {
            Some(b'~') => -1,
            None => 0,
            Some(byte) if byte.is_ascii_alphabetic() => i32::from(*byte),
            Some(byte) => i32::from(*byte) + 256,
        };
        for index in 0..left.len().max(right.len()) {
            let order = weigh(left, index).cmp(&weigh(right, index));
            if order.is_ne() {
                return order;
            }
        }
        let (left, right) = (digits(&mut one), digits(&mut other));
        let order = left.len().cmp(&right.len()).then_with(|| left.cmp(right));
        if order.is_ne() {
            return order;
        }
    }
    Ordering::Equal
}

fn words<'a>(text: &mut &'a str) -> &'a str {
    let end = text.find(|c: char| c.is_ascii_digit()).unwrap_or(text.len());
    let (head, rest) = text.split_at(end);
    *text = rest;
    head
}

/// Takes a number without its leading zeros, which may have any length.
fn digits<'a>(text: &mut &'a str) -> &'a str {
    let end = text.find(|c: char| !c.is_ascii_digit()).unwrap_or(text.len());
    let (head, rest) = text.split_at(end);
    *text = rest;
    head.trim_start_matches('0')
}
