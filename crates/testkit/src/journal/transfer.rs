//! The part of the suite for journals that export and import runs.

use shipway_core::id::Seq;
use shipway_core::journal::{Error, Event, GENESIS, link};
use shipway_world::store::Transfer;

use super::{body, draft, eprint_name, fill, ok, run};

/// Makes an empty journal that can export and import.
pub type MakeTransfer<'a> = &'a dyn Fn() -> Box<dyn Transfer>;

type TransferCase = (&'static str, fn(&dyn Transfer, &dyn Transfer));

const TRANSFER_CASES: &[TransferCase] = &[
    ("an export is the chain itself", an_export_is_the_chain_itself),
    ("an import is the same run", an_import_is_the_same_run),
    ("an unknown event survives", an_unknown_event_survives),
    ("a broken import adds nothing", a_broken_import_adds_nothing),
    ("a run is imported once", a_run_is_imported_once),
];

/// Runs every case of export and import on two fresh journals and returns how many there were.
///
/// # Panics
///
/// Panics with the name of the case that a store fails.
pub fn transfer_conformance(make: MakeTransfer<'_>) -> usize {
    for (name, case) in TRANSFER_CASES {
        let (from, to) = (make(), make());
        eprint_name(name);
        case(&*from, &*to);
        from.verify().and(to.verify()).unwrap_or_else(|error| panic!("{name}: {error}"));
    }
    TRANSFER_CASES.len()
}

fn an_export_is_the_chain_itself(from: &dyn Transfer, _: &dyn Transfer) {
    assert_eq!(ok(from.export(&run("a"))), "");
    let (_, entries) = fill(from, "a", &["one", "two\n", "three"]);
    let lines = ok(from.export(&run("a")));
    assert_eq!(
        lines.lines().map(str::to_owned).collect::<Vec<_>>(),
        entries.iter().map(body).collect::<Vec<_>>()
    );
    assert!(lines.lines().zip(&entries[1..]).all(|(line, next)| link(line) == next.prev));
}

fn an_import_is_the_same_run(from: &dyn Transfer, to: &dyn Transfer) {
    fill(from, "a", &["a1"]);
    let (fence, entries) = fill(from, "a", &["a2", "a3"]);
    fill(from, "b", &["b1"]);
    let lines = ok(from.export(&run("b"))) + "\n" + &ok(from.export(&run("a")));
    assert_eq!(ok(to.import(&lines)), [run("b"), run("a")]);
    assert_eq!(ok(to.read(&run("a"), Some(Seq(1)))), entries);
    assert_eq!(ok(to.runs()), ok(from.runs()));
    assert_eq!(ok(to.export(&run("a"))), ok(from.export(&run("a"))));
    let lease = ok(to.lease(&run("a")));
    assert!(lease.fence > fence, "a lease of the old place is over");
    ok(to.append(&run("a"), lease.fence, lease.head, &[draft(1, "a4")]));
}

/// A run as a newer shipway may have written it: with an event and with fields that are not known here.
fn newer() -> String {
    let line = |seq: u64, prev: &str, event: &str| {
        format!(
            r#"{{"run":"a","seq":{seq},"at":"2030-01-01T00:00:00.000Z","by":{{"kind":"human","name":"J","host":"h","badge":7}},"attempt":0,"fence":2,"prev":"{prev}","region":"moon","event":{event}}}"#
        )
    };
    let first = line(1, GENESIS, r#"{"event":"launched","rocket":{"stages":[1,2.50]}}"#);
    let second = line(2, link(&first).as_str(), r#"{"event":"resumed","why":"fuel"}"#);
    format!("{first}\n{second}\n")
}

fn an_unknown_event_survives(from: &dyn Transfer, to: &dyn Transfer) {
    ok(from.import(&newer()));
    let entries = ok(from.read(&run("a"), None));
    assert_eq!(entries[0].event, Event::Unknown);
    assert_eq!(entries[1].event, Event::Resumed {});
    assert_eq!(ok(from.verify()), 2);
    assert_eq!(ok(from.runs())[0].opened, entries[0]);
    assert_eq!(ok(from.export(&run("a"))), newer(), "what is not understood is kept to the byte");
    let lease = ok(from.lease(&run("a")));
    ok(from.append(&run("a"), lease.fence, lease.head, &[draft(1, "x")]));
    ok(to.import(&ok(from.export(&run("a")))));
}

fn a_broken_import_adds_nothing(from: &dyn Transfer, to: &dyn Transfer) {
    fill(from, "a", &["one", "two", "three"]);
    fill(from, "b", &["one"]);
    let (a, b) = (ok(from.export(&run("a"))), ok(from.export(&run("b"))));
    let lines: Vec<&str> = a.lines().collect();
    let check = |lines: &str, seq: u64| {
        let refused = to.import(&(b.clone() + lines));
        assert!(
            matches!(&refused, Err(Error::Corrupt { seq: Seq(found), .. }) if *found == seq),
            "{refused:?}"
        );
    };
    check(&a.replace("two", "twö"), 3);
    check(&format!("{}\n{}\n", lines[0], lines[2]), 2);
    check(&format!("{}\n{}\n", lines[1], lines[2]), 1);
    check(&format!("{}\n{}\n", lines[1], lines[0]), 1);
    assert!(matches!(to.import("{}"), Err(Error::Store(why)) if why.starts_with("line 1 ")));
    assert_eq!(ok(to.verify()), 0);
}

fn a_run_is_imported_once(from: &dyn Transfer, to: &dyn Transfer) {
    fill(from, "a", &["one"]);
    fill(from, "b", &["one"]);
    fill(to, "b", &["another one"]);
    let lines = ok(from.export(&run("a"))) + &ok(from.export(&run("b")));
    assert!(matches!(to.import(&lines), Err(Error::Conflict { run }) if run.as_str() == "b"));
    assert_eq!(ok(to.runs()).len(), 1, "nothing is imported by half");
}
