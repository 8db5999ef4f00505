//! The server half of `guard`: a bare repository is guarded, and looked at.

use std::path::Path;

use serde_json::json;
use shipway_core::action::Stop;
use shipway_core::problem::{Code, Problem};
use shipway_world::guard::install::{self, Asked, Step};
use shipway_world::guard::{Guard, audit};
use shipway_world::hooks::staged::InHook;
use shipway_world::shell::LocalShell;

use super::{DONE, End};
use crate::args::GuardInstall;
use crate::view::{Document, View};

/// Installs the guard of a bare repository, or shows what that would change.
pub(super) fn install(asked: &GuardInstall, repository: &Path, view: &dyn View) -> End {
    let one = |problem| vec![problem];
    let (shell, stop) = (LocalShell::new(), Stop::default());
    let git = InHook::new(repository, &[], (&shell, &stop));
    let program = std::env::current_exe()
        .map_err(|error| vec![Problem::new(Code::Io, format!("our own program cannot be found: {error}"))])?;
    let admins = asked.admin.iter().map(|text| admin(text)).collect::<Result<Vec<_>, _>>().map_err(one)?;
    let asked_for = Asked { repository: repository.to_owned(), name: asked.name.clone(), program, admins };
    let steps = install::plan(&git, &asked_for).map_err(one)?;
    let lines: Vec<String> = steps.iter().map(Step::words).collect();
    let fields = json!({ "dry_run": asked.dry_run, "changes": lines });
    let text = if lines.is_empty() { "the guard is installed already".to_owned() } else { lines.join("\n") };
    view.answer(Document::Guard, &fields, &text);
    if asked.dry_run {
        view.note("nothing was changed");
        return Ok(DONE);
    }
    install::carry_out(&git, &steps).map_err(one)?;
    let at = std::fs::canonicalize(repository)
        .map_err(|error| vec![Problem::new(Code::Io, format!("{}: {error}", repository.display()))])?;
    let guard = Guard::open(&at).map_err(one)?;
    guard.publish(&git).map_err(one)?;
    let findings = audit::look(&git, repository).map_err(one)?;
    if !findings.is_empty() {
        return Err(findings);
    }
    view.note(&format!("guarded; try it: shipway guard audit {}", repository.display()));
    let base = guard.base(&git)?;
    let able = |name: &String| {
        base.policy.is_person(name) && base.signers.lines().iter().any(|line| line.fits(name))
    };
    if !base.policy.people.keys().any(able) {
        view.note("nobody can land yet: shipway guard install --server REPO.git --admin NAME=KEY.pub");
    }
    Ok(DONE)
}

/// Takes the guard of a bare repository out.
pub(super) fn uninstall(repository: &Path, view: &dyn View) -> End {
    let (shell, stop) = (LocalShell::new(), Stop::default());
    let git = InHook::new(repository, &[], (&shell, &stop));
    install::remove(&git, repository).map_err(|problem| vec![problem])?;
    view.note("the guard is out: whoever may push may push anything");
    Ok(DONE)
}

/// Looks whether the guard of a bare repository is in force.
pub(super) fn audit(repository: &Path, view: &dyn View) -> End {
    let (shell, stop) = (LocalShell::new(), Stop::default());
    let git = InHook::new(repository, &[], (&shell, &stop));
    let findings = audit::look(&git, repository).map_err(|problem| vec![problem])?;
    if !findings.is_empty() {
        return Err(findings);
    }
    view.answer(
        Document::Audit,
        &json!({ "findings": [] }),
        "the guard is in force, and every protected branch is where it was put",
    );
    Ok(DONE)
}

/// Reads `NAME=FILE`, where the file holds a public key.
fn admin(text: &str) -> Result<(String, String), Problem> {
    let bad = |why: String| {
        Problem::new(Code::Usage, format!("--admin {text} cannot be used: {why}"))
            .wanted("NAME=FILE with a public key")
            .hint("--admin ann=~/.ssh/id_ed25519.pub")
    };
    let (name, file) = text.split_once('=').ok_or_else(|| bad("there is no `=`".into()))?;
    let plain = |c: char| c.is_ascii_alphanumeric() || "-_.".contains(c);
    if name.is_empty() || !name.chars().all(plain) {
        return Err(bad("a name has letters, digits, `-`, `_` and `.`".into()));
    }
    let key = public_key(Path::new(file)).map_err(bad)?;
    Ok((name.to_owned(), key))
}

/// Reads the type and the key of a file with a public key, or says why not.
pub(super) fn public_key(file: &Path) -> Result<String, String> {
    let text = std::fs::read_to_string(file).map_err(|error| error.to_string())?;
    let words: Vec<&str> = text.split_whitespace().take(2).collect();
    if text.contains("PRIVATE KEY") || words.len() < 2 {
        return Err("it is no public key".into());
    }
    Ok(words.join(" "))
}
