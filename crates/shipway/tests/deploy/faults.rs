//! What goes wrong: services that do not come up, hosts that were touched, clients that die.

use std::fs;
use std::thread::sleep;
use std::time::Duration;

use shipway_testkit::host;

use crate::site::{FILES, STAGING, Site};

/// Returns a site with 1.1.0 live.
fn live() -> Site {
    let site = Site::new(STAGING);
    site.change("feat: good", "");
    site.code(0, &["push", "--to", "staging"]);
    site.serves("1.1.0");
    site
}

/// Asserts that a release in these modes is taken back for this reason, and the one before serves.
#[track_caller]
fn taken_back(modes: &str, why: &str) {
    let site = live();
    site.change("feat: bad", modes);
    let said = site.code(4, &["push", "--to", "staging"]);
    assert!(said.contains(why), "{said}");
    site.serves("1.1.0");
    assert_eq!(site.live("staging")["local"], "1.1.0");
    assert!(site.events("staging").contains("reverted"));
    // What is offered can be pasted: it names the environment and the release.
    let said = site.code(4, &["deploy", "staging", "1.2.0"]);
    assert!(said.contains("try again: shipway deploy staging 1.2.0\n"), "{said}");
    // The release itself was answered on the remote, and the tag stays.
    assert_eq!(site.remote.tags(), ["v1.0.0", "v1.1.0", "v1.2.0"]);
}

#[test]
fn a_release_whose_health_fails_is_taken_back() {
    taken_back("fail-health", "SW1032");
}

#[test]
fn a_health_that_flaps_is_not_well() {
    taken_back("flap", "SW1032");
}

#[test]
fn a_redirect_to_a_login_page_is_not_well() {
    taken_back("login-redirect", "SW1032");
}

#[test]
fn a_service_that_cannot_start_is_taken_back() {
    let site = live();
    site.configure(
        &STAGING.replace("SERVICE", &crate::site::SERVICE.replace("{release}/web", "{release}/none")),
    );
    site.change("feat: bad", "");
    let said = site.code(4, &["push", "--to", "staging"]);
    // It is a question of time whether the start itself or the first look notices.
    assert!(said.contains("SW1030") || said.contains("SW1032"), "{said}");
    site.serves("1.1.0");
}

#[test]
fn a_release_that_was_edited_by_hand_is_refused_as_a_way_back() {
    let site = live();
    let file = site.root().join("staging").join(site.current("staging").unwrap()).join("VERSION");
    fs::remove_file(&file).unwrap();
    fs::write(&file, "9.9.9\n").unwrap();
    site.change("feat: next", "");
    // It is seen before anything is published.
    let said = site.code(1, &["push", "--to", "staging"]);
    assert!(said.contains("VERSION"), "{said}");
    assert_eq!(site.remote.tags(), ["v1.0.0", "v1.1.0"]);
    assert!(site.code(1, &["env", "status"]).contains("VERSION"));
}

#[test]
fn a_watchdog_that_is_killed_before_the_confirmation_is_started_again_and_told() {
    let kill = "smoke = [\"sh\", \"-c\", \"test ! -e ROOT/kill || for at in /proc/[0-9]*; do tr '\\\\0' ' ' <$at/cmdline 2>/dev/null | grep -q 'watchdog ROOT/staging $' && kill -9 ${at#/proc/}; done; rm -f ROOT/kill\"]\n";
    let site = Site::new(&STAGING.replace("SERVICE", &format!("{}{kill}", crate::site::SERVICE)));
    site.change("feat: good", "");
    let said = site.code(0, &["push", "--to", "staging"]);
    assert!(!said.contains("SW1023"), "{said}");
    fs::write(site.root().join("kill"), "").unwrap();
    site.change("feat: next", "");
    let said = site.code(0, &["push", "--to", "staging"]);
    assert!(said.contains("warning[SW1023]: the watchdog of"), "{said}");
    assert!(!site.root().join("kill").exists());
    site.serves("1.2.0");
    // It is over with the confirmation, and nothing goes back.
    assert!(!site.root().join("staging/watchdog.json").exists());
    assert_eq!(site.live("staging")["local"], "1.2.0");
}

#[test]
fn a_directory_in_the_place_of_current_is_refused() {
    let site = Site::new(STAGING);
    fs::create_dir_all(site.root().join("staging/current/mine")).unwrap();
    site.change("feat: one", "");
    site.code(0, &["push"]);
    let said = site.code(4, &["deploy", "staging"]);
    assert!(said.contains("current"), "{said}");
    assert!(site.root().join("staging/current/mine").is_dir());
}

#[test]
fn secrets_reach_the_service_and_are_shown_nowhere() {
    let value = "correct-horse-battery";
    let site = Site::new(&STAGING.replace("watch =", "secrets = [\"LAMP_TOKEN\"]\nwatch ="));
    site.change("feat: one", "");
    site.code(0, &["push"]);
    let said = site.code(1, &["deploy", "staging"]);
    assert!(said.contains("SW1093") && said.contains("LAMP_TOKEN"), "{said}");
    let output = site.command(&["deploy", "staging", "-v"]).env("LAMP_TOKEN", value).output().unwrap();
    let said = crate::site::said(0, &output);
    assert!(!said.contains(value));
    let pid = site.ask().unwrap().pid().unwrap();
    let environment = fs::read(format!("/proc/{pid}/environ")).unwrap();
    assert!(String::from_utf8_lossy(&environment).contains(&format!("LAMP_TOKEN={value}")));
    let state = site.repo.path().join(".git/shipway");
    for dir in [state, site.root().join("staging/deployments"), site.root().join("staging/live")] {
        let found = std::process::Command::new("grep").args(["-r", "-l", value]).arg(dir).output().unwrap();
        assert_eq!(String::from_utf8_lossy(&found.stdout), "");
    }
    assert!(!site.events("staging").contains(value));
}

#[test]
fn a_host_that_loses_its_client_after_the_switch_puts_itself_back() {
    let site = live();
    let watch = "confirm = \"2s\"\nwatch = { for = \"1m\", every = \"200ms\" }";
    site.configure(&STAGING.replace("watch = { for = false }", watch));
    site.change("feat: next", "");
    let mut client = site.command(&["push", "--to", "staging"]).spawn().unwrap();
    host::until("the next one is live", || site.ask().is_some_and(|answer| answer.release() == "1.2.0"));
    client.kill().unwrap();
    client.wait().unwrap();
    host::until("the host is back", || site.ask().is_some_and(|answer| answer.release() == "1.1.0"));
    let said = site.code(4, &["resume"]);
    assert!(said.contains("rolled back"), "{said}");
    site.serves("1.1.0");
    assert_eq!(site.live("staging")["local"], "1.1.0");
}

#[test]
fn a_client_that_is_killed_anywhere_leaves_a_run_that_ends_whole_or_clean() {
    for (round, after_ms) in [30, 120, 250, 400, 600].into_iter().enumerate() {
        let site = live();
        site.change("feat: next", "");
        site.code(0, &["push"]);
        let mut client = site.command(&["deploy", "staging", "--quiet"]).spawn().unwrap();
        sleep(Duration::from_millis(after_ms));
        let _ = client.kill();
        client.wait().unwrap();
        // Killed before it was opened, or after its end, there is no run to end.
        let verb = if round % 2 == 0 { "resume" } else { "rollback" };
        let open = site.code(0, &["status", "--json"]).contains("\"summary\"");
        let output = if open { Some(site.command(&[verb]).output().unwrap()) } else { None };
        let code = output.as_ref().and_then(|output| output.status.code());
        assert!(matches!(code, None | Some(0 | 4)), "{output:?}");
        let version = site.live("staging")["local"].clone();
        assert!(version == "1.1.0" || version == "1.2.0", "{version}");
        site.serves(&version);
        site.code(0, &["env", "status"]);
    }
}

#[test]
fn a_service_that_dies_while_it_is_watched_is_taken_back() {
    let site = live();
    site.configure(
        &STAGING.replace("watch = { for = false }", "watch = { for = \"1m\", every = \"200ms\" }"),
    );
    site.change("feat: bad", "die-after 10");
    let said = site.code(4, &["push", "--to", "staging"]);
    assert!(said.contains("SW1031") || said.contains("SW1032"), "{said}");
    site.serves("1.1.0");
    assert_eq!(site.live("staging")["local"], "1.1.0");
}

#[test]
fn a_release_that_was_cleaned_up_is_sent_again_while_its_bytes_are_kept_here() {
    let site = Site::new(&STAGING.replace("watch =", "keep = 1\nwatch ="));
    for message in ["feat: one", "feat: two", "feat: three"] {
        site.change(message, "");
        site.code(0, &["push", "--to", "staging"]);
    }
    site.code(0, &["rollback", "staging", "--to", "1.1.0"]);
    site.serves("1.1.0");
    fs::remove_dir_all(site.repo.path().join(".git/shipway/store")).unwrap();
    let said = site.code(1, &["rollback", "staging", "--to", "1.2.0"]);
    assert!(said.contains("SW1019") && said.contains("cleared away"), "{said}");
    site.serves("1.1.0");
    // What the error offers works.
    assert!(said.contains("shipway deploy staging 1.2.0"), "{said}");
    site.code(0, &["deploy", "staging", "1.2.0"]);
    site.serves("1.2.0");
}

#[test]
fn a_second_client_is_refused_while_the_first_is_at_work() {
    let site = live();
    let other = site.clone();
    site.configure(
        &STAGING.replace("watch = { for = false }", "watch = { for = \"8s\", every = \"200ms\" }"),
    );
    site.change("feat: next", "");
    let mut first = site.command(&["push", "--to", "staging"]).spawn().unwrap();
    host::until("the next one is live", || site.ask().is_some_and(|answer| answer.release() == "1.2.0"));
    let second = site.command(&["deploy", "staging", "1.1.0"]).current_dir(&other).output().unwrap();
    let text = String::from_utf8_lossy(&second.stderr).into_owned();
    assert!(matches!(second.status.code(), Some(1 | 4)), "{second:?}");
    assert!(text.contains("SW1009") && text.contains("is being changed by Ann Author"), "{text}");
    assert_eq!(first.wait().unwrap().code(), Some(0));
    site.serves("1.2.0");
    assert_eq!(site.live("staging")["local"], "1.2.0");
}

#[test]
fn an_artifact_with_a_changed_byte_reaches_no_host() {
    let environment = |name: &str, from: &str| {
        format!(
            "[environment.{name}]\nhosts = [\"local\"]\npath = \"ROOT/{name}\"\nwatch = {{ for = false }}\n{from}\n"
        )
    };
    let both = environment("staging", "") + &environment("production", "from = \"staging\"");
    let site = Site::new(&format!("{FILES}{both}"));
    site.change("feat: one", "");
    site.code(0, &["push", "--to", "staging"]);
    let mut changed = 0;
    let blobs = std::process::Command::new("find")
        .arg(site.repo.path().join(".git/shipway"))
        .args(["-path", "*/blobs/*", "-type", "f"])
        .output()
        .unwrap();
    for path in String::from_utf8(blobs.stdout).unwrap().lines() {
        let mut bytes = fs::read(path).unwrap();
        let middle = bytes.len() / 2;
        bytes[middle] ^= 1;
        fs::remove_file(path).unwrap();
        fs::write(path, bytes).unwrap();
        changed += 1;
    }
    assert!(changed > 0);
    let output = site.command(&["deploy", "production"]).output().unwrap();
    let text = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(matches!(output.status.code(), Some(1 | 4)) && text.contains("SW1015"), "{text}");
    assert_eq!(site.current("production"), None);
}
