//! The release commit: made in a work tree of its own, kept under a ref of its own.
//!
//! The one effect is the ref `refs/shipway/RUN/commit`. Commit objects that no ref names are none.

use std::fs;
use std::path::{Path, PathBuf};

use serde_json::json;
use shipway_core::action::{Action, Change, Cx, Ended, Fault, Observed, Part, Receipt, Reversal, Sign};
use shipway_core::edit::Edit;
use shipway_core::id::Digest;
use shipway_core::kinds::{self, Signing};
use shipway_core::problem::{Code, Problem};
use shipway_core::version;

use super::hand::{Hand, clean, cut_off, dated, problem_of, stamp, stamped};
use super::repository::Repository;

/// The action.
#[derive(Debug)]
pub struct Commit {
    /// Where.
    pub repository: Repository,
    /// What.
    pub args: kinds::Commit,
}

impl Action for Commit {
    fn describe(&self) -> Change {
        let part = |edit: &Edit| Part {
            sign: if edit.from.is_some() { Sign::Change } else { Sign::Create },
            thing: edit.path.clone(),
            summary: edit.summary.clone(),
        };
        Change {
            sign: Sign::Create,
            thing: "commit".into(),
            summary: self.args.message.lines().next().unwrap_or_default().into(),
            reversal: Reversal::Exact,
            undo: "forget the commit".into(),
            parts: self.args.edits.iter().map(part).collect(),
        }
    }

    fn probe(&self, cx: &Cx<'_>) -> Result<Observed, Fault> {
        let hand = Hand::new(cx, &self.repository);
        let Some(commit) = hand.resolve(&hand.anchor())? else { return Ok(Observed::Absent) };
        let message = hand.text(&["log", "-1", "--format=%B", &commit])?;
        if stamped(&message, cx) {
            return Ok(Observed::Present(self.receipt(&commit)));
        }
        Ok(Observed::Foreign(format!("{} is {commit}, which this run did not make", hand.anchor())))
    }

    fn apply(&self, cx: &Cx<'_>) -> Result<Receipt, Fault> {
        let hand = Hand::new(cx, &self.repository);
        match self.probe(cx).map_err(clean)? {
            Observed::Present(receipt) => return Ok(receipt),
            Observed::Foreign(found) => {
                let problem = Problem::new(Code::CommitFailed, format!("{} is taken", hand.anchor()));
                return Err(Fault::clean(problem.found(found)));
            }
            Observed::Absent => {}
        }
        let tree = self.tree(cx);
        let commit = self.make(&hand, &tree).and_then(|()| self.made(&hand, &tree));
        // The ref comes last: whoever finds it after a death here has nothing more to clear away.
        discard(&hand, &tree);
        let commit = commit.map_err(clean)?;
        hand.swap(&hand.anchor(), "", &commit)?;
        Ok(self.receipt(&commit))
    }

    fn undo(&self, cx: &Cx<'_>, receipt: &Receipt) -> Result<(), Fault> {
        let hand = Hand::new(cx, &self.repository);
        discard(&hand, &self.tree(cx));
        let (ours, found) = (receipt.text("commit"), hand.resolve(&hand.anchor())?);
        if found.as_deref() == Some(ours) { hand.swap(&hand.anchor(), ours, "") } else { Ok(()) }
    }
}

impl Commit {
    fn receipt(&self, commit: &str) -> Receipt {
        Receipt(json!({ "commit": commit, "parent": self.args.base }))
    }

    fn tree(&self, cx: &Cx<'_>) -> PathBuf {
        // Git names its record of a work tree after the last part of the path, so that part must be ours alone.
        self.repository.run_dir(cx.run.as_str()).join(format!("shipway-{}", cx.run))
    }

    /// Makes the work tree and the commit in it.
    fn make(&self, hand: &Hand<'_>, tree: &Path) -> Result<(), Fault> {
        // What an attempt that was cut off left behind is in the way.
        discard(hand, tree);
        self.repository.make_run_dir(hand.cx.run.as_str())?;
        let add = hand.git().args(["worktree", "add", "--quiet", "--no-checkout", "--detach"]);
        hand.expect(add.arg(tree).arg(&self.args.base))?;
        let hooks = self.hooks(hand)?;
        // Hooks may look at any file; without hooks nobody does, and a full checkout can take long.
        let fill: &[&str] = if hooks { &["reset", "--hard", "--quiet"] } else { &["read-tree", "HEAD"] };
        hand.expect(Hand::git_in(tree).args(fill))?;
        for edit in &self.args.edits {
            self.write(hand, tree, edit)?;
        }
        self.commit(hand, tree, hooks)
    }

    fn write(&self, hand: &Hand<'_>, tree: &Path, edit: &Edit) -> Result<(), Fault> {
        let new = self.planned(hand, edit)?;
        let path = tree.join(&edit.path);
        if let Some(parent) = path.parent() {
            fs::create_dir_all(parent)?;
        }
        fs::write(&path, new)?;
        let mode = hand.text(&["ls-tree", "--format=%(objectmode)", &self.args.base, "--", &edit.path])?;
        let mode = if mode.is_empty() { "100644" } else { &mode };
        let hash = Hand::git_in(tree).args(["hash-object", "-w", "--no-filters", "--"]).arg(&edit.path);
        let blob = hand.expect(hash)?.text();
        let entry = format!("{mode},{blob},{}", edit.path);
        hand.expect(Hand::git_in(tree).args(["update-index", "--add", "--cacheinfo", &entry])).map(|_| ())
    }

    /// Returns the bytes that the plan gives a file.
    fn planned(&self, hand: &Hand<'_>, edit: &Edit) -> Result<Vec<u8>, Fault> {
        let blob = || {
            hand.expect(hand.git().args(["cat-file", "blob", &format!("{}:{}", self.args.base, edit.path)]))
        };
        let old = edit.from.as_ref().map(|_| blob()).transpose()?.map(|output| output.stdout);
        edit.apply(old.as_deref()).map_err(Fault::clean)
    }

    fn commit(&self, hand: &Hand<'_>, tree: &Path, hooks: bool) -> Result<(), Fault> {
        let message = self.repository.run_dir(hand.cx.run.as_str()).join("message");
        fs::write(&message, version::stamped(&self.args.message, &stamp(hand.cx)))?;
        let sign: &[&str] = match self.args.sign {
            Signing::Auto => &[],
            Signing::Required => &["--gpg-sign"],
            Signing::Never => &["--no-gpg-sign"],
        };
        let cmd = Hand::git_in(tree).args(["commit", "--quiet", "--cleanup=verbatim", "--allow-empty"]);
        let cmd = dated(cmd.args(sign).arg("-F").arg(&message), hand.cx).contain();
        let output = hand.cx.run(cmd)?;
        let _ = fs::remove_file(&message);
        match output.ended {
            Ended::Exit(0) => Ok(()),
            Ended::Exit(_) => {
                let text = output.error_text();
                let words = ["gpg failed", "failed to sign", "ouldn't load public key", "user.signingkey"];
                let signing = words.iter().any(|word| text.contains(word));
                let problem = match () {
                    () if signing => {
                        problem_of(&text, Code::SigningUnusable, "git could not sign the commit".into())
                    }
                    () if hooks => {
                        problem_of(&text, Code::HookRefused, "a hook refused the release commit".into())
                            .details(output.text().lines().map(str::to_owned).take(15))
                            .hint(format!("see all it said: shipway log {} {}", hand.cx.run, hand.cx.step))
                    }
                    () => {
                        problem_of(&text, Code::CommitFailed, "git could not make the release commit".into())
                    }
                };
                Err(Fault::clean(problem))
            }
            Ended::Signal(_) | Ended::TimedOut | Ended::Stopped => {
                let fault = cut_off(&output, "git commit");
                let hint = "a hook may hang: git hook run pre-commit";
                Err(if hooks { Fault { problem: fault.problem.hint(hint), ..fault } } else { fault })
            }
        }
    }

    /// Returns the commit, once it is proven to be the one in the plan: a hook may have changed it.
    fn made(&self, hand: &Hand<'_>, tree: &Path) -> Result<String, Fault> {
        let show = Hand::git_in(tree).args(["log", "-1", "--format=%H%n%P%n%B", "HEAD"]);
        let shown = hand.expect(show)?.text();
        let mut lines = shown.lines();
        let (commit, parent) = (lines.next().unwrap_or_default(), lines.next().unwrap_or_default());
        let names = ["diff-tree", "-r", "--name-only", "--no-commit-id", "-z", &self.args.base, commit];
        let changed = hand.expect(hand.git().args(names))?.stdout;
        let changed = String::from_utf8_lossy(&changed);
        let planned = |path: &&str| self.args.edits.iter().any(|edit| edit.path == **path);
        let stray: Vec<&str> = changed.split_terminator('\0').filter(|path| !planned(path)).collect();
        let stamped = stamped(&lines.collect::<Vec<_>>().join("\n"), hand.cx);
        if parent != self.args.base || !stray.is_empty() || !stamped {
            let problem = Problem::new(Code::HookRefused, "a hook changed the release commit")
                .wanted("the commit that the plan shows")
                .found(if stray.is_empty() { "another parent or message".into() } else { stray.join(", ") });
            return Err(Fault::clean(
                problem.hint("let the hook pass over release commits, then: shipway push"),
            ));
        }
        for edit in &self.args.edits {
            let blob =
                hand.expect(hand.git().args(["cat-file", "blob", &format!("{commit}:{}", edit.path)]))?;
            if Digest::of(&blob.stdout) != edit.to {
                let problem = Problem::new(Code::HookRefused, format!("a hook changed {}", edit.path));
                return Err(Fault::clean(
                    problem.hint("let the hook pass over release commits, then: shipway push"),
                ));
            }
        }
        Ok(commit.to_owned())
    }

    /// Tells whether the repository has a hook that a commit runs.
    fn hooks(&self, hand: &Hand<'_>) -> Result<bool, Fault> {
        let dir = self.repository.top.join(hand.text(&["rev-parse", "--git-path", "hooks"])?);
        let names = ["pre-commit", "prepare-commit-msg", "commit-msg", "post-commit"];
        Ok(names.iter().any(|name| dir.join(name).is_file()))
    }
}

/// Removes the work tree of the run, in whatever state it is; what cannot be removed shows when it is made anew.
///
/// Git itself is not asked: it would not remove a record that is half made, and with it might go other work trees of
/// the user whose disk is not there at the moment.
fn discard(hand: &Hand<'_>, tree: &Path) {
    let _ = fs::remove_dir_all(tree);
    let records = hand.repository.common_dir.join("worktrees");
    if let Some(name) = tree.file_name() {
        let _ = fs::remove_dir_all(records.join(name));
    }
    // Empty again, it is as it was before the first work tree.
    let _ = fs::remove_dir(records);
}
