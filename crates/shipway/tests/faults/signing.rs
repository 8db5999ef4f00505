//! Signed releases, with ssh and with gpg, and keys that cannot be used.

use std::path::PathBuf;
use std::process::Command;

use shipway_core::problem::Code;
use shipway_testkit::repo::Repo;
use shipway_testkit::skip;

use crate::stage::{Stage, Told};

/// Returns whether a program can be started.
fn has(program: &str) -> bool {
    Command::new(program).arg("--version").output().is_ok()
}

/// Makes a key without a passphrase and has git sign with it. Returns whether that is possible here.
fn ssh(stage: &Stage) -> bool {
    let key = stage.repo.home().join("key");
    let mut make = stage.repo.command("ssh-keygen");
    make.args(["-q", "-t", "ed25519", "-N", "", "-C", "ann@example.org", "-f"]).arg(&key);
    if !make.output().is_ok_and(|output| output.status.success()) {
        skip::skip("there is no ssh-keygen");
        return false;
    }
    let public = std::fs::read_to_string(key.with_extension("pub")).unwrap();
    let allowed = stage.repo.home().join("allowed");
    std::fs::write(&allowed, format!("ann@example.org {public}")).unwrap();
    stage.repo.config("gpg.format", "ssh").config("user.signingKey", key.to_str().unwrap());
    stage.repo.config("gpg.ssh.allowedSignersFile", allowed.to_str().unwrap());
    true
}

#[track_caller]
fn verified(repo: &Repo) {
    repo.git(["verify-tag", "v1.1.0"]);
    repo.git(["verify-commit", "v1.1.0^{commit}"]);
}

fn signed(repo: &Repo) -> [bool; 2] {
    let has = |kind: &str, name: &str| {
        let object = repo.git(["cat-file", kind, name]);
        object.contains("BEGIN SSH SIGNATURE") || object.contains("BEGIN PGP SIGNATURE")
    };
    [has("commit", "v1.1.0^{commit}"), has("tag", "v1.1.0")]
}

#[test]
fn a_release_signed_with_ssh() {
    let stage = Stage::new();
    if !ssh(&stage) {
        return;
    }
    stage.repo.config("commit.gpgSign", "true").config("tag.gpgSign", "true");
    stage.run(&["push"]).ok();
    stage.released("1.1.0");
    verified(&stage.repo);
}

#[test]
fn a_release_that_must_be_signed_is_signed_without_settings_of_git() {
    let stage = Stage::configured("[release]\nsign = \"required\"\n");
    if !ssh(&stage) {
        return;
    }
    stage.run(&["push"]).ok();
    stage.released("1.1.0");
    verified(&stage.repo);
}

#[test]
fn a_release_that_must_not_be_signed_is_not() {
    let stage = Stage::configured("[release]\nsign = \"never\"\n");
    stage.repo.config("commit.gpgSign", "true").config("tag.gpgSign", "true");
    stage.repo.config("gpg.format", "ssh").config("user.signingKey", "/nonexistent/key");
    stage.run(&["push"]).ok();
    stage.released("1.1.0");
    assert_eq!(signed(&stage.repo), [false, false]);
}

#[test]
fn a_release_is_signed_only_as_far_as_git_is_told() {
    let stage = Stage::new();
    if !ssh(&stage) {
        return;
    }
    stage.repo.config("tag.gpgSign", "true");
    stage.run(&["push"]).ok();
    assert_eq!(signed(&stage.repo), [false, true]);
}

#[test]
fn a_key_that_cannot_be_used() {
    let stage = Stage::new();
    stage.repo.config("commit.gpgSign", "true").config("gpg.format", "ssh");
    stage.repo.config("user.signingKey", "/nonexistent/key");
    stage.refuses(&["push"], Code::SigningUnusable, &["ssh-add"]);
}

#[test]
fn a_release_that_must_be_signed_needs_a_key() {
    let stage = Stage::configured("[release]\nsign = \"required\"\n");
    stage.repo.config("gpg.format", "ssh").config("user.signingKey", "/nonexistent/key");
    stage.refuses(&["push"], Code::SigningUnusable, &[]);
}

#[test]
fn a_key_that_asks_for_a_passphrase_is_no_key() {
    let stage = Stage::new();
    let key = stage.repo.home().join("key");
    let mut make = stage.repo.command("ssh-keygen");
    make.args(["-q", "-t", "ed25519", "-N", "secret", "-f"]).arg(&key);
    if !make.output().is_ok_and(|output| output.status.success()) {
        return skip::skip("there is no ssh-keygen");
    }
    stage.repo.config("commit.gpgSign", "true").config("gpg.format", "ssh");
    stage.repo.config("user.signingKey", key.to_str().unwrap());
    stage.refuses(&["push"], Code::SigningUnusable, &[]);
}

/// A home of gpg with a throw-away key; its agent ends with it.
struct Gnupg(tempfile::TempDir);

impl Gnupg {
    fn new() -> Option<Self> {
        use std::os::unix::fs::PermissionsExt as _;
        // Sockets of the agent have short names only.
        let home = Self(tempfile::Builder::new().prefix("g").tempdir_in("/tmp").ok()?);
        std::fs::set_permissions(home.0.path(), std::fs::Permissions::from_mode(0o700)).unwrap();
        let user = "Ann Author <ann@example.org>";
        let args =
            ["--batch", "--quiet", "--passphrase", "", "--quick-gen-key", user, "ed25519", "sign", "never"];
        let made = home.gpg("gpg").args(args).output().ok()?;
        made.status.success().then_some(home)
    }

    fn gpg(&self, program: &str) -> Command {
        let mut command = Command::new(program);
        command.env("GNUPGHOME", self.path()).env("LC_ALL", "C");
        command
    }

    fn path(&self) -> PathBuf {
        self.0.path().to_owned()
    }
}

impl Drop for Gnupg {
    fn drop(&mut self) {
        let _ = self.gpg("gpgconf").args(["--kill", "all"]).output();
    }
}

#[test]
fn a_release_signed_with_gpg() {
    if !has("gpg") {
        return skip::skip("there is no gpg");
    }
    let Some(home) = Gnupg::new() else { return skip::skip("gpg makes no key here") };
    let stage = Stage::new();
    stage.repo.config("commit.gpgSign", "true").config("tag.gpgSign", "true");
    stage.repo.config("user.signingKey", "ann@example.org");
    Told::of(stage.command(&["push"]).env("GNUPGHOME", home.path())).ok();
    stage.released("1.1.0");
    for args in [["verify-tag", "v1.1.0"], ["verify-commit", "HEAD"]] {
        let mut verify = stage.repo.command("git");
        Told::of(verify.args(args).env("GNUPGHOME", home.path())).ok();
    }
}

#[test]
fn gpg_without_a_key() {
    if !has("gpg") {
        return skip::skip("there is no gpg");
    }
    let stage = Stage::new();
    stage.repo.config("tag.gpgSign", "true");
    stage.refuses(&["push"], Code::SigningUnusable, &["gpg"]);
}
