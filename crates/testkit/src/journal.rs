//! The conformance suite of the journal: every store must pass all of it.

mod transfer;

use std::collections::BTreeSet;
use std::sync::Barrier;

use shipway_core::id::{Actor, ActorKind, Digest, Fence, RunId, Seq, StepId};
use shipway_core::journal::{Draft, Entry, Error, Event, GENESIS, Journal, Outcome, link};
use shipway_core::problem::{Code, Problem};
use shipway_core::time::Time;

pub use transfer::{MakeTransfer, transfer_conformance};

/// Makes an empty journal.
pub type Make<'a> = &'a dyn Fn() -> Box<dyn Journal>;

type Case = (&'static str, fn(&dyn Journal));

const CASES: &[Case] = &[
    ("what is appended is read", what_is_appended_is_read),
    ("a run that is not there is empty", a_run_that_is_not_there_is_empty),
    ("every lease is higher", every_lease_is_higher),
    ("an append behind another entry is a conflict", an_append_behind_another_entry_is_a_conflict),
    ("an old lease is fenced", an_old_lease_is_fenced),
    ("a batch is one unit", a_batch_is_one_unit),
    ("time never goes back", time_never_goes_back),
    ("every text survives", every_text_survives),
    ("a large entry survives", a_large_entry_survives),
    ("a long run survives", a_long_run_survives),
    ("reading goes on behind an entry", reading_goes_on_behind_an_entry),
    ("runs are listed by age", runs_are_listed_by_age),
    ("runs do not mix", runs_do_not_mix),
    ("one of many appenders wins", one_of_many_appenders_wins),
    ("one of many leases is in force", one_of_many_leases_is_in_force),
    ("parallel runs all get through", parallel_runs_all_get_through),
    ("every kind of event survives", every_kind_of_event_survives),
];

/// Runs every case of the port on a fresh journal and returns how many there were.
///
/// # Panics
///
/// Panics with the name of the case that a store fails.
pub fn conformance(make: Make<'_>) -> usize {
    for (name, case) in CASES {
        let journal = make();
        eprint_name(name);
        case(&*journal);
        journal.verify().unwrap_or_else(|error| panic!("{name}: {error}"));
    }
    CASES.len()
}

#[expect(clippy::print_stderr, reason = "the test runner shows it only when the case fails")]
fn eprint_name(name: &str) {
    eprintln!("case: {name}");
}

/// Returns a draft of the time `at` that carries a text.
pub fn draft(at: u64, text: &str) -> Draft {
    let by =
        Actor { kind: ActorKind::Human, name: "Jane Doe <jane@example.org>".into(), host: "desk".into() };
    Draft { at: Time(at), by, attempt: 1, event: Event::Started { step: StepId::new(text) } }
}

fn run(name: &str) -> RunId {
    RunId::new(name)
}

fn ok<T>(result: Result<T, Error>) -> T {
    result.unwrap_or_else(|error| panic!("{error}"))
}

fn texts(entries: &[Entry]) -> Vec<&str> {
    entries
        .iter()
        .map(|entry| match &entry.event {
            Event::Started { step } => step.as_str(),
            other => panic!("not one of ours: {other:?}"),
        })
        .collect()
}

/// Takes a lease and appends one entry a text, each by itself.
fn fill(journal: &dyn Journal, name: &str, texts: &[&str]) -> (Fence, Vec<Entry>) {
    let lease = ok(journal.lease(&run(name)));
    let mut after = lease.head;
    let mut entries = vec![];
    for (at, text) in (1000..).zip(texts) {
        entries.extend(ok(journal.append(&run(name), lease.fence, after, &[draft(at, text)])));
        after = entries.last().map(|entry| entry.seq);
    }
    (lease.fence, entries)
}

fn what_is_appended_is_read(journal: &dyn Journal) {
    let (fence, entries) = fill(journal, "a", &["one", "two", "three"]);
    assert_eq!(entries.iter().map(|entry| entry.seq.0).collect::<Vec<_>>(), [1, 2, 3]);
    assert!(entries.iter().all(|entry| entry.run == run("a") && entry.fence == fence && entry.attempt == 1));
    assert_eq!(entries[0].prev, Digest::new(GENESIS));
    assert_eq!(ok(journal.read(&run("a"), None)), entries);
    assert_eq!(ok(journal.verify()), 3);
}

fn a_run_that_is_not_there_is_empty(journal: &dyn Journal) {
    assert!(ok(journal.read(&run("a"), None)).is_empty());
    assert!(ok(journal.runs()).is_empty());
    assert_eq!(ok(journal.verify()), 0);
    let unleased = journal.append(&run("a"), Fence(1), None, &[draft(1, "x")]);
    assert!(matches!(unleased, Err(Error::Fenced { ours: Fence(1), theirs: Fence(0), .. })));
    ok(journal.lease(&run("a")));
    assert!(ok(journal.read(&run("a"), None)).is_empty());
    assert!(ok(journal.runs()).is_empty(), "a run begins with its first entry");
}

fn every_lease_is_higher(journal: &dyn Journal) {
    let first = ok(journal.lease(&run("a")));
    assert_eq!(first.head, None);
    let second = ok(journal.lease(&run("a")));
    assert!(second.fence > first.fence);
    ok(journal.append(&run("a"), second.fence, None, &[draft(1, "x"), draft(2, "y")]));
    let third = ok(journal.lease(&run("a")));
    assert!(third.fence > second.fence);
    assert_eq!(third.head, Some(Seq(2)));
}

fn an_append_behind_another_entry_is_a_conflict(journal: &dyn Journal) {
    let (fence, entries) = fill(journal, "a", &["one", "two"]);
    for after in [None, Some(Seq(0)), Some(Seq(1)), Some(Seq(3)), Some(Seq(u64::MAX))] {
        let late = journal.append(&run("a"), fence, after, &[draft(9, "late")]);
        assert!(matches!(late, Err(Error::Conflict { run }) if run.as_str() == "a"), "{after:?}");
        assert!(journal.append(&run("a"), fence, after, &[]).is_err(), "nothing behind {after:?}");
    }
    assert!(ok(journal.append(&run("a"), fence, Some(Seq(2)), &[])).is_empty());
    assert_eq!(ok(journal.read(&run("a"), None)), entries);
    ok(journal.append(&run("a"), fence, Some(Seq(2)), &[draft(9, "in time")]));
}

fn an_old_lease_is_fenced(journal: &dyn Journal) {
    let (old, entries) = fill(journal, "a", &["one"]);
    let new = ok(journal.lease(&run("a"))).fence;
    for fence in [old, Fence(0), Fence(new.0 + 1)] {
        let refused = journal.append(&run("a"), fence, Some(Seq(1)), &[draft(9, "asleep")]);
        let told =
            matches!(refused, Err(Error::Fenced { ours, theirs, .. }) if ours == fence && theirs == new);
        assert!(told, "{fence:?}");
    }
    let both = journal.append(&run("a"), old, None, &[draft(9, "asleep and behind")]);
    assert!(matches!(both, Err(Error::Fenced { .. })), "who has no lease is told so first");
    assert_eq!(ok(journal.read(&run("a"), None)), entries);
    let next = ok(journal.append(&run("a"), new, Some(Seq(1)), &[draft(9, "awake")]));
    assert_eq!(next[0].fence, new);
}

fn a_batch_is_one_unit(journal: &dyn Journal) {
    let (fence, _) = fill(journal, "a", &["one"]);
    let batch = [draft(10, "two"), draft(11, "three"), draft(12, "four")];
    let entries = ok(journal.append(&run("a"), fence, Some(Seq(1)), &batch));
    assert_eq!(entries.iter().map(|entry| entry.seq.0).collect::<Vec<_>>(), [2, 3, 4]);
    assert!(entries.windows(2).all(|pair| pair[1].prev == link(&body(&pair[0]))));
    assert!(journal.append(&run("a"), fence, Some(Seq(2)), &batch).is_err());
    assert_eq!(texts(&ok(journal.read(&run("a"), None))), ["one", "two", "three", "four"]);
}

fn body(entry: &Entry) -> String {
    serde_json::to_string(entry).expect("an entry has a JSON form")
}

fn time_never_goes_back(journal: &dyn Journal) {
    let lease = ok(journal.lease(&run("a"))).fence;
    let times = |drafts: &[u64], after| {
        let drafts: Vec<Draft> = drafts.iter().map(|at| draft(*at, "x")).collect();
        let entries = ok(journal.append(&run("a"), lease, after, &drafts));
        entries.iter().map(|entry| entry.at.0).collect::<Vec<_>>()
    };
    assert_eq!(times(&[5000, 4000, 6000], None), [5000, 5000, 6000]);
    assert_eq!(times(&[10], Some(Seq(3))), [6000]);
    assert_eq!(times(&[7000], Some(Seq(4))), [7000]);
}

fn every_text_survives(journal: &dyn Journal) {
    let control: String = (0..0x20).chain(0x7f..0xa0).filter_map(char::from_u32).collect();
    let strange = [
        "",
        "\0",
        &control,
        "line\nfeed\r\n\ttab",
        "quote \" and ' and back\\slash",
        "größe 船の道 🚢 \u{202e}right to left\u{2028}\u{feff}",
        "e\u{301} is not é",
        "\u{1b}[31mred\u{1b}[0m",
        "'); DROP TABLE entry; --",
        "\u{10ffff}\u{fffd}",
    ];
    let (_, entries) = fill(journal, "a", &strange);
    assert_eq!(texts(&entries), strange);
    assert_eq!(ok(journal.read(&run("a"), None)), entries);
    let name = "run 'ü'\n\u{1b}";
    let (_, entries) = fill(journal, name, &["one"]);
    assert_eq!(ok(journal.read(&run(name), None)), entries);
}

fn a_large_entry_survives(journal: &dyn Journal) {
    let large = "ü\n".repeat(1 << 19);
    let (_, entries) = fill(journal, "a", &["before", &large, "behind"]);
    assert_eq!(ok(journal.read(&run("a"), None)), entries);
    assert_eq!(texts(&entries)[1].len(), large.len());
}

fn a_long_run_survives(journal: &dyn Journal) {
    let (fence, first) = fill(journal, "a", &["first"]);
    let numbers: Vec<String> = (2..=1000).map(|number| number.to_string()).collect();
    let mut entries = first;
    for some in numbers.chunks(37) {
        let drafts: Vec<Draft> = some.iter().map(|number| draft(2000, number)).collect();
        let after = entries.last().map(|entry| entry.seq);
        entries.extend(ok(journal.append(&run("a"), fence, after, &drafts)));
    }
    assert_eq!(ok(journal.read(&run("a"), None)), entries);
    assert_eq!(ok(journal.verify()), 1000);
}

fn reading_goes_on_behind_an_entry(journal: &dyn Journal) {
    let (_, entries) = fill(journal, "a", &["one", "two", "three"]);
    for after in 0..3 {
        assert_eq!(
            ok(journal.read(&run("a"), Some(Seq(after)))),
            entries[usize::try_from(after).unwrap_or(0)..]
        );
    }
    assert!(ok(journal.read(&run("a"), Some(Seq(3)))).is_empty());
    assert!(ok(journal.read(&run("a"), Some(Seq(u64::MAX)))).is_empty());
}

fn runs_are_listed_by_age(journal: &dyn Journal) {
    for (name, at) in [("c", 3000), ("a", 2000), ("b", 1000), ("d", 2000)] {
        let fence = ok(journal.lease(&run(name))).fence;
        let drafts = [draft(at, "first"), draft(at + 9000, "middle"), draft(at + 9000, "last")];
        ok(journal.append(&run(name), fence, None, &drafts));
    }
    let heads = ok(journal.runs());
    assert_eq!(heads.iter().map(|head| head.run.as_str()).collect::<Vec<_>>(), ["b", "a", "d", "c"]);
    for head in heads {
        let entries = ok(journal.read(&head.run, None));
        assert_eq!((&head.opened, &head.last), (&entries[0], &entries[2]));
    }
}

fn runs_do_not_mix(journal: &dyn Journal) {
    let (fence, _) = fill(journal, "a", &["a1", "a2"]);
    let (_, b) = fill(journal, "b", &["b1"]);
    ok(journal.append(&run("a"), fence, Some(Seq(2)), &[draft(1, "a3")]));
    assert_eq!(texts(&ok(journal.read(&run("a"), None))), ["a1", "a2", "a3"]);
    assert_eq!(ok(journal.read(&run("b"), None)), b);
    assert_eq!(b[0].prev, Digest::new(GENESIS));
    assert_eq!(ok(journal.runs()).len(), 2);
}

const MANY: usize = 8;

/// Does the same on many threads at once.
fn at_once<T: Send>(act: &(dyn Fn(usize) -> T + Sync)) -> Vec<T> {
    let start = Barrier::new(MANY);
    std::thread::scope(|scope| {
        let begin = |number| {
            let start = &start;
            scope.spawn(move || {
                start.wait();
                act(number)
            })
        };
        let threads: Vec<_> = (0..MANY).map(begin).collect();
        threads.into_iter().map(|thread| thread.join().expect("no thread panics")).collect()
    })
}

fn one_of_many_appenders_wins(journal: &dyn Journal) {
    let (fence, _) = fill(journal, "a", &["one"]);
    for round in 1..=20 {
        let after = Some(Seq(round));
        let append =
            |number: usize| journal.append(&run("a"), fence, after, &[draft(1, &number.to_string())]);
        let (won, lost): (Vec<_>, Vec<_>) = at_once(&append).into_iter().partition(Result::is_ok);
        assert_eq!((won.len(), lost.len()), (1, MANY - 1));
        assert!(lost.iter().all(|lost| matches!(lost, Err(Error::Conflict { .. }))), "{lost:?}");
        let there = ok(journal.read(&run("a"), after));
        assert_eq!(there, ok(won.into_iter().next().expect("one won")));
    }
}

fn one_of_many_leases_is_in_force(journal: &dyn Journal) {
    let fences = at_once(&|_| ok(journal.lease(&run("a"))).fence);
    let highest = fences.iter().copied().max().expect("there are many");
    assert_eq!(fences.iter().collect::<BTreeSet<_>>().len(), MANY, "{fences:?}");
    for fence in fences {
        let appended = journal.append(&run("a"), fence, None, &[draft(1, "x")]);
        assert_eq!(appended.is_ok(), fence == highest);
    }
}

fn parallel_runs_all_get_through(journal: &dyn Journal) {
    at_once(&|number| fill(journal, &format!("run{number}"), &["one", "two", "three"]));
    assert_eq!(ok(journal.verify()), 3 * MANY as u64);
    assert_eq!(ok(journal.runs()).len(), MANY);
}

fn every_kind_of_event_survives(journal: &dyn Journal) {
    let step = StepId::new("push/tag");
    let problem =
        Problem::new(Code::Network, "the network failed").details(["a", "b"]).hint("shipway resume");
    let events = [
        Event::Started { step: step.clone() },
        Event::TurnedBack { problem: problem.clone() },
        Event::UndoStarted { step: step.clone() },
        Event::UndoFaulted { step: step.clone(), problem: problem.clone(), retry_after_ms: Some(1) },
        Event::Undone { step: step.clone() },
        Event::Stuck { step, problem },
        Event::Resumed {},
        Event::Unknown,
        Event::Closed { outcome: Outcome::RolledBack },
    ];
    let drafts = events.clone().map(|event| Draft { event, attempt: 0, ..draft(1, "") });
    let fence = ok(journal.lease(&run("a"))).fence;
    ok(journal.append(&run("a"), fence, None, &drafts));
    let read = ok(journal.read(&run("a"), None));
    assert_eq!(read.into_iter().map(|entry| entry.event).collect::<Vec<_>>(), events);
}
