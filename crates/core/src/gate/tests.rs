use super::*;
use crate::id::{Actor, ActorKind};
use crate::problem::Code;

fn need(name: &str) -> Need {
    Need::Check {
        name: name.into(),
        kind: "command".into(),
        args: Value::Null,
        timeout_ms: 1,
        fresh_ms: None,
    }
}

fn gate() -> Gate {
    Gate { needs: vec![need("test"), need("lint")], subject: Digest::of(b"tree"), at_once: 2 }
}

/// Evidence of the first lease, written at 1,000.
fn seen(need: &str, subject: &[u8], severity: Option<Severity>) -> Seen {
    let problem = Problem::new(Code::CheckFailed, need);
    let finding = |severity| Finding { severity, problem, until: None };
    let findings = severity.map(finding).into_iter().collect();
    let evidence = Evidence { need: need.into(), subject: Digest::of(subject), findings, took_ms: 0 };
    Seen { seq: Seq(2), at: Time(1_000), fence: Fence(1), evidence }
}

fn until(seen: Seen, until: Option<u64>) -> Seen {
    let mut seen = seen;
    seen.evidence.findings[0].until = until.map(Time);
    seen
}

fn at(gate: &Gate, seen: &[Seen], approvals: &[Approval], (fence, now): (u64, u64)) -> Verdict {
    let run = RunId::new("7f3a12cd");
    decide(gate, Known { run: &run, fence: Fence(fence), seen, approvals }, Time(now))
}

fn now(gate: &Gate, seen: &[Seen]) -> Verdict {
    at(gate, seen, &[], (1, 2_000))
}

#[test]
fn a_gate_asks_for_what_is_missing_and_passes_over_other_subjects() {
    let other = seen("lint", b"another tree", None);
    let verdict = now(&gate(), &[seen("test", b"tree", None), other]);
    assert_eq!(verdict, Verdict::Look(vec![gate().needs[1].clone()]));
}

#[test]
fn advice_opens_a_gate_and_a_blocking_finding_shuts_it() {
    let test = seen("test", b"tree", None);
    let advice = seen("lint", b"tree", Some(Severity::Advice));
    assert_eq!(now(&gate(), &[test.clone(), advice]), Verdict::Pass);
    let waits = seen("test", b"tree", Some(Severity::Waits));
    for other in [test, waits] {
        let blocked = now(&gate(), &[other, seen("lint", b"tree", Some(Severity::Blocks))]);
        assert!(matches!(blocked, Verdict::Refuse(problems) if problems.len() == 1));
    }
}

#[test]
fn what_waits_is_looked_at_first_and_waited_for_after() {
    let waits = |time| until(seen("test", b"tree", Some(Severity::Waits)), time);
    assert!(matches!(now(&gate(), &[waits(None)]), Verdict::Look(needs) if needs.len() == 1));
    let lint = seen("lint", b"tree", None);
    let verdict = |time, now| at(&gate(), &[waits(time), lint.clone()], &[], (1, now));
    let wait =
        |time: Option<u64>| Verdict::Wait(vec![Problem::new(Code::CheckFailed, "test")], time.map(Time));
    assert_eq!(verdict(None, 9_000), wait(None));
    assert_eq!(verdict(Some(5_000), 4_999), wait(Some(5_000)));
    assert_eq!(verdict(Some(5_000), 5_000), Verdict::Look(vec![need("test")]));
    // The last evidence counts, and a time that had come before it was written moves nothing.
    assert_eq!(verdict(Some(1_000), 9_000), wait(Some(1_000)));
    let green = seen("test", b"tree", None);
    assert_eq!(now(&gate(), &[waits(None), lint, green]), Verdict::Pass);
}

#[test]
fn a_gate_opens_when_the_last_of_all_that_waits_is_over() {
    let waits = |need, time| until(seen(need, b"tree", Some(Severity::Waits)), Some(time));
    let verdict = now(&gate(), &[waits("test", 5_000), waits("lint", 7_000)]);
    assert!(matches!(verdict, Verdict::Wait(problems, Some(Time(7_000))) if problems.len() == 2));
}

#[test]
fn old_evidence_is_looked_at_again_by_a_later_drive_and_only_when_the_gate_would_open() {
    let Need::Check { name, kind, args, timeout_ms, .. } = need("test") else { unreachable!() };
    let fresh = Need::Check { name, kind, args, timeout_ms, fresh_ms: Some(500) };
    let gate = Gate { needs: vec![fresh.clone(), need("lint")], ..gate() };
    let test = seen("test", b"tree", None);
    let lint = |severity| seen("lint", b"tree", severity);
    let check = |lint: Seen, when, expect: Verdict| {
        assert_eq!(at(&gate, &[test.clone(), lint], &[], when), expect);
    };
    check(lint(None), (2, 1_500), Verdict::Pass);
    check(lint(None), (2, 1_501), Verdict::Look(vec![fresh]));
    // One drive looks once, however long its looks take.
    check(lint(None), (1, 9_000_000), Verdict::Pass);
    // A clock that goes back makes nothing old.
    check(lint(None), (2, 0), Verdict::Pass);
    let wait = Verdict::Wait(vec![Problem::new(Code::CheckFailed, "lint")], None);
    check(lint(Some(Severity::Waits)), (2, 9_000_000), wait);
}

fn approval(from: &[&str], at_least: u32, not_by: &[&str], grade: u8) -> Need {
    let names = |names: &[&str]| names.iter().map(|&name| name.into()).collect();
    Need::Approval { name: "approval".into(), from: names(from), at_least, not_by: names(not_by), grade }
}

fn by(kind: ActorKind, name: &str) -> Approval {
    Approval { by: Actor { kind, name: name.into(), host: "quay".into() }, at: Time(0), grade: 0 }
}

#[test]
fn different_people_are_counted_and_nobody_else() {
    use ActorKind::{Agent, Human, Machine};
    let check = |need: &Need, given: &[Approval], open: bool| {
        let gate = Gate { needs: vec![need.clone()], ..gate() };
        match at(&gate, &[], given, (1, 0)) {
            Verdict::Pass => assert!(open, "{need:?} {given:?}"),
            Verdict::Wait(problems, None) => {
                assert!(!open, "{need:?} {given:?}");
                assert_eq!(problems[0].hints, ["shipway approve 7f3a12cd"]);
            }
            other => panic!("{other:?}"),
        }
    };
    let (jane, kim) = (by(Human, "Jane Doe <jane@example.org>"), by(Human, "Kim <kim@example.org>"));
    let any = approval(&[], 1, &[], 0);
    check(&any, &[], false);
    check(&any, std::slice::from_ref(&jane), true);
    check(&any, &[by(Agent, "Kim <kim@example.org>"), by(Machine, "ci"), by(Human, " ")], false);
    let two = approval(&[], 2, &["JANE@example.org"], 0);
    check(&two, &[jane.clone(), kim.clone()], false);
    check(&two, &[kim.clone(), by(Human, "K. <Kim@Example.org>")], false);
    check(&two, &[kim.clone(), by(Human, "Lee")], true);
    let group = approval(&["kim@example.org", "Lee"], 1, &[], 0);
    check(&group, std::slice::from_ref(&jane), false);
    check(&group, &[jane.clone(), by(Human, "lee")], true);
    check(&approval(&[], 1, &[], 1), &[jane, kim], false);
}

#[test]
fn checks_come_before_people_and_a_refusal_before_both() {
    let gate = Gate { needs: vec![approval(&[], 1, &[], 0), need("test")], ..gate() };
    assert_eq!(now(&gate, &[]), Verdict::Look(vec![need("test")]));
    let blocked = now(&gate, &[seen("test", b"tree", Some(Severity::Blocks))]);
    assert!(matches!(blocked, Verdict::Refuse(_)));
    assert!(matches!(now(&gate, &[seen("test", b"tree", None)]), Verdict::Wait(_, None)));
}

#[test]
fn a_need_that_can_never_be_met_is_known_beforehand() {
    let check = |need: Need, expect: Option<&str>| assert_eq!(unsatisfiable(&need).as_deref(), expect);
    check(need("test"), None);
    check(approval(&[], 9, &["jane@example.org"], 0), None);
    check(approval(&["Jane <jane@example.org>", "kim@example.org"], 2, &[], 0), None);
    let few = "approval asks for 2 people, and those who may approve are: kim@example.org";
    check(approval(&["Jane <jane@example.org>", "kim@example.org"], 2, &["jane@example.org"], 0), Some(few));
    let same = "approval asks for 2 people, and those who may approve are: kim@example.org";
    check(approval(&["Kim <KIM@example.org>", "kim@example.org"], 2, &[], 0), Some(same));
    let nobody = "approval asks for 1 person, and those who may approve are: nobody";
    check(approval(&["kim@example.org"], 1, &["kim@example.org"], 0), Some(nobody));
    check(approval(&[], 1, &[], 1), Some("approval asks for grade 1, and the strongest there is is 0"));
}

#[test]
fn what_older_journals_hold_reads_and_writes_the_same() {
    let text = r#"{"check":{"name":"test","kind":"command","args":null,"timeout_ms":1}}"#;
    let read: Need = serde_json::from_str(text).unwrap();
    assert_eq!(read, need("test"));
    assert_eq!(serde_json::to_string(&read).unwrap(), text);
    let text = r#"{"severity":"advice","problem":{"code":"SW0501","what":"old"}}"#;
    let read: Finding = serde_json::from_str(text).unwrap();
    assert_eq!((read.severity, read.until), (Severity::Advice, None));
    assert_eq!(serde_json::to_string(&read).unwrap(), text);
}
