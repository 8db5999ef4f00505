//! Output: data on the standard output, talk on the standard error, a status line on terminals only.

use std::io::{Read as _, Write as _};
use std::process::Stdio;

use shipway_testkit::skip::skip;

use crate::stage::{Done, QUIET, Stage, check, finish, home_gate, ignores, text};
use rustix::process::Signal;

fn plain(done: &Done) {
    for text in [&done.out, &done.err] {
        assert!(!text.contains('\x1b') && !text.contains('\r'), "{text:?}");
    }
}

#[test]
fn a_push_has_no_data_for_people_and_lines_of_json_for_programs() {
    let stage = Stage::new(&check("test", "echo hello"));
    let done = stage.code(0, &["push"]);
    assert_eq!(done.out, "");
    done.says(&["shipped widget 1.0.0 → 1.1.0", &stage.last_run()]);
    plain(&done);
    let stage = Stage::new(&check("test", "echo hello"));
    let done = stage.code(0, &["push", "--json"]);
    assert!(done.out.lines().count() > 5, "{}", done.out);
    for line in done.out.lines() {
        let value: serde_json::Value =
            serde_json::from_str(line).unwrap_or_else(|error| panic!("{error}: {line}"));
        assert_eq!(value["v"], 1, "{line}");
    }
    plain(&done);
}

#[test]
fn a_quiet_push_that_ships_says_nothing_and_one_that_fails_says_why() {
    let stage = Stage::new(QUIET);
    assert_eq!(stage.code(0, &["push", "--quiet"]).all(), "");
    stage.assert_shipped();
    let stage = Stage::new(&check("test", "echo no; exit 3"));
    let done = stage.code(1, &["push", "--quiet"]);
    assert_eq!(done.out, "");
    assert!(done.err.starts_with("error[SW0501]"), "{done:?}");
}

#[test]
fn a_reader_who_leaves_is_no_error() {
    let stage = Stage::new(QUIET);
    for args in [&["plan"][..], &["plan", "--json"], &["changelog"], &["log"]] {
        let (mut reader, writer) = std::io::pipe().unwrap();
        if args[0] == "log" {
            stage.code(0, &["push"]);
        }
        let mut child = stage.command(args).stdout(writer).stderr(Stdio::piped()).spawn().unwrap();
        if args[0] == "plan" {
            let mut first = [0];
            reader.read_exact(&mut first).unwrap();
        }
        drop(reader);
        let mut errors = String::new();
        child.stderr.take().unwrap().read_to_string(&mut errors).unwrap();
        assert_eq!((child.wait().unwrap().code(), errors.as_str()), (Some(0), ""), "{args:?}");
    }
}

#[test]
fn colour_is_for_terminals_unless_it_is_asked_for() {
    let stage = Stage::new(QUIET);
    plain(&stage.code(0, &["plan"]));
    assert!(stage.code(0, &["plan", "--color", "always"]).out.contains('\x1b'));
    plain(&stage.code(0, &["plan", "--color", "never"]));
    let done = finish(stage.command(&["plan"]).env("NO_COLOR", "1").env("CLICOLOR_FORCE", "1"));
    plain(done.assert_code(0));
}

/// Runs a command line of `sh` on a terminal, and returns what the terminal got; `None` where there is no `script`.
fn on_terminal(stage: &Stage, line: &str, input: &dyn Fn(&mut std::process::ChildStdin)) -> Option<String> {
    let transcript = stage.home("transcript");
    let mut command = stage.repo.command("script");
    command.args(["--quiet", "--return", "--flush", "--command", line]).arg(&transcript).env("TERM", "xterm");
    command.env("SHELL", "/bin/sh").env_remove("NO_COLOR");
    let mut child = command.stdin(Stdio::piped()).stdout(Stdio::null()).stderr(Stdio::null()).spawn().ok()?;
    let mut stdin = child.stdin.take().unwrap();
    input(&mut stdin);
    crate::stage::wait_for("the end of script", || child.try_wait().unwrap().is_some());
    drop(stdin);
    Some(text(&transcript))
}

/// Returns what stays on a screen: a carriage return goes to the first column, and the rest of the line is erased.
fn screen(text: &str) -> Vec<String> {
    let lines = text.split('\n').map(|line| {
        let line = line.strip_suffix('\r').unwrap_or(line);
        let last = line.rsplit("\r\x1b[K").next().unwrap_or_default();
        last.to_owned()
    });
    lines.collect()
}

#[test]
fn on_a_terminal_a_status_line_comes_and_goes() {
    let stage = Stage::new(&check("test", &home_gate("check")));
    let line = format!("'{}' push; echo code $?", env!("CARGO_BIN_EXE_shipway"));
    let terminal = on_terminal(&stage, &line, &|_| {
        stage.reached("check");
        crate::stage::wait_for("the status line", || text(&stage.home("transcript")).contains("\r\x1b[K"));
        stage.open("check");
    });
    let Some(terminal) = terminal else { return skip("there is no script(1)") };
    assert!(terminal.contains("checks") && terminal.contains("code 0"), "{terminal}");
    let screen = screen(&terminal);
    assert!(screen.iter().all(|line| !line.contains("\x1b[K")), "{screen:#?}");
    let last = screen.iter().rev().find(|line| line.starts_with("code")).unwrap();
    assert_eq!(last, "code 0");
    stage.assert_shipped();
}

#[test]
fn control_c_on_a_terminal_stops_at_a_safe_point_and_leaves_the_terminal_as_it_was() {
    if ignores(Signal::INT) {
        return skip("SIGINT is ignored here");
    }
    let stage = Stage::new(&check("test", &home_gate("check")));
    let shipway = env!("CARGO_BIN_EXE_shipway");
    let line =
        format!("stty -g >$HOME/before; trap : INT; '{shipway}' push; echo code $?; stty -g >$HOME/after");
    let terminal = on_terminal(&stage, &line, &|stdin| {
        stage.reached("check");
        stdin.write_all(b"\x03").unwrap();
        stdin.flush().unwrap();
        crate::stage::wait_for("the answer", || text(&stage.home("transcript")).contains("asked to stop"));
        assert!(crate::stage::lives(&stage.home("check.in")), "the check hears nothing of it");
        stage.open("check");
    });
    let Some(terminal) = terminal else { return skip("there is no script(1)") };
    assert!(terminal.contains("code 3") && terminal.contains("shipway resume"), "{terminal}");
    let settings = ["before", "after"].map(|name| text(&stage.home(name)));
    assert!(settings[0] == settings[1] && !settings[0].is_empty(), "{settings:?}");
    assert!(!terminal.contains("\x1b[?25l"), "the cursor is never hidden");
    stage.code(0, &["resume"]);
    stage.assert_shipped();
}
