//! Whose a directory on a host is, and what was done to it by other hands.

use std::fs;
use std::process::Command;

use crate::site::{FILES, STAGING, Site, said};

const PRODUCTION: &str = r#"FILES
[environment.production]
hosts = ["local"]
path = "PLACE"
watch = { for = false }
"#;

fn production(place: &str) -> String {
    PRODUCTION.replace("FILES", FILES).replace("PLACE", place)
}

#[test]
fn another_project_does_not_take_a_directory_unless_it_is_handed_over() {
    let one = Site::new(&production("ROOT/a"));
    one.change("feat: one", "");
    one.code(0, &["push", "--to", "production"]);
    let live = one.current("a");
    // A clone that is called differently is the same project.
    let mut clone = one.command(&["deploy", "production", "--plan"]);
    said(0, &clone.current_dir(one.clone()).output().unwrap());

    let place = one.root().join("a");
    let other = format!("[project]\nname = \"other\"\n{}", production(place.to_str().unwrap()));
    let two = Site::new(&other);
    two.change("feat: mine", "");
    two.code(0, &["push"]);
    for args in [&["deploy", "production"][..], &["rollback", "production"]] {
        let told = two.code(1, args);
        assert!(told.contains("SW1024") && told.contains("production of project widget"), "{told}");
        assert_eq!(one.current("a"), live);
    }
    // The way for one that was renamed, as it is offered.
    let told = two.code(1, &["deploy", "production"]);
    let hint = told.lines().find_map(|line| line.split_once("say so on the host: ")).unwrap().1;
    assert!(Command::new("sh").args(["-c", hint]).status().unwrap().success());
    two.code(0, &["deploy", "production"]);
    assert_ne!(one.current("a"), live);
    let told = one.code(1, &["deploy", "production"]);
    assert!(told.contains("SW1024") && told.contains("production of project other"), "{told}");
}

#[test]
fn another_environment_does_not_take_a_directory() {
    let site = Site::new(&production("ROOT/a"));
    site.change("feat: one", "");
    site.code(0, &["push", "--to", "production"]);
    let live = site.current("a");
    site.configure(&production("ROOT/a").replace("environment.production", "environment.staging"));
    let told = site.code(1, &["deploy", "staging"]);
    assert!(told.contains("SW1024") && told.contains("environment production of project widget"), "{told}");
    assert_eq!(site.current("a"), live);
    let both = format!(
        "{}{}",
        production("ROOT/a"),
        "[environment.staging]\nhosts = [\"local\"]\npath = \"ROOT/a/\"\n"
    );
    site.configure(&both);
    let told = site.code(2, &["deploy", "staging"]);
    assert!(told.contains("SW0204") && told.contains("environment.production"), "{told}");
}

#[test]
fn a_live_release_that_was_edited_is_put_right_by_bringing_it_again() {
    let site = Site::new(STAGING);
    site.change("feat: good", "");
    site.code(0, &["push", "--to", "staging"]);
    let before = site.ask().unwrap().pid();
    let file = site.root().join("staging/current/VERSION");
    fs::remove_file(&file).unwrap();
    fs::write(&file, "9.9.9\n").unwrap();
    site.change("feat: next", "");
    site.code(0, &["push"]);
    let told = site.code(1, &["deploy", "staging"]);
    assert!(told.contains("SW1011") && told.contains("VERSION was changed"), "{told}");
    assert!(told.contains("put it right first: shipway deploy staging 1.1.0"), "{told}");
    // What the error offers works, and what runs has read nothing else.
    let told = site.code(0, &["deploy", "staging", "1.1.0"]);
    assert!(told.contains("and is put right"), "{told}");
    assert_eq!(fs::read_to_string(&file).unwrap().trim(), "1.1.0");
    site.serves("1.1.0");
    assert_ne!(site.ask().unwrap().pid(), before);
    site.code(0, &["env", "status", "staging"]);
    // Nothing is wrong any more, so nothing begins anew.
    let before = site.ask().unwrap().pid();
    site.code(0, &["deploy", "staging", "1.1.0"]);
    assert_eq!(site.ask().unwrap().pid(), before);
    site.code(0, &["deploy", "staging"]);
    site.serves("1.2.0");
    site.code(0, &["rollback", "staging"]);
    site.serves("1.1.0");
}

#[test]
fn a_release_that_was_edited_is_not_gone_back_to() {
    let site = Site::new(STAGING);
    for message in ["feat: one", "feat: two"] {
        site.change(message, "");
        site.code(0, &["push", "--to", "staging"]);
    }
    let first =
        fs::read_dir(site.root().join("staging/releases")).unwrap().flatten().map(|entry| entry.path());
    let first =
        first.into_iter().find(|dir| fs::read_to_string(dir.join("VERSION")).unwrap().trim() == "1.1.0");
    let file = first.unwrap().join("VERSION");
    fs::remove_file(&file).unwrap();
    fs::write(&file, "9.9.9\n").unwrap();
    let told = site.code(4, &["rollback", "staging"]);
    assert!(told.contains("SW1011") && told.contains("VERSION"), "{told}");
    site.serves("1.2.0");
    site.code(0, &["deploy", "staging", "1.1.0"]);
    site.serves("1.1.0");
}

#[test]
fn a_host_that_is_not_configured_any_more_is_told_of() {
    let both = format!(
        "{FILES}[environment.production]\nhosts = [\"a\", \"b\"]\nwatch = {{ for = false }}\n[environment.production.host]\na = {{ address = \"local\", path = \"ROOT/a\" }}\nb = {{ address = \"local\", path = \"ROOT/b\" }}\n"
    );
    let site = Site::new(&both);
    site.change("feat: one", "");
    site.code(0, &["push", "--to", "production"]);
    assert!(!site.code(0, &["env", "status"]).contains("not configured"));
    let one = both.replace(", \"b\"]", "]").replace("b = { address = \"local\", path = \"ROOT/b\" }\n", "");
    site.configure(&one);
    let told = site.code(0, &["env", "status"]);
    let row = told.lines().find(|line| line.contains("not configured")).unwrap_or_else(|| panic!("{told}"));
    assert!(row.starts_with("production") && row.contains("  b "), "{told}");
    assert!(told.contains("1.1.0, may run there still"), "{told}");
    assert!(site.code(0, &["env", "status", "--json"]).contains("not configured"));
    // One that is back is none of them.
    site.configure(&both);
    assert!(!site.code(0, &["env", "status"]).contains("not configured"));
}
