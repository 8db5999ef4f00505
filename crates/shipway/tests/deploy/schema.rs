//! Releases that the database has left behind: what a contracting migration does to the way back.

use std::fs;

use crate::site::{FILES, Site};

/// One host, whose database is a file with a line for each column. `{contract}` is filled in.
fn site(contract: &str) -> Site {
    let environment =
        "[environment.staging]\nhosts = [\"local\"]\npath = \"ROOT/staging\"\nwatch = { for = false }\n";
    let site = Site::new(&format!("{FILES}{environment}"));
    fs::write(site.root().join("db"), "old\n").unwrap();
    site.change("feat: one", "");
    site.code(0, &["push", "--to", "staging"]);
    let backup = "[backup.db]\nkind = \"directory\"\nsource = \"ROOT/saved\"\nenvironment = \"staging\"\nto = \"ROOT/backups\"\n";
    fs::create_dir_all(site.root().join("saved")).unwrap();
    site.configure(&format!(
        r#"{FILES}{environment}{backup}
[[migration]]
name = "add"
run = ["sh", "-c", "grep -q new ROOT/db || echo new >> ROOT/db"]
undo = ["sed", "-i", "/new/d", "ROOT/db"]
[[migration]]
name = "drop"
phase = "contract"
run = ["sed", "-i", "/old/d", "ROOT/db"]
{contract}
"#
    ));
    site.change("feat: two", "");
    site.code(0, &["push", "--to", "staging"]);
    assert_eq!((database(&site), live(&site)), ("new\n".into(), "1.2.0".into()));
    site
}

fn database(site: &Site) -> String {
    fs::read_to_string(site.root().join("db")).unwrap()
}

fn live(site: &Site) -> String {
    site.live("staging")["local"].clone()
}

/// Asserts that a command is refused since the database has left 1.1.0 behind, and that nothing has changed.
#[track_caller]
fn left_behind(site: &Site, words: &[&str]) -> String {
    let before = live(site);
    let said = site.code(1, words);
    for word in ["SW0960", "release 1.1.0", "migration drop of release 1.2.0", "shipway push --to staging"] {
        assert!(said.contains(word), "{word}: {said}");
    }
    assert_eq!((database(site), live(site)), ("new\n".into(), before));
    said
}

#[test]
fn a_release_before_a_migration_that_cannot_be_undone_is_no_way_back() {
    let site = site("backup = \"db\"");
    let said = left_behind(&site, &["rollback", "staging"]);
    assert!(said.contains("shipway backup list db"), "{said}");
    assert!(site.code(0, &["env", "status"]).contains("no way back to the release before"));
    let status = site.code(0, &["env", "status", "--json"]);
    assert!(status.contains("\"way_back\":null"), "{status}");
    // Nor by its version, nor brought anew, nor from a later release that keeps the migration in its configuration.
    left_behind(&site, &["rollback", "staging", "--to", "1.1.0"]);
    left_behind(&site, &["deploy", "staging", "1.1.0"]);
    site.change("feat: three", "");
    site.code(0, &["push", "--to", "staging"]);
    left_behind(&site, &["rollback", "staging", "--to", "1.1.0"]);
    // The one that made it is a way back as before.
    site.code(0, &["rollback", "staging"]);
    assert_eq!((database(&site), live(&site)), ("new\n".into(), "1.2.0".into()));
    // What the error offers works, when the backup is restored.
    fs::write(site.root().join("db"), "old\nnew\n").unwrap();
    let said = left_behind_hint(&site);
    site.code(0, &said.split(' ').skip(1).collect::<Vec<_>>());
    assert_eq!((database(&site), live(&site)), ("old\nnew\n".into(), "1.1.0".into()));
    site.code(0, &["deploy", "staging", "1.2.0"]);
    assert_eq!((database(&site), live(&site)), ("new\n".into(), "1.2.0".into()));
}

/// Returns the command that the error offers for a database that was restored.
fn left_behind_hint(site: &Site) -> String {
    let said = site.code(1, &["rollback", "staging", "--to", "1.1.0"]);
    let hint = said.lines().find(|line| line.contains("--restored")).unwrap();
    hint[hint.find("shipway rollback").unwrap()..].trim().to_owned()
}

#[test]
fn a_migration_that_tells_whether_it_is_there_is_asked_before_a_release_is_refused() {
    let site = site("backup = \"db\"\ndone = [\"sh\", \"-c\", \"! grep -q old ROOT/db\"]");
    left_behind(&site, &["rollback", "staging", "--restored"]);
    fs::write(site.root().join("db"), "old\nnew\n").unwrap();
    site.code(0, &["rollback", "staging"]);
    assert_eq!((database(&site), live(&site)), ("old\nnew\n".into(), "1.1.0".into()));
}

#[test]
fn a_migration_with_an_undo_is_taken_back_before_the_release_that_needs_it_is_live() {
    let site = site("undo = [\"sh\", \"-c\", \"grep -q old ROOT/db || echo old >> ROOT/db\"]");
    assert!(!site.code(0, &["env", "status"]).contains("no way back"));
    let plan = site.code(0, &["rollback", "staging", "--plan"]);
    let at = |word: &str| plan.find(word).unwrap_or_else(|| panic!("{word}: {plan}"));
    assert!(at("migration undo-drop") < at("live on local"), "{plan}");
    site.code(0, &["rollback", "staging"]);
    assert_eq!((database(&site), live(&site)), ("new\nold\n".into(), "1.1.0".into()));
    site.code(0, &["deploy", "staging", "1.2.0"]);
    assert_eq!((database(&site), live(&site)), ("new\n".into(), "1.2.0".into()));
    // Brought anew, the older one does not make the migration of the later.
    site.code(0, &["deploy", "staging", "1.1.0"]);
    assert_eq!((database(&site), live(&site)), ("new\nold\n".into(), "1.1.0".into()));
}
