use super::*;

fn check(text: &str, code: Code, no_effect: bool, transient: bool) {
    assert_eq!(classify(text), RemoteError { code, no_effect, transient }, "{text}");
}

#[test]
fn the_report_on_the_refs_is_certain() {
    let check = |text: &str, code: Code| check(text, code, true, false);
    check(
        " ! [rejected]        main -> main (fetch first)\nerror: failed to push some refs",
        Code::RemoteMoved,
    );
    check("!\tHEAD:refs/heads/main\t[rejected] (non-fast-forward)\nDone", Code::RemoteMoved);
    // An atomic push with a stale lease also looks like a broken connection.
    let stale = "!\tHEAD:refs/heads/main\t[rejected] (stale info)";
    check(&format!("fatal: the remote end hung up unexpectedly\n{stale}"), Code::RemoteMoved);
    check(&format!("!\trefs/tags/v1\t[rejected] (atomic push failed)\n{stale}"), Code::RemoteMoved);
    check("!\trefs/tags/v1:refs/tags/v1\t[rejected] (already exists)", Code::TagTakenRemote);
    check("!\tHEAD:refs/heads/main\t[remote rejected] (pre-receive hook declined)", Code::HookRefused);
    check(" ! [remote rejected] main -> main (hook declined)", Code::HookRefused);
    check("!\tHEAD:refs/heads/main\t[remote rejected] (branch is currently checked out)", Code::PushDenied);
    check("!\tHEAD:refs/tags/v2\t[remote rejected] (deny updating a hidden ref)", Code::PushDenied);
    check(
        "remote: error: cannot lock ref 'refs/heads/main': is at 1 but expected 2\n\
         !\tHEAD:refs/heads/main\t[remote rejected] (failed to update ref)",
        Code::RemoteMoved,
    );
    check(
        "remote: fatal: unable to write loose object file: No space left on device        \n\
         !\tHEAD:refs/heads/main\t[remote rejected] (unpacker error)",
        Code::DiskFull,
    );
}

#[test]
fn a_remote_that_did_not_report_leaves_doubt() {
    let text = "!\tHEAD:refs/heads/main\t[remote failure] (remote failed to report status)";
    check(text, Code::Network, false, true);
}

#[test]
fn a_lock_that_another_push_holds_is_worth_another_attempt() {
    let text = "remote: error: cannot lock ref 'refs/heads/a': Unable to create './refs/heads/a.lock': File exists.\n\
                !\tHEAD:refs/heads/a\t[remote rejected] (failed to update ref)";
    check(text, Code::GitFailed, true, true);
}

#[test]
fn what_forges_protect_is_denied() {
    let check = |text: &str| check(text, Code::PushDenied, true, false);
    check(
        "remote: error: GH006: Protected branch update failed for refs/heads/main.\n \
         ! [remote rejected] main -> main (protected branch hook declined)",
    );
    check(
        "remote: error: GH013: Repository rule violations found for refs/heads/main.\n \
         ! [remote rejected] main -> main (push declined due to repository rule violations)",
    );
    check(
        "remote: GitLab: You are not allowed to push code to protected branches on this project.\n \
         ! [remote rejected] main -> main (pre-receive hook declined)",
    );
    check(
        "remote: Permission to acme/app.git denied to bob.\n\
         fatal: unable to access 'https://github.com/acme/app/': The requested URL returned error: 403",
    );
    check("ERROR: Permission to acme/app.git denied to bob.\nfatal: Could not read from remote repository.");
    check("ERROR: The key you are authenticating with has been marked as read only.");
    check("remote: Write access to repository not granted.");
    check("remote: error: insufficient permission for adding an object to repository database ./objects");
}

#[test]
fn credentials_are_told_from_permission() {
    let check = |text: &str| check(text, Code::AuthenticationFailed, true, false);
    check("git@github.com: Permission denied (publickey).\nfatal: Could not read from remote repository.");
    check("fatal: could not read Username for 'https://github.com': terminal prompts disabled");
    check("remote: Invalid username or token.\nfatal: Authentication failed for 'https://github.com/a/b/'");
    check("fatal: unable to access 'https://x/': The requested URL returned error: 401");
    check("remote: HTTP Basic: Access denied\nfatal: Authentication failed for 'https://gitlab.com/a/b'");
}

#[test]
fn a_remote_that_was_never_reached_did_nothing() {
    let lost = |text: &str| check(text, Code::RemoteUnreachable, true, true);
    lost("fatal: unable to access 'https://x/': Could not resolve host: x");
    lost("fatal: unable to access 'https://x/': The requested URL returned error: 502");
    lost("ssh: connect to host x port 22: Connection refused\nfatal: Could not read from remote repository.");
    lost("fatal: unable to look up x (port 9418) (Name or service not known)");
    lost("kex_exchange_identification: Connection closed by remote host");
    let absent = |text: &str| check(text, Code::RemoteUnreachable, true, false);
    absent("fatal: '../nowhere.git' does not appear to be a git repository");
    absent("remote: Repository not found.\nfatal: repository 'https://github.com/a/b/' not found");
    absent("fatal: remote error: access denied or repository not exported: /none.git");
    absent("Host key verification failed.\nfatal: Could not read from remote repository.");
    absent("fatal: unable to access 'https://x/': SSL certificate problem: self-signed certificate");
}

#[test]
fn a_connection_that_broke_off_leaves_doubt() {
    let check = |text: &str| check(text, Code::Network, false, true);
    check("fatal: the remote end hung up unexpectedly\nerror: failed to push some refs to 'x'");
    check("send-pack: unexpected disconnect while reading sideband packet\nTo x\n*\tHEAD:a\t[new branch]");
    check("error: RPC failed; HTTP 502 curl 22 The requested URL returned error: 502");
    check("error: RPC failed; curl 28 Operation timed out after 300000 milliseconds");
    check("fetch-pack: unexpected disconnect\nfatal: early EOF");
}

#[test]
fn words_of_a_hook_do_not_remove_doubt() {
    let cut = "fatal: the remote end hung up unexpectedly";
    check(&format!("remote: deploy: permission denied\n{cut}"), Code::Network, false, true);
    check(&format!("remote: the mail host: connection refused\n{cut}"), Code::Network, false, true);
}

#[test]
fn a_local_hook_and_an_unknown_text_are_told_apart() {
    check("tests fail\nerror: failed to push some refs to 'x'", Code::HookRefused, true, false);
    let nothing = "error: src refspec a does not match any\nerror: failed to push some refs";
    check(nothing, Code::GitFailed, true, false);
    check("fatal: something new", Code::GitFailed, false, false);
    check("", Code::GitFailed, false, false);
}

#[test]
fn the_text_of_a_hook_is_shown_without_padding_and_escapes() {
    let text = "remote: Resolving deltas: 100% (3/3)\rremote: done\n\
                remote: \u{1b}[31mno\u{1b}[0m\u{7} way        \n\
                remote:   ask jane\nremote: \nerror: failed to push some refs";
    assert_eq!(remote_lines(text), ["done", "no way", "  ask jane"]);
    let refused = format!("{text}\n!\tHEAD:refs/heads/main\t[remote rejected] (pre-receive hook declined)");
    assert_eq!(problem(&refused, "origin").details, ["done", "no way", "  ask jane"]);
}

#[test]
fn credentials_in_addresses_are_masked() {
    let check = |text: &str, masked: &str| assert_eq!(mask(text), masked);
    check("https://bob:secret@example.org/a.git", "https://***@example.org/a.git");
    check("https://ghp_token@github.com/a/b", "https://***@github.com/a/b");
    check("https://bob:p@ss@example.org", "https://***@example.org");
    check("ssh://git@example.org/a", "ssh://git@example.org/a");
    check("ssh://git:pass@example.org/a", "ssh://***@example.org/a");
    check("git@example.org:a/b.git", "git@example.org:a/b.git");
    check("https://example.org/@scope/a", "https://example.org/@scope/a");
    check("two: 'http://a:b@c/' 'http://d:e@f/'", "two: 'http://***@c/' 'http://***@f/'");
}
