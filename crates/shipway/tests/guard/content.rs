//! Games with ranges, content and history (table C).

use std::process::Output;

use crate::stage::{Stage, fed, said};
use crate::table::Answer::{Denied, Passes};
use crate::table::{Row, try_all};

/// Proposes what HEAD is for the main branch.
fn propose(stage: &Stage) -> Output {
    stage.push(&["HEAD:refs/for/main"])
}

/// Pushes HEAD to a branch that is open.
fn push(stage: &Stage) -> Output {
    stage.push(&["HEAD:refs/heads/feature/x"])
}

/// Commits files with a good message.
fn with(stage: &Stage, files: &[(&str, &[u8])]) {
    for (path, text) in files {
        stage.repo.file(path, text);
    }
    stage.repo.commit("feat: x");
}

/// Returns a file with what looks like a secret, which is put together here so that this file holds none.
pub(crate) fn token() -> String {
    format!("[github]\ntoken = ghp_{}\n", "a1B2c3D4e5F6g7H8i9J0k1L2m3N4o5P6q7R8")
}

/// Writes an object as it is, past what git would check.
fn object(stage: &Stage, kind: &str, bytes: &[u8]) -> String {
    let args = ["hash-object", "-t", kind, "-w", "--stdin", "--literally"];
    let output = fed(&mut stage.command("git", &args), bytes);
    assert!(output.status.success(), "{}", said(&output));
    String::from_utf8_lossy(&output.stdout).trim().to_owned()
}

/// Makes HEAD a commit with one more file, whatever its name is.
fn with_entry(stage: &Stage, mode: &str, name: &[u8]) -> String {
    let blob = object(stage, "blob", b"x\n");
    let bytes = (0..20).map(|at| u8::from_str_radix(&blob[2 * at..2 * at + 2], 16).unwrap());
    let tree = [mode.as_bytes(), b" ", name, b"\0"].concat().into_iter().chain(bytes).collect::<Vec<u8>>();
    let tree = object(stage, "tree", &tree);
    let head = stage.repo.head();
    let commit = stage.ok(&["commit-tree", "-m", "feat: x", "-p", &head, &tree]);
    stage.ok(&["update-ref", "HEAD", &commit]);
    commit
}

const ROWS: &[Row] = &[
    ("C01", "a commit that another branch has, then main", Denied("push-restricted"), |stage| {
        stage.commit("feat: x");
        assert!(push(stage).status.success());
        stage.push(&["HEAD:main"])
    }),
    ("C01b", "a bad message that another branch has", Denied("message"), |stage| {
        stage.commit("no type at all");
        stage.ok(&[
            "push",
            "-q",
            "--receive-pack=git -c core.hooksPath=/dev/null receive-pack",
            "origin",
            "HEAD:refs/heads/feature/x",
        ]);
        stage.commit("feat: good");
        propose(stage)
    }),
    ("C04", "a large file that comes and goes", Denied("file-size"), |stage| {
        with(stage, &[("big", &[b'x'; 70_000])]);
        std::fs::remove_file(stage.repo.path().join("big")).unwrap();
        stage.repo.commit("feat: y");
        propose(stage)
    }),
    ("C04b", "a key that comes and goes", Denied("file-path"), |stage| {
        with(stage, &[("keys/server.pem", b"x\n")]);
        std::fs::remove_file(stage.repo.path().join("keys/server.pem")).unwrap();
        stage.repo.commit("feat: y");
        push(stage)
    }),
    ("C04c", "a token that comes and goes", Denied("secret"), |stage| {
        with(stage, &[("settings.ini", token().as_bytes())]);
        stage.repo.file("settings.ini", "token =\n").commit("feat: y");
        propose(stage)
    }),
    ("C04d", "a token on an open branch, past the hooks", Denied("line 2: a token of GitHub"), |stage| {
        with(stage, &[("settings.ini", token().as_bytes())]);
        stage.push(&["--no-verify", "HEAD:refs/heads/feature/x"])
    }),
    ("C04e", "a token that only a merge has", Denied("secret"), |stage| {
        stage.commit("feat: one");
        stage.ok(&["checkout", "-q", "-b", "side", "HEAD~1"]);
        stage.commit("feat: two");
        stage.ok(&["merge", "-q", "--no-commit", "--no-ff", "main"]);
        stage.repo.file("settings.ini", token());
        stage.ok(&["add", "-A"]);
        stage.ok(&["commit", "-q", "-m", "feat: a merge"]);
        propose(stage)
    }),
    ("C05", "a file that only a merge has", Denied("file-path"), |stage| {
        stage.commit("feat: one");
        stage.ok(&["checkout", "-q", "-b", "side", "HEAD~1"]);
        stage.commit("feat: two");
        stage.ok(&["merge", "-q", "--no-commit", "--no-ff", "main"]);
        stage.repo.file("evil.pem", "x\n");
        stage.ok(&["add", "-A"]);
        stage.ok(&["commit", "-q", "-m", "feat: a merge"]);
        propose(stage)
    }),
    ("C07", "a path that git would quote", Denied("file-path"), |stage| {
        with(stage, &[("caf\u{e9}/k\u{e9}y.pem", b"x\n")]);
        propose(stage)
    }),
    ("C07b", "a path with a line feed", Denied("file-path"), |stage| {
        with_entry(stage, "100644", b"a\nb");
        propose(stage)
    }),
    ("C07c", "a path with a byte that is no UTF-8", Denied("file-path"), |stage| {
        with_entry(stage, "100644", b"caf\xe9.pem");
        propose(stage)
    }),
    ("C07d", "a path into git's own files", Denied("hasDotgit"), |stage| {
        with_entry(stage, "100644", b".git");
        propose(stage)
    }),
    ("C07e", "a path that turns text around", Denied("file-path"), |stage| {
        with(stage, &[("a\u{202e}b.rs", b"x\n")]);
        propose(stage)
    }),
    ("C10", ".gitmodules with a dash", Denied("gitmodulesUrl"), |stage| {
        let text = b"[submodule \"x\"]\n\tpath = x\n\turl = -u./payload\n";
        with(stage, &[(".gitmodules", text)]);
        propose(stage)
    }),
    ("C10b", ".gitmodules that is a link", Denied("gitmodulesSymlink"), |stage| {
        with_entry(stage, "120000", b".gitmodules");
        push(stage)
    }),
    ("C13", "attributes that hide a file from diffs", Denied("file-size"), |stage| {
        with(stage, &[(".gitattributes", b"* -diff binary\n"), ("big", &[b'x'; 70_000])]);
        propose(stage)
    }),
    ("C15", "a forged author is only a name", Denied("push-restricted"), |stage| {
        stage.repo.file("x", "x\n");
        stage.ok(&["add", "-A"]);
        stage.ok(&["commit", "-q", "--author=Ann <ann@example.org>", "-m", "feat: x\n\nReviewed-by: ann"]);
        stage.push(&["HEAD:main"])
    }),
    ("C17", "a zero-width space in the type", Denied("message"), |stage| {
        stage.commit("fe\u{200b}at: x");
        propose(stage)
    }),
    ("C17b", "a bidi override in the subject", Denied("message"), |stage| {
        stage.commit("feat: a\u{202e}b");
        propose(stage)
    }),
    ("C17c", "a message that is no UTF-8", Denied("message"), |stage| {
        stage.repo.file("x", "x\n").commit_bytes(b"feat: caf\xe9\n");
        propose(stage)
    }),
    ("C18", "a message without a type, among good ones", Denied("message"), |stage| {
        stage.commit("feat: x");
        stage.commit("what I did today");
        stage.commit("feat: y");
        propose(stage)
    }),
    ("C22", "the policy together with code", Denied("path-restricted"), |stage| {
        let policy = stage.repo.read(".shipway/policy.toml");
        let policy = policy.replace("conventional = true", "conventional = false");
        with(stage, &[(".shipway/policy.toml", policy.as_bytes()), ("code", b"x\n")]);
        propose(stage)
    }),
    ("C21", "a weaker policy and what it would allow", Denied("message"), |stage| {
        let policy = stage.repo.read(".shipway/policy.toml");
        let policy = policy.replace("conventional = true", "conventional = false");
        with(stage, &[(".shipway/policy.toml", policy.as_bytes())]);
        stage.commit("no type at all");
        propose(stage)
    }),
    ("C24", "a pack that is too large", Denied("exceeds"), |stage| {
        stage.force(&["config", "receive.maxInputSize", "1k"]);
        let noise: Vec<u8> =
            (0..20_000_u32).flat_map(|n| n.wrapping_mul(2_654_435_761).to_be_bytes()).collect();
        with(stage, &[("noise", &noise[..60_000])]);
        let output = push(stage);
        stage.force(&["config", "receive.maxInputSize", "1g"]);
        output
    }),
    ("C27", "a huge message", Denied("commit-shape"), |stage| {
        stage.commit(&format!("feat: x\n\n{}", "long ".repeat(2000)));
        propose(stage)
    }),
    ("C27b", "a commit with many parents", Denied("commit-shape"), |stage| {
        let tree = stage.tip("main^{tree}");
        let head = stage.repo.head();
        let parents: Vec<String> = (0..40)
            .map(|at| stage.ok(&["commit-tree", "-m", &format!("feat: {at}"), "-p", &head, &tree]))
            .collect();
        let mut args = vec!["commit-tree", "-m", "feat: many"];
        for parent in &parents {
            args.extend(["-p", parent]);
        }
        args.push(&tree);
        let commit = stage.ok(&args);
        stage.push(&[&format!("{commit}:refs/for/main")])
    }),
    ("C29", "a change request that is good", Passes, |stage| {
        stage.commit("feat: x");
        stage.commit("fix: y");
        propose(stage)
    }),
];

#[test]
fn games_with_content_are_refused() {
    try_all(ROWS);
}

/// C14: what the pushed tree says of names maps nobody.
#[test]
fn a_mail_map_that_is_pushed_makes_nobody_another() {
    let stage = Stage::new();
    with(&stage, &[(".mailmap", b"Otto <otto@example.org> <ann@example.org>\n")]);
    let output = propose(&stage);
    assert!(output.status.success(), "{}", said(&output));
    let log = stage.force(&["cat-file", "-p", "refs/shipway/changes/1/log:event.json"]);
    assert!(log.contains("ann@example.org") && !log.contains("otto@example.org"), "{log}");
}

/// C15: who opens a change request is who pushes it, whatever the commits say.
#[test]
fn the_author_of_a_change_request_is_who_pushed_it() {
    let stage = Stage::new();
    stage.commit("feat: x");
    let args = ["push", "origin", "HEAD:refs/for/main"];
    let output = stage.command("git", &args).env("SHIPWAY_LOGIN", "otto").output().unwrap();
    assert!(output.status.success(), "{}", said(&output));
    let log = stage.force(&["cat-file", "-p", "refs/shipway/changes/1/log~1:event.json"]);
    assert!(log.contains("\"by\":\"otto\""), "{log}");
}
