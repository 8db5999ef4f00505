//! `kill -9` of the real binary at random moments of a deployment over three hosts of this machine.
//!
//! Only shipway itself is killed: the agents that it started bring what they began to its end, and whoever takes up the
//! run at once must wait for them.

use std::collections::{BTreeMap, BTreeSet};
use std::env;
use std::fs;
use std::process::Stdio;
use std::thread::sleep;
use std::time::{Duration, Instant};

use serde_json::Value;

use crate::site::Site;

const THREE: &str = r#"
[artifact]
include = ["VERSION", "change"]
[environment.production]
hosts = ["a", "b", "c"]
watch = { for = false }
host = { a = { address = "local", path = "ROOT/a" }, b = { address = "local", path = "ROOT/b" }, c = { address = "local", path = "ROOT/c" } }
"#;

const HOSTS: [&str; 3] = ["a", "b", "c"];

/// The moments are the same for the same seed.
const SEED: u64 = 23;

/// Returns a duration up to a longest one, by the generator of Knuth's MMIX.
fn up_to(state: &mut u64, longest: Duration) -> Duration {
    *state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
    longest * u32::try_from(*state >> 48).unwrap() / (1 << 16)
}

/// Returns the version that every host has, as each of them tells it.
fn agreed(site: &Site) -> Result<String, String> {
    let mut versions = BTreeSet::new();
    for host in HOSTS {
        let root = site.root().join(host);
        let output = site.command(&["agent", "status", root.to_str().unwrap(), "--json"]).output().unwrap();
        let told: Value =
            serde_json::from_slice(&output.stdout).map_err(|error| format!("{error}: {output:?}"))?;
        let state = &told["host"];
        let live = &state["current"];
        let known = state["deployments"].as_array().unwrap().iter();
        let known = known.rev().find(|known| known["deployment"]["run"] == *live);
        let known = known.ok_or_else(|| format!("nothing is live on {host}: {state}"))?;
        let free = state["lease"].is_null() || state["lease"]["left_ms"] == 0;
        let drift = state["drift"].as_array().is_some_and(|drift| !drift.is_empty());
        if known["standing"] != "confirmed" || !free || drift || !state["watchdog"].is_null() {
            return Err(format!("{host} is not at rest: {state}"));
        }
        versions.insert(known["deployment"]["version"].as_str().unwrap().to_owned());
    }
    let first = versions.first().cloned().unwrap();
    if versions.len() == 1 { Ok(first) } else { Err(format!("two releases are confirmed: {versions:?}")) }
}

/// Runs what begins with a deployment, kills it after some time, and takes it up until nothing waits any more; returns the
/// last exit code and all that was said.
fn killed(site: &Site, args: &[&str], after: Duration) -> (Option<i32>, String) {
    let mut child = site.command(args).stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap();
    sleep(after);
    child.kill().unwrap();
    child.wait().unwrap();
    loop {
        let output = site.command(&["resume"]).output().unwrap();
        let told = String::from_utf8_lossy(&output.stderr).into_owned();
        if output.status.code() != Some(3) {
            return (output.status.code(), told);
        }
        sleep(Duration::from_millis(200));
    }
}

#[test]
fn a_deployment_that_is_killed_at_random_and_resumed_is_whole_or_never_began() {
    let full = env::var_os("SHIPWAY_TEST_FULL").is_some_and(|value| value == "1");
    let trials = if full { 100 } else { 10 };
    let site = Site::new(THREE);
    site.change("feat: one", "");
    site.code(0, &["push"]);
    site.change("feat: two", "");
    site.code(0, &["push"]);
    site.code(0, &["deploy", "production", "1.1.0"]);
    let begun = Instant::now();
    site.code(0, &["deploy", "production", "1.2.0"]);
    let (mut longest, mut dice, mut ends) = (begun.elapsed(), SEED, BTreeMap::new());
    assert_eq!(agreed(&site).unwrap(), "1.2.0");
    let mut trial = 0;
    // On a busy machine all of them may come too early or too late at first.
    while trial < trials || (trial < 10 * trials && !ends.contains_key("whole")) {
        trial += 1;
        let before = agreed(&site).unwrap();
        let target = if before == "1.2.0" { "1.1.0" } else { "1.2.0" };
        let after = up_to(&mut dice, longest);
        let place = format!("seed {SEED}, trial {trial}, killed after {after:?}");
        let (code, told) = killed(&site, &["deploy", "production", target], after);
        let live = agreed(&site).unwrap_or_else(|seen| panic!("{place}: {seen}\n{told}"));
        // A host that was cut off in the middle of its switch has all of them go back.
        let end = match code {
            _ if told.contains("no run is open") && live == before => {
                longest += longest / 4;
                "too early"
            }
            _ if told.contains("no run is open") => {
                longest -= longest / 8;
                "too late"
            }
            Some(0) if live == target => "whole",
            Some(_) if live == before => "back",
            code => panic!("{place}: it ended with {code:?}, and live is {live}\n{told}"),
        };
        *ends.entry(end).or_insert(0) += 1;
    }
    println!("kill -9 of a deployment, then resume: {trial} trials, seed {SEED}, ends {ends:?}");
    assert!(ends.contains_key("whole"), "{ends:?}");
}

/// A database that is a file, a migration that must not be made twice, and a gate that waits for a second.
const GATED: &str = r#"
[environment.staging]
hosts = ["local"]
path = "ROOT/staging"
watch = { for = false }
[[migration]]
name = "add"
run = ["sh", "-c", "echo new >> ROOT/db"]
done = ["grep", "-q", "new", "ROOT/db"]
undo = ["sed", "-i", "/new/d", "ROOT/db"]
"#;

#[test]
fn a_migration_is_made_once_or_taken_back_however_often_the_client_is_killed_at_a_gate() {
    let full = env::var_os("SHIPWAY_TEST_FULL").is_some_and(|value| value == "1");
    let trials = if full { 60 } else { 8 };
    let site = Site::new(&format!("{THREE}from = \"staging\"\nsoak = \"1s\"\n{GATED}"));
    let database = || fs::read_to_string(site.root().join("db")).unwrap();
    let ours = |text: &str| fs::write(site.root().join("db"), text).unwrap();
    fs::create_dir_all(site.root()).unwrap();
    ours("new\n");
    for _ in 0..2 {
        site.change("feat: one", "");
        site.code(0, &["push", "--to", "staging"]);
    }
    site.code(0, &["deploy", "staging", "1.1.0"]);
    sleep(Duration::from_secs(1));
    site.code(0, &["deploy", "production", "1.1.0"]);
    let (longest, mut dice, mut ends) = (Duration::from_secs(3), SEED, BTreeMap::new());
    for trial in 0..trials {
        let before = agreed(&site).unwrap();
        let target = if before == "1.2.0" { "1.1.0" } else { "1.2.0" };
        site.code(0, &["deploy", "staging", target]);
        ours("old\n");
        let after = up_to(&mut dice, longest);
        let place = format!("seed {SEED}, trial {trial}, killed after {after:?}");
        let (code, told) = killed(&site, &["deploy", "production", target], after);
        let live = agreed(&site).unwrap_or_else(|seen| panic!("{place}: {seen}\n{told}"));
        // What is not to be found in the database now was never made, or taken back; once is once.
        let end = match (code, database().as_str()) {
            (_, "old\nnew\n") if live == target => "whole",
            (_, "old\n") if live == before => "back",
            (code, seen) => {
                panic!("{place}: it ended with {code:?}, live is {live}, and there is {seen:?}\n{told}")
            }
        };
        *ends.entry(end).or_insert(0) += 1;
    }
    println!("kill -9 with a migration behind a gate: {trials} trials, seed {SEED}, ends {ends:?}");
    assert!(ends.contains_key("whole"), "{ends:?}");
}
