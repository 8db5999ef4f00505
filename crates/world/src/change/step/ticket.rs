//! The ticket: signed when everything that it vouches for is true, and brought to the guard, which judges all of it.

use std::path::PathBuf;
use std::time::Duration;

use serde_json::json;
use shipway_core::action::{
    Action, Change, Cx, Effect, Ended, Fault, Observed, Part, Receipt, Reversal, Sign,
};
use shipway_core::anchor;
use shipway_core::change::{EVENTS, Event, LANDINGS, Record};
use shipway_core::id::Digest;
use shipway_core::kinds;
use shipway_core::problem::{Code, Problem};
use shipway_core::statement::{self, Reason, Signed, Statement};

use super::{git, looked, short};
use crate::git::checkpoint;
use crate::git::cmd::remote_git;
use crate::git::hand::{self, cut_off};
use crate::git::remote::push_fault;
use crate::git::repository::Repository;
use crate::hooks::staged::InHook;
use crate::keys::{self, SigningKey};
use crate::records;

/// How many records of the log are looked at: ours is among the newest, or not there.
const RECENT: usize = 500;

/// The action.
#[derive(Debug)]
pub struct Ticket {
    /// Where.
    pub repository: Repository,
    /// What.
    pub args: kinds::land::Ticket,
}

impl Action for Ticket {
    fn describe(&self) -> Change {
        let args = &self.args;
        let part = |thing: &str, summary: String| Part { sign: Sign::Create, thing: thing.into(), summary };
        let mut parts = vec![part("signed with", args.key_file.clone())];
        if !args.checks.is_empty() {
            parts.push(part("vouches for", args.checks.join(", ")));
        }
        if let Reason::BreakGlass { reason, follow_up, .. } = &args.reason {
            parts.push(part("exception", format!("{reason} (followed up in {follow_up})")));
        }
        Change {
            sign: Sign::Create,
            thing: "ticket".into(),
            summary: format!("{} {} → {}", args.reference, short(&args.old), self.new_in_words()),
            reversal: Reversal::Visible,
            undo: "it ends by itself, unused".into(),
            parts,
        }
    }

    fn probe(&self, cx: &Cx<'_>) -> Result<Observed, Fault> {
        let bearer = self.bearer(cx);
        Ok(bearer.find(&nonce(cx))?.map_or(Observed::Absent, |signed| Observed::Present(receipt(&signed))))
    }

    fn apply(&self, cx: &Cx<'_>) -> Result<Receipt, Fault> {
        let bearer = self.bearer(cx);
        let new = if self.args.new.is_empty() { bearer.made()? } else { self.args.new.clone() };
        bearer.bring((&self.args.old, &new), &nonce(cx))
    }

    /// A ticket that is not used moves nothing, and ends soon: there is nothing to take back.
    fn undo(&self, _cx: &Cx<'_>, _receipt: &Receipt) -> Result<(), Fault> {
        Ok(())
    }
}

impl Ticket {
    fn bearer<'a>(&'a self, cx: &'a Cx<'a>) -> Bearer<'a> {
        Bearer { cx, repository: &self.repository, git: git(cx, &self.repository), args: &self.args }
    }

    fn new_in_words(&self) -> &str {
        if self.args.new.is_empty() { "that commit" } else { short(&self.args.new) }
    }
}

/// Brings the ticket for the revert commit that answers a release, from one object id to another.
pub(crate) fn for_revert(
    cx: &Cx<'_>,
    repository: &Repository,
    args: &kinds::land::Ticket,
    (old, new): (&str, &str),
) -> Result<(), Fault> {
    let bearer = Bearer { cx, repository, git: git(cx, repository), args };
    let nonce = Digest::of(format!("run {} withdraws by {new}", cx.run).as_bytes()).to_string();
    bearer.bring((old, new), &nonce).map(|_| ())
}

/// Whoever signs a ticket and brings it to the guard.
struct Bearer<'a> {
    cx: &'a Cx<'a>,
    repository: &'a Repository,
    git: InHook<'a>,
    args: &'a kinds::land::Ticket,
}

impl Bearer<'_> {
    /// Returns the ticket that is known by a nonce, if the guard has it.
    fn find(&self, nonce: &str) -> Result<Option<Signed>, Fault> {
        self.fetch()?;
        let log = records::read(&self.git, LANDINGS, Some(RECENT)).map_err(looked)?;
        let ours = |signed: &Signed| signed.ticket().is_some_and(|ticket| ticket.nonce == nonce);
        Ok(log.into_iter().rev().filter_map(|kept| kept.record.signed).find(ours))
    }

    fn bring(&self, sides: (&str, &str), nonce: &str) -> Result<Receipt, Fault> {
        if let Some(signed) = self.find(nonce)? {
            return Ok(receipt(&signed));
        }
        let cx = self.cx;
        let signed = self.sign(sides, nonce)?;
        let record = Record {
            v: 1,
            at: cx.world.now(),
            by: String::new(),
            event: Event::Ticket {},
            signed: Some(signed.clone()),
        };
        // The commit travels along as a parent, so that the guard can judge what is in it.
        let commit = records::make(&self.git, &record, &[sides.1]).map_err(looked)?;
        let cmd = remote_git(&self.repository.top, &self.repository.reach)
            .args(["push", "--porcelain", "--no-verify", "--end-of-options", &self.args.remote])
            .arg(format!("{commit}:{EVENTS}/landings"))
            .args(self.checkpoint()?);
        let output = cx.run(cmd.contain())?;
        match output.ended {
            // A hook here that looks at pushes knows the ticket from the log.
            Ended::Exit(0) => {
                self.fetch().map_err(|fault| Fault { effect: Effect::Unknown, ..fault })?;
                Ok(receipt(&signed))
            }
            // A checkpoint that is refused is no reason not to land: then the ticket is there all the same.
            Ended::Exit(_) => match self.find(nonce) {
                Ok(Some(signed)) => Ok(receipt(&signed)),
                Ok(None) => Err(push_fault(&output, &self.args.remote)),
                Err(_) => Err(Fault { effect: Effect::Unknown, ..push_fault(&output, &self.args.remote) }),
            },
            Ended::Signal(_) | Ended::TimedOut | Ended::Stopped => {
                Err(Fault { effect: Effect::Unknown, ..cut_off(&output, "git push") })
            }
        }
    }

    /// Returns what brings the newest checkpoint of the journal along: kept by the guard, it shows if the journal is cut.
    fn checkpoint(&self) -> Result<Option<String>, Fault> {
        let Some(seal) = self.cx.world.checkpoint() else { return Ok(None) };
        let commit = checkpoint::append(&self.git, &seal).map_err(looked)?;
        Ok(Some(checkpoint::to_guard(&commit, &seal)))
    }

    /// Fetches the log of landings and the checkpoints.
    fn fetch(&self) -> Result<(), Fault> {
        let cmd = remote_git(&self.repository.top, &self.repository.reach).args([
            "fetch",
            "--quiet",
            "--no-tags",
            "--no-write-fetch-head",
            "--end-of-options",
            &self.args.remote,
        ]);
        // With a star, a ref that is not there is no error.
        let specs = [LANDINGS, anchor::REFS].map(|name| format!("+{name}*:{name}*"));
        let cmd = cmd.args(specs).timeout(self.cx.timeout);
        let output = self.git.run(&cmd).map_err(looked)?;
        match output.ended {
            Ended::Exit(0) => Ok(()),
            Ended::Exit(_) => Err(Fault { effect: Effect::None, ..push_fault(&output, &self.args.remote) }),
            Ended::Signal(_) | Ended::TimedOut | Ended::Stopped => Err(cut_off(&output, "git fetch")),
        }
    }

    /// Returns the commit that this run has made.
    fn made(&self) -> Result<String, Fault> {
        let kept = records::tip(&self.git, &hand::anchor(self.cx.run.as_str())).map_err(looked)?;
        kept.ok_or_else(|| looked(Problem::new(Code::LocalMoved, "the commit of this run is gone")))
    }

    fn sign(&self, (old, new): (&str, &str), nonce: &str) -> Result<Signed, Fault> {
        let args = self.args;
        // The plan that holds this cannot know the run that it becomes.
        let reason = match args.reason.clone() {
            Reason::Release { version, .. } => Reason::Release { run: self.cx.run.to_string(), version },
            other @ (Reason::Change { .. } | Reason::Bootstrap | Reason::BreakGlass { .. }) => other,
        };
        let ticket = statement::Ticket {
            repository: args.repository.clone(),
            reference: args.reference.clone(),
            old: old.to_owned(),
            new: new.to_owned(),
            policy: args.policy.clone(),
            reason,
            approvals: args.approvals.clone(),
            checks: args.checks.clone(),
            expires: self.cx.world.now().after(Duration::from_millis(args.good_for_ms)),
            nonce: nonce.to_owned(),
        };
        let agent = args.agent.clone().map(Into::into);
        let key = SigningKey::again(&args.key, PathBuf::from(&args.key_file), agent).ok_or_else(|| {
            looked(
                Problem::new(Code::KeyUnusable, "the key of the plan cannot be read").found(args.key.clone()),
            )
        })?;
        keys::sign(&key, Statement::Ticket(ticket), &|_| {}).map_err(looked)
    }
}

/// Returns the text by which a ticket of this step is known: another attempt does not make another one.
fn nonce(cx: &Cx<'_>) -> String {
    Digest::of(format!("run {} step {}", cx.run, cx.step).as_bytes()).to_string()
}

fn receipt(signed: &Signed) -> Receipt {
    Receipt(json!({ "ticket": signed.digest() }))
}
