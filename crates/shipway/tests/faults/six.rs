//! The six faults at which release tools end in a half state, and report success when they are called again.

use std::fmt::Write as _;
use std::io::{Read as _, Write as _};
use std::net::TcpListener;
use std::sync::Arc;
use std::sync::atomic::{AtomicU16, Ordering};

use shipway_core::problem::Code;

use crate::stage::{Stage, Told};

/// Prints what happened at each call.
fn report(name: &str, calls: &[(&str, &Told, String)]) {
    let mut table = format!("\n{name}\n");
    for (when, told, state) in calls {
        writeln!(table, "  {when:<12} exit {:<3} {state}", told.exit).unwrap();
    }
    print(&table);
}

fn print(table: &str) {
    println!("{table}");
}

fn state(stage: &Stage) -> String {
    format!(
        "tags here {}, there {}",
        stage.repo.git(["tag"]).replace('\n', " "),
        stage.remote.tags().join(" ")
    )
}

/// Runs `push` twice: with a fault that leaves everything as it was, and without it.
#[track_caller]
fn check(name: &str, stage: &Stage, fault: (&dyn Fn(), &dyn Fn()), (code, exit): (Code, u8)) {
    (fault.0)();
    let before = stage.state();
    let first = stage.run(&["push"]);
    first.tells(code, &[]).exits(exit);
    stage.unchanged(&before);
    let after = state(stage);
    (fault.1)();
    let second = stage.run(&["push"]);
    report(name, &[("fault", &first, after), ("same again", &second, state(stage))]);
    second.ok();
    stage.released("1.1.0");
    let third = stage.run(&["push"]);
    third.tells(Code::NothingToRelease, &[]).exits(10);
}

#[test]
fn a_remote_that_refuses_the_tag() {
    let stage = Stage::new();
    let fault = || _ = stage.remote.refuse_tags();
    check(
        "the remote refuses the tag",
        &stage,
        (&fault, &|| _ = stage.remote.accept()),
        (Code::HookRefused, 4),
    );
}

#[test]
fn a_push_that_is_refused() {
    let stage = Stage::new();
    let fault = || _ = stage.remote.refuse("come back tomorrow");
    check("the push is refused", &stage, (&fault, &|| _ = stage.remote.accept()), (Code::HookRefused, 4));
}

#[test]
fn a_tag_that_exists_already() {
    let stage = Stage::new();
    let hook = stage.remote.path().join("moved");
    // The tag comes into being behind the plan's back, while the checks run.
    stage.repo.file("shipway.toml", format!("[[check]]\nname = \"race\"\nrun = \"sh {}\"\n", hook.display()));
    stage.publish("chore: configure releases");
    let repo = stage.repo.path().display().to_string();
    let fault = || {
        std::fs::write(&hook, format!("git -C {repo} tag v1.1.0 HEAD~1 2>/dev/null; true\n")).unwrap();
    };
    let gone = || {
        std::fs::write(&hook, "true\n").unwrap();
        stage.repo.git(["tag", "--delete", "v1.1.0"]);
    };
    fault();
    let first = stage.run(&["push"]);
    first.tells(Code::TagTaken, &["v1.1.0"]).exits(4);
    assert_eq!(stage.remote.tags(), ["v1.0.0"]);
    assert_eq!(stage.repo.read("VERSION"), "1.0.0\n");
    let after = state(&stage);
    gone();
    let second = stage.run(&["push"]);
    report("the tag exists already", &[("fault", &first, after), ("same again", &second, state(&stage))]);
    second.ok();
    stage.released("1.1.0");
}

#[test]
fn a_hook_that_fails() {
    let stage = Stage::new();
    let fault = || _ = stage.repo.hook("pre-commit", "echo 'no release on Fridays' >&2; exit 1");
    let gone = || std::fs::remove_file(stage.repo.path().join(".git/hooks/pre-commit")).unwrap();
    check("a hook fails", &stage, (&fault, &gone), (Code::HookRefused, 4));
}

#[test]
fn a_tag_that_exists_beside_a_local_bump() {
    let stage = Stage::new();
    // Another tool wrote the version and made the tag, and then ended.
    let tip = stage.repo.head();
    stage.repo.file("VERSION", "1.1.0\n");
    stage.repo.commit("chore(release): 1.1.0");
    stage.repo.annotated("v1.1.0");
    let before = stage.state();
    let first = stage.run(&["push"]);
    assert!([1, 10].contains(&first.exit), "{}", first.text());
    stage.unchanged(&before);
    let after = state(&stage);
    stage.repo.git(["tag", "--delete", "v1.1.0"]);
    stage.repo.git(["reset", "--quiet", "--hard", &tip]);
    let second = stage.run(&["push"]);
    report(
        "the tag exists with a local bump",
        &[("fault", &first, after), ("same again", &second, state(&stage))],
    );
    second.ok();
    stage.released("1.1.0");
}

#[test]
fn a_release_that_is_not_well_afterwards() {
    let status = Arc::new(AtomicU16::new(500));
    let address = answering(Arc::clone(&status));
    let stage = Stage::configured(&format!("[verify]\nhealth = [\"http://{address}/\"]\nwithin = \"1s\"\n"));
    let first = stage.run(&["push"]);
    first.tells(Code::Unhealthy, &["status 500"]).exits(4);
    assert_eq!(stage.remote.tags(), ["v1.0.0", "v1.1.0"], "a published tag stays");
    assert!(stage.remote.tip("main").is_some());
    let after = state(&stage);
    status.store(200, Ordering::SeqCst);
    stage.repo.git(["pull", "--quiet", "--ff-only", "origin", "main"]);
    assert_eq!(stage.repo.read("VERSION"), "1.0.0\n", "the revert commit took the version back");
    let second = stage.run(&["push"]);
    report("the release is not well", &[("fault", &first, after), ("same again", &second, state(&stage))]);
    second.ok();
    stage.released("1.1.1");
}

/// Serves a status on a port of its own until the test program ends.
fn answering(status: Arc<AtomicU16>) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap().to_string();
    std::thread::spawn(move || {
        for mut stream in listener.incoming().flatten() {
            let _ = stream.read(&mut [0; 4096]);
            let status = status.load(Ordering::SeqCst);
            let _ = write!(stream, "HTTP/1.1 {status} X\r\nContent-Length: 0\r\nConnection: close\r\n\r\n");
        }
    });
    address
}
