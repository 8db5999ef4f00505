//! Inside `core`, a module uses only modules above it in `lib.rs`. Inline test modules may use any.

use crate::mask::{identifier, words};
use crate::repository::{Repository, Source};
use crate::tidy::Finding;

const SOURCE: &str = "crates/core/src/";

/// Pairs that are one thought in two files and may use each other; `lib.rs` of the crate names them too.
const PAIRS: &[(&str, &str)] = &[("action", "gate")];

pub(super) fn look(repository: &Repository) -> Vec<Finding> {
    let Some(lib) = repository.source("crates/core/src/lib.rs") else {
        return vec![Finding::refused("crates/core/src/lib.rs", "the file is missing")];
    };
    let order = modules(&lib.product);
    repository.rust().flat_map(|source| look_at(source, &order)).collect()
}

/// Returns the modules that a file declares, in order.
fn modules(code: &str) -> Vec<&str> {
    let declarations = words(code, "mod").map(|offset| code[offset + 3..].trim_start());
    declarations.map(identifier).filter(|name| !name.is_empty()).collect()
}

fn look_at(source: &Source, order: &[&str]) -> Vec<Finding> {
    let Some(inner) = source.path.strip_prefix(SOURCE).filter(|inner| *inner != "lib.rs") else {
        return vec![];
    };
    let user = inner.split(['/', '.']).next().unwrap_or_default();
    let Some(limit) = order.iter().position(|name| *name == user) else {
        return vec![Finding::refused(&source.path, format!("lib.rs does not declare module `{user}`"))];
    };
    let refused = |(offset, used): (usize, &str)| {
        let paired = PAIRS.contains(&(user, used)) || PAIRS.contains(&(used, user));
        let below = order.iter().position(|name| *name == used).is_some_and(|index| index > limit);
        let what = || format!("`{user}` uses `{used}`, which stands below it in lib.rs");
        (below && !paired).then(|| Finding::refused(source.place(offset), what()))
    };
    used(&source.product, depth(inner)).into_iter().filter_map(refused).collect()
}

/// Returns how many `super::` lead from a file to the root of its crate.
fn depth(inner: &str) -> usize {
    let folders = inner.matches('/').count();
    if inner.ends_with("/mod.rs") { folders } else { folders + 1 }
}

/// Returns the modules of the crate that masked code names, with the offset of each path.
fn used(code: &str, depth: usize) -> Vec<(usize, &str)> {
    let supers = "super::".repeat(depth);
    let from_crate = words(code, "crate::").map(|offset| (offset, offset + "crate::".len()));
    let from_super = words(code, &supers).map(|offset| (offset, offset + supers.len()));
    let mut found = vec![];
    for (offset, after) in from_crate.chain(from_super) {
        let rest = &code[after..];
        let names = if rest.starts_with('{') { group(rest) } else { vec![identifier(rest)] };
        found.extend(names.into_iter().map(|name| (offset, name)));
    }
    found
}

/// Returns the first names of a group such as `{a::{B, C}, d}`.
fn group(text: &str) -> Vec<&str> {
    let (mut depth, mut names, mut fresh) = (0_usize, vec![], false);
    for (offset, byte) in text.bytes().enumerate() {
        match byte {
            b'{' => (depth, fresh) = (depth + 1, depth == 0),
            b'}' if depth == 1 => break,
            b'}' => depth -= 1,
            b',' => fresh = depth == 1,
            byte if fresh && !byte.is_ascii_whitespace() => {
                names.push(identifier(&text[offset..]));
                fresh = false;
            }
            _ => {}
        }
    }
    names
}

#[cfg(test)]
mod tests {
    use super::*;

    const LIB: &str = "pub mod id;\npub mod action;\npub mod gate;\npub mod planner;\nmod run;\n";

    fn check(path: &str, code: &str, expected: &[&str]) {
        let path = format!("crates/core/src/{path}");
        let repository = Repository::of(&[("crates/core/src/lib.rs", LIB), (&path, code)]);
        let found: Vec<String> = look(&repository).into_iter().map(|finding| finding.what).collect();
        assert_eq!(found.len(), expected.len(), "{code}: {found:?}");
        for (what, expected) in found.iter().zip(expected) {
            assert!(what.contains(expected), "{what}");
        }
    }

    #[test]
    fn a_module_may_use_those_above_it() {
        check("run.rs", "use crate::planner::Plan;\nuse crate::{id::{A, B}, gate};", &[]);
        check("planner/push.rs", "use crate::id::A;\nuse super::deploy;\nuse crate::planner::Ask;", &[]);
    }

    #[test]
    fn a_module_may_not_use_those_below_it() {
        check("id.rs", "use crate::run::Run;", &["`id` uses `run`"]);
        check("id.rs", "fn f() -> crate::run::Run {}", &["`id` uses `run`"]);
        check("id.rs", "use crate::{id::A, run::{B, planner}, planner};", &["uses `run`", "uses `planner`"]);
        check("id.rs", "use super::run;", &["`id` uses `run`"]);
        check("planner/push.rs", "use super::super::run;", &["`planner` uses `run`"]);
        check("planner/push.rs", "use crate::run::Run;", &["`planner` uses `run`"]);
    }

    #[test]
    fn a_declared_pair_may_use_each_other() {
        check("action.rs", "use crate::gate::Check;", &[]);
        check("gate.rs", "use crate::action::Cx;", &[]);
    }

    #[test]
    fn comments_and_tests_do_not_count() {
        check("id.rs", "/// See [`crate::run`].\n#[cfg(test)]\nmod tests { use crate::run::Run; }", &[]);
    }

    #[test]
    fn a_file_that_lib_does_not_declare_is_refused() {
        check("stray.rs", "", &["does not declare module `stray`"]);
    }
}
