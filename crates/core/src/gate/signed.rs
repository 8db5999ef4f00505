//! Signed approvals: what a signature must be about, and how much it proves. Verifying is done outside; whether it counts
//! is decided here, each time a run is driven, and never taken from the journal alone.

use serde::{Deserialize, Serialize};

use super::approval::person;
use crate::grade::{self, Distance};
use crate::id::{Actor, Digest, RunId, StepId};
use crate::problem::{Code, Problem};
use crate::statement::{PlanApproval, Signed, Signer, Statement};
use crate::time::Time;

/// A signed yes as it was found, and what it is to be about.
#[derive(Clone, Copy, Debug)]
pub struct Yes<'a> {
    /// The project.
    pub project: &'a str,
    /// The run.
    pub run: &'a RunId,
    /// The digest of its plan.
    pub plan: &'a Digest,
    /// Who asks for it: whoever opened the run.
    pub requester: &'a Actor,
    /// What was signed.
    pub signed: &'a Signed,
    /// When it came in.
    pub at: Time,
    /// Whether a step was begun since: then it has opened its gate, and what counts is what was so when it came in.
    pub used: bool,
}

/// What is known of a signer besides the signature.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Who {
    /// All names that the person goes by: principals, and addresses in commits.
    pub names: Vec<String>,
    /// What the policy calls it.
    pub standing: Standing,
}

/// What a policy calls somebody.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Standing {
    /// A person; or there is no policy that names people.
    #[default]
    Person,
    /// An agent.
    Agent,
    /// Nothing, though it names people.
    Unknown,
}

/// A signed yes whose signature was verified.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Vouched {
    /// What was signed.
    pub signed: Signed,
    /// Whose key it is.
    pub person: String,
    /// All names that the person goes by.
    pub names: Vec<String>,
    /// The fingerprint of the key.
    pub key: String,
    /// The gate, if it is for one only.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub gate: Option<StepId>,
    /// When it ends.
    pub expires: Time,
    /// How much it proves.
    pub grade: u8,
    /// Why, in words.
    pub why: String,
    /// Why it does not count after all. This is found out anew and never stored.
    #[serde(skip)]
    pub flaw: Option<Box<Problem>>,
}

impl Yes<'_> {
    /// Returns what was signed, if it is about this run and this plan.
    pub fn statement(&self) -> Result<PlanApproval, Problem> {
        let elsewhere = |found: String, wanted: String| {
            Problem::new(Code::StatementElsewhere, "what was signed is for something else")
                .at(format!("run {}", self.run))
                .found(found)
                .wanted(wanted)
                .hint(format!("shipway approve {}", self.run))
        };
        let said = match self.signed.read() {
            Some(Statement::Plan(said)) => said,
            Some(other) => return Err(elsewhere(other.namespace().into(), "plan@shipway".into())),
            None => return Err(elsewhere("no statement".into(), "plan@shipway".into())),
        };
        let pairs = [
            ("project", said.project.as_str(), self.project),
            ("run", said.run.as_str(), self.run.as_str()),
            ("plan", said.plan.as_str(), self.plan.as_str()),
        ];
        let other = pairs.into_iter().find(|(_, found, wanted)| found != wanted);
        if let Some((what, found, wanted)) = other {
            return Err(elsewhere(format!("{what} {found}"), format!("{what} {wanted}")));
        }
        if said.expires < self.at {
            let wanted = format!("one that holds at {}", self.at);
            return Err(elsewhere(format!("ended at {}", said.expires), wanted));
        }
        Ok(said)
    }

    /// Returns the yes with its grade, once it is known who has signed.
    pub fn vouched(&self, signer: &Signer, who: Who) -> Result<Vouched, Problem> {
        let said = self.statement()?;
        let person = &signer.person;
        match who.standing {
            Standing::Person => {}
            Standing::Agent => {
                let what = format!("{person} is an agent, and no agent approves");
                return Err(Problem::new(Code::NotAPerson, what).wanted("a person"));
            }
            Standing::Unknown => {
                let what = format!("the policy names no person {person}, and only people approve");
                let problem = Problem::new(Code::NotAPerson, what).wanted("a person of the policy");
                return Err(problem.hint(format!("add [person.{person}] to {}", crate::policy::PATH)));
            }
        }
        let distance = Distance {
            person: !same(&who.names, &self.requester.name),
            login: !said.host.is_empty() && said.host != self.requester.host,
        };
        let grade = grade::grade(said.key_use, signer, distance);
        Ok(Vouched {
            signed: self.signed.clone(),
            person: signer.person.clone(),
            names: who.names,
            key: signer.key.clone(),
            gate: said.gate.map(StepId::new),
            expires: said.expires,
            grade: grade.level,
            why: grade.why,
            flaw: None,
        })
    }
}

/// Tells whether a name is one of a person, as far as is known: who has no address may be anybody that has one.
pub(super) fn same(names: &[String], other: &str) -> bool {
    let keys: Vec<String> = names.iter().filter_map(|name| person(name)).collect();
    let addressed = |key: &String| key.contains('@');
    person(other)
        .is_none_or(|other| keys.contains(&other) || addressed(&other) && !keys.iter().any(addressed))
}
