use std::path::PathBuf;
use std::rc::Rc;

use serde_json::json;
use shipway_core::action::{Change, Cmd, Ended, Fault, Observed, Output, Reversal, Sign};
use shipway_core::problem::{Code, Problem};

use super::*;
use crate::repo::Repo;
use crate::state::Snapshot;

const NAME: &str = "refs/shipway/kept";
const ANSWER: &str = "refs/shipway/answered";
const ZERO: &str = "0000000000000000000000000000000000000000";

/// What is wrong with an action.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Flaw {
    None,
    UndoRemovesForeign,
    UndoOnlyOnce,
    UndoDoesNothing,
    ProbeSeesAbsent,
    ProbeTakesForeignForOurs,
    ProbeTakesFailureForAbsent,
    ApplyClaimsClean,
    ApplyOverwrites,
    ApplyOnlyOnce,
    ApplyLeavesScaffold,
    ReceiptChanges,
}

/// Creates a ref.
#[derive(Debug)]
struct CreateRef {
    repo: PathBuf,
    commit: String,
    reversal: Reversal,
    flaw: Flaw,
}

impl CreateRef {
    fn git(&self, cx: &Cx<'_>, args: &[&str]) -> Result<Output, Fault> {
        cx.run(Cmd::new("git").dir(&self.repo).args(args))
    }

    fn update(&self, cx: &Cx<'_>, args: &[&str]) -> Result<(), Fault> {
        let output = self.git(cx, &[&["update-ref"], args].concat())?;
        match output.ended {
            Ended::Exit(0) => Ok(()),
            // git that ended by itself and says no has changed nothing.
            Ended::Exit(_) => Err(Fault::clean(problem(&output.error_text()))),
            Ended::Signal(_) | Ended::TimedOut | Ended::Stopped => Err(Fault::in_doubt(problem("cut off"))),
        }
    }

    fn receipt(&self, attempt: u32) -> Receipt {
        let attempt = if self.flaw == Flaw::ReceiptChanges { attempt } else { 1 };
        Receipt(json!({ "object": self.commit, "attempt": attempt }))
    }
}

fn problem(what: &str) -> Problem {
    Problem::new(Code::GitFailed, what)
}

impl Action for CreateRef {
    fn describe(&self) -> Change {
        Change {
            sign: Sign::Create,
            thing: NAME.into(),
            summary: "at HEAD".into(),
            reversal: self.reversal,
            undo: "delete the ref".into(),
            parts: vec![],
        }
    }

    fn probe(&self, cx: &Cx<'_>) -> Result<Observed, Fault> {
        let output = match self.git(cx, &["rev-parse", "--verify", "--quiet", NAME]) {
            Err(_) if self.flaw == Flaw::ProbeTakesFailureForAbsent => return Ok(Observed::Absent),
            result => result?,
        };
        match output.ended {
            Ended::Exit(0) if self.flaw == Flaw::ProbeSeesAbsent => Ok(Observed::Absent),
            Ended::Exit(0) if output.text() == self.commit || self.flaw == Flaw::ProbeTakesForeignForOurs => {
                Ok(Observed::Present(self.receipt(cx.attempt)))
            }
            Ended::Exit(0) => Ok(Observed::Foreign(output.text())),
            Ended::Exit(1) => Ok(Observed::Absent),
            Ended::Exit(_) | Ended::Signal(_) | Ended::TimedOut | Ended::Stopped => {
                Err(Fault::in_doubt(problem("the ref cannot be read")))
            }
        }
    }

    fn apply(&self, cx: &Cx<'_>) -> Result<Receipt, Fault> {
        let create = [NAME, &self.commit, ZERO];
        if self.flaw == Flaw::ApplyOnlyOnce {
            let result = self.update(cx, &create);
            return result.map(|()| self.receipt(1)).map_err(|fault| Fault::in_doubt(fault.problem));
        }
        if self.flaw == Flaw::ApplyOverwrites {
            return self.update(cx, &create[..2]).map(|()| self.receipt(1));
        }
        match self.probe(cx)? {
            Observed::Absent => {}
            Observed::Present(_) => return Ok(self.receipt(cx.attempt)),
            Observed::Foreign(found) => {
                return Err(Fault::clean(problem("the ref is not ours").found(found)));
            }
        }
        if self.flaw == Flaw::ApplyLeavesScaffold {
            self.update(cx, &["refs/shipway/scaffold", &self.commit])?;
        }
        match self.update(cx, &create) {
            Err(fault) if self.flaw == Flaw::ApplyClaimsClean => return Err(Fault::clean(fault.problem)),
            result => result?,
        }
        if self.flaw == Flaw::ApplyLeavesScaffold {
            self.update(cx, &["-d", "refs/shipway/scaffold"])?;
        }
        Ok(self.receipt(cx.attempt))
    }

    fn undo(&self, cx: &Cx<'_>, receipt: &Receipt) -> Result<(), Fault> {
        if self.flaw == Flaw::UndoDoesNothing {
            return Ok(());
        }
        if self.flaw == Flaw::UndoRemovesForeign {
            return self.update(cx, &["-d", NAME]);
        }
        if !matches!(self.probe(cx)?, Observed::Present(_)) {
            let gone = Err(Fault::clean(problem("the ref is gone")));
            return if self.flaw == Flaw::UndoOnlyOnce { gone } else { Ok(()) };
        }
        match self.reversal {
            Reversal::Exact => self.update(cx, &["-d", NAME, receipt.text("object")]),
            Reversal::Visible => self.update(cx, &[ANSWER, receipt.text("object")]),
            Reversal::Never => Err(Fault::clean(problem("there is no way back"))),
        }
    }
}

fn site(flaw: Flaw, reversal: Reversal) -> Site {
    let repo = Rc::new(Repo::new());
    let other = repo.commits(&["feat: a", "feat: b"]);
    let commit = repo.git(["rev-parse", "HEAD~1"]);
    let action = CreateRef { repo: repo.path().to_owned(), commit: commit.clone(), reversal, flaw };
    let (look, foreign, answered) = (Rc::clone(&repo), Rc::clone(&repo), Rc::clone(&repo));
    let undo = match reversal {
        Reversal::Exact => Undo::Exact,
        Reversal::Visible => Undo::Answered(Box::new(move || {
            answered.rev(ANSWER).map(drop).ok_or_else(|| "there is no answer".to_owned())
        })),
        Reversal::Never => Undo::Never,
    };
    let snapshot = move || Snapshot::of_bare(&repo.path().join(".git")).to_string();
    Site::new(action, snapshot, move || look.rev(NAME) == Some(commit.clone()))
        .foreign(move || drop(foreign.git(["update-ref", NAME, &other])))
        .undo(undo)
}

/// Checks that exactly these clauses are said to be broken.
fn check(make: fn() -> Site, clauses: &[&str]) {
    let broken = Contract { kind: "ref", make }.broken();
    let names = broken.iter().map(|text| text.split(": ").nth(1).unwrap()).collect::<Vec<_>>();
    assert_eq!(names, clauses, "{}", broken.join("\n"));
}

#[test]
fn an_action_that_keeps_its_contract_passes() {
    Contract { kind: "ref", make: || site(Flaw::None, Reversal::Exact) }.assert_kept();
    check(|| site(Flaw::None, Reversal::Visible), &[]);
    check(|| site(Flaw::None, Reversal::Never), &[]);
}

#[test]
fn an_undo_that_removes_what_is_foreign_is_caught() {
    check(|| site(Flaw::UndoRemovesForeign, Reversal::Exact), &["what is foreign is left alone"]);
}

#[test]
fn an_undo_that_cannot_be_repeated_is_caught() {
    let clauses = [
        "undo takes it back",
        "undo without the effect does nothing",
        "killed in undo",
        "a fault in undo can be repeated",
    ];
    check(|| site(Flaw::UndoOnlyOnce, Reversal::Exact), &clauses);
}

#[test]
fn an_undo_that_does_nothing_is_caught() {
    let clauses = ["undo takes it back", "killed in apply", "a fault in apply tells the truth"];
    check(|| site(Flaw::UndoDoesNothing, Reversal::Exact), &clauses);
    check(|| site(Flaw::UndoDoesNothing, Reversal::Visible), &clauses);
}

#[test]
fn a_probe_that_lies_is_caught() {
    let kept = ["describe is pure", "undo without the effect does nothing"];
    let broken = Contract { kind: "ref", make: || site(Flaw::ProbeSeesAbsent, Reversal::Exact) }.broken();
    assert!(broken.iter().all(|text| !kept.iter().any(|clause| text.contains(clause))), "{broken:?}");
    assert!(
        broken.iter().any(|text| text.contains("the effect is there, and probe says Absent")),
        "{broken:?}"
    );
    check(|| site(Flaw::ProbeTakesForeignForOurs, Reversal::Exact), &["what is foreign is left alone"]);
}

#[test]
fn a_probe_that_takes_a_failure_for_an_answer_is_caught() {
    let clauses = ["a fault in probe claims nothing", "a fault in undo can be repeated"];
    check(|| site(Flaw::ProbeTakesFailureForAbsent, Reversal::Exact), &clauses);
}

#[test]
fn an_apply_that_claims_a_clean_fault_after_its_effect_is_caught() {
    check(|| site(Flaw::ApplyClaimsClean, Reversal::Exact), &["a fault in apply tells the truth"]);
}

#[test]
fn an_apply_that_overwrites_what_is_foreign_is_caught() {
    check(|| site(Flaw::ApplyOverwrites, Reversal::Exact), &["what is foreign is left alone"]);
}

#[test]
fn an_apply_that_cannot_meet_its_own_effect_is_caught() {
    let clauses = ["twice is once", "killed in apply", "a fault in apply tells the truth"];
    check(|| site(Flaw::ApplyOnlyOnce, Reversal::Exact), &clauses);
}

#[test]
fn an_apply_that_leaves_its_scaffold_when_it_is_killed_is_caught() {
    let clauses = ["killed in apply", "a fault in apply tells the truth"];
    check(|| site(Flaw::ApplyLeavesScaffold, Reversal::Exact), &clauses);
}

#[test]
fn a_receipt_that_changes_is_caught_unless_its_identity_stays() {
    let broken = Contract { kind: "ref", make: || site(Flaw::ReceiptChanges, Reversal::Exact) }.broken();
    assert!(broken.iter().any(|text| text.contains("twice is once")), "{broken:?}");
    check(|| site(Flaw::ReceiptChanges, Reversal::Exact).identity(&["object"]), &[]);
    let broken =
        Contract { kind: "ref", make: || site(Flaw::None, Reversal::Exact).identity(&["absent"]) }.broken();
    assert!(!broken.is_empty(), "a field that no receipt has names nothing");
}

#[test]
fn a_reversal_that_is_not_what_undo_does_is_caught() {
    check(|| site(Flaw::None, Reversal::Exact).undo(Undo::Never), &["describe is pure"]);
}

#[test]
fn a_kind_without_a_contract_and_a_contract_without_a_kind_are_named() {
    let contracts = ["tag", "push"].map(|kind| Contract { kind, make: || site(Flaw::None, Reversal::Exact) });
    let said = |kinds: &'static [&'static str]| {
        let result = std::panic::catch_unwind(|| every_kind_has_a_contract(kinds, &contracts));
        result.err().map(|payload| *payload.downcast::<String>().unwrap())
    };
    assert_eq!(said(&["push", "tag"]), None);
    assert_eq!(
        said(&["push", "tag", "branch", "note"]).unwrap(),
        "these kinds have no contract: branch, note"
    );
    assert_eq!(said(&["push"]).unwrap(), "these contracts are for no kind: tag");
}
