//! Somebody sets the clock of the machine by an hour in the middle of a deployment: spans stay as long as they are.
//!
//! The processes see a clock of their own, which follows a file; nobody else's is touched.

use std::fs;
use std::path::PathBuf;
use std::process::Command;
use std::thread::sleep;
use std::time::{Duration, Instant};

use shipway_testkit::{host, skip};

use crate::site::{STAGING, Site, said};

/// Returns the library that gives processes a clock of their own, or says that it is not there.
fn library() -> Option<PathBuf> {
    let listed = Command::new("ldconfig").arg("-p").output().ok()?;
    let listed = String::from_utf8_lossy(&listed.stdout).into_owned();
    let dirs =
        listed.lines().filter_map(|line| PathBuf::from(line.rsplit(' ').next()?).parent().map(PathBuf::from));
    let found = dirs.map(|dir| dir.join("faketime/libfaketimeMT.so.1")).find(|path| path.exists());
    if found.is_none() {
        skip::skip("libfaketime is not installed");
    }
    found
}

/// Deploys 1.2.0 with these modes, and sets the clock while it is watched. Returns what was said, with this code, and
/// how long it took from then on.
fn deploy(site: &Site, library: &PathBuf, (modes, set): (&str, &str), code: i32) -> (String, Duration) {
    let clock = site.repo.home().join("clock");
    fs::write(&clock, "+0").unwrap();
    site.change("feat: next", modes);
    let mut command = site.command(&["push", "--to", "staging"]);
    command.env("LD_PRELOAD", library).env("FAKETIME_TIMESTAMP_FILE", &clock);
    command.env("FAKETIME_NO_CACHE", "1").env("FAKETIME_DONT_FAKE_MONOTONIC", "1");
    let client =
        command.stdout(std::process::Stdio::piped()).stderr(std::process::Stdio::piped()).spawn().unwrap();
    host::until("the next one is live", || site.ask().is_some_and(|answer| answer.release() == "1.2.0"));
    // The watch has begun by then; where it has not, nothing is shown, and nothing fails.
    sleep(Duration::from_millis(1500));
    let begun = Instant::now();
    let new = clock.with_extension("new");
    fs::write(&new, set).unwrap();
    fs::rename(&new, &clock).unwrap();
    let output = client.wait_with_output().unwrap();
    (said(code, &output), begun.elapsed())
}

/// Returns a site with 1.1.0 live that watches a new release for six seconds.
fn live() -> Site {
    let site = Site::new(STAGING);
    site.change("feat: good", "");
    site.code(0, &["push", "--to", "staging"]);
    let watch = "watch = { for = \"6s\", every = \"200ms\", without-data = \"pass\" }";
    site.configure(&STAGING.replace("watch = { for = false }", watch));
    site
}

#[test]
fn a_clock_that_is_set_forward_ends_no_watch() {
    let Some(library) = library() else { return };
    let site = live();
    let (said, _) = deploy(&site, &library, ("die-after 4", "+1h"), 4);
    assert!(said.contains("SW1031"), "{said}");
    site.serves("1.1.0");
}

#[test]
fn a_clock_that_is_set_back_makes_no_watch_longer() {
    let Some(library) = library() else { return };
    let site = live();
    let (_, took) = deploy(&site, &library, ("", "-1h"), 0);
    assert!(took < Duration::from_mins(2), "{took:?}");
    site.serves("1.2.0");
    // The journal goes on from where it was.
    let said = site.code(0, &["log", "--verify"]);
    assert!(!said.contains("SW"), "{said}");
}
