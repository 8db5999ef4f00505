//! Tickets, and what lands by them.

use super::*;

/// Returns a good ticket of somebody.
pub(super) fn ticket(by: &str) -> TicketSeen {
    TicketSeen {
        by: Some(by.to_owned()),
        policy: DIGEST.to_owned(),
        expires: Time(NOW.0 + 1),
        ..TicketSeen::default()
    }
}

/// Returns develop on its way into main, with all that the team wants.
fn good() -> Update {
    let mut update = update("refs/heads/main", "a", "b");
    update.ticket = Some(ticket("anna"));
    update.landing = Some(Landing {
        change: 7,
        source: "develop".into(),
        target: "main".into(),
        head: id("d"),
        method: Some(Method::Merge),
        author: "bot".into(),
        contributors: vec!["bot".into(), "boris@example.org".into()],
        approvals: vec![("carla".into(), 1)],
        checks: vec![("test".into(), "ci".into())],
        ..Landing::default()
    });
    let top = &mut update.commits[0];
    top.parents = vec![id("a"), id("d")];
    top.clean_merge = Some(true);
    update
}

#[track_caller]
fn with(change: impl FnOnce(&mut Update), expected: &[Rule]) {
    let mut update = good();
    change(&mut update);
    check(&policy(TEAM), &by("anna", vec![update]), expected);
}

#[track_caller]
fn landing(change: impl FnOnce(&mut Landing), expected: &[Rule]) {
    with(|update| change(update.landing.as_mut().unwrap()), expected);
}

#[test]
fn a_change_with_all_that_is_wanted_lands() {
    with(|_| {}, &[]);
}

#[test]
fn b17_a_ticket_is_signed_in_time_and_under_this_policy() {
    with(|update| update.ticket = None, &[Rule::PushRestricted]);
    let flawed = |change: fn(&mut TicketSeen)| {
        with(|update| change(update.ticket.as_mut().unwrap()), &[Rule::TicketInvalid]);
    };
    flawed(|ticket| ticket.flaw = Some("a broken signature".into()));
    flawed(|ticket| ticket.by = None);
    flawed(|ticket| ticket.by = Some("stranger".into()));
    flawed(|ticket| ticket.policy = "another".into());
    flawed(|ticket| ticket.expires = NOW);
    with(|update| update.landing = None, &[Rule::TicketInvalid]);
    // A ticket is no way to delete or to rewind.
    with(|update| update.new = String::new(), &[Rule::Delete]);
    with(|update| update.kind = UpdateKind::Rewind, &[Rule::NonFastForward]);
    // The policy of nobody is no policy.
    let mut facts = by("anna", vec![good()]);
    facts.policy = String::new();
    facts.updates[0].ticket.as_mut().unwrap().policy = String::new();
    check(&policy(TEAM), &facts, &[Rule::TicketInvalid]);
}

#[test]
fn only_people_land_unless_an_agent_is_named() {
    with(|update| update.ticket = Some(ticket("bot")), &[Rule::PushRestricted]);
    let named = policy(&TEAM.replace("[branch.main]\n", "[branch.main]\nland = ['bot']\n"));
    let by_bot = Update { ticket: Some(ticket("bot")), ..good() };
    check(&named, &by("bot", vec![by_bot]), &[]);
    check(&named, &by("anna", vec![good()]), &[Rule::PushRestricted]);
}

#[test]
fn d01_an_approval_is_for_one_target() {
    landing(|landing| landing.target = "develop".into(), &[Rule::TicketInvalid]);
}

#[test]
fn a_branch_gets_only_what_it_is_paired_with() {
    for source in ["feature/x", "", "main", "Develop", "developer"] {
        landing(|landing| landing.source = source.into(), &[Rule::SourceBranch]);
    }
    let hints = |source: &str| {
        let mut update = good();
        update.landing.as_mut().unwrap().source = source.into();
        let verdicts = evaluate(&policy(TEAM), &by("anna", vec![update]));
        verdicts.into_iter().find(|verdict| verdict.rule == Rule::SourceBranch).unwrap().hints
    };
    // Whoever named no branch is told how to, and a policy without a way back how to get one.
    assert!(hints("")[1].starts_with("git push origin HEAD:refs/for/main -o source=BRANCH -o change="));
    let added = hints("back/develop-to-main-1");
    assert_eq!(
        added,
        [
            r#"printf '\n[[branch.main.merge]]\nfrom = ["back/*"]\nmethod = ["merge"]\n' >>.shipway/policy.toml"#
        ]
    );
    for source in ["release/1.0", "hotfix/1"] {
        landing(|landing| landing.source = source.into(), &[]);
    }
    landing(|landing| landing.method = None, &[Rule::MergeMethod]);
    landing(
        |landing| {
            landing.method = Some(Method::Squash);
            landing.replayed = Some(true);
        },
        &[Rule::MergeMethod, Rule::SecondParent],
    );
}

#[test]
fn c02_a_merge_merges_the_approved_head() {
    with(|update| update.commits[0].parents[1] = id("e"), &[Rule::SecondParent]);
    with(|update| update.commits[0].parents[0] = id("e"), &[Rule::SecondParent]);
    with(|update| update.commits[0].parents.truncate(1), &[Rule::SecondParent]);
    with(|update| update.commits[0].parents.push(id("e")), &[Rule::SecondParent, Rule::CommitShape]);
    with(|update| update.commits[0].id = id("e"), &[Rule::Budget]);
    with(|update| update.commits.clear(), &[Rule::Budget]);
}

#[test]
fn c03_a_merge_holds_nothing_of_its_own() {
    with(|update| update.commits[0].clean_merge = Some(false), &[Rule::EvilMerge]);
    with(|update| update.commits[0].clean_merge = None, &[Rule::EvilMerge]);
}

#[test]
fn other_methods_have_their_own_form() {
    let policy = policy("preset = 'trunk'\n[person.anna]\n");
    let check = |method, change: fn(&mut Update), expected: &[Rule]| {
        let mut update = good();
        update.commits[0].parents = vec![id("a")];
        let landing = update.landing.as_mut().unwrap();
        (landing.method, landing.replayed) = (Some(method), Some(true));
        change(&mut update);
        check(&policy, &by("anna", vec![update]), expected);
    };
    check(Method::Squash, |_| {}, &[]);
    check(Method::Squash, |u| u.landing.as_mut().unwrap().replayed = None, &[Rule::EvilMerge]);
    check(Method::Squash, |u| u.commits[0].parents = vec![id("d")], &[Rule::SecondParent]);
    check(Method::Squash, |u| u.commits.push(Commit::default()), &[Rule::SecondParent, Rule::Message]);
    check(Method::Rebase, |_| {}, &[]);
    check(
        Method::Rebase,
        |u| {
            let base = Commit { id: id("c"), ..u.commits[0].clone() };
            u.commits.push(base);
            u.commits[0].parents = vec![id("c")];
        },
        &[],
    );
    check(Method::Rebase, |u| u.commits[0].parents = vec![id("c")], &[Rule::SecondParent]);
    check(Method::FastForward, |u| u.landing.as_mut().unwrap().head = id("b"), &[]);
    check(Method::FastForward, |_| {}, &[Rule::SecondParent]);
    check(Method::Merge, |_| {}, &[Rule::MergeMethod, Rule::SecondParent]);
}

#[test]
fn d04_d05_authors_contributors_and_agents_approve_nothing() {
    let approved = |who: &[(&str, u8)], expected: &[Rule]| {
        landing(
            |landing| landing.approvals = who.iter().map(|(name, grade)| ((*name).into(), *grade)).collect(),
            expected,
        );
    };
    approved(&[], &[Rule::Approvals]);
    approved(&[("anna", 0)], &[]);
    // boris has written a part of it, under his address; bot has opened it, and is an agent; ci is an agent.
    for who in ["boris", "bot", "ci", "stranger", "maintainers", "anna@example.org", ""] {
        approved(&[(who, 3)], &[Rule::Approvals]);
    }
    // All names of one person are one person.
    for name in ["carla", "anna-2", "ANNA@home.example", "anna"] {
        landing(
            |landing| {
                landing.contributors.push(name.into());
                landing.approvals = vec![(if name == "carla" { "carla" } else { "anna" }.into(), 3)];
            },
            &[Rule::Approvals],
        );
        landing(
            |landing| {
                landing.author = name.into();
                landing.approvals = vec![(if name == "carla" { "carla" } else { "anna" }.into(), 3)];
            },
            &[Rule::Approvals],
        );
    }
}

#[test]
fn approvals_are_counted_by_person_group_and_grade() {
    let text = TEAM.replace("approvals = 1", "approvals = 2\napprovers = ['maintainers']\ngrade = 2");
    let policy = policy(&text);
    for (given, ok) in [
        (&[("anna", 2), ("carla", 3)][..], true),
        (&[("anna", 2), ("anna", 3)], false),
        (&[("anna", 2), ("carla", 1)], false),
        (&[("anna", 2), ("boris", 3)], false),
    ] {
        let mut update = good();
        let landing = update.landing.as_mut().unwrap();
        landing.contributors = vec![];
        landing.approvals = given.iter().map(|(name, grade)| ((*name).into(), *grade)).collect();
        check(&policy, &by("anna", vec![update]), if ok { &[] } else { &[Rule::Approvals] });
    }
}

#[test]
fn alone_one_may_approve_ones_own() {
    let policy = policy("solo = true\n[person.anna]\n[branch.main]\napprovals = 1");
    let mut update = good();
    let landing = update.landing.as_mut().unwrap();
    landing.author = "anna".into();
    landing.approvals = vec![("anna".into(), 0)];
    check(&policy, &by("anna", vec![update.clone()]), &[]);
    update.landing.as_mut().unwrap().approvals = vec![];
    check(&policy, &by("anna", vec![update]), &[Rule::Approvals]);
}

#[test]
fn owners_approve_what_they_own() {
    let policy = policy(&TEAM.replace("approvals = 1", "approvals = 1\nowners = true"));
    for (owners, ok) in [
        (&["@carla"][..], true),
        (&["@anna", "@carla"], true),
        (&["@team/maintainers"], true),
        (&["@maintainers"], true),
        (&[], true),
        (&["@anna"], false),
        (&["anna@example.org"], false),
        (&["@stranger"], false),
    ] {
        let mut update = good();
        let landing = update.landing.as_mut().unwrap();
        landing.owners = vec![("src/a.rs".into(), owners.iter().map(|name| (*name).into()).collect())];
        check(&policy, &by("anna", vec![update]), if ok { &[] } else { &[Rule::Owners] });
    }
    // Two approvals of owners are of two people.
    let mut update = good();
    let landing = update.landing.as_mut().unwrap();
    landing.owners = vec![("a".into(), vec!["@maintainers".into()]); 2];
    check(&policy, &by("anna", vec![update.clone()]), &[Rule::Owners]);
    update.landing.as_mut().unwrap().approvals.push(("anna".into(), 0));
    check(&policy, &by("anna", vec![update]), &[]);
}

#[test]
fn c21_the_policy_is_changed_with_its_owners() {
    let file =
        FileChange { path: b".shipway/policy.toml".to_vec(), mode: 0o100_644, ..FileChange::default() };
    with(|update| update.total = vec![file.clone()], &[]);
    with(
        |update| {
            update.total = vec![file];
            let landing = update.landing.as_mut().unwrap();
            landing.contributors = vec![];
            landing.approvals = vec![("boris".into(), 3)];
        },
        &[Rule::Owners],
    );
}

#[test]
fn d06_d08_a_check_has_passed_and_its_runner_says_so() {
    landing(|landing| landing.checks = vec![], &[Rule::Checks]);
    landing(|landing| landing.checks = vec![("test".into(), "boris".into())], &[Rule::Checks]);
    landing(|landing| landing.checks = vec![("lint".into(), "ci".into())], &[Rule::Checks]);
    for what in ["failed", "skipped", "neutral", "cancelled"] {
        landing(|landing| landing.failed = vec![("test".into(), what.into())], &[Rule::Checks]);
    }
    // Without runners, whoever lands vouches.
    let policy = policy(&TEAM.replace("runners = [\"ci\"]", ""));
    check(&policy, &by("anna", vec![good()]), &[Rule::Checks]);
    let mut own = good();
    own.landing.as_mut().unwrap().checks = vec![("test".into(), "anna".into())];
    check(&policy, &by("anna", vec![own]), &[]);
}

#[test]
fn objections_and_obligations_come_first() {
    landing(|landing| landing.objections = vec!["boris".into()], &[Rule::Objection]);
    let draft = ("change 7 is a draft".to_owned(), "shipway change edit 7 --ready".to_owned());
    landing(|landing| landing.unready = Some(draft.clone()), &[Rule::Obligation]);
    landing(|landing| landing.obligations = vec!["main must go into develop".into()], &[Rule::Obligation]);
}

#[test]
fn what_waits_is_told_from_what_is_refused() {
    let mut update = good();
    let landing = update.landing.as_mut().unwrap();
    landing.approvals = vec![];
    landing.checks = vec![];
    landing.objections = vec!["boris".into()];
    let verdicts = evaluate(&policy(TEAM), &by("anna", vec![update]));
    assert_eq!(verdicts.len(), 3);
    assert!(verdicts.iter().all(|verdict| verdict.waits), "{verdicts:?}");
}

#[test]
fn a_release_lands_one_commit_by_those_who_may() {
    let release = |login: &str, change: fn(&mut Update)| {
        let mut update = update("refs/heads/main", "a", "b");
        update.ticket = Some(TicketSeen { purpose: Purpose::Release, ..ticket(login) });
        change(&mut update);
        by(login, vec![update])
    };
    let policy = policy(TEAM);
    check(&policy, &release("anna", |_| {}), &[]);
    check(&policy, &release("boris", |_| {}), &[Rule::PushRestricted]);
    check(&policy, &release("ci", |_| {}), &[Rule::PushRestricted]);
    check(&policy, &release("anna", |u| u.commits[0].parents.push(id("c"))), &[Rule::TicketInvalid]);
    check(&policy, &release("anna", |u| u.commits.push(u.commits[0].clone())), &[Rule::TicketInvalid]);
}

#[test]
fn an_exception_has_a_name_and_a_reason() {
    let exception = |login: &str, reason: &str| Update {
        ticket: Some(TicketSeen { exception: Some(reason.into()), ..ticket(login) }),
        ..update("refs/heads/main", "a", "b")
    };
    let policy = policy(TEAM);
    check(&policy, &by("carla", vec![exception("carla", "the queue stands")]), &[]);
    check(&policy, &by("carla", vec![exception("carla", " ")]), &[Rule::TicketInvalid]);
    check(&policy, &by("anna", vec![exception("anna", "the queue stands")]), &[Rule::PushRestricted]);
    // What commits hold is judged all the same.
    let mut foul = exception("carla", "the queue stands");
    foul.commits[0].message = b"quick".to_vec();
    check(&policy, &by("carla", vec![foul]), &[Rule::Message]);
    // To rewind, one must also be allowed to force.
    let back = Update { kind: UpdateKind::Rewind, ..exception("carla", "a leak") };
    check(&policy, &by("carla", vec![back.clone()]), &[Rule::NonFastForward]);
    let forced = super::policy(&TEAM.replace("approvals = 1", "approvals = 1\nforce = ['carla']"));
    check(&forced, &by("carla", vec![back]), &[]);
}

#[test]
fn restricted_paths_land_with_those_who_may() {
    let text = format!("{TEAM}\n[[files.restricted]]\npaths = ['deploy/**']\nwho = ['carla']\n");
    let policy = policy(&text);
    let file = FileChange { path: b"deploy/x".to_vec(), mode: 0o100_644, ..FileChange::default() };
    let mut update = good();
    update.total = vec![file];
    check(&policy, &by("anna", vec![update.clone()]), &[]);
    let landing = update.landing.as_mut().unwrap();
    landing.approvals = vec![("anna".into(), 0)];
    check(&policy, &by("anna", vec![update]), &[Rule::PathRestricted]);
}

#[test]
fn what_was_approved_on_a_protected_branch_needs_no_approval_again() {
    let team = format!(
        "{TEAM}\n[[branch.main.merge]]\nfrom = [\"main\", \"feature/*\"]\nmethod = [\"merge\", \"squash\"]\napproved = true\n"
    );
    let lands = |change: &dyn Fn(&mut Landing), expected: &[Rule]| {
        let mut update = good();
        let landing = update.landing.as_mut().unwrap();
        landing.approvals.clear();
        landing.source = "main".into();
        change(landing);
        check(&policy(&team), &by("anna", vec![update]), expected);
    };
    lands(&|_| {}, &[]);
    lands(&|landing| landing.objections.push("carla".into()), &[Rule::Objection]);
    // A branch that anybody pushes to has nothing approved, and a squash is a commit that nobody has seen.
    lands(&|landing| landing.source = "feature/x".into(), &[Rule::Approvals]);
    lands(&|landing| landing.source = "develop".into(), &[Rule::SourceBranch, Rule::Approvals]);
    lands(&|landing| landing.source = String::new(), &[Rule::SourceBranch, Rule::Approvals]);
}
