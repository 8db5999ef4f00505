//! The engine, killed at every call and again at every call of its second life, on a real repository.

use std::sync::Mutex;

use serde_json::{Value, json};
use shipway_core::action::{
    Action, Catalog, Change, Cmd, Cx, Ended, Fault, Observed, Receipt, Reversal, Sign, Stop, World,
};
use shipway_core::drive::{Engine, Halt};
use shipway_core::gate::Check;
use shipway_core::id::{Actor, ActorKind, Digest, Fence, RunId, Seq, StepId};
use shipway_core::journal::{Draft, Durability, Entry, Error, GENESIS, Journal, Lease, Outcome, RunHead};
use shipway_core::plan::{Plan, Release, Stage, Step, Verb, Work};
use shipway_core::problem::{Code, Problem};
use shipway_testkit::crash::{Crashy, Fuse, When};
use shipway_testkit::repo::Repo;
use shipway_testkit::state::Snapshot;
use shipway_testkit::world::{PlainShell, TestWorld};

/// The entries of one run.
#[derive(Default)]
struct Memory(Mutex<(u64, Vec<Entry>)>);

impl Journal for Memory {
    fn lease(&self, _run: &RunId) -> Result<Lease, Error> {
        let mut inside = self.0.lock().expect("nothing panics under this lock");
        inside.0 += 1;
        Ok(Lease { fence: Fence(inside.0), head: inside.1.last().map(|entry| entry.seq) })
    }

    fn append(
        &self,
        run: &RunId,
        fence: Fence,
        after: Option<Seq>,
        drafts: &[Draft],
    ) -> Result<Vec<Entry>, Error> {
        let mut inside = self.0.lock().expect("nothing panics under this lock");
        let head = inside.1.last().map(|entry| entry.seq);
        if (fence.0, after) != (inside.0, head) {
            return Err(Error::Conflict { run: run.clone() });
        }
        let (first, prev) = (inside.1.len() as u64 + 1, Digest::new(GENESIS));
        let entries = (first..).zip(drafts).map(|(seq, draft)| {
            let Draft { at, by, attempt, event } = draft.clone();
            Entry { run: run.clone(), seq: Seq(seq), at, by, attempt, fence, prev: prev.clone(), event }
        });
        let entries: Vec<Entry> = entries.collect();
        inside.1.extend(entries.clone());
        Ok(entries)
    }

    fn read(&self, _run: &RunId, after: Option<Seq>) -> Result<Vec<Entry>, Error> {
        let behind = |entry: &&Entry| after.is_none_or(|after| entry.seq > after);
        Ok(self.0.lock().expect("nothing panics under this lock").1.iter().filter(behind).cloned().collect())
    }

    fn runs(&self) -> Result<Vec<RunHead>, Error> {
        Ok(vec![])
    }

    fn verify(&self) -> Result<u64, Error> {
        Ok(0)
    }

    fn durability(&self) -> Durability {
        Durability { proven: false, how: "memory".into() }
    }
}

/// Makes a tag at HEAD, unless its name is `refused`.
#[derive(Debug)]
struct Tag(String);

fn problem(what: impl Into<String>) -> Problem {
    Problem::new(Code::TagFailed, what)
}

impl Action for Tag {
    fn describe(&self) -> Change {
        Change {
            sign: Sign::Create,
            thing: format!("tag {}", self.0),
            summary: "at HEAD".into(),
            reversal: Reversal::Exact,
            undo: "delete the tag".into(),
            parts: vec![],
        }
    }

    fn probe(&self, cx: &Cx<'_>) -> Result<Observed, Fault> {
        let output = cx.run(Cmd::new("git").args(["rev-parse", "--verify", "--quiet", &self.0]))?;
        match output.ended {
            Ended::Exit(0) => Ok(Observed::Present(Receipt(json!({ "object": output.text() })))),
            Ended::Exit(1) => Ok(Observed::Absent),
            other => Err(Fault::in_doubt(problem(format!("{other:?}")))),
        }
    }

    fn apply(&self, cx: &Cx<'_>) -> Result<Receipt, Fault> {
        if self.0 == "refused" {
            return Err(Fault::clean(problem("refused")));
        }
        cx.run(Cmd::new("git").args(["tag", &self.0]))?;
        match self.probe(cx)? {
            Observed::Present(receipt) => Ok(receipt),
            Observed::Absent | Observed::Foreign(_) => Err(Fault::clean(problem("no tag was made"))),
        }
    }

    fn undo(&self, cx: &Cx<'_>, _receipt: &Receipt) -> Result<(), Fault> {
        if self.probe(cx)? != Observed::Absent {
            cx.run(Cmd::new("git").args(["tag", "--delete", &self.0]))?;
        }
        Ok(())
    }
}

struct Tags;

impl Catalog for Tags {
    fn action(&self, kind: &str, _args: &Value) -> Result<Box<dyn Action>, Problem> {
        Ok(Box::new(Tag(kind.to_owned())))
    }

    fn check(&self, kind: &str, _args: &Value) -> Result<Box<dyn Check>, Problem> {
        Err(problem(kind))
    }

    fn kinds(&self) -> &'static [&'static str] {
        &[]
    }
}

fn plan(stages: &[&[&str]]) -> Plan {
    let step = |name: &&str| Step {
        id: StepId::new(*name),
        work: Work::Act { kind: (*name).into(), args: Value::Null, change: Tag((*name).into()).describe() },
        attempts: 3,
        timeout_ms: 60_000,
        settle_ms: 0,
        published_by: None,
        follows: false,
        apart: false,
        private: false,
    };
    let stages =
        stages.iter().map(|steps| Stage { name: steps[0].into(), steps: steps.iter().map(step).collect() });
    let release = Release {
        verb: Verb::Push,
        project: "widget".into(),
        from: None,
        to: "1.0.0".into(),
        tag: "v1.0.0".into(),
        environment: None,
        why: String::new(),
    };
    let (stages, facts) = (stages.collect(), Digest::of(b""));
    Plan { v: 1, release, stages, facts, notes: vec![], target_ms: 1 }
}

/// Lives until the run ends and returns how.
fn live(fuse: &Fuse, repo: &Repo, plan: &Plan) -> Outcome {
    let dir = repo.path().join(".git");
    let (memory, world) = (Memory::default(), TestWorld::over(PlainShell::hermetic().env("GIT_DIR", dir)));
    let (journal, world) = (Crashy::new(&memory, fuse), Crashy::new(&world as &dyn World, fuse));
    let actor = Actor { kind: ActorKind::Machine, name: "test".into(), host: "here".into() };
    let (stop, run) = (Stop::default(), RunId::new("7f3a9c01"));
    for _ in 0..4 {
        let halt = fuse.live(|| {
            let engine = Engine {
                journal: &journal,
                catalog: &Tags,
                world: &world,
                stop: &stop,
                actor: &actor,
                watch: &|_, _| (),
            };
            let opened = !journal.read(&run, None).expect("memory can be read").is_empty();
            let held = if opened { engine.take(&run) } else { engine.open(&run, plan.clone()) };
            engine.drive(&mut held.expect("the run is ours")).expect("the run is ours")
        });
        match halt {
            Ok(Halt::Closed(outcome)) => return outcome,
            Ok(other) => panic!("{other:?}"),
            Err(_) => {}
        }
    }
    panic!("more lives than deaths")
}

fn check(plan: &Plan, outcome: Outcome, tags: &str) {
    let fresh = || {
        let repo = Repo::new();
        repo.commits(&["feat: a"]);
        repo
    };
    let count = Fuse::count_only();
    assert_eq!(live(&count, &fresh(), plan), outcome);
    let calls = count.calls();
    assert!(calls > 8, "{:?}", count.names());
    let once = Fuse::places(calls).map(|first| vec![first]);
    // A second death soon after the first is the one that finds a bad fold.
    let twice =
        Fuse::places(calls).flat_map(|first| [vec![first, (3, When::Before)], vec![first, (4, When::After)]]);
    for charges in once.chain(twice) {
        let repo = fresh();
        let before = Snapshot::of_bare(&repo.path().join(".git"));
        let ended = live(&Fuse::lives(charges.clone()), &repo, plan);
        assert_eq!((ended, repo.git(["tag"]).as_str()), (outcome, tags), "{charges:?}");
        before.assert_same(&Snapshot::of_bare(&repo.path().join(".git")).without("ref refs/tags/"));
    }
}

#[test]
fn a_run_that_is_killed_anywhere_ships() {
    check(&plan(&[&["a"], &["b"]]), Outcome::Shipped, "a\nb");
}

#[test]
fn a_run_that_is_killed_anywhere_while_steps_run_at_once_ships() {
    check(&plan(&[&["a", "b", "c"]]), Outcome::Shipped, "a\nb\nc");
}

#[test]
fn a_run_that_is_killed_anywhere_goes_back_without_a_trace() {
    check(&plan(&[&["a"], &["refused"]]), Outcome::RolledBack, "");
}

#[test]
fn a_run_that_is_killed_anywhere_while_steps_are_undone_at_once_leaves_no_trace() {
    check(&plan(&[&["a", "b"], &["refused"]]), Outcome::RolledBack, "");
}
