//! What is not right with keys is found before an approval is needed.

use shipway_core::action::Stop;
use shipway_core::problem::Code;
use shipway_testkit::repo::Repo;
use shipway_world::facts::{self, Git};
use shipway_world::keys::{self, Choice};
use shipway_world::shell::LocalShell;

use crate::desk::{Desk, Device};
use crate::{NOW, time};

/// Asserts what is found on 2026-11-20 with a key in a file: codes, and words of each problem.
#[track_caller]
fn check(repo: &Repo, desk: &Desk, name: &str, expect: &[(Code, &str)]) {
    let choice = Choice { named: Some(desk.path(name)), ..Choice::default() };
    let (shell, stop) = (LocalShell::new(), Stop::default());
    let repository = facts::repository(repo.path(), &shell, &stop).unwrap();
    let found = keys::findings(&choice, Git::new(&repository, &shell, &stop), time(NOW)).unwrap();
    let codes: Vec<Code> = found.iter().map(|problem| problem.code).collect();
    assert_eq!(codes, expect.iter().map(|(code, _)| *code).collect::<Vec<_>>(), "{found:#?}");
    for (problem, (_, words)) in found.iter().zip(expect) {
        let said = format!("{} {}", problem.what, problem.found.as_deref().unwrap_or_default());
        assert!(said.contains(words), "no `{words}` in {said}");
        assert!(!said.contains("PRIVATE"), "{said}");
    }
}

fn allows(repo: &Repo, lines: &str) {
    repo.file(".shipway/allowed_signers", lines).commit("chore: keys");
}

#[test]
fn nothing_is_found_where_no_keys_are_used() {
    let Some(desk) = Desk::new() else { return };
    let repo = Repo::new();
    repo.file("README.md", "widget\n").commit("feat: a widget");
    check(&repo, &desk, "none", &[]);
}

#[test]
fn a_key_with_a_passphrase_that_counts_is_all_right() {
    let Some(desk) = Desk::new() else { return };
    let repo = Repo::new();
    let key = desk.key("locked", &["-t", "ed25519"], "open sesame").to_line();
    allows(&repo, &format!("ann {key}\n"));
    check(&repo, &desk, "locked", &[]);
}

#[test]
fn a_key_that_counts_for_little_or_nothing_is_named() {
    let Some(desk) = Desk::new() else { return };
    let repo = Repo::new();
    let open = desk.key("open", &["-t", "ed25519"], "").to_line();
    let locked = desk.key("locked", &["-t", "ed25519"], "open sesame").to_line();
    let weak = (Code::KeyWeak, "its file has no passphrase");
    allows(&repo, &format!("ann {open}\n"));
    check(&repo, &desk, "open", &[weak]);
    check(&repo, &desk, "locked", &[(Code::SignerUnknown, "is not among the allowed signers")]);
    check(&repo, &desk, "missing", &[(Code::KeyUnusable, "missing is no key")]);
    // For one kind of approval it counts, and not for the other.
    allows(&repo, &format!("ann namespaces=\"plan@shipway\" {locked}\n"));
    check(&repo, &desk, "locked", &[(Code::KeyInvalid, "not for review@shipway")]);
    let fingerprint = desk.public("locked").fingerprint();
    allows(&repo, &format!("ann {locked}\n"));
    repo.file(".shipway/revoked_keys", format!("{fingerprint} 2026-01-01T00:00:00Z lost\n"))
        .commit("chore: lost");
    check(
        &repo,
        &desk,
        "locked",
        &[(Code::KeyInvalid, "it counts no more since 2026-01-01T00:00:00.000Z: lost")],
    );
}

#[test]
fn a_key_that_soon_ends_is_named_and_one_that_has_ended_only_once() {
    let Some(desk) = Desk::new() else { return };
    let repo = Repo::new();
    let key = desk.key("locked", &["-t", "ed25519"], "open sesame").to_line();
    let ends = |time: &str, expect: &[(Code, &str)]| {
        allows(&repo, &format!("ann valid-before=\"{time}\" {key}\n"));
        check(&repo, &desk, "locked", expect);
    };
    ends("20270601Z", &[]);
    ends("20261201Z", &[(Code::KeyInvalid, "counts until 2026-12-01")]);
    ends("20260101Z", &[(Code::KeyInvalid, "it counted until 2026-01-01")]);
    ends("20270601", &[(Code::SignersUnreadable, "a time on line 1 has no zone")]);
}

#[test]
fn a_key_on_a_device_is_all_right_and_lines_that_nobody_understands_are_named() {
    let Some(desk) = Desk::new() else { return };
    let repo = Repo::new();
    let device = Device::ed25519();
    desk.file("sk.pub", device.public().to_line());
    allows(&repo, &format!("ann {}\nbob nonsense\n", device.public().to_line()));
    check(&repo, &desk, "sk.pub", &[(Code::SignersUnreadable, ""), (Code::KeyUnusable, "there is no agent")]);
}
