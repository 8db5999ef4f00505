//! Whether a guard is in force: everything that makes hooks silent without a word, and refs that nobody let move.

mod doors;
mod moved;

use std::collections::BTreeMap;
use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;

use shipway_core::problem::{Code, Problem};

use super::Guard;
use super::install::{HOOKS, SETTINGS, script};
use crate::hooks::staged::InHook;

/// Settings that count with all their values.
const LISTS: [&str; 2] = ["receive.procReceiveRefs", "receive.hideRefs"];

/// Returns everything that is wrong; nothing means that the guard is in force.
pub fn look(git: &InHook<'_>, repository: &Path) -> Result<Vec<Problem>, Problem> {
    let repository = fs::canonicalize(repository)
        .map_err(|error| Problem::new(Code::GuardMissing, format!("{}: {error}", repository.display())))?;
    let guard = Guard::open(&repository)?;
    let mut found = vec![];
    hooks(git, &guard, &mut found)?;
    settings(git, &guard, &mut found)?;
    doors::look(git, &guard, &mut found)?;
    moved::look(git, &guard, &mut found)?;
    Ok(found)
}

fn inert(guard: &Guard, what: String) -> Problem {
    Problem::new(Code::GuardInert, what)
        .hint(format!("shipway guard install --server {}", guard.repository.display()))
}

fn hooks(git: &InHook<'_>, guard: &Guard, found: &mut Vec<Problem>) -> Result<(), Problem> {
    let dir = guard.dir().join("hooks");
    for name in HOOKS {
        let path = dir.join(name);
        let shown = path.display();
        let Ok(link) = fs::symlink_metadata(&path) else {
            found.push(inert(guard, format!("{shown} is missing")));
            continue;
        };
        if link.file_type().is_symlink() {
            found.push(inert(guard, format!("{shown} is a link, and one that leads nowhere is passed over")));
            continue;
        }
        let text = fs::read_to_string(&path).unwrap_or_default();
        let next =
            text.split(" --next '").nth(1).and_then(|rest| rest.split("' -- ").next()).unwrap_or_default();
        let wanted = script(name, &guard.settings.program, Path::new(&next.replace(r"'\''", "'")));
        if text.is_empty() {
            found.push(inert(guard, format!("{shown} is empty")));
        } else if text != wanted {
            found.push(inert(guard, format!("{shown} is not what was installed")));
        }
        if link.permissions().mode() & 0o111 == 0 {
            found.push(inert(guard, format!("{shown} is not executable")));
        }
    }
    if !guard.settings.program.exists() {
        found.push(inert(guard, format!("{} is missing", guard.settings.program.display())));
    }
    // What counts is what git makes of all its files, that of the account among them.
    let output = git.run(&git.git().args(["config", "--get", "core.hooksPath"]))?;
    if Path::new(&output.text()) != dir {
        let problem = inert(guard, "git looks for hooks elsewhere".into());
        found.push(problem.found(output.text()).wanted(dir.display().to_string()));
    }
    Ok(())
}

fn settings(git: &InHook<'_>, guard: &Guard, found: &mut Vec<Problem>) -> Result<(), Problem> {
    let mut wanted: BTreeMap<&str, Vec<&str>> = BTreeMap::new();
    for (key, value) in SETTINGS {
        wanted.entry(key).or_default().push(value);
    }
    for (key, wanted) in wanted {
        let mut set = in_force(git, key)?;
        // Of settings that are no lists the last one counts: the account may have one of its own.
        if !LISTS.contains(&key) {
            set.drain(..set.len().saturating_sub(1));
        }
        if set != wanted {
            let problem = inert(guard, format!("{key} is another"));
            found.push(problem.found(set.join(", ")).wanted(wanted.join(", ")));
        }
    }
    if in_force(git, "receive.certNonceSeed")?.is_empty() {
        found.push(inert(guard, "receive.certNonceSeed is not set, so signed pushes can be repeated".into()));
    }
    let loose = git.run(&git.git().args(["config", "--get-regexp", r"^(receive|transfer)\.fsck\."]))?.text();
    for line in loose.lines() {
        let key = line.split(' ').next().unwrap_or_default();
        let problem = Problem::new(Code::GuardInert, "a check of objects is passed over").found(line);
        found.push(problem.hint(format!("git -C {} config --unset-all {key}", guard.repository.display())));
    }
    if in_force(git, "transfer.hideRefs")?.iter().any(|name| name.starts_with('!')) {
        let problem = Problem::new(Code::GuardInert, "transfer.hideRefs shows what is to be hidden");
        let repository = guard.repository.display();
        found.push(problem.hint(format!("git -C {repository} config --unset-all transfer.hideRefs")));
    }
    Ok(())
}

/// Returns the values of a setting as git makes them of all its files: what one includes, and those of the account.
fn in_force(git: &InHook<'_>, key: &str) -> Result<Vec<String>, Problem> {
    let output = git.run(&git.git().args(["config", "--get-all", key]))?;
    Ok(output.text().lines().map(str::to_owned).collect())
}
