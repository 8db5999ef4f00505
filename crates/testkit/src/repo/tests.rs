use std::os::unix::fs::PermissionsExt;

use super::*;

#[test]
fn the_same_calls_give_the_same_ids() {
    let make = || {
        let repo = Repo::new();
        repo.file("a", "1").commit("feat: a");
        repo.commits(&["fix: b", "fix: c"]);
        (repo.annotated("v1.0.0"), repo.head())
    };
    assert_eq!(make(), make());
}

#[test]
fn each_commit_is_a_minute_younger_than_the_one_before() {
    let repo = Repo::new();
    repo.commit("one");
    repo.commits(&["two", "three"]);
    repo.git(["commit", "--quiet", "--allow-empty", "--message=four"]);
    let dates = repo.git(["log", "--reverse", "--format=%ct %at %s"]);
    let expected: Vec<String> = ["one", "two", "three", "four"]
        .iter()
        .zip(1..)
        .map(|(subject, minute)| format!("{0} {0} {subject}", EPOCH + 60 * minute))
        .collect();
    assert_eq!(dates, expected.join("\n"));
}

#[test]
fn a_message_is_kept_byte_for_byte() {
    let repo = Repo::new();
    for message in [&b"feat: caf\xe9\n"[..], b"# no comment\n\n\nbody  ", b""] {
        repo.commit_bytes(message);
        let raw = repo.try_git(["cat-file", "commit", "HEAD"]).stdout;
        assert!(raw.ends_with(&[b"\n\n", message].concat()), "{}", String::from_utf8_lossy(&raw));
    }
}

#[test]
fn many_commits_are_made_at_once_on_top_of_what_is_there() {
    let repo = Repo::new();
    let messages: Vec<String> = (0..100_000).map(|number| format!("fix: number {number}\n\nbody")).collect();
    repo.file("kept.txt", "kept").commit("feat: first");
    repo.commits(&messages);
    assert_eq!(repo.git(["rev-list", "--count", "HEAD"]), "100001");
    assert_eq!(repo.git(["log", "-1", "--format=%B"]), "fix: number 99999\n\nbody");
    assert_eq!(repo.git(["status", "--porcelain"]), "");
}

#[test]
fn setting_the_stage_runs_no_hook_and_git_does() {
    let repo = Repo::new();
    repo.hook("pre-commit", "echo no >&2; exit 1").file("a", "1");
    repo.commit("feat: a");
    let output = repo.try_git(["commit", "--allow-empty", "--message=b"]);
    assert!(!output.status.success() && output.stderr.starts_with(b"no"));
}

#[test]
fn tags_are_light_or_annotated() {
    let repo = Repo::new();
    let commit = repo.commit("feat: a");
    repo.tag("light");
    let object = repo.annotated("heavy");
    assert_eq!(repo.rev("refs/tags/light"), Some(commit.clone()));
    assert_eq!(repo.rev("refs/tags/heavy"), Some(object));
    assert_eq!(repo.rev("heavy^{commit}"), Some(commit));
    assert_eq!(repo.rev("absent"), None);
}

#[test]
fn samples_are_released_once_and_changed_since() {
    for (repo, file) in [
        (Repo::npm("1.0.0"), "package.json"),
        (Repo::cargo("1.0.0"), "Cargo.toml"),
        (Repo::python("1.0.0"), "pyproject.toml"),
        (Repo::plain("1.0.0"), "VERSION"),
    ] {
        assert!(repo.read(file).contains("1.0.0"));
        assert!(repo.read("README.md").contains("badge/version-1.0.0-blue"));
        assert!(repo.read("CHANGELOG.md").contains("## [1.0.0] - 2026-01-01"));
        assert_eq!(repo.git(["status", "--porcelain"]), "");
        let since = repo.git(["log", "--reverse", "--format=%s", "v1.0.0.."]);
        assert_eq!(since, "feat: greet people by their name\nfix: end a greeting with a full stop");
    }
}

/// Checks that a change to a sample shows in its snapshot under a name, and is gone when it is taken back.
fn check(what: &str, change: impl Fn(&Repo), back: impl Fn(&Repo)) {
    let repo = Repo::plain("1.0.0");
    let before = repo.state();
    change(&repo);
    let diff = before.diff(&repo.state());
    assert!(diff.contains(what), "{what} is not in:\n{diff}");
    back(&repo);
    before.assert_same(&repo.state());
}

fn git(args: &'static [&'static str]) -> impl Fn(&Repo) {
    move |repo| drop(repo.git(args))
}

fn write(path: &'static str, text: &'static [u8]) -> impl Fn(&Repo) {
    move |repo| {
        repo.file(path, text);
    }
}

fn remove(path: &'static str) -> impl Fn(&Repo) {
    move |repo| fs::remove_file(repo.path().join(path)).unwrap()
}

fn mode(mode: u32) -> impl Fn(&Repo) {
    move |repo| {
        fs::set_permissions(repo.path().join("VERSION"), PermissionsExt::from_mode(mode)).unwrap();
    }
}

#[test]
fn a_snapshot_holds_every_ref() {
    check(
        "+ ref refs/shipway/x",
        git(&["update-ref", "refs/shipway/x", "HEAD"]),
        git(&["update-ref", "-d", "refs/shipway/x"]),
    );
    check(
        "~ ref refs/heads/main",
        git(&["reset", "--quiet", "--hard", "HEAD~1"]),
        git(&["reset", "--quiet", "--hard", "HEAD@{1}"]),
    );
    check("~ HEAD", git(&["checkout", "--quiet", "--detach"]), git(&["checkout", "--quiet", "main"]));
}

#[test]
fn a_snapshot_holds_index_files_modes_and_status() {
    check("+ file new.txt", write("new.txt", b"\xff"), remove("new.txt"));
    check("+ status ?? new.txt", write("new.txt", b"x"), remove("new.txt"));
    check("- index VERSION", git(&["rm", "--quiet", "--cached", "VERSION"]), git(&["add", "VERSION"]));
    check(
        "~ index VERSION",
        git(&["update-index", "--assume-unchanged", "VERSION"]),
        git(&["update-index", "--no-assume-unchanged", "VERSION"]),
    );
    check("    + 1.0.1", write("VERSION", b"1.0.1\n"), write("VERSION", b"1.0.0\n"));
    check(
        "~ file VERSION",
        mode(0o755),
        mode(Repo::plain("1.0.0").path().join("VERSION").metadata().unwrap().permissions().mode()),
    );
}

#[test]
fn a_snapshot_holds_settings_work_trees_and_operations() {
    check("~ git config", git(&["config", "a.b", "c"]), git(&["config", "--remove-section", "a"]));
    check(
        "~ worktrees",
        git(&["worktree", "add", "--quiet", "--detach", "../other"]),
        git(&["worktree", "remove", "../other"]),
    );
    check("+ git MERGE_HEAD", write(".git/MERGE_HEAD", b"x"), remove(".git/MERGE_HEAD"));
    check(
        "+ lock refs/heads/main.lock",
        write(".git/refs/heads/main.lock", b""),
        remove(".git/refs/heads/main.lock"),
    );
}

#[test]
fn a_snapshot_leaves_out_reflogs_and_what_shipway_keeps() {
    let repo = Repo::plain("1.0.0");
    let before = repo.state();
    repo.git(["reflog", "expire", "--expire=now", "--all"]);
    repo.file(".git/shipway/run.lock", "x");
    before.assert_same(&repo.state());
    repo.tag("v2.0.0");
    before.assert_same(&repo.state().without("ref refs/tags/v2"));
    assert!(before.part("HEAD").is_some_and(|head| head == "ref: refs/heads/main"));
}
