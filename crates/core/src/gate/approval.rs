//! Approvals: who may say yes to a plan, and whether enough people have.

use super::signed::{Vouched, same};
use super::{Known, Need};
use crate::grade;
use crate::id::{Actor, ActorKind};
use crate::problem::{Code, Problem};
use crate::time::Time;

/// A yes to the plan of a run.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Approval {
    /// Who.
    pub by: Actor,
    /// When.
    pub at: Time,
    /// How much it proves: 0 is typed at a terminal, and nobody but the machine vouches for the person.
    pub grade: u8,
    /// What was signed, if it was.
    pub signed: Option<Box<Vouched>>,
}

impl Approval {
    /// Returns all names that the person goes by.
    fn names(&self) -> Vec<String> {
        self.signed.as_ref().map_or_else(|| vec![self.by.name.clone()], |signed| signed.names.clone())
    }

    /// Tells whether it meets a need at a time, as far as one approval can.
    fn counts(&self, need: &Need, now: Time) -> bool {
        let Need::Approval { grade, .. } = need else { return false };
        let may = match &self.signed {
            None => may_approve(need, &self.by),
            Some(signed) if signed.flaw.is_some() || signed.expires < now => return false,
            Some(signed) => may_sign(need, &signed.names),
        };
        self.grade >= *grade && may.is_ok()
    }
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
    match actor.kind {
        ActorKind::Human => {}
        ActorKind::Agent => return Err("an agent never approves".into()),
        ActorKind::Machine => return Err("a machine never approves".into()),
    }
    let Some(person) = person(&actor.name) else { return Err("it is not known who this is".into()) };
    may(need, &person, &|other| keys(std::slice::from_ref(other)).any(|other| other == person))
}

/// Tells why a person whose names are known may not give a signed approval, if so. A person without a known address is
/// not known to be another one than those who may not.
pub fn may_sign(need: &Need, names: &[String]) -> Result<(), String> {
    let Some(name) = names.first() else { return Err("it is not known who this is".into()) };
    let Need::Approval { not_by, .. } = need else { return Err("no approval is needed".into()) };
    let known: Vec<String> = keys(names).collect();
    let is = |other: &String| keys(std::slice::from_ref(other)).any(|other| known.contains(&other));
    if not_by.iter().any(|other| same(names, other) && !is(other)) {
        let line = format!("{name},ADDRESS in {}", crate::policy::SIGNERS);
        return Err(format!(
            "no address of {name} is known, so that it may be one of those who may not: {line}"
        ));
    }
    may(need, name, &is)
}

fn may(need: &Need, who: &str, is: &dyn Fn(&String) -> bool) -> Result<(), String> {
    let Need::Approval { from, not_by, .. } = need else { return Err("no approval is needed".into()) };
    if not_by.iter().any(is) {
        return Err(format!("{who} is excluded, as the author of a change is"));
    }
    if !from.is_empty() && !from.iter().any(is) {
        return Err(format!("{who} is none of {}", from.join(", ")));
    }
    Ok(())
}

/// Returns what is missing until a need for approval is met; nothing for one that is met, and for a check.
pub fn missing(need: &Need, known: Known<'_>, now: Time) -> Option<Problem> {
    let Need::Approval { name, from, at_least, not_by, grade } = need else { return None };
    let (given, idle): (Vec<&Approval>, Vec<&Approval>) =
        known.approvals.iter().partition(|approval| approval.counts(need, now));
    let given = people(&given);
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
        .wanted(format!("a yes of {who}{but}{}", proof(*grade)))
        .details(idle.iter().filter_map(|approval| why_not(approval, *grade, now)))
        .hint(format!("shipway approve {}", known.run));
    Some(if given.is_empty() { problem } else { problem.found(format!("a yes of {}", given.join(", "))) })
}

/// Returns each person once, by a name. Two approvals are of one person if they share a name.
fn people(approvals: &[&Approval]) -> Vec<String> {
    let mut seen: Vec<Vec<String>> = vec![];
    for approval in approvals {
        let names: Vec<String> = keys(&approval.names()).collect();
        let (mut same, others): (Vec<_>, Vec<_>) =
            seen.into_iter().partition(|other: &Vec<String>| other.iter().any(|name| names.contains(name)));
        same.insert(0, names);
        seen = others;
        seen.push(same.concat());
    }
    let mut people: Vec<String> = seen.into_iter().filter_map(|names| names.into_iter().next()).collect();
    people.sort();
    people
}

fn proof(grade: u8) -> String {
    if grade == 0 {
        String::new()
    } else {
        format!("; {} at least: {}", grade::name(grade), grade::wanted(grade))
    }
}

/// Returns why an approval that was given does not count here, where that is not for who gave it.
fn why_not(approval: &Approval, grade: u8, now: Time) -> Option<String> {
    let by = &approval.by;
    match &approval.signed {
        Some(signed) if signed.flaw.is_some() => signed.flaw.as_ref().map(|flaw| {
            let why = flaw.found.as_ref().map(|found| format!(": {found}")).unwrap_or_default();
            format!("the yes of {by} does not count: {}{why}", flaw.what)
        }),
        Some(signed) if signed.expires < now => Some(format!("the yes of {by} ended at {}", signed.expires)),
        Some(signed) if approval.grade < grade => {
            Some(format!("the yes of {by} is {}: {}", grade::name(approval.grade), signed.why))
        }
        None if approval.grade < grade => Some(format!("the yes of {by} is P0: typed, and not signed")),
        Some(_) | None => None,
    }
}

/// Tells why a need can never be met, if that can be seen without looking: planners ask before a run waits for ever.
pub fn unsatisfiable(need: &Need) -> Option<String> {
    let Need::Approval { name, from, at_least, not_by, grade } = need else { return None };
    if *grade > grade::HIGHEST {
        return Some(format!(
            "{name} asks for grade {grade}, and the strongest there is is {}",
            grade::HIGHEST
        ));
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
