use super::*;
use crate::id::{Actor, ActorKind};
use crate::problem::Code;
use crate::statement::{PlanApproval, Signed, Signer, Statement, Use};

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
    Approval {
        by: Actor { kind, name: name.into(), host: "quay".into() },
        at: Time(0),
        grade: 0,
        signed: None,
    }
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

/// A signed yes of somebody with these names.
fn signed(names: &[&str], grade: u8, expires: u64) -> Approval {
    let names: Vec<String> = names.iter().map(|&name| name.into()).collect();
    let vouched = Vouched {
        signed: Signed { text: String::new(), signature: String::new() },
        person: names[0].clone(),
        names,
        key: "SHA256:x".into(),
        gate: None,
        expires: Time(expires),
        grade,
        why: "an unlocked agent".into(),
        flaw: None,
    };
    Approval { grade, signed: Some(Box::new(vouched.clone())), ..by(ActorKind::Human, &vouched.person) }
}

#[test]
fn a_signed_yes_counts_by_its_grade_its_end_and_every_name_of_the_person() {
    let check = |need: &Need, given: &[Approval], wanted: Option<&str>| {
        let gate = Gate { needs: vec![need.clone()], ..gate() };
        match (at(&gate, &[], given, (1, 50)), wanted) {
            (Verdict::Pass, None) => {}
            (Verdict::Wait(problems, None), Some(wanted)) => {
                assert!(format!("{:?}", problems[0]).contains(wanted), "{problems:?}");
            }
            (verdict, _) => panic!("{need:?} {given:?} {verdict:?}"),
        }
    };
    let (ann, bob) = (&["ann", "ann@example.org"][..], &["bob", "bob@example.org"][..]);
    let one = approval(&[], 1, &[], 1);
    check(&one, &[signed(ann, 1, 50)], None);
    check(&one, &[signed(ann, 3, 50)], None);
    check(&one, &[signed(ann, 1, 49)], Some("the yes of ann ended at 1970"));
    check(&one, &[signed(ann, 0, 50)], Some("the yes of ann is P0: an unlocked agent"));
    check(&one, &[by(ActorKind::Human, "ann")], Some("P0: typed, and not signed"));
    check(&approval(&[], 1, &[], 2), &[signed(ann, 1, 50)], Some("P2 at least"));
    let mut flawed = signed(ann, 3, 50);
    let flaw = Box::new(Problem::new(Code::SignatureBad, "the signature is not good"));
    flawed.signed.as_mut().unwrap().flaw = Some(flaw);
    check(&one, &[flawed], Some("the yes of ann does not count: the signature is not good"));
    // Who may and who may not is told by any of the names.
    check(&approval(&["ANN@example.org"], 1, &[], 1), &[signed(ann, 1, 50)], None);
    check(&approval(&["ann"], 1, &[], 1), &[signed(ann, 1, 50)], None);
    check(&approval(&["bob"], 1, &[], 1), &[signed(ann, 1, 50)], Some("not approved yet"));
    let not_ann = approval(&[], 1, &["Ann Author <ann@example.org>"], 1);
    check(&not_ann, &[signed(ann, 1, 50)], Some("not approved yet"));
    check(&not_ann, &[signed(bob, 1, 50)], None);
    // A person without an address may be the one who may not.
    check(&not_ann, &[signed(&["ann"], 1, 50)], Some("not approved yet"));
    check(&not_ann, &[signed(&["bob"], 1, 50)], Some("not approved yet"));
    // Two keys of one person, and a typed yes besides, are one person.
    let two = approval(&[], 2, &[], 0);
    let typed = by(ActorKind::Human, "Ann <ann@example.org>");
    check(&two, &[signed(ann, 1, 50), signed(&["ann"], 1, 50), typed.clone()], Some("1 of 2"));
    check(&two, &[signed(&["ann"], 1, 50), typed.clone(), signed(ann, 1, 50)], Some("1 of 2"));
    check(&two, &[typed, signed(bob, 1, 50)], None);
}

fn yes<'a>(signed: &'a Signed, by: &'a Actor, (plan, run): (&'a Digest, &'a RunId)) -> Yes<'a> {
    Yes { project: "widget", run, plan, requester: by, signed, at: Time(100), used: false }
}

#[test]
fn a_signature_counts_for_one_run_and_one_plan_and_no_more_than_it_proves() {
    let (plan, run) = (Digest::of(b"plan"), RunId::new("7f3a12cd"));
    let requester = by(ActorKind::Human, "Ann <ann@example.org>").by;
    let said = PlanApproval {
        project: "widget".into(),
        run: "7f3a12cd".into(),
        plan: plan.clone(),
        gate: None,
        host: "quay".into(),
        expires: Time(100),
        nonce: "n".into(),
        key_use: Use::Passphrase,
    };
    let text = |said: PlanApproval| Signed { text: Statement::Plan(said).text(), signature: String::new() };
    let refuses = |said: PlanApproval, found: &str| {
        let signed = text(said);
        let problem = yes(&signed, &requester, (&plan, &run)).statement().unwrap_err();
        assert_eq!((problem.code, problem.found.as_deref()), (Code::StatementElsewhere, Some(found)));
    };
    refuses(PlanApproval { project: "gadget".into(), ..said.clone() }, "project gadget");
    refuses(PlanApproval { run: "0".into(), ..said.clone() }, "run 0");
    let other = Digest::of(b"other");
    refuses(PlanApproval { plan: other.clone(), ..said.clone() }, &format!("plan {other}"));
    refuses(PlanApproval { expires: Time(99), ..said.clone() }, "ended at 1970-01-01T00:00:00.099Z");
    let grade = |said: &PlanApproval, names: &[&str]| {
        let given = text(said.clone());
        let (person, key, kind) = (names[0].into(), "SHA256:x".into(), "ssh-ed25519".into());
        let signer = Signer { person, key, kind, touched: false, verified: false };
        let who = Who { names: names.iter().map(|&name| name.into()).collect(), ..Who::default() };
        yes(&given, &requester, (&plan, &run)).vouched(&signer, who).unwrap().grade
    };
    let away = PlanApproval { host: "pier".into(), ..said.clone() };
    assert_eq!(grade(&said, &["bob", "bob@example.org"]), 1, "on the same machine");
    assert_eq!(grade(&away, &["bob", "bob@example.org"]), 3);
    assert_eq!(grade(&away, &["ann", "ann@example.org"]), 1, "the one who asks");
    assert_eq!(grade(&away, &["bob"]), 1, "who may be the one who asks");
    assert_eq!(grade(&PlanApproval { key_use: Use::Agent, ..away.clone() }, &["bob", "b@example.org"]), 0);
    let given = text(away);
    let signer = Signer {
        person: "bot".into(),
        key: "k".into(),
        kind: "ssh-ed25519".into(),
        touched: true,
        verified: true,
    };
    let agent = Who { names: vec!["bot".into()], standing: Standing::Agent };
    let problem = yes(&given, &requester, (&plan, &run)).vouched(&signer, agent).unwrap_err();
    assert_eq!(problem.code, Code::NotAPerson);
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
    check(approval(&[], 1, &[], 3), None);
    check(approval(&[], 1, &[], 4), Some("approval asks for grade 4, and the strongest there is is 3"));
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
