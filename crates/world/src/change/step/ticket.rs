//! The ticket: signed when everything that it vouches for is true, and brought to the guard, which judges all of it.

use std::path::PathBuf;
use std::time::Duration;

use serde_json::json;
use shipway_core::action::{
    Action, Change, Cx, Effect, Ended, Fault, Observed, Part, Receipt, Reversal, Sign,
};
use shipway_core::change::{EVENTS, Event, LANDINGS, Record};
use shipway_core::id::Digest;
use shipway_core::kinds;
use shipway_core::problem::{Code, Problem};
use shipway_core::statement::{self, Reason, Signed, Statement};

use super::{git, looked, short};
use crate::git::cmd::remote_git;
use crate::git::hand::{anchor, cut_off};
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
        let git = git(cx, &self.repository);
        self.fetch(cx, &git)?;
        let log = records::read(&git, LANDINGS, Some(RECENT)).map_err(looked)?;
        let nonce = nonce(cx);
        let ours = |signed: &Signed| signed.ticket().is_some_and(|ticket| ticket.nonce == nonce);
        let mut found = log.into_iter().rev().filter_map(|kept| kept.record.signed);
        Ok(found.find(ours).map_or(Observed::Absent, |signed| Observed::Present(receipt(&signed))))
    }

    fn apply(&self, cx: &Cx<'_>) -> Result<Receipt, Fault> {
        if let Observed::Present(receipt) = self.probe(cx)? {
            return Ok(receipt);
        }
        let git = git(cx, &self.repository);
        let new = self.new_id(&git, cx)?;
        let signed = self.sign(cx, &new)?;
        let record = Record {
            v: 1,
            at: cx.world.now(),
            by: String::new(),
            event: Event::Ticket {},
            signed: Some(signed.clone()),
        };
        // The commit travels along as a parent, so that the guard can judge what is in it.
        let commit = records::make(&git, &record, &[&new]).map_err(looked)?;
        let cmd = remote_git(&self.repository.top, &self.repository.reach)
            .args(["push", "--porcelain", "--no-verify", "--end-of-options", &self.args.remote])
            .arg(format!("{commit}:{EVENTS}/landings"));
        let output = cx.run(cmd.contain())?;
        match output.ended {
            Ended::Exit(0) => Ok(receipt(&signed)),
            Ended::Exit(_) => Err(push_fault(&output, &self.args.remote)),
            Ended::Signal(_) | Ended::TimedOut | Ended::Stopped => {
                Err(Fault { effect: Effect::Unknown, ..cut_off(&output, "git push") })
            }
        }
    }

    /// A ticket that is not used moves nothing, and ends soon: there is nothing to take back.
    fn undo(&self, _cx: &Cx<'_>, _receipt: &Receipt) -> Result<(), Fault> {
        Ok(())
    }
}

impl Ticket {
    fn fetch(&self, cx: &Cx<'_>, git: &InHook<'_>) -> Result<(), Fault> {
        let cmd = remote_git(&self.repository.top, &self.repository.reach).args([
            "fetch",
            "--quiet",
            "--no-tags",
            "--no-write-fetch-head",
            "--end-of-options",
            &self.args.remote,
        ]);
        let cmd = cmd.arg(format!("+{LANDINGS}*:{LANDINGS}*")).timeout(cx.timeout);
        let output = git.run(&cmd).map_err(looked)?;
        match output.ended {
            Ended::Exit(0) => Ok(()),
            Ended::Exit(_) => Err(Fault { effect: Effect::None, ..push_fault(&output, &self.args.remote) }),
            Ended::Signal(_) | Ended::TimedOut | Ended::Stopped => Err(cut_off(&output, "git fetch")),
        }
    }

    fn new_in_words(&self) -> &str {
        if self.args.new.is_empty() { "the commit of this run" } else { short(&self.args.new) }
    }

    fn new_id(&self, git: &InHook<'_>, cx: &Cx<'_>) -> Result<String, Fault> {
        if !self.args.new.is_empty() {
            return Ok(self.args.new.clone());
        }
        let kept = records::tip(git, &anchor(cx.run.as_str())).map_err(looked)?;
        kept.ok_or_else(|| looked(Problem::new(Code::LocalMoved, "the commit of this run is gone")))
    }

    fn sign(&self, cx: &Cx<'_>, new: &str) -> Result<Signed, Fault> {
        let args = &self.args;
        let ticket = statement::Ticket {
            repository: args.repository.clone(),
            reference: args.reference.clone(),
            old: args.old.clone(),
            new: new.to_owned(),
            policy: args.policy.clone(),
            reason: args.reason.clone(),
            approvals: args.approvals.clone(),
            checks: args.checks.clone(),
            expires: cx.world.now().after(Duration::from_millis(args.good_for_ms)),
            nonce: nonce(cx),
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
