//! The user's own branch, index and files move forward, last of all and only where the user has not moved them.

use std::fs;
use std::path::PathBuf;
use std::time::Duration;

use serde_json::json;
use shipway_core::action::{
    Action, Change, Cmd, Cx, Effect, Fault, Observed, Receipt, Reversal, Sign, Urgency,
};
use shipway_core::kinds;
use shipway_core::problem::{Code, Problem};

use super::hand::{Hand, clean, stamped};
use super::repository::Repository;

/// How often, and how far apart, an index that another git works on is looked at.
const PATIENCE: u32 = 100;
const BEAT: Duration = Duration::from_millis(50);

/// The action. It is done when the ref that kept the commit for this run is gone, and undone when that is back.
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
        self.settled(&hand, cx).map(Observed::Present)
    }

    fn apply(&self, cx: &Cx<'_>) -> Result<Receipt, Fault> {
        let hand = Hand::new(cx, &self.repository);
        let now = hand.resolve(&self.name()).map_err(clean)?.unwrap_or_default();
        let Some(commit) = hand.resolve(&hand.anchor()).map_err(clean)? else {
            return self.settled(&hand, cx);
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
        hand.swap(&hand.anchor(), &commit, "").map_err(doubt)?;
        let now = if kept.is_none() { &commit } else { &now };
        Ok(self.receipt(now, kept.as_deref()))
    }

    fn undo(&self, cx: &Cx<'_>, receipt: &Receipt) -> Result<(), Fault> {
        let hand = Hand::new(cx, &self.repository);
        if receipt.0.get("kept").is_some_and(|kept| !kept.is_null()) {
            return Ok(());
        }
        // Without a receipt an attempt was cut off, and the ref still tells where it was going.
        let found = hand.resolve(&hand.anchor())?;
        let ours = if receipt.is_none() { found.clone() } else { Some(receipt.text("commit").to_owned()) };
        let Some(ours) = ours.filter(|ours| *ours != self.args.old) else { return Ok(()) };
        let now = hand.resolve(&self.name())?.unwrap_or_default();
        if now != ours && now != self.args.old {
            return Ok(());
        }
        if found.is_none() {
            hand.swap(&hand.anchor(), "", &ours)?;
        }
        match self.forward(&hand, &ours, &self.args.old)? {
            None => Ok(()),
            // What is the user's own was not touched on the way there either.
            Some(_) if now == self.args.old => Ok(()),
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

    /// Returns the receipt of a run that has settled: the branch is ours only where its commit bears our stamp.
    fn settled(&self, hand: &Hand<'_>, cx: &Cx<'_>) -> Result<Receipt, Fault> {
        let now = hand.resolve(&self.name()).map_err(clean)?.unwrap_or_default();
        let ours =
            !now.is_empty() && stamped(&hand.text(&["log", "-1", "--format=%B", &now]).map_err(clean)?, cx);
        let kept = (!ours).then(|| format!("{} has moved; bring it up: git pull", self.args.branch));
        Ok(self.receipt(&now, kept.as_deref()))
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
            let changes = changes(hand, old, new).map_err(clean)?;
            if let Some(path) = users(hand, &changes).map_err(clean)? {
                return Ok(Some(format!(
                    "{path} has changes of your own; {} was left where it is",
                    self.args.branch
                )));
            }
            if !is_free(hand) {
                let lock = index_lock(hand);
                return Ok(Some(format!(
                    "another git works on the index ({}); {} was left where it is",
                    lock.display(),
                    self.args.branch
                )));
            }
            carry_out(hand, &changes).map_err(doubt)?;
        }
        if hand.resolve(&self.name()).map_err(doubt)?.as_deref() != Some(new) {
            hand.swap(&self.name(), old, new).map_err(doubt)?;
        }
        Ok(None)
    }
}

/// Turns any fault into one that may have left a part of the effect.
fn doubt(fault: Fault) -> Fault {
    Fault { effect: Effect::Unknown, ..fault }
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
}

/// Returns the first path whose file is neither as the old nor as the new commit has it.
fn users(hand: &Hand<'_>, changes: &[Move]) -> Result<Option<String>, Fault> {
    let nothing = |id: &str| id.bytes().all(|byte| byte == b'0');
    let (mut there, mut paths) = (vec![], String::new());
    for change in changes {
        match fs::symlink_metadata(hand.repository.top.join(&change.path)) {
            Err(_) if nothing(&change.old) || nothing(&change.new) => {}
            Ok(found) if found.is_file() => {
                paths += &format!("{}\n", change.path);
                there.push(change);
            }
            Ok(_) | Err(_) => return Ok(Some(change.path.clone())),
        }
    }
    let ids = hand.expect(hand.git().args(["hash-object", "--stdin-paths"]).stdin(paths))?.text();
    let mut ids = ids.lines();
    let theirs = there.into_iter().find(|change| {
        let id = ids.next().unwrap_or_default();
        id != change.old && id != change.new
    });
    Ok(theirs.map(|change| change.path.clone()))
}

/// Brings index and files to where the changes lead, in one step each.
fn carry_out(hand: &Hand<'_>, changes: &[Move]) -> Result<(), Fault> {
    let (mut entries, mut paths) = (String::new(), String::new());
    for change in changes {
        let mode = if change.goes() { "0" } else { &change.mode };
        entries += &format!("{mode} {}\t{}\0", change.new, change.path);
        if !change.goes() {
            paths += &format!("{}\0", change.path);
        }
    }
    on_index(hand, hand.git().args(["update-index", "-z", "--index-info"]).stdin(entries))?;
    for change in changes.iter().filter(|change| change.goes()) {
        match fs::remove_file(hand.repository.top.join(&change.path)) {
            Err(error) if error.kind() != std::io::ErrorKind::NotFound => return Err(error.into()),
            Ok(()) | Err(_) => {}
        }
    }
    let out = ["checkout-index", "--index", "--force", "--quiet", "-z", "--stdin"];
    on_index(hand, hand.git().args(out).stdin(paths))
}

fn index_lock(hand: &Hand<'_>) -> PathBuf {
    hand.repository.git_dir.join("index.lock")
}

/// Waits until no other git, such as that of an editor, has the index, and tells whether it is free.
fn is_free(hand: &Hand<'_>) -> bool {
    let lock = index_lock(hand);
    for _ in 0..PATIENCE {
        if !lock.exists() || hand.cx.stop.urgency() > Urgency::None {
            break;
        }
        hand.cx.world.rest(BEAT, hand.cx.stop);
    }
    !lock.exists()
}

/// Runs a command that changes the index, which was free.
fn on_index(hand: &Hand<'_>, cmd: Cmd) -> Result<(), Fault> {
    let result = hand.expect(cmd);
    let cut_off = |fault: &Fault| matches!(fault.problem.code, Code::StepTimedOut | Code::Stopped);
    if result.as_ref().is_err_and(cut_off) {
        // Git that we have killed cannot take its lock away, and nobody could change the index any more.
        let _ = fs::remove_file(index_lock(hand));
    }
    result.map(drop)
}
