//! The withdrawal: a pushed release is answered with a revert commit; its tag stays unless asked.

use std::time::Duration;

use serde_json::json;
use shipway_core::action::{
    Action, Change, Cx, Effect, Ended, Fault, Observed, Part, Receipt, Reversal, Sign,
};
use shipway_core::kinds::{self, Published, Withdrawal};
use shipway_core::problem::{Code, Problem};

use super::hand::{Hand, cut_off, dated, stamp};
use super::remote::{self, push_fault};
use super::repository::Repository;
use crate::change::step::for_revert;
use crate::changelog;

/// The action.
#[derive(Debug)]
pub struct Withdraw {
    /// Where.
    pub repository: Repository,
    /// What.
    pub args: kinds::Withdraw,
}

impl Action for Withdraw {
    fn describe(&self) -> Change {
        let (published, how) = (&self.args.published, &self.args.how);
        let part = |sign, thing: String, summary: &str| Part { sign, thing, summary: summary.into() };
        let mut parts = vec![];
        if published.commit != published.base {
            parts.push(part(
                Sign::Create,
                "commit".into(),
                &format!("revert: release version {}", how.version),
            ));
        }
        parts.extend(
            how.changelog
                .iter()
                .map(|path| part(Sign::Change, path.clone(), &format!("{} marked withdrawn", how.version))),
        );
        if how.delete_tag {
            parts.push(part(
                Sign::Remove,
                format!("refs/tags/{}", published.tag),
                &format!("here and on {}, only if it is still ours", published.remote),
            ));
        }
        Change {
            sign: Sign::Change,
            thing: format!("withdraw {}", published.tag),
            summary: format!("{} on {} (atomic)", published.branch, published.remote),
            reversal: Reversal::Never,
            undo: "a withdrawal is final; release a new version".into(),
            parts,
        }
    }

    fn probe(&self, cx: &Cx<'_>) -> Result<Observed, Fault> {
        let hand = Hand::new(cx, &self.repository);
        let (published, how) = (&self.args.published, &self.args.how);
        let refs = remote::look(&hand, &published.remote, &published.branch, &published.tag)?;
        // What is here goes before what is there, so the remote alone tells.
        let tag_done = !how.delete_tag || refs.tag.as_deref() != Some(&published.object);
        let done = tag_done && stands(&hand, published, refs.tip.as_deref())?.is_none();
        Ok(if done { Observed::Present(receipt(refs.tip.as_deref())) } else { Observed::Absent })
    }

    fn apply(&self, cx: &Cx<'_>) -> Result<Receipt, Fault> {
        let hand = Hand::new(cx, &self.repository);
        let answer = Answer::prepare(&hand, &self.args.published, &self.args.how)?;
        let tip = answer.tip().map(str::to_owned);
        // The next step moves the user's branch to this commit. It is kept before it is pushed: whoever finds it on
        // the remote after a death in between must find it here too.
        if let Some(tip) = tip.as_deref().filter(|_| self.args.published.commit != self.args.published.base) {
            keep(&hand, tip)?;
        }
        forget_tag(&hand, &self.args.published, &self.args.how)
            .map_err(|fault| Fault { effect: Effect::Unknown, ..fault })?;
        answer.send(&hand, &self.args.published, &self.args.how).map_err(|fault| match fault.effect {
            Effect::None if self.put_back(&hand).is_ok() => fault,
            Effect::None | Effect::Unknown => Fault { effect: Effect::Unknown, ..fault },
        })?;
        Ok(receipt(tip.as_deref()))
    }

    fn undo(&self, cx: &Cx<'_>, receipt: &Receipt) -> Result<(), Fault> {
        if receipt.is_none() {
            return self.put_back(&Hand::new(cx, &self.repository));
        }
        let problem = Problem::new(Code::PastReturn, "a withdrawal is not taken back");
        Err(Fault::clean(problem.hint("release a new version: shipway push")))
    }
}

impl Withdraw {
    /// Puts back what is done here before anything is asked of the remote.
    fn put_back(&self, hand: &Hand<'_>) -> Result<(), Fault> {
        keep(hand, "")?;
        let published = &self.args.published;
        let gone = self.args.how.delete_tag && local_tag(hand, published)?.is_none();
        // A tag that was never here cannot be put back.
        if gone && hand.resolve(&format!("{}^{{object}}", published.object))?.is_some() {
            hand.swap(&format!("refs/tags/{}", published.tag), "", &published.object)?;
        }
        Ok(())
    }
}

/// Returns the object id of the tag in this repository, if it is there.
fn local_tag(hand: &Hand<'_>, published: &Published) -> Result<Option<String>, Fault> {
    hand.resolve(&format!("refs/tags/{}", published.tag))
}

/// Deletes the tag in this repository, if it is to go and still ours: `git push --tags` would bring it back.
fn forget_tag(hand: &Hand<'_>, published: &Published, how: &Withdrawal) -> Result<(), Fault> {
    let is_ours = how.delete_tag && local_tag(hand, published)?.as_deref() == Some(&published.object);
    if is_ours {
        hand.swap(&format!("refs/tags/{}", published.tag), &published.object, "")?;
    }
    Ok(())
}

fn receipt(tip: Option<&str>) -> Receipt {
    Receipt(json!({ "tip": tip }))
}

/// Points the ref that keeps a commit for the next step to an object id; an empty one removes the ref.
fn keep(hand: &Hand<'_>, commit: &str) -> Result<(), Fault> {
    let found = hand.resolve(&hand.anchor())?.unwrap_or_default();
    if found == commit { Ok(()) } else { hand.swap(&hand.anchor(), &found, commit) }
}

/// Answers a published release.
///
/// It may be called again at any time: what is answered already is left alone.
pub(crate) fn answer(hand: &Hand<'_>, published: &Published, how: &Withdrawal) -> Result<(), Fault> {
    Answer::prepare(hand, published, how)?.send(hand, published, how)
}

/// What has yet to be pushed so that a release is withdrawn.
struct Answer {
    /// The tip of the remote branch.
    found: Option<String>,
    /// The tip on which the release still stands, and the commit that reverts it there.
    revert: Option<(String, String)>,
    /// Whether the tag goes.
    tag: bool,
}

impl Answer {
    /// Looks at the remote and makes the revert commit, if one is needed.
    fn prepare(hand: &Hand<'_>, published: &Published, how: &Withdrawal) -> Result<Self, Fault> {
        let refs = remote::look(hand, &published.remote, &published.branch, &published.tag)?;
        let standing = stands(hand, published, refs.tip.as_deref())?;
        let revert = match standing {
            Some(tip) => Some((tip.clone(), revert(hand, published, how, &tip)?)),
            None => None,
        };
        let tag = how.delete_tag && refs.tag.as_deref() == Some(&published.object);
        Ok(Self { found: refs.tip, revert, tag })
    }

    /// Returns the tip of the remote branch afterwards.
    fn tip(&self) -> Option<&str> {
        self.revert.as_ref().map(|(_, revert)| revert.as_str()).or(self.found.as_deref())
    }

    fn send(&self, hand: &Hand<'_>, published: &Published, how: &Withdrawal) -> Result<(), Fault> {
        if self.revert.is_none() && !self.tag {
            return Ok(());
        }
        let mut cmd = hand.remote_git().args(["push", "--porcelain", "--atomic"]);
        let (mut specs, branch) = (vec![], format!("refs/heads/{}", published.branch));
        if let Some((tip, revert)) = &self.revert {
            if let Some(ticket) = &how.ticket {
                for_revert(hand.cx, hand.repository, ticket, (tip, revert))?;
            }
            cmd = cmd.arg(format!("--force-with-lease={branch}:{tip}"));
            specs.push(format!("{revert}:{branch}"));
        }
        if self.tag {
            let tag = format!("refs/tags/{}", published.tag);
            cmd = cmd.arg(format!("--force-with-lease={tag}:{}", published.object));
            specs.push(format!(":{tag}"));
        }
        let output = hand.cx.run(cmd.arg(&published.remote).args(specs).contain())?;
        match output.ended {
            Ended::Exit(0) => Ok(()),
            Ended::Exit(_) => {
                let fault = push_fault(&output, &published.remote);
                // Somebody pushed in between: the next attempt reverts on top of that.
                let moved = fault.problem.code == Code::RemoteMoved;
                Err(if moved { fault.retry_after(Duration::from_millis(200)) } else { fault })
            }
            Ended::Signal(_) | Ended::TimedOut | Ended::Stopped => {
                Err(Fault { effect: Effect::Unknown, ..cut_off(&output, "git push") })
            }
        }
    }
}

/// Returns the tip of the remote branch if the release still stands there; nothing if it was reverted or is gone.
fn stands(hand: &Hand<'_>, published: &Published, tip: Option<&str>) -> Result<Option<String>, Fault> {
    let Some(tip) = tip.filter(|_| published.commit != published.base) else { return Ok(None) };
    if tip == published.commit {
        return Ok(Some(tip.to_owned()));
    }
    if hand.resolve(&format!("{tip}^{{commit}}"))?.is_none() {
        remote::fetch(hand, &published.remote, &published.branch)?;
    }
    let above = hand.look(hand.git().args(["merge-base", "--is-ancestor", &published.commit, tip]))?;
    if !above.ok() {
        return Ok(None);
    }
    let range = format!("{}..{tip}", published.commit);
    let messages = hand.text(&["log", "--format=%B", &range])?;
    let reverted = messages.lines().any(|line| line.trim_end() == mark(published));
    Ok((!reverted).then(|| tip.to_owned()))
}

/// Returns the trailer that says which release a revert commit withdraws.
fn mark(published: &Published) -> String {
    format!("Shipway-Withdraws: {} {}", published.tag, published.commit)
}

/// Makes the revert commit on top of a tip and returns its object id. It is the same one in every attempt.
fn revert(hand: &Hand<'_>, published: &Published, how: &Withdrawal, tip: &str) -> Result<String, Fault> {
    let scratch = hand.repository.make_run_dir(hand.cx.run.as_str())?;
    let index = scratch.join("index");
    let _ = std::fs::remove_file(&index);
    let with_index = |args: &[&str]| hand.git().args(args).env("GIT_INDEX_FILE", &index);
    hand.expect(with_index(&["read-tree", tip]))?;
    for path in changed(hand, &published.base, &published.commit)? {
        let info = restored(hand, published, how, (tip, &path))?;
        let cmd = match &info {
            Some(info) => with_index(&["update-index", "--add", "--cacheinfo", info]),
            None => with_index(&["update-index", "--force-remove", "--", &path]),
        };
        hand.expect(cmd)?;
    }
    let tree = hand.expect(with_index(&["write-tree"]))?.text();
    let _ = std::fs::remove_file(&index);
    let message = format!(
        "revert: release version {}\n\nThis reverts commit {}.\n\n{}\n{}",
        how.version,
        published.commit,
        mark(published),
        stamp(hand.cx),
    );
    let signs =
        hand.look(hand.git().args(["config", "--type=bool", "--get", "commit.gpgSign"]))?.text() == "true";
    let sign: &[&str] = if signs { &["-S"] } else { &[] };
    let cmd = hand.git().arg("commit-tree").args(sign).args(["-p", tip, "-F", "-", &tree]);
    Ok(hand.expect(dated(cmd.stdin(message), hand.cx))?.text())
}

/// Returns the paths that a release changed.
fn changed(hand: &Hand<'_>, base: &str, commit: &str) -> Result<Vec<String>, Fault> {
    let cmd = hand.git().args(["diff-tree", "-r", "-z", "--name-only", "--no-commit-id", base, commit]);
    let names = hand.expect(cmd)?.stdout;
    Ok(String::from_utf8_lossy(&names).split_terminator('\0').map(str::to_owned).collect())
}

/// Returns mode, object id and path as they are to be after the withdrawal; nothing if the path goes.
fn restored(
    hand: &Hand<'_>,
    published: &Published,
    how: &Withdrawal,
    (tip, path): (&str, &str),
) -> Result<Option<String>, Fault> {
    let entry =
        |tree: &str| hand.text(&["ls-tree", "--format=%(objectmode),%(objectname)", tree, "--", path]);
    let now = entry(tip)?;
    if how.changelog.as_deref() == Some(path) && !now.is_empty() {
        let old = hand.expect(hand.git().args(["cat-file", "blob", &format!("{tip}:{path}")]))?.stdout;
        let date = hand.cx.opened.date();
        let new = changelog::withdraw(path, &old, &how.version, &date).map_err(Fault::clean)?.unwrap_or(old);
        let blob = hand.expect(hand.git().args(["hash-object", "-w", "--stdin"]).stdin(new))?.text();
        let mode = now.split(',').next().unwrap_or("100644");
        return Ok(Some(format!("{mode},{blob},{path}")));
    }
    let before = entry(&published.base)?;
    if now != entry(&published.commit)? && now != before {
        let problem = Problem::new(Code::NotVerified, format!("{path} has changed since the release"))
            .wanted("the file as the release left it")
            .found(format!("{path} at {}", tip.get(..8).unwrap_or(tip)))
            .hint(format!("revert it by hand: git revert {}", published.commit.get(..8).unwrap_or_default()));
        return Err(Fault::clean(problem));
    }
    Ok((!before.is_empty()).then(|| format!("{before},{path}")))
}
