//! A project and its remote, made once and copied for every case.

use std::collections::BTreeMap;
use std::fs;
use std::os::unix::fs::{PermissionsExt as _, symlink};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::Arc;

use shipway_core::edit::Edit;
use shipway_core::id::RunId;
use shipway_core::kinds::{self, Published, Signing, Withdrawal};
use shipway_testkit::hermetic;
use shipway_testkit::remote::Remote as Bare;
use shipway_testkit::repo::Repo;
use shipway_testkit::state::Snapshot;
use shipway_world::artifact::Store;
use shipway_world::catalog::RealCatalog;
use shipway_world::deploy::Hands;
use shipway_world::git::cmd::Remote;
use shipway_world::git::repository::Repository;
use shipway_world::host::{AgentBinary, Fleet};
use tempfile::TempDir;

/// The run of every case.
pub(crate) const RUN: &str = "7f3a9c01";
/// The tag of every release.
pub(crate) const TAG: &str = "v1.1.0";
/// The message of every release commit.
pub(crate) const MESSAGE: &str = "chore: release version 1.1.0\n\n- greet people by their name";

/// Returns the ref that keeps the release commit of the run.
pub(crate) fn anchor() -> String {
    format!("refs/shipway/{RUN}/commit")
}

/// A project `widget` beside its remote `origin.git`.
pub(crate) struct Place {
    root: TempDir,
}

thread_local! {
    // One for each test, because what belongs to the whole process would never be removed.
    static TEMPLATE: Place = template();
}

/// Returns the place that all others are copies of. They share their object ids, because no path is in them.
fn template() -> Place {
    let repo = Repo::plain("1.0.0");
    let remote = Bare::of(&repo);
    let place = Place { root: scratch() };
    copy(repo.path(), &place.top());
    copy(remote.path(), &place.origin());
    // A relative address, so that a copy of the project pushes to the copy of the remote.
    place.git(&["config", "remote.origin.url", "../origin.git"]);
    place
}

fn scratch() -> TempDir {
    let memory = Path::new("/dev/shm");
    let dir = if memory.is_dir() { tempfile::tempdir_in(memory) } else { tempfile::tempdir() };
    dir.unwrap()
}

fn copy(from: &Path, to: &Path) {
    fs::create_dir(to).unwrap();
    for entry in fs::read_dir(from).unwrap() {
        let (from, to) = (entry.as_ref().unwrap().path(), to.join(entry.as_ref().unwrap().file_name()));
        let kind = entry.unwrap().file_type().unwrap();
        if kind.is_dir() {
            copy(&from, &to);
        } else if kind.is_symlink() {
            symlink(fs::read_link(&from).unwrap(), &to).unwrap();
        } else if fs::metadata(&from).unwrap().permissions().mode() & 0o111 == 0 {
            fs::copy(&from, &to).unwrap();
        } else {
            // Never written again, and so never busy when it is started.
            fs::hard_link(&from, &to).or_else(|_| fs::copy(&from, &to).map(drop)).unwrap();
        }
    }
}

impl Place {
    /// Returns a fresh copy.
    pub(crate) fn new() -> Self {
        TEMPLATE.with(Self::copy)
    }

    /// Returns a copy of this place as it is now.
    pub(crate) fn copy(&self) -> Self {
        let place = Self { root: scratch() };
        copy(&self.top(), &place.top());
        copy(&self.origin(), &place.origin());
        place
    }

    /// Returns the work tree.
    pub(crate) fn top(&self) -> PathBuf {
        self.root.path().join("widget")
    }

    /// Returns the bare remote.
    pub(crate) fn origin(&self) -> PathBuf {
        self.root.path().join("origin.git")
    }

    /// Returns the catalog of the product for this place.
    pub(crate) fn catalog(&self) -> RealCatalog {
        let (top, git_dir) = (self.top(), self.top().join(".git"));
        let common_dir = git_dir.clone();
        let store = Arc::new(Store::new(common_dir.join("shipway/store")));
        // Releases without environments reach no host.
        let fleet = Arc::new(Fleet::new(Arc::clone(&store), AgentBinary::new("/bin/false"), BTreeMap::new()));
        let repository = Repository { top, git_dir, common_dir, reach: Remote::default() };
        RealCatalog { repository, hands: Hands { fleet, store } }
    }

    /// Returns what git says in the project. Panics if it fails.
    #[track_caller]
    pub(crate) fn git(&self, args: &[&str]) -> String {
        run(hermetic::command("git", &self.top()).args(args))
    }

    /// Returns what git says in the remote. Panics if it fails.
    #[track_caller]
    pub(crate) fn remote(&self, args: &[&str]) -> String {
        run(hermetic::command("git", &self.origin()).args(args))
    }

    /// Returns the object id of a revision of the project, or the empty text.
    pub(crate) fn rev(&self, name: &str) -> String {
        rev(&self.top(), name)
    }

    /// Returns the object id of a revision of the remote, or the empty text.
    pub(crate) fn remote_rev(&self, name: &str) -> String {
        rev(&self.origin(), name)
    }

    /// Writes a program, such as a hook, through a child, so that it is never busy.
    pub(crate) fn program(path: &Path, script: &str) {
        let text = format!("#!/bin/sh\n{script}\n");
        let mut write = hermetic::command("/bin/sh", path.parent().unwrap().parent().unwrap());
        let args = ["-c", r#"mkdir -p "${1%/*}" && printf %s "$2" >"$1" && chmod 755 "$1""#, "sh"];
        run(write.args(args).arg(path).arg(text));
    }

    /// Returns the project without what a push tells of the remote.
    pub(crate) fn local(&self) -> Snapshot {
        Snapshot::of(&self.top()).without("ref refs/remotes/")
    }

    /// Returns the refs of the remote.
    pub(crate) fn there(&self) -> Snapshot {
        Snapshot::of_bare(&self.origin())
    }

    /// Returns the edits of the release: version file, changelog, README.
    pub(crate) fn edits(&self) -> Vec<Edit> {
        let edit = |path: &str, replace: &dyn Fn(&str) -> String| {
            let old = fs::read_to_string(self.top().join(path)).unwrap();
            Edit::between(path, Some(old.as_bytes()), replace(&old).as_bytes(), "1.0.0 → 1.1.0")
                .unwrap()
                .unwrap()
        };
        let section = "## [1.1.0] - 2026-02-01\n\n### Features\n\n- greet people by their name\n\n";
        vec![
            edit("VERSION", &|old| old.replace("1.0.0", "1.1.0")),
            edit("CHANGELOG.md", &|old| old.replace("## [1.0.0]", &format!("{section}## [1.0.0]"))),
            edit("README.md", &|old| old.replace("1.0.0", "1.1.0")),
        ]
    }

    /// Returns what a plan says to the commit.
    pub(crate) fn commit_args(&self) -> kinds::Commit {
        let (message, edits) = (MESSAGE.into(), self.edits());
        kinds::Commit { base: self.rev("HEAD"), message, edits, sign: Signing::Auto }
    }

    /// Returns what a plan says to the tag of the release commit.
    pub(crate) fn tag_args() -> kinds::Tag {
        let message = "Release version 1.1.0".into();
        kinds::Tag { tag: TAG.into(), message, commit: None, sign: Signing::Auto }
    }

    /// Returns how the release would be withdrawn.
    pub(crate) fn withdrawal(delete_tag: bool) -> Withdrawal {
        Withdrawal {
            version: "1.1.0".into(),
            changelog: Some("CHANGELOG.md".into()),
            delete_tag,
            ticket: None,
        }
    }

    /// Returns what the remote has of the release.
    pub(crate) fn published(&self) -> Published {
        Published {
            remote: "origin".into(),
            branch: "main".into(),
            base: self.rev(&format!("{TAG}^{{commit}}^")),
            commit: self.rev(&format!("{TAG}^{{commit}}")),
            tag: TAG.into(),
            object: self.rev(&format!("refs/tags/{TAG}")),
        }
    }

    /// Returns the name of the run.
    pub(crate) fn run() -> RunId {
        RunId::new(RUN)
    }
}

#[track_caller]
fn run(command: &mut Command) -> String {
    let output = command.output().unwrap();
    let errors = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{command:?} ended with {}: {errors}", output.status);
    String::from_utf8_lossy(&output.stdout).trim_end_matches('\n').to_owned()
}

fn rev(dir: &Path, name: &str) -> String {
    let mut command = hermetic::command("git", dir);
    let output = command.args(["rev-parse", "--verify", "--quiet", name]).output().unwrap();
    String::from_utf8_lossy(&output.stdout).trim_end().to_owned()
}
