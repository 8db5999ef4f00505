//! Directories, and what commands write.

use std::ffi::OsStr;
use std::os::unix::ffi::OsStrExt as _;
use std::os::unix::fs::{MetadataExt as _, PermissionsExt as _, symlink};

use super::*;
use crate::backup::tree;

fn mode(path: &Path, mode: u32) {
    fs::set_permissions(path, fs::Permissions::from_mode(mode)).unwrap();
}

fn content(path: &Path) -> Content {
    tree::look(path, || Ok(())).map(|seen| seen.content()).ok().expect("a directory that can be read")
}

/// A directory with whatever a file system holds.
fn odd(site: &Site) {
    for name in
        ["data/plain", "data/-rf", "data/ sp ace ", "data/line\nfeed", "data/sub/deep/ä", "data/.hidden"]
    {
        site.file(name, name);
    }
    let raw = site.path("data").join(OsStr::from_bytes(b"not\xff\xfeutf8"));
    fs::write(raw, b"raw").unwrap();
    site.file("data/script", "#!/bin/sh\n");
    mode(&site.path("data/script"), 0o755);
    site.file("data/secret", "s");
    mode(&site.path("data/secret"), 0o400);
    site.file("data/large", vec![7; 3 << 20]);
    fs::create_dir(site.path("data/empty")).unwrap();
    symlink("plain", site.path("data/link")).unwrap();
    symlink("/nowhere/at all", site.path("data/dangling")).unwrap();
    fs::hard_link(site.path("data/plain"), site.path("data/hard")).unwrap();
    output(&Cmd::new("mkfifo").arg(site.path("data/fifo")));
    site.file("data/shut/inside", "x");
    mode(&site.path("data/shut"), 0o555);
    mode(&site.path("data"), 0o750);
}

#[test]
fn a_directory_comes_back_as_it_was() {
    let site = Site::new();
    odd(&site);
    let saved = content(&site.path("data"));
    let spec = directory("data");
    let made = site.make(&spec).unwrap();
    assert_eq!(made.content, saved);
    assert_eq!(site.list(), std::slice::from_ref(&made));
    let verified = site.verify(&spec, &made).unwrap();
    assert_eq!(verified.what, "5 directories, 15 files");
    assert_eq!(site.list()[0].verified, Some(verified));
    site.restore(&spec, &made, "again").unwrap();
    assert_eq!(content(&site.path("again")), saved);
    let inode = |name: &str| site.path(name).metadata().unwrap().ino();
    assert_eq!(inode("again/plain"), inode("again/hard"));
    assert_eq!(site.names(), [made.file.clone(), format!("{}.json", made.file)]);
    // So that it can be removed by anybody.
    for name in ["data/shut", "again/shut"] {
        mode(&site.path(name), 0o755);
    }
}

#[test]
fn every_change_makes_another_content() {
    let site = Site::new();
    odd(&site);
    let saved = content(&site.path("data"));
    let check = |change: &dyn Fn(), back: &dyn Fn()| {
        change();
        assert_ne!(content(&site.path("data")), saved);
        back();
        assert_eq!(content(&site.path("data")), saved);
    };
    let plain = site.path("data/plain");
    check(&|| fs::write(&plain, "data/plaim").unwrap(), &|| fs::write(&plain, "data/plain").unwrap());
    check(&|| mode(&site.path("data/empty"), 0o700), &|| mode(&site.path("data/empty"), 0o755));
    let (old, new) = (site.path("data/link"), site.path("data/knil"));
    check(&|| fs::rename(&old, &new).unwrap(), &|| fs::rename(&new, &old).unwrap());
    let link = |target: &str| {
        fs::remove_file(&old).unwrap();
        symlink(target, &old).unwrap();
    };
    check(&|| link("plaim"), &|| link("plain"));
    mode(&site.path("data/shut"), 0o755);
}

#[test]
fn a_directory_that_does_not_hold_still_is_no_backup() {
    let seed = tempfile::tempdir().unwrap();
    let (moving, data) = (seed.path().join("moving"), seed.path().to_path_buf());
    fs::write(&moving, "").unwrap();
    let site = Site::with(After(LocalShell::new(), move || {
        let text = fs::read_to_string(&moving).unwrap() + "x";
        fs::write(&moving, text).unwrap();
    }));
    let problem = site.make(&directory(data.to_str().unwrap())).unwrap_err();
    assert_eq!((problem.code, problem.details), (Code::BackupMoving, vec!["./moving".to_owned()]));
    assert!(site.names().is_empty());
    assert_eq!(fs::read_to_string(data.join("moving")).unwrap(), "xxx", "it was tried three times");
}

#[test]
fn a_directory_that_holds_still_in_the_second_try_is_a_backup() {
    let seed = tempfile::tempdir().unwrap();
    let (moving, data) = (seed.path().join("moving"), seed.path().to_path_buf());
    let site = Site::with(After(LocalShell::new(), move || {
        if !moving.exists() {
            fs::write(&moving, "late").unwrap();
        }
    }));
    let spec = directory(data.to_str().unwrap());
    let made = site.make(&spec).unwrap();
    assert_eq!(made.content, content(&data));
    assert_eq!(site.verify(&spec, &made).unwrap().what, "1 directory, 1 file");
}

#[test]
fn a_directory_does_not_save_its_own_backups() {
    let site = Site::new();
    let problem = site.make(&directory(".")).unwrap_err();
    assert_eq!(problem.code, Code::BackupFailed);
    assert!(problem.what.contains("would save themselves"), "{problem}");
    assert_eq!(code(site.make(&directory("missing"))), Code::BackupFailed);
}

#[test]
fn what_is_there_is_not_restored_over() {
    let site = Site::new();
    site.file("data/one", "1");
    let spec = directory("data");
    let made = site.make(&spec).unwrap();
    assert_eq!(code(site.restore(&spec, &made, "data")), Code::BackupInPlace);
    site.file("full/other", "2");
    assert_eq!(code(site.restore(&spec, &made, "full")), Code::BackupInPlace);
    assert_eq!(code(site.restore(&spec, &made, "data/one")), Code::BackupInPlace);
    assert_eq!(fs::read_dir(site.path("full")).unwrap().count(), 1);
    fs::create_dir(site.path("empty")).unwrap();
    site.restore(&spec, &made, "empty").unwrap();
    assert_eq!(fs::read_to_string(site.path("empty/one")).unwrap(), "1");
    let names: Vec<_> = fs::read_dir(site.dir.path()).unwrap().map(|of| of.unwrap().file_name()).collect();
    assert!(names.iter().all(|name| !name.as_bytes().starts_with(b".")), "{names:?}");
}

#[test]
fn a_command_saves_and_restores_by_itself() {
    let site = Site::new();
    site.file("state", "three words here");
    let what = What::Command {
        run: sh("tr a-z A-Z <state >\"$0\"").into_iter().chain(["{file}".into()]).collect(),
        restore: sh("tr A-Z a-z <\"$0\" >\"$1/state\"")
            .into_iter()
            .chain(["{file}".into(), "{scratch}".into()])
            .collect(),
    };
    let mut spec = spec(what);
    let made = site.make(&spec).unwrap();
    assert_eq!(fs::read_to_string(site.path("backups").join(&made.file)).unwrap(), "THREE WORDS HERE");
    assert_eq!(site.verify(&spec, &made).unwrap().what, "restored 1 directory, 1 file");
    spec.verify = ["cmp", "state", "{scratch}/state"].map(Into::into).to_vec();
    assert_eq!(site.verify(&spec, &made).unwrap().what, "restored, and the verify command agrees");
    site.restore(&spec, &made, "new").unwrap();
    assert_eq!(fs::read_to_string(site.path("new/state")).unwrap(), "three words here");
    site.file("state", "other words here");
    assert_eq!(code(site.verify(&spec, &made)), Code::BackupRefused);
    assert!(site.list()[0].verified.is_none() && site.list()[0].broken.is_some());
}

#[test]
fn a_command_that_fails_or_writes_nothing_is_no_backup() {
    let site = Site::new();
    let run = |script: &str| spec(What::Command { run: sh(script), restore: sh("true") });
    let problem = site.make(&run("echo why not >&2; exit 3")).unwrap_err();
    assert_eq!((problem.code, problem.details), (Code::BackupFailed, vec!["why not".to_owned()]));
    assert_eq!(code(site.make(&run("true"))), Code::BackupFailed);
    assert_eq!(code(site.make(&spec(What::Unknown))), Code::ActionUnknown);
    assert!(site.names().is_empty());
}

#[test]
fn a_verification_without_a_way_to_restore_proves_nothing() {
    let site = Site::new();
    let run = [sh("echo x >\"$0\""), vec!["{file}".into()]].concat();
    let mut spec = spec(What::Command { run, restore: sh("exit 4") });
    let made = site.make(&spec).unwrap();
    assert_eq!(code(site.verify(&spec, &made)), Code::RestoreFailed);
    assert!(site.list()[0].verified.is_none() && site.list()[0].broken.is_none());
    spec.timeout_ms = 0;
    assert_eq!(code(site.verify(&spec, &made)), Code::StepTimedOut);
}
