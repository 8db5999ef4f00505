//! The move of a protected branch, by the ticket that the guard has.

use serde_json::json;
use shipway_core::action::{
    Action, Change, Cx, Effect, Ended, Fault, Observed, Part, Receipt, Reversal, Sign,
};
use shipway_core::kinds;
use shipway_core::problem::{Code, Problem};

use super::short;
use crate::git::hand::{Hand, cut_off};
use crate::git::remote::{self, push_fault};
use crate::git::repository::Repository;

/// The action.
#[derive(Debug)]
pub struct Land {
    /// Where.
    pub repository: Repository,
    /// What.
    pub args: kinds::land::Land,
}

impl Action for Land {
    fn describe(&self) -> Change {
        let args = &self.args;
        let sign = if args.old.is_empty() { Sign::Create } else { Sign::Change };
        let moved = format!("{} → {}", short(&args.old), short(&args.new));
        Change {
            sign: Sign::Change,
            thing: "land".into(),
            summary: format!("{} by {} → {}", args.branch, args.how, args.remote),
            reversal: Reversal::Never,
            undo: "what has landed is answered by another change".into(),
            parts: vec![Part { sign, thing: format!("refs/heads/{}", args.branch), summary: moved }],
        }
    }

    fn probe(&self, cx: &Cx<'_>) -> Result<Observed, Fault> {
        let hand = Hand::new(cx, &self.repository);
        let args = &self.args;
        let Some(tip) = remote::tip(&hand, &args.remote, &args.branch)? else {
            let gone = format!("{} has no branch {}", args.remote, args.branch);
            return Ok(if args.old.is_empty() { Observed::Absent } else { Observed::Foreign(gone) });
        };
        if tip == args.new {
            return Ok(Observed::Present(self.receipt()));
        }
        if tip == args.old {
            return Ok(Observed::Absent);
        }
        // Others may have built on it since: then ours is in what is there now.
        remote::fetch(&hand, &args.remote, &args.branch)?;
        let ours = hand.look(hand.git().args(["merge-base", "--is-ancestor", &args.new, &tip]))?;
        Ok(match ours.ended {
            Ended::Exit(0) => Observed::Present(self.receipt()),
            _ => Observed::Foreign(format!("{} on {} is {tip}", args.branch, args.remote)),
        })
    }

    fn apply(&self, cx: &Cx<'_>) -> Result<Receipt, Fault> {
        let hand = Hand::new(cx, &self.repository);
        let args = &self.args;
        let name = format!("refs/heads/{}", args.branch);
        match self.probe(cx)? {
            Observed::Present(receipt) => return Ok(receipt),
            Observed::Absent => {}
            Observed::Foreign(found) => {
                let what = format!("{} has moved since this was made", args.branch);
                return Err(Fault::clean(Problem::new(Code::LandingRaced, what).found(found)));
            }
        }
        let cmd = hand.remote_git().args(["push", "--porcelain", "--no-verify"]).args([
            format!("--force-with-lease={name}:{}", args.old),
            "--end-of-options".into(),
            args.remote.clone(),
            format!("{}:{name}", args.new),
        ]);
        let output = cx.run(cmd.contain())?;
        match output.ended {
            Ended::Exit(0) => Ok(self.receipt()),
            Ended::Exit(_) => Err(push_fault(&output, &args.remote)),
            Ended::Signal(_) | Ended::TimedOut | Ended::Stopped => {
                Err(Fault { effect: Effect::Unknown, ..cut_off(&output, "git push") })
            }
        }
    }

    fn undo(&self, _cx: &Cx<'_>, receipt: &Receipt) -> Result<(), Fault> {
        if receipt.is_none() {
            return Ok(());
        }
        let problem = Problem::new(Code::PastReturn, "what has landed is not taken back");
        Err(Fault::clean(problem.hint(format!("git revert {}, as another change", self.args.new))))
    }
}

impl Land {
    fn receipt(&self) -> Receipt {
        let args = &self.args;
        Receipt(json!({ "remote": args.remote, "branch": args.branch, "commit": args.new }))
    }
}
