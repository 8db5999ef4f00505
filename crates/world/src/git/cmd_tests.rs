use std::fs;
use std::path::Path;

use shipway_core::action::{Cmd, Ended, Shell, Stop};

use super::*;
use crate::shell::LocalShell;

fn hermetic(cmd: Cmd) -> Cmd {
    cmd.env("GIT_CONFIG_GLOBAL", "/dev/null").env("GIT_CONFIG_NOSYSTEM", "1")
}

fn run(cmd: Cmd) -> String {
    let output = LocalShell::new().run(&hermetic(cmd), &Stop::default()).unwrap();
    assert_eq!(output.ended, Ended::Exit(0), "{}", output.error_text());
    output.text()
}

fn repository() -> tempfile::TempDir {
    let dir = tempfile::tempdir().unwrap();
    run(git(dir.path()).args(["init", "--quiet", "--initial-branch=main"]));
    dir
}

fn variable<'a>(cmd: &'a Cmd, name: &str) -> Option<&'a str> {
    cmd.env.iter().rev().find(|(set, _)| set == name).and_then(|(_, value)| value.to_str())
}

#[test]
fn names_are_shown_as_they_are() {
    let dir = repository();
    fs::write(dir.path().join("ä.txt"), "").unwrap();
    assert_eq!(run(git(dir.path()).args(["status", "--porcelain"])), "?? ä.txt");
}

#[test]
fn every_variable_that_git_calls_local_is_taken_away() {
    let dir = repository();
    let cmd = git(dir.path());
    // These carry settings that the user has given for all of git.
    let settings = ["GIT_CONFIG_PARAMETERS", "GIT_CONFIG_COUNT"];
    for name in run(git(dir.path()).args(["rev-parse", "--local-env-vars"])).lines() {
        assert!(settings.contains(&name) || cmd.unset.iter().any(|unset| unset == name), "{name}");
    }
}

#[test]
fn git_works_inside_a_hook_of_another_repository() {
    let (here, there) = (repository(), repository());
    // git itself sets the variables of a hook; `env` takes away what `Cmd` would.
    let inner = hermetic(git(there.path()).args(["rev-parse", "--git-dir"]));
    let unset = inner.unset.iter().flat_map(|name| ["-u", name.to_str().unwrap()]);
    let argv = inner.argv.iter().map(|arg| arg.to_str().unwrap());
    let line: Vec<_> = ["env"].into_iter().chain(unset).chain(argv).collect();
    let found = here.path().join("found");
    let hook = format!(
        "#!/bin/sh\ntest -n \"$GIT_INDEX_FILE\" || exit 9\ncd '{}' && '{}' >'{}'\n",
        there.path().display(),
        line.join("' '"),
        found.display()
    );
    let path = here.path().join(".git/hooks/pre-commit");
    fs::create_dir_all(path.parent().unwrap()).unwrap();
    write_program(&path, &hook);
    let identity = ["-c", "user.name=A", "-c", "user.email=a@example.org"];
    run(git(here.path()).args(identity).args(["commit", "--quiet", "--allow-empty", "--message=x"]));
    assert_eq!(fs::read_to_string(found).unwrap(), ".git\n");
}

/// Writes a program through a child: one that this process wrote itself could be busy when it is started.
fn write_program(path: &Path, text: &str) {
    let script = "cat >\"$1\"; chmod 755 \"$1\"";
    run(Cmd::new("sh").args(["-c", script, "sh"]).arg(path).stdin(text));
}

#[test]
fn a_remote_that_wants_a_password_fails_at_once() {
    let dir = repository();
    let input = "protocol=https\nhost=example.invalid\n\n";
    let cmd = git(dir.path()).args(["credential", "fill"]).stdin(input);
    let output = LocalShell::new().run(&hermetic(cmd), &Stop::default()).unwrap();
    assert_eq!(output.ended, Ended::Exit(128));
    assert!(output.error_text().contains("terminal prompts disabled"), "{}", output.error_text());
}

#[test]
fn what_the_user_has_set_for_remotes_is_left_alone() {
    let dir = Path::new("/");
    let plain = remote_git(dir, &Remote::default());
    assert_eq!(variable(&plain, "GIT_SSH_COMMAND"), Some(BATCH_SSH));
    assert_eq!(variable(&plain, "GIT_ASKPASS"), Some(""));
    let own = remote_git(dir, &Remote { own_ssh: true, askpass: Some("/opt/answer".into()) });
    assert_eq!(variable(&own, "GIT_SSH_COMMAND"), None);
    assert_eq!(variable(&own, "GIT_ASKPASS"), Some("/opt/answer"));
    assert_eq!(variable(&git(dir), "GIT_SSH_COMMAND"), None);
}
