//! `guard shell`: what a key does that is bound to it in a file of authorized keys.

use std::path::Path;

use serde_json::json;
use shipway_core::problem::{Code, Problem};
use shipway_world::guard::shell::{self, Wish};

use super::{DONE, End};
use crate::args::{Environment, GuardShell};
use crate::view::{Document, View};

/// Serves what the client of a key asks for, or prints the line that binds a key to this.
pub(super) fn run(asked: &GuardShell, environment: &Environment, view: &dyn View) -> End {
    let one = |problem| vec![problem];
    if let [login, file] = &asked.print_key[..] {
        return print(login, Path::new(file), &asked.root, view).map_err(one);
    }
    let login = asked.login.as_deref().unwrap_or_default();
    check(login).map_err(one)?;
    let command = environment.get("SSH_ORIGINAL_COMMAND").unwrap_or_default();
    if command.is_empty() {
        let problem =
            Problem::new(Code::ServiceRefused, format!("{login}, there is no shell here, only git"));
        return Err(vec![problem.hint("git clone ssh://HOST/REPO.git")]);
    }
    let wish = Wish::read(command).map_err(one)?;
    match shell::become_git((&wish, &asked.root), login, &environment.variables) {
        Ok(never) => match never {},
        Err(problem) => Err(vec![problem]),
    }
}

fn print(login: &str, file: &Path, root: &Path, view: &dyn View) -> Result<u8, Problem> {
    check(login)?;
    let key = super::guard_server::public_key(file).map_err(|why| {
        Problem::new(Code::Usage, format!("{} cannot be used: {why}", file.display()))
            .wanted("a file with a public key")
    })?;
    let io = |what: &str, error: std::io::Error| Problem::new(Code::Io, format!("{what}: {error}"));
    let program = std::env::current_exe().map_err(|error| io("our own program cannot be found", error))?;
    let root = root.canonicalize().map_err(|error| io(&root.display().to_string(), error))?;
    let line = shell::key_line(&program, (login, &root), &key)?;
    view.answer(Document::Key, &json!({ "login": login, "line": line }), &line);
    Ok(DONE)
}

/// A login stands in command lines, and in lines of logs.
fn check(login: &str) -> Result<(), Problem> {
    let plain = |c: char| c.is_ascii_alphanumeric() || "-_.@".contains(c);
    if !login.is_empty() && !login.starts_with('-') && login.chars().all(plain) {
        return Ok(());
    }
    Err(Problem::new(Code::Usage, format!("`{login}` is no login"))
        .wanted("letters, digits, `-`, `_`, `.` and `@`")
        .hint("shipway guard shell --as ann --root /srv/git"))
}
