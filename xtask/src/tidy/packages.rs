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
    let unasked = |ban: &&Ban| {
        let wanted = packages.iter().filter(|package| package.wants.contains(&ban.name));
        let only_wrapped =
            !ban.wrappers.is_empty() && wanted.clone().all(|package| ban.wrappers.contains(&package.name));
        packages.iter().any(|package| package.name == ban.name) && !only_wrapped
    };
    let refused = |Ban { name, .. }: &Ban| {
        Finding::refused(LOCK, format!("{name} is banned; see who wants it: cargo tree -i {name}"))
    };
    let mut found: Vec<Finding> = banned.iter().filter(unasked).map(refused).collect();
    if packages.len() > MANY {
        found.push(Finding::advice(LOCK, format!("{} packages; aim for {MANY}", packages.len())));
    }
    found
}

struct Package<'a> {
    name: &'a str,
    wants: Vec<&'a str>,
}

fn packages(lock: &str) -> Vec<Package<'_>> {
    let package = |text| {
        let name = str::lines(text).find_map(|line| line.strip_prefix("name = \"")?.strip_suffix('"'))?;
        // A line is a name, followed by a version where there are several.
        let wants = text.lines().filter_map(|line| line.strip_prefix(" \"")?.split(['"', ' ']).next());
        Some(Package { name, wants: wants.collect() })
    };
    lock.split("[[package]]").filter_map(package).collect()
}

/// A package that is out of the question, but for those that may want it.
struct Ban<'a> {
    name: &'a str,
    wrappers: Vec<&'a str>,
}

/// Returns the `deny` list of the `[bans]` table.
fn banned(deny: &str) -> Vec<Ban<'_>> {
    let table = deny.lines().skip_while(|line| *line != "[bans]").skip(1);
    let table = table.take_while(|line| !line.starts_with('['));
    let list = table.skip_while(|line| !line.starts_with("deny = [")).take_while(|line| *line != "]");
    list.filter_map(|line| {
        let name = line.split_once("crate = \"")?.1.split_once('"')?.0;
        let wrappers = line.split_once("wrappers = [").and_then(|(_, rest)| Some(rest.split_once(']')?.0));
        let wrappers = wrappers.unwrap_or_default().split('"').skip(1).step_by(2).collect();
        Some(Ban { name, wrappers })
    })
    .collect()
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
    fn a_banned_package_may_be_wanted_by_its_wrappers() {
        let denied = "[bans]\ndeny = [\n  { crate = \"git2\", wrappers = [\"a\", \"b\"] },\n]\n";
        let lock = |names: &[&str]| names.iter().map(|name| package(name)).collect::<String>();
        let git2 = "[[package]]\nname = \"git2\"\nversion = \"1.0.0\"\n";
        check(&(lock(&["a", "b"]) + git2), denied, &[]);
        check(&(lock(&["a", "c"]) + git2), denied, &["git2 is banned"]);
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
