//! The release tag: annotated, create-only, stamped with its run.
//!
//! This is the file to copy for a new action.

use serde_json::json;
use shipway_core::action::{Action, Change, Cx, Effect, Ended, Fault, Observed, Receipt, Reversal, Sign};
use shipway_core::anchor;
use shipway_core::kinds::{self, Signing};
use shipway_core::problem::{Code, Problem};
use shipway_core::version;

use super::hand::{Hand, clean, cut_off, dated, problem_of, stamp, stamped};
use super::repository::Repository;

/// The action.
#[derive(Debug)]
pub struct Tag {
    /// Where.
    pub repository: Repository,
    /// What.
    pub args: kinds::Tag,
}

impl Action for Tag {
    fn describe(&self) -> Change {
        let at = self.args.commit.as_deref().and_then(|commit| commit.get(..8)).unwrap_or("that commit");
        Change {
            sign: Sign::Create,
            thing: format!("tag {}", self.args.tag),
            summary: format!("at {at}"),
            reversal: Reversal::Exact,
            undo: "delete the tag".into(),
            parts: vec![],
        }
    }

    fn probe(&self, cx: &Cx<'_>) -> Result<Observed, Fault> {
        let hand = Hand::new(cx, &self.repository);
        let Some(object) = hand.resolve(&self.name())? else { return Ok(Observed::Absent) };
        let shown = hand.text(&["for-each-ref", "--format=%(*objectname)%0a%(contents)", &self.name()])?;
        let (commit, message) = shown.split_once('\n').unwrap_or((&shown, ""));
        if stamped(message, cx) {
            return Ok(Observed::Present(self.receipt(&object, commit)));
        }
        Ok(Observed::Foreign(format!("tag {} is {object}, which this run did not make", self.args.tag)))
    }

    fn apply(&self, cx: &Cx<'_>) -> Result<Receipt, Fault> {
        let hand = Hand::new(cx, &self.repository);
        match self.probe(cx).map_err(clean)? {
            Observed::Present(receipt) => return Ok(receipt),
            Observed::Foreign(found) => {
                let problem = Problem::new(Code::TagTaken, format!("tag {} exists already", self.args.tag));
                return Err(Fault::clean(problem.found(found).hint(format!("git show {}", self.args.tag))));
            }
            Observed::Absent => {}
        }
        let name = self.args.commit.clone().unwrap_or_else(|| hand.anchor());
        let commit = hand.resolve(&format!("{name}^{{commit}}")).map_err(clean)?.ok_or_else(|| {
            Fault::clean(Problem::new(Code::TagFailed, format!("there is no commit {name} to tag")))
        })?;
        self.make(&hand, &commit)?;
        // From here on the tag may be there, so a look that fails says nothing.
        let found = hand.resolve(&self.name()).map_err(|fault| Fault::in_doubt(fault.problem))?;
        let object = found.ok_or_else(|| {
            Fault::clean(Problem::new(Code::TagFailed, format!("git made no tag {}", self.args.tag)))
        })?;
        Ok(self.receipt(&object, &commit))
    }

    fn undo(&self, cx: &Cx<'_>, receipt: &Receipt) -> Result<(), Fault> {
        let hand = Hand::new(cx, &self.repository);
        let ours = receipt.text("object");
        let found = hand.resolve(&self.name())?;
        if found.as_deref() == Some(ours) { hand.swap(&self.name(), ours, "") } else { Ok(()) }
    }
}

impl Tag {
    fn name(&self) -> String {
        format!("refs/tags/{}", self.args.tag)
    }

    fn receipt(&self, object: &str, commit: &str) -> Receipt {
        Receipt(json!({ "tag": self.args.tag, "object": object, "commit": commit }))
    }

    fn make(&self, hand: &Hand<'_>, commit: &str) -> Result<(), Fault> {
        // An anchor: whoever has the tag can tell whether the journal still holds what it held by now.
        let seal = hand.cx.world.checkpoint();
        let anchor = seal.map(|seal| format!("{}: {seal}\n", anchor::TRAILER)).unwrap_or_default();
        let message = version::stamped(&self.args.message, &stamp(hand.cx)) + &anchor;
        let sign: &[&str] = match self.args.sign {
            Signing::Auto => &["--annotate"],
            Signing::Required => &["--sign"],
            Signing::Never => &["--annotate", "--no-sign"],
        };
        let cmd = hand.git().args(["tag", "--cleanup=verbatim", "--file=-"]).args(sign);
        let cmd = dated(cmd.args(["--", &self.args.tag, commit]).stdin(message), hand.cx);
        let output = hand.cx.run(cmd)?;
        match output.ended {
            Ended::Exit(0) => Ok(()),
            // Creating the ref is the last thing git does, and it said no before or there.
            Ended::Exit(_) => {
                let text = output.error_text();
                let signing = text.contains("gpg failed") || text.contains("unable to sign");
                let code = if signing { Code::SigningUnusable } else { Code::TagFailed };
                Err(Fault::clean(problem_of(
                    &text,
                    code,
                    format!("git could not make tag {}", self.args.tag),
                )))
            }
            Ended::Signal(_) | Ended::TimedOut | Ended::Stopped => {
                Err(Fault { effect: Effect::Unknown, ..cut_off(&output, "git tag") })
            }
        }
    }
}
