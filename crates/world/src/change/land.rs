//! Landing: the commit is made, checked as it is, judged, signed for, and only then put where it belongs.

use std::time::Duration;

use shipway_core::change::ChangeRequest;
use shipway_core::config::Check;
use shipway_core::kinds::land as kinds;
use shipway_core::planner::land as planner;
use shipway_core::policy::{
    Commit, Facts, Identity, Method, ObjectKind, Purpose, Pushed, Signature, TicketSeen, Update, UpdateKind,
    Verdict, evaluate,
};
use shipway_core::problem::{Code, Problem};
use shipway_core::statement::Reason;
use shipway_core::time::Time;

use super::client::Client;
use super::merge;
use crate::guard::see::{self, Wanted};
use crate::keys::SigningKey;
use crate::shell;

/// What has become of the checks of a commit.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Checked {
    /// The names of those that passed.
    pub passed: Vec<String>,
    /// Those that did not, each with why.
    pub failed: Vec<(String, String)>,
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
        let wanted = Wanted { policy: &self.base.policy, signatures, replay: true };
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

    /// Returns everything that the policy refuses of a landing by a person who vouches for some checks.
    pub fn judge(
        &self,
        prepared: &Prepared,
        person: &str,
        checked: &Checked,
        exception: Option<&str>,
    ) -> Result<Vec<Verdict>, Problem> {
        let checks = checked.passed.iter().map(|check| (check.clone(), person.to_owned())).collect();
        let mut update = prepared.update.clone();
        let mut landing = self.scene().landing(&prepared.change, prepared.method, &update, checks)?;
        landing.failed.extend(checked.failed.iter().cloned());
        update.landing = Some(landing);
        let now = shell::now();
        update.ticket = Some(self.ticket_seen(person, (now, Purpose::Change), exception));
        self.evaluate(person, now, vec![update])
    }

    /// Returns everything that the policy refuses of a release by a person: of the one commit on top of a branch, with its
    /// message, and of its tag. Who signs them is seen by the guard when they are there.
    pub fn judge_release(
        &self,
        person: &str,
        (branch, tip): (&str, &str),
        (tag, message): (&str, &str),
    ) -> Result<Vec<Verdict>, Problem> {
        const MADE: &str = "release";
        let signature = Some(Signature::Good(person.to_owned()));
        let now = shell::now();
        let commit = Commit {
            id: MADE.into(),
            parents: vec![tip.to_owned()],
            message: message.as_bytes().to_vec(),
            signature: signature.clone(),
            ..Commit::default()
        };
        let branch = Update {
            name: format!("refs/heads/{branch}").into_bytes(),
            old: tip.to_owned(),
            current: tip.to_owned(),
            new: MADE.into(),
            kind: UpdateKind::Forward,
            commits: vec![commit],
            ticket: Some(self.ticket_seen(person, (now, Purpose::Release), None)),
            ..Update::default()
        };
        let tag = Update {
            name: format!("refs/tags/{tag}").into_bytes(),
            new: MADE.into(),
            object: ObjectKind::Tag,
            kind: UpdateKind::Create,
            on_protected: true,
            signature,
            ..Update::default()
        };
        self.evaluate(person, now, vec![branch, tag])
    }

    fn ticket_seen(
        &self,
        person: &str,
        (now, purpose): (Time, Purpose),
        exception: Option<&str>,
    ) -> TicketSeen {
        TicketSeen {
            by: Some(person.to_owned()),
            policy: self.base.digest.clone(),
            expires: now.after(self.base.policy.ticket_expiry.max(Duration::from_secs(1))),
            flaw: None,
            exception: exception.map(str::to_owned),
            purpose,
        }
    }

    fn evaluate(&self, person: &str, now: Time, updates: Vec<Update>) -> Result<Vec<Verdict>, Problem> {
        let refs = self.refs()?.into_iter().map(|found| found.name).collect();
        let by = Identity { login: self.login(person), how: "key".into() };
        let facts = Facts { by: Some(by), now, policy: self.base.digest.clone(), refs, updates };
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

    /// Returns what a step needs to sign a ticket for a ref, an old and a new object id. An empty new one stands for the
    /// commit that the run makes.
    pub fn ticket(
        &self,
        (reference, old, new): (&str, &str, &str),
        reason: Reason,
        checks: Vec<String>,
        key: &SigningKey,
    ) -> Result<kinds::Ticket, Problem> {
        let approvals = match &reason {
            Reason::Change { change, .. } => {
                let change = self.change(*change)?;
                change.reviews.iter().map(|given| given.signed.digest()).collect()
            }
            Reason::Release { .. } | Reason::Bootstrap | Reason::BreakGlass { .. } => vec![],
        };
        let (key, key_file, agent) = key.named();
        Ok(kinds::Ticket {
            remote: self.remote.clone(),
            repository: self.about.name.clone(),
            reference: reference.to_owned(),
            old: old.to_owned(),
            new: new.to_owned(),
            policy: self.base.digest.clone(),
            reason,
            approvals,
            checks,
            good_for_ms: u64::try_from(self.base.policy.ticket_expiry.as_millis()).unwrap_or(u64::MAX),
            key,
            key_file,
            agent,
        })
    }

    /// Returns the steps by which a branch begins as its ticket says.
    pub fn first_step(&self, branch: &str, ticket: kinds::Ticket) -> planner::Input {
        let land = kinds::Land {
            remote: self.remote.clone(),
            branch: branch.to_owned(),
            old: String::new(),
            new: ticket.new.clone(),
            how: Method::FastForward.as_str().to_owned(),
        };
        planner::Input {
            project: self.about.name.clone(),
            what: format!("branch {branch}"),
            title: format!("{branch} begins"),
            ticket,
            land,
            checks: vec![],
            at_once: 1,
            notes: vec![],
            target: self.base.config.target.push,
        }
    }

    /// Returns the steps of a landing as a planner is told them.
    pub fn steps(
        &self,
        prepared: &Prepared,
        (ticket, checks): (kinds::Ticket, Vec<Check>),
        project: String,
    ) -> planner::Input {
        let Prepared { change, method, old, new, .. } = prepared;
        let land = kinds::Land {
            remote: self.remote.clone(),
            branch: change.target.clone(),
            old: old.clone(),
            new: new.clone(),
            how: method.as_str().to_owned(),
        };
        let limits = &self.base.config.checks;
        let wanted = |check: Check| planner::Wanted {
            timeout: check.timeout.unwrap_or(limits.timeout),
            name: check.name,
            run: check.run,
            env: check.env,
        };
        planner::Input {
            project,
            what: format!("change {}", change.number),
            title: change.title.clone(),
            ticket,
            land,
            checks: checks.into_iter().map(wanted).collect(),
            at_once: limits.parallel.unwrap_or(1),
            notes: vec![],
            target: self.base.config.target.push,
        }
    }
}
