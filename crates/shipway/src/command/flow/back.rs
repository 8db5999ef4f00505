//! `flow back`: what is owed to other branches asks to land there, with the conflicts named where there are any.

use serde_json::{Value, json};
use shipway_core::flow::{Owed, way_back};
use shipway_core::problem::{Code, Problem};
use shipway_core::validate::quoted;

use super::{Desk, short};
use crate::args::Land;
use crate::command::{DONE, End, change};
use crate::session::Session;
use crate::view::Document;

/// How many paths are named.
const SHOWN: usize = 20;

/// Brings back what a landing owes, if the policy has it approved already and it is clean. What is not, or could not be
/// looked at, is told: the landing itself is done, and has not failed for it.
pub(in crate::command) fn after(session: &Session<'_>) {
    let brought = || -> Result<(), Vec<Problem>> {
        let desk = Desk::open(session, true)?;
        let owed = desk.owed().map_err(|problem| vec![problem])?;
        let approved = |owed: &Owed| {
            desk.policy.as_ref().is_some_and(|policy| policy.takes_approved(&owed.from, &owed.into))
        };
        if owed.is_empty() {
            return Ok(());
        }
        if owed.iter().all(approved) {
            return run(&desk, false).map(|_| ());
        }
        session.view.note("this owes something to other branches: shipway flow back");
        Ok(())
    };
    if let Err(problems) = brought() {
        session.view.warnings(&problems);
    }
}

/// Brings back what is owed.
pub(super) fn run(desk: &Desk<'_>, dry_run: bool) -> End {
    let one = |problem| vec![problem];
    let (mut problems, mut code) = (vec![], DONE);
    let (mut fields, mut lines): (Vec<Value>, Vec<String>) = (vec![], vec![]);
    let open = latest(desk.owed().map_err(one)?);
    for owed in &open {
        let (Some(into), Some(from)) = (desk.tip(&owed.into), desk.tip(&owed.from)) else { continue };
        let conflicts = desk.branches().conflicts(into, from).map_err(one)?;
        let clean = conflicts.is_empty();
        fields.push(json!({ "from": owed.from, "into": owed.into, "commit": from, "conflicts": conflicts }));
        let how = if clean {
            "merges cleanly".to_owned()
        } else {
            format!("conflicts in {}", conflicts.join(", "))
        };
        lines.push(format!("{} into {}: {how}", owed.from, owed.into));
        if !dry_run {
            for line in push(desk, owed, from, &conflicts).map_err(one)? {
                desk.session.view.note(&line);
            }
            if clean {
                match land(desk, owed, from) {
                    Ok(ended) => code = code.max(ended),
                    Err(more) => problems.extend(more),
                }
            }
        }
        if !clean {
            problems.push(by_hand(desk, owed, from, &conflicts).map_err(one)?);
        }
    }
    if lines.is_empty() {
        lines.push("nothing is owed".into());
    }
    desk.session.view.answer(
        Document::FlowBack,
        &json!({ "dry_run": dry_run, "back": fields }),
        &lines.join("\n"),
    );
    if problems.is_empty() { Ok(code) } else { Err(problems) }
}

/// Keeps one obligation for each pair of branches: the newest brings all before it along.
fn latest(open: Vec<Owed>) -> Vec<Owed> {
    let mut kept: Vec<Owed> = vec![];
    for owed in open {
        kept.retain(|other| (&other.from, &other.into) != (&owed.from, &owed.into));
        kept.push(owed);
    }
    kept
}

/// Asks for it to land. What conflicts comes from a branch of its own, which gets the merge that a person makes.
fn push(desk: &Desk<'_>, owed: &Owed, commit: &str, conflicts: &[String]) -> Result<Vec<String>, Problem> {
    let mut options = vec![format!("title=merge {} back into {}", owed.from, owed.into)];
    if conflicts.is_empty() {
        options.push(format!("source={}", owed.from));
    } else {
        let branch = way_back(&owed.from, &owed.into, commit);
        if desk.tip(&branch).is_some() {
            return Ok(vec![format!("{branch} is there already")]);
        }
        desk.branches().push(commit, &format!("refs/heads/{branch}"), &[])?;
        options.push(format!("source={branch}"));
        let paths: Vec<&str> = conflicts.iter().take(SHOWN).map(String::as_str).collect();
        options.push(format!("description=Conflicts: {}", paths.join(", ").replace('\n', " ")));
    }
    let said = desk.branches().push(commit, &format!("refs/for/{}", owed.into), &options)?;
    let lines = said.lines().map(|line| line.trim_start_matches("remote:").trim().to_owned());
    Ok(lines.filter(|line| !line.is_empty()).collect())
}

/// Lands a back-merge that is clean, if a guard and its policy let it; returns how that ended.
fn land(desk: &Desk<'_>, owed: &Owed, commit: &str) -> End {
    let git = desk.session.records();
    let Some(client) = desk.client(&git)? else { return Ok(DONE) };
    let mut changes = client.proposed(commit).map_err(|problem| vec![problem])?;
    changes.retain(|change| change.target == owed.into);
    match changes.pop() {
        Some(change) => change::land(desk.session, client, &Land::of(change.number)),
        None => Ok(DONE),
    }
}

/// Returns how a person merges it: on a branch that holds both, and that the policy lets land by a merge commit.
fn by_hand(desk: &Desk<'_>, owed: &Owed, commit: &str, conflicts: &[String]) -> Result<Problem, Problem> {
    let remote = desk.remote.as_deref().unwrap_or("origin");
    let there = |branch: &str| quoted(&format!("{remote}/{branch}"));
    let what =
        format!("{} and {} conflict, so {} must be merged back by hand", owed.from, owed.into, owed.from);
    let branch = way_back(&owed.from, &owed.into, commit);
    let mut problem = Problem::new(Code::BackMerge, what)
        .found(format!("conflicts in {} files", conflicts.len()))
        .wanted(format!("{} in {}", short(commit), owed.into))
        .details(conflicts.iter().take(SHOWN).cloned());
    // One that somebody has gone on with is not begun anew.
    let is_begun = desk.branches().is_here(&branch)? || desk.tip(&branch).is_some_and(|tip| tip != commit);
    problem = if is_begun {
        problem
            .hint(format!("git switch {}", quoted(&branch)))
            .hint(format!("git merge {}", there(&owed.into)))
    } else {
        problem.hint(format!("git switch --no-track -c {} {}", quoted(&branch), there(&owed.into)))
    };
    let push = |spec: &str| format!("git push {} HEAD:{}", quoted(remote), quoted(spec));
    Ok(problem
        .hint(format!("git merge {}", there(&owed.from)))
        .hint(format!("with the conflicts solved and committed: {}", push(&format!("refs/heads/{branch}"))))
        .hint(format!("{} -o source={}", push(&format!("refs/for/{}", owed.into)), quoted(&branch))))
}
