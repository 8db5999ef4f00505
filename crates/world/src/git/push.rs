//! The push: branch and tag in one atomic request, each with a lease, so that it happens whole or not at all.

use serde_json::json;
use shipway_core::action::{
    Action, Change, Cx, Effect, Ended, Fault, Observed, Part, Receipt, Reversal, Sign,
};
use shipway_core::kinds;
use shipway_core::problem::{Code, Problem};

use super::hand::{Hand, clean, cut_off};
use super::remote::{self, push_fault};
use super::repository::Repository;
use super::withdraw;

/// The action.
#[derive(Debug)]
pub struct Push {
    /// Where.
    pub repository: Repository,
    /// What.
    pub args: kinds::Push,
}

impl Action for Push {
    fn describe(&self) -> Change {
        let part = |sign, thing: String, summary: String| Part { sign, thing, summary };
        let short = |id: &str| id.get(..8).unwrap_or(id).to_owned();
        let commit = self.args.commit.as_deref().map_or_else(|| "that commit".into(), short);
        let name = format!("refs/heads/{}", self.args.branch);
        let branch = match self.args.old.as_str() {
            "" => Some(part(Sign::Create, name, commit)),
            // A release that is only a tag moves a branch only if that was not pushed before.
            old if self.args.commit.as_deref() == Some(old) => None,
            old => Some(part(Sign::Change, name, format!("{} → {commit}", short(old)))),
        };
        let what = match branch {
            Some(_) => format!("{}, {}", self.args.branch, self.args.tag),
            None => self.args.tag.clone(),
        };
        let tag = part(Sign::Create, format!("refs/tags/{}", self.args.tag), "must not exist there".into());
        Change {
            sign: Sign::Change,
            thing: "push".into(),
            summary: format!("{what} → {} (atomic)", self.args.remote),
            reversal: self.args.reversal,
            undo: match self.args.reversal {
                Reversal::Never => "the tag is the publication; only a new release can follow".into(),
                Reversal::Exact | Reversal::Visible if self.args.withdraw.delete_tag => {
                    format!("delete the tag on {}", self.args.remote)
                }
                Reversal::Exact | Reversal::Visible => "push a revert commit, keep the tag".into(),
            },
            parts: branch.into_iter().chain([tag]).collect(),
        }
    }

    fn probe(&self, cx: &Cx<'_>) -> Result<Observed, Fault> {
        let hand = Hand::new(cx, &self.repository);
        let ours = self.ours(&hand)?;
        let refs = remote::look(&hand, &self.args.remote, &self.args.branch, &self.args.tag)?;
        let receipt = self.receipt(&ours);
        Ok(match (refs.tag, refs.tip) {
            // The push is atomic: where our tag object is, our commit was. Others may have built on it since.
            (Some(tag), _) if tag == ours.tag => Observed::Present(receipt),
            (_, Some(tip)) if tip == ours.commit && tip != self.args.old => Observed::Present(receipt),
            (Some(tag), _) => {
                Observed::Foreign(format!("tag {} on {} is {tag}", self.args.tag, self.args.remote))
            }
            (None, _) => Observed::Absent,
        })
    }

    fn apply(&self, cx: &Cx<'_>) -> Result<Receipt, Fault> {
        let hand = Hand::new(cx, &self.repository);
        let ours = self.ours(&hand).map_err(clean)?;
        let (branch, tag) =
            (format!("refs/heads/{}", self.args.branch), format!("refs/tags/{}", self.args.tag));
        let cmd = hand.remote_git().args(["push", "--porcelain", "--atomic"]).args([
            format!("--force-with-lease={branch}:{}", self.args.old),
            format!("--force-with-lease={tag}:"),
            self.args.remote.clone(),
            format!("{}:{branch}", ours.commit),
            format!("{}:{tag}", ours.tag),
        ]);
        let output = cx.run(cmd.contain())?;
        match output.ended {
            Ended::Exit(0) => Ok(self.receipt(&ours)),
            Ended::Exit(_) => Err(push_fault(&output, &self.args.remote)),
            Ended::Signal(_) | Ended::TimedOut | Ended::Stopped => {
                Err(Fault { effect: Effect::Unknown, ..cut_off(&output, "git push") })
            }
        }
    }

    fn undo(&self, cx: &Cx<'_>, receipt: &Receipt) -> Result<(), Fault> {
        if receipt.is_none() {
            return Ok(());
        }
        let hand = Hand::new(cx, &self.repository);
        let published = kinds::Published {
            remote: self.args.remote.clone(),
            branch: self.args.branch.clone(),
            base: receipt.text("base").into(),
            commit: receipt.text("commit").into(),
            tag: self.args.tag.clone(),
            object: receipt.text("tag").into(),
        };
        withdraw::answer(&hand, &published, &self.args.withdraw)?;
        // The remote holds the commit now; the ref that kept it here is no longer needed.
        match hand.resolve(&hand.anchor())? {
            Some(found) => hand.swap(&hand.anchor(), &found, ""),
            None => Ok(()),
        }
    }
}

/// The objects that are pushed.
struct Ours {
    commit: String,
    base: String,
    tag: String,
}

impl Push {
    fn ours(&self, hand: &Hand<'_>) -> Result<Ours, Fault> {
        let missing = |name: &str| {
            Fault::clean(Problem::new(Code::LocalMoved, format!("{name} is gone since the plan was made")))
        };
        let tag_name = format!("refs/tags/{}", self.args.tag);
        let tag = hand.resolve(&tag_name)?.ok_or_else(|| missing(&tag_name))?;
        // The tag names the release commit, also when the ref that kept it is gone.
        let commit = hand.resolve(&format!("{tag}^{{commit}}"))?.ok_or_else(|| missing(&tag_name))?;
        let base = match &self.args.commit {
            Some(commit) => commit.clone(),
            None => hand.text(&["rev-parse", &format!("{commit}^")])?,
        };
        Ok(Ours { commit, base, tag })
    }

    fn receipt(&self, ours: &Ours) -> Receipt {
        Receipt(json!({
            "remote": self.args.remote, "branch": self.args.branch, "commit": ours.commit, "base": ours.base,
            "tag": ours.tag,
        }))
    }
}
