//! Which key signs, and what is written down of its use.

use std::path::PathBuf;
use std::process::{Command, Stdio};

use shipway_core::action::Stop;
use shipway_core::problem::Code;
use shipway_core::signers::Signers;
use shipway_core::statement::{Review, Statement, Use, Word};
use shipway_core::time::Time;
use shipway_testkit::repo::Repo;
use shipway_world::facts::Git;
use shipway_world::git::repository::Repository;
use shipway_world::keys::{self, Choice, SigningKey};
use shipway_world::shell::LocalShell;

use crate::desk::{Desk, Device};

fn review() -> Statement {
    Statement::Review(Review {
        repository: "widget".into(),
        change: 7,
        version: 2,
        head: "9c2e1d0".into(),
        patch: "77".into(),
        target: "main".into(),
        policy: "00".into(),
        word: Word::Approve,
        text: String::new(),
        expires: Time(2_000_000_000_000),
        nonce: "abc".into(),
        key_use: Use::default(),
    })
}

fn find(repo: &Repo, choice: &Choice) -> Result<SigningKey, shipway_core::problem::Problem> {
    let (shell, stop) = (LocalShell::new(), Stop::default());
    let repository: Repository = shipway_world::facts::repository(repo.path(), &shell, &stop).unwrap();
    keys::find(choice, Git::new(&repository, &shell, &stop))
}

fn named(path: PathBuf) -> Choice {
    Choice { named: Some(path), ..Choice::default() }
}

#[test]
fn a_file_signs_and_it_is_said_how() {
    let Some(desk) = Desk::new() else { return };
    let (repo, public) = (Repo::new(), desk.key("plain", &["-t", "ed25519"], ""));
    let key = find(&repo, &named(desk.path("plain"))).unwrap();
    assert_eq!((key.key_use, &key.public), (Use::File, &public));
    assert_eq!(find(&repo, &named(desk.path("plain.pub"))).unwrap(), key);
    let signed = keys::sign(&key, review(), &|_| {}).unwrap();
    let (signers, _) = Signers::read(&format!("ann {}", public.to_line()), "");
    assert_eq!(keys::verify(&signers, &signed, Time(1)).unwrap().person, "ann");
    let Some(Statement::Review(review)) = signed.read() else { panic!("{signed:?}") };
    assert_eq!(review.key_use, Use::File);
    let mut wider = signed.clone();
    wider.text = wider.text.replace("\"change\":7", "\"change\":8");
    assert_eq!(keys::verify(&signers, &wider, Time(1)).unwrap_err().code, Code::SignatureBad);
    let mut newer = signed;
    newer.text = newer.text.replace("{\"statement\"", "{\"only\":\"docs\",\"statement\"");
    let problem = keys::verify(&signers, &newer, Time(1)).unwrap_err();
    assert!(problem.what.contains("not written as this shipway writes it"), "{problem}");
}

#[test]
fn a_passphrase_is_seen_in_the_file_and_not_asked_for_by_us() {
    let Some(desk) = Desk::new() else { return };
    let repo = Repo::new();
    for (name, kind) in [("new", &["-t", "ed25519"][..]), ("pem", &["-t", "rsa", "-b", "2048", "-m", "PEM"])]
    {
        desk.key(name, kind, "open sesame");
        assert_eq!(find(&repo, &named(desk.path(name))).unwrap().key_use, Use::Passphrase, "{name}");
        let plain = format!("{name}-plain");
        desk.key(&plain, kind, "");
        assert_eq!(find(&repo, &named(desk.path(&plain))).unwrap().key_use, Use::File, "{name}");
    }
}

#[test]
fn git_and_the_usual_files_say_which_key_it_is() {
    let Some(desk) = Desk::new() else { return };
    let repo = Repo::new();
    let home = Choice { home: Some(desk.dir().to_owned()), ..Choice::default() };
    let problem = find(&repo, &home).unwrap_err();
    assert_eq!(problem.code, Code::KeyUnusable);
    std::fs::create_dir(desk.path(".ssh")).unwrap();
    let usual = desk.key(".ssh/id_ed25519", &["-t", "ed25519"], "");
    assert_eq!(find(&repo, &home).unwrap().public, usual);
    let mine = desk.key("mine", &["-t", "ed25519"], "");
    repo.config("user.signingKey", desk.path("mine").to_str().unwrap());
    assert_eq!(find(&repo, &home).unwrap().public, usual, "git signs with OpenPGP");
    repo.config("gpg.format", "ssh");
    assert_eq!(find(&repo, &home).unwrap().public, mine);
    repo.config("user.signingKey", "~/mine.pub");
    assert_eq!(find(&repo, &home).unwrap().public, mine);
    repo.config("user.signingKey", "~/nothing");
    assert!(find(&repo, &home).unwrap_err().what.contains("user.signingKey names ~/nothing"));
    repo.config("user.signingKey", &format!("key::{}", Device::ed25519().public().to_line()));
    assert!(find(&repo, &home).is_err(), "there is no agent that could have it");
}

#[test]
fn an_agent_is_asked_only_for_what_is_in_no_file_and_counts_as_one() {
    let Some(desk) = Desk::new() else { return };
    let (repo, public) = (Repo::new(), desk.key("held", &["-t", "ed25519"], ""));
    let socket = desk.path("agent");
    let mut agent = Command::new("ssh-agent");
    let mut agent = agent.arg("-D").arg("-a").arg(&socket).stdout(Stdio::null()).spawn().unwrap();
    while !socket.exists() {
        std::thread::sleep(std::time::Duration::from_millis(5));
    }
    let added =
        Command::new("ssh-add").env("SSH_AUTH_SOCK", &socket).arg(desk.path("held")).output().unwrap();
    assert!(added.status.success(), "{added:?}");
    let choice = Choice { agent: Some(socket.into()), ..Choice::default() };
    let in_file = find(&repo, &Choice { named: Some(desk.path("held")), ..choice.clone() }).unwrap();
    assert_eq!(in_file.key_use, Use::File);
    std::fs::remove_file(desk.path("held")).unwrap();
    let held = find(&repo, &Choice { named: Some(desk.path("held.pub")), ..choice.clone() }).unwrap();
    repo.config("gpg.format", "ssh").config("user.signingKey", &public.to_line());
    let literal = find(&repo, &choice).unwrap();
    let (signers, _) = Signers::read(&format!("ann {}", public.to_line()), "");
    for key in [held, literal] {
        assert_eq!(key.key_use, Use::Agent);
        let signed = keys::sign(&key, review(), &|_| {}).unwrap();
        assert_eq!(keys::verify(&signers, &signed, Time(1)).unwrap().person, "ann");
    }
    let failed = keys::sign(&in_file, review(), &|_| {}).unwrap_err();
    assert_eq!(failed.code, Code::KeyUnusable, "the file is gone, and the agent is not asked in its place");
    agent.kill().unwrap();
    agent.wait().unwrap();
}
