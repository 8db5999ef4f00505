//! The user's own branch, index and files move forward, last of all and only where the user has not moved them.

use std::fs;

use serde_json::json;
use shipway_core::action::{Action, Change, Cx, Fault, Observed, Receipt, Reversal, Sign};
use shipway_core::kinds;
use shipway_core::problem::{Code, Problem};

use super::hand::{Hand, clean};
use super::repository::Repository;

/// The action. It is done when the ref that kept the commit for this run is gone.
#[derive(Debug)]
pub struct Settle {
    /// Where.
    pub repository: Repository,
    /// What.
    pub args: kinds::Settle,
}

impl Action for Settle {
    fn describe(&self) -> Change {
        Change {
            sign: Sign::Change,
            thing: format!("branch {}", self.args.branch),
            summary: "fast-forward here, with index and files".into(),
            reversal: Reversal::Exact,
            undo: "move it back".into(),
            parts: vec![],
        }
    }

    fn probe(&self, cx: &Cx<'_>) -> Result<Observed, Fault> {
        let hand = Hand::new(cx, &self.repository);
        if hand.resolve(&hand.anchor())?.is_some() {
            return Ok(Observed::Absent);
        }
        let now = hand.resolve(&self.name())?.unwrap_or_default();
        Ok(Observed::Present(self.receipt(&now, None)))
    }

    fn apply(&self, cx: &Cx<'_>) -> Result<Receipt, Fault> {
        let hand = Hand::new(cx, &self.repository);
        let now = hand.resolve(&self.name()).map_err(clean)?.unwrap_or_default();
        let Some(commit) = hand.resolve(&hand.anchor()).map_err(clean)? else {
            return Ok(self.receipt(&now, None));
        };
        let kept = match () {
            () if now == commit => None,
            () if now != self.args.old => {
                Some(format!("{} has moved; bring it up: git pull", self.args.branch))
            }
            () if !self.follows(&hand, &commit)? => {
                Some(format!("{} has commits of its own; bring it up: git pull", self.args.branch))
            }
            () => self.forward(&hand, &self.args.old, &commit)?,
        };
        hand.swap(&hand.anchor(), &commit, "")?;
        let now = if kept.is_none() { &commit } else { &now };
        Ok(self.receipt(now, kept.as_deref()))
    }

    fn undo(&self, cx: &Cx<'_>, receipt: &Receipt) -> Result<(), Fault> {
        let hand = Hand::new(cx, &self.repository);
        let (now, ours) = (hand.resolve(&self.name())?.unwrap_or_default(), receipt.text("commit"));
        if now == self.args.old || now != ours || receipt.0.get("kept").is_some_and(|kept| !kept.is_null()) {
            return Ok(());
        }
        match self.forward(&hand, &now, &self.args.old)? {
            None => Ok(()),
            Some(kept) => Err(Fault::clean(Problem::new(Code::LocalMoved, kept))),
        }
    }
}

impl Settle {
    fn name(&self) -> String {
        format!("refs/heads/{}", self.args.branch)
    }

    fn receipt(&self, commit: &str, kept: Option<&str>) -> Receipt {
        Receipt(json!({ "branch": self.args.branch, "commit": commit, "kept": kept }))
    }

    /// Tells whether a commit is above the branch, so that moving there loses nothing.
    fn follows(&self, hand: &Hand<'_>, commit: &str) -> Result<bool, Fault> {
        let cmd = hand.git().args(["merge-base", "--is-ancestor", &self.args.old, commit]);
        Ok(hand.look(cmd).map_err(clean)?.ok())
    }

    /// Moves the branch, and index and files if it is checked out here. Returns why not, if it was left alone.
    ///
    /// It may be called again after being cut off anywhere: a file counts as the user's only if it is neither as the
    /// old nor as the new commit has it, and the branch moves last.
    fn forward(&self, hand: &Hand<'_>, old: &str, new: &str) -> Result<Option<String>, Fault> {
        let head = hand.look(hand.git().args(["symbolic-ref", "--quiet", "HEAD"])).map_err(clean)?.text();
        if head == self.name() {
            let changes = changes(hand, old, new)?;
            if let Some(path) = changes.iter().find_map(|change| change.users(hand).transpose()) {
                let path = path?;
                return Ok(Some(format!(
                    "{path} has changes of your own; {} was left where it is",
                    self.args.branch
                )));
            }
            for change in &changes {
                change.carry_out(hand)?;
            }
        }
        hand.swap(&self.name(), old, new)?;
        Ok(None)
    }
}

/// One path that differs between two commits.
struct Move {
    old: String,
    new: String,
    mode: String,
    path: String,
}

/// Returns the paths that differ between two commits.
fn changes(hand: &Hand<'_>, old: &str, new: &str) -> Result<Vec<Move>, Fault> {
    let cmd = hand.git().args(["diff-tree", "-r", "-z", "--no-renames", "--no-commit-id", old, new]);
    let raw = hand.expect(cmd)?.stdout;
    let raw = String::from_utf8_lossy(&raw).into_owned();
    let mut fields = raw.split_terminator('\0');
    let mut changes = vec![];
    while let (Some(meta), Some(path)) = (fields.next(), fields.next()) {
        // The form is `:oldmode newmode oldid newid status`.
        let meta: Vec<&str> = meta.trim_start_matches(':').split(' ').collect();
        if let [_, mode, old, new, _] = meta[..] {
            changes.push(Move { old: old.into(), new: new.into(), mode: mode.into(), path: path.into() });
        }
    }
    Ok(changes)
}

impl Move {
    fn goes(&self) -> bool {
        self.mode == "000000"
    }

    /// Returns the path if the user's file is neither as the old nor as the new commit has it.
    fn users(&self, hand: &Hand<'_>) -> Result<Option<&str>, Fault> {
        let nothing = |id: &str| id.bytes().all(|byte| byte == b'0');
        let file = hand.repository.top.join(&self.path);
        let ours = match fs::symlink_metadata(&file) {
            Err(_) => nothing(&self.old) || nothing(&self.new),
            Ok(found) if !found.is_file() => false,
            Ok(_) => {
                let id = hand.text(&["hash-object", "--", &self.path])?;
                id == self.old || id == self.new
            }
        };
        Ok((!ours).then_some(self.path.as_str()))
    }

    fn carry_out(&self, hand: &Hand<'_>) -> Result<(), Fault> {
        if self.goes() {
            hand.expect(hand.git().args(["update-index", "--force-remove", "--", &self.path]))?;
            return match fs::remove_file(hand.repository.top.join(&self.path)) {
                Err(error) if error.kind() != std::io::ErrorKind::NotFound => Err(error.into()),
                Ok(()) | Err(_) => Ok(()),
            };
        }
        let entry = format!("{},{},{}", self.mode, self.new, self.path);
        hand.expect(hand.git().args(["update-index", "--add", "--cacheinfo", &entry]))?;
        hand.expect(hand.git().args(["checkout-index", "--force", "--quiet", "--", &self.path]))?;
        Ok(())
    }
}
