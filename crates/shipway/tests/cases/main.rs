//! Every directory of `tests/cases` at the root of the repository: a script makes a repository, and shipway says what
//! it says.

use std::fs;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Mutex, PoisonError};
use std::thread;

use serde_json::Value;
use shipway_testkit::hermetic;
use shipway_testkit::snapshot::{Filters, assert_text};

const SHIPWAY: &str = env!("CARGO_BIN_EXE_shipway");
/// How many cases there are at least: fewer have been lost.
const FEWEST: usize = 40;
/// The date of every release, 2026-01-31T00:00:00Z, in seconds since 1970.
const TODAY: &str = "1769817600";
/// How many cases run at once.
const AT_ONCE: usize = 2;

#[test]
fn every_case_is_answered_as_expected() {
    let cases = cases();
    assert!(cases.len() >= FEWEST, "there are only {} cases", cases.len());
    let (next, broken) = (AtomicUsize::new(0), Mutex::new(vec![]));
    thread::scope(|scope| {
        for _ in 0..AT_ONCE {
            scope.spawn(|| {
                while let Some(case) = cases.get(next.fetch_add(1, Ordering::SeqCst)) {
                    let name = case.file_name().unwrap_or_default().to_string_lossy();
                    // Each case is told by itself, so that one failure does not hide the others.
                    if catch_unwind(AssertUnwindSafe(|| check(case))).is_err() {
                        broken.lock().unwrap_or_else(PoisonError::into_inner).push(name.into_owned());
                    }
                }
            });
        }
    });
    let mut broken = broken.into_inner().unwrap_or_else(PoisonError::into_inner);
    broken.sort();
    assert!(broken.is_empty(), "{} of {} cases: {}", broken.len(), cases.len(), broken.join(", "));
    println!("{} cases", cases.len());
}

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("../../tests/cases")
        .canonicalize()
        .expect("the repository has cases")
}

/// Returns the directories in order.
fn cases() -> Vec<PathBuf> {
    let entries =
        fs::read_dir(root()).expect("the cases can be read").map(|entry| entry.expect("so can each").path());
    let mut cases: Vec<PathBuf> = entries.filter(|path| path.is_dir()).collect();
    cases.sort();
    cases
}

fn check(case: &Path) {
    assert!(case.join("setup.sh").is_file(), "{} has no setup.sh", case.display());
    let dir = tempfile::tempdir().expect("a temporary directory can be made");
    let root = dir.path().canonicalize().expect("the directory was just made");
    let repo = root.join("repo");
    let (mut setup, script) = (command("bash", &root, &root), case.join("setup.sh"));
    setup.env("CASE", case).env("LIB", case.with_file_name("lib.sh")).env("SHIPWAY", SHIPWAY);
    let made = setup.arg(&script).output().expect("bash is installed");
    let said = [made.stdout, made.stderr].concat();
    assert!(made.status.success(), "{}: {}", script.display(), String::from_utf8_lossy(&said));
    // The tools of this machine must not decide which checks a project has.
    let tools = root.join("tools");
    fs::create_dir_all(&tools).expect("a directory can be made in the test's own directory");
    std::os::unix::fs::symlink(program("git"), tools.join("git"))
        .expect("a link can be made in the test's own directory");
    // A case that was run in before has times and run ids in its repository.
    let varies = fs::read_to_string(&script).expect("it was just run").contains("$SHIPWAY");
    let filters = Filters::none().replace(root.to_string_lossy(), "[DIR]");
    let filters = if varies { filters.ids().times().spans() } else { filters };
    let args = fs::read_to_string(case.join("args")).unwrap_or_else(|_| "plan".into());
    let run = |json: bool| {
        let mut shipway = command(SHIPWAY, &repo, &root);
        shipway.env("PATH", &tools).args(args.split_whitespace());
        let output = shipway.args(json.then_some("--json")).output().expect("shipway can be started");
        let text = |bytes: &[u8]| {
            let text = str::from_utf8(bytes).expect("what is printed is UTF-8");
            if json { laid_out(text) } else { text.to_owned() }
        };
        let mut said = text(&output.stdout);
        let errors = text(&output.stderr);
        if !errors.is_empty() {
            said += "[standard error]\n";
            said += &errors;
        }
        let code = output.status.code().expect("shipway ends by itself");
        said += &format!("exit: {code}\n");
        assert!(!said.contains(|c: char| c.is_control() && c != '\n'), "control characters: {said:?}");
        filters.apply(&said)
    };
    assert_text(&*case.join("plan.txt"), &run(false));
    assert_text(&*case.join("plan.json"), &run(true));
}

/// Returns a hermetic command in a directory, with a home of its own.
fn command(program: &str, dir: &Path, root: &Path) -> Command {
    let mut command = hermetic::command(program, dir);
    command.env("HOME", root.join("home")).env("SOURCE_DATE_EPOCH", TODAY);
    command
}

/// Returns where a program is.
fn program(name: &str) -> PathBuf {
    let path = std::env::var_os("PATH").unwrap_or_default();
    std::env::split_paths(&path)
        .map(|dir| dir.join(name))
        .find(|path| path.is_file())
        .expect("it is installed")
}

/// Returns JSON, one value a line, with a line for each of its members.
fn laid_out(text: &str) -> String {
    let values = serde_json::Deserializer::from_str(text).into_iter::<Value>();
    let lines: Vec<String> =
        values.map(|value| format!("{:#}\n", value.expect("every line is JSON"))).collect();
    lines.concat()
}
