//! Landing: the commit is made, checked as it is, judged, signed for, and only then put where it belongs.

use std::time::Duration;

use shipway_core::change::{ChangeRequest, EVENTS, Event};
use shipway_core::config::Check;
use shipway_core::policy::{Facts, Identity, Method, Purpose, Pushed, TicketSeen, Update, Verdict, evaluate};
use shipway_core::problem::{Code, Problem};
use shipway_core::statement::{Reason, Signed, Statement, Ticket};

use super::client::Client;
use super::merge;
use crate::guard::see::{self, Wanted};
use crate::keys::{self, SigningKey, nonce};
use crate::shell;
use crate::trigger::Source;

/// What has become of the checks of a commit.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Checked {
    /// The names of those that passed.
    pub passed: Vec<String>,
    /// Those that did not, each with why.
    pub failed: Vec<(String, String)>,
}

/// What a ticket is for.
#[derive(Clone, Debug)]
pub struct Wish<'a> {
    /// The full name of the ref.
    pub reference: &'a str,
    /// What it is at; empty if it is not there.
    pub old: &'a str,
    /// What it is to be at.
    pub new: &'a str,
    /// Why.
    pub reason: Reason,
    /// The checks that passed on `new`.
    pub checks: &'a [String],
}

/// A landing that is ready to be judged and signed for.
#[derive(Debug)]
pub struct Prepared {
    /// The change request.
    pub change: ChangeRequest,
    /// How it is merged.
    pub method: Method,
    /// What the target is at; empty if it is not there.
    pub old: String,
    /// What it is to be at.
    pub new: String,
    /// What it does, as the evaluator is told it.
    pub update: Update,
}

impl Client<'_> {
    /// Makes the commit that would land.
    pub fn prepare(&self, change: ChangeRequest, method: Option<Method>) -> Result<Prepared, Problem> {
        let head = change.newest().map(|newest| newest.head.clone()).ok_or_else(|| {
            Problem::new(Code::ChangeUnknown, format!("change {} has no version", change.number))
        })?;
        let tip = self.tip(&change.target)?;
        let method = method.unwrap_or_else(|| match &tip {
            None => Method::FastForward,
            Some(_) => self.usual(&change),
        });
        let new = merge::make(self.git, &change, method, (tip.as_deref(), &head))?;
        let zeros = "0".repeat(new.len());
        let line = Pushed {
            old: tip.clone().unwrap_or(zeros),
            new: new.clone(),
            name: format!("refs/heads/{}", change.target).into_bytes(),
        };
        let signatures = Some((&self.base.signers, shell::now()));
        let wanted = Wanted { signatures, replay: true };
        let refs = self.refs()?;
        let mut updates = see::updates(self.git, &[line], &refs, &|_| None, wanted)?;
        let update = updates.pop().expect("one line is one update");
        Ok(Prepared { change, method, old: tip.unwrap_or_default(), new, update })
    }

    /// Returns the method that the policy prefers for the source and the target of a change.
    fn usual(&self, change: &ChangeRequest) -> Method {
        let classes = self.base.policy.classes_of(change.target.as_bytes());
        let pairs = classes.iter().flat_map(|(_, class)| &class.pairs);
        let fits = |pattern: &String| {
            matches!(pattern.as_str(), "*" | "**")
                || shipway_core::policy::fits(pattern, change.source.as_bytes())
        };
        let mut fitting = pairs.filter(|pair| pair.from.iter().any(fits));
        fitting.next().and_then(|pair| pair.methods.first().copied()).unwrap_or(Method::Merge)
    }

    /// Returns the checks that the target wants, as the base defines them: what is being landed has no say in that.
    pub fn wanted_checks(&self, target: &str) -> (Vec<Check>, Vec<String>) {
        let (mut found, mut missing) = (vec![], vec![]);
        for (_, class) in self.base.policy.classes_of(target.as_bytes()) {
            for name in class.checks.iter().filter(|_| class.runners.is_empty()) {
                match self.base.config.check.iter().find(|check| check.name == *name) {
                    Some(check) if !found.contains(check) => found.push(check.clone()),
                    Some(_) => {}
                    None => missing.push(name.clone()),
                }
            }
        }
        (found, missing)
    }

    /// Runs checks on a clean checkout of a commit, and returns those that passed and those that did not, with why.
    pub fn check(&self, commit: &str, checks: &[Check], tell: &dyn Fn(&str)) -> Result<Checked, Problem> {
        if checks.is_empty() {
            return Ok(Checked::default());
        }
        let source = Source { dir: &self.repository.top, shell: self.git.shell, stop: self.git.stop };
        let dir = self.repository.state_dir().join(format!("landing-{}", std::process::id()));
        std::fs::create_dir_all(self.repository.state_dir())
            .map_err(|error| Problem::new(Code::Io, format!("no checkout can be made: {error}")))?;
        let checkout = source.check_out(commit, &dir)?;
        let names: Vec<&str> = checks.iter().map(|check| check.name.as_str()).collect();
        tell(&format!("checking {} with {}", commit.get(..12).unwrap_or(commit), names.join(", ")));
        let parallel = self.base.config.checks.parallel.unwrap_or(1);
        let ran =
            checkout.run(&checks.iter().collect::<Vec<_>>(), (parallel, self.base.config.checks.timeout));
        let passed = ran.iter().filter(|ran| ran.problem.is_none()).map(|ran| ran.name.clone()).collect();
        let failed = ran.into_iter().filter_map(|ran| {
            let problem = ran.problem?;
            Some((
                ran.name,
                problem
                    .details
                    .last()
                    .map_or(problem.what.clone(), |last| format!("{}: {last}", problem.what)),
            ))
        });
        Ok(Checked { passed, failed: failed.collect() })
    }

    /// Returns everything that the policy refuses of a landing by a person who vouches for some checks.
    pub fn judge(
        &self,
        prepared: &Prepared,
        person: &str,
        checked: &Checked,
    ) -> Result<Vec<Verdict>, Problem> {
        let checks = checked.passed.iter().map(|check| (check.clone(), person.to_owned())).collect();
        let mut update = prepared.update.clone();
        let mut landing = self.scene().landing(&prepared.change, prepared.method, &update, checks)?;
        landing.failed.extend(checked.failed.iter().cloned());
        update.landing = Some(landing);
        let now = shell::now();
        update.ticket = Some(TicketSeen {
            by: Some(person.to_owned()),
            policy: self.base.digest.clone(),
            expires: now.after(self.base.policy.ticket_expiry.max(Duration::from_secs(1))),
            flaw: None,
            exception: None,
            purpose: Purpose::Change,
        });
        let refs = self.refs()?.into_iter().map(|found| found.name).collect();
        let by = Identity { login: self.login(person), how: "key".into() };
        let facts =
            Facts { by: Some(by), now, policy: self.base.digest.clone(), refs, updates: vec![update] };
        Ok(evaluate(&self.base.policy, &facts))
    }

    /// Returns a login of a person, as the policy lists them.
    fn login(&self, person: &str) -> String {
        let known = self.base.policy.people.get(person);
        known.and_then(|known| known.logins.first().cloned()).unwrap_or_else(|| person.to_owned())
    }

    /// Returns who a key belongs to, by the keys of the policy.
    pub fn person(&self, key: &SigningKey, namespace: &str) -> Result<String, Problem> {
        self.base.signers.person(&key.public, namespace, shell::now()).map(str::to_owned).map_err(|problem| {
            problem.hint(format!("add it to {}: {}", shipway_core::policy::SIGNERS, key.public.to_line()))
        })
    }

    /// Signs the ticket of a landing.
    pub fn ticket(&self, wish: Wish<'_>, key: &SigningKey, tell: &dyn Fn(&str)) -> Result<Signed, Problem> {
        let approvals = match &wish.reason {
            Reason::Change { change, .. } => {
                let change = self.change(*change)?;
                change.reviews.iter().map(|given| given.signed.digest()).collect()
            }
            Reason::Release { .. } | Reason::Bootstrap | Reason::BreakGlass { .. } => vec![],
        };
        let ticket = Ticket {
            repository: self.about.name.clone(),
            reference: wish.reference.to_owned(),
            old: wish.old.to_owned(),
            new: wish.new.to_owned(),
            policy: self.base.digest.clone(),
            reason: wish.reason,
            approvals,
            checks: wish.checks.to_vec(),
            expires: shell::now().after(self.base.policy.ticket_expiry),
            nonce: nonce()?,
        };
        keys::sign(key, Statement::Ticket(ticket), tell)
    }

    /// Brings a ticket to the guard, and then moves the ref by it.
    pub fn land(&self, reference: &str, new: &str, ticket: Signed) -> Result<String, Problem> {
        self.push_event(&format!("{EVENTS}/landings"), Event::Ticket {}, Some(ticket), &[new])?;
        self.push(&[format!("{new}:{reference}")])
    }
}
