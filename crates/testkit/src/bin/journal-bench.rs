//! Measures the journal on the disk of a directory, which it makes and fills. Usage: `journal-bench DIR`.
//!
//! Prints four medians in milliseconds: an append of an entry with a text of 1 KiB, an overwrite of a block of 4 KiB
//! with fdatasync, a write of 4 KiB at the end of a file with fdatasync, and a step of the engine whose action does
//! nothing. Appends and writes take turns, so that a busy moment of the disk meets all of them.

use std::fs::{self, File};
use std::io::{self, Seek as _, Write as _};
use std::path::Path;
use std::process::ExitCode;
use std::sync::Mutex;
use std::time::Instant;

use serde_json::Value;
use shipway_core::action::{Action, Catalog, Change, Cx, Fault, Observed, Receipt, Reversal, Sign, Stop};
use shipway_core::drive::Engine;
use shipway_core::gate::Check;
use shipway_core::id::{Actor, ActorKind, Digest, RunId, StepId};
use shipway_core::journal::{Entry, Event, Journal};
use shipway_core::plan::{Plan, Release, Stage, Step, Verb, Work};
use shipway_core::problem::{Code, Problem};
use shipway_core::run::Run;
use shipway_testkit::journal::draft;
use shipway_testkit::world::TestWorld;
use shipway_world::store::{Options, SqliteJournal};

/// How many appends, writes and steps are measured; odd, so that the median is one of them.
const TIMES: usize = 101;
/// The size of the writes, in bytes.
const BLOCK: usize = 4096;
/// The size of the text of an entry, in bytes: more than nearly all entries of a run have.
const TEXT: usize = 1024;

type Failure = Box<dyn std::error::Error>;

fn main() -> ExitCode {
    let Some(dir) = std::env::args_os().nth(1) else { return ExitCode::from(2) };
    let said = match measure(Path::new(&dir)) {
        Ok([append, over, end, step]) => {
            writeln!(io::stdout(), "{append:.4} {over:.4} {end:.4} {step:.4}").is_ok()
        }
        Err(error) => {
            let _ = writeln!(io::stderr(), "{error}");
            false
        }
    };
    if said { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

fn measure(dir: &Path) -> Result<[f64; 4], Failure> {
    fs::create_dir_all(dir)?;
    let journal = SqliteJournal::open(&dir.join("state"), Options::default())?;
    let run = RunId::new("0a0a0a0a");
    let lease = journal.lease(&run)?;
    let mut after = lease.head;
    let (mut block, mut log) = (File::create(dir.join("block"))?, File::create(dir.join("log"))?);
    synced(&mut block)?;
    let (mut appends, mut overs, mut ends) = (vec![], vec![], vec![]);
    let text = "x".repeat(TEXT);
    for at in (0..).take(TIMES) {
        let draft = draft(at, &text);
        let start = Instant::now();
        let entries = journal.append(&run, lease.fence, after, &[draft])?;
        appends.push(millis(start));
        after = entries.last().map(|entry| entry.seq);
        let start = Instant::now();
        block.rewind()?;
        synced(&mut block)?;
        overs.push(millis(start));
        let start = Instant::now();
        synced(&mut log)?;
        ends.push(millis(start));
    }
    Ok([median(appends), median(overs), median(ends), median(steps(&journal)?)])
}

fn synced(file: &mut File) -> io::Result<()> {
    file.write_all(&[0; BLOCK])?;
    file.sync_data()
}

fn millis(start: Instant) -> f64 {
    start.elapsed().as_secs_f64() * 1000.0
}

/// Returns how long each step took from the end of the one in front of it to its own, in milliseconds.
fn steps(journal: &SqliteJournal) -> Result<Vec<f64>, Failure> {
    let (world, stop) = (TestWorld::new(), Stop::default());
    let actor = Actor { kind: ActorKind::Machine, name: "bench".into(), host: "here".into() };
    let ends = Mutex::new(vec![]);
    let watch = |_: &Run, entry: &Entry| {
        if let (Event::Finished { .. }, Ok(mut ends)) = (&entry.event, ends.lock()) {
            ends.push(Instant::now());
        }
    };
    let engine =
        Engine { journal, catalog: &Nothings, world: &world, stop: &stop, actor: &actor, watch: &watch };
    let mut held = engine.open(&RunId::new("0b0b0b0b"), plan())?;
    let halt = engine.drive(&mut held)?;
    let ends = ends.lock().map_err(|error| error.to_string())?;
    if ends.len() != TIMES + 1 {
        return Err(format!("{} steps ended, then {halt:?}", ends.len()).into());
    }
    Ok(ends.windows(2).map(|pair| (pair[1] - pair[0]).as_secs_f64() * 1000.0).collect())
}

fn plan() -> Plan {
    let step = |number: usize| Step {
        id: StepId::new(format!("nothing-{number}")),
        work: Work::Act { kind: "nothing".into(), args: Value::Null, change: Nothing.describe() },
        attempts: 1,
        timeout_ms: 1000,
        settle_ms: 0,
        published_by: None,
        follows: false,
        apart: false,
        private: false,
    };
    // Each in a stage of its own: steps of a stage may share an append.
    let stage = |number: usize| Stage { name: format!("stage-{number}"), steps: vec![step(number)] };
    let release = Release {
        verb: Verb::Push,
        project: "bench".into(),
        from: None,
        to: "1.0.0".into(),
        tag: "v1.0.0".into(),
        environment: None,
        why: String::new(),
    };
    let stages = (0..=TIMES).map(stage).collect();
    Plan { v: 1, release, stages, facts: Digest::of(b""), notes: vec![], target_ms: 1 }
}

fn median(mut values: Vec<f64>) -> f64 {
    values.sort_by(f64::total_cmp);
    values[values.len() / 2]
}

/// An action without an effect.
#[derive(Debug)]
struct Nothing;

impl Action for Nothing {
    fn describe(&self) -> Change {
        Change {
            sign: Sign::Create,
            thing: "nothing".into(),
            summary: "at all".into(),
            reversal: Reversal::Exact,
            undo: "leave it".into(),
            parts: vec![],
        }
    }

    fn probe(&self, _cx: &Cx<'_>) -> Result<Observed, Fault> {
        Ok(Observed::Absent)
    }

    fn apply(&self, _cx: &Cx<'_>) -> Result<Receipt, Fault> {
        Ok(Receipt(Value::Bool(true)))
    }

    fn undo(&self, _cx: &Cx<'_>, _receipt: &Receipt) -> Result<(), Fault> {
        Ok(())
    }
}

struct Nothings;

impl Catalog for Nothings {
    fn action(&self, _kind: &str, _args: &Value) -> Result<Box<dyn Action>, Problem> {
        Ok(Box::new(Nothing))
    }

    fn check(&self, kind: &str, _args: &Value) -> Result<Box<dyn Check>, Problem> {
        Err(Problem::new(Code::Usage, format!("there is no check {kind}")))
    }

    fn kinds(&self) -> &'static [&'static str] {
        &["nothing"]
    }
}
