//! Every input that a fuzzer has kept, tried again: what broke a parser once breaks nothing now.

#![expect(clippy::unwrap_used, reason = "what goes wrong in a test is a failed test")]

use std::fs;
use std::panic::catch_unwind;
use std::path::Path;

#[expect(unreachable_pub, reason = "the fuzzer calls these from its own programs")]
#[path = "../../../fuzz/src/lib.rs"]
mod targets;

#[track_caller]
fn replay(target: &str, run: fn(&[u8])) {
    let dir = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../fuzz/corpus").join(target);
    let mut tried = 0;
    for entry in fs::read_dir(&dir).unwrap() {
        let path = entry.unwrap().path();
        let bytes = fs::read(&path).unwrap();
        assert!(catch_unwind(|| run(&bytes)).is_ok(), "{} breaks {target}", path.display());
        // An input that is cut off anywhere is an input, too.
        for end in 0..bytes.len().min(200) {
            assert!(
                catch_unwind(|| run(&bytes[..end])).is_ok(),
                "{} cut at {end} breaks {target}",
                path.display()
            );
        }
        tried += 1;
    }
    assert!(tried > 5, "only {tried} inputs in {}", dir.display());
}

#[test]
fn commit_messages() {
    replay("message", targets::message);
}

#[test]
fn names_of_refs() {
    replay("names", targets::names);
}

#[test]
fn policies_and_cases() {
    replay("policy", targets::policy);
}

#[test]
fn files_of_owners() {
    replay("owners", targets::owners);
}

#[test]
fn the_input_of_a_push() {
    replay("pushed", targets::pushed);
}
