//! A trigger that was killed: what it was about is gone on with, and what it left behind is cleared away.

use std::fs;
use std::os::unix::process::CommandExt as _;
use std::path::{Path, PathBuf};
use std::process::{Child, Output, Stdio};
use std::thread::sleep;
use std::time::{Duration, Instant};

use shipway_testkit::remote::Remote;
use shipway_testkit::repo::Repo;

use crate::{SHIPWAY, code, project, shipway};

struct Scene {
    repo: Repo,
    remote: Remote,
    /// Is there while the build is under way.
    begun: PathBuf,
    /// Lets the build end.
    go: PathBuf,
}

/// A bare repository with a branch whose build goes on until it is let go.
fn scene() -> Scene {
    let (repo, remote) = project();
    let (begun, go, tmp) = (repo.home().join("begun"), repo.home().join("go"), repo.home().join("tmp"));
    fs::create_dir(tmp).unwrap();
    let script = "touch \"$0\"; while ! test -e \"$1\"; do sleep 0.05; done; cp marker built";
    let build = format!("build = ['sh', '-c', '{script}', '{}', '{}']", begun.display(), go.display());
    repo.git(["switch", "-q", "develop"]);
    repo.file("shipway.toml", format!("{}[artifact]\n{build}\n", repo.read("shipway.toml")))
        .commit("feat: build");
    repo.git(["push", "-q", "origin", "develop"]);
    Scene { repo, remote, begun, go }
}

fn wait_for(what: &str, is: impl Fn() -> bool) {
    let begun = Instant::now();
    while !is() {
        assert!(begun.elapsed() < Duration::from_mins(1), "{what}");
        sleep(Duration::from_millis(20));
    }
}

impl Scene {
    fn call(&self, args: &[&str]) -> Output {
        let tmp = self.tmp();
        let mut command = self.repo.command(SHIPWAY);
        let command =
            command.current_dir(self.remote.path()).args(args).env("TMPDIR", tmp).stdin(Stdio::null());
        command.output().unwrap()
    }

    /// Starts a trigger in a group of its own, and returns it once the build is under way.
    fn building(&self) -> Child {
        let mut command = self.repo.command(SHIPWAY);
        command.current_dir(self.remote.path()).args(["trigger", "change:develop"]).env("TMPDIR", self.tmp());
        let quiet = command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
        let child = quiet.process_group(0).spawn().unwrap();
        wait_for("the build begins", || self.begun.exists());
        child
    }

    fn kill(&self, target: &str) {
        let status = self.repo.command("kill").args(["-9", "--", target]).status().unwrap();
        assert!(status.success());
    }

    fn tmp(&self) -> PathBuf {
        self.repo.home().join("tmp")
    }

    fn left(&self) -> Vec<PathBuf> {
        fs::read_dir(self.tmp()).unwrap().map(|entry| entry.unwrap().path()).collect()
    }

    fn trees(&self) -> usize {
        self.repo
            .git([Path::new("-C"), self.remote.path(), "worktree".as_ref(), "list".as_ref()])
            .lines()
            .count()
    }

    fn built(&self) -> bool {
        self.repo.home().join("staging/current/built").exists()
    }
}

#[test]
fn a_killed_trigger_is_settled_by_resume_and_its_checkout_is_swept() {
    let scene = scene();
    let mut child = scene.building();
    scene.kill(&format!("-{}", child.id()));
    child.wait().unwrap();
    assert_eq!((scene.left().len(), scene.trees() > 1), (1, true));
    let left = scene.left();
    fs::write(&scene.go, "").unwrap();
    // A build is tried once, so that the run ends there and keeps nobody from beginning anew.
    assert!(code(1, &scene.call(&["resume"])).contains("build was cut off"));
    assert!(left.iter().all(|dir| !dir.exists()), "{left:?}");
    assert_eq!((scene.left(), scene.trees()), (vec![], 1));
    code(0, &scene.call(&["trigger", "change:develop"]));
    assert!(scene.built());
}

#[test]
fn a_deployment_that_outlives_its_trigger_keeps_its_checkout() {
    let scene = scene();
    let mut child = scene.building();
    scene.kill(&child.id().to_string());
    child.wait().unwrap();
    let left = scene.left();
    assert_eq!(left.len(), 1);
    code(0, &scene.call(&["trigger", "schedule:nightly", "--commit", "develop"]));
    assert_eq!(scene.left(), left, "somebody works there");
    fs::write(&scene.go, "").unwrap();
    wait_for("the deployment ends by itself", || scene.built());
    let swept = || {
        code(0, &scene.call(&["trigger", "schedule:nightly", "--commit", "develop"]));
        scene.left().is_empty()
    };
    wait_for("the checkout is swept", swept);
    assert_eq!(scene.trees(), 1);
    let status = shipway(&scene.repo, scene.remote.path(), &["status", "--no-hosts"]);
    assert!(code(0, &status).contains("shipped"));
}
