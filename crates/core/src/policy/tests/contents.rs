//! What commits hold.

use super::*;

fn file(path: &str) -> FileChange {
    FileChange { path: path.into(), mode: 0o100_644, blob: id("f"), size: Some(10), ..FileChange::default() }
}

fn pushed(change: impl FnOnce(&mut Commit)) -> Facts {
    let mut push = update("refs/heads/feature/x", "a", "b");
    change(&mut push.commits[0]);
    by("boris", vec![push])
}

fn message(text: &str) -> Facts {
    pushed(|commit| commit.message = text.as_bytes().to_vec())
}

#[test]
fn c01_commits_that_others_have_are_judged_again() {
    // The facts hold `current..new`, whatever other refs have; the same commit is judged wherever it comes.
    let policy = policy("[commits]\nissue = true");
    check(&policy, &message("fix: a thing"), &[Rule::Message]);
    let none = Update { commits: vec![], ..update("refs/heads/feature/x", "a", "b") };
    check(&policy, &by("boris", vec![none]), &[Rule::Budget]);
}

#[test]
fn c17_types_are_exact_and_nothing_is_hidden() {
    let policy = policy("[commits]\ntypes = ['ops']");
    for (text, ok) in [
        ("feat: x", true),
        ("feat(api)!: x\n\nbody\n\nRefs: #1", true),
        ("ops: x", true),
        ("fix: größer 👩\u{200d}💻 ⚠\u{fe0f}", true),
        ("Revert \"feat: x\"\n\nThis reverts commit 1a2b3c4.", true),
        ("fixup! feat: x", true),
        ("Feat: x", false),
        ("FEAT: x", false),
        ("feat:x", false),
        ("fe\u{200b}at: x", false),
        ("feat: a\u{202e}b", false),
        ("feat: a\0b", false),
        ("feat: a\u{1b}[2J", false),
        ("feat: a\u{2028}b", false),
        ("nothing: x", false),
        ("update things", false),
        ("feat: x\nno gap", false),
        ("", false),
        ("Merge branch 'x'", false),
        ("\u{feff}feat: x", false),
    ] {
        check(&policy, &message(text), if ok { &[] } else { &[Rule::Message] });
    }
    check(&policy, &pushed(|commit| commit.message = b"feat: \xff".to_vec()), &[Rule::Message]);
}

#[test]
fn merges_are_known_by_their_parents() {
    let merge = pushed(|commit| {
        commit.message = b"Merge branch 'x'".to_vec();
        commit.parents.push(id("c"));
    });
    check(&policy(TEAM), &merge, &[]);
    check(&policy("[branch.f]\npatterns = ['feature/*']\nlinear = true"), &merge, &[Rule::Linear]);
}

#[test]
fn messages_follow_the_other_rules_of_the_policy() {
    let strict = policy("[commits]\nissue = true\nsubject = 20\nsize = '60B'");
    check(&strict, &message("fix: a thing (#12)"), &[]);
    check(&strict, &message("fix: a thing\n\nCloses #12"), &[]);
    check(&strict, &message("fix: a thing that is long\n\nCloses #12"), &[Rule::Message]);
    check(&strict, &message(&format!("fix: #1\n\n{}", "x".repeat(60))), &[Rule::CommitShape]);
    let free = policy("[commits]\nconventional = false");
    check(&free, &message("anything at all"), &[]);
    check(&free, &message("any\u{202e}thing"), &[Rule::Message]);
}

#[test]
fn c27_a_commit_has_few_parents_and_a_message_that_ends() {
    check(&policy(TEAM), &pushed(|commit| commit.parents = vec![id("a"); 9]), &[Rule::CommitShape]);
    check(&policy(TEAM), &message(&format!("fix: x\n\n{}", "y".repeat(70_000))), &[Rule::CommitShape]);
}

#[test]
fn c04_what_a_later_commit_takes_back_is_still_seen() {
    let mut push = update("refs/heads/feature/x", "a", "c");
    let mut earlier = push.commits[0].clone();
    earlier.id = id("b");
    let leak = FileChange { secrets: vec!["3: a private key".into()], ..file("src/a.rs") };
    earlier.files = vec![leak];
    push.commits.push(earlier);
    push.total = vec![];
    let verdicts = evaluate(&policy(TEAM), &by("boris", vec![push]));
    assert_eq!(verdicts.len(), 1);
    assert_eq!((verdicts[0].rule, verdicts[0].commit.as_deref()), (Rule::Secret, Some(id("b").as_str())));
}

#[test]
fn files_are_judged_in_each_commit_and_in_all() {
    let policy = policy(
        "[person.anna]\n[files]\nsize = '1kB'\nforbidden = ['**/*.exe']\nharmless = ['tests/**']\n\
         [[files.restricted]]\npaths = ['deploy/**']\nwho = ['anna']",
    );
    for (path, expected) in [
        ("src/main.rs", &[][..]),
        ("bin/a.exe", &[Rule::FilePath]),
        (".git/config", &[Rule::FilePath]),
        ("a/.GIT /x", &[Rule::FilePath]),
        ("../x", &[Rule::FilePath]),
        ("a\nb", &[Rule::FilePath]),
        ("a\u{202e}b", &[Rule::FilePath]),
        ("home/id_rsa", &[Rule::Secret]),
        ("tests/id_rsa", &[]),
        ("deploy/x", &[Rule::PathRestricted]),
    ] {
        check(&policy, &pushed(|commit| commit.files = vec![file(path)]), expected);
        let mut total = update("refs/heads/feature/x", "a", "b");
        total.total = vec![file(path)];
        check(&policy, &by("boris", vec![total]), expected);
    }
    let big = FileChange { size: Some(1001), ..file("a") };
    check(&policy, &pushed(|commit| commit.files = vec![big]), &[Rule::FileSize]);
    let gone = FileChange { path: b"bin/a.exe".to_vec(), ..FileChange::default() };
    check(&policy, &pushed(|commit| commit.files = vec![gone]), &[]);
    let mut by_anna = pushed(|commit| commit.files = vec![file("deploy/x")]);
    by_anna.by = by("anna", vec![]).by;
    check(&policy, &by_anna, &[]);
    // A change request is only a proposal.
    let mut proposal = update("refs/for/main", ".", "b");
    proposal.commits = pushed(|commit| commit.files = vec![file("deploy/x")]).updates.remove(0).commits;
    check(&policy, &by("boris", vec![proposal]), &[]);
}

#[test]
fn c22_the_policy_changes_alone() {
    let both = |other: &str| pushed(|commit| commit.files = vec![file(".shipway/policy.toml"), file(other)]);
    check(&policy(TEAM), &both("src/a.rs"), &[Rule::PathRestricted]);
    check(&policy(TEAM), &both(".shipway/allowed_signers"), &[]);
    check(&policy(TEAM), &both("CODEOWNERS"), &[]);
}

#[test]
fn signed_branches_hold_signed_commits() {
    let policy = policy("[branch.f]\npatterns = ['feature/*']\nsigned = true");
    let by = |signature| pushed(|commit| commit.signature = signature);
    check(&policy, &by(Some(Signature::Good("anna".into()))), &[]);
    for bad in [None, Some(Signature::None), Some(Signature::Bad("a key of nobody".into()))] {
        check(&policy, &by(bad), &[Rule::Signed]);
    }
}

#[test]
fn a_request_is_judged_as_its_target_wants() {
    let mut request = update("refs/for/main", ".", "b");
    request.commits = message("update things").updates.remove(0).commits;
    check(&policy(TEAM), &by("boris", vec![request.clone()]), &[Rule::Message]);
    request.commits = message("fixup! fix: a thing").updates.remove(0).commits;
    // main takes merges only, which would bring the fixup along; develop may squash it away.
    check(&policy(TEAM), &by("boris", vec![request.clone()]), &[Rule::Message]);
    request.name = b"refs/for/develop".to_vec();
    check(&policy(TEAM), &by("boris", vec![request]), &[]);
}
