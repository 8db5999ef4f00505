//! Approvals: who may say yes to a plan, and whether enough people have.

use super::{Known, Need};
use crate::id::{Actor, ActorKind};
use crate::problem::{Code, Problem};
use crate::time::Time;

/// The strongest grade that can be given so far: 0, typed at a terminal and not signed.
pub const HIGHEST_GRADE: u8 = 0;

/// A yes to the plan of a run.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Approval {
    /// Who.
    pub by: Actor,
    /// When.
    pub at: Time,
    /// How much it proves: 0 is typed at a terminal, and nobody but the machine vouches for the person.
    pub grade: u8,
}

/// Returns what tells one person from another: the address, if the name has one, else the name; nothing for nobody.
pub fn person(name: &str) -> Option<String> {
    let address =
        name.rsplit_once('<').and_then(|(_, rest)| rest.split_once('>')).map(|(address, _)| address);
    let key = address.unwrap_or(name).trim().to_lowercase();
    (!key.is_empty()).then_some(key)
}

/// Tells why somebody may not give an approval, if so.
pub fn may_approve(need: &Need, actor: &Actor) -> Result<(), String> {
    let Need::Approval { from, not_by, .. } = need else { return Err("no approval is needed".into()) };
    match actor.kind {
        ActorKind::Human => {}
        ActorKind::Agent => return Err("an agent never approves".into()),
        ActorKind::Machine => return Err("a machine never approves".into()),
    }
    let Some(person) = person(&actor.name) else { return Err("it is not known who this is".into()) };
    if keys(not_by).any(|other| other == person) {
        return Err(format!("{person} is excluded, as the author of a change is"));
    }
    if !from.is_empty() && !keys(from).any(|other| other == person) {
        return Err(format!("{person} is none of {}", from.join(", ")));
    }
    Ok(())
}

/// Returns what is missing until a need for approval is met; nothing for one that is met, and for a check.
pub fn missing(need: &Need, known: Known<'_>) -> Option<Problem> {
    let Need::Approval { name, from, at_least, not_by, grade } = need else { return None };
    let counts = |approval: &&Approval| approval.grade >= *grade && may_approve(need, &approval.by).is_ok();
    let mut given: Vec<String> =
        known.approvals.iter().filter(counts).filter_map(|approval| person(&approval.by.name)).collect();
    given.sort();
    given.dedup();
    if given.len() >= *at_least as usize {
        return None;
    }
    let who = if from.is_empty() { "any person".into() } else { from.join(", ") };
    let but = if not_by.is_empty() { String::new() } else { format!(", but not {}", not_by.join(", ")) };
    let what = match at_least {
        1 => format!("{name}: the plan is not approved yet"),
        _ => format!("{name}: {} of {at_least} people have approved the plan", given.len()),
    };
    let problem = Problem::new(Code::ApprovalMissing, what)
        .at(format!("run {}", known.run))
        .wanted(format!("a yes of {who}{but}"))
        .hint(format!("shipway approve {}", known.run));
    Some(if given.is_empty() { problem } else { problem.found(format!("a yes of {}", given.join(", "))) })
}

/// Tells why a need can never be met, if that can be seen without looking: planners ask before a run waits for ever.
pub fn unsatisfiable(need: &Need) -> Option<String> {
    let Need::Approval { name, from, at_least, not_by, grade } = need else { return None };
    if *grade > HIGHEST_GRADE {
        return Some(format!("{name} asks for grade {grade}, and the strongest there is is {HIGHEST_GRADE}"));
    }
    if from.is_empty() {
        return None;
    }
    let mut eligible: Vec<String> =
        keys(from).filter(|key| !keys(not_by).any(|excluded| excluded == *key)).collect();
    eligible.sort();
    eligible.dedup();
    let may = if eligible.is_empty() { "nobody".into() } else { eligible.join(", ") };
    let people = if *at_least == 1 { "person" } else { "people" };
    (eligible.len() < *at_least as usize)
        .then(|| format!("{name} asks for {at_least} {people}, and those who may approve are: {may}"))
}

fn keys(names: &[String]) -> impl Iterator<Item = String> {
    names.iter().filter_map(|name| person(name))
}
