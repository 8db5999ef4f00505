//! The keys that count here: those of the protected base, never of what is being judged.

use shipway_core::gate::{Standing, Who};
use shipway_core::policy::{self, Policy};
use shipway_core::problem::{Code, Problem};
use shipway_core::signers::{REVOKED, Signers};

use crate::facts::Git;

/// The keys that count, and where they stand.
#[derive(Clone, Debug, Default)]
pub struct Keys {
    /// The keys.
    pub signers: Signers,
    /// Lines that cannot be understood.
    pub problems: Vec<Problem>,
    /// The policy that stands beside them, which says who is an agent and which addresses a person has.
    pub policy: Option<Policy>,
    /// Where they were looked for, such as `refs/remotes/origin/main`.
    pub from: String,
}

impl Keys {
    /// Reads the keys of a commit.
    pub fn at(git: Git<'_>, commit: &str) -> Result<Option<Self>, Problem> {
        let paths = [policy::SIGNERS, REVOKED, policy::PATH];
        let [allowed, revoked, rules] = &git.files(commit, &paths)?[..] else {
            unreachable!("as many files as were asked for")
        };
        let Some(allowed) = allowed else { return Ok(None) };
        let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
        let revoked = revoked.as_deref().map(text).unwrap_or_default();
        let (signers, problems) = Signers::read(&text(allowed), &revoked);
        // Without knowing who is an agent, nobody's signature is taken for that of a person.
        let policy = rules.as_deref().map(|rules| policy::read(&text(rules), policy::PATH)).transpose();
        let policy = policy.map_err(|problems| unreadable(&problems, commit))?;
        Ok(Some(Self { signers, problems, policy, from: commit.to_owned() }))
    }

    /// Reads the keys of the protected branch: that of the remote as it was fetched last, else the branch that is
    /// released from here.
    pub fn of_base(git: Git<'_>) -> Result<Self, Problem> {
        let base = git.base()?;
        Ok(Self::at(git, &base)?.unwrap_or(Self { from: base, ..Self::default() }))
    }

    /// Returns what is known of a person besides the signature. A policy that names people names all of them.
    pub fn who(&self, person: &str) -> Who {
        let mut names = self.signers.names(person);
        let Some(policy) = self.policy.as_ref().filter(|policy| !policy.people.is_empty()) else {
            return Who { names, standing: Standing::Person };
        };
        let Some(known) = policy.people.get(person) else {
            return Who { names, standing: Standing::Unknown };
        };
        // An address that only the policy knows keeps authors from their own work as well.
        names.extend(known.emails.iter().cloned());
        Who { names, standing: if known.agent { Standing::Agent } else { Standing::Person } }
    }
}

fn unreadable(problems: &[Problem], commit: &str) -> Problem {
    let what = "the policy beside the allowed signers cannot be read, so nobody is known to be a person";
    let details = problems.iter().map(|problem| problem.what.clone());
    Problem::new(Code::SignersUnreadable, what).at(format!("{commit}:{}", policy::PATH)).details(details)
}
