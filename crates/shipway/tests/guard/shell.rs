//! Who pushes: keys that are bound to logins, over a real sshd, and signed pushes.

use std::fs::{self, OpenOptions};
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use shipway_testkit::host::{Sshd, Wanted};
use shipway_testkit::program;
use shipway_testkit::skip::skip;

use crate::stage::{SHIPWAY, Stage, said};

/// A guarded repository behind sshd, and keys that are bound to logins.
struct Host {
    stage: Stage,
    host: Sshd,
}

impl Host {
    /// Starts one that takes every variable that a client sends.
    fn new() -> Option<Self> {
        match Wanted::new("git").option("AcceptEnv *").start() {
            Ok(host) => Some(Self { stage: Stage::new(), host }.seen()),
            Err(why) => {
                skip(&why);
                None
            }
        }
    }

    /// Lets the hooks call the program at its place that the host sees.
    fn seen(self) -> Self {
        let bare = self.stage.bare.display().to_string();
        let again = self.stage.run(&self.program(), &["guard", "install", "--server", &bare]);
        assert!(again.status.success(), "{}", said(&again));
        self
    }

    /// Makes a key and binds it to a login.
    fn bind(&self, login: &str) -> PathBuf {
        let key = key(&self.stage, login);
        let root = self.stage.bare.parent().unwrap().display().to_string();
        let public = key.with_extension("pub").display().to_string();
        let args = ["guard", "shell", "--print-key", login, &public, "--root", &root];
        let line = self.stage.run(&self.program(), &args);
        assert!(line.status.success(), "{}", said(&line));
        assert!(said(&line).starts_with("restrict,command=\""), "{}", said(&line));
        let keys = self.host.ssh_config().with_file_name("user.pub");
        OpenOptions::new().append(true).open(keys).unwrap().write_all(&line.stdout).unwrap();
        key
    }

    /// Returns the program at a place that the host sees: it has a home of its own, and what is built may lie in ours.
    fn program(&self) -> String {
        let path = self.stage.bare.with_file_name("shipway");
        if !path.exists() && fs::hard_link(SHIPWAY, &path).is_err() {
            program::copy(SHIPWAY, &path);
        }
        path.display().to_string()
    }

    fn ssh(&self, key: &Path, options: &[&str], command: &[&str]) -> Output {
        // The entry of the host names another key: only this one is offered.
        let mut ssh = self.stage.command("ssh", &["-F"]);
        ssh.arg(self.only(key)).args(options).arg("git").args(command);
        ssh.stdin(std::process::Stdio::null()).output().unwrap()
    }

    /// Returns a configuration of clients with this key in place of the usual one.
    fn only(&self, key: &Path) -> PathBuf {
        let text = fs::read_to_string(self.host.ssh_config()).unwrap();
        let usual = self.host.ssh_config().with_file_name("user").display().to_string();
        let path = key.with_extension("config");
        fs::write(&path, text.replace(&usual, &key.display().to_string())).unwrap();
        path
    }

    fn push(&self, key: &Path, options: &str, args: &[&str]) -> Output {
        let ssh = format!("ssh -F {} {options}", self.only(key).display());
        let mut push = self.stage.command("git", &[&["push", "git:app.git"], args].concat());
        push.env("GIT_SSH_COMMAND", ssh).output().unwrap()
    }
}

fn key(stage: &Stage, name: &str) -> PathBuf {
    let path = stage.repo.home().join(name);
    let mut keygen = Command::new("ssh-keygen");
    let made = keygen.args(["-q", "-t", "ed25519", "-N", "", "-C", name, "-f"]).arg(&path).status();
    assert!(made.unwrap().success());
    path
}

/// Returns who has opened each change request.
fn authors(stage: &Stage) -> Vec<String> {
    let logs = stage.force(&["for-each-ref", "--format=%(refname)", "refs/shipway/changes/*/log"]);
    let author = |log: &str| {
        let first = stage.force(&["rev-list", "--max-parents=0", log]);
        let event = stage.force(&["cat-file", "-p", &format!("{first}:event.json")]);
        event.split("\"by\":\"").nth(1).unwrap().split('"').next().unwrap().to_owned()
    };
    logs.lines().map(author).collect()
}

#[test]
fn two_people_with_two_keys_are_two_logins() {
    let Some(host) = Host::new() else { return };
    for login in ["ann", "otto"] {
        let key = host.bind(login);
        host.stage.commit("feat: x");
        let output = host.push(&key, "", &["HEAD:refs/for/main"]);
        assert!(output.status.success(), "{}", said(&output));
        // What a client says of itself counts for nothing: this is a version of the same change, by the same login.
        host.stage.commit("feat: y");
        let output = host.push(&key, "-o SetEnv=SHIPWAY_LOGIN=eve", &["HEAD:refs/for/main"]);
        assert!(output.status.success(), "{}", said(&output));
    }
    assert_eq!(authors(&host.stage), ["ann", "otto"]);
    assert!(host.stage.audit().0, "{}", host.stage.audit().1);
}

#[test]
fn a_bound_key_clones_and_pushes_and_does_nothing_else() {
    let Some(host) = Host::new() else { return };
    let key = host.bind("ann");
    let ssh = format!("ssh -F {}", host.only(&key).display());
    let mut clone = host.stage.command("git", &["clone", "-q", "git:app.git", "../clone"]);
    assert!(clone.env("GIT_SSH_COMMAND", &ssh).status().unwrap().success());
    host.stage.force(&["config", "uploadarchive.allowUnreachable", "false"]);
    let mut archive = host.stage.command("git", &["archive", "--remote=git:app.git", "main"]);
    let output = archive.env("GIT_SSH_COMMAND", &ssh).output().unwrap();
    assert!(output.status.success() && output.stdout.len() > 512, "{}", said(&output));
    let mark = host.stage.repo.home().join("mark");
    let touch = format!("touch {}", mark.display());
    let before = host.stage.refs();
    for command in [
        &touch,
        &format!("sh -c '{touch}'"),
        &format!("git-receive-pack 'app.git'; {touch}"),
        &format!("git-receive-pack 'app.git' && {touch}"),
        &format!("git-receive-pack '$({touch})'"),
        &format!("git-upload-pack '`{touch}`'"),
        &format!("git-upload-pack --upload-pack={} 'app.git'", mark.display()),
        &format!("git -c core.hooksPath=/nonexistent receive-pack '{}'", host.stage.bare.display()),
        "git-upload-pack '../../etc'",
        "git-upload-pack '/etc'",
        "git-shell -c x",
        "scp -f /etc/passwd",
        "",
    ] {
        let command: &[&str] = if command.is_empty() { &[] } else { &[command] };
        let output = host.ssh(&key, &["-T"], command);
        assert!(
            !output.status.success() && said(&output).contains("SW1115"),
            "{command:?}: {}",
            said(&output)
        );
    }
    let sftp = host.ssh(&key, &["-s"], &["sftp"]);
    // Of a subsystem, sshd hands on no word of complaint.
    assert!(!sftp.status.success() && sftp.stdout.is_empty(), "{}", said(&sftp));
    let forward = host.ssh(&key, &["-W", "127.0.0.1:22"], &[]);
    assert!(!forward.status.success(), "{}", said(&forward));
    assert!(!mark.exists());
    assert_eq!(host.stage.refs(), before);
}

/// A04: the client's variables do not reach git, though sshd takes them all; A02: nor does another program.
#[test]
fn settings_do_not_come_in_through_a_bound_key() {
    let Some(host) = Host::new() else { return };
    let key = host.bind("ann");
    let before = host.stage.refs();
    host.stage.commit("feat: x");
    let set =
        r"-o 'SetEnv=GIT_CONFIG_COUNT=1 GIT_CONFIG_KEY_0=core.hooksPath GIT_CONFIG_VALUE_0=/nonexistent'";
    let output = host.push(&key, set, &["HEAD:main"]);
    assert!(said(&output).contains("push-restricted"), "{}", said(&output));
    let program = "--receive-pack=git -c core.hooksPath=/nonexistent receive-pack";
    let output = host.push(&key, "", &[program, "HEAD:main"]);
    assert!(said(&output).contains("SW1115"), "{}", said(&output));
    let parameters = r#"-o "SetEnv=GIT_CONFIG_PARAMETERS='core.hooksPath=/nonexistent'""#;
    let output = host.push(&key, parameters, &["HEAD:main"]);
    assert!(said(&output).contains("push-restricted"), "{}", said(&output));
    assert_eq!(host.stage.refs(), before);
}

#[test]
fn a_repository_without_a_guard_takes_no_pushes_from_a_bound_key() {
    let Some(host) = Host::new() else { return };
    let key = host.bind("ann");
    let free = host.stage.bare.with_file_name("free.git").display().to_string();
    host.stage.ok(&["init", "-q", "--bare", &free]);
    let ssh = format!("ssh -F {}", host.only(&key).display());
    let mut push = host.stage.command("git", &["push", "git:free.git", "HEAD:main"]);
    let output = push.env("GIT_SSH_COMMAND", ssh).output().unwrap();
    assert!(said(&output).contains("SW1110"), "{}", said(&output));
}

/// A stage whose policy knows ann by her key.
fn with_signers() -> (Stage, PathBuf) {
    let stage = Stage::open();
    let ann = key(&stage, "ann");
    let public = fs::read_to_string(ann.with_extension("pub")).unwrap();
    stage.repo.file(".shipway/allowed_signers", format!("ann {public}")).commit("chore: a key");
    stage.ok(&["push", "-q", "origin", "main", "main:develop"]);
    stage.install();
    stage.repo.config("gpg.format", "ssh").config("user.signingKey", &ann.display().to_string());
    (stage, ann)
}

#[test]
fn a_signed_push_is_by_whoever_signed_it() {
    let (stage, _) = with_signers();
    stage.commit("feat: x");
    let output = stage.push(&["--signed=true", "HEAD:refs/for/main"]);
    assert!(output.status.success(), "{}", said(&output));
    stage.commit("feat: y");
    let output = stage.push(&["HEAD:refs/for/main"]);
    assert!(output.status.success(), "{}", said(&output));
    let account = stage.run("id", &["-un"]);
    assert_eq!(authors(&stage), ["ann", said(&account).trim()]);
    // Nobody else knows who pushes, and the signature says it.
    stage.commit("feat: z");
    let push = |args: &[&str]| {
        let args = [&["push", "origin"], args].concat();
        stage.command("git", &args).env("REMOTE_ADDR", "10.0.0.1").output().unwrap()
    };
    assert!(said(&push(&["HEAD:refs/heads/feature/z"])).contains("no-identity"));
    let output = push(&["--signed=true", "HEAD:refs/heads/feature/z"]);
    assert!(output.status.success(), "{}", said(&output));
    let output = push(&["--signed=true", "HEAD:refs/for/main"]);
    assert!(output.status.success(), "{}", said(&output));
    assert_eq!(authors(&stage)[2], "ann");
}

#[test]
fn a_push_that_a_stranger_signed_is_refused() {
    let (stage, _) = with_signers();
    let before = stage.refs();
    let eve = key(&stage, "eve");
    stage.repo.config("user.signingKey", &eve.display().to_string());
    stage.commit("feat: x");
    for name in ["HEAD:refs/for/main", "HEAD:refs/heads/feature/x"] {
        let output = stage.push(&["--signed=true", name]);
        assert!(!output.status.success() && said(&output).contains("SW1114"), "{}", said(&output));
    }
    // A key that stands beside the repository, and not in its policy, counts no more.
    let public = fs::read_to_string(eve.with_extension("pub")).unwrap();
    stage.write_there("shipway/allowed_signers", &format!("ann {public}"));
    let output = stage.push(&["--signed=true", "HEAD:refs/for/main"]);
    assert!(!output.status.success() && said(&output).contains("SW1114"), "{}", said(&output));
    assert_eq!(stage.refs(), before);
}

/// A remote that only git reaches is asked one thing, which git itself could never do.
#[test]
fn the_doctor_asks_a_guard_behind_ssh_and_harms_nothing() {
    let Some(host) = Host::new() else { return };
    let key = host.bind("ann");
    host.stage.ok(&["remote", "set-url", "origin", "git:app.git"]);
    let ssh = format!("ssh -F {}", host.only(&key).display());
    let ask = || {
        let mut doctor = host.stage.command(SHIPWAY, &["doctor", "--prove"]);
        doctor.env("GIT_SSH_COMMAND", &ssh).output().unwrap()
    };
    let before = host.stage.refs();
    let text = said(&ask());
    assert!(
        text.contains("? not looked at  guard") && text.contains("shipway guard audit REPO.git"),
        "{text}"
    );
    let tried = "✓ refused      push to a branch that cannot be, whose name no guard lets pass";
    assert!(text.contains(tried) && text.contains("confusable"), "{text}");
    assert!(text.contains("? not tried    all other ways past the guard"), "{text}");
    // Hooks that are silent leave only git to answer, and nothing is made all the same.
    host.stage.force(&["config", "core.hooksPath", "/nonexistent"]);
    let text = said(&ask());
    assert!(text.contains("no guard has answered, only git"), "{text}");
    assert_eq!(host.stage.refs(), before);
}
