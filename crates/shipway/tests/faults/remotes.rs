//! Remotes that do not answer, ask for a password, or say no.

use std::io::{Read as _, Write as _};
use std::net::TcpListener;

use shipway_core::problem::Code;

use crate::stage::{Stage, path_with};

/// Serves the same answer to every request on a port of its own until the test program ends.
fn answering(head: &'static str) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    std::thread::spawn(move || {
        for mut stream in listener.incoming().flatten() {
            let _ = stream.read(&mut [0; 4096]);
            let _ = write!(stream, "HTTP/1.1 {head}\r\nContent-Length: 0\r\nConnection: close\r\n\r\n");
        }
    });
    format!("http://{address}/widget.git")
}

/// Checks that a remote at this address is refused, and soon.
#[track_caller]
fn check(url: &str, code: Code, words: &[&str]) {
    let stage = Stage::new();
    stage.repo.git(["remote", "set-url", "origin", url]);
    stage.refuses(&["push"], code, words);
    // A plan can be made without the remote, and says so.
    assert!(stage.run(&["plan"]).ok().text().contains("was not seen"));
}

#[test]
fn a_remote_that_is_not_there() {
    check("/nonexistent/widget.git", Code::RemoteUnreachable, &["git remote get-url origin"]);
}

#[test]
fn a_remote_where_nobody_listens() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    drop(listener);
    check(&format!("http://{address}/widget.git"), Code::RemoteUnreachable, &[]);
}

#[test]
fn a_remote_that_asks_for_credentials_never_hangs() {
    let url = answering("401 Unauthorized\r\nWWW-Authenticate: Basic realm=\"widget\"");
    check(&url, Code::AuthenticationFailed, &["git ls-remote origin"]);
}

#[test]
fn a_remote_that_forbids() {
    check(&answering("403 Forbidden"), Code::PushDenied, &[]);
}

#[test]
fn a_remote_that_knows_no_such_repository() {
    check(&answering("404 Not Found"), Code::RemoteUnreachable, &[]);
}

/// Returns a stage whose remote is reached through this program in the place of ssh.
fn through_ssh(script: &str) -> (Stage, std::ffi::OsString) {
    let stage = Stage::new();
    let url = format!("ssh://git@example.invalid{}", stage.remote.url());
    stage.repo.git(["remote", "set-url", "origin", &url]);
    let path = path_with(&stage.program("ssh", script));
    (stage, path)
}

#[test]
fn a_host_that_wants_a_password_never_hangs() {
    let script = "case \"$*\" in *BatchMode=yes*) echo 'git@example.invalid: Permission denied (publickey,password).' >&2; \
                  exit 255;; esac; sleep 600";
    let (stage, path) = through_ssh(script);
    let mut push = stage.command(&["push"]);
    stage.refuses_by(push.env("PATH", path), 1, (Code::AuthenticationFailed, &["publickey,password"]));
}

#[test]
fn a_host_whose_key_is_not_known_never_hangs() {
    let script = "case \"$*\" in *BatchMode=yes*) echo 'Host key verification failed.' >&2; exit 255;; esac; sleep 600";
    let (stage, path) = through_ssh(script);
    let mut push = stage.command(&["push"]);
    stage.refuses_by(push.env("PATH", path), 1, (Code::RemoteUnreachable, &["Host key verification failed"]));
}

#[test]
fn a_remote_that_may_only_be_read() {
    let script = "for last; do :; done; case \"$last\" in git-receive-pack*) \
                  echo 'ERROR: Permission to ann/widget.git denied to bob.' >&2; exit 1;; esac; eval \"$last\"";
    let (stage, path) = through_ssh(script);
    let mut push = stage.command(&["push"]);
    stage.refuses_by(push.env("PATH", path), 1, (Code::PushDenied, &["denied to bob"]));
}

#[test]
fn a_connection_that_breaks_off_is_in_doubt_and_settled() {
    let stage = Stage::new();
    // The refs are in place when the remote dies, and nobody is told.
    stage.remote.hook("reference-transaction", "test \"$1\" != committed || kill -9 $PPID");
    let told = stage.run(&["push"]);
    let log = stage.run(&["log"]).text();
    assert!(log.contains("in doubt"), "{}{log}", told.text());
    told.ok();
    stage.released("1.1.0");
    assert_eq!(stage.remote.logs().iter().filter(|line| line.starts_with("asked refs/tags")).count(), 1);
}

#[test]
fn a_protected_branch_is_told_from_a_hook() {
    let texts = [
        ("error: GH006: Protected branch update failed for refs/heads/main.", Code::PushDenied),
        ("GitLab: You are not allowed to push code to protected branches on this project.", Code::PushDenied),
        ("the build is red, so nothing is taken", Code::HookRefused),
    ];
    for (text, code) in texts {
        let stage = Stage::new();
        stage.remote.refuse(text);
        stage.refuses_by(&mut stage.command(&["push"]), 4, (code, &[text]));
    }
}

#[test]
fn a_remote_without_room_is_told() {
    let stage = Stage::new();
    stage.remote.refuse("fatal: write error: No space left on device");
    stage.refuses_by(&mut stage.command(&["push"]), 4, (Code::DiskFull, &["df -h"]));
}
