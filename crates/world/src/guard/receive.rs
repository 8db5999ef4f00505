//! `pre-receive`: all of a push is judged at once, before any ref moves.

use std::fs;
use std::io;

use shipway_core::policy::{Facts, Identity, Pushed, Update, Verdict, evaluate};
use shipway_core::problem::Problem;
use shipway_core::statement::{Reason, Signed};
use shipway_core::time::Time;

use super::see::{self, Ref, Wanted};
use super::{Guard, landing, ticket};
use crate::hooks::staged::InHook;
use crate::policy::Base;

/// What a push asks for, and who asks.
#[derive(Clone, Debug)]
pub struct Push<'a> {
    /// Who.
    pub by: Option<Identity>,
    /// What.
    pub lines: &'a [Pushed],
    /// A ticket that comes along and is in no log yet.
    pub ticket: Option<&'a Signed>,
    /// Now.
    pub now: Time,
}

impl Guard {
    /// Returns everything that the policy refuses of a push; nothing means that it may happen.
    pub fn judge(&self, git: &InHook<'_>, push: &Push<'_>) -> Result<Vec<Verdict>, Vec<Problem>> {
        let base = self.base(git)?;
        self.judge_by(git, &base, push).map_err(|problem| vec![problem])
    }

    /// The same, under a policy that was read already.
    pub fn judge_by(&self, git: &InHook<'_>, base: &Base, push: &Push<'_>) -> Result<Vec<Verdict>, Problem> {
        let refs = see::refs(git)?;
        let policy = &base.policy;
        let signed = policy.branches.values().any(|class| class.signed)
            || policy.tags.values().any(|class| class.signed);
        let protected = |line: &Pushed| {
            line.name.strip_prefix(b"refs/heads/").is_some_and(|branch| policy.is_protected(branch))
        };
        let wanted = Wanted {
            policy,
            signatures: signed.then_some((&base.signers, push.now)),
            replay: push.lines.iter().any(protected),
        };
        let mut updates = see::updates(git, push.lines, &refs, &target, wanted)?;
        for (update, line) in updates.iter_mut().zip(push.lines) {
            if protected(line) {
                self.ticket(git, base, push, update)?;
            }
        }
        let facts = Facts {
            by: push.by.clone(),
            now: push.now,
            policy: base.digest.clone(),
            refs: refs.into_iter().map(|found: Ref| found.name).collect(),
            updates,
        };
        Ok(evaluate(policy, &facts))
    }

    /// Fills in the ticket of an update of a protected branch, and what lands with it.
    fn ticket(
        &self,
        git: &InHook<'_>,
        base: &Base,
        push: &Push<'_>,
        update: &mut Update,
    ) -> Result<(), Problem> {
        let reference = String::from_utf8_lossy(&update.name).into_owned();
        let name = self.settings.name.as_str();
        let found = match push.ticket.and_then(|signed| Some((signed.ticket()?, signed))) {
            Some((ticket, signed)) => {
                let seen = ticket::seen((&ticket, signed), name, base, push.now);
                let fits =
                    ticket.reference == reference && ticket.old == update.current && ticket.new == update.new;
                fits.then(|| ticket::Found { ticket, signed: signed.clone(), seen })
            }
            None => ticket::find(git, (name, base, push.now), (&reference, &update.current, &update.new))?,
        };
        let Some(found) = found else { return Ok(()) };
        if let Reason::Change { change, method, .. } = &found.ticket.reason {
            let by = found.seen.by.clone().unwrap_or_default();
            let checks = found.ticket.checks.iter().map(|check| (check.clone(), by.clone())).collect();
            let scene = landing::Scene { repository: name, git, base, now: push.now, heads: "refs/heads" };
            let change = landing::read(git, *change)?;
            update.landing = Some(scene.landing(&change, *method, update, checks)?);
        }
        update.ticket = Some(found.seen);
        Ok(())
    }

    /// Leaves a mark that the hooks have run, so that silent ones are noticed.
    pub fn beat(&self, now: Time) -> io::Result<()> {
        fs::write(self.dir().join("heartbeat"), format!("{}\n", now.0))
    }
}

/// Returns the branch that a change request is for.
fn target(name: &[u8]) -> Option<Vec<u8>> {
    let branch = name.strip_prefix(b"refs/for/")?;
    Some([b"refs/heads/", branch].concat())
}
