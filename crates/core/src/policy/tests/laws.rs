//! What holds for all facts, tried with many that are made up.

use super::*;

/// Makes numbers (xorshift64*), the same ones in every run.
struct Dice(u64);

impl Dice {
    fn roll(&mut self, sides: usize) -> usize {
        self.0 ^= self.0 >> 12;
        self.0 ^= self.0 << 25;
        self.0 ^= self.0 >> 27;
        let roll = self.0.wrapping_mul(0x2545_f491_4f6c_dd1d) >> 33;
        usize::try_from(roll).unwrap() % sides
    }

    fn of<T: Copy>(&mut self, all: &[T]) -> T {
        all[self.roll(all.len())]
    }
}

const NAMES: &[&str] = &[
    "refs/heads/main",
    "refs/heads/master",
    "refs/heads/develop",
    "refs/heads/feature/x",
    "refs/heads/release/1",
    "refs/heads/Main",
    "refs/heads/-x",
    "refs/tags/v1.0.0",
    "refs/for/main",
    "refs/shipway/landings",
    "HEAD",
];

fn any_update(dice: &mut Dice) -> Update {
    let letters = ["", "a", "b", "c"];
    let mut made = update(dice.of(NAMES), dice.of(&letters), dice.of(&letters));
    made.current = id(dice.of(&letters));
    made.kind = dice.of(&[UpdateKind::Create, UpdateKind::Forward, UpdateKind::Rewind, UpdateKind::Delete]);
    made.object = dice.of(&[ObjectKind::Commit, ObjectKind::Tag, ObjectKind::Other]);
    made.target = (dice.roll(4) == 0).then(|| dice.of(NAMES).as_bytes().to_vec());
    if dice.roll(2) == 0 {
        let method = [None, Some(Method::Merge), Some(Method::FastForward), Some(Method::Squash)];
        made.landing = Some(Landing {
            change: 1,
            source: dice.of(&["develop", "", "main", "feature/x"]).into(),
            target: dice.of(&["main", "develop"]).into(),
            head: made.new.clone(),
            method: dice.of(&method),
            approvals: vec![(dice.of(&["anna", "bot", "boris"]).into(), 3)],
            checks: vec![("test".into(), "ci".into())],
            replayed: Some(true),
            ..Landing::default()
        });
    }
    made
}

fn any_ticket(dice: &mut Dice) -> TicketSeen {
    let mut ticket = landings::ticket(dice.of(&["anna", "boris", "carla", "bot", "stranger"]));
    ticket.purpose = dice.of(&[Purpose::Change, Purpose::Release, Purpose::Bootstrap]);
    ticket.exception = (dice.roll(3) == 0).then(|| "a reason".to_owned());
    ticket
}

/// Spoils a ticket in one of the ways in which one may be bad.
fn spoil(dice: &mut Dice, ticket: &mut TicketSeen) {
    match dice.roll(5) {
        0 => ticket.flaw = Some("used before".into()),
        1 => ticket.by = None,
        2 => ticket.by = Some("stranger".into()),
        3 => ticket.policy = "another".into(),
        _ => ticket.expires = NOW,
    }
}

fn moves_protected(policy: &Policy, update: &Update) -> bool {
    let names = [Some(&update.name), update.target.as_ref()];
    let branches = names.into_iter().flatten().filter_map(|name| name.strip_prefix(b"refs/heads/"));
    branches.into_iter().any(|branch| policy.is_protected(branch))
}

#[test]
fn no_facts_without_a_good_ticket_move_a_protected_branch() {
    let policy = policy(TEAM);
    let (mut dice, mut tried, mut bad) = (Dice(0x9e37_79b9_7f4a_7c15), 0, 0);
    for _ in 0..20_000 {
        let mut updates: Vec<Update> = (0..=dice.roll(3)).map(|_| any_update(&mut dice)).collect();
        for update in &mut updates {
            if dice.roll(2) == 0 {
                let mut ticket = any_ticket(&mut dice);
                spoil(&mut dice, &mut ticket);
                update.ticket = Some(ticket);
                bad += 1;
            }
        }
        if updates.iter().any(|update| moves_protected(&policy, update)) {
            tried += 1;
            let facts = by(dice.of(&["anna", "boris", "carla", "bot", "stranger", ""]), updates);
            assert!(!evaluate(&policy, &facts).is_empty(), "{facts:#?}");
        }
    }
    assert!(tried > 5_000 && bad > 5_000, "{tried} {bad}");
}

#[test]
fn no_ticket_deletes_a_protected_branch_and_none_rewinds_one_that_may_not_be_forced() {
    let policy = policy(TEAM);
    let mut dice = Dice(7);
    for _ in 0..5_000 {
        let mut update = any_update(&mut dice);
        update.ticket = Some(any_ticket(&mut dice));
        let back = is_delete(&update) || (!update.current.is_empty() && update.kind != UpdateKind::Forward);
        if back && moves_protected(&policy, &update) {
            assert!(!evaluate(&policy, &by("carla", vec![update.clone()])).is_empty(), "{update:#?}");
        }
    }
}

fn is_delete(update: &Update) -> bool {
    update.new.is_empty()
}

#[test]
fn the_strictest_rule_wins() {
    // Whatever one policy refuses is refused by that policy with one more class, too.
    let (lax, strict) = (policy(TEAM), {
        let more = "\n[branch.more]\npatterns = ['**']\nlinear = true\npush = ['anna']\ncreate = ['anna']\n\
                    force = []\n";
        policy(&format!("{TEAM}{more}"))
    });
    let mut dice = Dice(99);
    let (mut more, mut tried) = (0, 0);
    for _ in 0..10_000 {
        let mut update = any_update(&mut dice);
        if dice.roll(2) == 0 {
            update.ticket = Some(any_ticket(&mut dice));
        }
        let facts = by(dice.of(&["anna", "boris", "bot", ""]), vec![update]);
        let rules = |policy| evaluate(policy, &facts).iter().map(|v| v.rule).collect::<Vec<_>>();
        let (before, after) = (rules(&lax), rules(&strict));
        assert!(before.is_empty() || !after.is_empty(), "{facts:#?}");
        tried += usize::from(before.is_empty());
        more += usize::from(before.is_empty() && !after.is_empty());
    }
    assert!(tried > 50 && more > 10, "{tried} {more}");
}

#[test]
fn every_refusal_has_a_remedy_and_the_same_facts_the_same_answer() {
    let policy = policy(TEAM);
    let mut dice = Dice(3);
    for _ in 0..5_000 {
        let updates: Vec<Update> = (0..=dice.roll(2)).map(|_| any_update(&mut dice)).collect();
        let facts = by(dice.of(&["anna", "stranger", ""]), updates);
        let verdicts = evaluate(&policy, &facts);
        assert_eq!(verdicts, evaluate(&policy, &facts));
        for verdict in verdicts {
            assert!(!verdict.hints.is_empty(), "{verdict:?}");
            assert!(verdict.rule == Rule::NoIdentity || verdict.reference.is_some(), "{verdict:?}");
        }
    }
}
