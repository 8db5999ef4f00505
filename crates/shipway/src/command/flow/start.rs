//! `flow start`: a branch where its kind starts.

use serde_json::json;
use shipway_core::flow::slug;
use shipway_core::problem::{Code, Problem};
use shipway_core::validate::quoted;

use super::Desk;
use crate::command::DONE;

/// Starts a branch and switches to it.
pub(super) fn run(desk: &Desk<'_>, kind: &str, name: &[String]) -> Result<u8, Problem> {
    let kind = desk.flow.kind(kind)?.clone();
    let last = slug(name);
    if last.is_empty() {
        let problem = Problem::new(Code::FlowBranch, "nothing of the name can stand in a branch");
        return Err(problem.found(name.join(" ")).wanted("letters or digits"));
    }
    let branch = format!("{}{last}", kind.prefix);
    if desk.branches().is_here(&branch)? || desk.tip(&branch).is_some() {
        let problem = Problem::new(Code::FlowBranch, format!("branch {branch} is there already"));
        return Err(problem.hint(format!("git switch {}", quoted(&branch))));
    }
    let at = base(desk, &kind.base)?;
    desk.branches().start(&branch, &at)?;
    let fields = json!({
        "branch": branch, "kind": kind.name, "base": kind.base, "commit": at, "target": kind.target,
    });
    let text =
        format!("{branch} starts at {} of {} and lands on {}", super::short(&at), kind.base, kind.target);
    desk.session.view.answer("flow", &fields, &text);
    desk.session.view.note("when it is ready: shipway flow finish");
    Ok(DONE)
}

/// Returns where a branch starts. A branch that changes are gathered on is made if it is missing.
fn base(desk: &Desk<'_>, base: &str) -> Result<String, Problem> {
    if let Some(tip) = desk.tip(base) {
        return Ok(tip.to_owned());
    }
    let main = &desk.flow.main;
    let (Some(tip), true) = (desk.tip(main), desk.flow.develop.as_deref() == Some(base)) else {
        let problem = Problem::new(Code::FlowBranch, format!("there is no branch {base} to start from"));
        return Err(problem.wanted(base).hint("git fetch"));
    };
    if desk.remote.is_some() {
        desk.branches().push(tip, &format!("refs/heads/{base}"), &[])?;
        desk.session.view.note(&format!("{base} was missing and is made on the remote, at {main}"));
    } else {
        desk.branches().create(base, tip)?;
        desk.session.view.note(&format!("{base} was missing and is made, at {main}"));
    }
    Ok(tip.to_owned())
}
