//! The way back of a whole environment: one release for all hosts, and never forward again.

use std::fs;

use crate::site::{FILES, Site};

const HOSTS: &str = r#"FILES
[environment.production]
hosts = [NAMES]
watch = { for = false }
host = { a = { address = "local", path = "ROOT/a" }, b = { address = "local", path = "ROOT/b" }, c = { address = "local", path = "ROOT/c" } }
"#;

fn hosts(names: &str) -> String {
    let names: Vec<String> = names.split(' ').map(|name| format!("{name:?}")).collect();
    let hosts = HOSTS.replace("FILES", FILES).replace("NAMES", &names.join(", "));
    // Only what is named may be configured.
    let unused = |text: String, name: &str| {
        let entry = format!("{name} = {{ address = \"local\", path = \"ROOT/{name}\" }}");
        if names.contains(&format!("{name:?}")) {
            text
        } else {
            text.replace(&format!(", {entry}"), "").replace(&format!("{entry}, "), "")
        }
    };
    ["a", "b", "c"].into_iter().fold(hosts, unused)
}

/// Asserts that all hosts have a version, and the same bytes.
#[track_caller]
fn all_have(site: &Site, hosts: &[&str], version: &str) {
    let live = site.live("production");
    assert_eq!(live.len(), hosts.len());
    for host in hosts {
        assert_eq!(live[*host], version, "{host}");
        let file = site.root().join(host).join("current/VERSION");
        assert_eq!(fs::read_to_string(file).unwrap().trim(), version, "{host}");
        assert_eq!(site.current(host), site.current(hosts[0]));
    }
}

fn release(site: &Site, message: &str) {
    site.change(message, "");
    site.code(0, &["push", "--to", "production"]);
}

#[test]
fn a_host_that_came_later_is_sent_the_release_that_all_go_back_to() {
    let site = Site::new(&hosts("a b"));
    release(&site, "feat: one");
    release(&site, "feat: two");
    site.configure(&hosts("a b c"));
    release(&site, "feat: three");
    all_have(&site, &["a", "b", "c"], "1.3.0");
    let plan = site.code(0, &["rollback", "production", "--plan"]);
    assert!(plan.contains("c does not have it; it is sent there"), "{plan}");
    site.code(0, &["rollback", "production"]);
    all_have(&site, &["a", "b", "c"], "1.2.0");
    // Further back, and never forward to what was just left.
    site.code(0, &["rollback", "production"]);
    all_have(&site, &["a", "b", "c"], "1.1.0");
    let said = site.code(1, &["rollback", "production"]);
    assert!(said.contains("SW1019") && said.contains("rollback production --to"), "{said}");
    all_have(&site, &["a", "b", "c"], "1.1.0");
    // Unless it is named.
    site.code(0, &["rollback", "production", "--to", "1.3.0"]);
    all_have(&site, &["a", "b", "c"], "1.3.0");
    site.code(0, &["rollback", "production"]);
    all_have(&site, &["a", "b", "c"], "1.1.0");
}

#[test]
fn bytes_that_are_nowhere_are_told_before_anything_changes() {
    let site = Site::new(&hosts("a"));
    release(&site, "feat: one");
    release(&site, "feat: two");
    site.configure(&hosts("a b"));
    site.code(0, &["deploy", "production"]);
    fs::remove_dir_all(site.repo.path().join(".git/shipway/store")).unwrap();
    let said = site.code(1, &["rollback", "production"]);
    assert!(said.contains("SW1019") && said.contains("b never had it"), "{said}");
    all_have(&site, &["a", "b"], "1.2.0");
}

#[test]
fn the_same_version_twice_is_one_release_on_the_way_back() {
    let site = Site::new(&hosts("a"));
    release(&site, "feat: one");
    release(&site, "feat: two");
    site.code(0, &["deploy", "production", "1.2.0"]);
    site.code(0, &["rollback", "production"]);
    all_have(&site, &["a"], "1.1.0");
    // Deployed, and not gone back to: what came before it is the next way back.
    site.code(0, &["deploy", "production", "1.2.0"]);
    site.code(0, &["deploy", "production", "1.1.0"]);
    site.code(0, &["rollback", "production"]);
    all_have(&site, &["a"], "1.2.0");
}

#[test]
fn what_was_withdrawn_is_not_offered_to_an_environment() {
    let site = Site::new(&hosts("a"));
    release(&site, "feat: one");
    site.change("feat: two", "");
    site.code(0, &["push"]);
    site.code(0, &["rollback"]);
    let plan = site.code(0, &["deploy", "production", "--plan"]);
    assert!(plan.contains("1.1.0") && !plan.contains("1.2.0"), "{plan}");
    site.code(0, &["deploy", "production"]);
    all_have(&site, &["a"], "1.1.0");
    // Another clone knows it from the commit that withdraws it.
    let clone = site.clone();
    let mut command = site.command(&["deploy", "production", "--plan"]);
    let plan = crate::site::said(0, &command.current_dir(clone).output().unwrap());
    assert!(plan.contains("1.1.0") && !plan.contains("1.2.0"), "{plan}");
    // Whoever names it gets it.
    let plan = site.code(0, &["deploy", "production", "1.2.0", "--plan"]);
    assert!(plan.contains("1.2.0"), "{plan}");
}

#[test]
fn a_canary_with_a_watch_of_its_own_is_watched_where_nothing_else_is() {
    let canary = "strategy = \"canary\"\ncanary-watch = \"1s\"\nwatch = { for = false, every = \"200ms\", command = [\"test\", \"!\", \"-e\", \"ROOT/ill\"] }";
    let site = Site::new(&hosts("a b").replace("watch = { for = false }", canary));
    release(&site, "feat: one");
    all_have(&site, &["a", "b"], "1.1.0");
    fs::write(site.root().join("ill"), "").unwrap();
    site.change("feat: two", "");
    site.code(0, &["push"]);
    let said = site.code(4, &["deploy", "production"]);
    assert!(said.contains("watch-canary"), "{said}");
    all_have(&site, &["a", "b"], "1.1.0");
    // Who asks for no watch at all is given none by default.
    site.configure(&hosts("a b").replace("watch =", "strategy = \"canary\"\nwatch ="));
    let plan = site.code(0, &["deploy", "production", "--plan"]);
    assert!(!plan.contains("watch-canary"), "{plan}");
}
