//! Releases in repositories that are set up as no test would set them up: a full push, what it left behind, and its
//! withdrawal, in each of them.

#![expect(clippy::unwrap_used, reason = "helpers of tests are tests")]

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use shipway_testkit::remote::Remote;
use shipway_testkit::repo::Repo;
use shipway_testkit::skip::skip;

const SHIPWAY: &str = env!("CARGO_BIN_EXE_shipway");

/// A place to release from: the work tree, its remote, and the settings of its user.
struct Habitat {
    repo: Repo,
    dir: PathBuf,
    bare: PathBuf,
    branch: String,
    settings: Option<PathBuf>,
}

/// A repository of version 1.0.0 with a fix to release, and its remote.
fn habitat() -> (Habitat, Remote) {
    let repo = Repo::plain("1.0.0");
    let remote = Remote::of(&repo);
    repo.file("fix.txt", "fixed\n").commit("fix: the answer");
    (Habitat::of(repo, remote.path()), remote)
}

impl Habitat {
    fn of(repo: Repo, bare: &Path) -> Self {
        let (dir, branch) = (repo.path().to_owned(), repo.branch());
        Self { repo, dir, bare: bare.to_owned(), branch, settings: None }
    }

    /// Runs with these settings of the user, as in `~/.gitconfig`.
    fn settings(mut self, text: &str) -> Self {
        let path = self.repo.home().join("gitconfig");
        fs::write(&path, text).unwrap();
        self.settings = Some(path);
        self
    }

    fn command(&self, program: &str, args: &[&str]) -> Command {
        let mut command = self.repo.command(program);
        if let Some(path) = &self.settings {
            command.env("GIT_CONFIG_GLOBAL", path);
        }
        command.current_dir(&self.dir).args(args);
        command
    }

    fn shipway(&self, args: &[&str]) -> Output {
        self.command(SHIPWAY, args).output().unwrap()
    }

    /// Runs shipway, which must do well, and returns all that it said.
    #[track_caller]
    fn done(&self, args: &[&str]) -> String {
        let output = self.shipway(args);
        ok(&output) + &String::from_utf8_lossy(&output.stderr)
    }

    #[track_caller]
    fn git(&self, args: &[&str]) -> String {
        ok(&self.command("git", args).output().unwrap())
    }

    /// Returns what the remote has under a name.
    #[track_caller]
    fn there(&self, name: &str) -> String {
        let mut git = self.command("git", &["rev-parse", "--verify", name]);
        ok(&git.current_dir(&self.bare).output().unwrap())
    }

    /// Pushes a release, looks at all that must hold then, and withdraws it.
    #[track_caller]
    fn ships(&self, version: &str) {
        let tag = format!("v{version}");
        let shown = self.done(&["push"]);
        assert!(shown.contains("shipped"), "{shown}");
        self.stands(&tag);
        assert_eq!(self.git(&["show", &format!("{tag}:VERSION")]), version);
        let changelog = self.git(&["show", &format!("{tag}:CHANGELOG.md")]);
        assert!(changelog.contains(&format!("## [{version}]")) && changelog.contains("the answer"));
        assert_eq!(self.shipway(&["push"]).status.code(), Some(10));
        self.done(&["log"]);
        self.done(&["log", "--verify"]);
        self.done(&["why", &tag]);
        self.done(&["rollback"]);
        assert_eq!(self.there(&format!("refs/heads/{}", self.branch)), self.git(&["rev-parse", "HEAD"]));
        assert_eq!(self.git(&["status", "--porcelain"]), "");
        assert_eq!(self.git(&["show", "HEAD:VERSION"]), self.git(&["show", &format!("{tag}^:VERSION")]));
    }

    /// Asserts that tag, branch and work tree are at the release, here and there.
    #[track_caller]
    fn stands(&self, tag: &str) {
        let head = self.git(&["rev-parse", "HEAD"]);
        let name = format!("refs/tags/{tag}");
        assert_eq!(self.there(&name), self.git(&["rev-parse", &name]));
        assert_eq!(self.there(&format!("{name}^{{commit}}")), head);
        assert_eq!(self.there(&format!("refs/heads/{}", self.branch)), head);
        assert_eq!(self.git(&["symbolic-ref", "--short", "HEAD"]), self.branch);
        assert_eq!(self.git(&["status", "--porcelain"]), "");
        assert_eq!(self.git(&["log", "-1", "--format=%s", "--no-show-signature"]), subject(tag));
    }
}

fn subject(tag: &str) -> String {
    format!("chore: release version {}", tag.trim_start_matches('v'))
}

#[track_caller]
fn ok(output: &Output) -> String {
    let errors = String::from_utf8_lossy(&output.stderr);
    let text = String::from_utf8_lossy(&output.stdout);
    assert!(output.status.success(), "{}\n{text}\n{errors}", output.status);
    text.trim_end_matches('\n').to_owned()
}

#[test]
fn a_plain_repository() {
    let (habitat, _remote) = habitat();
    habitat.ships("1.1.0");
}

#[test]
fn a_linked_work_tree() {
    let (mut habitat, _remote) = habitat();
    habitat.git(&["checkout", "--quiet", "-b", "other"]);
    let linked = habitat.repo.home().join("linked");
    habitat.git(&["worktree", "add", "--quiet", linked.to_str().unwrap(), "main"]);
    let before = habitat.repo.read("VERSION");
    habitat.dir = linked;
    habitat.ships("1.1.0");
    assert_eq!(habitat.repo.branch(), "other");
    assert_eq!(habitat.repo.read("VERSION"), before);
    assert_eq!(habitat.repo.git(["worktree", "list"]).lines().count(), 2);
}

#[test]
fn a_repository_with_a_submodule() {
    let module = Repo::plain("9.0.0");
    let (habitat, _remote) = habitat();
    let url = module.path().to_str().unwrap();
    habitat.git(&["-c", "protocol.file.allow=always", "submodule", "--quiet", "add", url, "module"]);
    habitat.git(&["commit", "--quiet", "--message=build: a module"]);
    habitat.ships("1.1.0");
    assert_eq!(habitat.git(&["ls-tree", "HEAD", "module"]).split(' ').next(), Some("160000"));
    fs::write(habitat.dir.join("module/new.txt"), "untracked").unwrap();
    assert_eq!(habitat.shipway(&["plan", "1.2.0"]).status.code(), Some(0));
}

#[test]
fn a_path_with_spaces_and_letters_beyond_ascii() {
    let (mut habitat, remote) = habitat();
    let root = habitat.repo.home().join("мой проект é 'x' $HOME");
    fs::create_dir(&root).unwrap();
    let (dir, bare) = (root.join("work tree"), root.join("origin 1.git"));
    let name = |path: &Path| path.to_str().unwrap().to_owned();
    habitat.git(&["clone", "--quiet", "--bare", &name(remote.path()), &name(&bare)]);
    habitat.git(&["clone", "--quiet", &name(&habitat.dir), &name(&dir)]);
    habitat.dir = dir;
    habitat.bare = bare;
    habitat.git(&["remote", "set-url", "origin", &name(&habitat.bare)]);
    habitat.git(&["config", "user.name", "Ann Author"]);
    habitat.git(&["config", "user.email", "ann@example.org"]);
    fs::write(habitat.dir.join("größe 1.txt"), "x").unwrap();
    habitat.git(&["add", "--all"]);
    habitat.git(&["commit", "--quiet", "--message=fix: größe"]);
    habitat.ships("1.1.0");
}

#[test]
fn a_directory_inside_the_work_tree() {
    let (mut habitat, _remote) = habitat();
    habitat.repo.file("deep/down/file", "x").commit("test: deep");
    habitat.dir = habitat.dir.join("deep/down");
    assert!(habitat.done(&["push"]).contains("shipped"));
    habitat.stands("v1.1.0");
}

#[test]
fn a_branch_with_a_slash_that_is_configured() {
    let (mut habitat, _remote) = habitat();
    habitat.git(&["checkout", "--quiet", "-b", "team/release-me"]);
    let refused = habitat.shipway(&["push"]);
    assert_eq!(refused.status.code(), Some(1));
    assert!(String::from_utf8_lossy(&refused.stderr).contains("team/release-me"));
    habitat
        .repo
        .file("shipway.toml", "[release]\nbranches = [\"team/release-me\"]\n")
        .commit("chore: branches");
    habitat.branch = "team/release-me".into();
    habitat.ships("1.1.0");
}

#[test]
fn a_remote_whose_default_branch_is_trunk() {
    let repo = Repo::plain("1.0.0");
    repo.git(["branch", "--move", "trunk"]);
    let remote = Remote::of(&repo);
    repo.git(["remote", "set-head", "origin", "trunk"]);
    repo.commit("fix: the answer");
    Habitat::of(repo, remote.path()).ships("1.1.0");
}

#[test]
fn a_branch_that_follows_one_of_another_name() {
    let (habitat, remote) = habitat();
    let before = remote.tip("main");
    habitat.git(&["push", "--quiet", "origin", "main:refs/heads/master"]);
    habitat.git(&["branch", "--quiet", "--set-upstream-to=origin/master"]);
    assert!(habitat.done(&["push"]).contains("shipped"));
    assert_eq!(remote.tip("master"), Some(habitat.git(&["rev-parse", "HEAD"])));
    assert_eq!(remote.tip("main"), before);
}

#[test]
fn line_ends_that_git_converts() {
    for (settings, attributes, crlf) in [
        ("[core]\nautocrlf = true\n", "", true),
        ("[core]\neol = crlf\n", "* text=auto\n", true),
        ("", "CHANGELOG.md text eol=crlf\nVERSION text eol=crlf\n", true),
        ("[core]\nautocrlf = input\n", "", false),
    ] {
        let (habitat, _remote) = habitat();
        habitat.repo.file(".gitattributes", attributes).file("CHANGELOG.md", "# Changelog\n");
        habitat.repo.commit("docs: a changelog");
        let habitat = habitat.settings(settings);
        habitat.git(&["rm", "--quiet", "--cached", "-r", "."]);
        habitat.git(&["reset", "--quiet", "--hard"]);
        assert!(habitat.done(&["push"]).contains("shipped"));
        habitat.stands("v1.1.0");
        let (stored, here) =
            (habitat.git(&["cat-file", "blob", "HEAD:CHANGELOG.md"]), habitat.repo.read("CHANGELOG.md"));
        assert!(!stored.contains('\r'), "{settings}{attributes}");
        assert_eq!(here.contains("## [1.1.0] - ") && here.contains("\r\n"), crlf, "{settings}{attributes}");
        habitat.done(&["rollback"]);
        assert_eq!(habitat.git(&["status", "--porcelain"]), "");
    }
}

#[test]
fn hooks_in_a_directory_of_the_repository() {
    let (habitat, _remote) = habitat();
    let log = habitat.repo.home().join("hooks.log");
    let hook = format!("#!/bin/sh\necho \"${{0##*/}}\" >>'{}'\n", log.display());
    let names = ["pre-commit", "commit-msg", "pre-push"];
    for name in names {
        habitat.repo.file(format!(".husky/{name}"), &hook);
    }
    habitat.git(&["add", "--all"]);
    for name in names {
        habitat.git(&["update-index", "--chmod=+x", &format!(".husky/{name}")]);
    }
    habitat.git(&["commit", "--quiet", "--message=build: hooks"]);
    // Git writes them once more: what this process wrote itself could be busy when it is started.
    fs::remove_dir_all(habitat.dir.join(".husky")).unwrap();
    habitat.git(&["checkout", "--quiet", "--", "."]);
    habitat.git(&["config", "core.hooksPath", ".husky"]);
    habitat.ships("1.1.0");
    let ran = fs::read_to_string(&log).unwrap_or_default();
    assert!(ran.contains("pre-commit") && ran.contains("commit-msg") && ran.contains("pre-push"), "{ran}");
}

#[test]
fn settings_of_the_user_that_change_what_git_says_and_does() {
    let settings = [
        "[pull]\nrebase = true\n[push]\ndefault = nothing\nfollowTags = true\n",
        "[format]\npretty = oneline\n[log]\nshowSignature = true\ndecorate = full\ndate = relative\n",
        "[log]\nabbrevCommit = true\nfollow = true\nmailmap = false\n[core]\nabbrev = 4\nquotePath = true\n",
        "[tag]\nsort = -creatordate\n[branch]\nsort = -committerdate\n[column]\nui = always\n",
        "[color]\nui = always\nstatus = always\n[core]\npager = false\n[pager]\nlog = false\nshow = false\n",
        "[status]\nshowUntrackedFiles = no\nshort = true\nbranch = true\nrelativePaths = false\n",
        "[diff]\nnoprefix = true\nexternal = false\nmnemonicPrefix = true\nrenames = copies\n",
        "[commit]\ncleanup = scissors\nverbose = true\nstatus = false\n[core]\ncommentChar = \";\"\n",
        "[commit]\ntemplate = /nonexistent/template\n",
        "[i18n]\ncommitEncoding = ISO-8859-1\nlogOutputEncoding = ISO-8859-1\n",
        "[advice]\nstatusHints = true\n[core]\nlogAllRefUpdates = false\n",
        "[fetch]\nprune = true\npruneTags = true\n[remote]\npushDefault = origin\n",
        "[push]\nautoSetupRemote = true\nuseForceIfIncludes = true\ngpgSign = if-asked\nrecurseSubmodules = check\n",
        "[merge]\nff = false\n[branch]\nautoSetupRebase = always\n[rebase]\nautoStash = true\n",
        "[core]\nuntrackedCache = true\nsplitIndex = true\npreloadIndex = false\n[index]\nversion = 4\n",
        "[core]\nsafecrlf = true\nwhitespace = cr-at-eol\n[transfer]\nfsckObjects = true\n[receive]\nfsckObjects = true\n",
        "[alias]\ncommit = !false\npush = !false\nlog = !false\n[user]\nuseConfigOnly = true\n",
        "[feature]\nmanyFiles = true\n[protocol]\nversion = 0\n[versionsort]\nsuffix = -rc\n",
    ];
    for text in settings {
        let (habitat, _remote) = habitat();
        let habitat = habitat.settings(text);
        let shown = habitat.shipway(&["push"]);
        assert_eq!(shown.status.code(), Some(0), "{text}\n{}", String::from_utf8_lossy(&shown.stderr));
        assert_eq!(habitat.repo.branch(), "main");
        let tag = habitat.repo.git(["rev-parse", "refs/tags/v1.1.0"]);
        assert_eq!(habitat.there("refs/tags/v1.1.0"), tag, "{text}");
        assert_eq!(habitat.there("refs/heads/main"), habitat.repo.head(), "{text}");
        assert_eq!(habitat.repo.read("VERSION"), "1.1.0\n", "{text}");
        assert_eq!(habitat.repo.git(["log", "-1", "--format=%s"]), subject("v1.1.0"), "{text}");
        assert_eq!(habitat.repo.git(["status", "--porcelain"]), "", "{text}");
        let shown = habitat.shipway(&["rollback"]);
        assert_eq!(shown.status.code(), Some(0), "{text}\n{}", String::from_utf8_lossy(&shown.stderr));
        assert_eq!(habitat.repo.read("VERSION"), "1.0.0\n", "{text}");
    }
}

#[test]
fn an_address_to_push_to_that_is_not_the_one_to_fetch_from() {
    let (mut habitat, remote) = habitat();
    let fork = habitat.repo.home().join("fork.git");
    let name = fork.to_str().unwrap().to_owned();
    habitat.git(&["clone", "--quiet", "--bare", remote.path().to_str().unwrap(), &name]);
    habitat.git(&["config", "remote.origin.pushurl", &name]);
    habitat.bare = fork;
    assert!(habitat.done(&["push"]).contains("shipped"));
    habitat.stands("v1.1.0");
    assert_eq!(remote.tags(), ["v1.0.0"]);
}

#[test]
fn an_address_that_stands_for_another_one() {
    let (habitat, remote) = habitat();
    let base = remote.path().parent().unwrap().to_str().unwrap();
    habitat.git(&["remote", "set-url", "origin", "https://forge.invalid/origin.git"]);
    habitat.git(&["config", &format!("url.{base}/.insteadOf"), "https://forge.invalid/"]);
    habitat.ships("1.1.0");
}

#[test]
fn object_ids_of_sixty_four_digits() {
    let (habitat, _remote) = habitat();
    let (dir, bare) = (habitat.repo.home().join("sha256"), habitat.repo.home().join("sha256.git"));
    beside(habitat, dir, bare, "--object-format=sha256");
}

#[test]
fn refs_in_a_table() {
    let (habitat, _remote) = habitat();
    let probe = habitat.repo.home().join("probe");
    let made = habitat.repo.try_git(["init", "--quiet", "--ref-format=reftable", probe.to_str().unwrap()]);
    if !made.status.success() {
        return skip("this git has no reftable");
    }
    let (dir, bare) = (habitat.repo.home().join("table"), habitat.repo.home().join("table.git"));
    beside(habitat, dir, bare, "--ref-format=reftable");
}

/// Ships from a repository of another kind, with a remote of the same kind.
#[track_caller]
fn beside(mut habitat: Habitat, dir: PathBuf, bare: PathBuf, kind: &str) {
    let init = ["init", "--quiet", "--initial-branch=main", kind];
    habitat.git(&[&init[..], &["--bare", bare.to_str().unwrap()]].concat());
    habitat.git(&[&init[..], &[dir.to_str().unwrap()]].concat());
    habitat.dir = dir;
    habitat.git(&["config", "user.name", "Ann Author"]);
    habitat.git(&["config", "user.email", "ann@example.org"]);
    habitat.git(&["remote", "add", "origin", bare.to_str().unwrap()]);
    habitat.bare = bare;
    fs::write(habitat.dir.join("VERSION"), "1.0.0\n").unwrap();
    habitat.git(&["add", "--all"]);
    habitat.git(&["commit", "--quiet", "--message=feat: begin"]);
    habitat.git(&["tag", "--annotate", "--message=1.0.0", "v1.0.0"]);
    habitat.git(&["push", "--quiet", "--set-upstream", "origin", "main", "v1.0.0"]);
    habitat.git(&["commit", "--quiet", "--allow-empty", "--message=feat: the answer"]);
    habitat.ships("1.1.0");
}
