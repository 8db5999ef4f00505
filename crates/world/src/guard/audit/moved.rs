//! Refs that are not where the ledger has put them, and symbolic ones.

use std::collections::BTreeMap;
use std::fs;
use std::thread;
use std::time::Duration;

use shipway_core::problem::{Code, Problem};

use crate::guard::transaction::{LEDGER, is_immutable_tag, is_protected};
use crate::guard::{Guard, see};
use crate::hooks::staged::InHook;
use crate::policy::Base;

/// A hook that is just writing has this long to finish: git moves a ref first, and says so then.
const PATIENCE: Duration = Duration::from_millis(500);

/// Looks for all of them.
pub(super) fn look(git: &InHook<'_>, guard: &Guard, found: &mut Vec<Problem>) -> Result<(), Problem> {
    let base = match guard.base(git) {
        Ok(base) => base,
        Err(problems) => {
            found.extend(problems);
            return Ok(());
        }
    };
    head(git, guard, found)?;
    symbolic(git, guard, &base, found)?;
    let mut moved = against_ledger(git, guard, &base)?;
    if !moved.is_empty() {
        thread::sleep(PATIENCE);
        moved = against_ledger(git, guard, &base)?;
    }
    found.extend(moved);
    Ok(())
}

fn head(git: &InHook<'_>, guard: &Guard, found: &mut Vec<Problem>) -> Result<(), Problem> {
    let head = git.run(&git.git().args(["symbolic-ref", "HEAD"]))?.text();
    if head != guard.settings.policy {
        let what = format!("HEAD stands for {head}, and the policy is read from {}", guard.settings.policy);
        let past = past(guard);
        found.push(
            Problem::new(Code::GuardInert, what)
                .hint(format!("{past} symbolic-ref HEAD {}", guard.settings.policy)),
        );
    }
    Ok(())
}

/// Returns the beginning of a command that sets things right, where the guard itself would refuse that.
fn past(guard: &Guard) -> String {
    format!("git -C {} -c core.hooksPath=/dev/null", guard.repository.display())
}

fn symbolic(git: &InHook<'_>, guard: &Guard, base: &Base, found: &mut Vec<Problem>) -> Result<(), Problem> {
    let past = past(guard);
    for known in see::refs(git)? {
        let name = String::from_utf8_lossy(&known.name).into_owned();
        if known.target.as_deref().is_some_and(|target| stays(base, target)) {
            let what = format!("{name} is a symbolic ref that stands for a protected branch");
            let fix = format!("{past} symbolic-ref --delete {name}");
            found.push(Problem::new(Code::GuardInert, what).hint(fix));
        } else if known.target.is_some() && stays(base, &known.name) {
            let what = format!("{name} is protected, and stands for another ref");
            let fix = format!("{past} symbolic-ref --delete {name}");
            found.push(Problem::new(Code::GuardInert, what).hint(fix));
        } else if known.name.starts_with(b"refs/replace/") {
            let what = format!("{name} shows one object for another");
            let fix = format!("{past} update-ref -d {name}");
            found.push(Problem::new(Code::GuardInert, what).hint(fix));
        }
    }
    Ok(())
}

/// Tells whether a ref is a protected branch, or a tag that is there for good.
fn stays(base: &Base, name: &[u8]) -> bool {
    is_protected(&base.policy, name) || is_immutable_tag(&base.policy, name)
}

fn against_ledger(git: &InHook<'_>, guard: &Guard, base: &Base) -> Result<Vec<Problem>, Problem> {
    let there = see::refs(git)?;
    let path = guard.dir().join(LEDGER);
    let Ok(ledger) = fs::read(&path) else {
        let what =
            format!("{}: the ledger is gone, so nobody can tell what was moved past it", path.display());
        let fix = format!("shipway guard install --server {}", guard.repository.display());
        return Ok(vec![Problem::new(Code::GuardInert, what).hint(fix)]);
    };
    let ledger = String::from_utf8_lossy(&ledger);
    let put = put(&ledger);
    let mut found = vec![];
    for known in there.iter().filter(|known| known.target.is_none() && stays(base, &known.name)) {
        let name = String::from_utf8_lossy(&known.name).into_owned();
        let history = put.get(name.as_str()).map_or(&[][..], Vec::as_slice);
        if history.last().is_none_or(|last| *last != known.id) {
            found.push(moved(guard, &name, &known.id, history));
        }
    }
    for (name, history) in put.iter().filter(|(name, _)| stays(base, name.as_bytes())) {
        let gone = !there.iter().any(|known| known.name == name.as_bytes());
        if gone && history.last().is_some_and(|last| !see::is_none(last)) {
            found.push(moved(guard, name, "", history));
        }
    }
    Ok(found)
}

fn moved(guard: &Guard, name: &str, now: &str, history: &[&str]) -> Problem {
    let what = match history.last() {
        Some(_) if now.is_empty() => format!("{name} was moved past every hook: it is gone"),
        Some(_) if history.contains(&now) => {
            format!("{name} was put back to an older state, past every hook")
        }
        Some(_) => format!("{name} was moved past every hook"),
        None => format!("{name} was moved past every hook: nobody has let it be made"),
    };
    let last = history.last().copied().filter(|last| !see::is_none(last)).unwrap_or_default();
    let id = |id: &str| if id.is_empty() { "nothing".to_owned() } else { id.to_owned() };
    let put_back = if last.is_empty() {
        format!("take it away: {} update-ref -d {name}", past(guard))
    } else {
        format!("put it back: {} update-ref {name} {last}", past(guard))
    };
    let problem = Problem::new(Code::GuardInert, what).found(id(now)).wanted(id(last));
    let problem = if last.is_empty() || now.is_empty() {
        problem
    } else {
        problem.hint(format!("see what it is: git -C {} log {last}..{now}", guard.repository.display()))
    };
    problem.hint(put_back)
}

/// Returns where the ledger has put each ref, the oldest first.
fn put(ledger: &str) -> BTreeMap<&str, Vec<&str>> {
    let mut put: BTreeMap<&str, Vec<&str>> = BTreeMap::new();
    for line in ledger.lines() {
        if let [_, _, new, name, _] = line.split(' ').collect::<Vec<_>>()[..] {
            put.entry(name).or_default().push(new);
        }
    }
    put
}
