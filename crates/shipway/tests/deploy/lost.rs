//! Lines that break and hosts that go down, at every time of a deployment.

use std::collections::BTreeMap;
use std::env;
use std::fs;
use std::process::Child;
use std::thread::sleep;
use std::time::Duration;

use shipway_testkit::host::{self, Fleet, Loss, Sshd, Way};
use shipway_testkit::skip::skip;

use crate::site::{FILES, Site, over_fleet};

/// Long enough that a test reaches the host in between.
const LONG_WATCH: &str = "confirm = \"3s\"\nwatch = { for = \"2m\", every = \"200ms\" }";

/// A first host that is watched before the other one follows.
const ONE_FIRST: &str = "strategy = \"canary\"\ncanary-watch = \"4s\"\nconfirm = \"1m\"\nwatch = { for = \"4s\", every = \"200ms\" }";

/// Returns the version that a host has live, as its files tell it.
fn on(host: &Sshd) -> String {
    fs::read_to_string(host.home().join("app/current/VERSION")).unwrap_or_default().trim().to_owned()
}

fn is_on(host: &Sshd, version: &str) -> bool {
    on(host) == version
}

/// Returns a site with 1.1.0 live on all hosts, and 1.2.0 released and on none.
fn released(fleet: &Fleet, environment: &str) -> Site {
    let site = Site::new(&over_fleet(FILES, fleet, "watch = { for = false }"));
    site.change("feat: one", "");
    site.code(0, &["push", "--to", "staging"]);
    site.configure(&over_fleet(FILES, fleet, environment));
    site.change("feat: two", "");
    site.code(0, &["push"]);
    site
}

/// Waits for a client and returns its code.
fn ended(mut client: Child) -> Option<i32> {
    client.wait().unwrap().code()
}

/// Goes on with the run that is open until it is at its end; returns the code of that end.
fn settled(site: &Site) -> i32 {
    let output = site.command(&["resume"]).output().unwrap();
    output.status.code().unwrap_or_else(|| panic!("{output:?}"))
}

#[test]
fn a_connection_that_breaks_anywhere_leaves_the_host_whole() {
    let fleet = match Fleet::new(1) {
        Ok(fleet) => fleet,
        Err(why) => return skip(&why),
    };
    let full = env::var_os("SHIPWAY_TEST_FULL").is_some_and(|value| value == "1");
    let places: u64 = if full { 100 } else { 8 };
    let site = released(&fleet, "watch = { for = false }");
    let forwarder = fleet[0].forwarder().unwrap();
    let before = [Way::Up, Way::Down].map(|way| forwarder.passed(way));
    site.code(0, &["deploy", "staging", "1.2.0"]);
    let bytes = [Way::Up, Way::Down].map(|way| forwarder.passed(way));
    let mut ends = BTreeMap::new();
    for (way, all) in [(Way::Up, bytes[0] - before[0]), (Way::Down, bytes[1] - before[1])] {
        for place in 0..places {
            let was = on(&fleet[0]);
            let target = if was == "1.2.0" { "1.1.0" } else { "1.2.0" };
            let after = all * place / places;
            forwarder.cut_after(way, after, Loss::Closed);
            let output = site.command(&["deploy", "staging", target]).output().unwrap();
            forwarder.heal();
            let first = output.status.code();
            let code = if matches!(first, Some(0 | 1 | 4)) { first.unwrap() } else { settled(&site) };
            let what = format!("{way:?}, lost after {after} of {all} bytes: {first:?}, then {code}");
            let live = on(&fleet[0]);
            match code {
                0 => assert_eq!(live, target, "{what}\n{output:?}"),
                1 | 4 => assert_eq!(live, was, "{what}\n{output:?}"),
                _ => panic!("{what}\n{output:?}"),
            }
            site.code(0, &["env", "status"]);
            *ends.entry(code).or_insert(0) += 1;
        }
    }
    println!("a connection lost {} times in a deployment, by the code at the end: {ends:?}", 2 * places);
    assert!(ends.contains_key(&0), "{ends:?}");
}

#[test]
fn hosts_that_are_cut_off_after_the_switch_are_back_when_the_line_is() {
    let fleet = match Fleet::new(2) {
        Ok(fleet) => fleet,
        Err(why) => return skip(&why),
    };
    let site = released(&fleet, LONG_WATCH);
    let client = site.command(&["deploy", "staging"]).spawn().unwrap();
    host::until("both are switched", || fleet.iter().all(|host| is_on(host, "1.2.0")));
    fleet[1].cut();
    host::until("the one that is cut off is back", || is_on(&fleet[1], "1.1.0"));
    fleet[1].heal();
    assert_eq!(ended(client), Some(4));
    assert!(fleet.iter().all(|host| is_on(host, "1.1.0")));
    site.code(0, &["env", "status"]);
}

#[test]
fn a_host_that_loses_its_power_before_the_confirmation_comes_back_with_the_old_release() {
    let mut fleet = match Fleet::new(1) {
        Ok(fleet) => fleet,
        Err(why) => return skip(&why),
    };
    if !host::is_root() {
        return skip("only root can end all processes of a host");
    }
    let site = Site::new(&over_fleet("SERVICE", &fleet, "watch = { for = false }"));
    site.change("feat: one", "");
    site.code(0, &["push", "--to", "staging"]);
    site.configure(&over_fleet("SERVICE", &fleet, LONG_WATCH));
    site.change("feat: two", "");
    site.code(0, &["push"]);
    site.serves("1.1.0");
    let client = site.command(&["deploy", "staging"]).spawn().unwrap();
    host::until("it is switched", || site.ask().is_some_and(|answer| answer.release() == "1.2.0"));
    fleet[0].crash();
    assert!(site.ask().is_none());
    fleet[0].start();
    assert_eq!(ended(client), Some(4));
    assert!(is_on(&fleet[0], "1.1.0"));
    site.serves("1.1.0");
    site.code(0, &["env", "status"]);
}

/// Takes the second host down at a moment of a deployment: the first one goes back without it, and the second one when
/// it is up again.
fn down(moment: &str, so: impl Fn(&[Sshd]) -> bool) {
    let mut fleet = match Fleet::new(2) {
        Ok(fleet) => fleet,
        Err(why) => return skip(&why),
    };
    let site = released(&fleet, ONE_FIRST);
    let client = site.command(&["deploy", "staging"]).spawn().unwrap();
    host::until(moment, || so(&fleet));
    fleet[1].stop();
    host::until("the host that can be reached is back", || is_on(&fleet[0], "1.1.0"));
    fleet[1].start();
    assert_eq!(ended(client), Some(4));
    assert!(fleet.iter().all(|host| is_on(host, "1.1.0")));
    site.code(0, &["env", "status"]);
    site.code(0, &["deploy", "staging"]);
    assert!(fleet.iter().all(|host| is_on(host, "1.2.0")));
}

#[test]
fn a_host_that_goes_down_between_the_waves_takes_all_of_them_back() {
    down("the first one is switched", |hosts| is_on(&hosts[0], "1.2.0"));
}

#[test]
fn a_host_that_goes_down_after_its_switch_takes_all_of_them_back() {
    down("both are switched", |hosts| hosts.iter().all(|host| is_on(host, "1.2.0")));
}

#[test]
fn a_client_that_slept_while_another_took_over_changes_nothing_any_more() {
    let full = env::var_os("SHIPWAY_TEST_FULL").is_some_and(|value| value == "1");
    if !full {
        return skip("a lease lasts a minute: with ./test --full");
    }
    let fleet = match Fleet::new(1) {
        Ok(fleet) => fleet,
        Err(why) => return skip(&why),
    };
    let site = released(&fleet, LONG_WATCH);
    let other = site.clone();
    let client = site.command(&["deploy", "staging"]).spawn().unwrap();
    host::until("it is switched", || is_on(&fleet[0], "1.2.0"));
    let pid = rustix::process::Pid::from_child(&client);
    rustix::process::kill_process(pid, rustix::process::Signal::STOP).unwrap();
    host::until("the host is back", || is_on(&fleet[0], "1.1.0"));
    // The lease of the one that sleeps has to lapse.
    sleep(Duration::from_secs(62));
    let mut deploy = site.command(&["deploy", "staging", "1.1.0"]);
    let output = deploy.current_dir(&other).output().unwrap();
    assert!(matches!(output.status.code(), Some(0 | 10)), "{output:?}");
    rustix::process::kill_process(pid, rustix::process::Signal::CONT).unwrap();
    // It may not even go back: the host is another's now.
    assert_eq!(ended(client), Some(5));
    assert!(is_on(&fleet[0], "1.1.0"));
    assert_eq!(settled(&site), 4);
    assert!(is_on(&fleet[0], "1.1.0"));
}
