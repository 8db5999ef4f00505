//! One word, one meaning: names in the code do not use what GLOSSARY.md refuses.
//!
//! The third column of its table lists the synonyms. Those between backquotes are refused here; the others have an
//! honest use somewhere, and are left to the reader.

use crate::mask::{identifier, words};
use crate::repository::{Repository, Source};
use crate::tidy::Finding;

const GLOSSARY: &str = "GLOSSARY.md";

/// What introduces a name.
const KEYWORDS: &[&str] = &["struct", "enum", "trait", "type", "fn", "mod", "const", "static"];

/// Parts of names that say nothing, and what STYLE.md says about them.
const EMPTY: &[&str] = &["manager", "helper", "util"];

pub(super) fn look(repository: &Repository) -> Vec<Finding> {
    let Some(glossary) = repository.text(GLOSSARY) else {
        return vec![Finding::refused(GLOSSARY, "the file is missing")];
    };
    let mut refused = synonyms(glossary);
    if refused.is_empty() {
        return vec![Finding::refused(GLOSSARY, "no synonym stands between backquotes in the third column")];
    }
    refused.extend(EMPTY.iter().map(|word| ((*word).to_owned(), "a name that says what it does".to_owned())));
    repository.rust().filter(|source| is_product(source)).flat_map(|source| names(source, &refused)).collect()
}

fn is_product(source: &Source) -> bool {
    source.path.starts_with("crates/") && source.path.contains("/src/")
}

/// Returns the refused synonyms of the table with the word that stands for each.
fn synonyms(glossary: &str) -> Vec<(String, String)> {
    let mut found = vec![];
    for row in glossary.lines().filter(|line| line.starts_with('|')) {
        let columns: Vec<&str> = row.trim_matches('|').split('|').map(str::trim).collect();
        if let [word, _, not] = columns.as_slice() {
            let quoted = not.split('`').skip(1).step_by(2);
            found.extend(quoted.map(|synonym| (synonym.to_lowercase(), (*word).to_owned())));
        }
    }
    found
}

fn names(source: &Source, refused: &[(String, String)]) -> Vec<Finding> {
    let mut found = vec![];
    for keyword in KEYWORDS {
        for offset in words(&source.product, keyword) {
            let name = identifier(source.product[offset + keyword.len()..].trim_start());
            let parts = parts(name);
            let synonym = refused.iter().find(|(synonym, _)| parts.iter().any(|part| matches(part, synonym)));
            if let Some((synonym, word)) = synonym {
                let what = format!("`{name}` says {synonym}; the word is {word}");
                found.push(Finding::refused(source.place(offset), what));
            }
        }
    }
    found
}

fn matches(part: &str, synonym: &str) -> bool {
    part == synonym || part.strip_suffix('s') == Some(synonym)
}

/// Splits `snake_case`, `CamelCase` and `UPPER_CASE` into lower-case words.
fn parts(name: &str) -> Vec<String> {
    let mut parts = vec![String::new()];
    let mut before_lower = false;
    for character in name.chars() {
        if character == '_' || (character.is_uppercase() && before_lower) {
            parts.push(String::new());
        }
        before_lower = character.is_lowercase();
        if character != '_'
            && let Some(part) = parts.last_mut()
        {
            part.extend(character.to_lowercase());
        }
    }
    parts
}

#[cfg(test)]
mod tests {
    use super::*;

    const TABLE: &str = "| word | meaning | not |\n|---|---|---|\n\
                         | plan | what will happen | `pipeline`, workflow |\n\
                         | digest | content hash | `checksum` |\n";

    fn check(path: &str, code: &str, expected: &[&str]) {
        let found = look(&Repository::of(&[("GLOSSARY.md", TABLE), (path, code)]));
        let found: Vec<&str> = found.iter().map(|finding| finding.what.as_str()).collect();
        assert_eq!(found, expected, "{code}");
    }

    #[test]
    fn refused_synonyms_are_found_in_names_of_any_case() {
        let path = "crates/world/src/a.rs";
        check(path, "struct BuildPipeline;", &["`BuildPipeline` says pipeline; the word is plan"]);
        check(
            path,
            "pub(crate) fn file_checksums() {}",
            &["`file_checksums` says checksum; the word is digest"],
        );
        check(path, "const PIPELINE: u8 = 0;", &["`PIPELINE` says pipeline; the word is plan"]);
        let empty = "`git_utils` says util; the word is a name that says what it does";
        check(path, "mod git_utils;", &[empty]);
    }

    #[test]
    fn other_words_and_other_places_are_left_alone() {
        check(
            "crates/world/src/a.rs",
            "struct Workflow; // a Pipeline\nlet pipeline = \"fn checksum\";",
            &[],
        );
        check(
            "crates/world/src/a.rs",
            "fn pipelined() {}\n#[cfg(test)]\nmod tests { fn checksum() {} }",
            &[],
        );
        check("xtask/src/a.rs", "struct Pipeline;", &[]);
    }

    #[test]
    fn a_glossary_without_refused_words_is_refused() {
        let refused = |files: &[(&str, &str)]| look(&Repository::of(files)).len();
        assert_eq!(refused(&[("GLOSSARY.md", "| plan | what will happen | pipeline |\n")]), 1);
        assert_eq!(refused(&[]), 1);
    }

    #[test]
    fn names_are_split_at_capitals_and_underscores() {
        assert_eq!(parts("LogKey"), ["log", "key"]);
        assert_eq!(parts("retry_after_ms"), ["retry", "after", "ms"]);
        assert_eq!(parts("GIT_DIR"), ["git", "dir"]);
    }
}
