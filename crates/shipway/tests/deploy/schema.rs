//! Releases and the schema of their database: which of them can be gone back to after migrations that add, and after
//! those that take away. The database is one of `SQLite`, and every release reads it before it counts as well.

use std::fs;
use std::path::PathBuf;
use std::process::Command;

use shipway_testkit::skip::skip;

use crate::site::{FILES, SERVICE, Site};

/// A service that is well when its own query works, and a backup of its database.
const STAGING: &str = r#"
smoke = ["sh", "-c", "sqlite3 ROOT/app.db < QUERY"]
[environment.staging]
hosts = ["local"]
path = "ROOT/staging"
watch = { for = false }
keep = 9
[backup.db]
kind = "sqlite"
source = "ROOT/app.db"
environment = "staging"
to = "ROOT/backups"
"#;

/// Adds a column beside the old one.
const EXPAND: &str = r#"
[[migration]]
name = "add-full"
run = ["sqlite3", "ROOT/app.db", "ALTER TABLE people ADD COLUMN full TEXT; UPDATE people SET full = name"]
done = ["sh", "-c", "sqlite3 ROOT/app.db .schema | grep -q full"]
undo = ["sqlite3", "ROOT/app.db", "ALTER TABLE people DROP COLUMN full"]
"#;

/// Takes the old column away.
const CONTRACT: &str = r#"
[[migration]]
name = "drop-name"
phase = "contract"
run = ["sh", "-c", "sqlite3 ROOT/app.db .schema | grep -q 'name TEXT' || exit 0; sqlite3 ROOT/app.db 'ALTER TABLE people DROP COLUMN name'"]
"#;

const OLD: &str = "CREATE TABLE people (id INTEGER, name TEXT)";

struct Story(Site);

impl Story {
    /// Returns a site with 1.1.0 live, which reads the old column; nothing where there is no `sqlite3`.
    fn new() -> Option<Self> {
        if Command::new("sqlite3").arg("--version").output().is_err() {
            skip("there is no sqlite3");
            return None;
        }
        let site = Site::new("");
        fs::create_dir_all(site.root()).unwrap();
        let story = Self(site);
        story.sql(&format!("{OLD}; INSERT INTO people VALUES (1, 'Ada')"));
        story.configure("");
        story.release("SELECT name FROM people;", "");
        story.0.code(0, &["push", "--to", "staging"]);
        story.0.serves("1.1.0");
        Some(story)
    }

    fn configure(&self, migrations: &str) {
        let service = SERVICE.replace("\"MODES\"]", "\"MODES\", \"QUERY\"]");
        self.0.configure(&format!("{service}{STAGING}{migrations}"));
    }

    /// Makes a commit that releases, and that reads the database with this query.
    fn release(&self, query: &str, modes: &str) {
        self.0.repo.file("QUERY", query);
        self.0.change(&format!("feat: {query}"), modes);
    }

    /// Returns a story with 1.2.0 live, which has added the new column.
    fn expanded() -> Option<Self> {
        let story = Self::new()?;
        story.configure(EXPAND);
        story.release("SELECT name, full FROM people;", "");
        story.0.code(0, &["push", "--to", "staging"]);
        assert_eq!(story.columns(), "id name full");
        Some(story)
    }

    /// Returns a story with 1.3.0 live, which has taken the old column away. `more` goes into that migration.
    fn contracted(more: &str) -> Option<Self> {
        let story = Self::expanded()?;
        story.configure(&format!("{EXPAND}{CONTRACT}{more}\n"));
        story.release("SELECT full FROM people;", "");
        story.0.code(0, &["push", "--to", "staging"]);
        assert_eq!((story.columns(), story.live()), ("id full".into(), "1.3.0".into()));
        Some(story)
    }

    fn sql(&self, text: &str) -> String {
        let file = self.0.root().join("app.db");
        let output = Command::new("sqlite3").arg(file).arg(text).output().unwrap();
        assert!(output.status.success(), "{output:?}");
        String::from_utf8(output.stdout).unwrap()
    }

    fn columns(&self) -> String {
        let names = self.sql("SELECT name FROM pragma_table_info('people')");
        names.lines().collect::<Vec<_>>().join(" ")
    }

    fn live(&self) -> String {
        self.0.live("staging")["local"].clone()
    }

    /// Asserts that a command is refused since a release does not fit the database, and that nothing has happened.
    #[track_caller]
    fn refused(&self, version: &str, range: &str, words: &[&str]) -> String {
        let seen = || {
            let runs = self.0.code(0, &["log", "--json"]);
            (self.sql(".dump"), self.live(), self.0.events("staging"), runs)
        };
        let before = seen();
        let said = self.0.code(1, words);
        for word in [
            &*format!("error[SW0960]: release {version} does not fit the database of staging any more"),
            "a schema after migration drop-name of release 1.3.0, which cannot be undone",
            range,
            "shipway push --to staging",
            "shipway backup list db",
        ] {
            assert!(said.contains(word), "{word}: {said}");
        }
        assert!(before == seen(), "something has happened: {before:?}, {:?}", seen());
        said
    }

    /// Restores the newest backup, as a person does.
    fn restore(&self) {
        let to: PathBuf = self.0.root().join("again.db");
        self.0.code(0, &["backup", "restore", "db", "--into", to.to_str().unwrap()]);
        fs::rename(to, self.0.root().join("app.db")).unwrap();
        assert_eq!(self.columns(), "id name full");
    }
}

#[test]
fn a_release_that_only_added_leaves_the_way_back_open() {
    let Some(story) = Story::expanded() else { return };
    story.0.code(0, &["rollback", "staging"]);
    story.0.serves("1.1.0");
    assert_eq!((story.columns(), story.live()), ("id name full".into(), "1.1.0".into()));
    story.0.code(0, &["rollback", "staging", "--to", "1.2.0"]);
    story.0.serves("1.2.0");
}

#[test]
fn a_release_that_fails_after_it_has_added_is_taken_back_to_one_that_fits() {
    let Some(story) = Story::new() else { return };
    story.configure(EXPAND);
    story.release("SELECT name, full FROM people;", "fail-health");
    let said = story.0.code(4, &["push", "--to", "staging"]);
    assert!(said.contains("SW1032"), "{said}");
    story.0.serves("1.1.0");
    assert_eq!((story.columns(), story.live()), ("id name".into(), "1.1.0".into()));
}

/// Asserts that a release that fails takes back nothing that the one before has made, and needs.
#[track_caller]
fn keeps_what_stood(expand: &str) {
    let Some(story) = Story::expanded() else { return };
    story.configure(expand);
    story.release("SELECT full FROM people;", "fail-health");
    story.0.code(4, &["push", "--to", "staging"]);
    story.0.serves("1.2.0");
    assert_eq!((story.columns(), story.live()), ("id name full".into(), "1.2.0".into()));
    // Nor does one that fails behind the release before that, as long as the one that made it can be gone back to.
    story.0.code(0, &["rollback", "staging"]);
    story.0.code(4, &["deploy", "staging", "1.3.0"]);
    story.0.code(0, &["rollback", "staging", "--to", "1.2.0"]);
    story.0.serves("1.2.0");
}

#[test]
fn a_release_that_fails_takes_back_no_migration_that_tells_it_was_made_before() {
    keeps_what_stood(EXPAND);
}

#[test]
fn a_release_that_fails_takes_back_no_migration_of_a_release_that_was_confirmed() {
    let silent = EXPAND.lines().filter(|line| !line.starts_with("done")).map(|line| {
        line.replace(
            "run = [\"sqlite3\", \"ROOT/app.db\", \"",
            "run = [\"sh\", \"-c\", \"sqlite3 ROOT/app.db .schema | grep -q full || sqlite3 ROOT/app.db '",
        )
        .replace("full = name\"]", "full = name'\"]")
    });
    keeps_what_stood(&silent.collect::<Vec<_>>().join("\n"));
}

#[test]
fn a_release_that_fails_takes_back_nothing_that_the_release_before_was_given_by_hand() {
    let Some(story) = Story::new() else { return };
    story.sql("ALTER TABLE people ADD COLUMN full TEXT");
    story.release("SELECT name, full FROM people;", "");
    story.0.code(0, &["push", "--to", "staging"]);
    story.configure(EXPAND);
    story.release("SELECT full FROM people;", "fail-health");
    let plan = story.0.code(0, &["plan", "--to", "staging"]);
    assert!(plan.contains("it stays: a release before has made it"), "{plan}");
    story.0.code(4, &["push", "--to", "staging"]);
    story.0.serves("1.2.0");
    assert_eq!(story.columns(), "id name full");
}

#[test]
fn a_release_that_does_not_fit_the_database_any_more_is_no_way_back() {
    let Some(story) = Story::contracted("backup = \"db\"") else { return };
    let site = &story.0;
    let (first, second) =
        ("a schema of releases 1.1.0 to 1.2.0, which it fits", "the schema of release 1.2.0");
    story.refused("1.2.0", second, &["rollback", "staging"]);
    story.refused("1.1.0", first, &["rollback", "staging", "--to", "1.1.0"]);
    story.refused("1.1.0", first, &["rollback", "staging", "--to", "1.1.0", "--plan"]);
    story.refused("1.2.0", second, &["deploy", "staging", "1.2.0"]);
    assert!(site.code(0, &["env", "status"]).contains("no way back to the release before"));
    let status = site.code(0, &["env", "status", "--json"]);
    assert!(status.contains("\"way_back\":null"), "{status}");
    // A later release that keeps the migration in its configuration changes nothing of that.
    story.release("SELECT id, full FROM people;", "");
    site.code(0, &["push", "--to", "staging"]);
    story.refused("1.1.0", first, &["rollback", "staging", "--to", "1.1.0"]);
    // The release that made it fits as before.
    site.code(0, &["rollback", "staging"]);
    site.serves("1.3.0");
}

#[test]
fn a_release_fits_again_when_the_backup_from_before_is_restored() {
    let Some(story) = Story::contracted("backup = \"db\"") else { return };
    let said = story.refused("1.2.0", "the schema of release 1.2.0", &["rollback", "staging"]);
    story.restore();
    let hint = said.lines().find(|line| line.contains("--restored")).unwrap();
    let hint = hint[hint.find("shipway rollback").unwrap()..].trim();
    story.0.code(0, &hint.split(' ').skip(1).collect::<Vec<_>>());
    story.0.serves("1.2.0");
    assert_eq!(story.columns(), "id name full");
    story.0.code(0, &["deploy", "staging", "1.3.0"]);
    assert_eq!((story.columns(), story.live()), ("id full".into(), "1.3.0".into()));
}

#[test]
fn a_release_is_deployed_again_when_the_backup_from_before_is_restored() {
    let Some(story) = Story::contracted("backup = \"db\"") else { return };
    let said = story.refused("1.2.0", "the schema of release 1.2.0", &["deploy", "staging", "1.2.0"]);
    assert!(said.contains("shipway deploy staging 1.2.0 --restored"), "{said}");
    story.restore();
    story.0.code(0, &["deploy", "staging", "1.2.0", "--restored"]);
    story.0.serves("1.2.0");
    assert_eq!(story.columns(), "id name full");
}

#[test]
fn a_migration_that_tells_whether_it_is_made_is_believed_more_than_a_person() {
    let done = "done = [\"sh\", \"-c\", \"! sqlite3 ROOT/app.db .schema | grep -q 'name TEXT'\"]";
    let Some(story) = Story::contracted(&format!("backup = \"db\"\n{done}")) else { return };
    let said = story.refused("1.2.0", "the schema of", &["rollback", "staging", "--restored"]);
    assert!(said.contains("shipway rollback staging --to 1.2.0\n"), "{said}");
    story.restore();
    story.0.code(0, &["rollback", "staging"]);
    story.0.serves("1.2.0");
}

#[test]
fn a_migration_with_an_undo_is_taken_back_before_the_release_that_needs_it_is_live() {
    let undo = "undo = [\"sqlite3\", \"ROOT/app.db\", \"ALTER TABLE people ADD COLUMN name TEXT; UPDATE people SET name = full\"]";
    let Some(story) = Story::contracted(undo) else { return };
    let site = &story.0;
    assert!(!site.code(0, &["env", "status"]).contains("no way back"));
    let plan = site.code(0, &["rollback", "staging", "--plan"]);
    let at = |word: &str| plan.find(word).unwrap_or_else(|| panic!("{word}: {plan}"));
    assert!(at("migration undo-drop-name") < at("live on local"), "{plan}");
    site.code(0, &["rollback", "staging"]);
    site.serves("1.2.0");
    assert_eq!(story.columns(), "id full name");
    site.code(0, &["deploy", "staging", "1.3.0"]);
    assert_eq!(story.columns(), "id full");
    // Brought anew, the older one does not make the migration of the later.
    site.code(0, &["deploy", "staging", "1.2.0"]);
    site.serves("1.2.0");
    assert_eq!(story.columns(), "id full name");
}

#[test]
fn a_plan_and_a_runbook_say_which_way_back_is_lost() {
    let Some(story) = Story::expanded() else { return };
    story.configure(&format!("{EXPAND}{CONTRACT}backup = \"db\"\n"));
    story.release("SELECT full FROM people;", "");
    story.0.code(0, &["push"]);
    let plan = story.0.code(0, &["deploy", "staging", "--plan"]);
    let at = |word: &str| plan.find(word).unwrap_or_else(|| panic!("{word}: {plan}"));
    assert!(at("point of no return") < at("migration drop-name"), "{plan}");
    assert!(at("migration drop-name") < at("- way back to 1.2.0"), "{plan}");
    assert!(plan.contains("it does not fit the database then: a rollback is refused"), "{plan}");
    let runbook = story.0.code(0, &["runbook", "--env", "staging"]);
    let place = runbook.find("## The point of no return").unwrap();
    for word in ["`staging/contract/drop-name` has run, release 1.2.0 and those before", "SW0960"] {
        assert!(runbook[place..].contains(word), "{word}: {runbook}");
    }
    let said = story.0.code(0, &["deploy", "staging"]);
    assert!(said.contains("no way back to 1.2.0 in staging: it does not fit the database after"), "{said}");
    assert!(!said.contains("take it back"), "{said}");
    // What is made already loses no way back a second time.
    story.release("SELECT id, full FROM people;", "");
    story.0.code(0, &["push"]);
    let plan = story.0.code(0, &["deploy", "staging", "--plan"]);
    assert!(plan.contains("migration drop-name") && !plan.contains("way back to"), "{plan}");
}

#[test]
fn what_is_said_of_a_database_goes_with_an_environment() {
    let site = Site::new(FILES);
    site.change("feat: one", "");
    site.code(0, &["push"]);
    let before = site.repo.head();
    let said = site.code(2, &["rollback", "--restored"]);
    assert!(said.contains("SW0901") && said.contains("shipway rollback ENVIRONMENT --restored"), "{said}");
    assert_eq!(site.repo.head(), before, "the release stands");
}
