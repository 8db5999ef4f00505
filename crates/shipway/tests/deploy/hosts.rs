//! Several hosts: over ssh, lost on the way, and many of them.

use std::fmt::Write as _;
use std::fs;
use std::net::TcpListener;
use std::time::{Duration, Instant};

use shipway_testkit::host::{self, Fleet, Wanted};
use shipway_testkit::skip::skip;

use crate::site::{FILES, Site, over_fleet};

#[test]
fn a_release_reaches_hosts_over_ssh_and_comes_back() {
    let fleet = match Fleet::new(2) {
        Ok(fleet) => fleet,
        Err(why) => return skip(&why),
    };
    let site = Site::new(&over_fleet(FILES, &fleet, ""));
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
    let site = Site::new(&over_fleet(FILES, &fleet, ""));
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
    // Nor is anything published that would go there.
    fleet[1].stop();
    site.change("feat: three", "");
    let said = site.code(1, &["push", "--to", "staging"]);
    assert!(said.contains("SW1002") || said.contains("SW1003"), "{said}");
    assert!(!site.remote.tags().contains(&"v1.3.0".to_owned()));
}

#[test]
fn status_shows_what_is_live_everywhere_and_waits_for_no_silent_host() {
    if let Err(why) = host::program("ssh") {
        return skip(&why);
    }
    // It takes connections and says nothing, as a host that is stuck.
    let silent = TcpListener::bind(("127.0.0.1", 0)).unwrap();
    let port = silent.local_addr().unwrap().port();
    let hosts: Vec<String> = (0..12).map(|number| format!("mute{number}")).collect();
    let mut text = format!(
        "{FILES}\n[environment.production]\nfrom = \"staging\"\nssh = [\"ssh\", \"-p\", \"{port}\"]\n\
         hosts = {:?}\n[environment.staging]\nhosts = [\"local\"]\npath = \"ROOT/staging\"\n",
        [&hosts[..], &["here".to_owned()]].concat()
    );
    for host in &hosts {
        let _ = writeln!(text, "[environment.production.host.{host}]\naddress = \"127.0.0.1\"");
    }
    text += "[environment.production.host.here]\naddress = \"local\"\npath = \"ROOT/here\"\n";
    let site = Site::new(&text);
    site.change("feat: one", "");
    site.code(0, &["push", "--to", "staging"]);
    let begun = Instant::now();
    let output = site.command(&["status"]).output().unwrap();
    let took = begun.elapsed();
    let (shown, told) = (String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
    assert!(output.status.success() && told.contains("waiting for mute0, mute1"), "{told}");
    let has = |words: &[&str]| {
        let hit = shown.lines().any(|line| words.iter().all(|word| line.contains(word)));
        assert!(hit, "{words:?}: {shown}");
    };
    has(&["1.1.0", "shipped"]);
    has(&["staging", "local", "1.1.0", "confirmed"]);
    // The living one is behind those that are not, and is seen all the same.
    has(&["production", "here", "nothing yet"]);
    for host in &hosts {
        has(&["production", host, "not reached"]);
    }
    assert!(took < Duration::from_secs(8), "{took:?}");
    let said = site.code(2, &["env", "status", "--host", "nobody"]);
    assert!(said.contains("no host `nobody`") && said.contains("mute11, here"), "{said}");
    let begun = Instant::now();
    let said = site.code(0, &["status", "--no-hosts", "--json"]);
    assert!(!said.contains("\"hosts\""), "{said}");
    assert!(begun.elapsed() < Duration::from_secs(3), "no host is asked");
    fs::write(site.root().join("staging/current/VERSION"), "9.9.9").unwrap();
    let said = site.code(0, &["status", "--json"]);
    let value: serde_json::Value = serde_json::from_str(said.lines().next().unwrap()).unwrap();
    let hosts = value["hosts"].as_array().unwrap();
    let staging = hosts.iter().find(|host| host["environment"] == "staging").unwrap();
    assert_eq!((&staging["state"], &staging["release"]["version"]), (&"drift".into(), &"1.1.0".into()));
    assert_eq!((value["kind"].as_str(), hosts.len()), (Some("status"), 14));
}

#[test]
fn a_host_with_another_key_is_not_spoken_to() {
    let fleet = match Fleet::new(1) {
        Ok(fleet) => fleet,
        Err(why) => return skip(&why),
    };
    let site = Site::new(&over_fleet(FILES, &fleet, ""));
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

#[test]
fn a_host_without_room_for_the_release_is_told_of_before_anything_is_sent() {
    // What is left beside the agent is less than the release needs, and so it is after half of it is freed.
    let agent = fs::metadata(env!("CARGO_BIN_EXE_shipway")).unwrap().len();
    let fleet = match Fleet::of(vec![Wanted::new("small").disk(agent + (24 << 20))]) {
        Ok(fleet) => fleet,
        Err(why) => return skip(&why),
    };
    let site = Site::new(&over_fleet(FILES, &fleet, "watch = { for = false }"));
    site.change("feat: small", "");
    site.code(0, &["push", "--to", "staging"]);
    let live = || fleet[0].say("cat ~/app/current/VERSION").trim().to_owned();
    let mut state = 7_u64;
    let noise = std::iter::repeat_with(|| {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        state.to_le_bytes()[7]
    });
    site.repo.file("change", noise.take(40 << 20).collect::<Vec<u8>>());
    site.push("feat: large");
    site.code(0, &["push"]);
    let said = site.code(4, &["deploy", "staging"]);
    assert!(said.contains("SW1012") && said.contains("small"), "{said}");
    assert_eq!(live(), "1.1.0");
    assert_eq!(fs::read_dir(fleet[0].home().join("app/releases")).unwrap().count(), 1);
    site.code(0, &["env", "status"]);
}

#[test]
fn a_directory_that_may_not_be_written_is_told_of_and_nothing_changes() {
    let site = Site::new(&format!(
        "{FILES}\n[environment.staging]\nhosts = [\"local\"]\npath = \"ROOT/staging\"\nwatch = {{ for = false }}\n"
    ));
    site.change("feat: one", "");
    site.code(0, &["push", "--to", "staging"]);
    site.change("feat: two", "");
    site.code(0, &["push"]);
    let before = site.current("staging");
    let refused = host::read_only(&site.root().join("staging"), || {
        site.command(&["deploy", "staging"]).output().unwrap()
    });
    match refused {
        Ok(output) => {
            let said = crate::site::said(4, &output);
            assert!(said.contains("SW1013") || said.contains("SW1051"), "{said}");
        }
        Err(why) => return skip(&why),
    }
    assert_eq!(site.current("staging"), before);
    site.code(0, &["deploy", "staging"]);
    assert_ne!(site.current("staging"), before);
}
