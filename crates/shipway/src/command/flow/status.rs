//! `flow status`: the branches, how far they are apart, and what is owed.

use serde_json::{Value, json};
use shipway_core::flow::{Kind, Owed, word};
use shipway_core::problem::Problem;

use super::{Desk, short};
use crate::command::DONE;
use crate::view::Document;

/// How many commits are named.
const SHOWN: usize = 10;

/// Shows how the flow stands.
pub(super) fn run(desk: &Desk<'_>) -> Result<u8, Problem> {
    let drift = drift(desk)?;
    let open = desk.owed()?;
    let records = desk.branches().landings()?;
    let past = match desk.tip(&desk.flow.main) {
        Some(tip) if !records.is_empty() => {
            Some(desk.branches().unticketed(&desk.flow.main, tip, &records)?)
        }
        Some(_) | None => None,
    };
    let kinds: Vec<Value> = desk.flow.kinds.iter().map(kind_field).collect();
    let owed: Vec<Value> = open
        .iter()
        .map(|owed| json!({ "from": owed.from, "into": owed.into, "commit": owed.commit }))
        .collect();
    let fields = json!({
        "main": desk.flow.main,
        "develop": desk.flow.develop,
        "kinds": kinds,
        "develop_ahead": drift.map(|(ahead, _)| ahead),
        "main_ahead": drift.map(|(_, ahead)| ahead),
        "owed": owed,
        "without_ticket": past,
    });
    desk.session.view.answer(Document::Flow, &fields, &page(desk, drift, &open, past.as_deref()));
    if past.is_none() && desk.tip(&desk.flow.main).is_some() {
        let remote = desk.remote.as_deref().unwrap_or("origin");
        desk.session.view.note(&format!(
            "no landings are known here; where the remote has a guard: git fetch {remote} 'refs/shipway/*:refs/shipway/*'"
        ));
    }
    Ok(DONE)
}

/// Returns how many commits develop has that main has not, and the other way round, apart from merges.
fn drift(desk: &Desk<'_>) -> Result<Option<(usize, usize)>, Problem> {
    let develop = desk.flow.develop.as_deref().and_then(|develop| desk.tip(develop));
    let (Some(develop), Some(main)) = (develop, desk.tip(&desk.flow.main)) else { return Ok(None) };
    Ok(Some((desk.branches().ahead(develop, main)?, desk.branches().ahead(main, develop)?)))
}

fn kind_field(kind: &Kind) -> Value {
    json!({
        "name": kind.name, "prefix": kind.prefix, "base": kind.base, "target": kind.target,
        "methods": kind.methods,
    })
}

fn page(desk: &Desk<'_>, drift: Option<(usize, usize)>, open: &[Owed], past: Option<&[String]>) -> String {
    let flow = &desk.flow;
    let mut lines = vec![];
    for branch in flow.lasting() {
        let tip = desk.tip(branch).map_or("not there", short);
        lines.push(format!("{branch:<12} {tip}"));
    }
    for kind in &flow.kinds {
        let method = kind.methods.first().map_or(String::new(), |method| format!(", by {}", word(*method)));
        let prefix = format!("{}…", kind.prefix);
        lines.push(format!("{prefix:<12} starts at {}, lands on {}{method}", kind.base, kind.target));
    }
    if let (Some((ahead, behind)), Some(develop)) = (drift, &flow.develop) {
        lines.push(format!("{develop} has {} that {} has not", commits(ahead), flow.main));
        lines.push(format!("{} has {} that {develop} has not", flow.main, commits(behind)));
    }
    lines.extend(open.iter().map(|owed| format!("owed: {}", owed.text())));
    if !open.is_empty() {
        lines.push("bring it back: shipway flow back".into());
    }
    for commit in past.unwrap_or_default().iter().take(SHOWN) {
        lines.push(format!("without a ticket on {}: {}", flow.main, short(commit)));
    }
    lines.join("\n")
}

fn commits(count: usize) -> String {
    match count {
        0 => "nothing".into(),
        1 => "1 commit".into(),
        more => format!("{more} commits"),
    }
}
