//! The ways around a guard that are known, as far as facts decide them; each row has the name of its vector.

use super::*;

/// A vector that is one update by boris under the policy of the team.
#[track_caller]
fn one(update: Update, expected: &[Rule]) {
    check(&policy(TEAM), &by("boris", vec![update]), expected);
}

fn rewound(name: &str) -> Update {
    Update { kind: UpdateKind::Rewind, ..update(name, "a", "b") }
}

#[test]
fn a01_nobody_pushes_to_a_protected_branch() {
    one(update("refs/heads/main", "a", "b"), &[Rule::PushRestricted]);
    check(&policy(TEAM), &by("carla", vec![update("refs/heads/develop", "a", "b")]), &[Rule::PushRestricted]);
    let told = evaluate(&policy(TEAM), &by("boris", vec![update("refs/heads/main", "a", "b")]));
    assert_eq!(told[0].hints[0], "git push origin HEAD:refs/for/main");
    assert_eq!(told[0].reference.as_deref(), Some("refs/heads/main"));
}

#[test]
fn a20_whoever_is_not_known_changes_nothing() {
    for name in ["refs/heads/feature/x", "refs/for/main", "refs/events/changes/1"] {
        let rules = evaluate(&policy(TEAM), &by("", vec![update(name, "a", "b")]));
        assert_eq!(rules[0].rule, Rule::NoIdentity, "{name}");
    }
}

#[test]
fn a23_odd_bytes_are_judged_like_any_others() {
    let mut odd = update("refs/heads/x", ".", "b");
    odd.name = b"refs/heads/\xff\xfe".to_vec();
    one(odd, &[Rule::NameInvalid]);
    for name in ["refs/heads/a b", "refs/heads/a..b", "refs/heads/a.lock", "refs/heads/.a", "refs/heads/a//b"]
    {
        one(
            update(name, ".", "b"),
            if name.contains(' ') { &[Rule::NameInvalid, Rule::Confusable] } else { &[Rule::NameInvalid] },
        );
    }
}

#[test]
fn b01_a_symbolic_ref_is_judged_as_what_it_stands_for() {
    let alias = |target: &str| Update { target: Some(target.into()), ..update("refs/heads/alias", "a", "b") };
    one(alias("refs/heads/main"), &[Rule::Symref, Rule::PushRestricted]);
    one(alias("refs/shipway/landings"), &[Rule::Symref, Rule::RefNamespace]);
    one(alias("refs/heads/feature/x"), &[]);
    // The alias of a protected branch is itself protected by its own name.
    let own =
        Update { target: Some(b"refs/heads/feature/x".to_vec()), ..update("refs/heads/main", "a", "b") };
    one(own, &[Rule::PushRestricted]);
}

#[test]
fn b02_names_of_git_itself_are_taken() {
    for name in
        ["HEAD", "head", "FETCH_HEAD", "orig_head", "X_HEAD", "refs/x", "heads/main", "tags/v1", "stash"]
    {
        one(update(&format!("refs/heads/{name}"), ".", "b"), &[Rule::ReservedName]);
    }
    one(update(&format!("refs/heads/{}", id("c")), ".", "b"), &[Rule::ReservedName]);
    one(update("HEAD", "a", "b"), &[Rule::ReservedName]);
    one(update("refs/heads/fix/detached_HEAD", ".", "b"), &[]);
}

#[test]
fn b04_b05_a_protected_branch_is_neither_deleted_nor_made_again() {
    one(update("refs/heads/main", "a", "."), &[Rule::Delete]);
    one(update("refs/heads/develop", "a", "."), &[Rule::Delete]);
    one(update("refs/heads/develop", ".", "b"), &[Rule::PushRestricted]);
    one(update("refs/heads/feature/x", "a", "."), &[]);
    one(update("refs/heads/release/1.0", "a", "."), &[Rule::Delete]);
    check(&policy(TEAM), &by("anna", vec![update("refs/heads/release/1.0", "a", ".")]), &[]);
}

#[test]
fn b07_a_branch_is_rewound_only_where_it_may_be() {
    one(rewound("refs/heads/main"), &[Rule::PushRestricted, Rule::NonFastForward]);
    one(rewound("refs/heads/release/1.0"), &[Rule::NonFastForward]);
    one(rewound("refs/heads/feature/x"), &[]);
    // Ids that do not go with the kind are the worst that they can be.
    let odd = Update { kind: UpdateKind::Create, ..update("refs/heads/release/1.0", "a", "b") };
    one(odd, &[Rule::NonFastForward]);
}

#[test]
fn b08_a_tag_neither_moves_nor_goes() {
    one(update("refs/tags/v1.0.0", "a", "b"), &[Rule::TagImmutable]);
    one(update("refs/tags/v1.0.0", "a", "."), &[Rule::TagImmutable]);
    one(update("refs/tags/v1.1.0", ".", "b"), &[]);
}

#[test]
fn b09_b10_one_refusal_refuses_all() {
    let updates = || vec![update("refs/heads/feature/y", ".", "b"), update("refs/heads/main", "a", "b")];
    let verdicts = evaluate(&policy(TEAM), &by("boris", updates()));
    assert_eq!(verdicts.len(), 1);
    assert_eq!(verdicts[0].reference.as_deref(), Some("refs/heads/main"));
    let mirror = vec![update("refs/heads/develop", "a", "."), update("refs/remotes/origin/x", ".", "b")];
    check(&policy(TEAM), &by("anna", mirror), &[Rule::Delete, Rule::RefNamespace]);
}

#[test]
fn b12_a_push_names_each_ref_once() {
    let twice = vec![update("refs/heads/feature/x", "a", "b"), update("refs/heads/feature/x", "a", "c")];
    check(&policy(TEAM), &by("boris", twice), &[Rule::DuplicateRef]);
    let alias =
        Update { target: Some(b"refs/heads/feature/x".to_vec()), ..update("refs/heads/alias", "a", "b") };
    check(
        &policy(TEAM),
        &by("boris", vec![update("refs/heads/feature/x", "a", "b"), alias]),
        &[Rule::DuplicateRef],
    );
}

#[test]
fn b14_the_old_value_is_the_one_that_is_there() {
    let lie = Update { current: id("c"), ..update("refs/heads/feature/x", "a", "b") };
    one(lie, &[Rule::StaleOld]);
    let zeros = Update { old: "0".repeat(40), ..update("refs/heads/feature/y", ".", "b") };
    one(zeros, &[]);
}

#[test]
fn b20_a_tag_is_not_called_like_a_branch() {
    one(update("refs/tags/main", ".", "b"), &[Rule::TagLikeBranch]);
    one(update("refs/tags/Master", ".", "b"), &[Rule::TagLikeBranch, Rule::CaseAlias]);
    one(update("refs/tags/feature/x", ".", "b"), &[Rule::TagLikeBranch]);
    one(update("refs/heads/v1.0.0", ".", "b"), &[Rule::TagLikeBranch]);
    let both = vec![update("refs/heads/same", ".", "b"), update("refs/tags/same", ".", "b")];
    check(&policy(TEAM), &by("boris", both), &[Rule::TagLikeBranch]);
}

#[test]
fn b23_a_name_is_no_option() {
    one(update("refs/heads/--output=x", ".", "b"), &[Rule::NameDash]);
    one(update("refs/tags/-d", ".", "b"), &[Rule::NameDash]);
    one(update("refs/for/-x", ".", "b"), &[Rule::NameDash]);
}

#[test]
fn b25_names_differ_in_more_than_case() {
    one(update("refs/heads/MAIN", ".", "b"), &[Rule::CaseAlias]);
    one(update("refs/heads/Feature/y", ".", "b"), &[Rule::CaseAlias]);
    one(update("refs/heads/feature/X", ".", "b"), &[Rule::CaseAlias]);
    one(update("refs/heads/Master", ".", "b"), &[Rule::CaseAlias]);
    let both = vec![update("refs/heads/new", ".", "b"), update("refs/heads/NEW", ".", "b")];
    check(&policy(TEAM), &by("boris", both), &[Rule::CaseAlias]);
}

#[test]
fn b26_names_do_not_look_like_protected_ones() {
    for name in ["mаin", "ｍain", "rnain", "deve1op", "mai\u{301}n", "develοp"] {
        one(update(&format!("refs/heads/{name}"), ".", "b"), &[Rule::Confusable]);
    }
    for name in
        ["ma\u{200b}in", "feature/a\u{202e}b", "feature/\u{2066}x", "feature/\u{3164}", "feature/\u{ad}"]
    {
        one(update(&format!("refs/heads/{name}"), ".", "b"), &[Rule::Confusable]);
    }
    one(update("refs/tags/mаin", ".", "b"), &[Rule::Confusable]);
    one(update("refs/heads/feature/пример", ".", "b"), &[]);
    one(update("refs/heads/世界", ".", "b"), &[]);
}

#[test]
fn b29_a_name_below_a_protected_prefix_is_protected() {
    let text = "[branch.release]\npatterns = ['release/*']\nprotected = true\n\
                [branch.scratch]\npatterns = ['release/scratch/**']\n[branch.all]\npatterns = ['**']";
    let policy = policy(text);
    for (name, expected) in [
        ("release/1", &[Rule::PushRestricted][..]),
        ("release/a/b", &[Rule::PushRestricted]),
        ("main/x", &[Rule::PushRestricted]),
        ("release", &[Rule::PushRestricted]),
        ("releases", &[]),
        ("release/scratch/x", &[]),
        ("other", &[]),
    ] {
        check(&policy, &by("boris", vec![update(&format!("refs/heads/{name}"), ".", "b")]), expected);
    }
}

#[test]
fn b30_b32_b34_b35_only_branches_tags_and_requests_are_pushed() {
    for name in [
        "refs/replace/aaaa",
        "refs/notes/commits",
        "refs/remotes/origin/main",
        "refs/worktree/x",
        "refs/shipway/changes/1/log",
        "refs/stash",
        "refs/heads",
        "refs/heads/",
        "refs/original/refs/heads/main",
        "",
    ] {
        one(update(name, ".", "b"), &[Rule::RefNamespace]);
        one(update(name, "a", "."), &[Rule::RefNamespace]);
    }
    one(update("refs/for/main", ".", "b"), &[]);
    one(update("refs/events/changes/7", ".", "b"), &[]);
    one(update("refs/for/main", "a", "."), &[Rule::Delete]);
}

#[test]
fn b38_a_protected_branch_is_begun_by_those_who_may() {
    let begin = |login: &str, landed: bool| {
        let mut first = update("refs/heads/master", ".", "b");
        first.ticket = Some(TicketSeen { purpose: Purpose::Bootstrap, ..landings::ticket(login) });
        first.on_protected = landed;
        by(login, vec![first])
    };
    check(&policy(TEAM), &begin("carla", true), &[]);
    check(&policy(TEAM), &begin("bot", true), &[Rule::PushRestricted]);
    // What nobody has approved does not become protected by that: from there it would land everywhere.
    check(&policy(TEAM), &begin("carla", false), &[Rule::TicketInvalid]);
    let mut again = update("refs/heads/main", "a", "b");
    again.ticket = Some(TicketSeen { purpose: Purpose::Bootstrap, ..landings::ticket("carla") });
    check(&policy(TEAM), &by("carla", vec![again]), &[Rule::TicketInvalid]);
    check(&policy(TEAM), &by("carla", vec![update("refs/heads/master", ".", "b")]), &[Rule::PushRestricted]);
}

#[test]
fn names_are_those_of_the_policy() {
    let policy = policy("preset = 'gitflow'\nnames = ['docs/*']");
    let new = |name: &str| by("boris", vec![update(&format!("refs/heads/{name}"), ".", "b")]);
    check(&policy, &new("feature/1"), &[]);
    check(&policy, &new("docs/1"), &[]);
    check(&policy, &new("wip"), &[Rule::NamePattern]);
    // A branch that is there already goes on.
    check(&policy, &by("boris", vec![update("refs/heads/wip", "a", "b")]), &[]);
}

#[test]
fn a_branch_names_a_commit_and_lists_say_who_may() {
    let tree = Update { object: ObjectKind::Other, ..update("refs/heads/x", ".", "b") };
    one(tree, &[Rule::ObjectKind]);
    let annotated = Update { object: ObjectKind::Tag, ..update("refs/heads/x", ".", "b") };
    one(annotated, &[Rule::ObjectKind]);
    let policy = policy(
        "[person.anna]\n[person.boris]\n[group.few]\nmembers = ['anna']\n[branch.ops]\npatterns = ['ops/*']\n\
         create = ['few']\npush = ['anna']\n[tag.v]\npatterns = ['v*']\ncreate = ['few']\nsigned = true\nlanded = true",
    );
    let ops = |login, old| by(login, vec![update("refs/heads/ops/x", old, "b")]);
    check(&policy, &ops("anna", "."), &[]);
    check(&policy, &ops("boris", "."), &[Rule::CreateRestricted]);
    check(&policy, &ops("stranger", "a"), &[Rule::PushRestricted]);
    check(&policy, &ops("few", "a"), &[Rule::PushRestricted]);
    let tag = |login, signature| {
        let object = ObjectKind::Tag;
        let on_protected = true;
        by(login, vec![Update { object, on_protected, signature, ..update("refs/tags/v2", ".", "b") }])
    };
    check(&policy, &tag("anna", Some(Signature::Good("anna".into()))), &[]);
    check(&policy, &tag("anna", None), &[Rule::Signed]);
    check(&policy, &tag("anna", Some(Signature::Bad("no such key".into()))), &[Rule::Signed]);
    let light = by("boris", vec![update("refs/tags/v2", ".", "b")]);
    check(&policy, &light, &[Rule::CreateRestricted, Rule::TagUnlanded, Rule::Signed]);
}
