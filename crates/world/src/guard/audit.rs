//! Whether a guard is in force: everything that makes hooks silent without a word, and refs that nobody let move.

use std::collections::BTreeMap;
use std::fs;
use std::os::unix::fs::{MetadataExt as _, PermissionsExt as _};
use std::path::Path;

use shipway_core::problem::{Code, Problem};

use super::install::{HOOKS, SETTINGS, script, values};
use super::transaction::LEDGER;
use super::{Guard, publish, see};
use crate::hooks::staged::InHook;

/// Returns everything that is wrong; nothing means that the guard is in force.
pub fn look(git: &InHook<'_>, repository: &Path) -> Result<Vec<Problem>, Problem> {
    let repository = fs::canonicalize(repository)
        .map_err(|error| Problem::new(Code::GuardMissing, format!("{}: {error}", repository.display())))?;
    let guard = Guard::open(&repository)?;
    let mut found = vec![];
    hooks(git, &guard, &mut found)?;
    settings(git, &guard, &mut found)?;
    doors(git, &guard, &mut found)?;
    refs(git, &guard, &mut found)?;
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
        let set = values(git, key)?;
        if set != wanted {
            let problem = inert(guard, format!("{key} is another"));
            found.push(problem.found(set.join(", ")).wanted(wanted.join(", ")));
        }
    }
    if values(git, "receive.certNonceSeed")?.is_empty() {
        found.push(inert(guard, "receive.certNonceSeed is not set, so signed pushes can be repeated".into()));
    }
    Ok(())
}

/// Ways in that run no hook, or that nobody vouches for.
fn doors(git: &InHook<'_>, guard: &Guard, found: &mut Vec<Problem>) -> Result<(), Problem> {
    let at = |what: &str, fix: &str| Problem::new(Code::GuardInert, what.to_owned()).hint(fix.to_owned());
    let repo = guard.repository.display();
    for (key, bad, what) in [
        ("daemon.receivepack", "true", "git-daemon takes pushes of anybody"),
        ("http.receivepack", "true", "a web server may take pushes of anybody"),
        (
            "extensions.partialClone",
            "",
            "the repository fetches objects from elsewhere when it looks at them",
        ),
    ] {
        let set = values(git, key)?;
        if set.iter().any(|value| bad.is_empty() || value == bad) {
            found.push(at(what, &format!("git -C {repo} config --unset-all {key}")));
        }
    }
    let remotes = git.run(&git.git().arg("remote"))?.text();
    for remote in remotes.lines() {
        let what = format!("{remote} is a remote: what is fetched from it moves refs past every push");
        found.push(at(&what, &format!("git -C {repo} remote remove {remote}")));
    }
    let account = rustix::process::getuid().as_raw();
    for path in [
        guard.repository.clone(),
        guard.repository.join("refs"),
        guard.repository.join("config"),
        guard.dir(),
    ] {
        let Ok(data) = fs::metadata(&path) else { continue };
        let shown = path.display();
        if data.uid() != account {
            found.push(at(
                &format!("{shown} belongs to another account"),
                &format!("chown -R ACCOUNT {repo}"),
            ));
        }
        if data.permissions().mode() & 0o022 != 0 {
            let what = format!("{shown} can be written by other accounts, who need no push");
            found.push(at(&what, &format!("chmod -R go-w {repo}")));
        }
    }
    if guard.repository.join("DAV").exists() {
        found.push(at(
            "there is a DAV directory: pushes over WebDAV run no hook",
            &format!("rm -r {repo}/DAV"),
        ));
    }
    Ok(())
}

/// Protected refs that are not where the ledger has put them, and symbolic ones.
fn refs(git: &InHook<'_>, guard: &Guard, found: &mut Vec<Problem>) -> Result<(), Problem> {
    let base = match guard.base(git) {
        Ok(base) => base,
        Err(problems) => {
            found.extend(problems);
            return Ok(());
        }
    };
    let head = git.run(&git.git().args(["symbolic-ref", "HEAD"]))?.text();
    if head != guard.settings.policy {
        let what = format!("HEAD stands for {head}, and the policy is read from {}", guard.settings.policy);
        let fix =
            format!("git -C {} symbolic-ref HEAD {}", guard.repository.display(), guard.settings.policy);
        found.push(Problem::new(Code::GuardInert, what).hint(fix));
    }
    let ledger = fs::read_to_string(guard.dir().join(LEDGER)).unwrap_or_default();
    // Before anything moved, a branch was where it was when the guard came.
    let since = publish::about(git)?.map(|about| about.since).unwrap_or_default();
    let put = put(&since, &ledger);
    let protected = |name: &[u8]| {
        name.strip_prefix(b"refs/heads/").is_some_and(|branch| base.policy.is_protected(branch))
    };
    let there = see::refs(git)?;
    for known in &there {
        let name = String::from_utf8_lossy(&known.name).into_owned();
        if known.target.as_deref().is_some_and(protected) {
            let what = format!("{name} is a symbolic ref that stands for a protected branch");
            let fix = format!("git -C {} symbolic-ref --delete {name}", guard.repository.display());
            found.push(Problem::new(Code::GuardInert, what).hint(fix));
        } else if known.name.starts_with(b"refs/replace/") {
            let what = format!("{name} shows one object for another");
            let fix = format!("git -C {} update-ref -d {name}", guard.repository.display());
            found.push(Problem::new(Code::GuardInert, what).hint(fix));
        } else if protected(&known.name)
            && let Some(history) = put.get(name.as_str())
            && history.last().is_none_or(|last| *last != known.id)
        {
            found.push(moved(&name, &known.id, history));
        }
    }
    for (name, history) in &put {
        let gone = !there.iter().any(|known| known.name == name.as_bytes());
        if gone
            && protected(name.as_bytes())
            && history.last().is_some_and(|last| !last.bytes().all(|b| b == b'0'))
        {
            found.push(moved(name, "nothing", history));
        }
    }
    Ok(())
}

fn moved(name: &str, now: &str, history: &[&str]) -> Problem {
    let rewound = history.contains(&now);
    let what = if rewound {
        format!("{name} was put back to an older state, past every hook")
    } else {
        format!("{name} was moved past every hook")
    };
    let last = history.last().copied().unwrap_or_default();
    Problem::new(Code::GuardInert, what)
        .found(now.to_owned())
        .wanted(last.to_owned())
        .hint(format!("see what it is: git log {last}..{now}"))
        .hint("and who can write there: shipway guard audit says so")
}

/// Returns where the ledger has put each ref, the oldest first.
fn put<'a>(since: &'a BTreeMap<String, String>, ledger: &'a str) -> BTreeMap<&'a str, Vec<&'a str>> {
    let begun = since.iter().map(|(name, id)| (name.as_str(), vec![id.as_str()]));
    let mut put: BTreeMap<&str, Vec<&str>> = begun.collect();
    for line in ledger.lines() {
        if let [_, _, new, name, _] = line.split(' ').collect::<Vec<_>>()[..] {
            put.entry(name).or_default().push(new);
        }
    }
    put
}
