//! What is said before anything is published, and what is said to come next: that is pasted into a shell, and works.

use std::fs;
use std::io::{BufRead as _, BufReader};
use std::path::Path;
use std::process::{Command, Stdio};

use shipway_testkit::host::Fleet;
use shipway_testkit::skip::skip;

use crate::site::{FILES, Site, over_fleet, said};

/// An environment whose last check fails while a file is there.
const STAGING: &str = r#"FILES
[environment.staging]
hosts = ["local"]
path = "ROOT/staging"
watch = { for = false }
after = ["sh", "-c", "test ! -e ROOT/bad"]
"#;

const PRODUCTION: &str = r#"
[environment.production]
hosts = ["local"]
path = "ROOT/production"
from = "staging"
watch = { for = false }
"#;

fn staging() -> Site {
    Site::new(&STAGING.replace("FILES", FILES))
}

/// Returns a project that has brought releases with these messages to staging.
fn released(messages: &[&str]) -> Site {
    let site = staging();
    for message in messages {
        site.change(message, "");
        site.code(0, &["push", "--to", "staging"]);
    }
    site
}

fn live(site: &Site, environment: &str) -> String {
    site.live(environment)["local"].clone()
}

/// Returns a shell with a line to run, in which `shipway` is found.
fn shell(site: &Site, line: &str) -> Command {
    let program = Path::new(env!("CARGO_BIN_EXE_shipway")).parent().unwrap().display().to_string();
    let mut command = site.repo.command("sh");
    command.args(["-c", &format!("PATH={program}:$PATH; {line}")]).stdin(Stdio::null());
    command
}

/// Pastes what was said behind a label, which must be there, and end with this code; returns what was said then.
#[track_caller]
fn paste(site: &Site, code: i32, (text, label): (&str, &str)) -> String {
    let line = text.lines().find_map(|line| line.split_once(label)?.1.strip_prefix(": "));
    let line = line.unwrap_or_else(|| panic!("{label}: {text}"));
    said(code, &shell(site, line).output().unwrap())
}

#[test]
fn a_push_to_an_environment_that_is_not_ready_publishes_nothing() {
    let site = released(&["feat: one"]);
    let lacks = "watch = { for = false }\nrequire = { commands = [\"no-such-tool\"] }";
    site.configure(&STAGING.replace("FILES", FILES).replace("watch = { for = false }", lacks));
    site.change("feat: two", "");
    let told = |said: &str| said.lines().find(|line| line.contains("SW1051")).map(str::to_owned);
    let plan = site.code(0, &["plan", "--to", "staging"]);
    assert!(plan.contains("no-such-tool"), "{plan}");
    let tip = site.remote.tip("main");
    let said = site.code(1, &["push", "--to", "staging"]);
    assert!(said.contains("no-such-tool"), "{said}");
    assert_eq!((site.remote.tip("main"), site.remote.tags()), (tip, vec!["v1.0.0".into(), "v1.1.0".into()]));
    // A deployment is refused for the same reason.
    let deployed = site.code(1, &["deploy", "staging", "HEAD"]);
    assert_eq!(told(&said), told(&deployed), "{said}{deployed}");
}

#[test]
fn a_plan_of_a_way_back_names_the_command_that_goes_it() {
    let site = released(&["feat: one", "feat: two"]);
    let plan = site.code(0, &["rollback", "staging", "--plan"]);
    paste(&site, 0, (&plan, "Run it"));
    assert_eq!(live(&site, "staging"), "1.1.0");
    let plan = site.code(0, &["rollback", "staging", "--to", "1.2.0", "--restored", "--plan"]);
    assert!(plan.contains("--to 1.2.0 --restored\n"), "{plan}");
    paste(&site, 0, (&plan, "Run it"));
    assert_eq!(live(&site, "staging"), "1.2.0");
}

#[test]
fn a_plan_of_a_deployment_that_is_stale_names_the_one_of_today() {
    let site = released(&["feat: one"]);
    site.change("feat: two", "");
    site.code(0, &["push"]);
    let plan = site.code(0, &["deploy", "staging", "1.2.0", "--restored", "--plan"]);
    site.change("feat: three", "");
    site.code(0, &["push", "--to", "staging"]);
    let stale = paste(&site, 1, (&plan, "Run it"));
    assert!(stale.contains("SW0805"), "{stale}");
    let plan = paste(&site, 0, (&stale, "hint: see the plan of today"));
    assert!(plan.contains("1.3.0 → 1.2.0"), "{plan}");
    paste(&site, 0, (&stale, "hint: carry it out"));
    assert_eq!(live(&site, "staging"), "1.2.0");
}

#[test]
fn a_plan_of_a_release_that_is_stale_names_the_one_of_today() {
    let site = staging();
    site.change("feat: one", "");
    let plan = site.code(0, &["plan", "major", "--to", "staging"]);
    site.change("feat: two", "");
    let stale = paste(&site, 1, (&plan, "Run it"));
    assert!(stale.contains("SW0805") && stale.contains("shipway plan major --to staging\n"), "{stale}");
    paste(&site, 0, (&stale, "hint: see the plan of today"));
    paste(&site, 0, (&stale, "hint: carry it out"));
    assert_eq!(live(&site, "staging"), "2.0.0");
}

#[test]
fn a_release_that_was_taken_back_is_tried_again_with_what_is_printed() {
    let site = released(&["feat: one"]);
    let bad = site.root().join("bad");
    fs::write(&bad, "").unwrap();
    site.change("feat: two", "");
    let back = site.code(4, &["push", "--to", "staging"]);
    assert_eq!(live(&site, "staging"), "1.1.0");
    fs::remove_file(&bad).unwrap();
    paste(&site, 0, (&back, "first"));
    paste(&site, 0, (&back, "try again"));
    assert_eq!(live(&site, "staging"), "1.2.1");
}

#[test]
fn a_version_that_is_taken_is_answered_with_one_that_goes_the_same_way() {
    let site = released(&["feat: one"]);
    // Somebody has tagged what is on no branch of ours.
    let aside = site.repo.git(["commit-tree", "-m", "aside", "HEAD^{tree}"]);
    site.repo.git(["tag", "v1.2.0", aside.trim()]);
    site.change("feat: two", "");
    let taken = site.code(1, &["push", "1.2.0", "--to", "staging"]);
    assert!(taken.contains("SW0303"), "{taken}");
    paste(&site, 0, (&taken, "hint"));
    assert_eq!(live(&site, "staging"), "1.2.1");
}

#[test]
fn what_is_not_proven_is_brought_to_the_environment_before_by_its_version() {
    let site = Site::new(&(STAGING.replace("FILES", FILES) + PRODUCTION));
    for message in ["feat: one", "feat: two"] {
        site.change(message, "");
        site.code(0, &["push"]);
    }
    let refused = site.code(1, &["deploy", "production", "1.1.0"]);
    assert!(refused.contains("SW1090"), "{refused}");
    paste(&site, 0, (&refused, "hint: bring it there first"));
    assert_eq!(live(&site, "staging"), "1.1.0");
    site.code(0, &["deploy", "production", "1.1.0"]);
    assert_eq!(live(&site, "production"), "1.1.0");
}

#[test]
fn a_drill_is_asked_for_where_it_may_be_made() {
    let both = STAGING.replace("FILES", FILES) + PRODUCTION;
    let site = Site::new(&both);
    for message in ["feat: one", "feat: two"] {
        site.change(message, "");
        site.code(0, &["push", "--to", "production"]);
    }
    site.configure(&format!("{both}drill-within = \"1h\"\n"));
    site.change("feat: three", "");
    site.code(0, &["push", "--to", "staging"]);
    let refused = site.code(1, &["deploy", "production"]);
    assert!(
        refused.contains("SW1097") && refused.contains("[environment.staging] drill = true"),
        "{refused}"
    );
    site.configure(&format!("{both}drill-within = \"1h\"\ndrill = true\n"));
    let refused = site.code(1, &["deploy", "production"]);
    paste(&site, 0, (&refused, "hint: practise it"));
    site.code(0, &["deploy", "production"]);
    assert_eq!(live(&site, "production"), "1.3.0");
}

#[test]
fn another_clone_is_told_who_brought_what_is_live() {
    let site = released(&["feat: one"]);
    let mut status = site.command(&["env", "status", "staging"]);
    let shown = said(0, &status.current_dir(site.clone()).output().unwrap());
    assert!(shown.lines().any(|line| line.contains("1.1.0") && line.contains("Ann Author")), "{shown}");
}

/// Kills a drill as soon as it says that it is back.
fn killed(site: &Site) {
    let mut drill = shell(site, "exec shipway drill rollback staging 2>&1");
    let mut drill = drill.stdout(Stdio::piped()).spawn().unwrap();
    let mut lines = BufReader::new(drill.stdout.take().unwrap()).lines();
    assert!(lines.any(|line| line.unwrap().starts_with("take it back")));
    drill.kill().unwrap();
    drill.wait().unwrap();
}

#[test]
fn a_drill_that_was_killed_between_its_halves_is_told_and_brought_to_its_end() {
    let site = released(&["feat: one", "feat: two"]);
    site.configure(&STAGING.replace("FILES", FILES).replace("watch =", "drill = true\nwatch ="));
    let warned = "a drill of staging went back and not forward again";
    // The moment is short, and a busy machine may let it pass.
    let shown = (0..20).find_map(|_| {
        killed(&site);
        let shown = site.code(0, &["status"]);
        if shown.contains(warned) {
            return Some(shown);
        }
        site.command(&["resume"]).output().unwrap();
        None
    });
    let shown = shown.expect("a drill is killed between its halves");
    assert_eq!(live(&site, "staging"), "1.1.0");
    assert!(site.code(0, &["env", "status"]).contains(warned));
    paste(&site, 0, (&shown, "hint: bring it back"));
    assert_eq!(live(&site, "staging"), "1.2.0");
    assert!(!site.code(0, &["status"]).contains(warned));
    // What somebody has brought since is left alone.
    site.code(10, &["resume"]);
}

#[test]
fn the_page_of_an_environment_reaches_its_hosts_as_it_is_configured() {
    let fleet = match Fleet::new(1) {
        Ok(fleet) => fleet,
        Err(why) => return skip(&why),
    };
    let site = Site::new(&over_fleet(FILES, &fleet, ""));
    site.code(0, &["env", "verify", "staging", "--doc", "docs/run/staging.md"]);
    let page = site.repo.read("docs/run/staging.md");
    let line = page.lines().find(|line| line.starts_with("ssh ")).expect(&page);
    let (command, _) = line.split_once("   #").unwrap();
    let reached = said(0, &shell(&site, &format!("{command} echo here")).output().unwrap());
    assert!(reached.contains("here"), "{reached}");
}
