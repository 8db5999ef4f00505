//! Several hosts: over ssh, lost on the way, and many of them.

use std::fmt::Write as _;
use std::fs;

use shipway_testkit::host::Fleet;
use shipway_testkit::skip::skip;

use crate::site::Site;

const FILES: &str = r#"
[artifact]
include = ["VERSION", "change"]
"#;

fn over_ssh(fleet: &Fleet, more: &str) -> String {
    let names: Vec<&str> = fleet.iter().map(shipway_testkit::host::Sshd::name).collect();
    format!(
        "{FILES}\n[environment.staging]\nhosts = {names:?}\npath = \"app\"\nssh = [\"ssh\", \"-F\", \"{}\"]\n{more}\n",
        fleet.ssh_config().display()
    )
}

#[test]
fn a_release_reaches_hosts_over_ssh_and_comes_back() {
    let fleet = match Fleet::new(2) {
        Ok(fleet) => fleet,
        Err(why) => return skip(&why),
    };
    let site = Site::new(&over_ssh(&fleet, ""));
    site.change("feat: one", "");
    site.code(0, &["push", "--to", "staging"]);
    site.change("feat: two", "");
    site.code(0, &["push", "--to", "staging"]);
    for host in fleet.iter() {
        assert_eq!(host.say("cat ~/app/current/VERSION").trim(), "1.2.0");
    }
    site.code(0, &["rollback", "staging"]);
    for host in fleet.iter() {
        assert_eq!(host.say("cat ~/app/current/VERSION").trim(), "1.1.0");
    }
}

#[test]
fn a_host_that_is_down_stops_a_deployment_before_anything_changes() {
    let mut fleet = match Fleet::new(2) {
        Ok(fleet) => fleet,
        Err(why) => return skip(&why),
    };
    let site = Site::new(&over_ssh(&fleet, ""));
    site.change("feat: one", "");
    site.code(0, &["push", "--to", "staging"]);
    site.change("feat: two", "");
    site.code(0, &["push"]);
    fleet[1].stop();
    let said = site.code(1, &["deploy", "staging"]);
    assert!(said.contains("SW1002") || said.contains("SW1003"), "{said}");
    assert_eq!(fleet[0].say("cat ~/app/current/VERSION").trim(), "1.1.0");
    fleet[1].start();
    site.code(0, &["deploy", "staging"]);
    assert_eq!(fleet[1].say("cat ~/app/current/VERSION").trim(), "1.2.0");
}

#[test]
fn a_host_with_another_key_is_not_spoken_to() {
    let fleet = match Fleet::new(1) {
        Ok(fleet) => fleet,
        Err(why) => return skip(&why),
    };
    let site = Site::new(&over_ssh(&fleet, ""));
    site.change("feat: one", "");
    site.code(0, &["push"]);
    fleet[0].new_host_key();
    let said = site.code(1, &["deploy", "staging"]);
    assert!(said.contains("SW1004") && said.contains("ssh-keygen") && said.contains(" -R "), "{said}");
}

#[test]
fn of_a_hundred_hosts_three_fail_and_all_are_back() {
    let mut text = format!("{FILES}\n[environment.staging]\nstrategy = \"recreate\"\nconfirm = false\n");
    let names: Vec<String> = (0..100).map(|number| format!("h{number}")).collect();
    let _ = writeln!(text, "hosts = {names:?}");
    for name in &names {
        let _ =
            writeln!(text, "[environment.staging.host.{name}]\naddress = \"local\"\npath = \"ROOT/{name}\"");
    }
    let site = Site::new(&text);
    site.change("feat: one", "");
    site.code(0, &["push", "--to", "staging"]);
    for broken in ["h7", "h50", "h99"] {
        // A file stands where the releases belong, which stops even a superuser.
        let releases = site.root().join(broken).join("releases");
        fs::rename(&releases, site.root().join(broken).join("away")).unwrap();
        fs::write(&releases, "").unwrap();
    }
    site.change("feat: two", "");
    site.code(0, &["push"]);
    let output = site.command(&["deploy", "staging"]).output().unwrap();
    assert!(matches!(output.status.code(), Some(1 | 4)), "{output:?}");
    for name in names.iter().filter(|name| !["h7", "h50", "h99"].contains(&name.as_str())) {
        let version = fs::read_to_string(site.root().join(name).join("current/VERSION")).unwrap();
        assert_eq!(version.trim(), "1.1.0", "{name}");
    }
}
