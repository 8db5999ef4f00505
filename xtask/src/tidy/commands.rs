//! Every `shipway VERB --flag` in documentation, scripts, hints and help is one that the binary has.
//!
//! What it has is read from the generated page of commands, which another check holds to the binary.

use std::collections::BTreeMap;

use crate::repository::{Repository, Source, has_extension};
use crate::tidy::Finding;

const PAGE: &str = "docs/src/reference/commands.md";
const NAME: &str = "shipway ";

/// The commands, each with its flags.
type Commands = BTreeMap<String, Vec<String>>;

pub(super) fn look(repository: &Repository) -> Vec<Finding> {
    let Some(page) = repository.text(PAGE) else {
        return vec![Finding::refused(PAGE, "the page is missing; write it: cargo xtask docs")];
    };
    let commands = commands(page);
    repository.sources.iter().flat_map(|source| look_at(source, &commands)).collect()
}

fn commands(page: &str) -> Commands {
    let mut sections = page.split("\n## shipway ");
    let everywhere: Vec<String> = flags(sections.next().unwrap_or_default()).collect();
    // Clap adds a command of its own, which has no section.
    let mut commands = Commands::from([("help".into(), everywhere.clone())]);
    for section in sections {
        let (name, text) = section.split_once('\n').unwrap_or((section, ""));
        commands.insert(name.trim().to_owned(), flags(text).chain(everywhere.iter().cloned()).collect());
    }
    commands
}

fn flags(text: &str) -> impl Iterator<Item = String> {
    let words = text.split([' ', '\n', ',']);
    words.filter(|word| word.starts_with('-') && word.len() > 1).map(str::to_owned)
}

fn look_at(source: &Source, commands: &Commands) -> Vec<Finding> {
    let product = source.is_rust() && source.path.starts_with("crates/") && source.path.contains("/src/");
    let of_tests = source.path.contains("/tests/") || source.path.ends_with("tests.rs");
    let page = source.path.starts_with("docs/src/") || !source.path.contains('/');
    let prose = page && has_extension(&source.path, "md");
    let Some(text) = source.text.as_deref().filter(|_| (product && !of_tests) || prose) else {
        return vec![];
    };
    let mut found = vec![];
    for (start, _) in text.match_indices(NAME) {
        if source.tests.iter().any(|range| range.contains(&start)) || !is_command(&text[..start], prose) {
            continue;
        }
        let command = command(&text[start + NAME.len()..]);
        if let Some(why) = refuse(command, commands) {
            found.push(Finding::refused(source.place(start), format!("`shipway {command}`: {why}")));
        }
    }
    found
}

/// Tells whether what stands in front of the name makes it the beginning of a command.
fn is_command(before: &str, prose: bool) -> bool {
    if before.ends_with('`') || before.ends_with("$ ") {
        return true;
    }
    if !prose {
        return before.ends_with('"') || before.ends_with(": ") || before.ends_with("n  ");
    }
    let fences = before.matches("\n```").count();
    let fresh = before.ends_with('\n');
    fences % 2 == 1 && fresh
}

/// Returns the part of a text that belongs to one command.
fn command(text: &str) -> &str {
    let end = text.find(['`', '\n', '"', '\\', ';', '&', '|', '>', '#', '(', ')']).unwrap_or(text.len());
    text[..end].trim_end()
}

/// Returns what is wrong with a command.
fn refuse(command: &str, commands: &Commands) -> Option<String> {
    let mut words = command.split_whitespace().skip_while(|word| word.starts_with("--"));
    let name = words.next()?;
    // A placeholder such as `{verb}` or `VERB` is filled in by something else.
    if !name.bytes().all(|byte| byte.is_ascii_lowercase()) {
        return None;
    }
    let Some(flags) = commands.get(name) else { return Some(format!("there is no command {name}")) };
    let strange = words.find(|word| {
        let flag = word.split('=').next().unwrap_or_default().trim_end_matches(['.', ',', '…']);
        flag.starts_with('-') && flag.len() > 1 && !flags.iter().any(|known| known == flag)
    })?;
    Some(format!("{name} takes no {strange}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    const REFERENCE: &str = "# Commands\n\n  -q, --quiet\n\n## shipway push\n\n```text\n      --to <ENV>\n```\n\n## shipway log\n";

    fn check(path: &str, text: &str, expected: &[&str]) {
        let found = look(&Repository::of(&[(PAGE, REFERENCE), (path, text)]));
        let found: Vec<String> = found.into_iter().map(|it| it.what).collect();
        assert_eq!(found, expected, "{path}: {text}");
    }

    #[test]
    fn commands_and_flags_in_pages_exist() {
        check(
            "README.md",
            "`shipway push --to prod -q` `shipway log --quiet` `shipway VERB` `shipway help` shipway goes\n",
            &[],
        );
        check("docs/src/a.md", "```sh\nshipway push   # --no flag\nshipway log RUN\n```\n", &[]);
        check("README.md", "`shipway pull`", &["`shipway pull`: there is no command pull"]);
        check(
            "README.md",
            "x\n```sh\nshipway pull\n```\nshipway never\n",
            &["`shipway pull`: there is no command pull"],
        );
        check("README.md", "`shipway log --to x`", &["`shipway log --to x`: log takes no --to"]);
    }

    #[test]
    fn hints_name_what_exists_and_tests_may_name_anything() {
        let path = "crates/core/src/a.rs";
        check(path, "const A: &str = \"see it: shipway log {run}\";\n", &[]);
        check(
            path,
            "const A: &str = \"see it: shipway show {run}\";\n",
            &["`shipway show {run}`: there is no command show"],
        );
        check(path, "#[cfg(test)]\nmod tests { const A: &str = \"shipway show\"; }\n", &[]);
        check("crates/core/src/a/tests.rs", "const A: &str = \"shipway show\";\n", &[]);
    }

    #[test]
    fn without_the_page_nothing_can_be_checked() {
        assert_eq!(look(&Repository::of(&[])).len(), 1);
    }
}
