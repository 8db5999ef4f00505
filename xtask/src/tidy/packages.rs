//! What we build on: no package that deny.toml bans, and not too many of them.
//!
//! `cargo deny check` knows more (licences, advisories, sources), but it is not installed everywhere.

use crate::repository::Repository;
use crate::tidy::Finding;

const LOCK: &str = "Cargo.lock";
const DENY: &str = "deny.toml";
const MANY: usize = 150;

pub(super) fn look(repository: &Repository) -> Vec<Finding> {
    let (Some(lock), Some(deny)) = (repository.text(LOCK), repository.text(DENY)) else {
        return vec![Finding::refused(LOCK, format!("it or {DENY} is missing"))];
    };
    let (packages, banned) = (packages(lock), banned(deny));
    if packages.is_empty() || banned.is_empty() {
        return vec![Finding::refused(DENY, format!("it bans nothing, or {LOCK} lists nothing"))];
    }
    let mut found: Vec<Finding> = banned
        .iter()
        .filter(|name| packages.contains(name))
        .map(|name| {
            Finding::refused(LOCK, format!("{name} is banned; see who wants it: cargo tree -i {name}"))
        })
        .collect();
    if packages.len() > MANY {
        found.push(Finding::advice(LOCK, format!("{} packages; aim for {MANY}", packages.len())));
    }
    found
}

fn packages(lock: &str) -> Vec<&str> {
    lock.lines().filter_map(|line| line.strip_prefix("name = \"")?.strip_suffix('"')).collect()
}

/// Returns the names in the `deny` list of the `[bans]` table.
fn banned(deny: &str) -> Vec<&str> {
    let table = deny.lines().skip_while(|line| *line != "[bans]").skip(1);
    let table = table.take_while(|line| !line.starts_with('['));
    let list = table.skip_while(|line| !line.starts_with("deny = [")).take_while(|line| *line != "]");
    list.filter_map(|line| Some(line.split_once("crate = \"")?.1.split_once('"')?.0)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    const DENIED: &str = "[bans]\nallow = [\n  { crate = \"serde\" },\n]\ndeny = [\n  { crate = \"git2\", reason = \"no\" },\n  \
                          { crate = \"chrono\" },\n]\n[sources]\n";

    fn check(lock: &str, deny: &str, expected: &[&str]) {
        let found = look(&Repository::of(&[(LOCK, lock), (DENY, deny)]));
        assert_eq!(found.len(), expected.len(), "{found:?}");
        assert!(found.iter().zip(expected).all(|(it, what)| it.what.contains(what)), "{found:?}");
    }

    fn package(name: &str) -> String {
        format!("[[package]]\nname = \"{name}\"\nversion = \"1.0.0\"\ndependencies = [\n \"git2\",\n]\n")
    }

    #[test]
    fn banned_packages_are_refused() {
        check(&package("serde"), DENIED, &[]);
        check(&package("chrono"), DENIED, &["chrono is banned"]);
    }

    #[test]
    fn many_packages_are_advised_against() {
        check(&package("serde").repeat(MANY), DENIED, &[]);
        check(&package("serde").repeat(MANY + 1), DENIED, &["151 packages"]);
    }

    #[test]
    fn files_that_say_nothing_are_refused() {
        check("", DENIED, &["lists nothing"]);
        check(&package("serde"), "[bans]\n", &["bans nothing"]);
        assert_eq!(look(&Repository::of(&[])).len(), 1);
    }
}
