//! Only the view prints, and only the command line reads the environment. Inline test modules may do both.

use crate::mask::words;
use crate::repository::{Repository, Source};
use crate::tidy::Finding;

const PRINTING: &[&str] = &["println!", "print!", "eprintln!", "eprint!", "dbg!"];
const ENVIRONMENT: &[&str] = &["env::var", "env::vars", "env::var_os", "env::vars_os"];

/// Where printing is allowed: in the view, and in the test kit, whose words the test runner shows.
const VIEW: &[&str] = &["crates/shipway/src/view.rs", "crates/shipway/src/view/", "crates/testkit/src/"];

/// Where the environment is read, each with the reason.
const READERS: &[(&str, &str)] = &[
    ("crates/shipway/src/args/environment.rs", "it is read once, and handed on"),
    ("crates/testkit/src/", "test runs are steered by variables; it is not part of the product"),
];

pub(super) fn look(repository: &Repository) -> Vec<Finding> {
    let product = |source: &&Source| source.path.starts_with("crates/") && source.path.contains("/src/");
    repository.rust().filter(product).flat_map(look_at).collect()
}

fn look_at(source: &Source) -> Vec<Finding> {
    let mut found = vec![];
    let mut refuse = |wanted: &[&str], what: &str| {
        for wanted in wanted {
            let offsets = words(&source.product, wanted);
            found.extend(
                offsets.map(|offset| Finding::refused(source.place(offset), format!("{wanted}: {what}"))),
            );
        }
    };
    if !VIEW.iter().any(|path| source.path.starts_with(path)) {
        refuse(PRINTING, "only crates/shipway/src/view prints");
    }
    if !READERS.iter().any(|(path, _)| source.path.starts_with(path)) {
        refuse(ENVIRONMENT, "only args/environment.rs of the binary reads the environment");
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(path: &str, code: &str, expected: usize) {
        let found = look(&Repository::of(&[(path, code)]));
        assert_eq!(found.len(), expected, "{path} {code}: {found:?}");
    }

    #[test]
    fn only_the_view_prints() {
        for code in PRINTING.iter().map(|name| format!("fn a() {{ {name}(1); }}")) {
            check("crates/world/src/a.rs", &code, 1);
            check("crates/shipway/src/command/push.rs", &code, 1);
            check("crates/shipway/src/view/human.rs", &code, 0);
            check("crates/shipway/src/view.rs", &code, 0);
            check("crates/world/tests/a.rs", &code, 0);
        }
    }

    #[test]
    fn only_the_command_line_reads_the_environment() {
        for code in ENVIRONMENT.iter().map(|name| format!("fn a() {{ std::{name}(1); }}")) {
            check("crates/world/src/a.rs", &code, 1);
            check("crates/shipway/src/main.rs", &code, 1);
            check("crates/shipway/src/args/environment.rs", &code, 0);
            check("crates/testkit/src/skip.rs", &code, 0);
        }
        check("crates/world/src/a.rs", "fn a() { env!(\"CARGO_PKG_VERSION\"); }", 0);
    }

    #[test]
    fn tests_comments_and_texts_do_not_count() {
        let code =
            "// println!\nconst A: &str = \"dbg!\";\n#[cfg(test)]\nmod tests { fn a() { println!(); } }\n";
        check("crates/world/src/a.rs", code, 0);
    }
}
