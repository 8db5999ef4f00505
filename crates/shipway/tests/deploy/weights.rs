//! A release that gets a share of the traffic before it gets all: real services behind the real proxy, under load.

use std::collections::BTreeMap;
use std::process::{Child, Stdio};
use std::time::Duration;

use serde_json::Value;
use shipway_testkit::host;
use shipway_testkit::load::{Load, Method, Report};

use crate::site::{STAGING, Site};
use crate::way::Front;

/// Returns a site with a release behind a proxy, whose next one goes through some shares.
fn site(weights: &str, more: &str) -> (Site, Front) {
    let site = Site::new(STAGING);
    let mut front = Front::new(&site);
    let canary = format!(
        "strategy = \"canary\"\nweights = {weights}\ncanary-watch = \"3s\"\n{more}\n\
         watch = {{ for = false, every = \"100ms\", samples = 5, slower = \"1000%\" }}"
    );
    front.text = front.text.replace("watch = { for = false }", &canary);
    site.configure(&front.text);
    // The first release has nobody to share with.
    site.change("feat: one", "");
    site.code(0, &["push", "--to", "staging"]);
    front.serves("1.1.0");
    (site, front)
}

/// Asks for some answers, and returns what became of them.
fn ask(front: &Front) -> Report {
    let load = Load::start(([127, 0, 0, 1], front.port).into(), 4, Method::Post, Duration::from_millis(1));
    load.wait_for(100);
    load.stop()
}

/// Returns how many of a hundred answers a release has given.
fn percent(report: &Report, release: &str) -> usize {
    report.by_release.get(release).copied().unwrap_or(0) * 100 / report.ok.max(1)
}

/// Begins something with shipway.
fn begin(site: &Site, args: &[&str]) -> Child {
    site.command(args).stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap()
}

/// Returns the weights of the proxy by the version of the release.
fn weights(site: &Site) -> BTreeMap<String, u64> {
    let control = site.repo.home().join("proxy.sock");
    let output =
        site.command(&["proxy", "status", "--json", "--control", control.to_str().unwrap()]).output();
    let told: Value = serde_json::from_slice(&output.unwrap().stdout).unwrap();
    let upstreams = told["proxy"]["upstreams"].as_array().unwrap().iter();
    upstreams
        .map(|upstream| {
            let release = upstream["release"].as_str().unwrap();
            let version = site.root().join("staging/releases").join(release).join("VERSION");
            let version = std::fs::read_to_string(version).unwrap().trim().to_owned();
            (version, upstream["weight"].as_u64().unwrap())
        })
        .collect()
}

/// Waits until a release has a share, in thousandths of a percent, which its answers show.
fn wait_for_share(site: &Site, front: &Front, release: &str, share: u64) {
    host::until("the release has its share", || weights(site).get(release) == Some(&share));
    let report = ask(front);
    assert!(report.failed.is_empty(), "{:?}", report.failed);
    let seen = percent(&report, release) as u64;
    assert!(seen.abs_diff(share / 1000) <= 10, "{seen} % of the answers: {:?}", report.by_release);
}

/// Returns what the copies answer that run, which are their releases and processes.
fn up(front: &Front) -> Vec<String> {
    let answers = front.ports.iter().map(|port| host::get(([127, 0, 0, 1], *port).into(), "/"));
    answers.flatten().map(|answer| answer.body).collect()
}

/// Asserts that one release has all of the traffic, and nothing else runs.
#[track_caller]
fn alone(site: &Site, front: &Front, version: &str) {
    let report = ask(front);
    assert!(report.failed.is_empty(), "{:?}", report.failed);
    assert_eq!(report.by_release.keys().collect::<Vec<_>>(), [version]);
    assert_eq!(weights(site).keys().collect::<Vec<_>>(), [version]);
    assert_eq!(up(front).len(), 1);
    assert_eq!(site.live("staging")["local"], version);
}

#[test]
fn a_release_gets_one_share_after_the_other_and_no_request_is_lost() {
    let (site, front) = site("[\"10%\", \"50%\"]", "");
    site.change("feat: two", "");
    site.code(0, &["push"]);
    let plan = site.code(0, &["deploy", "staging", "--plan"]);
    let order = ["share-10%", "watch-10%", "share-50%", "watch-50%", "staging/switch"];
    let places: Vec<_> = order.iter().map(|stage| plan.find(stage)).collect();
    assert!(places.iter().all(Option::is_some) && places.is_sorted(), "{plan}");
    assert!(plan.contains("10% of the traffic of local"), "{plan}");
    let mut child = begin(&site, &["deploy", "staging"]);
    // Each hundred requests, by how many of them the new release has answered.
    let mut seen: Vec<usize> = vec![];
    let ended = loop {
        let report = ask(&front);
        assert!(report.failed.is_empty(), "{:?}", report.failed);
        seen.push(percent(&report, "1.2.0"));
        if let Some(ended) = child.try_wait().unwrap() {
            break ended;
        }
    };
    assert_eq!(ended.code(), Some(0));
    let times = |share: usize| seen.iter().filter(|seen| seen.abs_diff(share) <= 3).count();
    println!("of each hundred answers, from the new release: {seen:?}");
    assert!(times(10) >= 2 && times(50) >= 2, "{seen:?}");
    let first = |share: usize| seen.iter().position(|seen| seen.abs_diff(share) <= 3);
    assert!(first(10) < first(50) && first(50) < first(100), "{seen:?}");
    // A change of the shares may fall into a hundred, and there are three.
    let between = seen.iter().filter(|seen| [0, 10, 50, 100].iter().all(|share| seen.abs_diff(*share) > 3));
    assert!(between.count() <= 3, "{seen:?}");
    alone(&site, &front, "1.2.0");
    // The same bytes again have nobody to share with but themselves.
    site.code(0, &["deploy", "staging", "1.2.0"]);
    alone(&site, &front, "1.2.0");
}

#[test]
fn a_release_that_fails_its_share_of_the_requests_is_taken_back_there() {
    let (site, front) = site("[\"10%\", \"50%\"]", "");
    site.change("feat: two", "error-rate 60");
    site.code(0, &["push"]);
    let load = Load::start(([127, 0, 0, 1], front.port).into(), 4, Method::Post, Duration::from_millis(2));
    let said = site.code(4, &["deploy", "staging"]);
    assert!(said.contains("watch-10%") && said.contains("requests failed"), "{said}");
    assert!(!said.contains("share-50%/local  started"), "{said}");
    let report = load.stop();
    // What its users have met is what failed, and nothing else did.
    assert!(report.failed.iter().all(|failed| failed.starts_with("500")), "{:?}", report.failed);
    assert!(!report.failed.is_empty() && percent(&report, "1.2.0") <= 10, "{:?}", report.by_release);
    alone(&site, &front, "1.1.0");
    assert!(site.events("staging").contains("reverted"));
}

#[test]
fn a_run_that_is_killed_at_a_share_goes_on_to_all_and_loses_no_request() {
    let (site, front) = site("[\"75%\"]", "");
    site.change("feat: two", "");
    site.code(0, &["push"]);
    let load = Load::start(([127, 0, 0, 1], front.port).into(), 4, Method::Post, Duration::from_millis(2));
    let mut child = begin(&site, &["deploy", "staging"]);
    wait_for_share(&site, &front, "1.2.0", 75_000);
    child.kill().unwrap();
    child.wait().unwrap();
    // Nobody is at work on it, and both go on.
    wait_for_share(&site, &front, "1.2.0", 75_000);
    let told = site.code(0, &["env", "status", "staging"]);
    assert!(told.contains("being changed") && told.contains("has 75% of its traffic for 1.2.0"), "{told}");
    site.code(0, &["resume"]);
    let report = load.stop();
    assert!(report.failed.is_empty(), "{:?}", report.failed);
    // Most of the traffic is not all of it: the switch has given the rest, too.
    alone(&site, &front, "1.2.0");
    assert!(site.events("staging").contains("confirmed"));
}

#[test]
fn a_host_that_hears_nothing_at_a_share_gives_all_of_it_back_by_itself() {
    let (site, front) = site("[\"50%\"]", "confirm = \"2s\"");
    site.change("feat: two", "");
    site.code(0, &["push"]);
    let load = Load::start(([127, 0, 0, 1], front.port).into(), 4, Method::Post, Duration::from_millis(2));
    let mut child = begin(&site, &["deploy", "staging"]);
    wait_for_share(&site, &front, "1.2.0", 50_000);
    child.kill().unwrap();
    child.wait().unwrap();
    host::until("the host goes back", || site.events("staging").contains("reverted"));
    alone(&site, &front, "1.1.0");
    // The run finds that, and has nothing left to take back.
    site.code(4, &["resume"]);
    alone(&site, &front, "1.1.0");
    let report = load.stop();
    assert!(report.failed.is_empty(), "{:?}", report.failed);
}

#[test]
fn a_run_that_is_taken_back_from_most_of_the_traffic_loses_no_request() {
    let (site, front) = site("[\"50%\", \"75%\"]", "");
    site.change("feat: two", "");
    site.code(0, &["push"]);
    let load = Load::start(([127, 0, 0, 1], front.port).into(), 4, Method::Post, Duration::from_millis(2));
    for share in [50_000, 75_000] {
        let old = up(&front);
        let mut child = begin(&site, &["deploy", "staging"]);
        wait_for_share(&site, &front, "1.2.0", share);
        child.kill().unwrap();
        child.wait().unwrap();
        let told = site.code(0, &["status", "--no-hosts", "--json"]);
        let told: Value = serde_json::from_str(told.lines().next().unwrap()).unwrap();
        let run = told["summary"]["run"].as_str().unwrap_or_else(|| panic!("{told}")).to_owned();
        let said = site.code(0, &["rollback", &run]);
        assert!(said.contains("rolled back"), "{said}");
        alone(&site, &front, "1.1.0");
        // It was never stopped meanwhile.
        assert_eq!(up(&front), old);
    }
    let report = load.stop();
    assert!(report.failed.is_empty(), "{:?}", report.failed);
}
