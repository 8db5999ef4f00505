//! Ways past the hook itself (table A).

use std::fs;
use std::os::unix::fs::{PermissionsExt as _, symlink};
use std::process::Output;

use shipway_testkit::program;

use crate::stage::{SHIPWAY, Stage, fed, said};
use crate::table::Answer::{Denied, Found, Passes};
use crate::table::{Row, try_all};

/// Pushes a new commit to the main branch.
fn push(stage: &Stage) -> Output {
    stage.commit("feat: x");
    stage.push(&["HEAD:main"])
}

/// The same, with another program on the server's side.
fn push_through(stage: &Stage, program: &str) -> Output {
    stage.commit("feat: x");
    stage.push(&[&format!("--receive-pack={program}"), "HEAD:main"])
}

/// Puts new commits beside the repository without moving anything.
fn objects(stage: &Stage) -> String {
    let id = stage.commit("feat: x");
    stage.ok(&["push", "-q", "origin", "HEAD:refs/heads/feature/objects"]);
    id
}

fn hook(stage: &Stage, name: &str) -> std::path::PathBuf {
    stage.bare.join("shipway/hooks").join(name)
}

const ROWS: &[Row] = &[
    ("A01", "a plain push", Denied("push-restricted"), push),
    ("A01b", "the route that is named is open", Passes, |stage| {
        stage.commit("feat: x");
        stage.push(&["HEAD:refs/for/main"])
    }),
    ("A02", "--receive-pack with hooks elsewhere", Found("moved past every hook"), |stage| {
        push_through(stage, "git -c core.hooksPath=/nonexistent receive-pack")
    }),
    ("A02b", "the same, on a branch that is new", Found("moved past every hook"), |stage| {
        stage.commit("feat: x");
        let past = "--receive-pack=git -c core.hooksPath=/nonexistent receive-pack";
        stage.push(&[past, "HEAD:refs/heads/release/1"])
    }),
    ("A02c", "the same, on a tag", Found("moved past every hook"), |stage| {
        stage.commit("feat: x");
        stage.ok(&["tag", "-f", "v1.0.0"]);
        stage.push(&["--receive-pack=git -c core.hooksPath=/nonexistent receive-pack", "-f", "v1.0.0"])
    }),
    ("A03", "settings by environment", Denied("push-restricted"), |stage| {
        stage.commit("feat: x");
        let mut command = stage.command("git", &["push", "origin", "HEAD:main"]);
        command.env("GIT_CONFIG_COUNT", "1").env("GIT_CONFIG_KEY_0", "core.hooksPath");
        command.env("GIT_CONFIG_VALUE_0", "/nonexistent").output().unwrap()
    }),
    ("A04", "settings by environment in the remote command", Found("moved past every hook"), |stage| {
        let set = "GIT_CONFIG_COUNT=1 GIT_CONFIG_KEY_0=core.hooksPath GIT_CONFIG_VALUE_0=/nonexistent";
        push_through(stage, &format!("{set} git-receive-pack"))
    }),
    ("A06", "hooksPath of the repository moved", Found("looks for hooks elsewhere"), |stage| {
        stage.force(&["config", "core.hooksPath", "/nonexistent"]);
        push(stage)
    }),
    ("A06b", "hooks that vanished", Found("is missing"), |stage| {
        fs::remove_dir_all(stage.bare.join("shipway/hooks")).unwrap();
        push(stage)
    }),
    ("A06c", "hooksPath in a file that is included", Found("looks for hooks elsewhere"), |stage| {
        stage.write_there("extra", "[core]\n\thooksPath = /nonexistent\n");
        stage.force(&["config", "include.path", "extra"]);
        push(stage)
    }),
    ("A07", "a hook without its mode", Found("is not executable"), |stage| {
        for name in ["pre-receive", "reference-transaction"] {
            fs::set_permissions(hook(stage, name), fs::Permissions::from_mode(0o644)).unwrap();
        }
        push(stage)
    }),
    ("A07b", "only pre-receive without its mode", Denied("push-restricted"), |stage| {
        fs::set_permissions(hook(stage, "pre-receive"), fs::Permissions::from_mode(0o644)).unwrap();
        push(stage)
    }),
    ("A08", "an empty hook", Found("is empty"), |stage| {
        for name in ["pre-receive", "reference-transaction"] {
            fs::write(hook(stage, name), "").unwrap();
        }
        push(stage)
    }),
    ("A09", "a hook that is a link to nowhere", Found("is a link"), |stage| {
        for name in ["pre-receive", "reference-transaction"] {
            fs::remove_file(hook(stage, name)).unwrap();
            symlink("/nonexistent", hook(stage, name)).unwrap();
        }
        push(stage)
    }),
    ("A11", "a hook that was rewritten", Found("is not what was installed"), |stage| {
        for name in ["pre-receive", "reference-transaction"] {
            fs::write(hook(stage, name), "#!/bin/sh\nexit 0\n").unwrap();
        }
        push(stage)
    }),
    ("A15", "git fetch inside the repository", Denied("push-restricted"), |stage| {
        stage.commit("feat: x");
        let from = stage.repo.path().display().to_string();
        stage.there(&["fetch", &from, "main:main"])
    }),
    ("A16a", "update-ref", Denied("push-restricted"), |stage| {
        let id = objects(stage);
        stage.there(&["update-ref", "refs/heads/main", &id])
    }),
    ("A16b", "fast-import", Denied("push-restricted"), |stage| {
        let text = "commit refs/heads/main\ncommitter A <a@example.org> 1767225600 +0000\ndata 1\nx\n\
                    from refs/heads/main^0\n\n";
        stage.there_with(&["fast-import", "--quiet"], text)
    }),
    ("A16c", "branch -f", Denied("push-restricted"), |stage| {
        let id = objects(stage);
        stage.there(&["branch", "-f", "develop", &id])
    }),
    ("A16d", "branch -m", Denied("delete"), |stage| stage.there(&["branch", "-m", "develop", "old"])),
    ("A16e", "branch -M over it", Denied("develop is protected"), |stage| {
        objects(stage);
        stage.there(&["branch", "-M", "feature/objects", "develop"])
    }),
    ("A16f", "branch -D", Denied("delete"), |stage| stage.there(&["branch", "-D", "develop"])),
    ("A16g", "update-ref --stdin, two of them", Denied("push-restricted"), |stage| {
        let id = objects(stage);
        let text = format!("create refs/heads/free {id}\nupdate refs/heads/main {id}\n");
        stage.there_with(&["update-ref", "--stdin"], &text)
    }),
    ("A16h", "a tag rewritten on the server", Denied("tag-immutable"), |stage| {
        let id = objects(stage);
        stage.there(&["update-ref", "refs/tags/v1.0.0", &id])
    }),
    ("A16i", "a tag deleted on the server", Denied("tag-immutable"), |stage| {
        stage.there(&["tag", "-d", "v1.0.0"])
    }),
    ("A17", "git's own housekeeping", Passes, |stage| {
        stage.ok(&["push", "-q", "origin", "HEAD:refs/heads/feature/x"]);
        stage.ok(&["push", "-q", "origin", "HEAD:refs/heads/feature/y", ":refs/heads/feature/x"]);
        stage.there(&["gc", "--prune=now", "--quiet"])
    }),
    ("A18", "an older state put back by hand", Found("put back to an older state"), |stage| {
        let old = stage.tip("main");
        let id = objects(stage);
        // The ledger has seen a newer state.
        let line = format!("1767225600 {old} {id} refs/heads/main ann\n");
        let ledger = stage.bare.join("shipway/ledger");
        let text = fs::read_to_string(&ledger).unwrap_or_default();
        fs::write(ledger, text + &line).unwrap();
        stage.there(&["rev-parse", "main"])
    }),
    ("A18b", "a ref written as a file", Found("moved past every hook"), |stage| {
        let id = objects(stage);
        stage.write_there("refs/heads/main", &format!("{id}\n"));
        stage.there(&["rev-parse", "main"])
    }),
    ("A18c", "a ledger that is gone", Found("ledger"), |stage| {
        fs::remove_file(stage.bare.join("shipway/ledger")).unwrap();
        stage.there(&["rev-parse", "main"])
    }),
    ("A19", "WebDAV", Found("DAV"), |stage| {
        fs::create_dir(stage.bare.join("DAV")).unwrap();
        stage.there(&["rev-parse", "main"])
    }),
    ("A20", "git-daemon takes pushes", Found("git-daemon takes pushes of anybody"), |stage| {
        stage.there(&["config", "daemon.receivepack", "true"])
    }),
    ("A20b", "http takes pushes of anybody", Found("a web server may take pushes"), |stage| {
        stage.there(&["config", "http.receivepack", "true"])
    }),
    ("A20c", "a push by nobody", Denied("no-identity"), |stage| {
        stage.commit("feat: x");
        let args = ["push", "origin", "HEAD:refs/heads/feature/x"];
        stage.command("git", &args).env("REMOTE_ADDR", "10.0.0.1").output().unwrap()
    }),
    ("A20d", "a change request by nobody", Denied("no-identity"), |stage| {
        stage.commit("feat: x");
        let args = ["push", "origin", "HEAD:refs/for/main"];
        stage.command("git", &args).env("REMOTE_ADDR", "10.0.0.1").output().unwrap()
    }),
    ("A21", "a remote that is fetched from", Found("is a remote"), |stage| {
        stage.there(&["remote", "add", "mirror", "https://git.example/app.git"])
    }),
    ("A24", "written by other accounts", Found("can be written by other accounts"), |stage| {
        fs::set_permissions(stage.bare.join("refs"), fs::Permissions::from_mode(0o777)).unwrap();
        stage.there(&["rev-parse", "main"])
    }),
    ("A24b", "a branch's directory written by others", Found("can be written by other accounts"), |stage| {
        fs::set_permissions(stage.bare.join("refs/heads"), fs::Permissions::from_mode(0o777)).unwrap();
        stage.there(&["rev-parse", "main"])
    }),
    ("A25", "no checks of objects", Found("transfer.fsckObjects"), |stage| {
        stage.there(&["config", "transfer.fsckObjects", "false"])
    }),
    ("A25b", "a check of objects that is passed over", Found("receive.fsck."), |stage| {
        stage.there(&["config", "receive.fsck.gitmodulesUrl", "ignore"])
    }),
    ("A25c", "records that are open", Found("receive.hideRefs"), |stage| {
        stage.there(&["config", "--add", "receive.hideRefs", "!refs/shipway"])
    }),
    ("A26", "objects of another repository", Found("objects of another repository"), |stage| {
        let other = stage.repo.path().join(".git/objects").display().to_string();
        stage.write_there("objects/info/alternates", &format!("{other}\n"));
        stage.there(&["rev-parse", "main"])
    }),
    ("A27", "an update hook of somebody else says yes", Denied("push-restricted"), |stage| {
        stage.write_there("hooks/pre-receive", "#!/bin/sh\nexit 0\n");
        fs::set_permissions(stage.bare.join("hooks/pre-receive"), fs::Permissions::from_mode(0o755)).unwrap();
        push(stage)
    }),
    ("C30", "a server that fetches what it lacks", Found("fetches objects from elsewhere"), |stage| {
        stage.there(&["config", "extensions.partialClone", "origin"])
    }),
];

#[test]
fn ways_past_the_hook_are_refused_or_found() {
    try_all(ROWS);
}

/// A10: the wrapper is there, and the program is not.
#[test]
fn a_guard_without_its_program_refuses_everything() {
    let stage = Stage::open();
    let copy = stage.repo.home().join("shipway");
    program::copy(SHIPWAY, &copy);
    let path = stage.bare.display().to_string();
    let output = stage.run(&copy.display().to_string(), &["guard", "install", "--server", &path]);
    assert!(output.status.success(), "{}", said(&output));
    fs::remove_file(&copy).unwrap();
    let before = stage.refs();
    stage.commit("feat: x");
    for name in ["HEAD:main", "HEAD:feature/x", "HEAD:refs/for/main"] {
        let output = stage.push(&[name]);
        assert!(!output.status.success() && said(&output).contains("is missing"), "{}", said(&output));
    }
    assert_eq!(stage.refs(), before);
    assert!(stage.audit().1.contains("is missing"), "{}", stage.audit().1);
    stage.install();
    assert!(stage.audit().0, "{}", stage.audit().1);
}

/// A12: the hook is killed, as by the system when memory runs out.
#[test]
fn a_guard_that_is_killed_has_refused() {
    let stage = Stage::open();
    let copy = stage.repo.home().join("shipway");
    program::copy(SHIPWAY, &copy);
    let path = stage.bare.display().to_string();
    let output = stage.run(&copy.display().to_string(), &["guard", "install", "--server", &path]);
    assert!(output.status.success(), "{}", said(&output));
    let before = stage.refs();
    stage.program(&copy, "kill -9 $$");
    stage.commit("feat: x");
    for name in ["HEAD:main", "HEAD:feature/x", "HEAD:refs/for/main"] {
        let output = stage.push(&[name]);
        assert!(!output.status.success() && said(&output).contains("declined"), "{}", said(&output));
    }
    assert_eq!(stage.refs(), before);
}

/// A06 by the account's own settings, which hold for every repository of the account.
#[test]
fn hooks_moved_by_the_account_are_found() {
    let stage = Stage::new();
    let settings = stage.repo.home().join("gitconfig");
    fs::write(&settings, "[core]\n\thooksPath = /nonexistent\n").unwrap();
    // What the repository says itself comes later, so the account's setting changes nothing.
    stage.commit("feat: x");
    let mut push = stage.command("git", &["push", "origin", "HEAD:main"]);
    let output = push.env("GIT_CONFIG_GLOBAL", &settings).output().unwrap();
    assert!(said(&output).contains("push-restricted"), "{}", said(&output));
    // Without one of its own, it does.
    stage.force(&["config", "--unset", "core.hooksPath"]);
    let mut audit = stage.command(SHIPWAY, &["guard", "audit", &stage.bare.display().to_string()]);
    let output = audit.env("GIT_CONFIG_GLOBAL", &settings).output().unwrap();
    assert!(said(&output).contains("looks for hooks elsewhere"), "{}", said(&output));
}

/// What the account has set for its own signatures is no fault of the repository.
#[test]
fn settings_of_the_account_that_the_repository_overrides_are_no_fault() {
    let stage = Stage::new();
    let settings = stage.repo.home().join("gitconfig");
    fs::write(&settings, "[gpg]\n\tformat = openpgp\n[transfer]\n\tfsckObjects = false\n").unwrap();
    let mut audit = stage.command(SHIPWAY, &["guard", "audit", &stage.bare.display().to_string()]);
    let output = audit.env("GIT_CONFIG_GLOBAL", &settings).output().unwrap();
    assert!(output.status.success(), "{}", said(&output));
}

/// A23: names that are no UTF-8.
#[test]
fn odd_bytes_are_refused_and_break_nothing() {
    let stage = Stage::new();
    let before = stage.refs();
    let id = stage.tip("main");
    let mut line = format!("{} {id} refs/heads/caf", crate::stage::NONE).into_bytes();
    line.extend_from_slice(b"\xe9\0report-status");
    let mut input = format!("{:04x}", line.len() + 4).into_bytes();
    input.extend_from_slice(&line);
    input.extend_from_slice(b"0000");
    let pack = fed(&mut stage.command("git", &["pack-objects", "--stdout", "-q"]), b"");
    input.extend_from_slice(&pack.stdout);
    let path = stage.bare.display().to_string();
    let output = fed(&mut stage.command("git", &["receive-pack", &path]), &input);
    assert!(said(&output).contains("name-invalid"), "{}", said(&output));
    assert_eq!(stage.refs(), before);
}
