//! Needs of gates that wait: for people, for a time, for the end of an incident.

use super::need;
use crate::action::Catalog;
use crate::gate::{self, Need};
use crate::kinds::{self, Until};
use crate::problem::{Code, Problem};

/// How long such a look may take, in milliseconds; none of them asks anybody beyond this machine.
const TIMEOUT_MS: u64 = 60_000;

/// Who may approve, and how many different people must.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct People {
    /// Who may: names or addresses, groups already resolved; empty for any person.
    pub from: Vec<String>,
    /// How many.
    pub at_least: u32,
    /// Who may not, such as the author.
    pub not_by: Vec<String>,
    /// The weakest grade that counts.
    pub grade: u8,
}

/// Returns the need for a yes of people, or why it could never be met.
pub fn approval(name: &str, people: People) -> Result<Need, Problem> {
    let People { from, at_least, not_by, grade } = people;
    let need = Need::Approval { name: name.into(), from, at_least, not_by, grade };
    match gate::unsatisfiable(&need) {
        None => Ok(need),
        Some(why) => Err(Problem::new(Code::GateUnsatisfiable, why)
            .hint("name more people, ask for fewer, or exclude fewer: shipway schema config")),
    }
}

/// Returns the need for an open change window outside of every freeze, or what is wrong with their texts. The catalog
/// knows the time zones.
pub fn window(catalog: &dyn Catalog, args: &kinds::Window) -> Result<Need, Problem> {
    let need = need("window", kinds::WINDOW, args, TIMEOUT_MS)?;
    if let Need::Check { kind, args, .. } = &need {
        catalog.check(kind, args)?;
    }
    Ok(need)
}

/// Returns the need for something to have been in use until a time, or for a time from the first look at the gate.
pub fn soak(what: &str, until: Until) -> Result<Need, Problem> {
    need("soak", kinds::SOAK, &kinds::Soak { what: what.into(), until }, TIMEOUT_MS)
}

/// Returns the need for no open incident in an environment.
pub fn incident(environment: Option<&str>) -> Result<Need, Problem> {
    let environment = environment.map(str::to_owned);
    need("incident", kinds::INCIDENT, &kinds::Incident { environment }, TIMEOUT_MS)
}

/// Returns a need whose evidence may be this old at most when its gate opens after a wait.
#[must_use]
pub fn fresh(need: Need, fresh_ms: u64) -> Need {
    match need {
        Need::Check { name, kind, args, timeout_ms, .. } => {
            Need::Check { name, kind, args, timeout_ms, fresh_ms: Some(fresh_ms) }
        }
        Need::Approval { .. } => need,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_approval_that_nobody_can_give_is_refused_while_planning() {
        let people = |from: &[&str], at_least, not_by: &[&str]| {
            let names = |names: &[&str]| names.iter().map(|&name| name.into()).collect();
            People { from: names(from), at_least, not_by: names(not_by), grade: 0 }
        };
        assert!(approval("release", people(&["ann@example.org"], 1, &[])).is_ok());
        let problem =
            approval("release", people(&["ann@example.org"], 1, &["Ann <ann@example.org>"])).unwrap_err();
        assert_eq!(problem.code, Code::GateUnsatisfiable);
    }

    #[test]
    fn only_what_is_looked_at_grows_old() {
        let looked = fresh(incident(Some("production")).unwrap(), 60_000);
        assert!(matches!(looked, Need::Check { fresh_ms: Some(60_000), .. }));
        let asked = Need::Approval { name: "a".into(), from: vec![], at_least: 1, not_by: vec![], grade: 0 };
        assert_eq!(fresh(asked.clone(), 60_000), asked);
    }
}
