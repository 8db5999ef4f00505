use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::os::unix::fs::{PermissionsExt as _, symlink};
use std::path::Path;
use std::time::Duration;

use shipway_core::action::{Cx, Stop};
use shipway_core::deployment::Manifest;
use shipway_core::id::{Digest, RunId, StepId};
use shipway_core::problem::Code;
use shipway_testkit::repo::Repo;
use shipway_testkit::world::{NOON, TestWorld};

use super::*;
use crate::git::cmd::Remote;
use crate::git::repository::Repository;

fn sample(dir: &Path) {
    fs::create_dir_all(dir.join("bin")).unwrap();
    fs::create_dir_all(dir.join(".git")).unwrap();
    fs::write(dir.join(".git/config"), "x").unwrap();
    fs::write(dir.join("bin/app"), "#!/bin/sh\n").unwrap();
    fs::set_permissions(dir.join("bin/app"), fs::Permissions::from_mode(0o755)).unwrap();
    fs::write(dir.join("a.txt"), "same").unwrap();
    fs::write(dir.join("b.txt"), "same").unwrap();
    fs::write(dir.join("empty"), "").unwrap();
    fs::write(dir.join("large"), vec![7; 3_000_000]).unwrap();
    symlink("bin/app", dir.join("run")).unwrap();
}

fn all() -> Selection {
    Selection::default()
}

#[test]
fn what_comes_out_of_the_store_is_what_was_put_in() {
    let dir = tempfile::tempdir().unwrap();
    let (from, to) = (dir.path().join("from"), dir.path().join("to"));
    sample(&from);
    let listed = manifest(&from, &all()).unwrap();
    assert_eq!(listed.files.len(), 6);
    let store = Store::open(dir.path().join("store")).unwrap();
    let digest = store.put_dir(&from, &listed).unwrap();
    assert!(store.has_artifact(&digest));
    store.check_out(&store.manifest(&digest).unwrap(), &to).unwrap();
    assert_eq!(manifest(&to, &all()).unwrap(), listed);
    assert_eq!(fs::read(to.join("large")).unwrap(), fs::read(from.join("large")).unwrap());
    assert!(changed(&to, &listed).is_empty());
}

#[test]
fn an_edited_file_is_found() {
    let dir = tempfile::tempdir().unwrap();
    sample(dir.path());
    let listed = manifest(dir.path(), &all()).unwrap();
    fs::write(dir.path().join("a.txt"), "sane").unwrap();
    fs::set_permissions(dir.path().join("bin/app"), fs::Permissions::from_mode(0o644)).unwrap();
    fs::remove_file(dir.path().join("run")).unwrap();
    symlink("a.txt", dir.path().join("run")).unwrap();
    fs::remove_file(dir.path().join("empty")).unwrap();
    assert_eq!(changed(dir.path(), &listed), ["a.txt", "bin/app", "empty", "run"]);
}

#[test]
fn a_blob_with_a_changed_byte_is_not_given_out() {
    let dir = tempfile::tempdir().unwrap();
    sample(&dir.path().join("from"));
    let listed = manifest(&dir.path().join("from"), &all()).unwrap();
    let store = Store::open(dir.path().join("store")).unwrap();
    store.put_dir(&dir.path().join("from"), &listed).unwrap();
    let file = listed.files.iter().find(|file| file.path == "large").unwrap();
    let path =
        dir.path().join("store/blobs").join(&file.blake3[..2]).join(format!("{}.zst", &file.blake3[2..]));
    let mut bytes = fs::read(&path).unwrap();
    *bytes.last_mut().unwrap() ^= 1;
    fs::set_permissions(&path, fs::Permissions::from_mode(0o600)).unwrap();
    fs::write(&path, bytes).unwrap();
    // Whoever wrote it has verified it then; everybody else does so before it is sent.
    let store = Store::open(dir.path().join("store")).unwrap();
    assert_eq!(store.get(&file.blake3).unwrap_err().code, Code::ArtifactChanged);
    assert_eq!(store.encoded(&file.blake3).unwrap_err().code, Code::ArtifactChanged);
    assert_eq!(store.encoded(&"0".repeat(64)).unwrap_err().code, Code::ArtifactMissing);
}

#[test]
fn a_file_that_changes_after_it_was_hashed_is_refused() {
    let dir = tempfile::tempdir().unwrap();
    sample(&dir.path().join("from"));
    let listed = manifest(&dir.path().join("from"), &all()).unwrap();
    fs::write(dir.path().join("from/a.txt"), "sane").unwrap();
    fs::write(dir.path().join("from/b.txt"), "sane").unwrap();
    let store = Store::open(dir.path().join("store")).unwrap();
    let problem = store.put_dir(&dir.path().join("from"), &listed).unwrap_err();
    assert_eq!(problem.code, Code::ArtifactChanged);
    assert!(!store.has_artifact(&listed.digest()));
}

#[test]
fn links_that_lead_out_are_refused() {
    for to in ["/etc/passwd", "../x", "bin/../../x", "out/x"] {
        let dir = tempfile::tempdir().unwrap();
        fs::create_dir_all(dir.path().join("a/bin")).unwrap();
        let _ = symlink("../..", dir.path().join("a/bin/up"));
        symlink(to, dir.path().join("a/link")).unwrap();
        let selection = Selection { include: vec!["link".into()], exclude: vec![] };
        let found = manifest(&dir.path().join("a"), &selection);
        if to == "out/x" {
            assert_eq!(found.unwrap().files.len(), 1);
        } else {
            assert_eq!(found.unwrap_err().code, Code::ArtifactUnusable, "{to}");
        }
    }
}

#[test]
fn only_what_is_kept_survives_a_sweep() {
    let dir = tempfile::tempdir().unwrap();
    let from = dir.path().join("from");
    sample(&from);
    let store = Store::open(dir.path().join("store")).unwrap();
    let one = store.put_dir(&from, &manifest(&from, &all()).unwrap()).unwrap();
    fs::write(from.join("a.txt"), "other").unwrap();
    let two = store.put_dir(&from, &manifest(&from, &all()).unwrap()).unwrap();
    let (run, key) = (RunId::new("0000000a"), Digest::of(b"key"));
    store.record_run(&run, &one).unwrap();
    store.record_commit("c0ffee", &key, &two).unwrap();
    assert_eq!(store.artifact_of_commit("c0ffee", &key), Some(two.clone()));
    let swept = store.sweep(&BTreeSet::from([one.clone()])).unwrap();
    assert!(store.has_artifact(&one) && !store.has_artifact(&two));
    assert_eq!((store.artifact_of_run(&run), store.artifact_of_commit("c0ffee", &key)), (Some(one), None));
    // A blob, a manifest and a record.
    assert_eq!(swept.files, 3);
}

fn built(
    repo: &Repo,
    wanted: &BuildSpec,
) -> (Result<(Digest, Manifest), shipway_core::action::Fault>, Store) {
    let common_dir = repo.path().join(".git");
    let store = Store::open(common_dir.join("shipway/store")).unwrap();
    let repository = Repository {
        top: repo.path().to_owned(),
        git_dir: common_dir.clone(),
        common_dir,
        reach: Remote::default(),
    };
    let (run, name, world, stop) =
        (RunId::new("0000000a"), StepId::new("build"), TestWorld::new(), Stop::default());
    let timeout = Duration::from_mins(5);
    let cx = Cx { run: &run, step: &name, attempt: 1, opened: NOON, timeout, world: &world, stop: &stop };
    let result = build(&cx, &repository, &store, wanted);
    (result, store)
}

fn spec(repo: &Repo, script: &str) -> BuildSpec {
    BuildSpec {
        commit: repo.head(),
        argv: ["sh", "-c", script].map(str::to_owned).to_vec(),
        env: BTreeMap::from([("WORD".into(), "built".into())]),
        include: vec!["**".into()],
        exclude: vec!["**/*.o".into()],
        root: "out".into(),
    }
}

#[test]
fn an_artifact_is_built_once_from_what_is_committed() {
    let repo = Repo::new();
    repo.file("in.txt", "committed").commit("feat: a");
    repo.file("in.txt", "edited").file("loose.txt", "loose");
    let script =
        "mkdir -p out/a && cat in.txt >out/a/in && touch out/x.o && test ! -e loose.txt && echo $WORD >out/w";
    let spec = spec(&repo, script);
    let (result, store) = built(&repo, &spec);
    let (digest, listed) = result.unwrap();
    assert_eq!(listed.files.iter().map(|file| &*file.path).collect::<Vec<_>>(), ["a/in", "w"]);
    assert_eq!(store.get(&listed.files[0].blake3).unwrap(), b"committed");
    assert_eq!(find(&store, &spec).unwrap().0, digest);
    assert!(!repo.path().join(".git/worktrees").exists());
    // A command that would fail is not run: the artifact is there.
    assert_eq!(built(&repo, &spec).0.unwrap().0, digest);
}

#[test]
fn a_failing_build_says_so_and_leaves_nothing() {
    let repo = Repo::new();
    repo.file("in.txt", "committed").commit("feat: a");
    for script in ["echo reason >&2; exit 3", "mkdir out", "true"] {
        let (result, store) = built(&repo, &spec(&repo, script));
        let fault = result.unwrap_err();
        assert_eq!(fault.problem.code, Code::BuildFailed);
        assert_eq!(fault.effect, shipway_core::action::Effect::None);
        assert!(find(&store, &spec(&repo, script)).is_none());
        assert!(!repo.path().join(".git/worktrees").exists());
    }
}
