//! Where a repository is found, and where not.

use std::fs;

use crate::site::Site;
use shipway_core::problem::Code;

#[test]
fn a_repository_is_found_from_below_and_without_a_process() {
    let site = Site::new();
    let below = site.work.join("a/b");
    fs::create_dir_all(&below).unwrap();
    site.shell.ran.lock().unwrap().clear();
    let repo = site.find(&below).unwrap();
    assert_eq!(
        (&repo.top, &repo.git_dir, &repo.common_dir),
        (&site.work, &site.work.join(".git"), &repo.git_dir)
    );
    assert_eq!(repo.state_dir(), site.work.join(".git/shipway"));
    assert_eq!(site.shell.ran.lock().unwrap().len(), 0);
}

#[test]
fn another_work_tree_shares_the_state() {
    let site = Site::new();
    site.git(&["worktree", "add", "--quiet", "-b", "topic", "../other"]);
    let other = site.root.path().canonicalize().unwrap().join("other");
    let repo = site.find(&other).unwrap();
    assert_eq!((&repo.top, &repo.git_dir), (&other, &site.work.join(".git/worktrees/other")));
    assert_eq!(repo.state_dir(), site.repository().state_dir());
}

#[test]
fn a_submodule_is_a_repository_of_its_own() {
    let site = Site::new();
    let add = ["-c", "protocol.file.allow=always", "submodule", "--quiet", "add", "../remote.git", "module"];
    site.git(&add);
    let repo = site.find(&site.work.join("module")).unwrap();
    assert_eq!(repo.top, site.work.join("module"));
    assert_eq!(repo.common_dir, site.work.join(".git/modules/module"));
    // Untracked files in it are nothing to commit outside.
    site.git(&["commit", "--quiet", "--message", "feat: module"]);
    site.write("module/notes.txt", "");
    assert_eq!(site.facts().changed.len(), 0);
    site.write("module/log.txt", "changed");
    assert_eq!(site.facts().changed, ["module"]);
}

#[test]
fn variables_of_git_do_not_count() {
    let mut site = Site::new();
    site.env("GIT_DIR", "/nonexistent");
    assert_eq!(site.repository().top, site.work);
}

#[test]
fn other_places_are_told_apart() {
    let site = Site::new();
    let check = |dir: &str, code: Code, hint: &str| {
        let problem = site.find(&site.work.join(dir)).unwrap_err();
        assert_eq!(problem.code, code, "{dir}: {problem:?}");
        assert!(problem.hints.iter().any(|line| line.contains(hint)), "{dir}: {problem:?}");
    };
    check("..", Code::NotARepository, "git init");
    check("../remote.git", Code::BareRepository, "git clone ");
    check("../remote.git/objects", Code::BareRepository, "git clone ");
    check(".git/objects", Code::BareRepository, "cd ");
    site.write("lost/.git", "gitdir: ../nowhere\n");
    check("lost", Code::NotARepository, "git worktree repair");
    assert_eq!(site.find(&site.work.join("none")).unwrap_err().code, Code::Io);
}

#[test]
fn a_repository_that_is_configured_bare_is_told_by_git() {
    let site = Site::new();
    site.git(&["config", "core.bare", "true"]);
    assert_eq!(site.in_vain(), [Code::BareRepository]);
}
