//! Tests that cannot run here say so, and are counted as skipped rather than passed.

use std::env;
use std::fs::OpenOptions;
use std::io::Write;
use std::thread;

/// Names the file to which a skipped test appends a line; `./test` sets it and counts the lines.
pub const FILE: &str = "SHIPWAY_TEST_SKIPPED";

/// Says that the calling test cannot run here. The test returns right after it.
///
/// ```
/// # fn can_mount() -> bool { true }
/// if !can_mount() {
///     return shipway_testkit::skip::skip("mounting needs root");
/// }
/// ```
pub fn skip(why: &str) {
    let name = thread::current().name().unwrap_or("a test").to_owned();
    let line = format!("skipped: {name}: {}\n", why.replace('\n', " "));
    let Some(path) = env::var_os(FILE) else {
        // Standard error may be closed, and the test does not depend on being heard.
        let _ = std::io::stderr().write_all(line.as_bytes());
        return;
    };
    // One write to a file opened for appending: lines of tests that run at once do not mix.
    let file = OpenOptions::new().create(true).append(true).open(&path);
    let written = file.and_then(|mut file| file.write_all(line.as_bytes()));
    written.expect("./test names a file that can be written");
}
