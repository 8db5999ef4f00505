//! `flow start`: a branch where its kind starts.

use serde_json::json;
use shipway_core::flow::slug;
use shipway_core::problem::{Code, Problem};
use shipway_core::validate::quoted;

use super::Desk;
use crate::command::{DONE, End, change};
use crate::view::Document;

/// Starts a branch and switches to it.
pub(super) fn run(desk: &Desk<'_>, kind: &str, name: &[String]) -> End {
    let one = |problem| vec![problem];
    let kind = desk.flow.kind(kind).map_err(one)?.clone();
    let last = slug(name);
    if last.is_empty() {
        let problem = Problem::new(Code::FlowBranch, "nothing of the name can stand in a branch");
        return Err(vec![problem.found(name.join(" ")).wanted("letters or digits")]);
    }
    let branch = format!("{}{last}", kind.prefix);
    if desk.branches().is_here(&branch).map_err(one)? || desk.tip(&branch).is_some() {
        let problem = Problem::new(Code::FlowBranch, format!("branch {branch} is there already"));
        return Err(vec![problem.hint(format!("git switch {}", quoted(&branch)))]);
    }
    if let Some(policy) = desk.policy.as_ref().filter(|policy| !policy.takes_name(branch.as_bytes())) {
        let class = policy.branches.get(&kind.class).map(|class| class.patterns.as_slice());
        let wanted: Vec<&str> =
            class.unwrap_or_default().iter().chain(&policy.names).map(String::as_str).collect();
        let what =
            format!("a branch called {branch} could not be pushed: its name fits no pattern of the policy");
        let hint = format!("shipway flow start {} 123 WORDS, with the number of an issue", kind.name);
        let problem = Problem::new(Code::FlowBranch, what).found(branch).wanted(wanted.join(", "));
        return Err(vec![if wanted.iter().any(|it| it.contains("{number}")) {
            problem.hint(hint)
        } else {
            problem
        }]);
    }
    let at = base(desk, &kind.base)?;
    desk.branches().start(&branch, &at).map_err(one)?;
    let fields = json!({
        "branch": branch, "branch_kind": kind.name, "base": kind.base, "commit": at, "target": kind.target,
    });
    let text =
        format!("{branch} starts at {} of {} and lands on {}", super::short(&at), kind.base, kind.target);
    desk.session.view.answer(Document::FlowStart, &fields, &text);
    desk.session.view.note("when it is ready: shipway flow finish");
    Ok(DONE)
}

/// Returns where a branch starts. A branch that changes are gathered on is made if it is missing.
fn base(desk: &Desk<'_>, base: &str) -> Result<String, Vec<Problem>> {
    let one = |problem| vec![problem];
    if let Some(tip) = desk.tip(base) {
        return Ok(tip.to_owned());
    }
    let main = &desk.flow.main;
    let (Some(tip), true) = (desk.tip(main), desk.flow.develop.as_deref() == Some(base)) else {
        let problem = Problem::new(Code::FlowBranch, format!("there is no branch {base} to start from"));
        return Err(vec![problem.wanted(base).hint("git fetch")]);
    };
    let git = desk.session.records();
    let place = match (desk.client(&git)?, &desk.remote) {
        (Some(client), _) if client.base.policy.is_protected(base.as_bytes()) => {
            change::begin(desk.session, &client, (base, tip))?;
            " on the remote, by a ticket"
        }
        (_, Some(_)) => {
            desk.branches().push(tip, &format!("refs/heads/{base}"), &[]).map_err(one)?;
            " on the remote"
        }
        (_, None) => {
            desk.branches().create(base, tip).map_err(one)?;
            ""
        }
    };
    desk.session.view.note(&format!("{base} was missing and is made{place}, at {main}"));
    Ok(tip.to_owned())
}
