//! Where hooks are put, what runs after them, and what is found when they are not in force.

use std::fs;
use std::os::unix::fs::{PermissionsExt as _, symlink};
use std::path::PathBuf;

use shipway_testkit::program;

use crate::stage::{SHIPWAY, Stage, said};

fn status(stage: &Stage) -> (bool, String) {
    let output = stage.run(SHIPWAY, &["guard", "status"]);
    (output.status.success(), said(&output))
}

/// Refuses and accepts as with working hooks, in some directory.
#[track_caller]
fn works(stage: &Stage) {
    let text = stage.read("works");
    stage.stage("works", &format!("{text}{}\n", stage.dir.display()));
    let output = stage.run("git", &["commit", "-m", "no type"]);
    assert!(!output.status.success() && said(&output).contains("SW0311"), "{}", said(&output));
    stage.ok("git", &["commit", "-m", "feat: with a type"]);
}

#[test]
fn installing_again_changes_nothing() {
    let stage = Stage::bare();
    let shown = stage.ok(SHIPWAY, &["guard", "install", "--dry-run"]);
    assert!(
        shown.contains("write .git/hooks/commit-msg") && !stage.dir.join(".git/hooks/commit-msg").exists()
    );
    stage.ok(SHIPWAY, &["guard", "install"]);
    let before = fs::metadata(stage.dir.join(".git/hooks/commit-msg")).unwrap().modified().unwrap();
    let text = stage.ok(SHIPWAY, &["guard", "install"]);
    assert!(text.contains("installed already"), "{text}");
    let after = fs::metadata(stage.dir.join(".git/hooks/commit-msg")).unwrap().modified().unwrap();
    assert_eq!(before, after);
    assert!(status(&stage).0);
    works(&stage);
}

#[test]
fn a_hook_that_was_there_runs_after_ours_and_is_put_back() {
    let stage = Stage::bare();
    let script = "echo \"$(basename \"$0\") $*\" >>../ran; cat >>../ran; exit $(cat ../code)";
    for name in ["commit-msg", "pre-push", "post-checkout"] {
        stage.program(&format!(".git/hooks/{name}"), script);
    }
    fs::write(stage.dir.join("../code"), "0").unwrap();
    let before = stage.read(".git/hooks/commit-msg");
    stage.ok(SHIPWAY, &["guard", "install"]);
    stage.stage("a", "1\n");
    stage.refused(&["commit", "-m", "no type"]);
    assert!(!stage.read("../ran").contains("commit-msg"), "theirs runs only after ours has agreed");
    stage.ok("git", &["commit", "-qm", "feat: a"]);
    assert!(stage.read("../ran").contains("commit-msg .git/COMMIT_EDITMSG"), "{}", stage.read("../ran"));
    fs::write(stage.dir.join("../code"), "3").unwrap();
    stage.stage("a", "2\n");
    stage.refused(&["commit", "-m", "feat: b"]);
    let (bare, _) =
        (stage.dir.join("../bare.git"), stage.ok("git", &["init", "-q", "--bare", "../bare.git"]));
    stage.refused(&["push", "../bare.git", "main"]);
    fs::write(stage.dir.join("../code"), "0").unwrap();
    stage.ok("git", &["push", "-q", &bare.to_string_lossy(), "main"]);
    let ran = stage.read("../ran");
    assert!(ran.contains("pre-push ../bare.git") && ran.contains("refs/heads/main 0000000"), "{ran}");
    stage.ok(SHIPWAY, &["guard", "uninstall"]);
    assert_eq!(stage.read(".git/hooks/commit-msg"), before);
    assert!(!stage.dir.join(".git/hooks/pre-commit").exists());
    stage.ok("git", &["commit", "-qm", "anything goes"]);
}

#[test]
fn a_relative_hooks_path_is_chained_in_every_work_tree() {
    let stage = Stage::bare();
    stage.program(".husky/_/commit-msg", "echo \"$0\" >>\"$(git rev-parse --git-common-dir)/ran\"");
    stage.program(".husky/_/pre-rebase", "echo rebase >>\"$(git rev-parse --git-common-dir)/ran\"");
    stage.ok("git", &["add", "."]);
    stage.ok("git", &["commit", "-qm", "chore: hooks"]);
    stage.repo.config("core.hooksPath", ".husky/_");
    let before = stage.ok("git", &["status", "--porcelain"]);
    stage.ok(SHIPWAY, &["guard", "install"]);
    assert_eq!(stage.ok("git", &["status", "--porcelain"]), before, "the work tree is not written to");
    works(&stage);
    assert_eq!(stage.read(".git/ran").trim(), stage.dir.join(".husky/_/commit-msg").display().to_string());
    stage.ok("git", &["worktree", "add", "-q", "../linked"]);
    let linked = Stage { dir: stage.dir.join("../linked").canonicalize().unwrap(), ..stage };
    works(&linked);
    let ran = fs::read_to_string(linked.repo.path().join(".git/ran")).unwrap();
    assert!(ran.contains(&linked.dir.join(".husky/_/commit-msg").display().to_string()), "{ran}");
    linked.repo.file("more", "1\n").commit("feat: more");
    linked.ok("git", &["rebase", "-q", "main"]);
    let ran = fs::read_to_string(linked.repo.path().join(".git/ran")).unwrap();
    assert!(ran.contains("rebase"), "hooks that we have nothing to say in run too: {ran}");
    let (whole, text) = status(&linked);
    assert!(whole, "{text}");
    linked.ok(SHIPWAY, &["guard", "uninstall"]);
    assert_eq!(linked.ok("git", &["config", "core.hooksPath"]).trim(), ".husky/_");
    assert_eq!(linked.run("git", &["config", "shipway.chainedHooks"]).status.code(), Some(1));
}

#[test]
fn an_absolute_hooks_path_of_the_user_is_not_written_to() {
    let stage = Stage::bare();
    let theirs: PathBuf = stage.repo.home().join("hooks");
    fs::create_dir(&theirs).unwrap();
    fs::write(theirs.join("commit-msg"), "echo mine >>../ran\n").unwrap();
    fs::set_permissions(theirs.join("commit-msg"), fs::Permissions::from_mode(0o755)).unwrap();
    let settings = stage.repo.home().join("gitconfig");
    fs::write(&settings, format!("[core]\n\thooksPath = {}\n", theirs.display())).unwrap();
    let run = |program: &str, args: &[&str]| {
        let mut command = stage.command(program, args);
        let output = command.env("GIT_CONFIG_GLOBAL", &settings).output().unwrap();
        (output.status.success(), said(&output))
    };
    let (installed, text) = run(SHIPWAY, &["guard", "install"]);
    assert!(installed, "{text}");
    assert_eq!(fs::read_dir(&theirs).unwrap().count(), 1);
    stage.stage("a", "1\n");
    assert!(!run("git", &["commit", "-m", "no type"]).0);
    // A script without a first line of its own runs as git runs it.
    let (done, text) = run("git", &["commit", "-m", "feat: a"]);
    assert!(done, "{text}");
    assert_eq!(stage.read("../ran"), "mine\n");
    assert!(run(SHIPWAY, &["guard", "uninstall"]).0);
    assert!(run("git", &["config", "--show-scope", "core.hooksPath"]).1.starts_with("global"));
}

#[test]
fn hooks_work_in_a_linked_work_tree_and_with_settings_of_its_own() {
    let stage = Stage::new();
    stage.ok("git", &["worktree", "add", "-q", "../linked"]);
    let linked = Stage { dir: stage.dir.join("../linked").canonicalize().unwrap(), ..stage };
    works(&linked);
    linked.stage("b", "1\n").ok("git", &["commit", "--no-verify", "-qm", "feat: past"]);
    assert_eq!(linked.notes().len(), 1, "notes of all work trees are in one place");
    linked.ok("git", &["config", "extensions.worktreeConfig", "true"]);
    linked.ok("git", &["config", "--worktree", "core.hooksPath", "/nonexistent"]);
    linked.stage("c", "1\n").ok("git", &["commit", "-qm", "not seen by any hook"]);
    let (whole, text) = status(&linked);
    assert!(!whole && text.contains("SW1160") && text.contains("not there"), "{text}");
    linked.ok(SHIPWAY, &["guard", "install"]);
    works(&linked);
    assert!(status(&linked).0);
}

#[test]
fn a_missing_program_refuses_with_a_word() {
    let stage = Stage::bare();
    let copy = stage.dir.join("../shipway-copy");
    program::copy(SHIPWAY, &copy);
    stage.ok(&copy.to_string_lossy(), &["guard", "install"]);
    works(&stage);
    fs::remove_file(&copy).unwrap();
    stage.stage("a", "1\n");
    let text = stage.refused(&["commit", "-m", "feat: a"]);
    assert!(text.contains("is missing") && text.contains("guard install"), "{text}");
    stage.ok("git", &["init", "-q", "--bare", "../bare.git"]);
    let text = stage.refused(&["push", "../bare.git", "main"]);
    assert!(text.contains("pre-push refuses") || text.contains("pre-push cannot look"), "{text}");
    let (whole, text) = status(&stage);
    assert!(!whole && text.contains("missing, so it refuses"), "{text}");
    stage.ok(SHIPWAY, &["guard", "install"]);
    works(&stage);
}

#[test]
fn every_way_of_being_inert_is_found() {
    let stage = Stage::new();
    let hook = stage.dir.join(".git/hooks/commit-msg");
    let script = fs::read(&hook).unwrap();
    let check = |break_it: &dyn Fn(), expected: &str| {
        break_it();
        let (whole, text) = status(&stage);
        assert!(!whole && text.contains(expected), "{expected}: {text}");
        stage.ok(SHIPWAY, &["guard", "install"]);
        assert_eq!(fs::read(&hook).unwrap(), script);
        assert!(status(&stage).0);
        let _ = fs::remove_dir_all(stage.dir.join(".git/hooks/chained"));
    };
    check(&|| fs::remove_file(&hook).unwrap(), "missing");
    check(&|| fs::write(&hook, "").unwrap(), "somebody else's");
    check(&|| fs::set_permissions(&hook, fs::Permissions::from_mode(0o644)).unwrap(), "not executable");
    check(
        &|| {
            fs::remove_file(&hook).unwrap();
            symlink("/nonexistent/shipway", &hook).unwrap();
        },
        "leads nowhere",
    );
    check(&|| fs::write(&hook, [&script[..], b"exit 0\n"].concat()).unwrap(), "changed since");
    stage.repo.config("core.hooksPath", "gone");
    let (whole, text) = status(&stage);
    assert!(!whole && text.contains("gone, which is not there"), "{text}");
    stage.ok(SHIPWAY, &["guard", "install"]);
    assert!(status(&stage).0);
    works(&stage);
}

#[test]
fn two_hooks_for_one_place_are_left_to_the_user() {
    let stage = Stage::bare();
    stage.program(".git/hooks/commit-msg", "exit 0");
    stage.ok(SHIPWAY, &["guard", "install"]);
    stage.program(".git/hooks/commit-msg", "exit 1");
    let output = stage.run(SHIPWAY, &["guard", "install"]);
    assert!(!output.status.success() && said(&output).contains("SW1161"), "{}", said(&output));
    assert!(stage.read(".git/hooks/commit-msg").contains("exit 1"));
}
